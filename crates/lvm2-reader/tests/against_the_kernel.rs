//! Every logical volume that the kernel made, read by it and by this reader: whole, and with
//! physical volumes left out, the sums of all bytes must be the same. The fixtures say what LVM and
//! the kernel said.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "../../md-reader/tests/support/fixtures.rs"]
mod fixtures;

use block_source::BlockSource;
use fixtures::{Fixture, sha256};
use lvm2_reader::{Assembly, Device, Error, LogicalVolume, VolumeGroup, assemble};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Volumes of which this reader must say that it cannot read them, with the words it must use.
const REFUSED: &[(&str, &str, &str)] = &[
    ("cache", "data", "LVM segment type cache"),
    ("writecache", "data", "LVM segment type writecache"),
    ("integrity", "data", "LVM segment type integrity"),
    ("snapshot_full", "over", "ran full"),
    ("zero_error", "errors", "error segment"),
];

/// Volumes that were not hashed in the emulated machine.
const NOT_HASHED: &[(&str, &str)] =
    &[("thin_deep", "data"), ("snapshot_full", "over"), ("zero_error", "errors")];

/// Volumes that live on a volume, not on the disks.
const INNER: &str = "inner/data";

fn fixture(name: &str) -> Fixture {
    fixtures::fixture("lvm2", name)
}

fn assembly(made: &Fixture, without: &[&str]) -> Assembly {
    assemble(&made.devices(without))
}

fn group(made: &Fixture, without: &[&str]) -> VolumeGroup {
    let mut assembly = assembly(made, without);
    assert!(assembly.problems.is_empty(), "{}: {:?}", made.name, assembly.problems);
    assert_eq!(assembly.groups.len(), 1, "{}", made.name);
    assembly.groups.remove(0)
}

fn volume(group: &VolumeGroup, name: &str) -> LogicalVolume {
    let found = group.volumes.iter().find(|volume| volume.name == name);
    let found = found.unwrap_or_else(|| panic!("no volume {name}"));
    LogicalVolume {
        name: found.name.clone(),
        uuid: found.uuid.clone(),
        source: found.source.clone(),
        problems: found.problems.clone(),
        notes: found.notes.clone(),
        devices: found.devices.clone(),
        ..*found
    }
}

fn refused(fixture: &str, volume: &str) -> Option<&'static str> {
    let found = REFUSED.iter().find(|(made, name, _)| *made == fixture && *name == volume);
    found.map(|(_, _, words)| *words)
}

/// Holds all volumes against what the kernel read; gives the notes of all.
fn check(made: &Fixture, without: &[&str]) -> Vec<String> {
    let group = group(made, without);
    let mut notes = group.notes.clone();
    for row in made.rows.iter().filter(|row| row.name != INNER) {
        let what = format!("{} without {without:?}", row.name);
        let (in_group, name) = row.name.split_once('/').unwrap();
        assert_eq!(in_group, group.name);
        let found = volume(&group, name);
        assert_eq!(found.uuid, row.uuid, "{what}");
        assert_eq!(found.size, row.size, "{what}");
        notes.extend(found.notes.clone());
        if refused(&made.name, name).is_some() {
            continue;
        }
        assert!(found.problems.is_empty(), "{what}: {:?}", found.problems);
        let source = found.source.unwrap();
        assert_eq!(source.size(), row.size, "{what}");
        assert_eq!(sha256(&*source), row.sha256, "{what}: {:?}", found.notes);
    }
    notes
}

#[test]
fn every_volume_is_as_the_kernel_read_it() {
    let mut seen = 0;
    for made in fixtures::all("lvm2") {
        check(&made, &[]);
        seen += 1;
    }
    assert!(seen > 28, "{seen}");
}

#[test]
fn the_owners_volumes_are_found_and_no_others() {
    for made in fixtures::all("lvm2") {
        let rows = made.rows.iter().filter(|row| row.name != INNER);
        let mut expected: BTreeSet<&str> =
            rows.map(|row| row.name.split_once('/').unwrap().1).collect();
        let not_hashed = NOT_HASHED.iter().filter(|(fixture, _)| *fixture == made.name);
        expected.extend(not_hashed.map(|(_, name)| name));
        let group = group(&made, &[]);
        let found: BTreeSet<&str> =
            group.volumes.iter().map(|volume| volume.name.as_str()).collect();
        assert_eq!(found, expected, "{}", made.name);
        assert!(group.problems.is_empty(), "{}: {:?}", made.name, group.problems);
    }
}

