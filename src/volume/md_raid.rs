//! Linux software RAID, through `md-reader`.

use super::{Volume, VolumeFormat, gpt, pool};
use crate::block::{Device, ReadError};
use crate::model::{Partial, printable_str};
use md_reader::Array;
use std::collections::HashSet;

/// The format.
pub struct Md;

impl VolumeFormat for Md {
    fn name(&self) -> &'static str {
        "md"
    }

    /// mdadm leaves what was there before: a table whose entries it wrote into is a rest.
    fn claims_first(&self, device: &Device) -> Result<bool, ReadError> {
        Ok(md_reader::begins_as_member(&*device.source)
            && !(gpt::spans(device)? && gpt::is_whole(device)?))
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        md_reader::claims(&*device.source)
    }

    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>> {
        let mut all = Partial::<Vec<Volume>>::default();
        let assembly = md_reader::assemble(&pool::devices(devices));
        for (index, error) in assembly.problems {
            let place = devices.get(index).map_or("md", |device| &device.name);
            all.gaps.push(pool::gap(place, &error));
        }
        let mut taken = HashSet::new();
        for array in assembly.arrays {
            let own = format!("md:{}", called(&array));
            // Arrays of two systems may have one name.
            let is_free = taken.insert(own.clone());
            let place = if is_free { own } else { format!("{own}@{}", printable_str(&array.uuid)) };
            all.gaps.extend(pool::copies(devices, &array.copies, "member"));
            all.gaps.extend(array.problems.iter().map(|error| pool::gap(&place, error)));
            for note in &array.notes {
                tracing::info!(array = place, note, "array");
            }
            let used = |index: &&usize| array.copies.iter().all(|(copy, _)| copy != *index);
            let on = array.devices.iter().filter(used).filter_map(|index| devices.get(*index));
            let on = on.map(|device| device.name.clone()).collect();
            let known = (0, array.problems.as_slice());
            let names = (array.uuid.clone(), names(&array.name));
            all.found.push(pool::volume(place, array.source, known, on, names));
        }
        all
    }
}

/// `host:name`, or the uuid of an array that has no name.
fn called(array: &Array) -> String {
    let name = if array.name.is_empty() { &array.uuid } else { &array.name };
    printable_str(name)
}

/// What udev and mdadm call it: `/dev/md/NAME`, and `/dev/mdN` if the name is a number.
fn names(name: &str) -> Vec<String> {
    let own = name.split_once(':').map_or(name, |(_, own)| own);
    if own.is_empty() {
        return Vec::new();
    }
    let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| format!("md{own}"));
    std::iter::once(format!("md/{own}")).chain(number).collect()
}
