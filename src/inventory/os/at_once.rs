//! Many small things that each wait for blocks of their own, done at the same time.

use crate::host::{Located, Part, Tree};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many wait at once. A disk answers many reads in the time of one.
const THREADS: usize = 16;

/// What `work` makes of each, in their order.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let done: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            scope.spawn(|| {
                while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && let Some(item) = items.get(index)
                {
                    let made = work(item);
                    *done[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
                }
            });
        }
    });
    let made = done.into_iter().map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner));
    made.flatten().collect()
}

/// As [`each`], for items that are files: `place` says where one is, if it is there. The files are
/// taken in the order of the disk, and told to it before they are read.
pub(super) fn planned<T: Sync, R: Send>(
    tree: &Tree,
    items: &[T],
    most: u64,
    place: impl Fn(&T) -> Option<Located>,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let places = items.iter().enumerate().map(|(index, item)| (index, place(item)));
    let (there, absent): (Vec<_>, Vec<_>) = places.partition(|(_, place)| place.is_some());
    let nodes: Vec<_> = there.iter().filter_map(|(_, place)| *place).collect();
    let plan = tree.plan(&nodes, Part::Start(most));
    let work = |index: usize| (index, work(&items[index]));
    let done = each(&there, |_| Some(work(there[plan.next(tree)?].0)));
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.extend(absent.into_iter().map(|(index, _)| work(index)));
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_is_that_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        assert_eq!(super::each(&items, |item| item * 2), doubled);
        assert!(super::each(&Vec::<u32>::new(), |item| *item).is_empty());
    }
}
