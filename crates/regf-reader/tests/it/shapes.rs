//! Shapes of lists and data that tools seldom write.

use crate::listing::listing;
use crate::maker::{Maker, set};
use regf_reader::{Data, Hive, Key, Logs};
use std::sync::Arc;

/// Keys of the hive with all shapes, with its root.
pub const KEYS: usize = 1 + 4 + 3 * 3 + 2 * 40;

/// A key for each kind of list, and one with data in segments.
pub fn all() -> Maker {
    // hivex leaves out what stands in the last four bytes of a segment's cell: these have none there.
    with_data(&[0, 1, 4, 5, 16344, 16349, 2 * 16344, 2 * 16344 + 6, 200_000])
}

/// The same with values of these sizes.
pub fn with_data(sizes: &[usize]) -> Maker {
    let mut maker = Maker::new();
    let root = maker.root();
    let kinds = maker.keys(root, b"lf", &["Hash", "Index", "Root", "Start"]);
    for (key, signature) in [(0, b"lh"), (1, b"li"), (3, b"lf")] {
        maker.keys(kinds[key], signature, &["Apple", "b", "Cherry"]);
    }
    let mut lists = Vec::new();
    for (half, signature) in [b"lh", b"li"].into_iter().enumerate() {
        let names: Vec<String> = (0..40).map(|index| format!("K{half}{index:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        maker.keys(kinds[2], signature, &names);
        let at = (kinds[2] + 4 + 28) as usize;
        lists.push((u32::from_le_bytes(maker.bins[at..at + 4].try_into().unwrap()), ""));
    }
    let list = maker.list(b"ri", &lists);
    maker.set_subkeys(kinds[2], 80, list);
    let mut values = Vec::new();
    for size in sizes {
        let data: Vec<u8> = (0..*size).map(|index| (index % 253) as u8).collect();
        values.push(maker.value(&format!("v{size}"), 3, &data));
    }
    maker.set_values(kinds[0], &values);
    maker
}

pub fn root(maker: &Maker) -> Key {
    let hive = Hive::open(Arc::new(maker.hive()), Logs::default()).unwrap();
    assert!(hive.problems().is_empty() && hive.check_bins().is_empty());
    hive.root().unwrap()
}

#[test]
fn all_shapes_are_read() {
    let listing = listing(all().hive(), Logs::default());
    assert_eq!(listing.problems, [""; 0]);
    assert_eq!(listing.lines.iter().filter(|line| line.starts_with("key")).count(), KEYS);
    let root = root(&all());
    let key = root.path("\\hash\\").unwrap().unwrap();
    let data = key.value("V200000").unwrap().unwrap().data().unwrap();
    assert!(data.iter().enumerate().all(|(index, byte)| *byte == (index % 253) as u8));
    assert_eq!(data.len(), 200_000);
}

#[test]
fn keys_are_found_by_any_case_and_by_no_other_name() {
    let root = root(&all());
    for path in ["HASH\\apple", "index\\B", "start\\CHERRY", "Root\\k017", "ROOT\\K139", ""] {
        assert!(root.path(path).unwrap().is_some(), "{path}");
    }
    for path in ["HASH\\appl", "index\\a", "start\\Cherryx", "Root\\K040", "Hash\\Apple\\x"] {
        assert!(root.path(path).unwrap().is_none(), "{path}");
    }
}

/// A hint that is wrong makes Windows miss the key; here it is found all the same.
#[test]
fn a_wrong_hash_hides_no_key() {
    let mut maker = Maker::new();
    let root_key = maker.root();
    let key = maker.key("Real", root_key);
    let list = maker.list(b"lh", &[(key, "Other")]);
    maker.set_subkeys(root_key, 1, list);
    assert_eq!(root(&maker).subkey("REAL").unwrap().unwrap().name(), "Real");
}

/// Before 1.4, data of any length is in one cell.
#[test]
fn old_versions_have_no_segments() {
    let mut maker = Maker::new();
    maker.minor = 3;
    let data: Vec<u8> = (0..20_000u32).map(|index| index as u8).collect();
    let (whole, root_key) = (maker.cell(&data), maker.root());
    let one = maker.raw_value("one", 3, 20_000, whole);
    let two = maker.value("two", 3, &data);
    maker.set_values(root_key, &[one, two]);
    let root = root(&maker);
    assert_eq!(root.value("one").unwrap().unwrap().data().unwrap(), data);
    assert!(root.value("two").unwrap().unwrap().data().is_err());
}

#[test]
fn data_by_its_kind() {
    let mut maker = Maker::new();
    let root_key = maker.root();
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let values = [
        maker.value("text", 1, &text("a b\0")),
        maker.value("expand", 2, &text("%x%\0")),
        maker.value("link", 6, &text("\\Registry")),
        maker.value("list", 7, &text("a\0b\0\0")),
        maker.raw_value("number", 4, 0x8000_0004, 7),
        maker.raw_value("swapped", 5, 0x8000_0004, 0x0700_0000),
        maker.value("long", 11, &(1u64 << 40).to_le_bytes()),
        maker.value("short", 4, &[1, 2]),
        maker.value("bytes", 3, b"abcdef"),
        maker.value("half", 1, b"a\0\0\xd8"),
    ];
    maker.set_values(root_key, &values);
    let root = root(&maker);
    let decode = |name: &str| root.value(name).unwrap().unwrap().decode();
    let is_text = |name: &str, wanted: &str| matches!(decode(name).unwrap(), Data::Text(text) if text.text == wanted && !text.is_damaged);
    assert!(is_text("text", "a b") && is_text("expand", "%x%") && is_text("link", "\\Registry"));
    assert_eq!(decode("number").unwrap(), Data::Number(7));
    assert_eq!(decode("swapped").unwrap(), Data::Number(7));
    assert_eq!(decode("long").unwrap(), Data::Number(1 << 40));
    assert_eq!(decode("bytes").unwrap(), Data::Bytes(b"abcdef".to_vec()));
    assert!(decode("short").is_err());
    assert!(matches!(decode("list").unwrap(), Data::List(list) if list.len() == 2));
    assert!(matches!(decode("half").unwrap(), Data::Text(text) if text.is_damaged));
    assert!(root.value("nothing").unwrap().is_none());
}

#[test]
fn other_versions_and_logs_are_refused() {
    for (at, number, wanted) in [
        (20, 2, "not supported: hive of version 2.5"),
        (24, 1, "not supported: hive of version 1.1"),
        (24, 7, "not supported: hive of version 1.7"),
        (28, 1, "not supported: transaction log in place of a hive"),
        (32, 2, "not supported: hive of format 2"),
        (40, 4095, "damaged registry hive: wrong size of the hive bins at 0x28"),
        (0, 0, "damaged registry hive: no registry hive at 0x0"),
    ] {
        let mut hive = Maker::new().hive();
        set(&mut hive, at, number);
        crate::maker::seal(&mut hive);
        assert_eq!(listing(hive, Logs::default()).problems, [wanted]);
    }
    assert!(Hive::claims(&Maker::new().hive()) && !Hive::claims(b"hbin"));
}

#[test]
fn class_names_links_and_times() {
    let mut maker = Maker::new();
    let root_key = maker.root();
    let class: Vec<u8> = "Shell".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let class = maker.cell(&class);
    let keys = maker.keys(root_key, b"lh", &["Class", "Link"]);
    maker.put32(keys[0] + 4 + 48, class);
    maker.put(keys[0] + 4 + 74, &10u16.to_le_bytes());
    maker.put(keys[1] + 4 + 2, &0x30u16.to_le_bytes());
    let root = root(&maker);
    let (class, link) =
        (root.subkey("class").unwrap().unwrap(), root.subkey("link").unwrap().unwrap());
    assert_eq!(class.class_name().unwrap().unwrap().text, "Shell");
    assert!(link.class_name().unwrap().is_none() && link.is_link() && !class.is_link());
    let ticks = 132_000_000_000_000_000 + u64::from(root_key);
    assert_eq!(class.modified().0, ticks);
    assert_eq!(class.modified().unix(), (1_555_526_400, root_key * 100));
}

/// Below a key of a container's layer stands what another hive has.
#[test]
fn layered_keys_are_told() {
    let mut maker = Maker::new();
    let root_key = maker.root();
    let keys = maker.keys(root_key, b"lh", &["a", "b"]);
    maker.put(keys[1] + 4 + 13, &[1]);
    let wanted = format!("not supported: layered key at {:#x}", 4096 + keys[1]);
    for (minor, told) in [(5, vec![]), (6, vec![wanted])] {
        maker.minor = minor;
        let listing = listing(maker.hive(), Logs::default());
        assert_eq!((listing.lines.len(), listing.problems), (3, told));
    }
}

/// A key is found by its hash: the list is read, and the one key.
#[test]
fn a_lookup_reads_little() {
    let mut maker = Maker::new();
    let names: Vec<String> = (0..3000).map(|index| format!("Key{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    maker.keys(maker.root(), b"lh", &names);
    let device = test_material::Counting::new(maker.hive());
    let hive = Hive::open(Arc::new(device.clone()), Logs::default()).unwrap();
    assert_eq!(device.take().reads, 2);
    assert!(hive.root().unwrap().subkey("KEY2999").unwrap().is_some());
    let taken = device.take();
    assert_eq!(taken.reads, 4);
    assert!(taken.bytes < 25_000, "{taken:?}");
}
