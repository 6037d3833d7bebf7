//! Directories: "XFS Algorithms & Data Structures", "Directories".
//!
//! Read block by block, so that damage costs the names of one block and is told. The blocks with
//! entries come first, whatever index follows them; looking a name up through that index is in
//! `hashed.rs`.

use crate::block::{self, Identity};
use crate::bytes::be32;
use crate::dirent::{First, Flaw, Layout, Record, Records, is_name};
use crate::extent::Run;
use crate::fork::Form;
use crate::hashed::Verdict;
use crate::short_form::ShortForm;
use crate::{Error, Inode, InodeNumber, Kind, Xfs};
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
/// Where in a directory the blocks with entries end and the index starts.
pub const INDEX_START: u64 = 32 << 30;

const MAGIC_ONLY: u32 = 0x5844_3242;
const MAGIC_DATA: u32 = 0x5844_3244;
const MAGIC_ONLY_CHECKED: u32 = 0x5844_4233;
const MAGIC_DATA_CHECKED: u32 = 0x5844_4433;
const HEADER: usize = 16;
const HEADER_CHECKED: usize = 64;
const IDENTITY: Identity = Identity { checksum: 4, place: 8, uuid: 24, owner: 40 };

type See<'a> = dyn FnMut(Record<'_>) -> ControlFlow<()> + 'a;

impl Xfs {
    /// The entries of a directory. Fails only if the inode is not a directory; all other damage
    /// is told in the listing.
    pub fn read_dir(&self, inode: &Inode) -> Result<Listing, Error> {
        let mut entries = Vec::new();
        let damage = self.visit(inode, &mut |record| {
            let inode = InodeNumber(record.inode);
            entries.push(Entry { name: record.name.to_vec(), inode, kind: record.kind });
            ControlFlow::Continue(())
        })?;
        Ok(Listing { entries, damage })
    }

