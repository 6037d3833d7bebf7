//! Damaged copies of the fixtures: each check that the reader makes must notice, what is whole must
//! still be read, and random damage must neither panic nor run away.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[expect(dead_code, reason = "shared with other tests")]
#[path = "../../md-reader/tests/support/fixtures.rs"]
mod fixtures;

use block_source::BlockSource;
use fixtures::{Fixture, sha256};
use lvm2_reader::{Assembly, Device, LogicalVolume, assemble};
use std::sync::Arc;

/// Where `pvcreate` puts the header of the first metadata area.
const AREA: usize = 4096;

fn fixture(name: &str) -> Fixture {
    fixtures::fixture("lvm2", name)
}

fn changed(made: &Fixture, disk: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<Device> {
    let devices = made.images.iter().map(|(name, image)| {
        let mut image = Vec::clone(image);
        if name == disk {
            change(&mut image);
        }
        Device { name: name.clone(), source: Arc::new(image) }
    });
    devices.collect()
}

fn said(assembly: &Assembly) -> Vec<String> {
    let of_devices = assembly.problems.iter().map(|(_, problem)| problem.to_string());
    let of_groups = assembly.groups.iter().flat_map(|group| {
        let of_volumes = group.volumes.iter().flat_map(|volume| &volume.problems);
        let all = group.problems.iter().chain(of_volumes).map(ToString::to_string);
        all.chain(group.notes.iter().cloned()).collect::<Vec<_>>()
    });
    of_devices.chain(of_groups).collect()
}

fn assert_said(assembly: &Assembly, words: &str) {
    let said = said(assembly);
    assert!(said.iter().any(|said| said.contains(words)), "no {words:?} in {said:?}");
}

fn volume<'a>(assembly: &'a Assembly, name: &str) -> &'a LogicalVolume {
    let mut volumes = assembly.groups.iter().flat_map(|group| &group.volumes);
    volumes.rfind(|volume| volume.name == name).unwrap()
}

fn u64_at(image: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(image[at..at + 8].try_into().unwrap())
}

/// Byte of the disk at which the newest text of the first area starts.
fn newest_text(image: &[u8]) -> usize {
    AREA + u64_at(image, AREA + 40) as usize
}

#[test]
fn a_label_is_checked() {
    let made = fixture("label_sector");
    for (at, words) in
        [(3 * 512 + 60, "checksum of the LVM label"), (3 * 512 + 8, "stands elsewhere")]
    {
        let assembly = assemble(&changed(&made, "pv1", |image| image[at] ^= 1));
        assert!(assembly.groups.is_empty());
        assert_said(&assembly, words);
    }
}

#[test]
fn damaged_metadata_on_one_disk_are_made_up_for_by_another() {
    let made = fixture("linear");
    for at in [AREA + 30, newest_text(&made.images[0].1) + 500] {
        let assembly = assemble(&changed(&made, "pv1", |image| image[at] ^= 1));
        for row in &made.rows {
            let source = volume(&assembly, row.name.split_once('/').unwrap().1).source.as_ref();
            assert_eq!(sha256(source.unwrap()), row.sha256);
        }
        assert!(!said(&assembly).is_empty());
        assert!(assembly.groups[0].problems.is_empty());
    }
}

/// Of a damaged newest text the one before is taken, and that is said.
#[test]
fn an_older_text_stands_in_for_the_newest() {
    for (name, row) in [("wrapped", 0), ("names", 1)] {
        let made = fixture(name);
        let whole = assemble(&made.devices(&[])).groups.remove(0);
        let at = newest_text(&made.images[0].1) + 300;
        let assembly = assemble(&changed(&made, "pv1", |image| image[at] ^= 1));
        let group = &assembly.groups[0];
        assert_eq!(group.sequence, whole.sequence - 1, "{name}");
        let problems: Vec<String> = group.problems.iter().map(ToString::to_string).collect();
        assert!(problems[0].starts_with("checksum of the text"), "{problems:?}");
        let row = &made.rows[row];
        let source = volume(&assembly, row.name.split_once('/').unwrap().1).source.as_ref();
        assert_eq!(sha256(source.unwrap()), row.sha256, "{name}");
    }
}

#[test]
fn the_newest_text_of_the_wrapped_area_goes_round_its_end() {
    let image = &fixture("wrapped").images[0].1;
    let (size, offset) = (u64_at(image, AREA + 32), u64_at(image, AREA + 40));
    assert!(offset + u64_at(image, AREA + 48) > size);
}

