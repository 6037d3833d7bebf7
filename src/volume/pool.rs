//! What the readers of volumes over several devices have in common: their errors become gaps.

use super::{Purpose, Volume};
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

/// A volume over several devices. One without a source is known all the same.
pub fn volume(
    place: String,
    source: Option<Arc<dyn BlockSource>>,
    (size, problems): (u64, &[Error]),
    on: Vec<String>,
    names: Vec<String>,
) -> Volume {
    let unread = source.is_none().then(|| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        problems.join("; ")
    });
    let source = source.unwrap_or_else(|| Arc::new(Unread { size }));
    let device = Device::new(place, source);
    let (number, label, uuid, missing_bytes) = (None, None, None, 0);
    let (kind, attributes, purpose) = (None, 0, Purpose::Data);
    Volume {
        device,
        on,
        names,
        number,
        label,
        uuid,
        kind,
        attributes,
        unread,
        missing_bytes,
        purpose,
    }
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
