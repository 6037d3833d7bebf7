//! vdi images of VirtualBox: dynamic and fixed ones. One that stands on a parent is refused.
//!
//! ```text
//! 0x40 signature, version, header size, type (1 dynamic, 2 fixed, 3 undo, 4 differencing)
//! 0x154 place of the map, 0x158 place of the blocks, 0x170 disk size, 0x178 block size,
//! 0x17c bytes before each block, 0x180 blocks, 0x1a8 UUID of the parent
//! ```

use crate::bytes::{le32, le64};
use crate::error::Error;
use crate::folder::Surroundings;
use crate::format::Edges;
use crate::layer::{Bytes, Layer, MOST_BYTES, Written};
use crate::pieces::{Piece, pieces};
use block_source::{BlockSource, ReadError, check_bounds};
use std::sync::Arc;

/// Before it stands a text that each program writes as it likes.
const SIGNATURE: &[u8] = b"\x7f\x10\xda\xbe";
/// From here on an entry says that a block holds nothing.
const NOTHING: u32 = 0xffff_fffe;

/// Whether the file starts as a vdi image.
pub fn claims(edges: &Edges) -> bool {
    edges.has(0x40, SIGNATURE)
}

/// Opens a vdi image.
pub fn open(file: Bytes, _: &Surroundings) -> Result<Bytes, Error> {
    let mut head = [0; 512];
    if file.size() < 512 {
        return Error::corrupt("header cut off", 0);
    }
    file.read_exact_at(0, &mut head)?;
    let (version, kind) = (le32(&head, 0x44), le32(&head, 0x4c));
    if version != 0x0001_0001 {
        return Err(Error::unsupported(format!("vdi version {version:#x}")));
    }
    if !(1..=2).contains(&kind) || head[0x1a8..0x1b8].iter().any(|byte| *byte != 0) {
        return Err(Error::unsupported("a vdi that stands on a parent"));
    }
    let vdi = Vdi {
        size: le64(&head, 0x170),
        block: u64::from(le32(&head, 0x178)),
        extra: u64::from(le32(&head, 0x17c)),
        map: u64::from(le32(&head, 0x154)),
        data: u64::from(le32(&head, 0x158)),
        file,
    };
    vdi.check(u64::from(le32(&head, 0x180)))?;
    Ok(Arc::new(vdi))
}

struct Vdi {
    file: Bytes,
    size: u64,
    block: u64,
    extra: u64,
    map: u64,
    data: u64,
}

impl Vdi {
    fn check(&self, blocks: u64) -> Result<(), Error> {
        if self.size > MOST_BYTES {
            return Err(Error::unsupported(format!("a disk of {} bytes", self.size)));
        }
        let sizes = 512..=256 << 20;
        if !self.block.is_power_of_two() || !sizes.contains(&self.block) || self.extra > self.block
        {
            return Error::corrupt("block size out of range", 0x178);
        }
        let wanted = self.size.div_ceil(self.block);
        if blocks < wanted || self.map + wanted * 4 > self.file.size() {
            return Error::corrupt("map of blocks out of range", 0x154);
        }
        Ok(())
    }

    fn read_piece(&self, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let mut entry = [0; 4];
        self.file.read_exact_at(self.map + piece.chunk * 4, &mut entry)?;
        let index = le32(&entry, 0);
        if index >= NOTHING {
            piece.target.fill(0);
            return Ok(());
        }
        self.file.read_exact_at(self.place(index) + piece.inside, piece.target)
    }

    /// Where the bytes of a block are.
    fn place(&self, index: u32) -> u64 {
        self.data + u64::from(index) * (self.block + self.extra) + self.extra
    }
}

impl BlockSource for Vdi {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        pieces(offset, out, self.block, |piece| self.read_piece(piece))
    }
}

impl Layer for Vdi {
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let mut map = vec![0; 4096];
        let blocks = self.size.div_ceil(self.block);
        for first in (0..blocks).step_by(1024) {
            let count = (blocks - first).min(1024) as usize;
            written.may_read(4096)?;
            self.file.read_exact_at(self.map + first * 4, &mut map[..count * 4]).ok()?;
            for (index, entry) in map[..count * 4].chunks_exact(4).enumerate() {
                if le32(entry, 0) < NOTHING {
                    let start = (first + index as u64) * self.block;
                    let length = self.block.min(self.size - start);
                    let end = self.place(le32(entry, 0)).checked_add(length);
                    written.needs(&*self.file, end, length);
                    written.add(start, self.block);
                }
            }
        }
        Some(())
    }
}
