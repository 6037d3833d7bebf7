//! The volume's own table of upper case letters, by which names are sorted and found:
//! <https://flatcap.github.io/linux-ntfs/ntfs/files/upcase.html>.

use crate::bytes::units;
use crate::record::kind;
use crate::{Error, FileReference, Ntfs};
use std::cmp::Ordering;

const RECORD: u64 = 10;
const LETTERS: usize = 1 << 16;

pub struct Upcase {
    table: Vec<u16>,
    /// Whether the table is the volume's, so that the order of its indexes is known.
    pub is_own: bool,
}

impl Ntfs {
    /// The table, read when it is wanted first. One that is lost is replaced by Unicode's.
    pub(crate) fn upcase(&self) -> &Upcase {
        self.upcase.get_or_init(|| match self.read_upcase() {
            Ok(table) => Upcase { table, is_own: true },
            Err(_) => Upcase { table: (0..=u16::MAX).map(unicode).collect(), is_own: false },
        })
    }

    fn read_upcase(&self) -> Result<Vec<u16>, Error> {
        let file = self.file(FileReference(RECORD))?;
        let lost = file.corrupt("table of upper case letters without data: file");
        let data = file.table.find(kind::DATA, &[])?.ok_or(lost.clone())?;
        let table = units(&self.value(&file.table, data, 2 * LETTERS as u64)?);
        // A letter that is not its own upper case shows that these are not just zeroes.
        let sane = table.len() == LETTERS
            && table[usize::from(b'a')] == u16::from(b'A')
            && table[usize::from(b'A')] == u16::from(b'A');
        if sane { Ok(table) } else { Err(lost) }
    }
}

fn unicode(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(unit.into()) else { return unit };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => u16::try_from(u32::from(upper)).unwrap_or(unit),
        _ => unit,
    }
}

impl Upcase {
    fn upper(&self, unit: u16) -> u16 {
        self.table.get(usize::from(unit)).copied().unwrap_or(unit)
    }

    /// The order of names that are the same if only their case differs.
    pub fn compare(&self, one: &[u16], other: &[u16]) -> Ordering {
        let upper = |unit: &u16| self.upper(*unit);
        one.iter().map(upper).cmp(other.iter().map(upper))
    }

    /// The order of an index: names that differ only in case are told apart last.
    pub fn compare_exactly(&self, one: &[u16], other: &[u16]) -> Ordering {
        self.compare(one, other).then_with(|| one.cmp(other))
    }
}
