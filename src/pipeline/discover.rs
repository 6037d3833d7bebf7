//! The worklist: every device is asked what it holds until nothing new is found.

use super::disks::Disk;
use crate::block::{Device, ReadError};
use crate::filesystem::{self, Recognised, is_blank, recognise};
use crate::host::Found;
use crate::model::{Gap, GapReason};
use crate::volume::{self, Purpose, Volume};

/// Volumes inside volumes are followed this deep.
const MOST_DEPTH: usize = 3;
/// A table can list thousands of partitions, each with a table of its own.
const MOST_VOLUMES: usize = 512;
/// Smaller boot loader partitions hold nothing else: theirs are of 1 to 4 MiB.
const LEAST_BOOT_LOADER: u64 = 8 << 20;
/// Devices that are looked at at the same time.
const AT_ONCE: usize = 32;

/// Every filesystem on the disks, in the order of disks and partitions; the rest as gaps.
pub fn filesystems(disks: &[Disk], gaps: &mut Vec<Gap>) -> Vec<Found> {
    let whole = disks.iter().enumerate().map(|(index, disk)| Item {
        disk: index,
        depth: 0,
        volume: Volume {
            device: disk.device.clone(),
            number: 0,
            label: None,
            uuid: None,
            purpose: Purpose::Data,
            missing_bytes: 0,
        },
    });
    let mut level: Vec<Item> = whole.collect();
    let mut found = Vec::new();
    let mut left = MOST_VOLUMES.max(level.len());
    while !level.is_empty() {
        left -= level.len();
        let mut next = Vec::new();
        for outcome in level.chunks(AT_ONCE).flat_map(look_at_once) {
            found.extend(outcome.found);
            gaps.extend(outcome.gaps);
            next.extend(outcome.inside);
        }
        gaps.extend(too_many(&next, left));
        next.truncate(left);
        level = next;
    }
    found
}

fn look_at_once(items: &[Item]) -> Vec<Outcome> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(|| look(item))).collect();
        let ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn too_many(items: &[Item], left: usize) -> Option<Gap> {
    let first = items.get(left)?;
    let more = items.len() - left;
    let detail = format!("this and {} more volumes, over {MOST_VOLUMES} in all", more - 1);
    Some(Gap::new(&first.volume.device.name, GapReason::Limit, detail))
}

struct Item {
    disk: usize,
    depth: usize,
    volume: Volume,
}

#[derive(Default)]
struct Outcome {
    found: Option<Found>,
    inside: Vec<Item>,
    gaps: Vec<Gap>,
}

impl Outcome {
    fn gap(place: &Device, reason: GapReason, detail: impl ToString) -> Self {
        Self { gaps: vec![Gap::new(&place.name, reason, detail)], ..Self::default() }
    }
}

/// What one device holds. A read that fails is a gap, whatever it was for.
fn look(item: &Item) -> Outcome {
    let device = &item.volume.device;
    let mut outcome =
        identify(item).unwrap_or_else(|error| Outcome::gap(device, GapReason::Unreadable, error));
    if item.volume.missing_bytes > 0 {
        let detail =
            format!("the last {} bytes are past the end of its disk", item.volume.missing_bytes);
        outcome.gaps.push(Gap::new(&device.name, GapReason::Corrupt, detail));
    }
    outcome
}

/// The bytes decide. What a table says a partition is for only tells whether one that holds
/// nothing known is as it should be.
fn identify(item: &Item) -> Result<Outcome, ReadError> {
    let device = &item.volume.device;
    // A whole disk is asked for a table first: a filesystem that was there before it was
    // partitioned may have left its mark. Inside a partition it is the other way round.
    if item.depth == 0
        && let Some(outcome) = table(item)?
    {
        return Ok(outcome);
    }
    // Boot loader code as every cloud image has it; a line of fstab that means it ends as a gap.
    if item.volume.purpose == Purpose::BootLoader && device.source.size() < LEAST_BOOT_LOADER {
        return Ok(Outcome::default());
    }
    for format in filesystem::FORMATS {
        if format.claims(device)? {
            return Ok(open(item, *format));
        }
    }
    let known = recognise(device)?;
    match (item.volume.purpose, known) {
        (Purpose::Firmware, Some(Recognised { name: "vfat", .. })) => Ok(Outcome {
            found: Some(Found { optional: true, ..unread(item, "vfat") }),
            ..Outcome::default()
        }),
        (_, Some(Recognised { name, gap: Some(reason) })) => {
            let detail = format!("{name} is recognised and not read");
            let gaps = vec![Gap::new(&device.name, reason, detail)];
            Ok(Outcome { found: Some(unread(item, name)), gaps, ..Outcome::default() })
        }
        (_, Some(_)) | (Purpose::BootLoader, None) => Ok(Outcome::default()),
        (_, None) if item.depth == 0 => Ok(unknown(device)),
        (_, None) if is_blank(device)? => Ok(Outcome::default()),
        (_, None) if item.depth < MOST_DEPTH => Ok(table(item)?.unwrap_or_else(|| unknown(device))),
        _ => Ok(unknown(device)),
    }
}

fn unknown(device: &Device) -> Outcome {
    let detail = "no partition table and no filesystem of a known kind";
    Outcome::gap(device, GapReason::Unsupported, detail)
}

/// The volumes in a device that bears a table.
fn table(item: &Item) -> Result<Option<Outcome>, ReadError> {
    let device = &item.volume.device;
    for format in volume::FORMATS {
        if !format.claims(device)? {
            continue;
        }
        let mut outcome = Outcome::default();
        let volumes = format.assemble(std::slice::from_ref(device)).into_found(&mut outcome.gaps);
        let inside = volumes.into_iter().map(|volume| Item {
            disk: item.disk,
            depth: item.depth + 1,
            volume,
        });
        outcome.inside.extend(inside);
        return Ok(Some(outcome));
    }
    Ok(None)
}

fn open(item: &Item, format: &dyn filesystem::FileSystemFormat) -> Outcome {
    let device = &item.volume.device;
    match format.open(std::slice::from_ref(device)) {
        Ok(filesystem) => {
            let kind = filesystem.kind().to_owned();
            let gaps = filesystem.warnings().into_iter();
            let gaps = gaps.map(|(reason, text)| Gap::new(&device.name, reason, text)).collect();
            let found = Found { filesystem: Some(filesystem.into()), ..unread(item, &kind) };
            Outcome { found: Some(found), gaps, ..Outcome::default() }
        }
        Err(error) => {
            let reason = match error {
                filesystem::Error::Unsupported { .. } => GapReason::Unsupported,
                filesystem::Error::Corrupt { .. } => GapReason::Corrupt,
                _ => GapReason::Unreadable,
            };
            let found = Some(unread(item, format.name()));
            let gaps = vec![Gap::new(&device.name, reason, error)];
            Outcome { found, gaps, ..Outcome::default() }
        }
    }
}

fn unread(item: &Item, kind: &str) -> Found {
    Found {
        device: item.volume.device.name.clone(),
        disk: item.disk,
        partition: (item.depth > 0).then_some(item.volume.number),
        part_label: item.volume.label.clone(),
        part_uuid: item.volume.uuid.clone(),
        filesystem: None,
        kind: kind.to_owned(),
        optional: false,
    }
}
