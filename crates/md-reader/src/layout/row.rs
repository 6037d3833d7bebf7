//! Computes the chunk of a missing member from the rest of its row.

use super::parity_place::{Algorithm, Row};
use super::{Member, galois};
use block_source::{BlockSource, ReadError};

/// Bytes that are computed at once, which bounds the memory it takes.
pub const MOST_AT_ONCE: usize = 64 << 10;

/// The same range of all members of one row.
pub struct Rebuild<'a> {
    pub members: &'a [Member],
    pub algorithm: Algorithm,
    pub row: Row,
    /// Byte on each member.
    pub offset: u64,
}

impl Rebuild<'_> {
    /// Fills `out`, of [`MOST_AT_ONCE`] at most, with what the member of the row's data should
    /// hold; `failed` is why it cannot be read.
    pub fn compute(&self, out: &mut [u8], failed: &ReadError) -> Result<(), ReadError> {
        let by_p = self.by_p(out);
        match (by_p, self.row.q) {
            (Err(_), Some(q)) => self.by_q(q, out).ok_or_else(|| self.too_few(failed)),
            (Err(_), None) => Err(self.too_few(failed)),
            (Ok(()), _) => Ok(()),
        }
    }

    /// The exclusive or of all others.
    fn by_p(&self, out: &mut [u8]) -> Result<(), ReadError> {
        let mut bytes = vec![0; out.len()];
        out.fill(0);
        for member in self.others().chain([self.row.p]) {
            self.read(member, &mut bytes)?;
            galois::add(out, &bytes, 1);
        }
        Ok(())
    }

    /// With Q, where P or the data of one more member are lost.
    fn by_q(&self, q: usize, out: &mut [u8]) -> Option<()> {
        let weights = self.algorithm.weights(&self.row, self.members.len());
        let weight = |member: usize| galois::power(weights[member].unwrap_or(0));
        let (mut plain, mut bytes) = (vec![0; out.len()], vec![0; out.len()]);
        let mut also_lost = None;
        self.read(q, out).ok()?;
        for member in self.others() {
            if self.read(member, &mut bytes).is_ok() {
                galois::add(&mut plain, &bytes, 1);
                galois::add(out, &bytes, weight(member));
            } else if also_lost.replace(member).is_some() {
                return None;
            }
        }
        let own = weight(self.row.data);
        // out = own * x
        let Some(other) = also_lost.map(weight) else {
            galois::scale(out, galois::inverse(own));
            return Some(());
        };
        // plain = x + y, out = own * x + other * y, so that x = (out + other * plain) / (own + other)
        self.read(self.row.p, &mut bytes).ok()?;
        galois::add(&mut plain, &bytes, 1);
        galois::add(out, &plain, other);
        galois::scale(out, galois::inverse(own ^ other));
        Some(())
    }

    /// Members with data of the row but the lost one.
    fn others(&self) -> impl Iterator<Item = usize> {
        let Row { data, p, q } = self.row;
        (0..self.members.len())
            .filter(move |member| *member != data && *member != p && Some(*member) != q)
    }

    fn read(&self, member: usize, bytes: &mut [u8]) -> Result<(), ReadError> {
        match self.members.get(member) {
            Some(Some(source)) => source.read_exact_at(self.offset, bytes),
            _ => Err(missing(member, self.offset)),
        }
    }

    fn too_few(&self, failed: &ReadError) -> ReadError {
        let why = format!("too few members of the row can be read; the first says: {failed}");
        ReadError::failed(self.offset, why)
    }
}

pub fn missing(member: usize, offset: u64) -> ReadError {
    ReadError::failed(offset, format!("member {member} of the array is missing"))
}
