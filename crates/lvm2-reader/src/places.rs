//! Which physical volumes a logical volume lies on, through all the volumes that it is made of.

use crate::build::Builder;
use crate::model::Segment;
use crate::segment::Kind;
use std::collections::{BTreeSet, HashSet};

/// Names that are followed for all volumes of a group: metadata that someone made up could have each volume
/// stand on all others.
pub const MOST_NAMES: usize = 1 << 20;

impl Builder<'_> {
    /// Indexes of the devices that are there; none if it is not known on which it lies.
    pub fn places(&mut self, name: &str) -> Vec<usize> {
        self.find_places(name).unwrap_or_default().into_iter().collect()
    }

    fn find_places(&mut self, name: &str) -> Option<BTreeSet<usize>> {
        let (mut found, mut met) = (BTreeSet::new(), HashSet::new());
        let mut todo = vec![name.to_owned()];
        while let Some(name) = todo.pop() {
            self.names_left = self.names_left.checked_sub(1)?;
            if !met.insert(name.clone()) {
                continue;
            }
            found.extend(self.physical.get(&name));
            todo.extend(self.linked(&name).map(str::to_owned));
            let Some(logical) = self.group.logical.get(&name) else { continue };
            for segment in logical.segments.as_deref().ok()? {
                let below = below(segment)?;
                self.names_left = self.names_left.checked_sub(below.len())?;
                todo.extend(below.into_iter().map(str::to_owned));
            }
        }
        Some(found)
    }
}

/// The volumes that a segment names; `None` if its type is not known.
fn below(segment: &Segment) -> Option<Vec<&str>> {
    Some(match &segment.kind {
        Kind::Striped { areas, .. } | Kind::Mirror { areas } => {
            areas.iter().map(|area| area.on.as_str()).collect()
        }
        Kind::Raid { legs, .. } => {
            let names = legs.iter().flat_map(|leg| [Some(&leg.image), leg.metadata.as_ref()]);
            names.flatten().map(String::as_str).collect()
        }
        Kind::ThinPool { metadata, data, .. } => vec![metadata, data],
        Kind::Thin { pool, external_origin, .. } => [Some(pool), external_origin.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect(),
        Kind::Snapshot { origin, store, .. } => vec![origin, store],
        Kind::Zero | Kind::Error => Vec::new(),
        Kind::Unknown(_) => return None,
    })
}
