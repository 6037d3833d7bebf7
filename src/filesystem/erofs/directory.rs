//! Directories: blocks of entries sorted by name, in each of them and over all. An entry is a node (8
//! bytes), the offset of its name in the block (2), and a kind (2); the first name's offset tells
//! how many entries there are.

use super::{Entry, Error, Image, Inode, Listing, NodeId, now};
use crate::block::BlockSource;
use erofs_rs::r#async::EroFS;
use std::cmp::Ordering;
use std::sync::Arc;

const ENTRY: usize = 12;
/// Nodes with this bit are in a metabox, whose inodes are packed.
const METABOX: u64 = 1 << 63;
/// Bytes of a directory that are read; a million entries of average names take a third.
const MOST: u64 = 1 << 28;
/// Entries of one directory that are kept.
const MOST_KEPT: usize = 1 << 20;

/// A directory whose bytes can be read.
pub struct Directory {
    image: EroFS<Image>,
    inode: Inode,
    block: u64,
}

impl Directory {
    pub fn open(
        image: &EroFS<Image>,
        source: &Arc<dyn BlockSource>,
        inode: Inode,
    ) -> Result<Self, Error> {
        if !inode.is_dir() {
            return Err(Error::Corrupt { what: format!("inode {} is no directory", inode.id()) });
        }
        if inode.id() & METABOX != 0 {
            return Err(Error::Unsupported {
                feature: "erofs: directories in a metabox".to_owned(),
            });
        }
        if inode.data_size() > MOST {
            let what = format!("directory of {} bytes, inode {}", inode.data_size(), inode.id());
            return Err(Error::Corrupt { what });
        }
        let superblock = image.super_block();
        let base = u64::from(superblock.meta_blk_addr) << superblock.blk_size_bits;
        let at = inode.id().checked_mul(32).and_then(|at| at.checked_add(base));
        let at = at.ok_or_else(|| Error::Corrupt { what: "place of an inode".to_owned() })?;
        let shown = now(|| EroFS::new(Image::with_file(source.clone(), at)))?;
        let block = 1 << superblock.blk_size_bits;
        let inode = now(|| shown.get_inode(inode.id()))?;
        Ok(Self { image: shown, inode, block })
    }

    pub fn list(&self) -> Listing {
        let mut listing = Listing::default();
        for index in 0..self.blocks() {
            if listing.entries.len() >= MOST_KEPT {
                let feature = format!("erofs: directories of more than {MOST_KEPT} entries");
                listing.damage.push(Error::Unsupported { feature });
                break;
            }
            match self.block(index).and_then(|block| names(&block)) {
                Ok(entries) => listing.entries.extend(entries),
                Err(error) => listing.damage.push(error),
            }
        }
        listing.entries.retain(|entry| entry.name != b"." && entry.name != b"..");
        listing
    }

    /// The block whose first name is the last that is not above the wanted one has it, or none.
    pub fn lookup(&self, name: &[u8]) -> Result<Option<NodeId>, Error> {
        if name == b"." || name == b".." {
            return Ok(None);
        }
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            let entries = names(&self.block(middle)?)?;
            let first =
                entries.first().map_or(Ordering::Greater, |it| it.name.as_slice().cmp(name));
            if first == Ordering::Greater {
                high = middle;
                continue;
            }
            let last = entries.last().map_or(Ordering::Less, |it| it.name.as_slice().cmp(name));
            if last == Ordering::Less {
                low = middle + 1;
                continue;
            }
            return Ok(entries.into_iter().find(|it| it.name == name).map(|it| it.node));
        }
        Ok(None)
    }

    fn blocks(&self) -> u64 {
        self.inode.data_size().div_ceil(self.block)
    }

    fn block(&self, index: u64) -> Result<Vec<u8>, Error> {
        let start = index * self.block;
        let mut bytes = vec![0; self.block.min(self.inode.data_size() - start) as usize];
        super::runs::fill(&self.image, self.inode, start, &mut bytes)?;
        Ok(bytes)
    }
}

fn names(block: &[u8]) -> Result<Vec<Entry>, Error> {
    let corrupt = || Error::Corrupt { what: "directory block of erofs".to_owned() };
    let offset = |index: usize| {
        let at = index * ENTRY + 8;
        let bytes = block.get(at..at + 2).ok_or_else(corrupt)?;
        Ok::<_, Error>(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    };
    let first = offset(0)?;
    let count = first / ENTRY;
    if count == 0 || first % ENTRY != 0 {
        return Err(corrupt());
    }
    let mut entries = Vec::new();
    for index in 0..count {
        let start = offset(index)?;
        let end = if index + 1 < count { offset(index + 1)? } else { block.len() };
        let mut name = block.get(start..end).filter(|_| start >= first).ok_or_else(corrupt)?;
        if index + 1 == count {
            // Zeroes fill the block.
            name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        }
        if name.is_empty() || name.len() > 255 || name.contains(&0) || name.contains(&b'/') {
            return Err(corrupt());
        }
        let at = index * ENTRY;
        let node = block[at..at + 8].try_into().expect("eight bytes");
        let node = NodeId(u64::from_le_bytes(node));
        entries.push(Entry { name: name.to_vec(), node, kind: None });
    }
    Ok(entries)
}