#[test]
fn a_disk_that_was_cut_is_read_up_to_there() {
    let made = fixture("linear");
    let cut = |image: &mut Vec<u8>| image.truncate(9 << 20);
    let assembly = assemble(&changed(&made, "pv2", cut));
    assert_said(&assembly, "bytes of a physical volume, less than it should have");
    let large = volume(&assembly, "large").source.as_ref().unwrap();
    let mut bytes = [0; 4096];
    assert!(large.read_exact_at(0, &mut bytes).is_ok());
    assert!(large.read_exact_at(12 << 20, &mut bytes).is_err());
}

/// Finds a structure by its first bytes, at a multiple of 512.
fn find(image: &[u8], at: usize, bytes: &[u8]) -> usize {
    let sectors = (0..image.len()).step_by(512);
    let mut found = sectors.filter(|start| image[start + at..].starts_with(bytes));
    found.next().unwrap()
}

#[test]
fn a_thin_pool_is_checked() {
    let made = fixture("thin");
    let superblock = find(&made.images[1].1, 32, &27_022_010u64.to_le_bytes());
    let assembly = assemble(&changed(&made, "pv2", |image| image[superblock + 400] ^= 1));
    assert_said(&assembly, "superblock of the thin pool");
    assert!(volume(&assembly, "one").source.is_none());
    // The root of all mappings.
    let root = u64_at(&made.images[1].1, superblock + 320) as usize * 4096 + superblock;
    let assembly = assemble(&changed(&made, "pv2", |image| image[root + 40] ^= 1));
    assert_said(&assembly, "checksum of the thin pool's metadata block");
}

#[test]
fn a_snapshots_store_is_checked() {
    let made = fixture("snapshot");
    let header = find(&made.images[0].1, 0, b"SnAp");
    for (at, words) in [
        (0, "signature of the snapshot's store"),
        (4, "ran full"),
        (8, "snapshot store of version"),
        (12, "chunk size of the snapshot's store"),
    ] {
        let assembly = assemble(&changed(&made, "pv1", |image| image[header + at] ^= 0x7));
        assert_said(&assembly, words);
        let origin = made.rows.iter().find(|row| row.name == "snap/origin").unwrap();
        assert_eq!(sha256(volume(&assembly, "origin").source.as_ref().unwrap()), origin.sha256);
    }
}

