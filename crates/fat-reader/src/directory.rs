//! Directories: entries of 32 bytes, long names in entries before the one that they name.

use crate::boot::{short, word};
use crate::error::{Error, corrupt};
use crate::name::{self, Long};
use crate::{EntryAt, Fat, Metadata, ROOT};
use std::ops::Range;

const ENTRY: usize = 32;
/// The specification's limit of a directory.
const MOST_BYTES: u64 = 65_536 * 32;
const READ_ONLY: u8 = 0x01;
const LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG: u8 = 0x0f;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The long name, else the short one.
    pub name: String,
    /// The short name.
    pub short: String,
    /// Where its entry is.
    pub at: EntryAt,
}

/// What a directory holds, as far as it could be read.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries, without `.` and `..`.
    pub entries: Vec<Entry>,
    /// What ended the reading too early.
    pub damage: Option<Error>,
}

/// A root directory, or one with a cluster to begin with.
pub fn runs(fat: &Fat, cluster: u32) -> Result<(Vec<Range<u64>>, Option<Error>), Error> {
    let boot = &fat.boot;
    let first = match cluster {
        0 if boot.root_cluster == 0 => {
            let whole = boot.root.0..boot.root.0 + boot.root.1;
            return Ok((Vec::from([whole]), None));
        }
        0 => boot.root_cluster,
        cluster => cluster,
    };
    let chain = fat.chain(first, MOST_BYTES)?;
    let damage = chain.damage.map(|(what, number)| corrupt(what, number));
    Ok((chain.runs.clone(), damage))
}

pub fn list(fat: &Fat, at: EntryAt) -> Result<Listing, Error> {
    let found = metadata(fat, at)?;
    if !found.is_directory {
        return Err(corrupt("no directory", at.0));
    }
    let (runs, damage) = runs(fat, found.cluster)?;
    let mut listing = Listing { damage, ..Listing::default() };
    let mut long = Long::default();
    for run in runs {
        match one_run(fat, run, &mut long, &mut listing.entries) {
            Ok(true) => {}
            // After the mark of the end, clusters that follow hold nothing.
            Ok(false) => return Ok(listing),
            Err(error) => {
                listing.damage = Some(error);
                break;
            }
        }
    }
    Ok(listing)
}

/// Entries of one run of clusters; whether there may be more.
fn one_run(
    fat: &Fat,
    run: Range<u64>,
    long: &mut Long,
    entries: &mut Vec<Entry>,
) -> Result<bool, Error> {
    // Directories are small; a long run is read in pieces all the same.
    for start in run.clone().step_by(MOST_BYTES as usize / 32) {
        let end = run.end.min(start + MOST_BYTES / 32);
        let mut bytes = vec![0; (end - start) as usize];
        fat.source.read_exact_at(start, &mut bytes)?;
        for (index, entry) in bytes.as_chunks::<ENTRY>().0.iter().enumerate() {
            let short: [u8; 11] = entry[..11].try_into().expect("eleven bytes");
            match (short[0], entry[11]) {
                (0, _) => return Ok(false),
                (0xe5, _) => *long = Long::default(),
                (_, kind) if kind & 0x3f == LONG => long.take(entry),
                (_, kind) if kind & LABEL != 0 => *long = Long::default(),
                (b'.', _) if matches!(&short, b".          " | b"..         ") => {}
                _ => {
                    let at = EntryAt(start + (index * ENTRY) as u64);
                    let whole = long.finish(&short);
                    let short = name::short(&short, entry[12]);
                    let name = whole.unwrap_or_else(|| short.clone());
                    if name.contains('/') || name.contains('\0') {
                        return Err(corrupt("name", at.0));
                    }
                    entries.push(Entry { name, short, at });
                }
            }
        }
    }
    Ok(true)
}

pub fn metadata(fat: &Fat, at: EntryAt) -> Result<Metadata, Error> {
    if at == ROOT {
        let cluster = fat.boot.root_cluster;
        let (is_directory, read_only) = (true, false);
        return Ok(Metadata { is_directory, size: 0, read_only, modified: 0, cluster });
    }
    let mut entry = [0; ENTRY];
    fat.source.read_exact_at(at.0, &mut entry)?;
    let high = if fat.boot.root_cluster == 0 { 0 } else { short(&entry, 20) };
    let is_directory = entry[11] & DIRECTORY != 0;
    Ok(Metadata {
        is_directory,
        size: if is_directory { 0 } else { word(&entry, 28) },
        read_only: entry[11] & READ_ONLY != 0,
        modified: seconds(short(&entry, 24), short(&entry, 22)),
        cluster: u32::from(high) << 16 | u32::from(short(&entry, 26)),
    })
}

/// The label of the root directory, else of the boot sector.
pub fn label(fat: &Fat) -> Result<Option<Vec<u8>>, Error> {
    let (runs, _) = runs(fat, 0)?;
    let first = runs.first().map_or(0..0, |run| run.start..run.end.min(run.start + 65_536));
    let mut bytes = vec![0; (first.end - first.start) as usize];
    fat.source.read_exact_at(first.start, &mut bytes)?;
    let entries = bytes.as_chunks::<ENTRY>().0.iter();
    let mut used = entries.take_while(|entry| entry[0] != 0).filter(|entry| entry[0] != 0xe5);
    let found = used.find(|entry| entry[11] & (LABEL | DIRECTORY) == LABEL && entry[11] != LONG);
    let mut label = found.map_or(fat.boot.label, |it| it[..11].try_into().expect("eleven bytes"));
    if label[0] == 5 {
        label[0] = 0xe5;
    }
    let length = label.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |it| it + 1);
    let label = &label[..length];
    Ok((!label.is_empty() && label != b"NO NAME").then(|| label.to_vec()))
}

/// Date and time of day in two bytes each, as seconds since 1970.
fn seconds(date: u16, time: u16) -> i64 {
    let (year, month) = (1980 + i64::from(date >> 9), i64::from(date >> 5 & 15).clamp(1, 12));
    let day = i64::from(date & 31).max(1);
    // Days of the civil calendar, with the year beginning in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
    let (hour, minute) = (i64::from(time >> 11), i64::from(time >> 5 & 63));
    days * 86_400 + hour * 3600 + minute * 60 + i64::from(time & 31) * 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_those_of_the_calendar() {
        // As `date -u -d '1980-01-01' +%s` and `date -u -d '2024-02-29 23:59:58' +%s` have it.
        assert_eq!(super::seconds(1 << 5 | 1, 0), 315_532_800);
        assert_eq!(
            super::seconds(44 << 9 | 2 << 5 | 0x1d, 23 << 11 | 59 << 5 | 0x1d),
            1_709_251_198
        );
    }
}
