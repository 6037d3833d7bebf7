//! Blocks of metadata: reading them, and what those of version 5 say of themselves.

use crate::bytes::{be64, uuid};
use crate::{Error, InodeNumber, Superblock, Xfs, checksum};

/// Where a kind of block keeps its checksum, place, UUID and owner.
pub struct Identity {
    pub checksum: usize,
    pub place: usize,
    pub uuid: usize,
    pub owner: usize,
}

/// Places are counted in units of this, whatever the size of a sector.
const PLACE_UNIT: u64 = 512;

/// Whether a block is the one that should be at the offset `at`, of the inode `owner`, unharmed.
/// Always so in version 4, where blocks do not tell.
pub fn check(
    raw: &[u8],
    identity: &Identity,
    superblock: &Superblock,
    at: u64,
    owner: InodeNumber,
) -> Result<(), Error> {
    check_belongs(raw, identity, superblock, at, owner)?;
    if superblock.has_checksums() && !checksum::holds(raw, identity.checksum) {
        return Err(Error::corrupt("checksum of a block of inode", owner.0));
    }
    Ok(())
}

/// The same but for the checksum: a block that is in its place, harmed or not.
pub fn check_belongs(
    raw: &[u8],
    identity: &Identity,
    superblock: &Superblock,
    at: u64,
    owner: InodeNumber,
) -> Result<(), Error> {
    if !superblock.has_checksums() {
        return Ok(());
    }
    let place = be64(raw, identity.place) == at / PLACE_UNIT;
    let ours = uuid(raw, identity.uuid) == superblock.meta_uuid;
    if !place || !ours || be64(raw, identity.owner) != owner.0 {
        return Err(Error::corrupt("a block that is not its own in inode", owner.0));
    }
    Ok(())
}

impl Xfs {
    /// Bytes of the device; callers bound the length.
    pub(crate) fn read_bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length as usize];
        self.device.read_exact_at(at, &mut bytes)?;
        Ok(bytes)
    }
}
