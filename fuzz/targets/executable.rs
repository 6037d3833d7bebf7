//! Executables: a byte that chooses the file's name, then arbitrary bytes as an ELF, a PE or a Mach-O. Nothing
//! may panic, run away, or prove more than there is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::inventory::language::executables;
use std::sync::Arc;

const NAMES: [&[u8]; 4] = [b"/opt/app", b"/opt/nginx", b"/opt/python3.11", b"/opt/libcrypto.so.3"];

fuzz_target!(|data: &[u8]| {
    let Some((name, bytes)) = data.split_first() else { return };
    let path = NAMES[usize::from(*name) % NAMES.len()];
    let found = executables::packages(Arc::new(bytes.to_vec()), path);
    // A list that is packed may name many crates in few bytes.
    assert!(found.found.len() <= 1100 * bytes.len(), "{} packages", found.found.len());
    assert!(found.gaps.len() <= 21);
    assert!(found.found.iter().all(|package| package.name.len() + package.version.len() < 5 << 10));
});
