//! Logical volumes as devices, built from the segments that the group's metadata name.

use crate::collect::Found;
use crate::error::{corrupt, missing, unsupported};
use crate::model::{Group, Logical, Segment};
use crate::part::{Part, Zeroes, join};
use crate::places::MOST_NAMES;
use crate::raid;
use crate::segment::Kind;
use crate::snapshot::Snapshot;
use crate::thin_pool::Pool;
use crate::{Device, Error, LogicalVolume, VolumeGroup};
use std::collections::HashMap;
use std::sync::Arc;

/// Volumes inside each other. A thin volume with an outside origin, on a pool on RAID with
/// integrity on a volume that is being moved, has seven.
const MOST_DEPTH: usize = 12;

/// Builds all that a group's owner sees.
pub fn group(devices: &[Device], found: Found) -> VolumeGroup {
    let Found { group, devices: physical, copies, mut problems, mut notes } = found;
    if group.exported {
        notes.push("the group was exported".to_owned());
    }
    let mut absent: Vec<&String> =
        group.physical.keys().filter(|name| !physical.contains_key(*name)).collect();
    absent.sort_unstable();
    problems.extend(absent.iter().map(|name| missing_physical(&group, name)));
    let mut builder = Builder::new(devices, &group, &physical);
    let mut names: Vec<&String> = group.logical.keys().collect();
    names.sort_unstable();
    let volumes = names.iter().filter_map(|name| builder.visible(name)).collect();
    let mut devices: Vec<usize> = physical.values().copied().collect();
    devices.sort_unstable();
    let (name, uuid, sequence) = (group.name.clone(), group.id.clone(), group.seqno);
    VolumeGroup { name, uuid, sequence, devices, copies, volumes, problems, notes }
}

pub fn missing_physical(group: &Group, name: &str) -> Error {
    group.physical.get(name).map_or_else(
        || missing(format!("physical volume {name}, which the group does not have,")),
        |physical| missing(format!("physical volume {} ({})", physical.id, physical.device)),
    )
}

/// A snapshot, by the names of the two volumes it is made of.
struct Link {
    origin: String,
    store: String,
    extents: u64,
    /// The link bears the flag, not the store.
    visible: bool,
}

/// What volumes are built from, and those that were built.
pub struct Builder<'a> {
    pub devices: &'a [Device],
    pub group: &'a Group,
    /// Device of each physical volume that is there.
    pub physical: &'a HashMap<String, usize>,
    /// By the store's name.
    snapshots: HashMap<String, Link>,
    /// By the origin's name.
    merging: HashMap<String, Link>,
    built: HashMap<String, Result<Part, Error>>,
    pub pools: HashMap<String, Result<(Arc<Pool>, Part), Error>>,
    /// Volumes that are being built, outermost first.
    open: Vec<String>,
    /// Names that may still be followed to find on which devices volumes lie.
    pub names_left: usize,
}

impl<'a> Builder<'a> {
    fn new(devices: &'a [Device], group: &'a Group, physical: &'a HashMap<String, usize>) -> Self {
        let (mut snapshots, mut merging) = (HashMap::new(), HashMap::new());
        for logical in group.logical.values() {
            let Ok([Segment { extents, kind: Kind::Snapshot { origin, store, merging: merges } }]) =
                logical.segments.as_deref()
            else {
                continue;
            };
            let (origin, store) = (origin.clone(), store.clone());
            let link = Link { origin, store, extents: *extents, visible: logical.visible };
            if *merges {
                merging.insert(link.origin.clone(), link);
            } else {
                snapshots.insert(link.store.clone(), link);
            }
        }
        let (built, pools) = (HashMap::new(), HashMap::new());
        let (open, names_left) = (Vec::new(), MOST_NAMES);
        Self { devices, group, physical, snapshots, merging, built, pools, open, names_left }
    }

    /// What a snapshot, or a volume that one is merged into, is made of beside itself.
    pub fn linked(&self, name: &str) -> Option<&str> {
        let origin = self.snapshots.get(name).map(|link| link.origin.as_str());
        origin.or_else(|| self.merging.get(name).map(|link| link.store.as_str()))
    }

