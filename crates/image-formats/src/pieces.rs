//! A read over a disk that is kept in chunks, split where the chunks end.

use block_source::ReadError;

/// The part of a read that lies in one chunk.
pub struct Piece<'a> {
    /// Which chunk of the disk.
    pub chunk: u64,
    /// Where the part begins in the chunk.
    pub inside: u64,
    /// Where it begins on the disk.
    pub at: u64,
    /// What is to be filled.
    pub target: &'a mut [u8],
}

/// Gives `read` the parts of a read of `out.len()` bytes from `offset`, in order.
pub fn pieces(
    offset: u64,
    mut out: &mut [u8],
    chunk: u64,
    mut read: impl FnMut(&mut Piece<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut at = offset;
    while !out.is_empty() {
        let inside = at % chunk;
        let left = usize::try_from(chunk - inside).unwrap_or(usize::MAX);
        let (target, behind) = out.split_at_mut(left.min(out.len()));
        let length = target.len() as u64;
        read(&mut Piece { chunk: at / chunk, inside, at, target })?;
        out = behind;
        at += length;
    }
    Ok(())
}
