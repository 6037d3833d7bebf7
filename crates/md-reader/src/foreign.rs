//! RAID metadata of BIOSes and controllers, which md runs too and this reader does not know.

use block_source::{BlockSource, ReadError};

/// What kind of foreign metadata a device bears.
pub fn recognise(device: &dyn BlockSource) -> Result<Option<&'static str>, ReadError> {
    let size = device.size();
    // Intel's anchor is the last sector but one, that of DDF the last; sectors may have 4 KiB.
    for sector in [512, 4096] {
        if let Some(at) = size.checked_sub(2 * sector)
            && starts_with(device, at, b"Intel Raid ISM Cfg Sig. ")?
        {
            return Ok(Some("RAID of Intel firmware (IMSM)"));
        }
        if let Some(at) = size.checked_sub(sector)
            && (starts_with(device, at, &[0xde, 0x11, 0xde, 0x11])?
                || starts_with(device, at, &[0x11, 0xde, 0x11, 0xde])?)
        {
            return Ok(Some("RAID of a controller (DDF)"));
        }
    }
    Ok(None)
}

fn starts_with(device: &dyn BlockSource, at: u64, signature: &[u8]) -> Result<bool, ReadError> {
    let mut bytes = vec![0; signature.len()];
    device.read_exact_at(at, &mut bytes)?;
    Ok(bytes == signature)
}
