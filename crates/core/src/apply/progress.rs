//! Progress: what a run tells its observer while it works.

use crate::driver::{Holder, Watch};
use crate::plan::{Execute, Plan, Remark, Step};
use std::time::{Duration, Instant};

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Nothing is to do.
    UpToDate,
    /// Another deployer holds the lock.
    Waiting {
        /// Who.
        holder: &'a Holder,
        /// Since how long this run waits.
        waited: Duration,
    },
    /// Something to tell besides.
    Remark(&'a Remark),
    /// A plan was made.
    Planned(&'a Plan<'a>),
    /// A statement was sent to the database.
    StatementStarts(&'a Execute<'a>),
    /// A statement was done.
    StatementEnds(&'a Execute<'a>),
    /// A migration was applied, and is committed.
    Applied {
        /// Its name.
        name: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// Migrations that shared a transaction are run again by themselves, since one of them failed there.
    Apart {
        /// Their names.
        names: &'a [String],
    },
}

/// Told of what happens.
pub trait Observer: Send {
    /// Something happened.
    fn event(&mut self, event: Event<'_>);
}

/// An observer that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: Event<'_>) {}
}

impl<F: FnMut(Event<'_>) + Send> Observer for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}

/// Turns the steps that a driver reports into events, and keeps the time of each migration.
pub(super) struct SegmentWatch<'w, 'm> {
    pub(super) steps: &'w [Step<'m>],
    pub(super) observer: &'w mut dyn Observer,
    pub(super) stop: &'w super::Stop,
    /// When each migration's first step in this segment was seen.
    pub(super) timeline: Vec<(&'m str, Instant)>,
}

impl Watch for SegmentWatch<'_, '_> {
    fn starts(&mut self, step: usize) {
        let Some(Step::Execute(execute)) = self.steps.get(step) else { return };
        if self.timeline.last().is_none_or(|(name, _)| *name != execute.migration.name()) {
            self.timeline.push((execute.migration.name(), Instant::now()));
        }
        self.observer.event(Event::StatementStarts(execute));
    }

    fn ends(&mut self, step: usize) {
        if let Some(Step::Execute(execute)) = self.steps.get(step) {
            self.observer.event(Event::StatementEnds(execute));
        }
    }

    fn should_stop(&self) -> bool {
        self.stop.is_asked()
    }
}
