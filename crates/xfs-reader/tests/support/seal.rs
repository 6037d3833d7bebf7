//! Checksums of version 5.

/// Writes the checksum of a structure at `at` in it.
pub fn seal(structure: &mut [u8], at: usize) {
    structure[at..at + 4].fill(0);
    let sum = crc32c::crc32c(structure);
    structure[at..at + 4].copy_from_slice(&sum.to_le_bytes());
}
