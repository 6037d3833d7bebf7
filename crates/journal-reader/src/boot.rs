//! Boots, and the kernel's first words in each.
//!
//! Each boot is a value of the field `_BOOT_ID`, which names the first entry of its boot: the log of
//! the kernel stands there, since journald takes it over before all else. So a few entries are read
//! however long the file is.

use crate::data::Value;
use crate::error::{Error, corrupt};
use crate::journal::Journal;

/// Entries of a boot that are searched for the kernel's first words. Before them stand what
/// firmware, hypervisor and processor say, and the first words of journald itself.
const MOST_ENTRIES: usize = 64;
/// Microseconds after which an entry is none of the first of its boot: it goes on from another file.
const BEGINNING: u64 = 15 * 60 * 1_000_000;

/// The first and the last entry of a boot in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// Its id.
    pub id: [u8; 16],
    /// Entries of it.
    pub entries: u64,
    /// When the first was written, in microseconds since 1970.
    pub first_time: u64,
    /// When the last was written, likewise.
    pub last_time: u64,
}

/// Boots of a file, sorted by their last entries, and what kept them from being all.
#[derive(Debug, Clone, Default)]
pub struct Boots {
    /// The boots.
    pub boots: Vec<Boot>,
    /// Why there may be more.
    pub problems: Vec<Error>,
}

/// How a boot begins in a file.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// Its id.
    pub boot: [u8; 16],
    /// When the machine was started, in microseconds since 1970.
    pub started: u64,
    /// What the kernel says of itself, `Linux version …`, if the beginning is in this file.
    pub kernel: Option<String>,
    /// Why it may be there all the same.
    pub problem: Option<Error>,
}

impl Journal {
    /// All boots, each with its first and last entry.
    pub fn boots(&mut self) -> Boots {
        let values = self.values(b"_BOOT_ID");
        let mut found = Boots { boots: Vec::new(), problems: values.problem.into_iter().collect() };
        for value in &values.values {
            match self.boot(value) {
                Ok(boot) => found.boots.extend(boot),
                Err(error) => found.problems.push(error),
            }
        }
        found.boots.sort_by_key(|boot| (boot.last_time, boot.id));
        found
    }

    fn boot(&mut self, value: &Value) -> Result<Option<Boot>, Error> {
        if value.first_entry == 0 {
            return Ok(None);
        }
        let first = self.entry(value.first_entry)?;
        let last = self.newest(value, 1);
        let last = last.places.first().copied().ok_or_else(|| {
            last.problem.unwrap_or_else(|| corrupt("a boot without entries", value.at))
        })?;
        let last_time = self.entry(last)?.time;
        let (id, entries, first_time) = (first.boot, value.entries, first.time);
        Ok(Some(Boot { id, entries, first_time, last_time }))
    }

    /// How the boot begins that was the last to begin in this file; `None` without entries.
    pub fn newest_beginning(&mut self) -> Result<Option<Beginning>, Error> {
        let mut next = self.newest_of(b"_BOOT_ID")?;
        // One that was just added may have no entry yet.
        while let Some(value) = next.filter(|value| value.first_entry == 0) {
            next = self.older(&value)?;
        }
        next.map(|value| self.begins(&value)).transpose()
    }

    /// How a boot begins; `None` if no entry is of it.
    pub fn beginning(&mut self, boot: [u8; 16]) -> Result<Option<Beginning>, Error> {
        let id = u128::from_be_bytes(boot);
        let value = self.find(format!("_BOOT_ID={id:032x}").as_bytes())?;
        let value = value.filter(|value| value.first_entry != 0);
        value.map(|value| self.begins(&value)).transpose()
    }

    fn begins(&mut self, value: &Value) -> Result<Beginning, Error> {
        let first = self.entry(value.first_entry)?;
        let started = first.time.saturating_sub(first.since_boot);
        let found = Beginning { boot: first.boot, started, ..Beginning::default() };
        if first.since_boot > BEGINNING {
            return Ok(found);
        }
        let entries = self.oldest(value, MOST_ENTRIES);
        let mut problem = entries.problem;
        for place in entries.places {
            match self.kernel_in(place) {
                Ok(None) => {}
                Ok(kernel) => return Ok(Beginning { kernel, problem: None, ..found }),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Ok(Beginning { problem, ..found })
    }

    /// What the kernel says of itself in an entry. Others may log the same words.
    fn kernel_in(&mut self, place: u64) -> Result<Option<String>, Error> {
        let entry = self.entry(place)?;
        if self.field(&entry, b"_TRANSPORT")?.as_deref() != Some(b"kernel") {
            return Ok(None);
        }
        let message = self.field(&entry, b"MESSAGE")?.unwrap_or_default();
        let is_kernel = message.starts_with(b"Linux version ");
        Ok(is_kernel.then(|| String::from_utf8_lossy(&message).into_owned()))
    }
}
