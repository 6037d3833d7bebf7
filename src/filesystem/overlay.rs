//! Several folders as one, as the kernel's overlay filesystem and fuse-overlayfs show them
//! (<https://docs.kernel.org/filesystems/overlayfs.html>): layers of containers. Nothing is copied.
//!
//! Each layer may lie on another filesystem. A folder is merged from the folders of its name in all layers, from
//! the uppermost down to one that is opaque or to where something else has the name; anything else is that of
//! the uppermost layer that has the name. A whiteout removes a name.

mod layer;
mod nodes;
mod wanted;

pub use layer::Marks;

use super::{Entry, Error, FileSystem, Identity, Kind, Listing, Metadata, NodeId};
use layer::Layer;
use nodes::{Node, Nodes};
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use wanted::Wanted;

/// Most layers; engines take 128.
const MOST_LAYERS: usize = 512;
const ROOT: NodeId = NodeId(0);

/// The merged view.
pub struct Overlay {
    layers: Vec<Layer>,
    nodes: Nodes,
    /// What names lead to that were looked up: each would be looked for in many layers again.
    known: RwLock<LookedUp>,
}

/// What a name in a folder leads to.
type LookedUp = HashMap<(NodeId, Vec<u8>), Option<NodeId>>;

/// Most names that are known.
const MOST_KNOWN: usize = 1 << 16;

/// What a name leads to in one layer.
enum Found {
    /// Nothing; lower layers may have it.
    Nothing,
    /// Nothing, nor in any lower layer.
    Removed,
    /// A folder.
    Folder(NodeId),
    /// Something else.
    Other(NodeId),
}

