//! vhdx images whose log was not replayed: laid down by hand, replayed by qemu, and read by both.

use crate::support::{Work, check, disk, fill, page, refusal};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

const MIB: u64 = 1 << 20;
const ID: [u8; 16] = *b"id of this log..";

/// A change of 4 KiB, or zeroes.
enum Change {
    Page(u64, Vec<u8>),
    Zero(u64, u64),
}

fn crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// An entry of the log.
fn entry(sequence: u64, tail: u32, size: u64, changes: &[Change]) -> Vec<u8> {
    let descriptors = (64 + changes.len() * 32).next_multiple_of(4096);
    let pages = changes.iter().filter(|change| matches!(change, Change::Page(..))).count();
    let length = descriptors + pages * 4096;
    let mut bytes = vec![0; length];
    bytes[..4].copy_from_slice(b"loge");
    bytes[8..12].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[12..16].copy_from_slice(&tail.to_le_bytes());
    bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
    bytes[24..28].copy_from_slice(&(changes.len() as u32).to_le_bytes());
    bytes[32..48].copy_from_slice(&ID);
    bytes[48..56].copy_from_slice(&size.to_le_bytes());
    bytes[56..64].copy_from_slice(&size.to_le_bytes());
    let mut data = descriptors;
    for (index, change) in changes.iter().enumerate() {
        let at = 64 + index * 32;
        let place = match change {
            Change::Page(place, page) => {
                bytes[at..at + 4].copy_from_slice(b"desc");
                bytes[at + 4..at + 8].copy_from_slice(&page[4092..]);
                bytes[at + 8..at + 16].copy_from_slice(&page[..8]);
                bytes[data..data + 4].copy_from_slice(b"data");
                bytes[data + 4..data + 8].copy_from_slice(&((sequence >> 32) as u32).to_le_bytes());
                bytes[data + 8..data + 4092].copy_from_slice(&page[8..4092]);
                bytes[data + 4092..data + 4096].copy_from_slice(&(sequence as u32).to_le_bytes());
                data += 4096;
                place
            }
            Change::Zero(place, length) => {
                bytes[at..at + 4].copy_from_slice(b"zero");
                bytes[at + 8..at + 16].copy_from_slice(&length.to_le_bytes());
                place
            }
        };
        bytes[at + 16..at + 24].copy_from_slice(&place.to_le_bytes());
        bytes[at + 24..at + 32].copy_from_slice(&sequence.to_le_bytes());
    }
    let sum = crc32c(&bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

struct Image {
    work: Work,
    file: File,
    log: u64,
    table: u64,
}

impl Image {
    fn new() -> Self {
        let work = Work::new();
        fill(&work.path("raw"), 8 * MIB);
        let options = ["-o", "block_size=1M", "raw", "image"];
        work.tool("qemu-img", &[&["convert", "-f", "raw", "-O", "vhdx"][..], &options].concat());
        let file = File::options().read(true).write(true).open(work.path("image")).expect("opened");
        let number = |at: u64| {
            let mut bytes = [0; 8];
            file.read_exact_at(&mut bytes, at).expect("read");
            u64::from_le_bytes(bytes)
        };
        let id = b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
        let mut regions = vec![0; 4096];
        file.read_exact_at(&mut regions, 192 << 10).expect("read");
        let region = regions.windows(16).position(|bytes| bytes == id).expect("the table's region");
        let table = number((192 << 10) + region as u64 + 16);
        let log = number((64 << 10) + 72);
        Self { work, file, log, table }
    }

    fn page_at(&self, at: u64) -> Vec<u8> {
        let mut page = vec![0; 4096];
        self.file.read_exact_at(&mut page, at).expect("read");
        page
    }

    /// Writes both headers with the id of the log.
    fn mark(&self) {
        for (at, sequence) in [(64_u64 << 10, 100_u64), (128 << 10, 101)] {
            let mut header = self.page_at(at);
            header[8..16].copy_from_slice(&sequence.to_le_bytes());
            header[48..64].copy_from_slice(&ID);
            header[4..8].fill(0);
            let sum = crc32c(&header);
            header[4..8].copy_from_slice(&sum.to_le_bytes());
            self.file.write_all_at(&header, at).expect("written");
        }
    }

    fn put(&self, at: u64, entry: &[u8]) {
        // The log is a ring.
        for (index, sector) in entry.chunks(4096).enumerate() {
            let inside = (at + index as u64 * 4096) % MIB;
            self.file.write_all_at(sector, self.log + inside).expect("written");
        }
    }

    /// What is read before and after qemu replayed the log.
    fn compare(&self, case: &str) {
        let ours = self.work.path("ours");
        fs::copy(self.work.path("image"), &ours).expect("copied");
        self.work.tool("qemu-img", &["check", "-q", "-r", "all", "-f", "vhdx", "image"]);
        let expected = self.work.witness("vhdx", "image");
        check(&disk(&ours), &expected, case);
    }

    fn size(&self) -> u64 {
        self.file.metadata().expect("there").len()
    }
}

#[test]
fn the_allocation_table_is_that_of_the_log() {
    let image = Image::new();
    let table = image.page_at(image.table);
    // The table itself lost its entries; the log has them.
    image.file.write_all_at(&[0; 4096], image.table).expect("written");
    image.put(0, &entry(7, 0, image.size(), &[Change::Page(image.table, table)]));
    image.mark();
    image.compare("one entry");
    let raw = fs::read(image.work.path("raw")).expect("read");
    check(&disk(&image.work.path("ours")), &raw, "as the disk was");
}

/// Two entries one behind the other from `start` on, and an older one, which does not count.
fn run_from(start: u64) -> Image {
    let image = Image::new();
    let (size, table) = (image.size(), image.page_at(image.table));
    let data = u64::from_le_bytes(table[..8].try_into().expect("eight bytes")) & !(MIB - 1);
    image.put(512 << 10, &entry(3, 512 << 10, size, &[Change::Page(data, page(77))]));
    let first = entry(8, start as u32, size, &[Change::Page(data + 4096, page(78))]);
    image.put(start, &first);
    let second = (start + first.len() as u64) % MIB;
    let zeroes = [Change::Zero(data + 8192, 20_480), Change::Page(data + 12_288, page(79))];
    image.put(second, &entry(9, start as u32, size, &zeroes));
    image.mark();
    image
}

#[test]
fn a_run_of_entries_is_laid_down_in_order() {
    let image = run_from(0);
    image.compare("a run");
}

/// qemu takes of such a run only what is before the end, so the expected pages are written here.
#[test]
fn a_run_of_entries_goes_on_at_the_beginning_of_the_ring() {
    let image = run_from(MIB - 4096);
    let mut expected = fs::read(image.work.path("raw")).expect("read");
    expected[8192..28_672].fill(0);
    expected[4096..8192].copy_from_slice(&page(78));
    expected[12_288..16_384].copy_from_slice(&page(79));
    check(&disk(&image.work.path("image")), &expected, "around the end");
}

#[test]
fn logs_that_are_not_whole_are_told() {
    let image = Image::new();
    image.mark();
    assert!(refusal(&image.work.path("image")).contains("log without a whole run of entries"));
    // The last entry says that the run begins where there is none.
    let table = image.page_at(image.table);
    image.put(0, &entry(7, 8192, image.size(), &[Change::Page(image.table, table.clone())]));
    assert!(refusal(&image.work.path("image")).contains("log without a whole run of entries"));
    let longer = image.size() + MIB;
    image.put(0, &entry(7, 0, longer, &[Change::Page(image.table, table)]));
    assert!(refusal(&image.work.path("image")).contains("file shorter than its log says"));
}

#[test]
fn a_log_of_nothing_but_long_entries_is_soon_done_with() {
    let image = Image::new();
    // Each sector begins an entry as long as the whole ring.
    for at in (0..MIB).step_by(4096) {
        let mut sector = entry(at / 4096 + 1, 0, 0, &[]);
        sector[8..12].copy_from_slice(&(MIB as u32).to_le_bytes());
        image.put(at, &sector);
    }
    image.mark();
    assert!(refusal(&image.work.path("image")).contains("log without a whole run of entries"));
}
