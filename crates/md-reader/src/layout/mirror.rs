//! Members that all hold the same, and members that follow each other.

use super::{Layout, Place, Spot};

/// Every member holds all.
pub struct Mirror {
    /// Bytes of each.
    pub size: u64,
    /// Members in the order in which they are asked.
    pub order: Vec<usize>,
}

impl Layout for Mirror {
    fn size(&self) -> u64 {
        self.size
    }

    fn place(&self, at: u64) -> Place {
        let copies = self.order.iter().map(|member| Spot { member: *member, offset: at }).collect();
        Place { copies, left: self.size.saturating_sub(at) }
    }
}

/// Each member holds what follows on the one before.
pub struct Linear {
    /// Where each member starts in the array, ascending from zero, and then where the last ends.
    starts: Vec<u64>,
}

impl Linear {
    /// Takes the bytes of each member; `None` if they are too many.
    pub fn new(lengths: &[u64]) -> Option<Self> {
        let mut starts = vec![0u64];
        for length in lengths {
            starts.push(starts.last()?.checked_add(*length)?);
        }
        Some(Self { starts })
    }
}

impl Layout for Linear {
    fn size(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    fn place(&self, at: u64) -> Place {
        // The last that starts here or before, so that empty members are passed over.
        let member = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let (start, end) = (self.starts[member], self.starts.get(member + 1).copied());
        let left = end.unwrap_or(at).saturating_sub(at);
        Place { copies: vec![Spot { member, offset: at - start }], left }
    }
}
