//! Little-endian numbers in byte slices. A slice that is too short reads as zero, which is what
//! fields past the end of an old, short structure mean.

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |part| u16::from_le_bytes([part[0], part[1]]))
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// A 64-bit number kept as two halves.
pub fn joined(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A big-endian number, as journals have them.
pub fn be32_at(bytes: &[u8], at: usize) -> u32 {
    u32_at(bytes, at).swap_bytes()
}

/// A big-endian number of 64 bits.
pub fn be64_at(bytes: &[u8], at: usize) -> u64 {
    joined(be32_at(bytes, at + 4), be32_at(bytes, at))
}
