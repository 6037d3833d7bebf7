//! Memory for blocks, which is used again: what comes and goes by the half megabyte, in many threads, would
//! leave holes that the allocator keeps.

use super::BLOCK_SIZE;
use std::sync::{Arc, Mutex, PoisonError};

/// Blocks that are kept for use.
const MOST: usize = 32;

static SPARE: Mutex<Vec<Arc<[u8]>>> = Mutex::new(Vec::new());

/// Room for a block, which nobody else holds; what is in it means nothing.
pub fn room() -> Arc<[u8]> {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    spare.unwrap_or_else(|| vec![0; BLOCK_SIZE as usize].into())
}

/// Takes back a block, if nobody else holds it.
pub(super) fn take_back(mut block: Arc<[u8]>) {
    if block.len() as u64 != BLOCK_SIZE || Arc::get_mut(&mut block).is_none() {
        return;
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < MOST {
        spare.push(block);
    }
}
