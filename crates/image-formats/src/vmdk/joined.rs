//! A disk in many files, one behind the other.

use crate::error::Error;
use crate::layer::{Bytes, Layer, MOST_BYTES, Written};
use block_source::{BlockSource, ReadError, check_bounds};

/// The parts in order.
#[derive(Default)]
pub struct Joined {
    parts: Vec<Joint>,
    size: u64,
}

struct Joint {
    start: u64,
    /// `None` reads as zeroes.
    source: Option<Bytes>,
}

impl Joined {
    /// Adds so many sectors of a source.
    pub fn add(&mut self, sectors: u64, source: Option<Bytes>) -> Result<(), Error> {
        let end = sectors.checked_mul(512).and_then(|length| self.size.checked_add(length));
        let Some(end) = end.filter(|end| *end <= MOST_BYTES) else {
            return Err(Error::unsupported("a vmdk of more than 64 TiB"));
        };
        if sectors != 0 {
            self.parts.push(Joint { start: self.size, source });
        }
        self.size = end;
        Ok(())
    }
}

impl BlockSource for Joined {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        let (mut at, mut out) = (offset, out);
        let mut index = self.parts.partition_point(|part| part.start <= offset).saturating_sub(1);
        while !out.is_empty() {
            let end = self.parts.get(index + 1).map_or(self.size, |next| next.start);
            let left = usize::try_from(end - at).unwrap_or(usize::MAX).min(out.len());
            let (target, behind) = out.split_at_mut(left);
            let part = &self.parts[index];
            match &part.source {
                Some(source) => source.read_exact_at(at - part.start, target)?,
                None => target.fill(0),
            }
            (at, out, index) = (at + left as u64, behind, index + 1);
        }
        Ok(())
    }
}

impl Layer for Joined {
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let shift = written.shift;
        let mut counted = Some(());
        for part in &self.parts {
            written.shift = shift + part.start;
            if let Some(source) = &part.source {
                // What is missing of the others is to be told too.
                counted = counted.and(source.note_written(written));
            }
        }
        written.shift = shift;
        counted
    }
}
