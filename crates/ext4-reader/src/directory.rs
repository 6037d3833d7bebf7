//! Directories: <https://docs.kernel.org/filesystems/ext4/dynamic.html#directory-entries>.
//!
//! Read block by block, so that damage costs the names of one block and is told. A hashed
//! directory reads as a linear one, since its index hides in records that are unused; looking a
//! name up through the index is in `hashed.rs`.

use crate::changes::Names;
use crate::dirent::{Record, Records, is_name};
use crate::extent::Run;
use crate::hashed::{Verdict, is_index_node, is_index_root};
use crate::{Error, Ext4, Inode, InodeNumber, Kind, checksum};
use std::ops::{ControlFlow, Range};

/// A name and the inode it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name: bytes, not necessarily UTF-8; never empty, without `/` and NUL.
    pub name: Vec<u8>,
    /// The inode, which the directory says but nothing has proven to be one in use.
    pub inode: InodeNumber,
    /// What the directory says that the inode is, if it says anything; the inode has the last word.
    pub kind: Option<Kind>,
}

impl From<Record<'_>> for Entry {
    fn from(record: Record<'_>) -> Self {
        let inode = InodeNumber(record.inode);
        Self { name: record.name.to_vec(), inode, kind: record.kind }
    }
}

/// What a directory holds, and what of it could not be read.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// All entries that were read but `.` and `..`, in stored order.
    pub entries: Vec<Entry>,
    /// What was damaged; empty if the listing is whole.
    pub damage: Damage,
}

/// Damage to a directory: the first reasons, and how many there were.
#[derive(Debug, Clone, Default)]
pub struct Damage {
    /// The first reasons, at most [`Damage::MOST_KEPT`].
    pub reasons: Vec<Error>,
    /// How many reasons there were in all.
    pub count: u64,
}

impl Damage {
    /// The most reasons that are kept; the rest is only counted.
    pub const MOST_KEPT: usize = 16;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn note(&mut self, reason: Error) {
        self.count += 1;
        if self.reasons.len() < Self::MOST_KEPT {
            self.reasons.push(reason);
        }
    }
}

/// Only the start of larger directories is listed: three million entries and more.
const MOST_BYTES: u64 = 128 << 20;
/// A directory is read in pieces of this size, so that a lookup can stop early.
const PIECE: u64 = 256 << 10;
/// Attempts to map the parts of a directory whose map is damaged.
const MOST_ATTEMPTS: u32 = 256;

type See<'a> = dyn FnMut(Record<'_>) -> ControlFlow<()> + 'a;

impl Ext4 {
    /// The entries of a directory. Fails only if the inode is not a directory or is encrypted;
    /// all other damage is told in the listing.
    pub fn read_dir(&self, inode: &Inode) -> Result<Listing, Error> {
        let mut entries = Vec::new();
        if let Some(changed) = self.changes.names(inode.number) {
            return self.read_changed(inode, changed);
        }
        let damage = self.visit(inode, &mut |record| {
            entries.push(Entry::from(record));
            ControlFlow::Continue(())
        })?;
        Ok(Listing { entries, damage })
    }

    /// The entries of a directory in which fast commits changed names.
    fn read_changed(&self, inode: &Inode, changed: &Names) -> Result<Listing, Error> {
        check_directory(inode)?;
        let added = changed.names.iter().filter_map(|(name, number)| {
            Some(Entry { name: name.clone(), inode: (*number)?, kind: None })
        });
        let mut entries: Vec<Entry> = added.collect();
        if changed.fresh {
            return Ok(Listing { entries, damage: Damage::default() });
        }
        let damage = self.visit(inode, &mut |record| {
            if !changed.names.contains_key(record.name) {
                entries.push(Entry::from(record));
            }
            ControlFlow::Continue(())
        })?;
        Ok(Listing { entries, damage })
    }

