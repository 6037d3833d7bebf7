//! The root tree: subvolumes, where they hang, and which of them is mounted by default.

use super::families;
use super::nodes::{self, Place};
use super::pool::Pool;
use crate::filesystem::{Error, NodeId, Subvolume, SubvolumeRoot};
use crate::model::{GapReason, printable, uuid};
use fs_btrfs::chunk::DiskKey;
use fs_btrfs::dir::{DIR_ITEM_KEY, parse_dir_items};
use fs_btrfs::subvol::is_subvolume_id;
use std::collections::{BTreeMap, HashMap};

/// The subvolume that is the top of all.
pub const TOP: u64 = 5;
const CHECKSUM_TREE: u64 = 7;
const ROOT_ITEM: u8 = 132;
/// In the tree of roots, of a parent: which of its folders holds a child, under which name.
const ROOT_REF: u8 = 156;
/// More are not kept; container engines make one for each layer.
const MOST: usize = 200_000;
/// Folders above a subvolume that are asked for their names.
const MOST_DEPTH: usize = 128;

/// A subvolume's tree.
pub struct TreeRoot {
    /// Number of the subvolume.
    pub id: u64,
    /// Logical address of its root block.
    pub root: u64,
    directory: u64,
    read_only: bool,
    /// Zeroes where none was given.
    pub uuid: [u8; 16],
    /// Of what it is a snapshot of; zeroes if of nothing.
    pub parent_uuid: [u8; 16],
}

/// By parent and child: the folder in the parent, and the name there.
pub type Hooks = HashMap<(u64, u64), (u64, Vec<u8>)>;

/// All subvolumes.
pub struct Subvolumes {
    /// In the order of their numbers; a node names one by its place here.
    pub trees: Vec<TreeRoot>,
    /// Root block of the tree of checksums.
    pub checksums: Option<u64>,
    /// Index of the subvolume that is mounted if none is named.
    pub default: usize,
    /// What could not be read.
    pub damage: Vec<(GapReason, String)>,
    hooks: Hooks,
    parents: HashMap<u64, u64>,
    /// By index: the number that all states of one subvolume share.
    families: Vec<u64>,
}

#[derive(Default)]
struct Raw {
    trees: BTreeMap<u64, TreeRoot>,
    checksums: Option<u64>,
    hooks: Hooks,
    default: Option<u64>,
    too_many: bool,
}

impl Subvolumes {
    /// Reads the tree of roots; what is behind damage is told and left out.
    pub fn read(pool: &Pool) -> Result<Self, Error> {
        let mut raw = Raw::default();
        let folder = pool.superblock.root_dir_objectid;
        let walked = pool.with_tree(|tree| {
            tree.for_each(pool.superblock.root, &mut |key: &DiskKey, data: &[u8]| {
                raw.take(key, data, folder);
                Ok(true)
            })
        });
        let mut damage = Vec::new();
        if let Err(error) = walked {
            if !raw.trees.contains_key(&TOP) {
                return Err(error);
            }
            let text = format!("tree of roots: {error}; subvolumes may be missing");
            damage.push((GapReason::Corrupt, text));
        }
        if raw.too_many {
            damage.push((GapReason::Limit, format!("more than {MOST} subvolumes")));
        }
        Self::new(raw, damage)
    }

    fn new(raw: Raw, mut damage: Vec<(GapReason, String)>) -> Result<Self, Error> {
        let Raw { trees, checksums, hooks, default, .. } = raw;
        let trees: Vec<_> = trees.into_values().collect();
        let find = |id| trees.binary_search_by_key(&id, |tree| tree.id).ok();
        let top =
            find(TOP).ok_or_else(|| Error::Corrupt { what: "no top subvolume".to_owned() })?;
        let default = match default.map(|id| (id, find(id))) {
            None => top,
            Some((_, Some(index))) => index,
            Some((id, None)) => {
                let text = format!("default subvolume {id} is not there; the top is read");
                damage.push((GapReason::Corrupt, text));
                top
            }
        };
        let parents = hooks.keys().map(|(parent, child)| (*child, *parent)).collect();
        let families = families::of(&trees, &hooks, &parents);
        Ok(Self { trees, checksums, default, damage, hooks, parents, families })
    }

    /// Index of a subvolume by its number.
    pub fn find(&self, id: u64) -> Option<usize> {
        self.trees.binary_search_by_key(&id, |tree| tree.id).ok()
    }

    /// The root directory of the subvolume at an index.
    pub fn root(&self, index: usize) -> NodeId {
        Place { tree: index, inode: self.trees[index].directory }.node()
    }

    /// Whether a node is the root directory of a subvolume.
    pub fn is_root(&self, node: NodeId) -> bool {
        let place = Place::of(node);
        self.trees.get(place.tree).is_some_and(|tree| tree.directory == place.inode)
    }

    /// What is known of the subvolume at an index.
    pub fn known_of(&self, index: usize) -> SubvolumeRoot {
        let tree = &self.trees[index];
        let is_frozen = tree.read_only && tree.parent_uuid != [0; 16];
        SubvolumeRoot { family: self.families[index], is_frozen }
    }