impl Overlay {
    /// These folders, uppermost first.
    pub fn new(folders: Vec<(Arc<dyn FileSystem>, NodeId)>, marks: Marks) -> Result<Self, Error> {
        if folders.is_empty() || folders.len() > MOST_LAYERS {
            let count = folders.len();
            return Err(Error::Unsupported { feature: format!("{count} layers") });
        }
        let layers: Vec<Layer> = folders.into_iter().map(|it| Layer::new(it, marks)).collect();
        let mut stack = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            stack.push((index, layer.root));
            if index + 1 < layers.len() && layer.is_opaque(layer.root)? {
                break;
            }
        }
        let nodes = Nodes::new(Node::folder(stack, usize::MAX));
        Ok(Self { layers, nodes, known: RwLock::default() })
    }

    fn node(&self, node: NodeId) -> Result<Arc<Node>, Error> {
        self.nodes.get(node).ok_or_else(|| corrupt("a node that no folder leads to"))
    }

    /// The uppermost layer's node.
    fn top(&self, node: NodeId) -> Result<(&Layer, NodeId), Error> {
        let (index, inner) = self.node(node)?.stack[0];
        Ok((&self.layers[index], inner))
    }

    /// What holds a file's bytes.
    fn data(&self, node: NodeId) -> Result<(&Layer, NodeId), Error> {
        let found = self.node(node)?;
        let (index, inner) = match found.data.get() {
            Some(data) => *data,
            None => *found.data.get_or_init({
                let data = self.find_data(&found)?;
                move || data
            }),
        };
        Ok((&self.layers[index], inner))
    }

    /// A file whose metadata alone were copied up has its bytes in a lower layer.
    fn find_data(&self, node: &Node) -> Result<(usize, NodeId), Error> {
        let (mut index, mut inner) = node.stack[0];
        let mut wanted = Wanted::Name(node.name.clone());
        let parent = self.node(node.parent)?;
        while index + 1 < self.layers.len() && self.layers[index].is_metacopy(inner)? {
            if let Some(redirect) = self.layers[index].redirect(inner)? {
                // One from the top holds for a file whatever was opaque on the way to it.
                if redirect[0] == b'/' {
                    wanted = Wanted::Name(Vec::new());
                }
                wanted.redirected(&redirect)?;
            }
            let below = self.below(&parent, &mut wanted, index)?;
            let Some((next, Found::Other(file))) = below else {
                return Err(corrupt("a file whose bytes are in no lower layer"));
            };
            (index, inner) = (next, file);
        }
        Ok((index, inner))
    }

    /// The next thing below a layer that is wanted there.
    fn below(
        &self,
        parent: &Node,
        wanted: &mut Wanted,
        above: usize,
    ) -> Result<Option<(usize, Found)>, Error> {
        for index in above + 1..self.layers.len() {
            match self.in_layer(parent, wanted, index)? {
                Found::Nothing => {}
                found => return Ok(Some((index, found))),
            }
        }
        Ok(None)
    }

    /// What is wanted, in one layer. What it says of the way there changes where lower layers are asked.
    fn in_layer(&self, parent: &Node, wanted: &mut Wanted, index: usize) -> Result<Found, Error> {
        let layer = &self.layers[index];
        let path = match wanted {
            Wanted::Nothing => return Ok(Found::Removed),
            Wanted::Name(name) => {
                let folder = parent.stack.iter().find(|(at, _)| *at == index);
                return folder.map_or(Ok(Found::Nothing), |(_, folder)| layer.find(*folder, name));
            }
            Wanted::Path(path) => path.clone(),
        };
        let mut folder = layer.root;
        for (depth, name) in path.iter().enumerate() {
            let found = layer.find(folder, name)?;
            if depth + 1 == path.len() {
                return Ok(found);
            }
            let Found::Folder(next) = found else {
                return Ok(if matches!(found, Found::Nothing) { found } else { Found::Removed });
            };
            if layer.is_opaque(next)? {
                *wanted = Wanted::Nothing;
            } else if let Some(redirect) = layer.redirect(next)? {
                wanted.lead(&redirect, depth)?;
            }
            folder = next;
        }
        Ok(Found::Nothing)
    }

    /// The folder of which one layer has the uppermost part; `known` are the same name's in lower layers, if a
    /// listing told them.
    fn folder(&self, parent: &Node, name: &[u8], first: (usize, NodeId)) -> Result<Node, Error> {
        let (mut stack, mut moved) = (vec![first], parent.moved);
        let mut wanted = Wanted::Name(name.to_vec());
        let (mut index, mut inner) = first;
        while index + 1 < self.layers.len() && !self.layers[index].is_opaque(inner)? {
            // A layer of an image that removes a folder and makes it anew has both, of one name.
            let above = parent.stack.iter().find(|(at, _)| *at == index);
            if let Some((_, above)) = above
                && self.layers[index].removes(*above, name)?
            {
                break;
            }
            if let Some(redirect) = self.layers[index].redirect(inner)? {
                wanted.redirected(&redirect)?;
                moved = moved.min(index);
            }
            let Some((next, Found::Folder(below))) = self.below(parent, &mut wanted, index)? else {
                break;
            };
            stack.push((next, below));
            (index, inner) = (next, below);
        }
        Ok(Node::folder(stack, moved))
    }

    /// The node of what the uppermost layer that has the name has there.
    fn child(
        &self,
        at: NodeId,
        parent: &Node,
        name: &[u8],
        first: (usize, NodeId),
        is_folder: bool,
    ) -> Result<NodeId, Error> {
        if !is_folder {
            return self.nodes.file(first, || Node::file(first, at, name, parent.moved));
        }
        let node = self.folder(parent, name, first)?;
        self.nodes.folder(node)
    }

    /// What a name leads to, in whatever layer.
    fn look_up(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let folder = self.node(directory)?;
        for (index, inner) in &folder.stack {
            let (found, is_folder) = match self.layers[*index].find(*inner, name)? {
                Found::Nothing => continue,
                Found::Removed => return Ok(None),
                Found::Folder(found) => (found, true),
                Found::Other(found) => (found, false),
            };
            return self.child(directory, &folder, name, (*index, found), is_folder).map(Some);
        }
        Ok(None)
    }

    /// Names of a folder in all layers, each as the uppermost of them has it.
    fn merged(&self, node: &Node) -> Result<Merged, Error> {
        let (mut names, mut damage) = (HashMap::new(), Vec::new());
        for (index, folder) in &node.stack {
            let layer = &self.layers[*index];
            let listing = layer.list(*folder)?;
            damage.extend(listing.damage);
            let hidden: HashSet<Vec<u8>> = listing.removed.into_iter().collect();
            for (entry, kind) in listing.entries {
                if let Slot::Vacant(slot) = names.entry(entry.name) {
                    slot.insert(Some(First { layer: *index, node: entry.node, kind }));
                }
            }
            for name in hidden {
                names.entry(name).or_insert(None);
            }
        }
        let names = names.into_iter().filter_map(|(name, first)| Some((name, first?))).collect();
        Ok((names, damage))
    }

    /// The filesystem that ranges are of: that of the uppermost layer, on which nearly always all are.
    fn main(&self) -> &Arc<dyn FileSystem> {
        &self.layers[0].filesystem
    }

    fn is_main(&self, layer: &Layer) -> bool {
        Arc::ptr_eq(self.main(), &layer.filesystem)
    }
}

