//! Finding a name. An index is sorted, so that a name is found by reading one node of each level.

use crate::directory::check_directory;
use crate::error::Damage;
use crate::file::{File, FileReference};
use crate::index::{Index, IndexEntry};
use crate::log::Log;
use crate::{Error, Ntfs, name};
use std::cmp::Ordering;

/// More levels than any sound index has.
const MOST_LEVELS: u32 = 16;

/// What the way through an index has shown.
enum Verdict {
    Found(FileReference),
    Absent,
    /// The index contradicts itself, so that the name may be elsewhere.
    Unsure,
}

/// Whether a name that differs only in case will do.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Folded,
    Exact,
}

type Order<'a> = &'a dyn Fn(&[u16]) -> Ordering;

impl Ntfs {
    /// The file that a directory gives a name to: the name itself if it is there, else one that
    /// differs only in case. Short names of DOS and the system's files are found too; `.` and `..`
    /// are no names.
    ///
    /// The directory is asked through its index, which reads a few nodes. Where the index is
    /// damaged, or cannot be trusted to deny a name (a log that was not replayed, a table of upper
    /// case letters that was lost), all of the directory is read. `Ok(None)` says that wherever the
    /// name could stand was sound: if a name was not found and something there was damaged, that
    /// is the error.
    pub fn lookup(&self, directory: &File, name: &[u8]) -> Result<Option<FileReference>, Error> {
        self.look_up(directory, name, Case::Folded)
    }

    /// The same, but only for the name itself: what Windows finds in directories that tell case
    /// apart.
    pub fn lookup_exact(
        &self,
        directory: &File,
        name: &[u8],
    ) -> Result<Option<FileReference>, Error> {
        self.look_up(directory, name, Case::Exact)
    }

    fn look_up(
        &self,
        directory: &File,
        name: &[u8],
        case: Case,
    ) -> Result<Option<FileReference>, Error> {
        check_directory(directory)?;
        let Some(name) = name::from_wtf8(name).filter(|_| is_name(name)) else { return Ok(None) };
        match self.ask_index(directory, &name, case) {
            Ok(Verdict::Found(file)) => Ok(Some(file)),
            Ok(Verdict::Absent) if self.may_deny() => Ok(None),
            _ => self.scan(directory, &name, case),
        }
    }

    fn may_deny(&self) -> bool {
        let sound = self.volume.as_ref().is_ok_and(|volume| !volume.is_dirty());
        sound && matches!(self.log, Log::Clean) && self.upcase().is_own
    }

    fn ask_index(&self, directory: &File, name: &[u16], case: Case) -> Result<Verdict, Error> {
        let mut damage = Damage::default();
        let index = self.index(directory, &mut damage)?;
        let upcase = self.upcase();
        let exact = self.descend(&index, &|entry| upcase.compare_exactly(name, entry))?;
        match exact {
            Verdict::Absent if case == Case::Folded => {
                self.descend(&index, &|entry| upcase.compare(name, entry))
            }
            verdict => Ok(verdict),
        }
    }

    /// Follows the way to the first entry that is equal.
    fn descend(&self, index: &Index, order: Order) -> Result<Verdict, Error> {
        let mut node = index.root.clone();
        let mut found = Verdict::Absent;
        for _ in 0..MOST_LEVELS {
            let Some(next) = first_not_before(index, &node, order)? else {
                return Ok(Verdict::Unsure);
            };
            // Of names that are the same but for case, others may be further left.
            if let Some((stored, file)) = &next.named
                && order(&stored.name) == Ordering::Equal
            {
                found = Verdict::Found(*file);
            }
            match next.child {
                Some(child) => node = self.read_node(index, child)?,
                None => return Ok(found),
            }
        }
        Ok(Verdict::Unsure)
    }

    /// Reads all of the directory.
    fn scan(
        &self,
        directory: &File,
        name: &[u16],
        case: Case,
    ) -> Result<Option<FileReference>, Error> {
        let (mut exact, mut alike) = (None, None);
        let upcase = self.upcase();
        let damage = self.visit(directory, &mut |stored, file| {
            if stored.name == name {
                exact = Some(file);
            } else if case == Case::Folded && upcase.compare(&stored.name, name) == Ordering::Equal
            {
                alike = alike.or(Some(file));
            }
        })?;
        match damage.reasons.into_iter().next() {
            Some(reason) if exact.or(alike).is_none() => Err(reason),
            _ => Ok(exact.or(alike)),
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// The first entry of a node that the name does not come after; `None` if the node has no end.
fn first_not_before(index: &Index, node: &[u8], order: Order) -> Result<Option<IndexEntry>, Error> {
    for entry in index.entries(node) {
        let entry = entry?;
        let Some((stored, _)) = &entry.named else { return Ok(Some(entry)) };
        if order(&stored.name) != Ordering::Greater {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}