    /// The inode that a directory gives a name to, by the exact bytes of the name (also in a
    /// directory that folds case); `None` for `.` and `..`, which are not entries here.
    ///
    /// A hashed directory is asked through its index, which reads a few blocks. Where the index
    /// is damaged, of an unknown kind, or cannot be trusted to deny a name (no checksums, or a
    /// journal that was not replayed), all of the directory is read. `Ok(None)` says that
    /// wherever the name could stand was sound: if a name was not found and something there was
    /// damaged, that is the error.
    pub fn lookup(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeNumber>, Error> {
        check_directory(directory)?;
        if !is_name(name) || name == b"." || name == b".." {
            return Ok(None);
        }
        if let Some(changed) = self.changes.names(directory.number) {
            match changed.names.get(name) {
                Some(number) => return Ok(*number),
                None if changed.fresh => return Ok(None),
                None => {}
            }
        }
        match self.ask_index(directory, name) {
            Ok(Verdict::Found(number)) => Ok(Some(number)),
            Ok(Verdict::Absent) => Ok(None),
            // The scan meets the same damage if it matters to more than the index.
            Ok(Verdict::Unsure) | Err(_) => self.scan(directory, name),
        }
    }

    fn scan(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeNumber>, Error> {
        let mut found = None;
        let damage = self.visit(directory, &mut |record| {
            if record.name != name {
                return ControlFlow::Continue(());
            }
            found = Some(InodeNumber(record.inode));
            ControlFlow::Break(())
        })?;
        match damage.reasons.into_iter().next() {
            Some(reason) if found.is_none() => Err(reason),
            _ => Ok(found),
        }
    }

    /// Shows entries to `see` until it has seen enough.
    fn visit(&self, inode: &Inode, see: &mut See) -> Result<Damage, Error> {
        check_directory(inode)?;
        let mut damage = Damage::default();
        let _ended = if inode.is_inline() {
            self.visit_inline(inode, &mut damage, see)
        } else {
            self.visit_blocks(inode, &mut damage, see)
        };
        Ok(damage)
    }

    /// The number of the parent comes first; the entries follow, in two parts.
    fn visit_inline(&self, inode: &Inode, damage: &mut Damage, see: &mut See) -> ControlFlow<()> {
        show(&inode.block[4..], inode, damage, see)?;
        let rest = self.inline_rest(inode).unwrap_or_else(|error| {
            damage.note(error);
            Vec::new()
        });
        let size = (inode.block.len() + rest.len()) as u64;
        if inode.size > size && damage.is_empty() {
            damage.note(Error::corrupt("data missing in directory inode", inode.number.0));
        }
        show(&rest, inode, damage, see)
    }

    fn visit_blocks(&self, inode: &Inode, damage: &mut Damage, see: &mut See) -> ControlFlow<()> {
        let block_size = self.superblock.block_size;
        if inode.size > MOST_BYTES {
            damage.note(Error::unsupported(format!("a directory of {} bytes", inode.size)));
        }
        let runs =
            self.directory_runs(inode, inode.size.min(MOST_BYTES).div_ceil(block_size), damage);
        let ranges: Vec<_> = runs.iter().map(|run| run.device(block_size)).collect();
        self.device.will_need(&ranges);
        for run in &runs {
            for piece in run.pieces(PIECE / block_size) {
                self.visit_piece(inode, &piece, damage, see)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn visit_piece(
        &self,
        inode: &Inode,
        piece: &Run,
        damage: &mut Damage,
        see: &mut See,
    ) -> ControlFlow<()> {
        let block_size = self.superblock.block_size as usize;
        let mut bytes = vec![0; piece.length as usize * block_size];
        let start = piece.physical * block_size as u64;
        if let Err(error) = self.device.read_exact_at(start, &mut bytes) {
            damage.note(error.into());
            return ControlFlow::Continue(());
        }
        for (logical, block) in (piece.logical..).zip(bytes.chunks(block_size)) {
            if !self.is_sound(inode, logical, block) {
                damage.note(Error::corrupt("checksum of directory inode", inode.number.0));
            }
            show(block, inode, damage, see)?;
        }
        ControlFlow::Continue(())
    }

    /// Where the first `blocks` blocks are. If the map is damaged, the part that is damaged is
    /// closed in on, so that the rest can be read.
    fn directory_runs(&self, inode: &Inode, blocks: u64, damage: &mut Damage) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut attempts = 0;
        let mut todo: Vec<_> = std::iter::once(0..blocks).collect();
        while let Some(part) = todo.pop() {
            attempts += 1;
            match self.block_runs(inode, &part) {
                Ok(found) => {
                    let found: Vec<_> = found.iter().filter_map(|run| run.within(&part)).collect();
                    if found.iter().map(|run| run.length).sum::<u64>() < length(&part) {
                        damage.note(Error::corrupt("hole in directory inode", inode.number.0));
                    }
                    runs.extend(found);
                }
                Err(error) if length(&part) == 1 || attempts > MOST_ATTEMPTS => damage.note(error),
                Err(_) => {
                    let middle = part.start.midpoint(part.end);
                    todo.extend([middle..part.end, part.start..middle]);
                }
            }
        }
        runs
    }

    /// Whether a block has the checksum that it should have. Index blocks hold no names, so they
    /// only need to be what they look like.
    pub(crate) fn is_sound(&self, inode: &Inode, logical: u64, block: &[u8]) -> bool {
        let Some(seed) = self.superblock.checksum_seed else { return true };
        let index = inode.is_indexed()
            && if logical == 0 { is_index_root(block) } else { is_index_node(block) };
        index || checksum::leaf_holds(checksum::inode_seed(seed, inode), block)
    }
}

fn check_directory(inode: &Inode) -> Result<(), Error> {
    if inode.kind != Kind::Directory {
        return Err(Error::corrupt("not a directory: inode", inode.number.0));
    }
    inode.check_readable()
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// Shows the entries of one block.
fn show(block: &[u8], inode: &Inode, damage: &mut Damage, see: &mut See) -> ControlFlow<()> {
    for record in Records::of(block) {
        match record {
            Ok(record) => see(record)?,
            Err(flaw) => damage.note(Error::corrupt(flaw.what(), inode.number.0)),
        }
    }
    ControlFlow::Continue(())
}
