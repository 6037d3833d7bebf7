//! What the volume says of itself: label, version, whether it should be checked.

use crate::bytes::{u16_at, units};
use crate::mft::Mft;
use crate::record::kind;
use crate::runs::Disk;
use crate::table::Table;
use crate::{Damage, Error, FileReference, Ntfs, name};

const RECORD: u64 = 3;
const DIRTY: u16 = 0x1;

/// What the volume says of itself.
#[derive(Debug, Clone, Default)]
pub struct Volume {
    /// Label, WTF-8.
    pub label: Option<Vec<u8>>,
    /// Version of the format: 3.1 since Windows XP.
    pub version: (u8, u8),
    /// Flags as stored.
    pub flags: u16,
}

impl Volume {
    /// Whether Windows would check the volume before it uses it.
    pub fn is_dirty(&self) -> bool {
        self.flags & DIRTY != 0
    }
}

pub fn read(disk: &Disk, mft: &Mft) -> Result<Volume, Error> {
    let record = mft.read(disk, RECORD)?;
    record.check_base(FileReference(RECORD))?;
    let mut table = Table::new(&record)?;
    table.follow_list(disk, mft);
    let lost = Error::corrupt("volume without information of itself: record", RECORD);
    let information = table.find(kind::VOLUME_INFORMATION, &[])?.ok_or(lost.clone())?;
    let information = table.whole(disk, mft, information, 1 << 10)?;
    let &[major, minor, ..] = information.get(8..12).ok_or(lost)? else {
        return Err(Error::corrupt("volume information of no length: record", RECORD));
    };
    let label = table.find(kind::VOLUME_NAME, &[])?;
    let label = label.map(|label| table.whole(disk, mft, label, 1 << 10)).transpose()?;
    let label = label.filter(|label| !label.is_empty()).map(|label| name::to_wtf8(&units(&label)));
    Ok(Volume { label, version: (major, minor), flags: u16_at(&information, 10) })
}

/// How sound the volume's own structures were.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether the primary boot sector was damaged.
    pub backup_boot_used: bool,
    /// Why the first record of the file table was replaced by its copy.
    pub mirror_used: Option<Error>,
    /// Parts of the file table that could not be found: their files are not there.
    pub lost_records: Damage,
}

impl Ntfs {
    /// What the volume says of itself.
    pub fn volume(&self) -> Result<&Volume, Error> {
        self.volume.as_ref().map_err(Clone::clone)
    }

    /// How sound the volume's own structures were.
    pub fn health(&self) -> Health {
        Health {
            backup_boot_used: self.disk.boot.backup_used,
            mirror_used: self.mft.mirror_used.clone(),
            lost_records: self.mft.damage.clone(),
        }
    }

    /// Whether Windows is hibernated, or was shut down "fast": it goes on with what it has in
    /// memory, and changes that are there may not be on the disk.
    pub fn is_hibernated(&self) -> Result<bool, Error> {
        let root = self.file(self.root())?;
        let Some(image) = self.lookup(&root, b"hiberfil.sys")? else { return Ok(false) };
        let mut magic = [0; 4];
        let read = self.read_at(&self.file(image)?, 0, &mut magic)?;
        Ok(read == 4 && magic.eq_ignore_ascii_case(b"hibr"))
    }
}
