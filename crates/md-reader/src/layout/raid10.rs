//! Mirrored stripes: near copies stand side by side, far copies in another part of the members,
//! offset copies in the next row. As `__raid10_find_phys` in the kernel's `drivers/md/raid10.c`.

use super::{Layout, Place, Spot};

/// The layout of a raid10.
pub struct Raid10 {
    chunk: u64,
    members: u64,
    near: u64,
    far: u64,
    offset: bool,
    /// Far copies stay inside sets of so many members.
    far_set: u64,
    /// Bytes between a copy and the next far one.
    stride: u64,
    size: u64,
}

impl Raid10 {
    /// Takes the chunk in bytes, the number that md keeps as layout, how many members there are
    /// and the bytes on each. `None` if they are no raid10.
    pub fn new(chunk: u64, layout: u32, members: u32, member_size: u64) -> Option<Self> {
        let (near, far) = (u64::from(layout & 0xff), u64::from(layout >> 8 & 0xff));
        let offset = layout & 1 << 16 != 0;
        let members = u64::from(members);
        let copies = near * far;
        if chunk == 0 || copies == 0 || copies > members {
            return None;
        }
        let far_set = match layout >> 17 {
            0 => members,
            1 => members / far,
            2 => far * near,
            _ => return None,
        };
        let chunks = (member_size / chunk / far).checked_mul(members)? / near;
        let used = chunks.checked_mul(copies)?.div_ceil(members);
        let stride = if offset { chunk } else { used / far * chunk };
        let size = chunks.checked_mul(chunk)?;
        // The last far copy ends inside the member's size: no offset below can overflow.
        let reach = (used + 1).checked_mul(chunk)?.checked_mul(far)?;
        let fits = far_set > 0 && reach.checked_add(stride.checked_mul(far)?).is_some();
        fits.then_some(Self { chunk, members, near, far, offset, far_set, stride, size })
    }

    /// Whether every byte has a copy on a member that is not lost. The pattern repeats after as
    /// many chunks as there are members.
    pub fn survives(&self, lost: &[bool]) -> bool {
        let chunks = (0..self.members).map(|index| index * self.chunk);
        let kept = |member: usize| lost.get(member).is_some_and(|lost| !lost);
        chunks
            .take_while(|at| *at < self.size)
            .all(|at| self.place(at).copies.iter().any(|spot| kept(spot.member)))
    }

    /// The member that bears the next far copy.
    fn next_far(&self, member: u64) -> u64 {
        let last_set = (self.members / self.far_set - 1) * self.far_set;
        let uneven = self.members % self.far_set;
        let next = member + self.near;
        if uneven != 0 && next > last_set {
            (next - last_set) % (self.far_set + uneven) + last_set
        } else {
            next % self.far_set + member / self.far_set * self.far_set
        }
    }
}

impl Layout for Raid10 {
    fn size(&self) -> u64 {
        self.size
    }

    fn place(&self, at: u64) -> Place {
        let within = at % self.chunk;
        let turn = at / self.chunk * self.near;
        let row = turn / self.members * if self.offset { self.far } else { 1 };
        let (mut member, mut offset) = (turn % self.members, row * self.chunk + within);
        let mut copies = Vec::with_capacity((self.near * self.far) as usize);
        for _ in 0..self.near {
            let (mut holder, mut place) = (member, offset);
            copies.push(Spot { member: holder as usize, offset: place });
            for _ in 1..self.far {
                holder = self.next_far(holder);
                place += self.stride;
                copies.push(Spot { member: holder as usize, offset: place });
            }
            member += 1;
            if member == self.members {
                (member, offset) = (0, offset + self.chunk);
            }
        }
        Place { copies, left: self.chunk - within }
    }
}