    /// A volume as its owner sees it; `None` for what volumes are made of.
    fn visible(&mut self, name: &str) -> Option<LogicalVolume> {
        let logical = self.group.logical.get(name)?;
        let link = self.snapshots.get(name);
        if !link.map_or(logical.visible, |link| link.visible) {
            return None;
        }
        let only_a_part = |segment: &Segment| match &segment.kind {
            Kind::ThinPool { .. } | Kind::Snapshot { .. } => true,
            Kind::Unknown(kind) => is_pool(kind),
            _ => false,
        };
        if logical.segments.as_deref().is_ok_and(|segments| segments.iter().all(only_a_part)) {
            return None;
        }
        let extents = link.map_or(logical.extents(), |link| link.extents);
        let size = extents.saturating_mul(self.group.extent);
        let (source, problems, notes) = match self.presented(name) {
            Ok(part) => (Some(part.source), part.problems, part.notes),
            Err(error) => (None, vec![error], Vec::new()),
        };
        let devices = self.places(name);
        let (name, uuid) = (name.to_owned(), logical.id.clone());
        Some(LogicalVolume { name, uuid, size, devices, source, problems, notes })
    }

    pub fn presented(&mut self, name: &str) -> Result<Part, Error> {
        if let Some(link) = self.snapshots.get(name) {
            let (origin, size) = (link.origin.clone(), link.extents);
            return self.snapshot(&origin, name, size);
        }
        if let Some(link) = self.merging.get(name) {
            let (store, size) = (link.store.clone(), link.extents);
            let mut part = self.snapshot(name, &store, size)?;
            part.notes.push("a snapshot is being merged into it, and is what it shows".to_owned());
            return Ok(part);
        }
        self.plain(name)
    }

    fn snapshot(&mut self, origin: &str, store: &str, extents: u64) -> Result<Part, Error> {
        let size = self.bytes(extents)?;
        let (origin, store) = (self.plain(origin)?.cut(0, size)?, self.plain(store)?);
        let cost = origin.cost.saturating_add(store.cost);
        let snapshot = Snapshot::open(Arc::clone(&origin.source), Arc::clone(&store.source))?;
        let mut part = Part::new(Arc::new(snapshot));
        part.tell(&origin.problems, &origin.notes);
        part.tell(&store.problems, &store.notes);
        part.checked(cost)
    }

    /// The volume's own content.
    pub fn plain(&mut self, name: &str) -> Result<Part, Error> {
        if let Some(built) = self.built.get(name) {
            return built.clone();
        }
        if self.open.len() >= MOST_DEPTH || self.open.iter().any(|open| open == name) {
            return Err(corrupt(
                "volumes inside each other without end, level",
                self.open.len() as u64,
            ));
        }
        let Some(logical) = self.group.logical.get(name) else {
            return Err(missing(format!("logical volume {name}")));
        };
        self.open.push(name.to_owned());
        let built = self.segments(logical);
        self.open.pop();
        self.built.insert(name.to_owned(), built.clone());
        built
    }

    fn segments(&mut self, logical: &Logical) -> Result<Part, Error> {
        let segments = logical.segments.as_ref().map_err(|what| corrupt(what, 0u64))?;
        let mut parts = Vec::new();
        for segment in segments {
            let length = self.bytes(segment.extents)?;
            parts.push((length, self.segment(&segment.kind, segment.extents, length)));
        }
        join(parts)
    }

    fn segment(&mut self, kind: &Kind, extents: u64, length: u64) -> Result<Part, Error> {
        match kind {
            Kind::Striped { areas, chunk } => self.striped(areas, *chunk, extents),
            Kind::Mirror { areas } => self.mirror(areas, extents),
            Kind::Raid { raid, legs, chunk } => {
                let legs = legs.iter().map(|leg| self.leg(leg)).collect();
                raid::build(*raid, *chunk, length, legs)
            }
            Kind::Thin { pool, device, external_origin } => {
                self.thin(pool, *device, external_origin.as_deref(), length)
            }
            Kind::Zero => Ok(Part::new(Arc::new(Zeroes { size: length }))),
            Kind::Error => Err(missing("what an error segment stands for")),
            Kind::ThinPool { .. } | Kind::Snapshot { .. } => {
                Err(corrupt("pool or snapshot where a volume should be, extents", extents))
            }
            Kind::Unknown(kind) => Err(unsupported(format!("LVM segment type {kind}"))),
        }
    }

    pub fn bytes(&self, extents: u64) -> Result<u64, Error> {
        let past = || corrupt("extents past what can be", extents);
        extents.checked_mul(self.group.extent).ok_or_else(past)
    }
}

fn is_pool(kind: &str) -> bool {
    matches!(kind.split('+').next(), Some("cache-pool" | "vdo-pool"))
}
