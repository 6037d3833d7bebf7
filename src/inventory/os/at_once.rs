//! Many small things that each wait for blocks of their own, done at the same time.

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
