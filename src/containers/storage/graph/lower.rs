//! What lies below a layer of overlay, as the driver itself notes it in `lower`.

use super::{Graph, MOST_DEPTH, MOST_LAYERS, plain};
use crate::containers::store::{Store, is_plain};
use crate::model::{Gap, GapReason, printable_str};
use std::collections::HashMap;

/// Bytes of a file that names layers.
const MOST_TEXT: u64 = 64 << 10;

impl Graph<'_> {
    /// The chain as the layer's `lower` has it; none if it has none, as the lowest one.
    pub(super) fn by_lower(&self, top: &str) -> Result<Option<Vec<String>>, Gap> {
        plain(top, &self.records_place())?;
        let path = format!("{}/{top}/lower", self.driver);
        let Some(store) = self.store_of(&format!("{}/{top}", self.driver))? else {
            return Ok(None);
        };
        let Some(text) = short_text(store, &path)? else { return Ok(None) };
        let mut chain = vec![top.to_owned()];
        for link in text.split(':').filter(|link| !link.is_empty()) {
            if chain.len() >= MOST_DEPTH {
                let detail = format!("more than {MOST_DEPTH} layers");
                return Err(Gap::new(store.place(&path), GapReason::Limit, detail));
            }
            chain.push(self.linked(link, &store.place(&path))?);
        }
        Ok(Some(chain))
    }

    /// The layer that a part of `lower` leads to. A path that is no `l/SHORT` names the layer itself.
    fn linked(&self, link: &str, place: &str) -> Result<String, Gap> {
        let Some(short) = link.strip_prefix("l/") else { return layer_of(link, place) };
        if let Some(id) = self.met.borrow().get(short) {
            return Ok(id.clone());
        }
        plain(short, place)?;
        for store in &self.stores {
            if let Some(target) = store.link(&format!("{}/l/{short}", self.driver))? {
                let id = layer_of(&target, place)?;
                self.met.borrow_mut().insert(short.to_owned(), id.clone());
                return Ok(id);
            }
        }
        // Links are lost when a machine stops at once; the engine makes them anew from what each layer says.
        let links = self.links.get_or_init(|| self.all_links());
        links.get(short).cloned().ok_or_else(|| {
            Gap::new(place, GapReason::Missing, format!("the link l/{short} is not there"))
        })
    }

    /// All layers by the links that should lead to them.
    fn all_links(&self) -> HashMap<String, String> {
        let mut links = HashMap::new();
        for store in &self.stores {
            // Damage of the folder itself is told where its layers are read.
            let names = store.names(&self.driver, &mut Vec::new());
            for id in names.into_iter().filter(|name| is_plain(name)).take(MOST_LAYERS) {
                if let Ok(Some(short)) = short_text(store, &format!("{}/{id}/link", self.driver)) {
                    links.entry(short).or_insert(id);
                }
            }
        }
        links
    }
}

/// A file's text, which cannot be long.
fn short_text(store: &Store, path: &str) -> Result<Option<String>, Gap> {
    let Some(at) = store.find(path)? else { return Ok(None) };
    if let Ok(metadata) = store.tree().metadata(at)
        && metadata.size > MOST_TEXT
    {
        let detail = format!("{} bytes, more than the {MOST_TEXT} that are read", metadata.size);
        return Err(Gap::new(store.place(path), GapReason::Limit, detail));
    }
    store.text(path)
}

/// The layer of a path that ends in `ID/diff`, relative or into another store.
fn layer_of(path: &str, place: &str) -> Result<String, Gap> {
    let folder = path.strip_suffix("/diff");
    let id = folder.and_then(|folder| folder.rsplit('/').next()).filter(|id| is_plain(id));
    id.map(str::to_owned).ok_or_else(|| {
        let detail = format!("\"{}\" leads to no layer", printable_str(path));
        Gap::new(place, GapReason::Corrupt, detail)
    })
}
