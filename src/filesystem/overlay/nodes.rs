//! Nodes of a merged view: each is known by the layers' nodes that it stands for.

use crate::filesystem::{Error, NodeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Most nodes of one view.
const MOST: usize = 8 << 20;

/// A node.
pub struct Node {
    /// The layers' nodes, uppermost first; one for what is no folder.
    pub stack: Vec<(usize, NodeId)>,
    pub is_folder: bool,
    /// The folder it was found in, and its name there, for a file whose bytes may be in a lower layer.
    pub parent: NodeId,
    pub name: Vec<u8>,
    /// The uppermost layer that renamed it or a folder above it; the greatest number if none did.
    pub moved: usize,
    /// What holds its bytes, once that was asked.
    pub data: OnceLock<(usize, NodeId)>,
}

impl Node {
    pub fn folder(stack: Vec<(usize, NodeId)>, moved: usize) -> Self {
        let (parent, name, data) = (NodeId(0), Vec::new(), OnceLock::new());
        Self { stack, is_folder: true, parent, name, moved, data }
    }

    pub fn file(at: (usize, NodeId), parent: NodeId, name: &[u8], moved: usize) -> Self {
        let (stack, name, data) = (vec![at], name.to_vec(), OnceLock::new());
        Self { stack, is_folder: false, parent, name, moved, data }
    }
}

/// All nodes that were met.
pub struct Nodes(RwLock<Known>);

#[derive(Default)]
struct Known {
    all: Vec<Arc<Node>>,
    files: HashMap<(usize, NodeId), NodeId>,
    folders: HashMap<Vec<(usize, NodeId)>, NodeId>,
}

impl Nodes {
    /// The root alone.
    pub fn new(root: Node) -> Self {
        let mut known = Known::default();
        known.folders.insert(root.stack.clone(), NodeId(0));
        known.all.push(Arc::new(root));
        Self(RwLock::new(known))
    }

    pub fn get(&self, node: NodeId) -> Option<Arc<Node>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.all.get(usize::try_from(node.0).ok()?).cloned()
    }

    /// The number of a file, which all its names share.
    pub fn file(&self, at: (usize, NodeId), make: impl FnOnce() -> Node) -> Result<NodeId, Error> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.files.get(&at) {
            return Ok(*id);
        }
        let id = known.push(make())?;
        known.files.insert(at, id);
        Ok(id)
    }

    /// The number of a folder.
    pub fn folder(&self, node: Node) -> Result<NodeId, Error> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.folders.get(&node.stack) {
            return Ok(*id);
        }
        let stack = node.stack.clone();
        let id = known.push(node)?;
        known.folders.insert(stack, id);
        Ok(id)
    }
}

impl Known {
    fn push(&mut self, node: Node) -> Result<NodeId, Error> {
        if self.all.len() >= MOST {
            return Err(Error::Unsupported {
                feature: format!("more than {MOST} nodes in layers"),
            });
        }
        let id = NodeId(self.all.len() as u64);
        self.all.push(Arc::new(node));
        Ok(id)
    }
}
