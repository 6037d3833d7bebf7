//! Every array that the kernel made, read by it and by this reader: whole, and with members left
//! out, the sums of all bytes must be the same. The fixtures say what mdadm and the kernel said.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/fixtures.rs"]
mod fixtures;

use fixtures::{Fixture, sha256};
use md_reader::{Array, Error, assemble};

/// Fixtures of which this reader must say that it cannot read them, with the words it must use.
const REFUSED: &[(&str, &str)] = &[
    ("container_ddf", "DDF"),
    ("container_imsm", "IMSM"),
    ("raid0_unequal_unknown", "without a recorded layout"),
    ("reshaping", "reshape"),
];

/// Arrays that lack nothing, and have nothing more to tell than that they have a bitmap or spare.
const NOT_WHOLE: &[&str] = &[
    "bad_blocks",
    "degraded_raid1",
    "degraded_raid10",
    "degraded_raid5",
    "degraded_raid6",
    "failed",
    "journal",
    "recovering",
    "stale_raid1",
    "stale_raid5",
];

fn fixture(name: &str) -> Fixture {
    fixtures::fixture("md", name)
}

fn readable() -> impl Iterator<Item = Fixture> {
    fixtures::all("md").filter(|made| REFUSED.iter().all(|(name, _)| *name != made.name))
}

fn arrays(made: &Fixture, without: &[&str]) -> Vec<Array> {
    let assembly = assemble(&made.devices(without));
    assert!(assembly.problems.is_empty(), "{}: {:?}", made.name, assembly.problems);
    assembly.arrays
}

/// The value that mdadm printed first after a label.
fn said<'a>(made: &'a Fixture, label: &str) -> Option<&'a str> {
    let line = made.tools.lines().find_map(|line| line.trim().strip_prefix(label))?;
    line.trim().strip_prefix(": ")?.split(' ').next()
}

fn check(made: &Fixture, without: &[&str]) {
    let arrays = arrays(made, without);
    assert_eq!(arrays.len(), made.rows.len(), "{}", made.name);
    for row in &made.rows {
        let array = arrays.iter().find(|array| array.uuid == row.uuid);
        let array = array.unwrap_or_else(|| panic!("{}: no {}", made.name, row.uuid));
        let what = format!("{} {} without {without:?}", made.name, row.name);
        let source =
            array.source.as_ref().unwrap_or_else(|| panic!("{what}: {:?}", array.problems));
        assert_eq!(source.size(), row.size, "{what}");
        assert_eq!(sha256(&**source), row.sha256, "{what}: {:?}", array.notes);
    }
}

