//! Files as Windows compresses them as a whole: chunks that wimlib compressed, put on a volume by
//! ntfs-3g. What is read must be what was compressed. Needs root, FUSE, Python and libwim.

use crate::reader::{self, can_mount};
use crate::volume::{Volume, reparse, set};
use conformance::tool;
use ntfs_reader::{Compression, Error, File, Ntfs, Reparse};
use std::fs;
use std::path::Path;

const FORMATS: &[(&str, u32, Compression)] = &[
    ("xpress4k", 0, Compression::Xpress4K),
    ("lzx", 1, Compression::Lzx),
    ("xpress8k", 2, Compression::Xpress8K),
    ("xpress16k", 3, Compression::Xpress16K),
];
const TAG: u32 = 0x8000_0017;
const COMPRESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/compress.py");

/// Programs, text, zeroes, what cannot be compressed, and sizes around those of chunks.
fn contents() -> Vec<(String, Vec<u8>)> {
    let program = fs::read("/bin/bash").unwrap();
    let text: Vec<u8> = (0..30_000).flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let mut random = 1_u64;
    let noise = |_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    };
    let noise: Vec<u8> = (0..100_001).map(noise).collect();
    let mixed = [&text[..10_000], &noise[..40_000], &vec![0; 50_000], &program[..90_001]].concat();
    let mut contents = vec![
        ("program".to_owned(), program.clone()),
        ("text".to_owned(), text),
        ("noise".to_owned(), noise),
        ("zeroes".to_owned(), vec![0; 200_000]),
        ("mixed".to_owned(), mixed),
        ("empty".to_owned(), Vec::new()),
    ];
    for size in [1, 2, 4095, 4096, 4097, 8192, 16_384, 32_767, 32_768, 32_769, 65_536, 98_305] {
        contents.push((format!("program-{size}"), program[20_000..20_000 + size].to_vec()));
    }
    contents
}

fn compress(format: &str, content: &[u8], volume: &Volume) -> Vec<u8> {
    let (source, target) = (volume.beside("source"), volume.beside("target"));
    fs::write(&source, content).unwrap();
    let output =
        tool("python3").args([COMPRESS, format]).args([&source, &target]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(target).unwrap()
}

/// Puts a compressed file on a volume that shows streams as `file:stream`.
fn put(folder: &Path, name: &str, size: u64, stored: &[u8], algorithm: u32) {
    let path = folder.join(name);
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    fs::write(folder.join(format!("{name}:WofCompressedData")), stored).unwrap();
    let fields = [1, 2, 1, algorithm].map(u32::to_le_bytes).concat();
    set(&path, "system.ntfs_reparse_data", &reparse(TAG, &fields));
}

fn find(ntfs: &Ntfs, folder: &str, name: &str) -> File {
    let root = ntfs.file(ntfs.root()).unwrap();
    let folder = ntfs.lookup(&root, folder.as_bytes()).unwrap().unwrap();
    let folder = ntfs.file(folder).unwrap();
    ntfs.file(ntfs.lookup(&folder, name.as_bytes()).unwrap().unwrap()).unwrap()
}

#[test]
fn what_is_read_is_what_was_compressed() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(64, &[]);
    let contents = contents();
    let mounted = volume.mount("streams_interface=windows");
    for (format, algorithm, _) in FORMATS {
        let folder = mounted.path().join(format);
        fs::create_dir(&folder).unwrap();
        for (name, content) in &contents {
            let stored = compress(format, content, &volume);
            put(&folder, name, content.len() as u64, &stored, *algorithm);
        }
    }
    drop(mounted);
    let ntfs = reader::open(&volume.image());
    for (format, _, compression) in FORMATS {
        for (name, content) in &contents {
            let file = find(&ntfs, format, name);
            assert_eq!(file.reparse().unwrap(), Some(&Reparse::Compressed(*compression)));
            check(&ntfs, &file, content, &format!("{format}/{name}"));
        }
    }
}

/// Reads the whole, and pieces that begin and end inside of chunks.
fn check(ntfs: &Ntfs, file: &File, content: &[u8], name: &str) {
    let mut whole = vec![0xaa; content.len() + 7];
    let read = ntfs.read_at(file, 0, &mut whole).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(whole[..read] == *content, "{name}");
    for (offset, length) in [(0, 1), (4095, 2), (5000, 9000), (32_760, 40_000), (content.len(), 3)]
    {
        let mut piece = vec![0xaa; length];
        let read = ntfs.read_at(file, offset as u64, &mut piece).unwrap();
        let expected = content.get(offset..).unwrap_or(&[]);
        assert!(piece[..read] == expected[..length.min(expected.len())], "{name} from {offset}");
    }
    let ranges = ntfs.ranges(file, 0, u64::MAX).unwrap();
    assert!(content.len() < 70_000 || !ranges.is_empty(), "{name}");
}

#[test]
fn damage_to_compressed_data_is_told() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let text: Vec<u8> = (0..9_000).flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let mounted = volume.mount("streams_interface=windows");
    let folder = mounted.path().join("damaged");
    fs::create_dir(&folder).unwrap();
    for (format, algorithm, _) in FORMATS {
        let sound = compress(format, &text, &volume);
        let put = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let mut stored = sound.clone();
            change(&mut stored);
            put(&folder, &format!("{format}-{name}"), text.len() as u64, &stored, *algorithm);
        };
        put("order", &|stored| stored[..4].fill(0xff));
        put("short", &|stored| stored.truncate(stored.len() - 1000));
        put("codes", &|stored| {
            let middle = stored.len() / 2;
            stored[middle..].fill(0);
        });
    }
    put_others(&folder);
    drop(mounted);
    let ntfs = reader::open(&volume.image());
    let mut out = vec![0; text.len()];
    for (format, ..) in FORMATS {
        for flaw in ["order", "short", "codes"] {
            let file = find(&ntfs, "damaged", &format!("{format}-{flaw}"));
            let found = ntfs.read_at(&file, 0, &mut out);
            assert!(matches!(found, Err(Error::Corrupt { .. })), "{format} {flaw}: {found:?}");
        }
    }
    let found = ntfs.read_at(&find(&ntfs, "damaged", "unknown"), 0, &mut out);
    assert!(matches!(found, Err(Error::Unsupported { .. })), "{found:?}");
    let found = ntfs.read_at(&find(&ntfs, "damaged", "no-stream"), 0, &mut out);
    assert!(matches!(found, Err(Error::Corrupt { .. })), "{found:?}");
}

/// A compression that nobody knows, and a file without the stream.
fn put_others(folder: &Path) {
    put(folder, "unknown", 10, b"x", 9);
    fs::write(folder.join("no-stream"), b"").unwrap();
    fs::File::options().write(true).open(folder.join("no-stream")).unwrap().set_len(9).unwrap();
    let fields = [1, 2, 1, 0].map(u32::to_le_bytes).concat();
    set(&folder.join("no-stream"), "system.ntfs_reparse_data", &reparse(TAG, &fields));
}
