//! The devices of a filesystem, and its address space over them: logical addresses, chunks, copies.

use super::superblock;
use crate::block::{BlockSource, Device, ReadError};
use crate::filesystem::Error;
use crate::model::GapReason;
use fs_btrfs::btree::{Tree, TreeBlock, TreeGeometry};
use fs_btrfs::chunk::{Chunk, ChunkMap, ChunkProfile, DiskKey, chunk_from_item, key_type};
use fs_btrfs::superblock::Superblock;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of tree blocks in one of the two generations that are kept.
const CACHED: usize = 8 << 20;
/// Copies of one block that are asked for, at most: raid1c4 has four.
const MOST_COPIES: usize = 4;

/// An open filesystem below its trees.
pub struct Pool {
    /// The newest superblock.
    pub superblock: Superblock,
    /// What was found wrong.
    pub warnings: Vec<(GapReason, String)>,
    devices: BTreeMap<u64, Arc<dyn BlockSource>>,
    chunks: ChunkMap,
    geometry: TreeGeometry,
    blocks: Mutex<Blocks>,
    /// Whether there are chunks of raid5 or raid6, which are left out.
    has_parity: bool,
}

impl Pool {
    /// Takes the devices that are there; missing ones are told in `warnings`.
    pub fn open(devices: &[Device]) -> Result<Self, Error> {
        let mut members = Members::default();
        for device in devices {
            members.add(device)?;
        }
        let Members { superblock, devices, warnings, .. } = members;
        let superblock = superblock
            .ok_or_else(|| Error::Corrupt { what: "no device has a superblock".to_owned() })?;
        let chunks = ChunkMap::bootstrap(&superblock)?;
        let geometry = TreeGeometry::from_superblock(&superblock);
        let blocks = Mutex::new(Blocks::new(CACHED / superblock.nodesize.max(1) as usize));
        let has_parity = false;
        let mut pool = Self { superblock, warnings, devices, chunks, geometry, blocks, has_parity };
        pool.read_chunks()?;
        Ok(pool)
    }

    /// Whether all there is to the filesystem is one device.
    pub fn is_one_device(&self) -> bool {
        self.devices.len() == 1 && self.superblock.num_devices == 1
    }

    /// Reads the chunk tree, which tells the rest of the address space, and the list of devices.
    fn read_chunks(&mut self) -> Result<(), Error> {
        let (mut chunks, mut parity, mut listed) = (Vec::new(), 0_u64, Vec::new());
        let sector = self.superblock.sectorsize;
        self.with_tree(|tree| {
            tree.for_each(self.superblock.chunk_root, &mut |key: &DiskKey, data: &[u8]| {
                if key.key_type == key_type::DEV_ITEM {
                    listed.push(key.offset);
                }
                match chunk_from_item(key, data, sector) {
                    Ok(Some(chunk)) if has_parity(&chunk) => parity += 1,
                    Ok(chunk) => chunks.extend(chunk),
                    Err(error) => return Err(error),
                }
                Ok(true)
            })
        })?;
        for chunk in chunks {
            if self.chunks.chunk_for(chunk.logical) != Some(&chunk) {
                self.chunks.insert(chunk)?;
            }
        }
        if parity > 0 {
            self.has_parity = true;
            let text = format!("{parity} chunks are raid5 or raid6, which is not read");
            self.warnings.push((GapReason::Unsupported, text));
        }
        for device in listed.into_iter().filter(|it| !self.devices.contains_key(it)) {
            let of = self.superblock.num_devices;
            let text =
                format!("device {device} of {of} is missing: what is only there is not read");
            self.warnings.push((GapReason::Missing, text));
        }
        Ok(())
    }

