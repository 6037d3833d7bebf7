//! Lookup through the index of a hashed directory.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#hash-tree-directories>
//!
//! An index only ever saves reads: with any doubt about it the answer is [`Verdict::Unsure`], and
//! the caller reads the whole directory. Not followed: the hash of encrypted directories that fold
//! case (SipHash), and directories that fold case at all, whose hash needs tables of Unicode.

use crate::bytes::{u16_at, u32_at};
use crate::dirent::{Flaw, Record, Records, record_length};
use crate::name_hash::{Algorithm, name_hash};
use crate::superblock::incompat;
use crate::{Error, Ext4, Inode, InodeNumber, checksum};

/// What an index says of a name.
pub enum Verdict {
    Found(InodeNumber),
    Absent,
    Unsure,
}

/// Where the entries of the root start, after the records of `.` and `..` and eight bytes.
const ROOT_ENTRIES: usize = 32;
/// Where the entries of other nodes start, after one unused record.
const NODE_ENTRIES: usize = 8;
const ENTRY: usize = 8;
const CHECKSUM: usize = 8;
/// Leaves that names of one hash may fill; thousands of names must collide to pass this.
const MOST_LEAVES: u32 = 64;

impl Ext4 {
    /// Looks a name up through the index of a directory, if it has one.
    pub(crate) fn ask_index(&self, directory: &Inode, name: &[u8]) -> Result<Verdict, Error> {
        let searchable =
            directory.is_indexed() && !directory.folds_case() && !directory.is_inline();
        if !searchable || !self.superblock.has_index_feature() {
            return Ok(Verdict::Unsure);
        }
        let Some(mut path) = self.open_index(directory, name)? else {
            return Ok(Verdict::Unsure);
        };
        for _ in 0..MOST_LEAVES {
            let leaf = self.directory_block(directory, path.leaf())?;
            match find(&leaf, name) {
                Ok(Some(number)) => return Ok(Verdict::Found(number)),
                Ok(None) if self.is_sound(directory, path.leaf(), &leaf) => {}
                Ok(None) | Err(_) => return Ok(Verdict::Unsure),
            }
            if !self.next_leaf(directory, &mut path)? {
                let trusted = self.index_may_deny();
                return Ok(if trusted { Verdict::Absent } else { Verdict::Unsure });
            }
        }
        Ok(Verdict::Unsure)
    }

    /// The path to the first leaf that may hold a name; none if the root cannot be used.
    fn open_index(&self, directory: &Inode, name: &[u8]) -> Result<Option<Path>, Error> {
        let block = self.directory_block(directory, 0)?;
        let most_levels = if self.superblock.has(incompat::LARGE_DIR) { 2 } else { 1 };
        let (Some(root), Some(sign)) = (Root::parse(&block), self.superblock.hash_sign) else {
            return Ok(None);
        };
        if root.levels > most_levels {
            return Ok(None);
        }
        let hash = name_hash(root.algorithm, sign, self.superblock.hash_seed, name);
        let root_node = self.index_node(directory, &block, ROOT_ENTRIES)?;
        let mut path = Path { hash, nodes: vec![root_node.at_hash(hash)] };
        while path.nodes.len() <= usize::from(root.levels) {
            let node = self.child(directory, path.leaf())?.at_hash(hash);
            path.nodes.push(node);
        }
        Ok(Some(path))
    }

    /// Steps on to the next leaf; false if names of this hash do not go on there.
    fn next_leaf(&self, directory: &Inode, path: &mut Path) -> Result<bool, Error> {
        let depth = path.nodes.len();
        while let Some(last) = path.nodes.last_mut() {
            if last.at + 1 < last.entries.len() {
                last.at += 1;
                break;
            }
            path.nodes.pop();
        }
        // The lowest bit says that the names before this entry go on in its block.
        match path.nodes.last() {
            Some(node) if node.entries[node.at].hash == path.hash | 1 => {}
            _ => return Ok(false),
        }
        while path.nodes.len() < depth {
            let child = self.child(directory, path.leaf())?;
            path.nodes.push(child);
        }
        Ok(true)
    }

    fn child(&self, directory: &Inode, logical: u64) -> Result<Node, Error> {
        let block = self.directory_block(directory, logical)?;
        if !is_index_node(&block) {
            return Err(corrupt(directory));
        }
        self.index_node(directory, &block, NODE_ENTRIES)
    }

