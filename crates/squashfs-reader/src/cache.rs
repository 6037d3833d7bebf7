//! What was unpacked lately, bounded in bytes: when the young entries are many, they become the old
//! ones, and the old ones go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub struct Cache<T> {
    most: usize,
    kept: Mutex<Generations<T>>,
}

struct Generations<T> {
    young: HashMap<u64, Arc<T>>,
    young_bytes: usize,
    old: HashMap<u64, Arc<T>>,
}

/// Memory that a value takes.
pub trait Weight {
    fn bytes(&self) -> usize;
}

impl Weight for Vec<u8> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Weight for Vec<u32> {
    fn bytes(&self) -> usize {
        self.len() * 4
    }
}

impl<T: Weight> Cache<T> {
    pub fn new(most: usize) -> Self {
        let kept = Generations { young: HashMap::new(), young_bytes: 0, old: HashMap::new() };
        Self { most: most / 2, kept: Mutex::new(kept) }
    }

    /// The value of a key; `make` is called without a lock if it is not kept.
    pub fn get<E>(&self, key: u64, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(value) = self.lock().find(key, self.most) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        self.lock().put(key, value.clone(), self.most);
        Ok(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Weight> Generations<T> {
    fn find(&mut self, key: u64, most: usize) -> Option<Arc<T>> {
        if let Some(value) = self.young.get(&key) {
            return Some(value.clone());
        }
        let value = self.old.remove(&key)?;
        self.put(key, value.clone(), most);
        Some(value)
    }

    fn put(&mut self, key: u64, value: Arc<T>, most: usize) {
        // What an entry takes beside its value.
        let bytes = value.bytes() + 64;
        if bytes > most {
            return;
        }
        if self.young_bytes + bytes > most {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(key, value).is_none() {
            self.young_bytes += bytes;
        }
    }
}
