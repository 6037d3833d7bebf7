//! What is told before it is read, so that a slow device does not wait for each block.

use crate::made::python;
use block_source::{BlockSource, ReadError};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use zip_reader::Archive;

/// A device that notes which reads were told before.
struct Noting {
    bytes: Vec<u8>,
    told: Mutex<Vec<Range<u64>>>,
    untold: Mutex<u64>,
}

impl BlockSource for Noting {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let end = offset + out.len() as u64;
        let told = self.told.lock().unwrap();
        if !told.iter().any(|told| told.start <= offset && end <= told.end) {
            *self.untold.lock().unwrap() += out.len() as u64;
        }
        self.bytes.read_exact_at(offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.told.lock().unwrap().extend_from_slice(ranges);
    }
}

fn open(script: &str) -> Option<(Arc<Noting>, Archive)> {
    let bytes = python(script)?;
    let device = Noting { bytes, told: Mutex::default(), untold: Mutex::default() };
    let device = Arc::new(device);
    let archive = Archive::open(device.clone()).unwrap();
    Some((device, archive))
}

#[test]
fn all_of_a_large_entry_but_its_start() {
    let script = r#"
import random
noise = random.Random(1).randbytes(11 << 20)
with zipfile.ZipFile(out, "w") as made:
    made.writestr("large", noise, zipfile.ZIP_DEFLATED)
"#;
    let Some((device, archive)) = open(script) else { return };
    let entry = archive.entries().next().unwrap().unwrap();
    *device.untold.lock().unwrap() = 0;
    assert_eq!(archive.read(&entry, u64::MAX).unwrap().len(), 11 << 20);
    // Its own header, and one piece.
    assert_eq!(*device.untold.lock().unwrap(), 30);
    let told = device.told.lock().unwrap().clone();
    assert!(told.iter().all(|range| range.end - range.start <= 4 << 20), "{told:?}");
}

#[test]
fn the_ends_of_stored_archives() {
    let script = r#"
inner = io.BytesIO()
with zipfile.ZipFile(inner, "w") as made: made.writestr("large", b"x" * (1 << 20))
with zipfile.ZipFile(out, "w") as made:
    for name in ("a.jar", "b.jar"): made.writestr("lib/" + name, inner.getvalue())
"#;
    let Some((device, archive)) = open(script) else { return };
    let entries: Vec<_> = archive.entries().collect::<Result<_, _>>().unwrap();
    archive.will_need(entries.iter());
    *device.untold.lock().unwrap() = 0;
    for entry in &entries {
        let inner = Archive::open(Arc::new(archive.stored(entry).unwrap().unwrap())).unwrap();
        assert_eq!(inner.entries().count(), 1);
    }
    assert_eq!(*device.untold.lock().unwrap(), 0);
}
