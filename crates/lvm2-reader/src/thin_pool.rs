//! A thin pool: blocks of data that its volumes share, and the trees that say which block is
//! whose: `drivers/md/dm-thin-metadata.c` of the kernel.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::error::{corrupt, missing, unsupported};
use crate::label::holds;
use crate::thin_tree::{BLOCK, Node, checksum};
use block_source::BlockSource;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: u64 = 27_022_010;
const SALT: u32 = 160_774;
/// Nodes on the way from a root to a leaf: each has at least one key, so that more are damage.
const MOST_DEPTH: usize = 16;
/// Nodes that are kept, of 4 KiB each.
const MOST_KEPT: usize = 1024;
/// The lower bits of a mapping say when it was made.
const TIME_BITS: u32 = 24;

/// An open pool.
pub struct Pool {
    metadata: Arc<dyn BlockSource>,
    data: Arc<dyn BlockSource>,
    /// Bytes of a block of data.
    block: u64,
    transaction: u64,
    needs_check: bool,
    /// Root of the tree of volumes, whose values are the roots of their mappings.
    mappings: u64,
    /// Root of the tree of what is known of each volume.
    details: u64,
    kept: Mutex<HashMap<u64, Arc<Node>>>,
}

/// A run of blocks of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// First block of the pool's data; `None` where nothing was ever written.
    pub data: Option<u64>,
    /// Blocks that follow each other, at least one.
    pub length: u64,
}

// Offsets in the first block: 0 checksum, 4 flags, 8 own block, 32 signature, 40 version,
// 48 transaction, 320 root of mappings, 328 root of details, 336 sectors of a data block,
// 340 sectors of a metadata block, 360 features that are not compatible.

impl Pool {
    /// Reads the superblock; `chunk` is what the group says the size of a block is.
    pub fn open(
        metadata: Arc<dyn BlockSource>,
        data: Arc<dyn BlockSource>,
        chunk: u64,
    ) -> Result<Self, Error> {
        let mut raw = vec![0; BLOCK];
        metadata.read_exact_at(0, &mut raw)?;
        if u64_at(&raw, 32) != MAGIC || !holds(checksum(&raw[4..], SALT), u32_at(&raw, 0)) {
            return Err(corrupt("superblock of the thin pool", u32_at(&raw, 0)));
        }
        let (version, incompatible) = (u32_at(&raw, 40), u32_at(&raw, 360));
        if !matches!(version, 1 | 2) || incompatible != 0 {
            let feature = format!("thin pool of version {version}, features {incompatible:#x}");
            return Err(unsupported(feature));
        }
        let block = u64::from(u32_at(&raw, 336)) * 512;
        if block == 0 || block != chunk || u64::from(u32_at(&raw, 340)) * 512 != BLOCK as u64 {
            return Err(corrupt("block size of the thin pool", block));
        }
        let kept = Mutex::new(HashMap::new());
        let (mappings, details) = (u64_at(&raw, 320), u64_at(&raw, 328));
        let (transaction, needs_check) = (u64_at(&raw, 48), u32_at(&raw, 4) & 1 != 0);
        Ok(Self { metadata, data, block, transaction, needs_check, mappings, details, kept })
    }

    /// Counts the changes to the set of volumes.
    pub fn transaction(&self) -> u64 {
        self.transaction
    }

    pub fn needs_check(&self) -> bool {
        self.needs_check
    }

    pub fn block(&self) -> u64 {
        self.block
    }

    pub fn data(&self) -> &Arc<dyn BlockSource> {
        &self.data
    }

    /// Root of the mappings of a volume.
    pub fn volume(&self, device: u64) -> Result<u64, Error> {
        let known = self.find(self.details, device)?.is_some();
        match self.find(self.mappings, device)? {
            Some(root) if known => Ok(root),
            _ => Err(missing(format!("thin volume {device} of the pool"))),
        }
    }

    fn find(&self, root: u64, key: u64) -> Result<Option<u64>, Error> {
        let (leaf, _) = self.leaf(root, key)?;
        let at = leaf.before(key).filter(|at| leaf.keys[*at] == key);
        Ok(at.map(|at| leaf.values[at]))
    }

    /// Where a block of a volume stands, with those that follow it there.
    pub fn mapped(&self, root: u64, block: u64) -> Result<Mapped, Error> {
        let (leaf, end) = self.leaf(root, block)?;
        let at = leaf.before(block);
        let Some(at) = at.filter(|at| leaf.keys[*at] == block) else {
            let next = at.map_or(0, |at| at + 1);
            let next = leaf.keys.get(next).copied().or(end).unwrap_or(u64::MAX);
            return Ok(Mapped { data: None, length: next.saturating_sub(block).max(1) });
        };
        let data = |at: usize| leaf.values[at] >> TIME_BITS;
        let first = data(at);
        let follows = |next: &usize| {
            let distance = (*next - at) as u64;
            leaf.keys[*next] == block.saturating_add(distance) && data(*next) == first + distance
        };
        let length = 1 + (at + 1..leaf.keys.len()).take_while(follows).count() as u64;
        Ok(Mapped { data: Some(first), length })
    }

    /// The leaf in which a key belongs, and the first key behind it. One way down, of a bounded
    /// length, so that nodes that name each other do no harm.
    fn leaf(&self, root: u64, key: u64) -> Result<(Arc<Node>, Option<u64>), Error> {
        let (mut block, mut end) = (root, None);
        for _ in 0..MOST_DEPTH {
            let node = self.node(block)?;
            if node.leaf {
                return Ok((node, end));
            }
            // A key before the first belongs nowhere; the first child says so as well as any.
            let at = node.before(key).unwrap_or(0);
            end = node.keys.get(at + 1).copied().or(end);
            block =
                *node.values.get(at).ok_or_else(|| corrupt("empty node of a thin pool", block))?;
        }
        Err(corrupt("depth of the thin pool's tree from block", root))
    }

    fn node(&self, block: u64) -> Result<Arc<Node>, Error> {
        if let Some(node) = self.kept(block) {
            return Ok(node);
        }
        let offset = block.checked_mul(BLOCK as u64);
        let offset = offset.ok_or_else(|| corrupt("block of the thin pool's metadata", block))?;
        let mut raw = vec![0; BLOCK];
        self.metadata.read_exact_at(offset, &mut raw)?;
        let node = Arc::new(Node::parse(&raw, block)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(block, Arc::clone(&node));
        Ok(node)
    }

    fn kept(&self, block: u64) -> Option<Arc<Node>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&block).cloned()
    }

    /// As [`Self::mapped`], but only from nodes that are in memory; else the metadata that are
    /// missing for it are announced.
    pub fn mapped_or_announce(&self, root: u64, key: u64) -> Option<Mapped> {
        let mut block = root;
        for _ in 0..MOST_DEPTH {
            let Some(node) = self.kept(block) else {
                let start = block.checked_mul(BLOCK as u64)?;
                let end = start.checked_add(BLOCK as u64)?;
                self.metadata.will_need(std::slice::from_ref(&(start..end)));
                return None;
            };
            if node.leaf {
                return self.mapped(root, key).ok();
            }
            block = *node.values.get(node.before(key).unwrap_or(0))?;
        }
        None
    }
}