/// Names of a folder, and what of them could not be read.
type Merged = (Vec<(Vec<u8>, First)>, Vec<Error>);

/// What the uppermost layer that has a name has there.
struct First {
    layer: usize,
    node: NodeId,
    kind: Kind,
}

fn corrupt(what: &str) -> Error {
    Error::Corrupt { what: what.to_owned() }
}

impl FileSystem for Overlay {
    fn kind(&self) -> &'static str {
        "overlay"
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn root(&self) -> NodeId {
        ROOT
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let (layer, inner) = self.top(node)?;
        layer.filesystem.metadata(inner)
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let folder = self.node(node)?;
        let (names, mut damage) = self.merged(&folder)?;
        let mut entries = Vec::with_capacity(names.len());
        for (name, First { layer, node: inner, kind }) in names {
            let is_folder = kind == Kind::Directory;
            match self.child(node, &folder, &name, (layer, inner), is_folder) {
                Ok(child) => entries.push(Entry { name, node: child, kind: Some(kind) }),
                Err(error) => damage.push(error),
            }
        }
        Ok(Listing { entries, damage })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let key = (directory, name.to_vec());
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(*known);
        }
        let found = self.look_up(directory, name)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_KNOWN {
            known.insert(key, found);
        }
        Ok(found)
    }
    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        let (layer, inner) = self.top(node)?;
        layer.filesystem.read_link(inner)
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let (layer, inner) = self.data(node)?;
        layer.filesystem.read_at(inner, offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.main().will_need(ranges);
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let (layer, inner) = self.top(node)?;
        layer.filesystem.xattr(inner, name)
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        let (layer, inner) = self.top(node)?;
        layer.filesystem.device_number(inner)
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        let found = self.node(node)?;
        if found.is_folder {
            let mut ranges = Vec::new();
            for (index, inner) in &found.stack {
                let layer = &self.layers[*index];
                if self.is_main(layer) {
                    ranges.extend(layer.filesystem.ranges(*inner, offset, length)?);
                }
            }
            return Ok(ranges);
        }
        let (layer, inner) = self.data(node)?;
        if self.is_main(layer) {
            layer.filesystem.ranges(inner, offset, length)
        } else {
            Ok(Vec::new())
        }
    }

    fn metadata_ranges(&self, nodes: &[NodeId]) -> Result<Vec<Range<u64>>, Error> {
        let mut inner = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let Some(found) = self.nodes.get(*node) {
                let main = |(index, _): &&(usize, NodeId)| self.is_main(&self.layers[*index]);
                inner.extend(found.stack.iter().filter(main).map(|(_, inner)| *inner));
            }
        }
        self.main().metadata_ranges(&inner)
    }

    fn forget(&self, node: NodeId) {
        if let Some(found) = self.nodes.get(node) {
            for (index, inner) in &found.stack {
                self.layers[*index].filesystem.forget(*inner);
            }
        }
    }

    fn uppermost_layer(&self, node: NodeId) -> Option<usize> {
        let found = self.nodes.get(node)?;
        found.stack.first().map(|(index, _)| (*index).min(found.moved))
    }
}

#[cfg(test)]
mod tests;