#[test]
fn every_array_is_as_the_kernel_read_it() {
    let mut seen = 0;
    for made in readable() {
        seen += 1;
        check(&made, &[]);
        if let [array] = &arrays(&made, &[])[..] {
            assert_eq!(Some(array.level.as_str()), said(&made, "Raid Level"), "{}", made.name);
            let version = array.version.to_string();
            assert_eq!(Some(version.as_str()), said(&made, "Version"), "{}", made.name);
            let name = said(&made, "Name").unwrap_or_default();
            assert_eq!(array.name, name, "{}", made.name);
            if !NOT_WHOLE.contains(&made.name.as_str()) {
                assert!(array.problems.is_empty(), "{}: {:?}", made.name, array.problems);
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// How many members a level can lose.
fn may_lose(made: &Fixture) -> usize {
    match said(made, "Raid Level") {
        _ if NOT_WHOLE.contains(&made.name.as_str()) || made.rows.len() != 1 => 0,
        Some("raid1" | "raid4" | "raid5" | "raid10") => 1,
        Some("raid6") => 2,
        _ => 0,
    }
}

#[test]
fn arrays_that_can_lose_a_member_are_whole_without_any_one() {
    for made in readable().filter(|made| may_lose(made) > 0) {
        for (name, _) in &made.images {
            check(&made, &[name]);
            let array = arrays(&made, &[name]).remove(0);
            assert!(array.problems.is_empty(), "{}: {:?}", made.name, array.problems);
            let told = array.notes.iter().any(|note| note.contains("the others make up"));
            assert!(told || made.name == "spare", "{}: {:?}", made.name, array.notes);
        }
    }
}

/// The first and the last part of an array: all rows of its layout.
fn ends(array: &Array) -> Vec<u8> {
    let source = array.source.as_ref().unwrap();
    let mut bytes = vec![0; 1 << 20];
    let (front, back) = bytes.split_at_mut(600_001);
    source.read_exact_at(0, front).unwrap();
    source.read_exact_at(source.size() - back.len() as u64, back).unwrap();
    bytes
}

#[test]
fn raid6_is_whole_without_any_two() {
    let mut seen = 0;
    for made in readable().filter(|made| may_lose(made) == 2) {
        let whole = ends(&arrays(&made, &[]).remove(0));
        for (index, (first, _)) in made.images.iter().enumerate() {
            for (second, _) in &made.images[index + 1..] {
                let part = arrays(&made, &[first, second]).remove(0);
                assert!(ends(&part) == whole, "{} without {first} and {second}", made.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_cannot_be_made_up_for_is_named_and_the_rest_is_read() {
    for name in ["raid0", "raid5_left_symmetric", "raid6_left_symmetric", "linear"] {
        let made = fixture(name);
        let lost: Vec<&str> = match name {
            "raid0" => vec!["m1"],
            "linear" => vec!["m2"],
            "raid5_left_symmetric" => vec!["m1", "m2"],
            _ => vec!["m1", "m2", "m3"],
        };
        let array = arrays(&made, &lost).remove(0);
        let missing =
            array.problems.iter().filter(|problem| matches!(problem, Error::Missing { .. }));
        assert_eq!(missing.count(), lost.len(), "{name}: {:?}", array.problems);
        let whole = arrays(&made, &[]).remove(0).source.unwrap();
        let part = array.source.unwrap();
        let (mut read, mut failed) = (0, 0);
        for at in (0..part.size()).step_by(4096) {
            let (mut expected, mut bytes) = ([0; 4096], [0; 4096]);
            whole.read_exact_at(at, &mut expected).unwrap();
            match part.read_exact_at(at, &mut bytes) {
                Ok(()) => {
                    assert_eq!(bytes, expected, "{name} at {at}");
                    read += 1;
                }
                Err(_) => failed += 1,
            }
        }
        assert!(read > 0 && (failed > 0 || part.size() < whole.size()), "{name}: {read} {failed}");
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (name, words) in REFUSED {
        let made = fixture(name);
        let assembly = assemble(&made.devices(&[]));
        let of_devices = assembly.problems.iter().map(|(_, problem)| problem.to_string());
        let of_arrays = assembly.arrays.iter().flat_map(|array| {
            assert!(array.source.is_none(), "{name}");
            array.problems.iter().map(ToString::to_string)
        });
        let all: Vec<String> = of_devices.chain(of_arrays).collect();
        assert!(!all.is_empty() && all.iter().all(|said| said.contains(words)), "{name}: {all:?}");
    }
}

#[test]
fn members_that_do_not_count_are_named() {
    for (name, words) in [
        ("stale_raid1", "m1 is left out: it stopped at event"),
        ("stale_raid5", "m1 is left out: it stopped at event"),
        ("spare", "m3 is a spare"),
        ("failed", "m2 is left out: it stopped at event"),
        ("recovering", "m4 is new and filled up to byte"),
        ("journal", "journal is the write journal"),
        ("raid1_bitmap", "write-intent bitmap"),
        ("bad_blocks", "m1 has bad blocks"),
    ] {
        let array = arrays(&fixture(name), &[]).remove(0);
        assert!(array.notes.iter().any(|note| note.contains(words)), "{name}: {:?}", array.notes);
    }
}

/// A disk and its last partition show the same superblock of version 0.90.
#[test]
fn of_two_devices_with_the_same_member_the_partition_is_taken() {
    let made = fixture("raid1_0_90");
    let mut devices = made.devices(&[]);
    let mut disk = vec![0xee; 1 << 20];
    disk.extend_from_slice(&made.images[0].1);
    devices.insert(
        0,
        md_reader::Device { name: "disk".to_owned(), source: std::sync::Arc::new(disk) },
    );
    let array = assemble(&devices).arrays.remove(0);
    assert_eq!(sha256(&**array.source.as_ref().unwrap()), made.rows[0].sha256);
    assert!(array.notes.contains(&"disk is left out: m1 is the same member".to_owned()));
}
