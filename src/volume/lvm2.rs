//! LVM2 volume groups, through `lvm2-reader`.

use super::{Volume, VolumeFormat, pool};
use crate::block::{Device, ReadError};
use crate::model::{Partial, printable_str};
use lvm2_reader::VolumeGroup;
use std::collections::HashSet;

/// The format.
pub struct Lvm2;

impl VolumeFormat for Lvm2 {
    fn name(&self) -> &'static str {
        "lvm2"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        lvm2_reader::claims(&*device.source)
    }

    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>> {
        let mut all = Partial::<Vec<Volume>>::default();
        let assembly = lvm2_reader::assemble(&pool::devices(devices));
        for (index, error) in assembly.problems {
            let place = devices.get(index).map_or("lvm2", |device| &device.name);
            all.gaps.push(pool::gap(place, &error));
        }
        let mut taken = HashSet::new();
        for group in assembly.groups {
            let own = printable_str(&group.name);
            // Groups of two systems may have one name.
            let is_free = taken.insert(own.clone());
            let name = if is_free { own } else { format!("{own}@{}", printable_str(&group.uuid)) };
            take(group, &name, devices, &mut all);
        }
        all
    }
}

fn take(mut group: VolumeGroup, name: &str, devices: &[Device], all: &mut Partial<Vec<Volume>>) {
    all.gaps.extend(group.problems.iter().map(|error| pool::gap(name, error)));
    all.gaps.extend(pool::copies(devices, &group.copies, "physical volume"));
    for note in &group.notes {
        tracing::info!(group = name, note, "volume group");
    }
    group.devices.sort_unstable();
    let of_devices = |indexes: &[usize]| -> Vec<String> {
        let on = indexes.iter().filter_map(|index| devices.get(*index));
        on.map(|device| device.name.clone()).collect()
    };
    let on = of_devices(&group.devices);
    if group.volumes.is_empty() {
        // Nothing else tells of these devices.
        let gaps = |error| on.iter().map(move |device| pool::gap(device, error));
        all.gaps.extend(group.problems.iter().flat_map(gaps));
    }
    for volume in group.volumes {
        let place = format!("{name}/{}", printable_str(&volume.name));
        all.gaps.extend(volume.problems.iter().map(|error| pool::gap(&place, error)));
        for note in &volume.notes {
            tracing::info!(volume = place, note, "logical volume");
        }
        let names = names(&group.name, &volume.name);
        let known = (volume.size, volume.problems.as_slice());
        let names = (volume.uuid.clone(), names);
        let own = if volume.devices.is_empty() { on.clone() } else { of_devices(&volume.devices) };
        all.found.push(pool::volume(place, volume.source, known, own, names));
    }
}

/// What udev calls a logical volume.
fn names(group: &str, volume: &str) -> Vec<String> {
    let mapper = format!("mapper/{}-{}", group.replace('-', "--"), volume.replace('-', "--"));
    vec![format!("{group}/{volume}"), mapper]
}
