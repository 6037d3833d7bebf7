//! How the bytes of an array lie on its members. The device mapper's RAID is the same code of the
//! kernel, so these serve readers of logical volumes too.
//!
//! A member that is not there is `None`: what lies only on it cannot be read, the rest can.

mod copies;
mod galois;
mod mirror;
mod parity;
mod parity_place;
mod raid0;
mod raid10;
mod row;
mod window;

pub use copies::{Copies, Layout, Place, Spot};
pub use mirror::{Linear, Mirror};
pub use parity::Parity;
pub use parity_place::Algorithm;
pub use raid0::{Raid0, ZoneOrder};
pub use raid10::Raid10;
pub use window::Window;

use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// One member, from where its data start.
pub type Member = Option<Arc<dyn BlockSource>>;

/// Pieces that one hint is cut into at most; the rest is not announced.
const MOST_PIECES: usize = 4096;

/// Ranges of each member, those that touch joined.
#[derive(Default)]
struct Wanted {
    members: Vec<Vec<Range<u64>>>,
    pieces: usize,
}

impl Wanted {
    fn full(&self) -> bool {
        self.pieces >= MOST_PIECES
    }

    fn add(&mut self, member: usize, offset: u64, length: u64) {
        self.pieces += 1;
        if member >= self.members.len() {
            self.members.resize_with(member + 1, Vec::new);
        }
        let ranges = &mut self.members[member];
        let end = offset.saturating_add(length);
        match ranges.last_mut() {
            Some(last) if last.end == offset => last.end = end,
            _ => ranges.push(offset..end),
        }
    }

    fn announce(&self, members: &[Member]) {
        for (ranges, member) in self.members.iter().zip(members) {
            if let (false, Some(member)) = (ranges.is_empty(), member) {
                member.will_need(ranges);
            }
        }
    }
}
