//! From a superblock's level to the layout of the bytes.

use crate::layout::{Algorithm, Copies, Linear, Member, Mirror, Parity, Raid0, Raid10, ZoneOrder};
use crate::member::{Chosen, Members};
use crate::superblock::Superblock;
use crate::{Device, Error};
use block_source::BlockSource;
use std::sync::Arc;

const LINEAR: i32 = -1;

/// As mdadm writes it.
pub fn name(level: i32) -> String {
    match level {
        LINEAR => "linear".to_owned(),
        -4 => "multipath".to_owned(),
        -5 => "faulty".to_owned(),
        -100 => "container".to_owned(),
        level => format!("raid{level}"),
    }
}

/// Whether the array still holds all without these members.
pub fn makes_up_for(superblock: &Superblock, missing: &[usize]) -> bool {
    match superblock.level {
        1 => missing.len() < superblock.raid_disks as usize,
        4 | 5 => missing.len() <= 1,
        6 => missing.len() <= 2,
        10 => raid10(superblock)
            .is_ok_and(|layout| every_chunk_has_a_copy(&layout, superblock, missing)),
        _ => missing.is_empty(),
    }
}

fn every_chunk_has_a_copy(layout: &Raid10, superblock: &Superblock, missing: &[usize]) -> bool {
    let mut lost = vec![false; superblock.raid_disks as usize];
    for place in missing {
        lost[*place] = true;
    }
    layout.survives(&lost)
}

/// The bytes of the array.
pub fn source(
    devices: &[Device],
    members: &mut Members,
    superblock: &Superblock,
) -> Result<Arc<dyn BlockSource>, Error> {
    if superblock.flags.reshaping {
        return Err(Error::unsupported("an array in the middle of a reshape"));
    }
    if members.by_place.iter().all(Option::is_none) {
        return Err(Error::Missing { what: "every member".to_owned() });
    }
    check_lengths(members, superblock);
    let sources = |members: &Members| -> Vec<Member> {
        let source = |chosen: &Option<Chosen>| Some(chosen.as_ref()?.source(devices));
        members.by_place.iter().map(source).collect()
    };
    match superblock.level {
        LINEAR => Ok(Arc::new(Copies::new(linear(members, superblock)?, sources(members)))),
        0 => {
            let layout = raid0(members, superblock)?;
            Ok(Arc::new(Copies::new(layout, sources(members))))
        }
        1 => Ok(Arc::new(Copies::new(mirror(members, superblock), sources(members)))),
        10 => Ok(Arc::new(Copies::new(raid10(superblock)?, sources(members)))),
        4..=6 => Ok(Arc::new(parity(superblock, sources(members))?)),
        other => Err(Error::unsupported(format!("md level {}", name(other)))),
    }
}

fn check_lengths(members: &mut Members, superblock: &Superblock) {
    if superblock.level < 1 {
        return;
    }
    for chosen in members.by_place.iter().flatten() {
        let length = chosen.data.end - chosen.data.start;
        if length < superblock.member_size {
            members
                .problems
                .push(Error::corrupt("bytes of a member, fewer than its share", length));
        }
    }
}

fn too_large() -> Error {
    Error::corrupt("size of the array past what can be, level", 0u64)
}

/// Stops at the first member that is missing: where the next would start is not known.
fn linear(members: &Members, superblock: &Superblock) -> Result<Linear, Error> {
    let there: Vec<u64> = members
        .by_place
        .iter()
        .map_while(|chosen| {
            let data = &chosen.as_ref()?.data;
            let length = data.end - data.start;
            Some(length - length.checked_rem(superblock.chunk).unwrap_or(0))
        })
        .collect();
    if there.is_empty() {
        return Err(Error::Missing { what: "the first member".to_owned() });
    }
    Linear::new(&there).ok_or_else(too_large)
}

fn raid0(members: &mut Members, superblock: &Superblock) -> Result<Raid0, Error> {
    let size =
        |chosen: &Option<Chosen>| Some(chosen.as_ref()?.data.end - chosen.as_ref()?.data.start);
    let sizes: Vec<Option<u64>> = members.by_place.iter().map(size).collect();
    let known: Vec<u64> = sizes.iter().copied().flatten().collect();
    let equal = known.windows(2).all(|pair| pair[0] == pair[1]);
    if known.len() < sizes.len() {
        if !equal {
            return Err(Error::unsupported(
                "a raid0 of members that differ, of which one is missing",
            ));
        }
        members.notes.push("missing members are taken to be as large as the others".to_owned());
    }
    let sizes: Vec<u64> = sizes.iter().map(|size| size.unwrap_or(known[0])).collect();
    let order = match superblock.layout {
        _ if !superblock.flags.zones_known => None,
        1 => Some(ZoneOrder::Original),
        2 => Some(ZoneOrder::Alternate),
        _ => None,
    };
    let assumed = order.unwrap_or(ZoneOrder::Alternate);
    let layout = Raid0::new(superblock.chunk, &sizes, assumed).ok_or_else(too_large)?;
    if layout.has_zones() && order.is_none() {
        return Err(Error::unsupported(
            "a raid0 of members that differ, without a recorded layout",
        ));
    }
    Ok(layout)
}

/// Members that hold all come first.
fn mirror(members: &Members, superblock: &Superblock) -> Mirror {
    let places = members.by_place.iter().enumerate();
    let mut order: Vec<(bool, usize)> = places
        .filter_map(|(place, chosen)| Some((chosen.as_ref()?.filled != u64::MAX, place)))
        .collect();
    order.sort_unstable();
    let order = order.into_iter().map(|(_, place)| place).collect();
    Mirror { size: superblock.member_size, order }
}

fn raid10(superblock: &Superblock) -> Result<Raid10, Error> {
    let Superblock { chunk, layout, raid_disks, member_size, .. } = *superblock;
    Raid10::new(chunk, layout, raid_disks, member_size)
        .ok_or_else(|| Error::corrupt("layout of the raid10", layout))
}

fn parity(superblock: &Superblock, sources: Vec<Member>) -> Result<Parity, Error> {
    let Superblock { level, layout, chunk, member_size, .. } = *superblock;
    let unknown = || Error::corrupt("layout of an array with parity", layout);
    let algorithm = Algorithm::new(level.unsigned_abs(), layout).ok_or_else(unknown)?;
    Parity::new(algorithm, chunk, sources, member_size).ok_or_else(unknown)
}
