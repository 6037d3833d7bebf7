//! Damaged copies of the fixtures: each check that the reader makes must notice, and random damage
//! must neither panic nor run away.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[expect(dead_code, reason = "shared with other tests")]
#[path = "support/fixtures.rs"]
mod fixtures;

use fixtures::{Fixture, sha256};
use md_reader::{Assembly, Device, assemble};
use std::sync::Arc;

fn fixture(name: &str) -> Fixture {
    fixtures::fixture("md", name)
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

/// The sum of all 32-bit words, folded, that a superblock of version 1 bears at 216.
fn sign(superblock: &mut [u8]) {
    superblock[216..220].fill(0);
    let devices = u32::from_le_bytes(superblock[220..224].try_into().unwrap()).min(1920) as usize;
    let words = superblock[..256 + devices * 2]
        .chunks(4)
        .map(|word| word.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    let sum: u64 = words.sum();
    let sum = (sum as u32).wrapping_add((sum >> 32) as u32);
    superblock[216..220].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_checksum_that_does_not_hold_costs_a_member() {
    for (name, at) in
        [("raid1_1_2", 4096 + 40), ("raid1_1_1", 40), ("raid1_0_90", (4 << 20) - 0x10000 + 20)]
    {
        let made = fixture(name);
        let assembly = assemble(&changed(&made, "m1", |image| image[at] ^= 1));
        let [(0, problem)] = &assembly.problems[..] else { panic!("{:?}", assembly.problems) };
        assert!(problem.to_string().starts_with("checksum of the md superblock"), "{problem}");
        let array = &assembly.arrays[0];
        assert!(
            array.notes.iter().any(|note| note.starts_with("member 0 of")),
            "{:?}",
            array.notes
        );
        assert_eq!(sha256(array.source.as_ref().unwrap()), made.rows[0].sha256);
    }
}

/// A copy of a superblock on a larger disk, as when a partition was a member: it says where it
/// should stand, and that is elsewhere.
#[test]
fn a_superblock_of_another_device_is_passed_over() {
    let made = fixture("raid1_1_0");
    let shifted = |image: &mut Vec<u8>| drop(image.splice(0..0, vec![0; 1 << 20]));
    let assembly = assemble(&changed(&made, "m1", shifted));
    assert!(assembly.problems.is_empty());
    assert_eq!(assembly.arrays[0].devices, [1]);
}

/// The kernel was told that 8 sectors of the first member, 4000 after its data's start, are bad.
#[test]
fn blocks_that_are_noted_as_bad_are_read_from_another_member() {
    let made = fixture("bad_blocks");
    assert!(made.tools.contains("6048 for 8 sectors"));
    let spoil = |image: &mut Vec<u8>| image[6048 * 512..6056 * 512].fill(0xff);
    let array = assemble(&changed(&made, "m1", spoil)).arrays.remove(0);
    assert_eq!(sha256(array.source.as_ref().unwrap()), made.rows[0].sha256);
}

/// Fields of a superblock set to what cannot be, with a checksum that holds.
#[test]
fn numbers_past_what_can_be_are_errors() {
    for name in
        ["raid1_1_2", "raid0", "raid5_left_symmetric", "raid10_far2", "linear", "raid6_parity_last"]
    {
        let made = fixture(name);
        for (field, width) in [
            (8, 4),
            (72, 4),
            (76, 4),
            (80, 8),
            (88, 4),
            (92, 4),
            (128, 8),
            (136, 8),
            (152, 8),
            (160, 4),
            (186, 2),
            (188, 4),
            (200, 8),
            (220, 4),
            (256, 2),
        ] {
            for value in [0u64, 1, 7, 0x7fff_ffff, u64::MAX, u64::MAX / 512, 1 << 40] {
                let devices = changed(&made, "m1", |image| {
                    let bytes = &value.to_le_bytes()[..width];
                    image[4096 + field..4096 + field + width].copy_from_slice(bytes);
                    if field != 220 {
                        sign(&mut image[4096..8192]);
                    }
                });
                read_some(&assemble(&devices));
            }
        }
    }
}

/// Of a unknown feature or level it is said that it is not read.
#[test]
fn what_is_not_known_is_named() {
    let made = fixture("raid1_1_2");
    for (field, value, words) in [
        (8, 1u32 << 20, "md features 0x100000"),
        (72, u32::MAX - 3, "md level multipath"),
        (72, 7, "md level raid7"),
    ] {
        let devices = made.images.iter().map(|(name, image)| {
            let mut image = Vec::clone(image);
            image[4096 + field..4096 + field + 4].copy_from_slice(&value.to_le_bytes());
            sign(&mut image[4096..8192]);
            Device { name: name.clone(), source: Arc::new(image) }
        });
        let assembly = assemble(&devices.collect::<Vec<_>>());
        let of_devices = assembly.problems.iter().map(|(_, problem)| problem.to_string());
        let of_arrays = assembly.arrays.iter().flat_map(|array| &array.problems);
        let said: Vec<String> = of_devices.chain(of_arrays.map(ToString::to_string)).collect();
        assert!(said.iter().any(|said| said.contains(words)), "{said:?}");
    }
}

/// A few reads of all that was found.
fn read_some(assembly: &Assembly) {
    let mut bytes = vec![0; 70_000];
    for source in assembly.arrays.iter().filter_map(|array| array.source.as_ref()) {
        for at in [0, source.size() / 3, source.size().saturating_sub(70_000)] {
            source.will_need(std::slice::from_ref(&(at..at.saturating_add(70_000))));
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
    for (seed, made) in fixtures::all("md").enumerate() {
        let mut random = Random(seed as u64);
        for _ in 0..25 {
            let devices = made.images.iter().map(|(name, image)| {
                let mut image = Vec::clone(image);
                let from = if name.starts_with('m') && image[0x1000] == 0xfc { 0x1000 } else { 0 };
                for _ in 0..random.below(4) {
                    let at = from + random.below(300);
                    image[at] = random.below(256) as u8;
                }
                if from > 0 {
                    sign(&mut image[from..from + 4096]);
                }
                Device { name: name.clone(), source: Arc::new(image) }
            });
            read_some(&assemble(&devices.collect::<Vec<_>>()));
        }
    }
}
