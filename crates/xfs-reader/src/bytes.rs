//! Big-endian numbers in byte slices. A slice that is too short reads as zero; callers check
//! lengths where that would be a wrong answer.

pub fn be16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |part| u16::from_be_bytes([part[0], part[1]]))
}

pub fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from(be16(bytes, at)) << 16 | u32::from(be16(bytes, at + 2))
}

pub fn be64(bytes: &[u8], at: usize) -> u64 {
    u64::from(be32(bytes, at)) << 32 | u64::from(be32(bytes, at + 4))
}

/// Sixteen bytes, as of a UUID.
pub fn uuid(bytes: &[u8], at: usize) -> [u8; 16] {
    std::array::from_fn(|index| bytes.get(at + index).copied().unwrap_or(0))
}
