//! Reparse points that ntfs-3g stored, byte by byte as Windows does.

use crate::reader::{self, can_mount};
use crate::volume::{Volume, reparse, set};
use ntfs_reader::{Error, File, Kind, Ntfs, Reparse};
use std::fs;

const SYMLINK: u32 = 0xa000_000c;
const MOUNT_POINT: u32 = 0xa000_0003;

/// A buffer of a target and a name for people, after their places and, of a link, flags.
fn buffer(target: &str, shown: &str, flags: Option<u32>) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let (target, shown) = (utf16(target), utf16(shown));
    let lengths = [0, target.len(), target.len(), shown.len()];
    let places = lengths.map(|length| u16::try_from(length).unwrap().to_le_bytes()).concat();
    let flags = flags.map(|flags| flags.to_le_bytes().to_vec()).unwrap_or_default();
    [places, flags, target, shown].concat()
}

fn find(ntfs: &Ntfs, name: &str) -> File {
    let root = ntfs.file(ntfs.root()).unwrap();
    ntfs.file(ntfs.lookup(&root, name.as_bytes()).unwrap().unwrap()).unwrap()
}

#[test]
fn links_lead_where_they_say() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    let place = mounted.path().to_owned();
    fs::create_dir_all(place.join("folder/inner")).unwrap();
    fs::write(place.join("folder/file"), "x").unwrap();
    let put = |name: &str, data: &[u8]| {
        fs::write(place.join(name), "").unwrap();
        set(&place.join(name), "system.ntfs_reparse_data", data);
    };
    put("relative", &reparse(SYMLINK, &buffer("folder\\file", "folder\\file", Some(1))));
    put("absolute", &reparse(SYMLINK, &buffer("\\??\\C:\\Users", "C:\\Users", Some(0))));
    fs::create_dir(place.join("junction")).unwrap();
    let junction = reparse(MOUNT_POINT, &buffer("\\??\\C:\\folder", "C:\\folder", None));
    set(&place.join("junction"), "system.ntfs_reparse_data", &junction);
    drop(mounted);
    let ntfs = reader::open(&volume.image());
    let targets: [(&str, &[u8]); 3] = [
        ("relative", b"folder/file"),
        ("absolute", b"/??/C:/Users"),
        ("junction", b"/??/C:/folder"),
    ];
    for (name, target) in targets {
        let file = find(&ntfs, name);
        assert_eq!(file.kind, Kind::Symlink, "{name}");
        let found = ntfs.read_link(&file).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(target), "{name}");
    }
    let shown =
        Reparse::MountPoint { target: b"\\??\\C:\\folder".into(), shown: b"C:\\folder".into() };
    assert_eq!(find(&ntfs, "junction").reparse().unwrap(), Some(&shown));
    assert!(ntfs.read_link(&find(&ntfs, "folder")).is_err());
    assert!(ntfs.read_dir(&find(&ntfs, "junction")).is_err());
}

#[test]
fn data_that_is_elsewhere_is_refused_and_unknown_points_are_raw() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    let place = mounted.path().to_owned();
    let put = |name: &str, data: &[u8]| {
        fs::write(place.join(name), "here").unwrap();
        set(&place.join(name), "system.ntfs_reparse_data", data);
    };
    put("deduplicated", &reparse(0x8000_0013, &[7; 100]));
    put("in-a-wim", &reparse(0x8000_0017, &[1, 1, 1, 0].map(u32::to_le_bytes).concat()));
    put("fetched-from-a-cloud", &reparse(0x9000_701a, &[1; 40]));
    put("in-a-cloud", &reparse(0x9000_701a, &[1; 40]));
    put("unknown", &reparse(0x8000_4444, b"some data of it"));
    put("not-microsofts", &[&reparse(0x0000_4444, b"")[..], &[9; 16]].concat());
    // Offline, as the cloud's driver marks what is not here.
    set(&place.join("in-a-cloud"), "system.ntfs_attrib_be", &0x1020_u32.to_be_bytes());
    drop(mounted);
    let ntfs = reader::open(&volume.image());
    for name in ["deduplicated", "in-a-wim", "in-a-cloud"] {
        let found = ntfs.read_at(&find(&ntfs, name), 0, &mut [0; 10]);
        assert!(matches!(found, Err(Error::Unsupported { .. })), "{name}: {found:?}");
    }
    for name in ["unknown", "not-microsofts", "fetched-from-a-cloud"] {
        let file = find(&ntfs, name);
        assert_eq!(file.kind, Kind::File);
        let mut bytes = [0; 10];
        assert_eq!(ntfs.read_at(&file, 0, &mut bytes).unwrap(), 4, "{name}");
        assert_eq!(&bytes[..4], b"here");
    }
    let raw = Reparse::Other { tag: 0x8000_4444, data: b"some data of it".into() };
    assert_eq!(find(&ntfs, "unknown").reparse().unwrap(), Some(&raw));
}
