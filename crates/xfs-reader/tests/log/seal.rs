//! Checksums of log records made anew, so that damage inside a record gets past them.

const BLOCK: usize = 512;
const MAGIC: [u8; 4] = [0xfe, 0xed, 0xba, 0xbe];
const CHECKSUM: usize = 32;

/// The records of a log that does not run around its end: for each its place and length.
pub fn records(log: &[u8]) -> Vec<(usize, usize)> {
    let mut records = Vec::new();
    for at in (0..log.len()).step_by(BLOCK) {
        let length = word(log, at + 12);
        if log[at..at + 4] == MAGIC && length > 0 {
            let whole = headers(log, at) * BLOCK + length;
            if at + whole <= log.len() {
                records.push((at, whole));
            }
        }
    }
    records
}

/// The checksum that a record should have.
pub fn checksum(log: &[u8], at: usize) -> [u8; 4] {
    let length = word(log, at + 12);
    let sum = crc32c::crc32c(&log[at..at + CHECKSUM]);
    let sum = crc32c::crc32c_append(sum, &[0; 4]);
    let mut sum = crc32c::crc32c_append(sum, &log[at + CHECKSUM + 4..at + 328]);
    for header in 1..length.div_ceil(32 << 10) {
        let at = at + header * BLOCK;
        sum = crc32c::crc32c_append(sum, &log[at..at + 260]);
    }
    let data = at + headers(log, at) * BLOCK;
    crc32c::crc32c_append(sum, &log[data..data + length]).to_le_bytes()
}

pub fn headers(log: &[u8], at: usize) -> usize {
    word(log, at + 320).div_ceil(32 << 10).max(1)
}

fn word(log: &[u8], at: usize) -> usize {
    u32::from_be_bytes(log[at..at + 4].try_into().unwrap()) as usize
}
