//! The same work for many files, on several threads where there are many.

use super::SourceError;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Below this, starting a thread costs more than it saves.
const FEW: usize = 256;
const MOST_THREADS: usize = 4;

/// Does `work` for each item; the results stand in the order of the items, and so does the first error.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, SourceError> + Sync,
) -> Result<Vec<R>, SourceError> {
    // To ask how many threads there can be opens files: for few items that is the dearest part.
    if items.len() < FEW {
        return items.iter().map(work).collect();
    }
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get().min(MOST_THREADS));
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let turns = std::iter::from_fn(|| {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, work(item)))
        });
        turns.collect::<Vec<_>>()
    };
    let mut results = thread::scope(|scope| {
        // A thread that cannot be had is not needed: this one does all that is left.
        let start = |_| thread::Builder::new().spawn_scoped(scope, take_turns).ok();
        let others: Vec<_> = (1..threads).filter_map(start).collect();
        let mut results = take_turns();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