/// A text in place of the newest, with a checksum that holds.
fn with_text(made: &Fixture, change: impl Fn(String) -> String) -> Vec<Device> {
    changed(made, "pv1", |image| {
        let (start, size) = (newest_text(image), u64_at(image, AREA + 48) as usize);
        let text = String::from_utf8(image[start..start + size].to_vec()).unwrap();
        let text = change(text).into_bytes();
        assert!(start + text.len() < 1 << 20, "no space for the text");
        image[start..start + text.len()].copy_from_slice(&text);
        let length = text.len() as u64;
        image[AREA + 48..AREA + 56].copy_from_slice(&length.to_le_bytes());
        image[AREA + 56..AREA + 60].copy_from_slice(&crc(&text).to_le_bytes());
        let header = crc(&image[AREA + 4..AREA + 512]);
        image[AREA..AREA + 4].copy_from_slice(&header.to_le_bytes());
    })
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
    bytes
        .iter()
        .fold(0xf597_a6cf, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

#[test]
fn a_volume_inside_itself_is_no_endless_loop() {
    let made = fixture("sectors_4k");
    let own = |text: String| text.replace("\"pv0\", 0", "\"data\", 0");
    let assembly = assemble(&with_text(&made, own));
    assert_said(&assembly, "volumes inside each other without end");
    assert!(volume(&assembly, "data").source.is_none());
}

/// Metadata of which each of many parts is missing: the list of them is cut, and says so.
#[test]
fn a_volume_of_parts_that_are_missing_by_thousands_is_told_in_few_words() {
    let made = fixture("sectors_4k");
    let many = |text: String| {
        let areas: Vec<String> = (0..20_000).map(|number| format!("\"n{number}\", 0")).collect();
        let areas = format!("\"pv0\", 0, {}", areas.join(", "));
        text.replace("extent_count = 32", "extent_count = 20001")
            .replace("\"pv0\", 0", &areas)
            .replace("stripe_count = 1", "stripe_size = 8")
    };
    let assembly = assemble(&with_text(&made, many));
    let problems = &volume(&assembly, "data").problems;
    assert_eq!(problems.len(), 64);
    assert_eq!(problems[63].to_string(), "more than these is missing");
}

/// Metadata that make each read ask for millions of others.
#[test]
fn mirrors_of_mirrors_of_mirrors_are_refused() {
    let made = fixture("sectors_4k");
    let bomb = |text: String| {
        let (head, tail) = text.split_once("logical_volumes {\n").unwrap();
        let level = |level: usize| {
            let on = if level == 0 { "pv0".to_owned() } else { format!("m{}", level - 1) };
            let legs = vec![format!("\"{on}\", 0"); 100].join(", ");
            format!(
                "m{level} {{ id = \"x\" status = [\"VISIBLE\"] segment1 {{ start_extent = 0 \
                 extent_count = 1 type = \"mirror\" mirrors = [{legs}] }} }}\n"
            )
        };
        let volumes: Vec<String> = (0..6).map(level).collect();
        let volumes = volumes.concat();
        format!("{head}logical_volumes {{\n{volumes}{tail}")
    };
    let assembly = assemble(&with_text(&made, bomb));
    assert!(volume(&assembly, "m0").source.is_some());
    for level in 1..6 {
        assert!(volume(&assembly, &format!("m{level}")).source.is_none());
    }
    assert_said(&assembly, "a volume made of that many parts inside each other");
}

#[test]
fn numbers_past_what_can_be_are_errors() {
    let made = fixture("sectors_4k");
    let huge = u64::MAX.to_string();
    for (from, to) in [
        ("extent_size = 256", format!("extent_size = {huge}")),
        ("extent_count = 32", format!("extent_count = {huge}")),
        ("extent_count = 32", "extent_count = 0".to_owned()),
        ("extent_count = 32", "extent_count = 3200".to_owned()),
        ("start_extent = 0", format!("start_extent = {huge}")),
        ("pe_start = 2048", format!("pe_start = {}", u64::MAX / 512)),
        ("\"pv0\", 0", format!("\"pv0\", {}", u64::MAX / 131_072)),
        ("\"pv0\", 0", "\"pv0\"".to_owned()),
        ("\"pv0\", 0", "\"pv0\", 0, \"pv0\", 0, \"pv0\", 0".to_owned()),
        ("type = \"striped\"", "type = \"quantum\"".to_owned()),
    ] {
        let change = |text: String| {
            assert!(text.contains(from), "no {from} in {text}");
            text.replace(from, &to)
        };
        let assembly = assemble(&with_text(&made, change));
        assert!(!said(&assembly).is_empty(), "{to}");
        read_some(&assembly);
    }
}

/// A few reads of all that was found.
fn read_some(assembly: &Assembly) {
    let mut bytes = vec![0; 70_000];
    for volume in assembly.groups.iter().flat_map(|group| &group.volumes) {
        let Some(source) = &volume.source else { continue };
        for at in [0, source.size() / 3, source.size().saturating_sub(70_000)] {
            source.will_need(std::slice::from_ref(&(at..at + 70_000)));
            let _ = source.read_exact_at(at, &mut bytes);
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn random_damage_is_survived() {
    for (seed, made) in fixtures::all("lvm2").enumerate() {
        let mut random = Random(seed as u64);
        // Sectors that are not part of the pattern of numbers, which is most of a disk.
        let sectors: Vec<Vec<usize>> = made
            .images
            .iter()
            .map(|(_, image)| {
                let starts = (0..image.len()).step_by(512);
                let used = |start: &usize| image[*start..start + 512].iter().any(|byte| *byte != 0);
                let pattern =
                    |start: &usize| image[*start..start + 8] == image[start + 8..start + 16];
                starts.filter(|start| used(start) && !pattern(start)).collect()
            })
            .collect();
        for _ in 0..4 {
            let devices = made.images.iter().zip(&sectors).map(|((name, image), sectors)| {
                let mut image = Vec::clone(image);
                for _ in 0..20 {
                    let at = sectors[random.below(sectors.len())] + random.below(512);
                    image[at] = random.below(256) as u8;
                }
                Device { name: name.clone(), source: Arc::new(image) }
            });
            read_some(&assemble(&devices.collect::<Vec<_>>()));
        }
    }
}