/// Names, ids and sequence numbers are those that `vgs` printed.
#[test]
fn groups_are_named_as_lvm_names_them() {
    let mut seen = 0;
    for made in fixtures::all("lvm2") {
        let mut lines = made.tools.lines().skip_while(|line| !line.starts_with("$ vgs"));
        let Some(row) = lines.find(|line| line.trim_start().starts_with(&made.rows[0].name[..4]))
        else {
            continue;
        };
        let words: Vec<&str> = row.split_whitespace().collect();
        let group = group(&made, &[]);
        assert_eq!([group.name.as_str(), group.uuid.as_str()], words[..2], "{}", made.name);
        // Exporting it was one more change after LVM was asked.
        let after = u64::from(made.name == "exported");
        assert_eq!(group.sequence, words[2].parse::<u64>().unwrap() + after, "{}", made.name);
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_is_not_read_is_named() {
    for (made, name, words) in REFUSED {
        let found = volume(&group(&fixture(made), &[]), name);
        assert!(found.source.is_none(), "{made}");
        let said: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|said| said.contains(words)), "{made}: {said:?}");
    }
}

#[test]
fn redundant_volumes_are_whole_without_any_one_disk() {
    for name in ["raid1", "mirror", "raid10", "raid5", "raid6", "thin_deep", "raid5_reshaped"] {
        let made = fixture(name);
        let mut told = 0;
        for (disk, _) in &made.images {
            let group = group(&made, &[disk]);
            let lost = group.problems.iter().filter(|said| matches!(said, Error::Missing { .. }));
            assert_eq!(lost.count(), 1, "{name} without {disk}");
            let notes = check(&made, &[disk]);
            told += usize::from(notes.iter().any(|note| note.contains("make up for it")));
        }
        // The third disk of the mirror holds but its log.
        assert_eq!(told, made.images.len() - usize::from(name == "mirror"), "{name}");
    }
}

#[test]
fn a_volume_lies_on_the_disks_that_it_is_not_whole_without() {
    let (mut on, mut off) = (0, 0);
    for name in ["linear", "striped"] {
        let made = fixture(name);
        let whole = group(&made, &[]);
        for (index, (disk, _)) in made.images.iter().enumerate() {
            let part = group(&made, &[disk]);
            for found in &whole.volumes {
                let is_on = found.devices.contains(&index);
                let is_hurt = !volume(&part, &found.name).problems.is_empty();
                assert_eq!(is_on, is_hurt, "{name}: {} without {disk}", found.name);
                (on, off) = (on + usize::from(is_on), off + usize::from(!is_on));
            }
        }
    }
    assert!(on > 2 && off > 2, "{on} {off}");
    // Through pools, legs and origins; zeroes and errors lie nowhere.
    for made in fixtures::all("lvm2").filter(|it| it.name != "zero_error") {
        for found in group(&made, &[]).volumes {
            let is_known = !found.devices.is_empty() || found.source.is_none();
            assert!(is_known, "{}: {}", made.name, found.name);
        }
    }
}

#[test]
fn raid6_is_whole_without_any_two_disks() {
    let made = fixture("raid6");
    for (index, (first, _)) in made.images.iter().enumerate() {
        for (second, _) in &made.images[index + 1..] {
            check(&made, &[first, second]);
        }
    }
}

#[test]
fn of_a_volume_on_a_missing_disk_the_rest_is_read() {
    for (made, name, disk) in
        [("linear", "large", "pv2"), ("striped", "three", "pv3"), ("raid5", "raid5_ls", "pv1 pv2")]
    {
        let made = fixture(made);
        let without: Vec<&str> = disk.split(' ').collect();
        let part = volume(&group(&made, &without), name);
        let missing = part.problems.iter().filter(|said| matches!(said, Error::Missing { .. }));
        assert_eq!(missing.count(), without.len(), "{name}: {:?}", part.problems);
        let whole = volume(&group(&made, &[]), name).source.unwrap();
        let part = part.source.unwrap();
        assert_eq!(part.size(), whole.size());
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
        assert!(read > 0 && failed > 0, "{name}: {read} {failed}");
    }
}

#[test]
fn a_missing_disk_is_named_by_its_id() {
    let made = fixture("linear");
    let group = group(&made, &["pv2"]);
    let pvs = made.tools.lines().find(|line| line.contains("/dev/loop1 ")).unwrap();
    let id = pvs.split_whitespace().nth(1).unwrap();
    let [problem] = &group.problems[..] else { panic!("{:?}", group.problems) };
    assert!(problem.to_string().contains(id), "{problem}");
    let small = volume(&group, "small");
    assert!(small.problems.is_empty(), "{:?}", small.problems);
}

