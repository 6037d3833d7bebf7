//! Files: what is known of them without reading their data.

use crate::attribute::Attribute;
use crate::bytes::{u32_at, u64_at, units};
use crate::error::Damage;
use crate::record::{Record, kind};
use crate::reparse::{self, Reparse};
use crate::table::Table;
use crate::{Error, Ntfs, name};
use std::ops::Range;

/// Number of the root directory's record.
pub const ROOT: u64 = 5;
/// Records before this one are the system's own.
pub const FIRST_USER: u64 = 16;
const SYSTEM: u32 = 0x4;
/// Namespace of the short names that Windows makes for DOS.
pub const DOS: u8 = 2;

/// Number of a file's record, and in the upper 16 bits how often that record was used: a
/// reference to a file that was deleted since does not lead to the next one. Sequence 0 leads to
/// whichever file has the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileReference(pub u64);

impl FileReference {
    pub(crate) fn new(number: u64, sequence: u16) -> Self {
        Self(u64::from(sequence) << 48 | number & 0xffff_ffff_ffff)
    }

    /// Number of the record.
    pub fn number(self) -> u64 {
        self.0 & 0xffff_ffff_ffff
    }

    /// Sequence number.
    pub fn sequence(self) -> u16 {
        (self.0 >> 48) as u16
    }
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link or junction.
    Symlink,
    /// Pipe, of WSL.
    Fifo,
    /// Socket, of Windows or WSL.
    Socket,
    /// Character device, of WSL or Interix.
    CharDevice,
    /// Block device, of WSL or Interix.
    BlockDevice,
}

/// Seconds since 1970, which may be negative, and nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Nanoseconds, in steps of 100.
    pub nanoseconds: u32,
}

impl Time {
    /// On disk: a signed number of 100 ns since 1601.
    fn parse(stored: u64) -> Self {
        const TICKS: i64 = 10_000_000;
        const FROM_1601_TO_1970: i64 = 11_644_473_600;
        let ticks = stored.cast_signed();
        let nanoseconds = ticks.rem_euclid(TICKS) as u32 * 100;
        Self { seconds: ticks.div_euclid(TICKS) - FROM_1601_TO_1970, nanoseconds }
    }
}

/// One of the names of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The directory that holds it.
    pub parent: FileReference,
    /// The name, WTF-8.
    pub name: Vec<u8>,
    /// Whether it is only the short form of another name.
    pub is_dos: bool,
}

/// A named stream of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// The name, WTF-8.
    pub name: Vec<u8>,
    /// Size in bytes; `None` if the record that says it was lost.
    pub size: Option<u64>,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct File {
    /// Its number, with the sequence number that it has.
    pub reference: FileReference,
    /// Kind.
    pub kind: Kind,
    /// Size of its data in bytes.
    pub size: u64,
    /// Creation.
    pub created: Time,
    /// Last change of the data.
    pub modified: Time,
    /// Last change of the record.
    pub changed: Time,
    /// Last access.
    pub accessed: Time,
    /// Attributes as Windows tells them (`FILE_ATTRIBUTE_…`): read-only is 1, hidden is 2, system
    /// is 4.
    pub attributes: u32,
    /// Number of its security descriptor; none on old volumes.
    pub security_id: Option<u32>,
    /// Records of the file that could not be read. What stands in them is an error when it is
    /// asked for.
    pub damage: Damage,
    pub(crate) reparse: Result<Option<Reparse>, Error>,
    pub(crate) table: Table,
}

impl Ntfs {
    /// Reads a file's records.
    pub fn file(&self, reference: FileReference) -> Result<File, Error> {
        let record = self.mft.read(&self.disk, reference.number())?;
        record.check_base(reference)?;
        let mut table = Table::new(&record)?;
        table.follow_list(&self.disk, &self.mft);
        self.build(&record, table)
    }

    /// The device ranges that hold a file's own record. Records that go on with it are not known until
    /// that one is read.
    pub fn record_ranges(&self, reference: FileReference) -> Result<Vec<Range<u64>>, Error> {
        self.mft.ranges(&self.disk, reference.number())
    }

