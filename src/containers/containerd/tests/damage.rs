//! Random damage: nothing panics or runs away, and what is whole is kept.

use super::made::{Made, bucket, database, texts, with_older};
use super::{container, find};
use crate::containers::store::Store;
use crate::containers::{Found, containerd::Containerd};
use crate::host::Tree;
use std::fs;
use std::path::Path;

const PAGE: usize = 4096;
const OVERLAY: &str = "io.containerd.snapshotter.v1.overlayfs/metadata.db";
const CONTAINERS: usize = 20;

/// Twenty containers on three layers.
fn made() -> Made {
    let mut made = Made::new();
    made.snapshot("overlayfs", "low", 1, 3, "");
    made.snapshot("overlayfs", "high", 2, 3, "low");
    for number in 0..CONTAINERS as u8 {
        let id = format!("c{number:02}");
        made.snapshot("overlayfs", &id, 10 + number, 2, "high");
        made.container(&id, "overlayfs", &[("labels", texts(&[("number", &id)]))]);
    }
    made
}

fn try_find(folder: &Path) -> Option<Found> {
    let tree = Tree::of_directory(folder).unwrap();
    let store = Store::open(&tree, b"/").unwrap().unwrap();
    let opened = Containerd::open(store).ok().flatten()?;
    let mut found = Found::default();
    opened.add_to(&|_, _| false, &mut found);
    Some(found)
}

/// Numbers that look random, the same for each seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(5) {
        let page = random.below(bytes.len() / PAGE) * PAGE;
        let width = if random.below(2) == 0 { 64 } else { PAGE - 8 };
        let at = page + random.below(width);
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => {
                let number = random.below(1 << 31) as u32;
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            2 => bytes[at..at + 4].copy_from_slice(&(random.below(64) as u32).to_le_bytes()),
            3 => bytes[page..page + PAGE].fill(random.below(256) as u8),
            _ => {
                let from = random.below(bytes.len() / PAGE) * PAGE;
                bytes.copy_within(from..from + PAGE, page);
            }
        }
    }
    if random.below(8) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
}

/// Rounds of damage to a file of a store: how many opened, and how many containers were found with
/// their layers.
fn rounds(folder: &Path, file: &str, rounds: u64) -> (usize, usize) {
    let path = folder.join(file);
    let whole = fs::read(&path).unwrap();
    let (mut opened, mut kept) = (0, 0);
    for seed in 0..rounds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = whole.clone();
        damage(&mut bytes, &mut random);
        fs::write(&path, bytes).unwrap();
        let Some(found) = try_find(folder) else { continue };
        opened += 1;
        kept += found.containers.iter().filter(|it| it.layers.is_ok()).count();
        assert!(found.containers.len() <= 10 * CONTAINERS && found.gaps.len() < 2000, "{seed}");
        for it in &found.containers {
            assert!(!it.context.state_evidence.is_empty(), "{seed}");
        }
    }
    fs::write(path, whole).unwrap();
    (opened, kept)
}

#[test]
fn random_damage_does_no_harm() {
    let made = made();
    let folder = made.write();
    for (file, least) in [(super::super::DATABASE, 200), (OVERLAY, 300)] {
        let (opened, kept) = rounds(folder, file, 300);
        let each = kept / opened;
        eprintln!("{file}: {opened} of 300 opened, {each} of {CONTAINERS} containers kept");
        assert!(opened >= least && each >= 10, "{file}: {opened}, {each}");
    }
}

/// The database of a real node, whose buckets have branches.
#[test]
fn random_damage_of_a_real_database_does_no_harm() {
    let Some(shared) = test_material::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("containerd16_meta.db.zst", super::super::DATABASE),
        ("containerd16_overlay_metadata.db.zst", OVERLAY),
    ] {
        let packed = fs::read(shared.join("data/stores/bolt").join(from)).unwrap();
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    }
    for file in [super::super::DATABASE, OVERLAY] {
        let (opened, _) = rounds(folder.path(), file, 40);
        assert!(opened > 20, "{opened}");
    }
}

/// Each page of the database in turn: all containers but those on that page are whole.
#[test]
fn a_lost_page_costs_what_is_on_it() {
    let made = made();
    let folder = made.write();
    let path = folder.join(OVERLAY);
    let whole = fs::read(&path).unwrap();
    // Each snapshot is a page of its own: those of the two layers cost all, each other one container.
    let mut lost = Vec::new();
    for page in 2..whole.len() / PAGE {
        let mut bytes = whole.clone();
        bytes[page * PAGE..][..PAGE].fill(0xff);
        fs::write(&path, bytes).unwrap();
        let found = find(folder);
        assert_eq!(found.containers.len(), CONTAINERS);
        lost.push(found.containers.iter().filter(|it| it.layers.is_err()).count());
    }
    let ones = lost.iter().filter(|lost| **lost == 1).count();
    let all = lost.iter().filter(|lost| **lost == CONTAINERS).count();
    assert_eq!((ones, ones + all), (CONTAINERS, lost.len()), "{lost:?}");
    fs::write(path, whole).unwrap();
    assert_eq!(container(&find(folder), "c07").context.labels["number"], "c07");
}

/// The state before the newest one has the containers that were there then; whatever page of the newest is
/// lost, they are kept and the loss is told.
#[test]
fn the_state_before_helps_over_a_lost_page() {
    let mut made = made();
    let older = bucket([("v1", made.records.clone())]);
    made.snapshot("overlayfs", "new", 90, 2, "high");
    made.container("new", "overlayfs", &[]);
    let newest = bucket([("v1", made.records.clone())]);
    let folder = made.write();
    let whole = with_older(&older, &newest);
    let start = database(&older).len() / PAGE;
    let (mut with_new, mut silent) = (0, 0);
    for page in start..whole.len() / PAGE {
        let mut bytes = whole.clone();
        bytes[page * PAGE..][..PAGE].fill(0);
        fs::write(folder.join(super::super::DATABASE), bytes).unwrap();
        let found = find(folder);
        let kept = found.containers.iter().filter(|it| it.id != "new" && it.layers.is_ok()).count();
        assert_eq!(kept, CONTAINERS, "{page}: {:?}", found.gaps);
        let new = found.containers.iter().find(|it| it.id == "new");
        with_new += usize::from(new.is_some());
        let is_told = !found.gaps.is_empty() || new.is_some_and(|new| new.layers.is_err());
        silent += usize::from(!is_told);
    }
    // Of the layers of images only the snapshotter's own records are read.
    assert_eq!(silent, 2);
    assert!(with_new > 10, "{with_new}");
}
