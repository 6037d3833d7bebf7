//! What one device holds. The bytes decide; what a table says a partition is for only tells whether
//! one that holds nothing known is as it should be.

use super::Item;
use crate::block::{Device, ReadError};
use crate::filesystem::{self, Claim, FileSystemFormat, Recognised, Unopened, is_blank};
use crate::host::Found;
use crate::model::{Gap, GapReason, PartState};
use crate::volume::{self, Purpose, Volume};

/// Volumes inside volumes are followed this deep.
const MOST_DEPTH: usize = 8;
/// Boot loader partitions up to this hold nothing else; a larger one is looked at.
const MOST_BOOT_LOADER: u64 = 4 << 20;

/// What a device holds, and what became of it.
pub struct Outcome {
    pub content: Content,
    pub state: PartState,
    pub detail: Option<String>,
    pub gaps: Vec<Gap>,
}

/// What a device holds.
pub enum Content {
    /// Nothing to go on with; its name, if it has one.
    Nothing(Option<String>),
    /// A filesystem, read or only known.
    FileSystem(Box<Found>),
    /// A table of volumes.
    Table(&'static str, Vec<Volume>),
    /// A part of volumes over several devices, by the index of their format.
    Member(usize),
    /// A part of a btrfs filesystem over several devices, by its UUID.
    Piece([u8; 16]),
}

impl Outcome {
    fn scanned(content: Content) -> Self {
        Self { content, state: PartState::Scanned, detail: None, gaps: Vec::new() }
    }

    fn not_needed(holds: Option<&str>, why: &str) -> Self {
        let content = Content::Nothing(holds.map(str::to_owned));
        let detail = Some(why.to_owned());
        Self { content, state: PartState::NotNeeded, detail, gaps: Vec::new() }
    }

    fn gap(place: &Device, reason: GapReason, detail: impl ToString) -> Self {
        let gap = Gap::new(&place.name, reason, detail);
        Self {
            content: Content::Nothing(None),
            state: PartState::Gap,
            detail: Some(gap.detail.clone()),
            gaps: vec![gap],
        }
    }
}

/// Looks at a device. A read that fails is a gap, whatever it was for.
pub(super) fn look(item: &Item) -> Outcome {
    let device = &item.volume.device;
    if let Some(why) = &item.volume.unread {
        return Outcome {
            content: Content::FileSystem(unread(item, "unknown").into()),
            state: PartState::Gap,
            detail: Some(why.clone()),
            gaps: Vec::new(),
        };
    }
    let mut outcome =
        identify(item).unwrap_or_else(|error| Outcome::gap(device, GapReason::Unreadable, error));
    if item.volume.missing_bytes > 0 {
        let detail =
            format!("the last {} bytes are past the end of its disk", item.volume.missing_bytes);
        outcome.gaps.push(Gap::new(&device.name, GapReason::Corrupt, detail));
    }
    outcome
}

fn identify(item: &Item) -> Result<Outcome, ReadError> {
    let device = &item.volume.device;
    // Boot loader code as every cloud image has it; a line of fstab that means it ends as a gap.
    if item.volume.purpose == Purpose::BootLoader && device.source.size() <= MOST_BOOT_LOADER {
        return Ok(Outcome::not_needed(None, "boot loader"));
    }
    for (index, pool) in volume::POOLS.iter().enumerate() {
        if pool.claims_first(device)? {
            return Ok(Outcome::scanned(Content::Member(index)));
        }
    }
    // No package is in it, so that only its start is fetched, until its boot entries are asked for;
    // a mirrored one is not told.
    if item.volume.purpose == Purpose::Firmware && starts_as_fat(device)? {
        return Ok(known_only(
            item,
            Recognised { name: "vfat", gap: Some(GapReason::Unsupported) },
        ));
    }
    if item.depth == 0
        && volume::gpt::spans(device)?
        && let Some(outcome) = table(device)?
    {
        return Ok(outcome);
    }
    // A mirror's member bears the filesystem of the whole at its own start.
    let mut unread = Vec::new();
    let found = if is_filled_by_ext(device)? { None } else { member(item, &mut unread)? };
    let mut outcome = match found {
        Some(outcome) => outcome,
        None => below_members(item)?,
    };
    // Of what is past the end of its disk there is a gap already.
    outcome.gaps.extend(unread.into_iter().filter(|_| item.volume.missing_bytes == 0));
    Ok(outcome)
}

/// What a device holds that is no member of anything.
fn below_members(item: &Item) -> Result<Outcome, ReadError> {
    let device = &item.volume.device;
    // A whole disk is asked for a table first: a filesystem that was there before it was
    // partitioned may have left its mark. Inside a partition it is the other way round.
    if item.depth == 0
        && let Some(outcome) = table(device)?
    {
        return Ok(outcome);
    }
    if let Some(member) = filesystem::btrfs_members(device)?
        && member.devices > 1
    {
        return Ok(Outcome::scanned(Content::Piece(member.filesystem)));
    }
    match filesystem::claimed(device)? {
        Some(Claim::Format(format)) => Ok(open(item, format, std::slice::from_ref(device))),
        Some(Claim::Known(known)) => Ok(known_only(item, known)),
        None => nothing_known(item),
    }
}

/// What a device is for that bears no mark.
fn nothing_known(item: &Item) -> Result<Outcome, ReadError> {
    let device = &item.volume.device;
    match item.volume.purpose {
        Purpose::BootLoader => Ok(Outcome::not_needed(None, "boot loader")),
        Purpose::Raw(what) => Ok(raw(item, what)),
        _ if is_blank(device)? => Ok(Outcome::not_needed(None, "blank")),
        _ if item.depth == 0 => Ok(unknown(device)),
        _ if item.depth < MOST_DEPTH => Ok(table(device)?.unwrap_or_else(|| unknown(device))),
        _ => Ok(unknown(device)),
    }
}

fn starts_as_fat(device: &Device) -> Result<bool, ReadError> {
    let start = device.read_up_to(0, 90)?;
    let bears = |at: usize, mark: &[u8]| start.get(at..).is_some_and(|it| it.starts_with(mark));
    Ok(bears(54, b"FAT1") || bears(82, b"FAT32"))
}

/// Whether an ext filesystem reaches to where md would keep its mark at the end, and not beyond, as that of
/// an array does: then the device is no member of an array that begins where it begins, and its end need
/// not be fetched.
fn is_filled_by_ext(device: &Device) -> Result<bool, ReadError> {
    let superblock = device.read_up_to(1024, 1024)?;
    let word = |at: usize| {
        let bytes = superblock.get(at..at + 4).and_then(|it| it.try_into().ok());
        bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(bytes)))
    };
    if superblock.get(56..58) != Some(&[0x53, 0xef]) || word(24) > 6 {
        return Ok(false);
    }
    let high = if word(96) & 0x80 == 0 { 0 } else { word(0x150) << 32 };
    let bytes = (word(4) | high).saturating_mul(1024 << word(24));
    let size = device.source.size();
    Ok(bytes.saturating_add(8192) > size && bytes <= size)
}