    fn build(&self, record: &Record, table: Table) -> Result<File, Error> {
        let information = table.find(kind::STANDARD_INFORMATION, &[])?;
        let lost = Error::corrupt("file without its times and flags", record.number);
        let information = self.value(&table, information.ok_or(lost)?, 1 << 10)?;
        let time = |at| Time::parse(u64_at(&information, at));
        let reparse = self.read_reparse(&table);
        let mut file = File {
            reference: record.reference(),
            kind: if record.is_directory() { Kind::Directory } else { Kind::File },
            size: size(&table).unwrap_or(0),
            created: time(0),
            modified: time(8),
            changed: time(0x10),
            accessed: time(0x18),
            attributes: u32_at(&information, 0x20),
            security_id: (information.len() >= 0x38).then(|| u32_at(&information, 0x34)),
            damage: table.damage.clone(),
            reparse,
            table,
        };
        file.kind = self.kind(&file);
        Ok(file)
    }

    fn read_reparse(&self, table: &Table) -> Result<Option<Reparse>, Error> {
        let Some(point) = table.find(kind::REPARSE_POINT, &[])? else { return Ok(None) };
        let bytes = self.value(table, point, reparse::MOST_BYTES)?;
        Reparse::parse(&bytes, table.base).map(Some)
    }

    fn kind(&self, file: &File) -> Kind {
        if let Ok(Some(point)) = &file.reparse
            && let Some(kind) = point.kind()
        {
            return kind;
        }
        if file.kind == Kind::File && file.attributes & SYSTEM != 0 {
            return self.interix_kind(file).unwrap_or(Kind::File);
        }
        file.kind
    }

    /// The value of an attribute that has to be small.
    pub(crate) fn value(
        &self,
        table: &Table,
        attribute: &Attribute,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        table.whole(&self.disk, &self.mft, attribute, most)
    }

    /// Where the first record of a file is, so that many can be asked for at once.
    pub fn locate(&self, reference: FileReference) -> Result<Vec<Range<u64>>, Error> {
        self.mft.ranges(&self.disk, reference.number())
    }
}

fn size(table: &Table) -> Option<u64> {
    table.find(kind::DATA, &[]).ok()??.size()
}

impl File {
    /// All names that the file has: one each, or two if Windows made a short form too.
    pub fn names(&self) -> Vec<Name> {
        let values = self.table.of_kind(kind::FILE_NAME).filter_map(Attribute::resident);
        values.filter_map(|value| FileName::parse(value).map(Name::from)).collect()
    }

    /// Hard links: names, without the short forms of other names.
    pub fn links(&self) -> u64 {
        self.names().iter().filter(|name| !name.is_dos).count() as u64
    }

    /// The streams of the file that have a name.
    pub fn streams(&self) -> Vec<Stream> {
        let data = self.table.of_kind(kind::DATA).filter(|data| !data.name.is_empty());
        data.map(|data| Stream { name: name::to_wtf8(&data.name), size: data.size() }).collect()
    }

    /// The reparse point of the file, if it is one.
    pub fn reparse(&self) -> Result<Option<&Reparse>, Error> {
        self.reparse.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    pub(crate) fn corrupt(&self, what: &'static str) -> Error {
        Error::corrupt(what, self.reference.number())
    }
}

/// The value of a name attribute, which is the key of a directory's index too:
/// <https://flatcap.github.io/linux-ntfs/ntfs/attributes/file_name.html>.
pub struct FileName {
    pub parent: FileReference,
    pub name: Vec<u16>,
    pub namespace: u8,
}

impl FileName {
    pub fn parse(value: &[u8]) -> Option<Self> {
        let length = usize::from(*value.get(0x40)?) * 2;
        let name = units(value.get(0x42..0x42 + length)?);
        let parent = FileReference(u64_at(value, 0));
        (!name.is_empty()).then_some(Self { parent, name, namespace: value[0x41] })
    }
}

impl From<FileName> for Name {
    fn from(stored: FileName) -> Self {
        Self {
            parent: stored.parent,
            name: name::to_wtf8(&stored.name),
            is_dos: stored.namespace == DOS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of Microsoft's own conversion (`FileTimeToUnixTime` of known instants).
    #[test]
    fn times_before_and_after_1970() {
        let cases = [
            (0, -11_644_473_600, 0),
            (116_444_736_000_000_000, 0, 0),
            (116_444_735_999_999_999, -1, 999_999_900),
            (132_223_104_000_000_001, 1_577_836_800, 100),
        ];
        for (stored, seconds, nanoseconds) in cases {
            assert_eq!(Time::parse(stored), Time { seconds, nanoseconds });
        }
    }
}
