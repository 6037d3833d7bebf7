//! One array from the devices that bear its superblock.

use crate::level;
use crate::member::{self, Members};
use crate::superblock::Superblock;
use crate::{Array, Device, Error};

/// Builds the array of a set of devices, which is not empty and of one uuid.
pub fn build(devices: &[Device], set: &[(usize, &Superblock)]) -> Array {
    let mut freshest = set[0].1;
    for (_, found) in set {
        if found.events > freshest.events {
            freshest = found;
        }
    }
    let mut members = member::choose(devices, set, freshest);
    note_missing(&mut members, freshest);
    note_features(&mut members, freshest);
    let source = match level::source(devices, &mut members, freshest) {
        Ok(source) => Some(source),
        Err(error) => {
            members.problems.push(error);
            None
        }
    };
    Array {
        uuid: freshest.uuid.clone(),
        name: freshest.name.clone(),
        level: level::name(freshest.level),
        version: freshest.version,
        source,
        devices: set.iter().map(|(index, _)| *index).collect(),
        copies: members.copies,
        problems: members.problems,
        notes: members.notes,
    }
}

/// A missing member costs nothing where the others hold all that it held.
fn note_missing(members: &mut Members, freshest: &Superblock) {
    let missing: Vec<usize> = members
        .by_place
        .iter()
        .enumerate()
        .filter_map(|(place, member)| member.is_none().then_some(place))
        .collect();
    let makes_up = level::makes_up_for(freshest, &missing);
    for place in &missing {
        let what = format!("member {place} of {}", freshest.raid_disks);
        if makes_up {
            members.notes.push(format!("{what} is missing; the others make up for it"));
        } else {
            members.problems.push(Error::Missing { what });
        }
    }
    if makes_up && !missing.is_empty() && !freshest.flags.clean && freshest.level >= 4 {
        let risk =
            "it was not shut down cleanly: what is computed for the missing member may be wrong";
        members.notes.push(risk.to_owned());
    }
}

fn note_features(members: &mut Members, freshest: &Superblock) {
    if freshest.flags.journal {
        members.problems.push(Error::unsupported("replay of the array's write journal"));
    }
    if freshest.flags.partial_parity_log {
        members.notes.push("its partial parity log is not used".to_owned());
    }
    if freshest.flags.bitmap {
        members.notes.push("it has a write-intent bitmap".to_owned());
    }
}
