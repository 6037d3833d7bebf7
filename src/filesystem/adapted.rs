//! What the crates give, as the trait has it.

use super::{Entry, Error, Identity, Listing};
use crate::block::Device;
use crate::model::{GapReason, printable, uuid};
use std::ops::Range;

/// The device of a format that has no more than one.
pub fn only<'a>(devices: &'a [Device], format: &str) -> Result<&'a Device, Error> {
    match devices {
        [device] => Ok(device),
        _ => Err(Error::Unsupported { feature: format!("{format} over several devices") }),
    }
}

/// Label and UUID of a superblock that has both.
pub fn identity(label: &[u8], id: &[u8; 16]) -> Identity {
    let label = (!label.is_empty()).then(|| printable(label));
    Identity { label, uuid: Some(uuid(id)) }
}

/// The warning of a filesystem of which so many bytes are past the end of its device.
pub fn missing(bytes: u64) -> Option<(GapReason, String)> {
    let text = || (GapReason::Corrupt, format!("the last {bytes} bytes are missing"));
    (bytes > 0).then(text)
}

/// The warning of a filesystem that has no journal and was in use, or was not unmounted.
pub fn not_unmounted() -> (GapReason, String) {
    let text = "it was in use, or was not unmounted: what it holds may contradict itself";
    (GapReason::Corrupt, text.to_owned())
}

/// A listing of which the crate kept the first reasons of damage and counted the rest.
pub fn listing<E: Into<Error>>(entries: Vec<Entry>, reasons: Vec<E>, count: u64) -> Listing {
    let more = count.saturating_sub(reasons.len() as u64);
    let mut damage: Vec<Error> = reasons.into_iter().map(E::into).collect();
    if more > 0 {
        damage.push(Error::Corrupt { what: format!("{more} more places in the same directory") });
    }
    Listing { entries, damage }
}

/// The places of many things, in the order of the device and neighbours as one. What has no place is
/// left out: whoever reads it is told why.
pub fn in_order<E: Into<Error>>(
    places: impl Iterator<Item = Result<Vec<Range<u64>>, E>>,
) -> Result<Vec<Range<u64>>, Error> {
    let mut ranges = Vec::new();
    for place in places {
        match place.map_err(E::into) {
            Ok(found) => ranges.extend(found),
            Err(error @ Error::Read(_)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(joined(ranges))
}

fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::ReadError;

    #[test]
    fn ranges_are_sorted_and_neighbours_joined() {
        let ranges = vec![30..40, 0..10, 10..20, 32..36, 50..60, 55..58];
        assert_eq!(joined(ranges), [0..20, 30..40, 50..60]);
    }

    #[test]
    fn what_has_no_place_is_left_out_and_a_failed_read_is_told() {
        let place = |start: u64| Ok(std::iter::once(start..start + 1).collect());
        let corrupt = || Err(Error::Corrupt { what: "number".to_owned() });
        let found = in_order([place(5), corrupt(), place(6)].into_iter());
        let found = found.expect("all were asked");
        assert_eq!((found.len(), found.first()), (1, Some(&(5..7))));
        let failed = Err(Error::Read(ReadError::failed(0, "gone")));
        assert!(in_order([place(5), failed].into_iter()).is_err());
    }
}