/// A mark may stand where the device cannot be read, at the end of one that is cut off: `unread` tells.
fn member(item: &Item, unread: &mut Vec<Gap>) -> Result<Option<Outcome>, ReadError> {
    let device = &item.volume.device;
    for (index, pool) in volume::POOLS.iter().enumerate() {
        let claims = pool.claims(device).unwrap_or_else(|error| {
            let detail = format!("whether it is a part of {} cannot be told: {error}", pool.name());
            unread.push(Gap::new(&device.name, GapReason::Unreadable, detail));
            false
        });
        if claims {
            // The end of a whole disk is that of its last partition too.
            if item.depth == 0 && volume::mbr::ends_in_member(device)? {
                return table(device);
            }
            return Ok(Some(Outcome::scanned(Content::Member(index))));
        }
    }
    Ok(None)
}

/// The volumes in a device that bears a table.
fn table(device: &Device) -> Result<Option<Outcome>, ReadError> {
    for format in volume::TABLES {
        if format.claims(device)? {
            let mut gaps = Vec::new();
            let volumes = format.assemble(std::slice::from_ref(device)).into_found(&mut gaps);
            let content = Content::Table(format.name(), volumes);
            return Ok(Some(Outcome { gaps, ..Outcome::scanned(content) }));
        }
    }
    Ok(None)
}

fn unknown(device: &Device) -> Outcome {
    let detail = "no partition table and no filesystem of a known kind";
    Outcome::gap(device, GapReason::Unsupported, detail)
}

/// Content that is not for a filesystem. What a table says of it may still tell which of two
/// systems is started, so that it is handed on.
fn raw(item: &Item, what: &str) -> Outcome {
    let found = Found { optional: true, ..unread(item, what) };
    let content = Content::FileSystem(found.into());
    Outcome { content, ..Outcome::not_needed(None, what) }
}

/// A format that is told by its signature alone.
fn known_only(item: &Item, known: Recognised) -> Outcome {
    let device = &item.volume.device;
    let Recognised { name, gap } = known;
    let Some(reason) = gap else {
        return Outcome::not_needed(Some(name), name);
    };
    let found = unread(item, name);
    if (item.volume.purpose, name) == (Purpose::Firmware, "vfat") {
        let unopened = Unopened::new(name, device);
        let found = Found { optional: true, unopened, ..found };
        return Outcome {
            content: Content::FileSystem(found.into()),
            ..Outcome::not_needed(None, "boot firmware's own")
        };
    }
    let detail = format!("{name} is recognised and not read");
    let content = Content::FileSystem(found.into());
    Outcome { content, ..Outcome::gap(device, reason, detail) }
}

/// Opens a filesystem on these devices, of which the item is the first.
pub(super) fn open(item: &Item, format: &dyn FileSystemFormat, devices: &[Device]) -> Outcome {
    let device = &item.volume.device;
    match format.open(devices) {
        Ok(filesystem) => {
            let kind = filesystem.kind().to_owned();
            // The type alone makes nothing the firmware's own.
            let optional = item.volume.purpose == Purpose::Firmware && kind == "vfat";
            let gaps = filesystem.warnings().into_iter();
            let gaps = gaps.map(|(reason, text)| Gap::new(&device.name, reason, text)).collect();
            let filesystem = Some(filesystem.into());
            let found = Found { filesystem, optional, ..unread(item, &kind) };
            Outcome { gaps, ..Outcome::scanned(Content::FileSystem(found.into())) }
        }
        Err(error) => {
            let reason = match error {
                filesystem::Error::Unsupported { .. } => GapReason::Unsupported,
                filesystem::Error::Corrupt { .. } => GapReason::Corrupt,
                _ => GapReason::Unreadable,
            };
            let found = unread(item, format.name());
            let content = Content::FileSystem(found.into());
            Outcome { content, ..Outcome::gap(device, reason, error) }
        }
    }
}

fn unread(item: &Item, kind: &str) -> Found {
    Found {
        device: item.volume.device.name.clone(),
        part: 0,
        disk: item.disk,
        names: item.volume.names.clone(),
        partition: item.volume.number,
        part_label: item.volume.label.clone(),
        part_uuid: item.volume.uuid.clone(),
        part_kind: item.volume.kind.clone(),
        part_attributes: item.volume.attributes,
        filesystem: None,
        kind: kind.to_owned(),
        optional: false,
        unopened: None,
    }
}
