//! Buffers of one block, used again: fresh ones cost more in page faults than reading the
//! block does.

use std::sync::{Arc, Mutex};

use hyper::body::Bytes;

use crate::{image::BLOCK_SIZE, sync::lock};

/// The most buffers that wait for use (32 MiB).
const KEPT: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that returns to its pool.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    pool: Pool,
}

impl Pool {
    /// A buffer of one block, holding anything.
    pub(crate) fn take(&self) -> Buffer {
        let used = lock(&self.0).pop();
        Buffer { bytes: used.unwrap_or_else(|| vec![0; BLOCK_SIZE]), pool: self.clone() }
    }
}

impl Buffer {
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = lock(&self.pool.0);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}
