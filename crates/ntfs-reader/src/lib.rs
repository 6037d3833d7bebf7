//! NTFS, read-only, over positioned reads.
//!
//! On-disk format: <https://flatcap.github.io/linux-ntfs/ntfs/> and
//! <https://github.com/libyal/libfsntfs/blob/main/documentation/>. The reader is `Send + Sync` and
//! keeps no state but where the file table is and, once a name was looked up, the volume's table
//! of upper case letters.
//!
//! * Read: attribute lists, resident, sparse and LZNT1-compressed data, files that Windows
//!   compressed as a whole (WOF: XPRESS and LZX), named streams, hard links, directories through
//!   their index, symbolic links, junctions, and links of WSL and of Interix.
//! * Names are WTF-8: UTF-8 where they are sound, and lossless where they are not.
//! * The system's own files (the file table, `$Extend`, …) are left out of listings, as mounts do,
//!   but are found by name. So are the short names of DOS.
//! * A damaged directory gives what is good of it ([`Listing`]), a damaged boot sector or file
//!   table is replaced by its copy ([`Ntfs::health`]). Records that were written in part are told
//!   by their fixups. There are no checksums.
//! * The log is not replayed: [`Ntfs::log`] and [`Volume::is_dirty`] tell that it should be, and
//!   [`Ntfs::is_hibernated`] that Windows keeps changes that are not on the disk.
//! * Refused file by file: encrypted data, and data that is kept elsewhere (deduplicated, in the
//!   cloud, in a WIM or a container's lower layer), which would read as zeroes.
//!
//! None of this stands on the crate `ntfs` (0.4.0), though its boot sector and records are sound:
//! it reads through `&mut` and `Seek`, finds the runs of a listed attribute by a number that does
//! not tell them apart, and panics on damaged indexes. What is left of it when those are not used
//! is 300 lines, and would make two parsers of the same records.

mod attribute;
mod bits;
mod boot;
mod bytes;
mod compressed;
mod data;
mod directory;
mod error;
mod file;
mod fixup;
mod huffman;
mod index;
mod list;
mod log;
mod lookup;
mod lznt1;
mod lzx;
mod mft;
mod name;
mod record;
mod reparse;
mod runs;
mod table;
mod upcase;
mod volume;
mod wof;
mod xpress;

pub use boot::BootSector;
pub use directory::{Entry, Listing};
pub use error::{Damage, Error};
pub use file::{File, FileReference, Kind, Name, Stream, Time};
pub use log::Log;
pub use reparse::{Compression, Reparse};
pub use volume::{Health, Volume};

use block_source::{BlockSource, ReadError};
use mft::Mft;
use runs::Disk;
use std::sync::{Arc, OnceLock};
use upcase::Upcase;

/// An open volume.
pub struct Ntfs {
    disk: Disk,
    mft: Mft,
    volume: Result<Volume, Error>,
    log: Log,
    upcase: OnceLock<Upcase>,
}

impl Ntfs {
    /// Whether the device bears a boot sector of NTFS where the primary one belongs.
    pub fn claims(device: &dyn BlockSource) -> Result<bool, ReadError> {
        boot::is_signed(device, 0)
    }

    /// Whether the device bears a sound copy of a boot sector, though the primary one is gone.
    pub fn claims_backup(device: &dyn BlockSource) -> Result<bool, ReadError> {
        Ok(boot::find_backup(device)?.is_some())
    }

    /// Opens the volume on a device; a damaged boot sector or first file record is replaced by its
    /// copy.
    pub fn open(device: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let boot = BootSector::read(&*device)?;
        let (disk, mft) = find_table(device, boot)?;
        let volume = volume::read(&disk, &mft);
        let log = log::read(&disk, &mft);
        Ok(Self { disk, mft, volume, log, upcase: OnceLock::new() })
    }

    /// The validated boot sector.
    pub fn boot(&self) -> &BootSector {
        &self.disk.boot
    }

    /// Bytes of the volume that lie past the end of its device.
    pub fn missing_bytes(&self) -> u64 {
        let boot = &self.disk.boot;
        (boot.sectors * boot.sector_size).saturating_sub(self.disk.device.size())
    }

    /// The root directory.
    pub fn root(&self) -> FileReference {
        FileReference(file::ROOT)
    }
}

/// The file table where the boot sector says, else where its copy does: not all damage shows.
fn find_table(device: Arc<dyn BlockSource>, boot: BootSector) -> Result<(Disk, Mft), Error> {
    let disk = Disk { device, boot };
    let reason = match Mft::open(&disk) {
        Ok(mft) => return Ok((disk, mft)),
        Err(reason) => reason,
    };
    let copy = boot::find_backup(&*disk.device)?.ok_or(reason.clone())?;
    let disk = Disk { boot: copy, ..disk };
    let mft = Mft::open(&disk).map_err(|_| reason)?;
    Ok((disk, mft))
}

#[cfg(test)]
mod tests {
    /// Fails to compile if not.
    #[test]
    fn readers_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<super::Ntfs>();
        shared::<super::File>();
    }
}
