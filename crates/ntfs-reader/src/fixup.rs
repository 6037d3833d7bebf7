//! Protection against torn writes. The last two bytes of each 512 bytes of a record are replaced
//! by a number that is the same in all of them; the true bytes are kept in the record's head:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/fixup.html>.

use crate::bytes::u16_at;

/// The step of the protection, whatever the size of the device's sectors.
const STRIDE: usize = 512;

/// Puts the true bytes back, if the record bears `magic` and was written as a whole.
pub fn undo(record: &mut [u8], magic: [u8; 4]) -> Result<(), &'static str> {
    if !record.starts_with(&magic) {
        return Err(if record.starts_with(b"BAAD") {
            "record that was marked as bad"
        } else {
            "record without its magic"
        });
    }
    let start = usize::from(u16_at(record, 4));
    let count = usize::from(u16_at(record, 6));
    let sectors = record.len() / STRIDE;
    if start % 2 != 0 || start < 8 || start + count * 2 > STRIDE - 2 || count != sectors + 1 {
        return Err("record whose fixups are out of range");
    }
    let number = u16_at(record, start);
    for sector in 0..sectors {
        let end = (sector + 1) * STRIDE;
        if u16_at(record, end - 2) != number {
            return Err("record that was written in part");
        }
        let kept = start + 2 + sector * 2;
        record.copy_within(kept..kept + 2, end - 2);
    }
    Ok(())
}