    fn index_node(&self, directory: &Inode, block: &[u8], start: usize) -> Result<Node, Error> {
        let (limit, count) =
            (usize::from(u16_at(block, start)), usize::from(u16_at(block, start + 2)));
        let seed = self.superblock.checksum_seed;
        let reserved = if seed.is_some() { CHECKSUM } else { 0 };
        if limit != (block.len() - start - reserved) / ENTRY || !(1..=limit).contains(&count) {
            return Err(corrupt(directory));
        }
        let (used, tail) = (start + count * ENTRY, start + limit * ENTRY);
        if let Some(seed) = seed
            && !checksum::index_holds(checksum::inode_seed(seed, directory), block, used, tail)
        {
            return Err(corrupt(directory));
        }
        Node::parse(&block[start..used]).ok_or_else(|| corrupt(directory))
    }

    /// One block of a directory, by its place in the directory.
    fn directory_block(&self, directory: &Inode, logical: u64) -> Result<Vec<u8>, Error> {
        let within = logical < directory.size / self.superblock.block_size;
        let wanted = logical..logical + 1;
        let runs = if within { self.block_runs(directory, &wanted)? } else { Vec::new() };
        let run = runs.iter().find_map(|run| run.within(&wanted));
        self.read_block(run.ok_or_else(|| corrupt(directory))?.physical)
    }
}

/// The nodes from the root to a leaf's parent.
struct Path {
    hash: u32,
    nodes: Vec<Node>,
}

impl Path {
    /// The block below the last node.
    fn leaf(&self) -> u64 {
        self.nodes.last().map_or(0, |node| node.entries[node.at].block)
    }
}

/// A node of the index, and which of its entries is followed.
struct Node {
    entries: Vec<IndexEntry>,
    at: usize,
}

struct IndexEntry {
    hash: u32,
    block: u64,
}

impl Node {
    /// Entries in ascending order; in place of the first one's hash, which is the least possible,
    /// stand the numbers of entries.
    fn parse(raw: &[u8]) -> Option<Self> {
        let entry = |raw: &[u8; ENTRY]| IndexEntry {
            hash: u32_at(raw, 0),
            block: u64::from(u32_at(raw, 4) & 0x0fff_ffff),
        };
        let mut entries: Vec<_> = raw.as_chunks::<ENTRY>().0.iter().map(entry).collect();
        entries.first_mut()?.hash = 0;
        let sound = entries.is_sorted_by_key(|entry| entry.hash)
            && entries.iter().all(|entry| entry.block != 0);
        sound.then_some(Self { entries, at: 0 })
    }

    /// Follows the last entry that does not lie past a hash.
    fn at_hash(mut self, hash: u32) -> Self {
        self.at = self.entries.partition_point(|entry| entry.hash <= hash).saturating_sub(1);
        self
    }
}

struct Root {
    algorithm: Algorithm,
    levels: u8,
}

impl Root {
    fn parse(block: &[u8]) -> Option<Self> {
        let info = block.get(24..ROOT_ENTRIES)?;
        let algorithm = match info[4] {
            0 => Algorithm::Legacy,
            1 => Algorithm::HalfMd4,
            2 => Algorithm::Tea,
            _ => return None,
        };
        let known = is_index_root(block) && info[7] & 1 == 0;
        known.then_some(Self { algorithm, levels: info[6] })
    }
}

/// Whether the first block of a directory is the root of an index: `.`, and `..` to its end.
pub fn is_index_root(block: &[u8]) -> bool {
    let dots = u16_at(block, 4) == 12
        && block.get(6) == Some(&1)
        && block.get(8..9) == Some(b".")
        && record_length(u16_at(block, 16), block.len()) == block.len() - 12
        && block.get(18) == Some(&2)
        && block.get(20..22) == Some(b"..");
    // Eight is the length of what precedes the entries.
    dots && u32_at(block, 24) == 0 && block.get(29) == Some(&8)
}

/// Whether another block is a node of an index: one unused record to its end, and room for as
/// many entries as there must be, with and without a checksum.
pub fn is_index_node(block: &[u8]) -> bool {
    let unused = u32_at(block, 0) == 0
        && block.get(6) == Some(&0)
        && record_length(u16_at(block, 4), block.len()) == block.len();
    let room = (block.len() - NODE_ENTRIES) / ENTRY;
    let (limit, count) = (usize::from(u16_at(block, 8)), usize::from(u16_at(block, 10)));
    unused && (limit == room || limit + 1 == room) && (1..=limit).contains(&count)
}

fn find(leaf: &[u8], name: &[u8]) -> Result<Option<InodeNumber>, Flaw> {
    let mut flaw = None;
    for record in Records::of(leaf) {
        match record {
            Ok(Record { inode, name: entry, .. }) if entry == name => {
                return Ok(Some(InodeNumber(inode)));
            }
            Ok(_) => {}
            Err(found) => flaw = Some(found),
        }
    }
    flaw.map_or(Ok(None), Err)
}

fn corrupt(directory: &Inode) -> Error {
    Error::corrupt("index of directory inode", directory.number.0)
}
