//! Whether the log was closed. It is not replayed; two restart pages at its start tell whether it
//! should be: <https://flatcap.github.io/linux-ntfs/ntfs/files/logfile.html>.

use crate::attribute::Body;
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::mft::Mft;
use crate::record::kind;
use crate::runs::Disk;
use crate::table::Table;
use crate::{Error, FileReference, Ntfs, fixup};

const RECORD: u64 = 2;
const NO_CLIENT: u16 = 0xffff;
const VOLUME_IS_CLEAN: u16 = 0x2;
const LARGEST_PAGE: usize = 64 << 10;

/// State of the log.
#[derive(Debug, Clone)]
pub enum Log {
    /// Nothing is left to do: the volume was unmounted, or the log is empty.
    Clean,
    /// The volume was in use: the last changes to its structure may be in the log only.
    NotClean,
    /// It could not be read.
    Unreadable(Error),
}

impl Ntfs {
    /// State of the log.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

pub fn read(disk: &Disk, mft: &Mft) -> Log {
    match first_pages(disk, mft).and_then(|pages| is_clean(&pages)) {
        Ok(true) => Log::Clean,
        Ok(false) => Log::NotClean,
        Err(error) => Log::Unreadable(error),
    }
}

fn first_pages(disk: &Disk, mft: &Mft) -> Result<Vec<u8>, Error> {
    let record = mft.read(disk, RECORD)?;
    record.check_base(FileReference(RECORD))?;
    let mut table = Table::new(&record)?;
    table.follow_list(disk, mft);
    let lost = Error::corrupt("log without data: record", RECORD);
    let data = table.find(kind::DATA, &[])?.ok_or(lost.clone())?;
    let Body::Clusters(clusters) = &data.body else { return Err(lost) };
    let length = table.sizes(clusters)?.size.min(2 * LARGEST_PAGE as u64);
    let mut pages = vec![0; length as usize];
    let wanted = 0..length.div_ceil(disk.boot.cluster_size);
    let runs = table.runs(disk, mft, data, clusters, &wanted)?;
    disk.read(&runs, 0, &mut pages)?;
    Ok(pages)
}

/// The newer of the two restart pages decides. A log that holds nothing is filled with ones.
fn is_clean(pages: &[u8]) -> Result<bool, Error> {
    if pages.get(..4096).is_some_and(|start| start.iter().all(|byte| *byte == 0xff)) {
        return Ok(true);
    }
    let size = usize::try_from(u32_at(pages, 0x10)).unwrap_or(0);
    let sizes = [size, 4096]
        .into_iter()
        .filter(|size| size.is_power_of_two() && (512..=LARGEST_PAGE).contains(size));
    let places = [0].into_iter().chain(sizes);
    let areas = places.filter_map(|place| restart_area(pages.get(place..)?));
    let newest = areas.max_by_key(|area| area.number);
    newest.map(|area| area.clean).ok_or(Error::corrupt("log without a sound restart page", RECORD))
}

struct RestartArea {
    /// Grows with each page that is written.
    number: u64,
    clean: bool,
}

/// A page of `chkdsk` bears its own magic, but says the same.
fn restart_area(bytes: &[u8]) -> Option<RestartArea> {
    let size = u32_at(bytes, 0x10) as usize;
    if !size.is_power_of_two() || !(512..=LARGEST_PAGE).contains(&size) {
        return None;
    }
    let mut page = bytes.get(..size)?.to_vec();
    let magic = if page.starts_with(b"CHKD") { *b"CHKD" } else { *b"RSTR" };
    fixup::undo(&mut page, magic).ok()?;
    let area = page.get(usize::from(u16_at(&page, 0x18))..).filter(|area| area.len() >= 0x10)?;
    let closed = u16_at(area, 0xc) == NO_CLIENT;
    let clean = closed || u16_at(area, 0xe) & VOLUME_IS_CLEAN != 0;
    Some(RestartArea { number: u64_at(area, 0), clean })
}
