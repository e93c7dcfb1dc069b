//! Progress: what a run tells its observer while it works.

use super::Contention;
use crate::driver::{Holder, Patience, Watch};
use crate::plan::{Execute, Plan, Remark, Step, WaitLimit};
use std::time::{Duration, Instant};

/// Something that happened.
///
/// ```
/// # use windlass_core::application::Event;
/// fn told(event: &Event<'_>) -> Option<String> {
///     match event {
///         Event::StatementStarts(execute) => Some(format!("{}/{}", execute.number, execute.of)),
///         Event::Applied { name, elapsed } => Some(format!("{name} took {elapsed:?}")),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
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
    /// A statement did not get its locks in time, and is tried again after a pause.
    Contended {
        /// Which, and who is in its way.
        contention: &'a Contention,
        /// How long the pause is.
        pause: Duration,
    },
    /// A statement waits for another session, and the database tells so while it does.
    WaitsForOther {
        /// The statement; `None` where what one left is cleared away.
        execute: Option<&'a Execute<'a>>,
        /// Whom it waits for.
        holder: &'a Holder,
        /// Since how long it waits.
        waited: Duration,
    },
    /// A repeated statement touched rows, and they are committed.
    RowsTouched {
        /// The statement.
        execute: &'a Execute<'a>,
        /// How many it touched in all so far, those of earlier deploys included.
        rows: u64,
        /// Whether it is done: it is not run again.
        is_done: bool,
    },
    /// A migration was applied, and is committed.
    Applied {
        /// Its name.
        name: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// A migration uses a new enum value before its commit, which its text does not tell. It was rolled back,
    /// and is run again with the value committed first.
    EnumValueUsed {
        /// Its name.
        name: &'a str,
    },
    /// Migrations that shared a transaction are run again by themselves, since one of them failed there.
    Apart {
        /// Their names.
        names: &'a [String],
    },
}

/// Told of what happens.
///
/// ```
/// # use windlass_core::application::{Event, Observer};
/// struct Applied(Vec<String>);
///
/// impl Observer for Applied {
///     fn event(&mut self, event: Event<'_>) {
///         if let Event::Applied { name, .. } = event {
///             self.0.push(name.to_owned());
///         }
///     }
/// }
/// ```
pub trait Observer: Send {
    /// Something happened.
    ///
    /// ```
    /// # use windlass_core::application::{Event, Observer};
    /// let mut events = 0;
    /// let mut count = |_: Event<'_>| events += 1;
    /// count.event(Event::UpToDate);
    /// assert_eq!(events, 1);
    /// ```
    fn event(&mut self, event: Event<'_>);
}

/// An observer that says nothing.
///
/// ```
/// use windlass_core::apply::{Event, Observer, Silent};
///
/// Silent.event(Event::UpToDate);
/// ```
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
    steps: &'w [Step<'m>],
    observer: &'w mut dyn Observer,
    stop: &'w super::Stop,
    heeds_stop: bool,
    /// When each migration's first step in this segment was seen.
    timeline: Timeline<'m>,
    /// The last step that was begun, and when.
    started: Option<(usize, Instant)>,
    wait: Option<Wait>,
    /// Rows that the last statement touched, where they are counted.
    touched: u64,
    /// Where limits are set, and where transactions begin and end: steps in order.
    limits: Vec<usize>,
    borders: Vec<usize>,
    /// What a budget for locks counts from: the limit's step, or that of a statement by itself; and since when.
    budget: Option<(usize, Instant)>,
}

/// Migrations, and when each was seen first.
type Timeline<'m> = Vec<(&'m str, Instant)>;

/// A step's wait for others.
struct Wait {
    step: usize,
    last: Instant,
    waited: Duration,
}

/// What is told less often than this is another wait.
const ONE_WAIT: Duration = Duration::from_secs(5);

impl<'w, 'm> SegmentWatch<'w, 'm> {
    pub(super) fn new(
        steps: &'w [Step<'m>],
        observer: &'w mut dyn Observer,
        stop: &'w super::Stop,
        heeds_stop: bool,
    ) -> Self {
        let all = |is_one: fn(&Step<'_>) -> bool| {
            steps.iter().enumerate().filter(|(_, step)| is_one(step)).map(|(at, _)| at).collect()
        };
        Self {
            steps,
            observer,
            stop,
            heeds_stop,
            timeline: Vec::new(),
            started: None,
            wait: None,
            touched: 0,
            limits: all(|step| matches!(step, Step::LimitWaits(_))),
            borders: all(|step| matches!(step, Step::Begin | Step::Commit)),
            budget: None,
        }
    }

    /// When each migration's first step was seen, and which step was begun last, when.
    pub(super) fn into_times(self) -> (Timeline<'m>, Option<(usize, Instant)>) {
        (self.timeline, self.started)
    }

    /// Rows that the last statement touched.
    pub(super) fn touched_rows(&self) -> u64 {
        self.touched
    }

    /// The limit that holds for a step, and which step set it.
    fn limit(&self, step: usize) -> Option<(usize, WaitLimit)> {
        let at = last_before(&self.limits, step)?;
        match self.steps[at] {
            Step::LimitWaits(limit) => Some((at, limit)),
            _ => None,
        }
    }

    /// A transaction's budget begins with the first statement behind its limit; by itself, each has its own.
    fn begin_budget(&mut self, step: usize) {
        let Some((at, WaitLimit::Locks(_))) = self.limit(step) else { return };
        let border = last_before(&self.borders, step);
        let of = if border.is_some_and(|at| matches!(self.steps[at], Step::Begin)) { at } else { step };
        if self.budget.is_none_or(|(begun, _)| begun != of) {
            self.budget = Some((of, Instant::now()));
        }
    }

    /// Whether a step that has waited so long waited long enough.
    fn is_used_up(&self, step: usize, waited: Duration) -> bool {
        match self.limit(step) {
            Some((_, WaitLimit::Others(limit))) => !limit.is_zero() && waited >= limit,
            Some((_, WaitLimit::Locks(limit))) => {
                !limit.is_zero() && self.budget.is_some_and(|(_, began)| began.elapsed() >= limit)
            }
            _ => false,
        }
    }
}

fn last_before(places: &[usize], step: usize) -> Option<usize> {
    let before = places.partition_point(|&at| at < step);
    before.checked_sub(1).map(|last| places[last])
}

impl Watch for SegmentWatch<'_, '_> {
    fn starts(&mut self, step: usize) {
        self.started = Some((step, Instant::now()));
        let Some(Step::Execute(execute)) = self.steps.get(step) else { return };
        self.begin_budget(step);
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

    fn touched(&mut self, _: usize, rows: u64) {
        self.touched = rows;
    }

    fn should_stop(&self) -> bool {
        self.heeds_stop && self.stop.is_asked()
    }

    fn waits(&mut self, step: usize, holder: &Holder) -> Patience {
        let now = Instant::now();
        let wait = self.wait.get_or_insert(Wait { step, last: now, waited: Duration::ZERO });
        if wait.step != step {
            *wait = Wait { step, last: now, waited: Duration::ZERO };
        }
        let since_last = now - wait.last;
        wait.last = now;
        // Between two waits it works.
        wait.waited += if since_last < ONE_WAIT { since_last } else { Duration::ZERO };
        let waited = wait.waited;
        let execute = match self.steps.get(step) {
            Some(Step::Execute(execute)) => Some(execute),
            _ => None,
        };
        self.observer.event(Event::WaitsForOther { execute, holder, waited });
        if self.is_used_up(step, waited) { Patience::GiveUp } else { Patience::GoOn }
    }
}
