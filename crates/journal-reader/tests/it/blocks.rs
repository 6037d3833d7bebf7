//! How little of a large file is read.

use crate::maker::{Log, MOST, SHAPES, made};
use journal_reader::{Error, Journal};
use std::sync::Arc;
use test_material::Counting;

/// What the newest boot started is told from a handful of blocks of a file of any size.
#[test]
fn the_newest_kernel_takes_few_blocks_of_a_large_file() {
    for shape in [SHAPES[0], SHAPES[3]] {
        let log = Log { boots: 8, entries: 8000 };
        let Some(made) = made(&log.export(), shape) else { return };
        let device = Counting::new(made.bytes());
        let mut journal = Journal::open(Arc::new(device.clone()), MOST).unwrap();
        assert!(journal.newest_beginning().unwrap().unwrap().kernel.is_some());
        let taken = device.take();
        let size = made.bytes().len();
        eprintln!(
            "{shape:?}: {size} bytes, {} reads, {} bytes, {} blocks",
            taken.reads,
            taken.bytes,
            taken.blocks()
        );
        assert!(taken.blocks() <= 7 && taken.bytes <= 128 << 10, "{taken:?}");
    }
}

#[test]
fn no_more_is_read_than_was_allowed() {
    let Some(made) = made(&Log { boots: 2, entries: 500 }.export(), SHAPES[3]) else { return };
    let device = Counting::new(made.bytes());
    let mut journal = Journal::open(Arc::new(device.clone()), 20 << 10).unwrap();
    assert!(matches!(journal.boots().problems[..], [Error::Budget { .. }, ..]));
    assert!(device.take().bytes <= 20 << 10);
}
