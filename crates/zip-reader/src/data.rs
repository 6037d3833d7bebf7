//! What an entry holds.

use crate::MOST_EXPANSION;
use crate::entries::Entry;
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::ops::Range;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Bytes of the device that are read at once.
const PIECE: u64 = 64 << 10;
/// Bytes that are told before they are read, once what was told is half read.
const STEP: u64 = 4 << 20;
/// Bytes that may come out of few.
const SMALL: u64 = 1 << 20;
/// Bytes of room that are made at once.
const ROOM: u64 = 64 << 10;

/// Whether an entry is one that is read, by what the directory says of it.
pub fn check(entry: &Entry, most: u64) -> Result<(), Error> {
    let limit = |what: String| Err(Error::Limit { what });
    let (size, packed) = (entry.size, entry.packed);
    if entry.flags & 1 != 0 {
        return Err(unsupported("an encrypted entry"));
    }
    if size > most {
        return limit(format!("an entry of {size} bytes, more than the {most} that are read"));
    }
    match entry.method {
        STORED if size != packed => Err(corrupt("a stored entry of two sizes", entry.header)),
        DEFLATED if size > SMALL && size / MOST_EXPANSION > packed => limit(format!(
            "an entry of {size} bytes packed in {packed}, more than {MOST_EXPANSION} times as many"
        )),
        STORED | DEFLATED => Ok(()),
        method => Err(unsupported(format!("compression method {method}"))),
    }
}

/// All that an entry holds, whose packed bytes are at `range`; what is given is what the directory
/// says, or it is an error.
pub fn read(source: &dyn BlockSource, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, Error> {
    let mut inflate = (entry.method == DEFLATED).then(|| Decompress::new(false));
    let (mut out, mut at) = (Vec::new(), range.start);
    let (mut is_end, mut told) = (false, range.start + PIECE);
    while at < range.end && !is_end {
        if told < range.end && at + STEP / 2 >= told {
            let next = (at + STEP).min(range.end);
            source.will_need(std::slice::from_ref(&(at..next)));
            told = next;
        }
        let mut piece = vec![0; PIECE.min(range.end - at) as usize];
        source.read_exact_at(at, &mut piece)?;
        at += piece.len() as u64;
        match &mut inflate {
            None => out.append(&mut piece),
            Some(inflate) => is_end = unpack(inflate, &piece, &mut out, entry)?,
        }
    }
    let mut crc = Crc::new();
    crc.update(&out);
    // A fuzzer would not come past it.
    let is_wrong = crc.sum() != entry.crc && !cfg!(fuzzing);
    if out.len() as u64 != entry.size || is_wrong {
        return Err(corrupt("an entry with another size or checksum than it says", entry.header));
    }
    Ok(out)
}

/// Unpacks a piece; whether that was the end of the stream.
fn unpack(
    inflate: &mut Decompress,
    piece: &[u8],
    out: &mut Vec<u8>,
    entry: &Entry,
) -> Result<bool, Error> {
    let damage = || corrupt("a deflated entry", entry.header);
    let mut taken = 0;
    loop {
        // One byte more than it says, so that a longer one is seen.
        let room = entry.size.saturating_add(1).saturating_sub(out.len() as u64).min(ROOM);
        if room == 0 {
            return Err(corrupt("an entry longer than it says", entry.header));
        }
        if ((out.capacity() - out.len()) as u64) < room {
            out.reserve(room as usize);
        }
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress_vec(&piece[taken..], out, FlushDecompress::None)
            .map_err(|_| damage())?;
        taken += (inflate.total_in() - before_in) as usize;
        let came = inflate.total_out() - before_out;
        match status {
            Status::StreamEnd => return Ok(true),
            _ if taken == piece.len() && came == 0 => return Ok(false),
            _ if inflate.total_in() == before_in && came == 0 => return Err(damage()),
            _ => {}
        }
    }
}
