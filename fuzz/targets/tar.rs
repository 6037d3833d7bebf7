//! tar archives as filesystems: arbitrary bytes. Nothing may panic, run away, or give bytes that
//! are not there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::filesystem::{FileSystem, Kind, NodeId, Tar};
use std::sync::Arc;

const MOST: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let tar = Tar::open(Arc::new(data.to_vec()), MOST);
    assert!(tar.count() <= MOST);
    assert!(tar.warnings().len() <= 101);
    for node in (0..tar.count() as u64).map(NodeId) {
        let metadata = tar.metadata(node).expect("all nodes are there");
        match metadata.kind {
            Kind::Directory => {
                for entry in tar.read_dir(node).expect("a folder").entries {
                    assert_eq!(tar.lookup(node, &entry.name).ok().flatten(), Some(entry.node));
                    assert!(!entry.name.contains(&b'/') && entry.name != b"..");
                }
            }
            Kind::File => {
                let mut bytes = [0; 512];
                let _ = tar.read_at(node, metadata.size / 2, &mut bytes);
                let _ = tar.ranges(node, 0, u64::MAX);
            }
            _ => {}
        }
    }
});
