//! What a segment of a logical volume is made of: `lib/*/*.c` of LVM2 name the keys.

use crate::model::SECTOR;
use crate::text::{Section, Value};
use md_reader::layout::Algorithm;

/// Legs of a RAID volume in the kernel.
const MOST_LEGS: usize = 253;

/// A run of extents on a physical volume or in another logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The name of either.
    pub on: String,
    /// Its first extent there.
    pub first: u64,
}

/// One leg of a RAID volume, by the names of its logical volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Holds its superblock; raid0 may have none.
    pub metadata: Option<String>,
    pub image: String,
}

/// How a RAID volume lies on its legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raid {
    Striped,
    Mirrored,
    /// With md's number of the layout.
    MirroredStripes(u32),
    Parity(Algorithm),
}

/// What a segment is; sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Striped {
        areas: Vec<Area>,
        chunk: u64,
    },
    /// The kind of mirror that was before RAID.
    Mirror {
        areas: Vec<Area>,
    },
    Raid {
        raid: Raid,
        legs: Vec<Leg>,
        chunk: u64,
    },
    ThinPool {
        metadata: String,
        data: String,
        transaction: Option<u64>,
        chunk: u64,
    },
    Thin {
        pool: String,
        device: u64,
        external_origin: Option<String>,
    },
    /// Says that one volume keeps what changed since it was split off from another.
    Snapshot {
        origin: String,
        store: String,
        merging: bool,
    },
    Zero,
    Error,
    /// Of a type that is not read.
    Unknown(String),
}

/// Reads the type of a segment, before any flags, and what belongs to it.
pub fn kind(segment: &Section) -> Result<Kind, &'static str> {
    let name = segment.text("type").ok_or("segment without a type")?;
    let text = |key: &str| segment.text(key).map(str::to_owned).ok_or("segment that lacks a name");
    let sectors = |key: &str| segment.number(key).unwrap_or(0).checked_mul(SECTOR);
    let chunk = |key: &str| sectors(key).ok_or("size in a segment past what can be");
    Ok(match name.split('+').next().unwrap_or_default() {
        "striped" | "linear" => {
            Kind::Striped { areas: areas(segment.list("stripes"))?, chunk: chunk("stripe_size")? }
        }
        "mirror" => Kind::Mirror { areas: areas(segment.list("mirrors"))? },
        "thin-pool" => Kind::ThinPool {
            metadata: text("metadata")?,
            data: text("pool")?,
            transaction: segment.number("transaction_id"),
            chunk: chunk("chunk_size")?,
        },
        "thin" => Kind::Thin {
            pool: text("thin_pool")?,
            device: segment.number("device_id").ok_or("thin segment without a device")?,
            external_origin: segment.text("external_origin").map(str::to_owned),
        },
        "snapshot" => {
            let merging = segment.text("merging_store").is_some();
            let store = if merging { "merging_store" } else { "cow_store" };
            Kind::Snapshot { origin: text("origin")?, store: text(store)?, merging }
        }
        "zero" => Kind::Zero,
        "error" => Kind::Error,
        other => match raid(other, segment) {
            Some(raid) => Kind::Raid { raid, legs: legs(segment)?, chunk: chunk("stripe_size")? },
            None => Kind::Unknown(name.to_owned()),
        },
    })
}

/// Extents that a RAID volume keeps for its next reshape: on each leg that holds data so many.
pub fn spare_extents(segment: &Section, kind: &Kind) -> u64 {
    let spare = segment.number("reshape_count").unwrap_or(0);
    let Kind::Raid { raid, legs, .. } = kind else { return 0 };
    let legs = legs.len() as u64;
    let with_data = match raid {
        Raid::Mirrored => 1,
        Raid::Striped => legs,
        Raid::MirroredStripes(layout) => legs / u64::from(layout & 0xff).max(1),
        Raid::Parity(algorithm) => legs.saturating_sub(algorithm.parities() as u64),
    };
    spare.saturating_mul(with_data)
}

fn raid(name: &str, segment: &Section) -> Option<Raid> {
    let parity = |level, layout| Algorithm::new(level, layout).map(Raid::Parity);
    match name {
        "raid0" | "raid0_meta" => Some(Raid::Striped),
        "raid1" => Some(Raid::Mirrored),
        "raid10" | "raid10_near" => {
            let copies = segment.number("data_copies").unwrap_or(2);
            Some(Raid::MirroredStripes(1 << 8 | u32::from(u8::try_from(copies).ok()?)))
        }
        "raid5_la" => parity(5, 0),
        "raid5_ra" => parity(5, 1),
        "raid5" | "raid5_ls" => parity(5, 2),
        "raid5_rs" => parity(5, 3),
        // The device mapper's raid4 is a raid5 whose first leg is the parity.
        "raid4" | "raid5_0" => parity(5, 4),
        "raid5_n" => parity(5, 5),
        "raid6" | "raid6_zr" => parity(6, 8),
        "raid6_nr" => parity(6, 9),
        "raid6_nc" => parity(6, 10),
        "raid6_la_6" => parity(6, 16),
        "raid6_ra_6" => parity(6, 17),
        "raid6_ls_6" => parity(6, 18),
        "raid6_rs_6" => parity(6, 19),
        "raid6_0_6" => parity(6, 20),
        "raid6_n_6" => parity(6, 5),
        _ => None,
    }
}

/// Pairs of a name and its first extent.
fn areas(list: &[Value]) -> Result<Vec<Area>, &'static str> {
    let pairs = list.chunks(2).map(|pair| match pair {
        [Value::Text(on), Value::Number(first)] => Ok(Area { on: on.clone(), first: *first }),
        _ => Err("stripes that are no pairs of a name and an extent"),
    });
    let areas: Vec<Area> = pairs.collect::<Result<_, _>>()?;
    if areas.is_empty() { Err("segment without stripes") } else { Ok(areas) }
}

/// Names of the legs' metadata and images in turn, or of images alone.
fn legs(segment: &Section) -> Result<Vec<Leg>, &'static str> {
    let name = |value: &Value| match value {
        Value::Text(name) => Ok(name.clone()),
        _ => Err("RAID segment with a leg that is no name"),
    };
    let alone = segment.list("raid0_lvs").iter();
    let alone = alone.map(|image| Ok(Leg { metadata: None, image: name(image)? }));
    let paired = segment.list("raids").chunks(2).map(|pair| match pair {
        [metadata, image] => Ok(Leg { metadata: Some(name(metadata)?), image: name(image)? }),
        _ => Err("RAID segment with a leg without an image"),
    });
    let legs: Vec<Leg> = alone.chain(paired).collect::<Result<_, _>>()?;
    match legs.len() {
        0 => Err("RAID segment without legs"),
        count if count > MOST_LEGS => Err("RAID segment with more legs than the kernel takes"),
        _ => Ok(legs),
    }
}
