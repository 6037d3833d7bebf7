//! Values: `FIELD=value`, each once in a file, found by their hash or by the list of their field.

use crate::bytes::{array, le64};
use crate::error::{Error, corrupt};
use crate::header::Table;
use crate::journal::Journal;
use crate::object::{Kind, Object};
use crate::unpack;

/// Values in one bucket of a table, or of one field, that are looked at.
const MOST: usize = 4096;

/// Bytes that are counted for a value that could not be unpacked.
const FAILED: u64 = 64 << 10;

/// A value of a field, and the entries that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    pub(crate) at: u64,
    /// The first of its entries, zero if it has none.
    pub(crate) first_entry: u64,
    /// The first array of the others.
    pub(crate) entry_array: u64,
    /// Entries that have it, as the file counts them.
    pub entries: u64,
    hash: u64,
    next_in_bucket: u64,
    next_of_field: u64,
}

/// Values of a field, those added last first, and what kept it from being all.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// The values.
    pub values: Vec<Value>,
    /// Why there may be more.
    pub problem: Option<Error>,
}

impl Journal {
    /// The value that reads `FIELD=value`, if any entry has it.
    pub fn find(&mut self, value: &[u8]) -> Result<Option<Value>, Error> {
        let hash = self.header.hash.of(value);
        let mut at = self.bucket(self.header.data_table, hash)?;
        for _ in 0..MOST {
            if at == 0 {
                return Ok(None);
            }
            let (object, found) = self.value(at)?;
            if found.hash == hash && self.payload(&object)? == value {
                return Ok(Some(found));
            }
            at = following(at, found.next_in_bucket)?;
        }
        Err(corrupt("too many values with one hash", at))
    }

    /// The values of a field.
    pub fn values(&mut self, field: &[u8]) -> Values {
        let mut found = Values::default();
        found.problem = self.add_values(field, &mut found.values).err();
        found
    }

    fn add_values(&mut self, field: &[u8], values: &mut Vec<Value>) -> Result<(), Error> {
        let mut next = self.newest_of(field)?;
        while let Some(value) = next {
            if values.len() == MOST {
                return Err(corrupt("too many values of one field", value.at));
            }
            values.push(value);
            next = self.older(&value)?;
        }
        Ok(())
    }

    /// The value of the same field that was added before.
    pub(crate) fn older(&mut self, value: &Value) -> Result<Option<Value>, Error> {
        match value.next_of_field {
            0 => Ok(None),
            // Each new value is put before the others, which lie before it in the file.
            next if next < value.at => Ok(Some(self.value(next)?.1)),
            _ => Err(corrupt("a list of values that turns back", value.at)),
        }
    }

    /// The value of a field that was added last.
    pub(crate) fn newest_of(&mut self, field: &[u8]) -> Result<Option<Value>, Error> {
        match self.head_of(field)? {
            0 => Ok(None),
            at => Ok(Some(self.value(at)?.1)),
        }
    }

    /// Where that is, zero if there is none.
    fn head_of(&mut self, field: &[u8]) -> Result<u64, Error> {
        let hash = self.header.hash.of(field);
        let mut at = self.bucket(self.header.field_table, hash)?;
        for _ in 0..MOST {
            if at == 0 {
                return Ok(0);
            }
            let object = self.object(at, Kind::Field)?;
            if le64(&object.fixed, 16) == hash
                && object.rest() == field.len() as u64
                && self.pages.read(object.end_of_fixed(), field.len())? == field
            {
                return Ok(le64(&object.fixed, 32));
            }
            at = following(at, le64(&object.fixed, 24))?;
        }
        Err(corrupt("too many fields with one hash", at))
    }

    /// Where the first object with a hash is.
    fn bucket(&mut self, table: Table, hash: u64) -> Result<u64, Error> {
        let buckets = table.length / 16;
        let bucket = hash.checked_rem(buckets).ok_or_else(|| corrupt("no hash table", table.at))?;
        let at = table.at.checked_add(bucket * 16);
        let at = at.ok_or_else(|| corrupt("a hash table at a wrong place", table.at))?;
        Ok(u64::from_le_bytes(array(&self.pages.read(at, 8)?, 0)))
    }

    pub(crate) fn value(&mut self, at: u64) -> Result<(Object, Value), Error> {
        let object = self.object(at, Kind::Data)?;
        let number = |place| le64(&object.fixed, place);
        let value = Value {
            at,
            hash: number(16),
            next_in_bucket: number(24),
            next_of_field: number(32),
            first_entry: number(40),
            entry_array: number(48),
            entries: number(56),
        };
        Ok((object, value))
    }

    /// All of what a value reads, unpacked: `FIELD=value`.
    pub fn text(&mut self, value: &Value) -> Result<Vec<u8>, Error> {
        let object = self.object(value.at, Kind::Data)?;
        self.payload(&object)
    }

    pub(crate) fn payload(&mut self, object: &Object) -> Result<Vec<u8>, Error> {
        let too_large = Error::TooLarge { most: unpack::MOST as u64, at: object.at };
        let length = usize::try_from(object.rest()).ok().filter(|it| *it <= unpack::MOST);
        let length = length.ok_or(too_large)?;
        self.pages.charge(length as u64)?;
        let bytes = self.pages.read(object.end_of_fixed(), length)?;
        let unpacked = unpack::unpack(object.flags, bytes, object.at);
        // How much was unpacked of one that failed is not known.
        self.pages.charge(unpacked.as_ref().map_or(FAILED, |bytes| bytes.len() as u64))?;
        unpacked
    }

    /// What a value reads, if it is one of a field; of others only the start is read.
    pub(crate) fn of_field(&mut self, at: u64, field: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let object = self.object(at, Kind::Data)?;
        let is_of = |text: &[u8]| text.strip_prefix(field).is_some_and(|it| it.starts_with(b"="));
        if object.flags & unpack::PACKED == 0 {
            let length = object.rest().min(field.len() as u64 + 1) as usize;
            if !is_of(&self.pages.read(object.end_of_fixed(), length)?) {
                return Ok(None);
            }
        }
        let mut text = self.payload(&object)?;
        let is_of = is_of(&text);
        Ok(is_of.then(|| text.split_off(field.len() + 1)))
    }
}

/// Objects of one bucket follow one another in the file, so that no list of them ends nowhere.
fn following(at: u64, next: u64) -> Result<u64, Error> {
    if next == 0 || next > at {
        return Ok(next);
    }
    Err(corrupt("a list of one hash that turns back", at))
}
