//! Folders that wait to be read, in the order in which the disk has them.
//!
//! They are taken as a lift goes: upwards from where the last ones were, with what was found there
//! meanwhile, and then from the bottom again. Folders mostly lie behind the one that they are in, so that few
//! blocks are met twice, however deep the tree is. Where it is known beforehand which blocks hold folders, those on the
//! way are asked for though nothing is known yet of what is in them.

use super::ahead::{BLOCK, Place, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Folders that are read at once, if they lie close together.
const BATCH: usize = 1024;
/// Blocks in which they begin: few, so that those are still held when what is in the folders is read.
const BLOCKS: usize = 16;
/// Blocks on the way that are asked for.
const ON_THE_WAY: usize = 32;

/// Where a folder waits: its mount, the place of its first bytes, and the order in which it was found.
type Key = (usize, u64, u64);

/// What waits.
pub struct Waiting<T> {
    places: BTreeMap<Key, (T, Place)>,
    /// Where the last ones were.
    at: Key,
    found: u64,
    /// Blocks that hold folders, by mount, from where the last ones were.
    blocks: BTreeSet<(usize, u64)>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), at: Key::default(), found: 0, blocks: BTreeSet::new() }
    }
}

impl<T> Waiting<T> {
    /// Adds one.
    pub fn push(&mut self, folder: T, place: Place) {
        let (mount, start) = place.start();
        self.found += 1;
        self.places.insert((mount, start, self.found), (folder, place));
    }

    /// Notes where folders are of which none has been found yet.
    pub fn expect(&mut self, mount: usize, places: &[Range<u64>]) {
        self.blocks.extend(places.iter().map(|place| (mount, place.start / BLOCK)));
    }

    /// The next ones, in the order of the disk, and a plan to read them, which looks beyond them.
    pub fn next_batch(&mut self) -> Option<(Vec<T>, Plan)> {
        if self.places.range(self.at..).next().is_none() {
            self.at = Key::default();
        }
        let keys: Vec<Key> = self.next_keys().collect();
        // Folders that are found between these ones come next, while their blocks are still held.
        self.at = *keys.first()?;
        let taken = keys.iter().filter_map(|key| self.places.remove(key));
        let (folders, mut places): (Vec<T>, Vec<Place>) = taken.unzip();
        places.extend(self.next_keys().filter_map(|key| Some(self.places.get(&key)?.1.clone())));
        places.extend(self.on_the_way());
        let plan = Plan::in_order(folders.len(), places);
        Some((folders, plan))
    }

    /// Blocks with folders from here on. Each is left out once it was passed.
    fn on_the_way(&mut self) -> impl Iterator<Item = Place> {
        let (mount, start, _) = self.at;
        self.blocks = self.blocks.split_off(&(mount, start / BLOCK));
        let first_byte = |block: u64| block * BLOCK..block * BLOCK + 1;
        let place =
            move |(mount, block): &_| Place { mount: *mount, ranges: vec![first_byte(*block)] };
        self.blocks.iter().take(ON_THE_WAY).map(place)
    }

    /// Those that are next, and begin in a few blocks.
    fn next_keys(&self) -> impl Iterator<Item = Key> {
        let (mut blocks, mut last) = (0, None);
        let keys = self.places.range(self.at..).map(|(key, _)| *key).take(BATCH);
        keys.take_while(move |(mount, start, _)| {
            let block = Some((*mount, start / BLOCK));
            blocks += usize::from(std::mem::replace(&mut last, block) != block);
            blocks <= BLOCKS
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mount and a block.
    type Folder = (usize, u64);

    fn push(waiting: &mut Waiting<Folder>, (mount, block): Folder) {
        let first_byte = block * BLOCK..block * BLOCK + 1;
        waiting.push((mount, block), Place { mount, ranges: [first_byte].to_vec() });
    }

    /// Takes all that follows from the first ones: what is found in each is told by `inside`.
    fn order(first: &[Folder], inside: &[(Folder, &[Folder])]) -> Vec<Folder> {
        let mut waiting = Waiting::default();
        for it in first {
            push(&mut waiting, *it);
        }
        let mut order = Vec::new();
        while let Some((batch, _)) = waiting.next_batch() {
            for it in batch {
                order.push(it);
                let found = inside.iter().filter(|(folder, _)| *folder == it);
                for it in found.flat_map(|(_, found)| *found) {
                    push(&mut waiting, *it);
                }
            }
        }
        order
    }

    #[test]
    fn the_way_goes_up_and_begins_again() {
        let inside: &[(Folder, &[_])] =
            &[((0, 5), &[(0, 7), (0, 2), (1, 0)]), ((0, 7), &[(0, 30)])];
        // Of what was found in the first, 7 and the other mount are one batch.
        assert_eq!(order(&[(0, 5)], inside), [(0, 5), (0, 7), (1, 0), (0, 30), (0, 2)]);
    }

    #[test]
    fn what_is_found_between_a_few_blocks_comes_next() {
        let scattered: Vec<_> = (0..100).map(|block| (0, 2 * block)).collect();
        let order = order(&scattered, &[((0, 0), &[(0, 1), (0, 31)])]);
        assert_eq!(order.len(), 102);
        assert_eq!(order[16..18], [(0, 1), (0, 31)]);
    }

    #[test]
    fn blocks_on_the_way_are_asked_for_until_they_are_passed() {
        let mut waiting = Waiting::default();
        waiting.expect(0, &[3 * BLOCK..4 * BLOCK, 7 * BLOCK + 5..8 * BLOCK, BLOCK..BLOCK + 1]);
        let mut asked = Vec::new();
        for block in [2, 5, 0] {
            push(&mut waiting, (0, block));
            let (_, plan) = waiting.next_batch().unwrap();
            asked.push(plan.starts().map(|(_, start)| start / BLOCK).collect::<Vec<_>>());
        }
        assert_eq!(asked, [vec![2, 3, 7], vec![5, 7], vec![0, 7]]);
    }

    #[test]
    fn without_places_the_order_is_that_of_finding() {
        let mut waiting = Waiting::default();
        (0..600).for_each(|it| waiting.push(it, Place { mount: 0, ranges: Vec::new() }));
        let mut order = Vec::new();
        while let Some((batch, _)) = waiting.next_batch() {
            order.extend(batch);
        }
        assert!(order.into_iter().eq(0..600));
    }
}
