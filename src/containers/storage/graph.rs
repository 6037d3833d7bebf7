//! Layers of a storage driver, in a store and in those of images only that stand behind it, as folders.
//!
//! `overlay/ID/diff` is what a layer adds; `overlay/ID/lower` names what lies below it, by short links
//! (`l/SHORT` → `../ID/diff`) that keep the options of a mount short. `vfs` and `btrfs` have a whole copy of
//! all layers for each.

mod lower;

use super::super::Layers;
use super::super::store::{self, Store, is_plain};
use super::records::{self, Layer};
use crate::model::{Gap, GapReason, printable_str};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

/// Records of layers of a store.
const MOST_LAYERS: usize = 100_000;
/// Layers of a container; containers-storage itself stops at 500.
const MOST_DEPTH: usize = 512;
/// Folders of all containers and images: they share layers, so that a small store may name any number.
const MOST_FOLDERS: usize = 250_000;
/// Folders of one layer beside its first: `diff1` and so on, from a change of the owners of files.
const MOST_PARTS: usize = 64;

/// How a driver keeps layers.
enum Kind {
    /// One over the other.
    Overlay,
    /// Each a whole copy, in this folder.
    Whole(&'static str),
    /// In a way that is not read.
    Unknown,
}

/// The layers of a driver.
pub struct Graph<'a> {
    /// The driver's name.
    pub driver: String,
    kind: Kind,
    /// The store, then those behind it.
    stores: Vec<Store<'a>>,
    layers: HashMap<String, Layer>,
    /// Whether some records could not be read.
    damaged: bool,
    folders: RefCell<HashMap<String, Result<Vec<store::Layer>, Gap>>>,
    /// How many more folders are named.
    left: Cell<usize>,
    /// Layers by the links that led to them.
    met: RefCell<HashMap<String, String>>,
    links: OnceCell<HashMap<String, String>>,
    names: OnceCell<HashMap<String, String>>,
}