    /// What an entry that names subvolume `id` leads to. An entry that a snapshot took along leads
    /// nowhere: the kernel shows an empty folder.
    pub fn behind(&self, from: Place, name: &[u8], id: u64) -> NodeId {
        let parent = self.trees[from.tree].id;
        let hook = self.hooks.get(&(parent, id));
        let hangs_here = hook.is_some_and(|it| it.0 == from.inode && it.1 == name);
        match self.find(id).filter(|_| hangs_here) {
            Some(index) => self.root(index),
            None => Place::stub(from.tree).node(),
        }
    }

    /// All of them but the top, as `btrfs subvolume list` has them.
    pub fn list(&self, pool: &Pool) -> Vec<Subvolume> {
        let by_uuid: HashMap<_, _> = self.trees.iter().map(|tree| (tree.uuid, tree.id)).collect();
        let one = |(index, tree): (usize, &TreeRoot)| Subvolume {
            id: tree.id,
            path: printable(&self.path(pool, tree.id)),
            root: self.root(index),
            read_only: tree.read_only,
            uuid: text(&tree.uuid),
            snapshot_of: text(&tree.parent_uuid),
            source: by_uuid.get(&tree.parent_uuid).copied().filter(|_| tree.parent_uuid != [0; 16]),
            family: self.families[index],
        };
        self.trees.iter().enumerate().filter(|(_, tree)| tree.id != TOP).map(one).collect()
    }

    /// Path from the top, as far as it can be read.
    fn path(&self, pool: &Pool, id: u64) -> Vec<u8> {
        let (mut names, mut at) = (Vec::new(), id);
        for _ in 0..MOST_DEPTH {
            let Some(parent) = self.parents.get(&at) else { break };
            let Some((folder, name)) = self.hooks.get(&(*parent, at)) else { break };
            names.push(name.clone());
            if let Some(index) = self.find(*parent) {
                let tree = &self.trees[index];
                names.extend(nodes::names_above(pool, tree.root, *folder, tree.directory));
            }
            at = *parent;
            if at == TOP {
                break;
            }
        }
        names.reverse();
        names.join(&b'/')
    }
}

#[cfg(test)]
impl TreeRoot {
    /// One of which only this is known.
    pub fn with_ids(id: u64, uuid: [u8; 16], parent_uuid: [u8; 16]) -> Self {
        Self { id, root: 0, directory: 256, read_only: false, uuid, parent_uuid }
    }
}

fn text(id: &[u8; 16]) -> Option<String> {
    (*id != [0; 16]).then(|| uuid(id))
}

impl Raw {
    fn take(&mut self, key: &DiskKey, data: &[u8], folder: u64) {
        let id = key.objectid;
        match key.key_type {
            ROOT_ITEM if id == CHECKSUM_TREE => self.checksums = number(data, 176),
            ROOT_ITEM if is_subvolume_id(id) => {
                self.too_many |= self.trees.len() >= MOST;
                if let Some(tree) = tree_root(id, data).filter(|_| self.trees.len() < MOST) {
                    self.trees.insert(id, tree);
                }
            }
            ROOT_REF if self.hooks.len() < MOST => {
                if let (Some(folder), Some(name)) = (number(data, 0), name(data)) {
                    self.hooks.insert((id, key.offset), (folder, name));
                }
            }
            DIR_ITEM_KEY if id == folder => {
                let entries = parse_dir_items(data).unwrap_or_default();
                let default = entries.iter().find(|entry| entry.name == b"default");
                self.default = default.map(|entry| entry.ino).or(self.default);
            }
            _ => {}
        }
    }
}

/// A root item: an inode, then generation, directory, root block; flags at 208, references at 216,
/// and since Linux 3.6 a second generation at 239 that vouches for the UUIDs behind it.
fn tree_root(id: u64, data: &[u8]) -> Option<TreeRoot> {
    let references = u32::from_le_bytes(data.get(216..220)?.try_into().expect("four bytes"));
    // One that nothing refers to is being deleted.
    if references == 0 {
        return None;
    }
    let vouched = number(data, 160) == number(data, 239);
    let id_at = |at: usize| {
        let bytes = data.get(at..at + 16).filter(|_| vouched);
        bytes.map_or([0; 16], |bytes| bytes.try_into().expect("sixteen bytes"))
    };
    Some(TreeRoot {
        id,
        root: number(data, 176)?,
        directory: number(data, 168)?,
        read_only: number(data, 208)? & 1 != 0,
        uuid: id_at(247),
        parent_uuid: id_at(263),
    })
}

fn number(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().expect("eight bytes")))
}

/// The name in a reference: folder, sequence, length, name.
fn name(data: &[u8]) -> Option<Vec<u8>> {
    let length = u16::from_le_bytes(data.get(16..18)?.try_into().expect("two bytes"));
    // The kernel knows no longer names, and there may be many of them.
    let length = usize::from(length).min(255);
    Some(data.get(18..18 + length)?.to_vec())
}
