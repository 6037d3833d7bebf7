//! What the readers of volumes over several devices have in common: their errors become gaps.

use super::Volume;
use crate::block::{BlockSource, Device, ReadError};
use crate::model::{Gap, GapReason};
use md_reader::Error;
use std::sync::Arc;

/// The devices as the readers take them.
pub fn devices(devices: &[Device]) -> Vec<md_reader::Device> {
    let device =
        |it: &Device| md_reader::Device { name: it.name.clone(), source: it.source.clone() };
    devices.iter().map(device).collect()
}

/// The gap that an error at a place leaves.
pub fn gap(place: &str, error: &Error) -> Gap {
    let reason = match error {
        Error::Read(_) => GapReason::Unreadable,
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
        Error::Missing { .. } => GapReason::Missing,
    };
    Gap::new(place, reason, error)
}

/// The gaps of devices that were left out as copies of others.
pub fn copies(devices: &[Device], copies: &[(usize, usize)], what: &str) -> Vec<Gap> {
    let gap = |(copy, other): &(usize, usize)| {
        let (copy, other) = (devices.get(*copy)?, devices.get(*other)?);
        let detail =
            format!("bears the same id as {}, which is the {what} that was read", other.name);
        Some(Gap::new(&copy.name, GapReason::Unsupported, detail))
    };
    copies.iter().filter_map(gap).collect()
}

/// A volume over several devices. One without a source is known all the same.
pub fn volume(
    place: String,
    source: Option<Arc<dyn BlockSource>>,
    (size, problems): (u64, &[Error]),
    on: Vec<String>,
    (id, names): (String, Vec<String>),
) -> Volume {
    let unread = source.is_none().then(|| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        problems.join("; ")
    });
    let source = source.unwrap_or_else(|| Arc::new(Unread { size }));
    let device = Device::new(place, source);
    Volume { on, id: Some(id), names, unread, ..Volume::whole(device) }
}

/// Stands for a volume that cannot be read.
struct Unread {
    size: u64,
}

impl BlockSource for Unread {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, _: &mut [u8]) -> Result<(), ReadError> {
        Err(ReadError::failed(offset, "the volume cannot be read"))
    }
}
