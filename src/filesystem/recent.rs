//! The nodes that were read last, so that what comes by a node twice need not have its block fetched
//! twice.

use super::NodeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Nodes of one generation, of which two are kept.
const MOST: usize = 4096;

/// What is known of nodes.
pub struct Recent<T>(Mutex<Generations<T>>);

struct Generations<T> {
    new: HashMap<NodeId, Arc<T>>,
    old: HashMap<NodeId, Arc<T>>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(Generations { new: HashMap::new(), old: HashMap::new() }))
    }
}

impl<T> Recent<T> {
    /// What is known of a node, or what `read` gives. A failure is not kept.
    pub fn get<E>(&self, node: NodeId, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let known = |held: &Generations<T>| held.new.get(&node).or(held.old.get(&node)).cloned();
        if let Some(known) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let found = Arc::new(read()?);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.new.len() >= MOST {
            held.old = std::mem::take(&mut held.new);
        }
        held.new.insert(node, found.clone());
        Ok(found)
    }

    /// Drops what is known of a node.
    pub fn forget(&self, node: NodeId) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.new.remove(&node);
        held.old.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_failures_are_not() {
        let recent = Recent::default();
        let read = |node, value| recent.get(NodeId(node), || Ok::<u64, ()>(value)).map(|it| *it);
        assert_eq!(recent.get(NodeId(0), || Err("no")), Err("no"));
        assert_eq!(read(0, 7), Ok(7));
        assert_eq!(read(0, 8), Ok(7));
        for node in 1..=2 * MOST as u64 {
            assert_eq!(read(node, node), Ok(node));
        }
        assert_eq!(read(2 * MOST as u64, 9), Ok(2 * MOST as u64));
        assert_eq!(read(0, 9), Ok(9));
        recent.forget(NodeId(0));
        assert_eq!(read(0, 10), Ok(10));
    }
}
