//! Contention: others hold what a statement needs. It is tried again after a pause, so many times, and told.

use super::DeployOptions;
use crate::driver::Holder;
use crate::plan::{Execute, Place, WaitLimit};
use std::time::{Duration, Instant};

/// The longest pause between two tries, and the longest first one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How many times a segment is tried where nobody says otherwise.
pub const LOCK_TRIES: u32 = 10;

/// A statement that did not get its locks in time, and who was in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contention {
    /// The migration.
    pub migration: String,
    /// Where the statement begins.
    pub place: Option<Place>,
    /// Its number, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// The beginning of its text; of one that may hold a secret, only that.
    pub statement: String,
    /// Who held what it needs, as far as the database tells.
    pub holder: Holder,
    /// How often it was tried.
    pub tries: u32,
    /// How often it is tried at most; once for a statement that waits for as long as it is asked to.
    pub of_tries: u32,
    /// How long each try waited at most.
    pub limit: Option<WaitLimit>,
    /// Since the first try began.
    pub waited: Duration,
}

impl std::fmt::Display for Contention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { migration, number, of, .. } = self;
        write!(f, "statement {number} of {of} of `{migration}` waited in vain for other sessions")
    }
}

/// The tries of one segment.
pub(super) struct Tries {
    began: Instant,
    done: u32,
    most: u32,
    /// How long each waits: pauses fit it.
    limit: Option<WaitLimit>,
}

impl Tries {
    pub(super) fn new(options: &DeployOptions, limit: Option<WaitLimit>) -> Self {
        Self { began: Instant::now(), done: 0, most: options.lock_tries.max(1), limit }
    }

    /// One more was in vain.
    pub(super) fn fail(
        &mut self,
        migration: String,
        execute: Option<&Execute<'_>>,
        holder: Holder,
    ) -> Contention {
        self.done += 1;
        Contention {
            migration,
            place: execute.map(Place::of),
            number: execute.map_or(0, |execute| execute.number),
            of: execute.map_or(0, |execute| execute.of),
            statement: execute.map(|execute| execute.summary(200)).unwrap_or_default(),
            holder,
            tries: self.done,
            of_tries: self.most,
            limit: self.limit,
            waited: self.began.elapsed(),
        }
    }

    pub(super) fn are_used_up(&self) -> bool {
        self.done >= self.most
    }

    /// Longer from try to try, and never the same for two that wait for one another.
    pub(super) fn pause(&self) -> Duration {
        let first = match self.limit {
            Some(WaitLimit::Locks(limit)) => limit.min(FIRST_PAUSE),
            _ => FIRST_PAUSE,
        };
        let doubled = first.saturating_mul(1 << self.done.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), self.done);
        let part = u32::try_from(random % 1_000).unwrap_or(0);
        doubled / 2 + doubled / 2 * part / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Run;

    #[test]
    fn pauses_grow_and_end() {
        let options = DeployOptions::new(Run::new("a", "b"));
        let mut tries = Tries::new(&options, Some(WaitLimit::Locks(Duration::from_millis(100))));
        let mut most = Vec::new();
        for _ in 0..12 {
            tries.fail("1_m".to_owned(), None, Holder::default());
            let pause = tries.pause();
            let doubled = Duration::from_millis(100 << (tries.done - 1)).min(LONGEST_PAUSE);
            assert!(doubled / 2 <= pause && pause <= doubled, "{pause:?} of {doubled:?}");
            most.push(pause);
        }
        assert!(most.windows(2).all(|pair| pair[0] / 2 <= pair[1]) && most[11] >= LONGEST_PAUSE / 2);
        assert!(tries.are_used_up());
    }
}