    /// The inode that a directory gives a name to; `None` for `.` and `..`, which are not entries
    /// here. By the exact bytes of the name, but without regard to the case of letters where the
    /// filesystem has none ([`Superblock::folds_case`](crate::Superblock::folds_case)).
    ///
    /// A large directory is asked through its index, which reads a few blocks. Where the index is
    /// damaged or cannot be trusted to deny a name (no checksums, or a log that was not wholly
    /// replayed), all of the directory is read.
    /// `Ok(None)` says that wherever the name could stand was sound: if a name was not found and
    /// something there was damaged, that is the error.
    pub fn lookup(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeNumber>, Error> {
        check_directory(directory)?;
        if !is_name(name) {
            return Ok(None);
        }
        if self.superblock.folds_case() {
            return self.scan_folding(directory, name);
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
        found_or_damage(found, damage)
    }

    /// The exact name wins over one that differs in case.
    fn scan_folding(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeNumber>, Error> {
        let (mut exact, mut folded) = (None, None);
        let damage = self.visit(directory, &mut |record| {
            if record.name == name {
                exact = Some(InodeNumber(record.inode));
                return ControlFlow::Break(());
            }
            if folded.is_none() && is_alike(record.name, name) {
                folded = Some(InodeNumber(record.inode));
            }
            ControlFlow::Continue(())
        })?;
        found_or_damage(exact.or(folded), damage)
    }

    /// Shows entries to `see` until it has seen enough.
    fn visit(&self, inode: &Inode, see: &mut See) -> Result<Damage, Error> {
        check_directory(inode)?;
        let mut damage = Damage::default();
        let _ended = if inode.data.form == Form::Local {
            self.visit_short(inode, &mut damage, see)
        } else {
            self.visit_blocks(inode, &mut damage, see)
        };
        Ok(damage)
    }

    fn visit_short(&self, inode: &Inode, damage: &mut Damage, see: &mut See) -> ControlFlow<()> {
        let Some(bytes) =
            usize::try_from(inode.size).ok().and_then(|size| inode.data.bytes.get(..size))
        else {
            damage.note(Error::corrupt("size of directory inode", inode.number.0));
            return ControlFlow::Continue(());
        };
        let mut entries = ShortForm::of(bytes, self.superblock.has_file_types());
        show(&mut entries, inode, damage, see)?;
        if entries.end() != bytes.len() {
            damage.note(Error::corrupt("size of directory inode", inode.number.0));
        }
        ControlFlow::Continue(())
    }

    fn visit_blocks(&self, inode: &Inode, damage: &mut Damage, see: &mut See) -> ControlFlow<()> {
        let runs = self.entry_runs(inode, damage);
        let size = self.superblock.block_size;
        let ranges: Vec<_> = runs.iter().map(|run| run.device(size)).collect();
        self.device.will_need(&ranges);
        let each = self.superblock.directory_block_size / size;
        let mut next = 0;
        for run in &runs {
            for number in next.max(run.logical / each)..run.end().div_ceil(each) {
                next = number + 1;
                match self.assemble(inode, &runs, number) {
                    Ok(block) => self.visit_block(inode, &block, damage, see)?,
                    Err(error) => damage.note(error),
                }
            }
        }
        if next * self.superblock.directory_block_size != inode.size.min(MOST_BYTES) {
            damage.note(Error::corrupt("size of directory inode", inode.number.0));
        }
        ControlFlow::Continue(())
    }

    /// The runs of blocks with entries.
    fn entry_runs(&self, inode: &Inode, damage: &mut Damage) -> Vec<Run> {
        if inode.size > MOST_BYTES {
            damage.note(Error::unsupported(format!("a directory of {} bytes", inode.size)));
        }
        let wanted = 0..INDEX_START.min(MOST_BYTES) / self.superblock.block_size;
        let noted = &mut |error| {
            damage.note(error);
            Ok(())
        };
        self.runs_despite(&inode.data, &wanted, noted).unwrap_or_default()
    }

    /// A block of a directory, which may be several blocks of the filesystem.
    fn assemble(&self, inode: &Inode, runs: &[Run], number: u64) -> Result<EntryBlock, Error> {
        let size = self.superblock.block_size;
        let each = self.superblock.directory_block_size / size;
        let wanted = number * each..(number + 1) * each;
        let from = runs.partition_point(|run| run.end() <= wanted.start);
        let parts: Vec<_> =
            runs[from..].iter().map_while(|run| run.within(&wanted, size)).collect();
        self.joined(inode, &parts, &wanted).map(|(at, bytes)| EntryBlock { at, bytes, number })
    }

    /// The bytes of blocks that must all be there, and the offset of the first.
    pub(crate) fn joined(
        &self,
        inode: &Inode,
        parts: &[Run],
        wanted: &Range<u64>,
    ) -> Result<(u64, Vec<u8>), Error> {
        let length: u64 = parts.iter().map(|part| part.length).sum();
        let Some(first) = parts.first().filter(|_| length == wanted.end - wanted.start) else {
            return Err(Error::corrupt("hole in a block of inode", inode.number.0));
        };
        if parts.iter().any(|part| !part.written) {
            return Err(Error::corrupt("a block never written of inode", inode.number.0));
        }
        let mut bytes = Vec::with_capacity((length * self.superblock.block_size) as usize);
        for part in parts {
            bytes.extend(self.read_bytes(part.offset, part.length * self.superblock.block_size)?);
        }
        Ok((first.offset, bytes))
    }

    fn visit_block(
        &self,
        inode: &Inode,
        block: &EntryBlock,
        damage: &mut Damage,
        see: &mut See,
    ) -> ControlFlow<()> {
        match self.layout(inode, block) {
            Ok(layout) => {
                if !self.is_sound(block) {
                    damage.note(Error::corrupt("checksum of directory inode", inode.number.0));
                }
                let mut records = Records::of(&block.bytes, layout, block.first());
                show(&mut records, inode, damage, see)
            }
            Err(error) => {
                damage.note(error);
                ControlFlow::Continue(())
            }
        }
    }

    /// Where the records of a block are, if it belongs to this directory.
    pub(crate) fn layout(&self, inode: &Inode, block: &EntryBlock) -> Result<Layout, Error> {
        let modern = self.superblock.has_checksums();
        let start = if modern { HEADER_CHECKED } else { HEADER };
        let file_types = self.superblock.has_file_types();
        let corrupt = || Error::corrupt("header of a block of directory inode", inode.number.0);
        let layout = match (be32(&block.bytes, 0), modern) {
            (MAGIC_ONLY, false) | (MAGIC_ONLY_CHECKED, true) => {
                Layout::before_index(&block.bytes, start, file_types).ok_or_else(corrupt)?
            }
            (MAGIC_DATA, false) | (MAGIC_DATA_CHECKED, true) => {
                Layout { start, end: block.bytes.len(), file_types }
            }
            _ => return Err(corrupt()),
        };
        block::check_belongs(&block.bytes, &IDENTITY, &self.superblock, block.at, inode.number)?;
        Ok(layout)
    }

    /// Whether a block has the checksum that it should have.
    pub(crate) fn is_sound(&self, block: &EntryBlock) -> bool {
        !self.superblock.has_checksums() || crate::checksum::holds(&block.bytes, IDENTITY.checksum)
    }
}

/// A block with entries.
pub struct EntryBlock {
    /// Offset of its first byte on the device.
    pub at: u64,
    pub bytes: Vec<u8>,
    /// Its number in the directory.
    pub number: u64,
}

impl EntryBlock {
    fn first(&self) -> First {
        if self.number == 0 { First::Yes } else { First::No }
    }
}

fn check_directory(inode: &Inode) -> Result<(), Error> {
    if inode.kind != Kind::Directory {
        return Err(Error::corrupt("not a directory: inode", inode.number.0));
    }
    Ok(())
}

fn show(
    records: &mut dyn Iterator<Item = Result<Record<'_>, Flaw>>,
    inode: &Inode,
    damage: &mut Damage,
    see: &mut See,
) -> ControlFlow<()> {
    for record in records {
        match record {
            Ok(record) => see(record)?,
            Err(flaw) => damage.note(Error::corrupt(flaw.what(), inode.number.0)),
        }
    }
    ControlFlow::Continue(())
}

fn found_or_damage(
    found: Option<InodeNumber>,
    damage: Damage,
) -> Result<Option<InodeNumber>, Error> {
    match damage.reasons.into_iter().next() {
        Some(reason) if found.is_none() => Err(reason),
        _ => Ok(found),
    }
}

/// Whether two names differ in the case of their letters only, which are those of Latin-1.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| lower(*a) == lower(*b))
}

fn lower(byte: u8) -> u8 {
    if matches!(byte, b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde) { byte + 32 } else { byte }
}
