//! Java archives: arbitrary bytes as an archive with others in it. Nothing may panic, run away, or prove
//! more than there is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::inventory::language::java;
use std::sync::Arc;
use zip_reader::Archive;

fuzz_target!(|data: &[u8]| {
    let found = java::archives(Arc::new(data.to_vec()), b"/app-1.jar");
    // Each needs an entry, though archives may lie in one another.
    assert!(found.found.len() <= data.len(), "{} packages", found.found.len());
    assert!(found.gaps.len() <= 101);
    assert!(found.found.iter().all(|package| !package.name.contains('\x1b')));
    let Ok(archive) = Archive::open(Arc::new(data.to_vec())) else { return };
    for entry in archive.entries().flatten() {
        if let Ok(bytes) = archive.read(&entry, 1 << 20) {
            assert_eq!(bytes.len() as u64, entry.size);
        }
    }
});
