//! Which subvolumes are states of one: a snapshot and what it was made of, over several steps, also
//! where one between them is gone; and what snapper keeps in one folder, `.snapshots/NUMBER/snapshot`,
//! whose steps between are deleted in time.

use super::subvolumes::{Hooks, TreeRoot};
use std::collections::HashMap;

/// Names that snapper gives.
const FOLDER: &[u8] = b".snapshots";
const SNAPSHOT: &[u8] = b"snapshot";

/// For each subvolume, in their order, the least number of its family.
pub fn of(trees: &[TreeRoot], hooks: &Hooks, parents: &HashMap<u64, u64>) -> Vec<u64> {
    let mut sets = Sets::new(trees.len());
    let mut by_uuid: HashMap<[u8; 16], usize> = HashMap::new();
    let mut by_folder: HashMap<u64, usize> = HashMap::new();
    for (index, tree) in trees.iter().enumerate() {
        // A UUID that only snapshots name is that of one that is gone.
        for id in [tree.uuid, tree.parent_uuid].into_iter().filter(|id| *id != [0; 16]) {
            sets.join(index, *by_uuid.entry(id).or_insert(index));
        }
        if let Some(folder) = snapper_folder(tree.id, hooks, parents) {
            sets.join(index, *by_folder.entry(folder).or_insert(index));
        }
    }
    (0..trees.len()).map(|index| trees[sets.first(index)].id).collect()
}

/// The subvolume `.snapshots` that one hangs in.
fn snapper_folder(id: u64, hooks: &Hooks, parents: &HashMap<u64, u64>) -> Option<u64> {
    let name = |child: u64| {
        let parent = *parents.get(&child)?;
        hooks.get(&(parent, child)).map(|(_, name)| (parent, name.as_slice()))
    };
    let (folder, own) = name(id)?;
    (own == SNAPSHOT && name(folder)?.1 == FOLDER).then_some(folder)
}

/// Sets of indexes, each known by its least.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn first(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(id: u64, uuid: u8, parent: u8) -> TreeRoot {
        TreeRoot::with_ids(id, [uuid; 16], [parent; 16])
    }

    #[test]
    fn states_of_one_share_a_number_also_over_one_that_is_gone() {
        // 257 was made of 256, 258 of 257; 259 and 260 of one that is gone; 261 of nothing.
        let trees = [
            tree(5, 0, 0),
            tree(256, 1, 0),
            tree(257, 2, 1),
            tree(258, 3, 2),
            tree(259, 4, 9),
            tree(260, 5, 9),
            tree(261, 6, 0),
        ];
        let found = of(&trees, &Hooks::new(), &HashMap::new());
        assert_eq!(found, [5, 256, 256, 256, 259, 259, 261]);
    }

    #[test]
    fn what_snapper_keeps_in_one_folder_is_of_one() {
        // 256 `.snapshots`, 257 and 258 in it, without a UUID that links them; 259 beside.
        let trees = [tree(256, 1, 0), tree(257, 2, 0), tree(258, 3, 8), tree(259, 4, 0)];
        let hook = |folder: u64, name: &str| (folder, name.as_bytes().to_vec());
        let hooks = Hooks::from([
            ((5, 256), hook(256, ".snapshots")),
            ((256, 257), hook(300, "snapshot")),
            ((256, 258), hook(301, "snapshot")),
            ((256, 259), hook(302, "other")),
        ]);
        let parents = hooks.keys().map(|(parent, child)| (*child, *parent)).collect();
        assert_eq!(of(&trees, &hooks, &parents), [256, 257, 257, 259]);
    }
}