#[test]
fn a_disk_without_metadata_is_known_by_those_of_the_others() {
    let made = fixture("metadata_areas");
    assert!(assembly(&made, &["pv1", "pv2"]).groups.is_empty());
    for alone in [["pv1", "pv2"], ["pv1", "pv3"]] {
        let assembly = assembly(&made, &alone);
        assert!(assembly.groups.is_empty());
        let [(0, Error::Missing { what })] = &assembly.problems[..] else {
            panic!("{:?}", assembly.problems)
        };
        assert_eq!(what, "metadata of the volume group");
    }
    let group = group(&made, &["pv2", "pv3"]);
    assert_eq!((group.problems.len(), group.volumes.len()), (2, 3));
    assert!(volume(&group, "first").problems.is_empty());
    assert!(volume(&group, "second").source.is_none());
}

#[test]
fn notes_say_what_is_odd() {
    for (name, words) in [
        ("raid1_stale_leg", "data_rimage_1 is left out: it"),
        ("raid1_stale_first_leg", "data_rimage_0 is left out: it"),
        ("older_metadata", "pv1 bears older metadata: change"),
        ("reduced", "pv2 is no longer in the group"),
        ("exported", "the group was exported"),
        ("snapshot_merging", "a snapshot is being merged into it"),
    ] {
        let notes = check(&fixture(name), &[]);
        assert!(notes.iter().any(|note| note.contains(words)), "{name}: {notes:?}");
    }
    assert_eq!(assembly(&fixture("reduced"), &[]).unused, [1]);
}

/// Copies of a disk, as snapshots of it are, bear one id.
#[test]
fn of_copies_of_a_disk_one_is_taken() {
    let made = fixture("linear");
    let mut devices = made.devices(&[]);
    let copy = Device { name: "copy".to_owned(), source: Arc::clone(&devices[0].source) };
    devices.push(copy);
    let group = assemble(&devices).groups.remove(0);
    assert_eq!(group.devices, [0, 1]);
    let note = "copy is left out: pv1 is the same physical volume pv0";
    assert_eq!(group.notes, [note]);
    assert!(group.problems.is_empty());
}

/// The copy from before the last change, first or last in the list, is not the one to read.
#[test]
fn of_copies_of_different_age_the_newest_is_taken() {
    let made = fixture("older_metadata");
    let newer = fixture("reduced");
    for order in [[0, 1], [1, 0]] {
        let devices = made.devices(&[]);
        let devices: Vec<Device> = order.iter().map(|index| devices[*index].clone()).collect();
        let group = assemble(&devices).groups.remove(0);
        assert_eq!(group.volumes.len(), 2, "{order:?}");
    }
    // Disks of two hosts are two groups.
    let both = [made.devices(&[]), newer.devices(&[])].concat();
    assert_eq!(assemble(&both).groups.len(), 2);
}

#[test]
fn a_group_inside_a_volume_is_found_on_it() {
    let made = fixture("stacked");
    let outer = volume(&group(&made, &[]), "disk");
    let device = Device { name: "outer/disk".to_owned(), source: outer.source.unwrap() };
    let inner = assemble(&[device]).groups.remove(0);
    let row = made.rows.iter().find(|row| row.name == INNER).unwrap();
    assert_eq!(inner.volumes[0].uuid, row.uuid);
    assert_eq!(sha256(inner.volumes[0].source.as_ref().unwrap()), row.sha256);
}

/// 300 blocks over 4 GiB, so that the tree of mappings has inner nodes.
#[test]
fn a_thin_volume_with_a_deep_tree_holds_what_was_written() {
    let made = fixture("thin_deep");
    let source = volume(&group(&made, &[]), "data").source.unwrap();
    assert_eq!(source.size(), 4 << 30);
    let written: BTreeSet<u64> = (0..300).map(|number| number * 7919 % 60_000).collect();
    for number in 0..300u64 {
        let at = number * 7919 % 60_000;
        let mut bytes = vec![0xff; 65_536 * 2];
        source.read_exact_at(at << 16, &mut bytes).unwrap();
        let (page, rest) = bytes.split_at(4096);
        assert!(page.chunks(8).all(|word| word == number.to_le_bytes()), "block {at}");
        let next = if written.contains(&(at + 1)) { 65_536 } else { 65_536 * 2 };
        assert!(rest[..next - 4096].iter().all(|byte| *byte == 0), "block {at}");
    }
}
