//! From devices to groups: reads all labels and metadata, and chooses the newest of each group.

use crate::error::missing;
use crate::label::{self, Label};
use crate::metadata_area::{self, Held};
use crate::model::Group;
use crate::{Device, Error, older};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A group with the devices that bear its physical volumes.
pub struct Found {
    pub group: Arc<Group>,
    /// Device of each physical volume, by its name in the group.
    pub devices: HashMap<String, usize>,
    /// Devices that bear what another has, with that other.
    pub copies: Vec<(usize, usize)>,
    pub problems: Vec<Error>,
    pub notes: Vec<String>,
}

#[derive(Default)]
pub struct Collected {
    pub groups: Vec<Found>,
    pub problems: Vec<(usize, Error)>,
    pub unused: Vec<usize>,
}

/// A text with the device it was found on.
struct Copy {
    device: usize,
    group: Arc<Group>,
    /// Why the newest text beside it could not be used.
    instead_of: Option<Error>,
}

pub fn collect(devices: &[Device]) -> Collected {
    let mut collected = Collected::default();
    let searched = label::SEARCHED_BYTES as u64;
    for device in devices {
        device.source.will_need(std::slice::from_ref(&(0..searched)));
    }
    let mut labels = BTreeMap::new();
    for (index, device) in devices.iter().enumerate() {
        match label::read(&*device.source) {
            Ok(Some(label)) => drop(labels.insert(index, label)),
            Ok(None) => {}
            Err(error) => collected.problems.push((index, error)),
        }
    }
    for (index, label) in &labels {
        devices[*index].source.will_need(&label.metadata);
    }
    let mut copies = Vec::new();
    for (index, label) in &labels {
        copies.extend(texts(devices, *index, label, &mut collected));
    }
    let mut groups: BTreeMap<String, Vec<Copy>> = BTreeMap::new();
    for copy in copies {
        groups.entry(copy.group.id.clone()).or_default().push(copy);
    }
    let bearers: HashSet<usize> = groups.values().flatten().map(|copy| copy.device).collect();
    let found: Vec<Found> =
        groups.into_values().map(|copies| choose(devices, &labels, &copies)).collect();
    collected.groups = found;
    collected.place_the_rest(&labels, &bearers);
    collected
}

/// The texts of one device, those of several areas once if they are the same.
fn texts(devices: &[Device], index: usize, label: &Label, collected: &mut Collected) -> Vec<Copy> {
    let source = &*devices[index].source;
    let mut copies = Vec::new();
    for area in &label.metadata {
        let read = metadata_area::read(source, area).and_then(|held| match held {
            Held::Text(text) => Group::parse(&text).map(Some),
            Held::Nothing => Ok(None),
        });
        match read {
            Ok(group) => copies.extend(group.map(|group| Copy {
                device: index,
                group: Arc::new(group),
                instead_of: None,
            })),
            Err(error) => match older::newest_of(source, area) {
                Some(group) => copies.push(Copy {
                    device: index,
                    group: Arc::new(group),
                    instead_of: Some(error),
                }),
                None => collected.problems.push((index, error)),
            },
        }
    }
    copies
}

/// The newest text of a group; of two of one age a whole one, and then the first.
fn choose(devices: &[Device], labels: &BTreeMap<usize, Label>, copies: &[Copy]) -> Found {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let age = |copy: &Copy| (copy.group.seqno, copy.instead_of.is_none());
    let newest =
        copies.iter().rev().max_by_key(|copy| age(copy)).map(|copy| Arc::clone(&copy.group));
    let group = newest.expect("a group has at least the copy that named it");
    let chosen = copies.iter().find(|copy| Arc::ptr_eq(&copy.group, &group));
    for copy in copies {
        let name = &devices[copy.device].name;
        if let Some(error) = &copy.instead_of {
            notes.push(format!("the newest metadata on {name} cannot be used: {error}"));
        }
        if copy.group.seqno < group.seqno {
            let (old, new) = (copy.group.seqno, group.seqno);
            notes.push(format!("{name} bears older metadata: change {old} of {new}"));
        } else if copy.group != group && copy.instead_of.is_none() {
            notes.push(format!("{name} bears other metadata of the same change"));
        }
    }
    if let Some(error) = chosen.and_then(|copy| copy.instead_of.clone()) {
        problems.push(error);
    }
    let has = |device: usize| {
        let id = labels.get(&device).map(|label| label.id.as_str()).unwrap_or_default();
        group.physical.values().any(|physical| physical.id.replace('-', "") == id)
    };
    for copy in copies.iter().filter(|copy| !has(copy.device)) {
        notes.push(format!("{} is no longer in the group", devices[copy.device].name));
    }
    let (chosen, left) = members(devices, labels, copies, &group);
    notes.extend(left.iter().map(|(other, first)| {
        let name = chosen.iter().find(|(_, device)| *device == first).map_or("", |(name, _)| name);
        let (other, first) = (&devices[*other].name, &devices[*first].name);
        format!("{other} is left out: {first} is the same physical volume {name}")
    }));
    Found { group, devices: chosen, copies: left, problems, notes }
}

/// The device of each physical volume. Of several that bear one id, as copies of a disk do, the
/// one with the newest metadata is taken, and then the one of the right size.
fn members(
    devices: &[Device],
    labels: &BTreeMap<usize, Label>,
    copies: &[Copy],
    group: &Group,
) -> (HashMap<String, usize>, Vec<(usize, usize)>) {
    let (mut chosen, mut copies_of) = (HashMap::new(), Vec::new());
    let mut names: Vec<&String> = group.physical.keys().collect();
    names.sort_unstable();
    for name in names {
        let physical = &group.physical[name];
        let id = physical.id.replace('-', "");
        let age = |device: usize| {
            let own = copies.iter().filter(|copy| copy.device == device);
            own.map(|copy| copy.group.seqno).max().unwrap_or(0)
        };
        let mut bearers: Vec<usize> =
            labels.iter().filter(|(_, label)| label.id == id).map(|(index, _)| *index).collect();
        bearers.sort_by_key(|device| {
            let right = Some(devices[*device].source.size()) == physical.device_size;
            (std::cmp::Reverse(age(*device)), !right, *device)
        });
        let Some((first, others)) = bearers.split_first() else { continue };
        copies_of.extend(others.iter().map(|other| (*other, *first)));
        chosen.insert(name.clone(), *first);
    }
    (chosen, copies_of)
}

impl Collected {
    /// Physical volumes that no group has. `bearers` are the devices with metadata of some group.
    fn place_the_rest(&mut self, labels: &BTreeMap<usize, Label>, bearers: &HashSet<usize>) {
        let known: Vec<String> = self
            .groups
            .iter()
            .flat_map(|found| found.group.physical.values())
            .map(|physical| physical.id.replace('-', ""))
            .collect();
        for (index, label) in labels {
            if known.contains(&label.id) || self.problems.iter().any(|(device, _)| device == index)
            {
                continue;
            }
            // One without metadata of its own may not know its group, at best that there is one.
            if !bearers.contains(index) && label.used.unwrap_or(label.metadata.is_empty()) {
                self.problems.push((*index, missing("metadata of the volume group")));
            } else {
                self.unused.push(*index);
            }
        }
    }
}
