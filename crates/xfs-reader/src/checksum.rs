//! Checksums of version 5 metadata: CRC-32C of the whole structure, with its own four bytes taken
//! as zeroes. Stored little-endian, unlike all other numbers of XFS.

/// The checksum that a structure should have whose checksum field is at `at`.
pub fn checksum(bytes: &[u8], at: usize) -> u32 {
    let sum = crc32c::crc32c(&bytes[..at]);
    let sum = crc32c::crc32c_append(sum, &[0; 4]);
    crc32c::crc32c_append(sum, &bytes[at + 4..])
}

/// Whether the checksum at `at` holds; never for a structure too short to have one.
pub fn holds(bytes: &[u8], at: usize) -> bool {
    let Some(stored) = bytes.get(at..at + 4) else { return false };
    stored == checksum(bytes, at).to_le_bytes()
}
