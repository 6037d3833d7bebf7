//! The end of an archive, which says where its directory is.
//!
//! ```text
//! end record       "PK\5\6" disk:16 directory's:16 here:16 entries:16 size:32 offset:32 comment:16
//! zip64 locator    "PK\6\7" disk:32 offset:64 disks:32, right before the end record
//! zip64 record     "PK\6\6" size:64 made:16 needed:16 disk:32 directory's:32 here:64 entries:64 size:64 offset:64
//! ```

use crate::bytes::{le16, le32, le64};
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;
use std::ops::Range;

const RECORD: usize = 22;
const LOCATOR: u64 = 20;
const RECORD64: u64 = 56;
/// Bytes of the end that are looked at first. Most archives have no comment, and a small one has
/// its whole directory there.
pub const FIRST: u64 = 16 << 10;
/// The longest end there can be.
const LONGEST: u64 = RECORD as u64 + 0xffff;
/// Places that may be end records of which the last ones are tried.
const MOST_RECORDS: usize = 64;
const MARK: &[u8; 4] = b"PK\x05\x06";

/// What the end of an archive says.
pub struct End {
    /// The directory.
    pub directory: Directory,
    /// The last bytes of the device, which are not to be read again.
    pub tail: Tail,
}

/// Where the directory is.
pub struct Directory {
    /// Its bytes.
    pub range: Range<u64>,
    /// The entries that it says it has, and whether that number is whole and not modulo 65536.
    pub entries: (u64, bool),
    /// Bytes before the archive that its offsets do not count.
    pub before: u64,
}

/// The last bytes of a device.
pub struct Tail {
    /// Where they start.
    pub at: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Numbers of an end record, of either kind.
struct Stated {
    size: u64,
    offset: u64,
    entries: (u64, bool),
    /// Where the directory ends if nothing stands between.
    end: u64,
}

impl End {
    /// Finds it. Of several records the last is taken behind whose directory nothing is amiss.
    pub fn find(source: &dyn BlockSource) -> Result<Self, Error> {
        let mut reason = None;
        for length in [FIRST, LONGEST] {
            let tail = Tail::read(source, length)?;
            let places: Vec<_> = records(&tail.bytes).take(MOST_RECORDS).collect();
            for at in places {
                match Self::at(source, &tail, at) {
                    Ok(directory) => return Ok(Self { directory, tail }),
                    Err(error) => reason = reason.or(Some(error)),
                }
            }
            if tail.at == 0 {
                break;
            }
        }
        Err(reason.unwrap_or_else(|| none(source)))
    }

    fn at(source: &dyn BlockSource, tail: &Tail, at: usize) -> Result<Directory, Error> {
        let stated = stated(source, tail, at)?;
        let (size, end) = (stated.size, stated.end);
        // Offsets may or may not count what stands before the archive: if they do not, the
        // directory still ends where the end record starts.
        let near = end.checked_sub(size).filter(|start| is_directory(source, *start..end));
        let start = match near {
            Some(start) => start,
            None => stated.offset,
        };
        let range = start..start.saturating_add(size);
        if range.end > end || !is_directory(source, range.clone()) {
            return Err(corrupt("no directory where the end says", tail.at + at as u64));
        }
        let before = start.saturating_sub(stated.offset);
        Ok(Directory { range, entries: stated.entries, before })
    }
}

/// The places of end records, the last first.
fn records(tail: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let last = tail.len().checked_sub(RECORD);
    let places = last.into_iter().flat_map(|last| (0..=last).rev());
    places.filter(|at| {
        let comment = le16(tail, at + 20).map_or(usize::MAX, usize::from);
        tail[*at..].starts_with(MARK) && comment <= tail.len() - at - RECORD
    })
}

fn stated(source: &dyn BlockSource, tail: &Tail, at: usize) -> Result<Stated, Error> {
    let here = tail.at + at as u64;
    let short = |field| le16(&tail.bytes, at + field).map(u64::from).ok_or(Error::NotZip);
    let long = |field| le32(&tail.bytes, at + field).map(u64::from).ok_or(Error::NotZip);
    let (disk, first, entries) = (short(4)?, short(6)?, short(10)?);
    let (size, offset) = (long(12)?, long(16)?);
    let is_wide = entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    if is_wide && let Some(stated) = stated64(source, here)? {
        return Ok(stated);
    }
    if disk != first {
        return Err(unsupported("an archive in several parts"));
    }
    Ok(Stated { size, offset, entries: (entries, false), end: here })
}

/// The record of zip64, if there is one before the end record at `end`.
fn stated64(source: &dyn BlockSource, end: u64) -> Result<Option<Stated>, Error> {
    let Some(locator_at) = end.checked_sub(LOCATOR) else { return Ok(None) };
    let locator = read::<20>(source, locator_at)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // It nearly always stands right before its locator, wherever it is said to be.
    let said = le64(&locator, 8).unwrap_or(u64::MAX);
    let places = [locator_at.checked_sub(RECORD64), Some(said)];
    for at in places.into_iter().flatten().filter(|at| at.saturating_add(RECORD64) <= locator_at) {
        let record = read::<56>(source, at)?;
        if record.starts_with(b"PK\x06\x06") {
            let number = |field| le64(&record, field).unwrap_or(u64::MAX);
            let (entries, size, offset) = (number(32), number(40), number(48));
            return Ok(Some(Stated { size, offset, entries: (entries, true), end: at }));
        }
    }
    Err(corrupt("no zip64 record where its locator says", locator_at))
}

/// Whether a directory may be there: an empty one, or one that starts with an entry.
fn is_directory(source: &dyn BlockSource, range: Range<u64>) -> bool {
    range.is_empty() && range.start <= source.size()
        || read::<4>(source, range.start).is_ok_and(|mark| &mark == b"PK\x01\x02")
}

/// Why there is no archive: one that was cut off still starts as one.
fn none(source: &dyn BlockSource) -> Error {
    match read::<4>(source, 0) {
        Ok(mark) if &mark == b"PK\x03\x04" => corrupt("no end of the archive", source.size()),
        Err(error) if source.size() >= 4 => error,
        _ => Error::NotZip,
    }
}

fn read<const LENGTH: usize>(source: &dyn BlockSource, at: u64) -> Result<[u8; LENGTH], Error> {
    let mut bytes = [0; LENGTH];
    source.read_exact_at(at, &mut bytes)?;
    Ok(bytes)
}

impl Tail {
    fn read(source: &dyn BlockSource, length: u64) -> Result<Self, Error> {
        let at = source.size().saturating_sub(length);
        let mut bytes = vec![0; (source.size() - at) as usize];
        source.read_exact_at(at, &mut bytes)?;
        Ok(Self { at, bytes })
    }

    /// A part of it.
    pub fn part(&self, at: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }
}