    /// Works on trees through the cache. A block whose first copy cannot be read or is damaged is
    /// taken from the others.
    pub fn with_tree<T>(
        &self,
        work: impl FnOnce(&Tree) -> fs_btrfs::Result<T>,
    ) -> Result<T, Error> {
        // The crate's errors are text; the read error itself is kept beside them.
        let failed = RefCell::new(None);
        let copy = |logical: u64, copy: usize, out: &mut [u8]| {
            self.read_copy(logical, copy, out).map_err(|error| {
                let text = error.to_string();
                failed.borrow_mut().get_or_insert(error);
                fs_btrfs::Error::Io(text)
            })
        };
        let first = |logical: u64, out: &mut [u8]| copy(logical, 0, out);
        let count = |logical: u64| Ok(self.copies(logical));
        let get = |logical: u64| self.lock().get(logical);
        let put = |logical: u64, block: &TreeBlock| self.lock().put(logical, block);
        let tree =
            Tree::new(self.geometry, &first).with_redundancy(&count, &copy).with_cache(&get, &put);
        let outcome = super::guarded(|| Ok(work(&tree)))?;
        outcome.map_err(|error| match (error, failed.take()) {
            (fs_btrfs::Error::Io(_), Some(cause)) => cause,
            (error, _) => error.into(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many copies there are of what is at a logical address.
    pub fn copies(&self, logical: u64) -> usize {
        self.chunks.mirrors_at(logical).unwrap_or(1).clamp(1, MOST_COPIES)
    }

    /// Fills `out` from one of the copies.
    pub fn read_copy(&self, logical: u64, copy: usize, out: &mut [u8]) -> Result<(), Error> {
        let mut done = 0;
        while done < out.len() {
            let at = logical.checked_add(done as u64).ok_or_else(|| nowhere(logical))?;
            if self.has_parity && !self.chunks.covers(at) {
                return Err(Error::Unsupported { feature: "btrfs: raid5 and raid6".to_owned() });
            }
            let found = self.chunks.map_mirror(at, copy)?;
            let length = usize::try_from(found.len).unwrap_or(usize::MAX).min(out.len() - done);
            if length == 0 {
                return Err(nowhere(at));
            }
            let device = self.devices.get(&found.devid).ok_or_else(|| {
                let text = format!("device {} of the filesystem is missing", found.devid);
                ReadError::failed(found.physical, text)
            })?;
            device.read_exact_at(found.physical, &mut out[done..done + length])?;
            done += length;
        }
        Ok(())
    }

    /// Where the first copy of these logical ranges is: device and range.
    pub fn physical(&self, spans: &[Range<u64>]) -> Vec<(u64, Range<u64>)> {
        let mut found = Vec::new();
        for span in spans {
            let mut at = span.start;
            while at < span.end {
                let Ok(part) = self.chunks.map(at) else { break };
                let length = part.len.min(span.end - at);
                if length == 0 {
                    break;
                }
                found.push((part.devid, part.physical..part.physical.saturating_add(length)));
                at += length;
            }
        }
        found
    }

    /// Tells the only device which of its ranges will be read.
    pub fn will_need_physical(&self, ranges: &[Range<u64>]) {
        if let Some(source) = self.devices.values().next().filter(|_| self.is_one_device()) {
            source.will_need(ranges);
        }
    }

    /// Tells each device which of its ranges will be read.
    pub fn will_need(&self, spans: &[Range<u64>]) {
        let mut wanted: BTreeMap<u64, Vec<Range<u64>>> = BTreeMap::new();
        for (device, range) in self.physical(spans) {
            wanted.entry(device).or_default().push(range);
        }
        for (device, ranges) in wanted {
            if let Some(source) = self.devices.get(&device) {
                source.will_need(&ranges);
            }
        }
    }
}

fn has_parity(chunk: &Chunk) -> bool {
    matches!(chunk.profile(), Ok(ChunkProfile::Raid5 | ChunkProfile::Raid6))
}

fn nowhere(logical: u64) -> Error {
    Error::Corrupt { what: format!("logical address {logical:#x} is in no chunk") }
}

/// Devices on the way to a pool.
#[derive(Default)]
struct Members {
    superblock: Option<Superblock>,
    generations: BTreeMap<u64, u64>,
    devices: BTreeMap<u64, Arc<dyn BlockSource>>,
    warnings: Vec<(GapReason, String)>,
}

impl Members {
    fn add(&mut self, device: &Device) -> Result<(), Error> {
        let superblock::Found { superblock, copy } = superblock::try_read(&*device.source)??;
        if self.superblock.as_ref().is_some_and(|first| first.fsid != superblock.fsid) {
            let what = format!("{} belongs to another filesystem", device.name);
            return Err(Error::Corrupt { what });
        }
        if copy > 0 {
            let text = format!("{}: damaged superblock; copy {copy} was used", device.name);
            self.warnings.push((GapReason::Corrupt, text));
        }
        let missing = superblock.dev_item.total_bytes.saturating_sub(device.source.size());
        if missing > 0 {
            let text = format!("the last {missing} bytes of {} are missing", device.name);
            self.warnings.push((GapReason::Corrupt, text));
        }
        let (number, generation) = (superblock.dev_item.devid, superblock.generation);
        let known = self.generations.get(&number).copied();
        if known.is_some() {
            let text = format!("{}: a second device {number}; the newer is read", device.name);
            self.warnings.push((GapReason::Corrupt, text));
        }
        if known.is_none_or(|it| it < generation) {
            self.generations.insert(number, generation);
            self.devices.insert(number, device.source.clone());
        }
        if self.superblock.as_ref().is_none_or(|it| it.generation < generation) {
            self.superblock = Some(superblock);
        }
        Ok(())
    }
}

/// Tree blocks that were read lately: when the young ones are many they become the old ones.
struct Blocks {
    most: usize,
    young: HashMap<u64, TreeBlock>,
    old: HashMap<u64, TreeBlock>,
}

impl Blocks {
    fn new(most: usize) -> Self {
        Self { most: most.max(16), young: HashMap::new(), old: HashMap::new() }
    }

    fn get(&mut self, logical: u64) -> Option<TreeBlock> {
        if let Some(block) = self.young.get(&logical) {
            return Some(block.clone());
        }
        let block = self.old.remove(&logical)?;
        self.put(logical, &block);
        Some(block)
    }

    fn put(&mut self, logical: u64, block: &TreeBlock) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(logical, block.clone());
    }
}