impl<'a> Graph<'a> {
    /// Reads the records of layers.
    pub fn read(
        driver: &str,
        store: &Store<'a>,
        additional: &[Store<'a>],
        gaps: &mut Vec<Gap>,
    ) -> Self {
        let kind = match driver {
            "overlay" | "overlay2" => Kind::Overlay,
            "vfs" => Kind::Whole("vfs/dir"),
            "btrfs" => Kind::Whole("btrfs/subvolumes"),
            _ => Kind::Unknown,
        };
        let before = gaps.len();
        let mut layers = HashMap::new();
        let stores: Vec<_> = std::iter::once(store).chain(additional).cloned().collect();
        for store in &stores {
            for file in ["layers.json", "volatile-layers.json"] {
                let path = format!("{driver}-layers/{file}");
                for layer in records::read::<Layer>(store, &path, MOST_LAYERS, gaps) {
                    layers.entry(layer.id.clone()).or_insert(layer);
                }
            }
        }
        let damaged = gaps.len() > before;
        Self {
            driver: driver.to_owned(),
            kind,
            stores,
            layers,
            damaged,
            folders: RefCell::default(),
            left: Cell::new(MOST_FOLDERS),
            met: RefCell::default(),
            links: OnceCell::new(),
            names: OnceCell::new(),
        }
    }

    /// The store, then those behind it.
    pub fn stores(&self) -> &[Store<'a>] {
        &self.stores
    }

    /// The layer of a name.
    pub fn named(&self, name: &str) -> Option<&str> {
        let all = || {
            let of = |layer: &Layer| {
                let names = layer.names.iter().flatten();
                names.map(|name| (name.clone(), layer.id.clone())).collect::<Vec<_>>()
            };
            let mut all: Vec<_> = self.layers.values().flat_map(of).collect();
            all.sort();
            all.into_iter().rev().collect()
        };
        self.names.get_or_init(all).get(name).map(String::as_str)
    }

    /// What the filesystem of a container is made of, whose own layer this is.
    pub fn of_container(&self, layer: &str, gaps: &mut Vec<Gap>) -> Result<Layers, Gap> {
        let (folders, own) = self.merged(layer, gaps)?;
        let own = if matches!(self.kind, Kind::Whole(_)) { 0 } else { own };
        Ok(Layers { folders, own })
    }

    /// What the filesystem of an image is made of, whose uppermost layer this is.
    pub fn of_image(&self, layer: &str, gaps: &mut Vec<Gap>) -> Result<Layers, Gap> {
        self.merged(layer, gaps).map(|(folders, _)| Layers { folders, own: 0 })
    }

    /// The folders of a layer and of those below it, and how many of them are of the layer itself.
    fn merged(&self, top: &str, gaps: &mut Vec<Gap>) -> Result<(Vec<store::Layer>, usize), Gap> {
        let chain = match self.kind {
            Kind::Overlay => self.chain(top, gaps)?,
            Kind::Whole(_) => vec![plain(top, &self.records_place())?.to_owned()],
            Kind::Unknown => {
                let detail = format!("layers of the storage driver {} are not read", self.driver);
                return Err(Gap::new(self.place(&self.driver), GapReason::Unsupported, detail));
            }
        };
        let (mut folders, mut own) = (Vec::new(), 0);
        for (index, id) in chain.iter().enumerate() {
            self.check(id)?;
            folders.extend(self.folders(id)?);
            own = if index == 0 { folders.len() } else { own };
        }
        let Some(left) = self.left.get().checked_sub(folders.len()) else {
            let detail = format!("more than {MOST_FOLDERS} layers of all containers together");
            return Err(Gap::new(self.place(&self.driver), GapReason::Limit, detail));
        };
        self.left.set(left);
        Ok((folders, own))
    }

    /// A layer and those below it, uppermost first.
    ///
    /// Where records and `lower` disagree, `lower` counts: the engine asks the records for the uppermost layer
    /// only, and mounts what that one's `lower` names.
    fn chain(&self, top: &str, gaps: &mut Vec<Gap>) -> Result<Vec<String>, Gap> {
        let records = self.by_records(top);
        let lower = self.by_lower(top);
        let path = format!("{}/{}/lower", self.driver, printable_str(top));
        let mut note =
            |reason, detail: &str| gaps.push(Gap::new(self.place(&path), reason, detail));
        match (records, lower) {
            (Ok(records), Ok(Some(lower))) if self.agree(&records, &lower) => Ok(lower),
            (Ok(_), Ok(Some(lower))) => {
                let detail = "names other layers than the records of layers do; it counts";
                note(GapReason::Corrupt, detail);
                Ok(lower)
            }
            // What was lost with the records is told once.
            (Err(gap), Ok(Some(lower))) => {
                if !self.damaged || gap.reason != GapReason::Missing {
                    note(
                        GapReason::Corrupt,
                        &format!("it counts, since {}: {}", gap.place, gap.detail),
                    );
                }
                Ok(lower)
            }
            (Ok(records), Ok(None)) => {
                if records.len() > 1 {
                    note(GapReason::Missing, "not there; the layers are those of the records");
                }
                Ok(records)
            }
            (Ok(records), Err(gap)) => {
                gaps.push(gap);
                Ok(records)
            }
            (Err(gap), _) => Err(gap),
        }
    }

    /// Whether `lower` is what the records say. A copy of an image's layer for other owners of files lies over
    /// the layer that it is of, and its record has the parent of that one.
    fn agree(&self, records: &[String], lower: &[String]) -> bool {
        let parent = |id: &String| self.layers.get(id).map(|layer| layer.parent.as_str());
        let mut records = records.iter().peekable();
        let mut above = None;
        for id in lower {
            let is_of_copy = || above.is_some_and(|above| parent(id) == parent(above));
            if records.next_if_eq(&id).is_none() && !is_of_copy() {
                return false;
            }
            above = Some(id);
        }
        records.next().is_none()
    }

    /// The chain of parents in the records.
    fn by_records(&self, top: &str) -> Result<Vec<String>, Gap> {
        let place = self.records_place();
        let (mut chain, mut met) = (Vec::new(), HashSet::new());
        let mut next = top;
        while !next.is_empty() || chain.is_empty() {
            let id = plain(next, &place)?;
            if !met.insert(id) {
                let detail = format!("layer {id} lies below itself");
                return Err(Gap::new(place, GapReason::Corrupt, detail));
            }
            if chain.len() >= MOST_DEPTH {
                let detail = format!("more than {MOST_DEPTH} layers over one another");
                return Err(Gap::new(place, GapReason::Limit, detail));
            }
            let Some(layer) = self.layers.get(id) else {
                let detail = format!("there is no record of layer {id}");
                return Err(Gap::new(place, GapReason::Missing, detail));
            };
            chain.push(id.to_owned());
            next = &layer.parent;
        }
        Ok(chain)
    }

    fn check(&self, id: &str) -> Result<(), Gap> {
        if !self.layers.get(id).is_some_and(|layer| layer.flags.is_incomplete()) {
            return Ok(());
        }
        let detail = format!("layer {id} was being made or removed, and is not whole");
        Err(Gap::new(self.records_place(), GapReason::Missing, detail))
    }

    /// The folders of a layer, uppermost first.
    fn folders(&self, id: &str) -> Result<Vec<store::Layer>, Gap> {
        let known = self.folders.borrow().get(id).cloned();
        known.unwrap_or_else(|| {
            let read = self.read_folders(id);
            self.folders.borrow_mut().insert(id.to_owned(), read.clone());
            read
        })
    }

    fn read_folders(&self, id: &str) -> Result<Vec<store::Layer>, Gap> {
        if let Kind::Whole(folder) = self.kind {
            let path = format!("{folder}/{id}");
            let store = self.store_of(&path)?.unwrap_or(&self.stores[0]);
            return Ok(vec![store.layer(&path)?]);
        }
        let folder = format!("{}/{id}", self.driver);
        let store = self.store_of(&folder)?.unwrap_or(&self.stores[0]);
        let unsupported =
            |path: &str, detail| Err(Gap::new(store.place(path), GapReason::Unsupported, detail));
        let diff = format!("{folder}/diff");
        if let Some(target) = store.link(&diff)? {
            let target = printable_str(&target);
            return unsupported(
                &diff,
                format!("the layer is in a store of another kind, {target}"),
            );
        }
        let blob = format!("{folder}/composefs-data/composefs.blob");
        if store.find(&blob)?.is_some() {
            return unsupported(&blob, "layers of composefs are not read".to_owned());
        }
        let mut folders = vec![store.layer(&diff)?];
        for part in 1..=MOST_PARTS {
            let path = format!("{diff}{part}");
            if store.find(&path)?.is_none() {
                break;
            }
            folders.push(store.layer(&path)?);
        }
        Ok(folders)
    }

    /// The first store that has something at a path.
    fn store_of(&self, path: &str) -> Result<Option<&Store<'a>>, Gap> {
        for store in &self.stores {
            if store.find(path)?.is_some() {
                return Ok(Some(store));
            }
        }
        Ok(None)
    }

    fn place(&self, path: &str) -> String {
        self.stores[0].place(path)
    }

    fn records_place(&self) -> String {
        self.place(&format!("{}-layers/layers.json", self.driver))
    }
}

/// An id that may be the name of a folder.
fn plain<'t>(id: &'t str, place: &str) -> Result<&'t str, Gap> {
    if is_plain(id) {
        return Ok(id);
    }
    let detail = format!("\"{}\" is no id of a layer", printable_str(id));
    Err(Gap::new(place, GapReason::Corrupt, detail))
}
