//! The worklist: every device is asked what it holds until nothing new is found.

use super::disks::Disk;
use crate::block::{Device, ReadError};
use crate::filesystem::{self, recognise};
use crate::host::Found;
use crate::model::{Gap, GapReason};
use crate::volume::{self, Purpose, Volume};

/// Volumes inside volumes are followed this deep.
const MOST_DEPTH: usize = 4;

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
    while !level.is_empty() {
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let threads: Vec<_> = level.iter().map(|item| scope.spawn(|| look(item))).collect();
            let outcomes = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            outcomes
                .map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        level = Vec::new();
        for outcome in outcomes {
            found.extend(outcome.found);
            gaps.extend(outcome.gaps);
            level.extend(outcome.inside);
        }
    }
    found
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
    let mut outcome = match item.volume.purpose {
        Purpose::Firmware => Outcome { found: Some(unread(item, "vfat")), ..Outcome::default() },
        Purpose::BootLoader | Purpose::Swap => return Outcome::default(),
        Purpose::Data => match identify(item) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::gap(device, GapReason::Unreadable, error),
        },
    };
    if item.volume.missing_bytes > 0 {
        let detail =
            format!("the last {} bytes are past the end of its disk", item.volume.missing_bytes);
        outcome.gaps.push(Gap::new(&device.name, GapReason::Corrupt, detail));
    }
    outcome
}

fn identify(item: &Item) -> Result<Outcome, ReadError> {
    let device = &item.volume.device;
    // A whole disk is asked for a table first: a filesystem that was there before it was
    // partitioned may have left its mark. Inside a partition it is the other way round.
    if item.depth == 0
        && let Some(outcome) = table(item)?
    {
        return Ok(outcome);
    }
    for format in filesystem::FORMATS {
        if format.claims(device)? {
            return Ok(open(item, *format));
        }
    }
    match recognise(device)? {
        Some(known) if known.gap.is_some() || known.name == "swap" => Ok(Outcome {
            found: known.gap.map(|_| unread(item, known.name)),
            gaps: known
                .gap
                .map(|reason| {
                    Gap::new(
                        &device.name,
                        reason,
                        format!("{} is recognised and not read", known.name),
                    )
                })
                .into_iter()
                .collect(),
            ..Outcome::default()
        }),
        Some(_) if item.depth > 0 => Ok(Outcome::default()),
        _ if item.depth > 0 && item.depth < MOST_DEPTH => {
            Ok(table(item)?.unwrap_or_else(|| unknown(device)))
        }
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
        optional: item.volume.purpose != Purpose::Data,
    }
}
