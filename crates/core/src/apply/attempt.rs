//! The run of one plan: segment by segment, knowing at every moment what stands.

use super::contention::Tries;
use super::failure::{FailedStatement, Stands, holder_told, is_out_of_time, is_read_only, told};
use super::progress::{Event, Observer, SegmentWatch};
use super::{Applied, DeployError, DeployOptions, Stop};
use crate::driver::{
    Capabilities, Cause, DatabaseError, Driver, DriverError, Failure, Holder, Inspection, NoWatch, Run,
};
use crate::history::InFlight;
use crate::plan::{
    Claim, Execute, Plan, Segment, Standing, Step, WaitLimit, adds_enum_value, is_never_begun,
    locks_come_first, refusal_leaves_nothing, refusal_leaves_remnant, waits_before_it_works,
};
use std::time::{Duration, Instant};

/// PostgreSQL: unsafe_new_enum_value_usage.
const UNSAFE_NEW_ENUM_VALUE: &str = "55P04";

/// How the run of a plan ended, short of an error.
pub(super) enum Ended {
    Done,
    /// These shared a transaction that failed: each is to run by itself.
    Apart(Vec<String>),
    /// This one used a new enum value before its commit: it is to be cut behind the value.
    EnumValueUsed(String),
    /// Another run holds this migration's claim.
    MetAnother(String),
    Stopped {
        part_way: Option<String>,
    },
}

/// An attempt whose claim is committed while its migration is not applied yet.
#[derive(Clone)]
pub(super) struct Live {
    name: String,
    epoch: u32,
    completed: u32,
    prefix: String,
    /// When this run began or took it over.
    began: Instant,
    /// Rows that the repeated statement behind the completed ones has touched.
    pub(super) touched: u64,
}

pub(super) struct Runner<'r> {
    capabilities: &'r Capabilities,
    pub(super) options: &'r DeployOptions,
    pub(super) run: &'r Run,
    pub(super) observer: &'r mut dyn Observer,
    pub(super) stop: &'r Stop,
    /// The standing digest as of the last commit.
    digest: String,
    pub(super) live: Option<Live>,
    history_exists: bool,
    pub(super) applied: Vec<Applied>,
}

impl<'r> Runner<'r> {
    pub(super) fn new(
        inspection: &'r Inspection,
        capabilities: &'r Capabilities,
        options: &'r DeployOptions,
        observer: &'r mut dyn Observer,
        stop: &'r Stop,
    ) -> Self {
        let run = &options.run;
        let digest = Standing::of(&inspection.history.attempts).digest();
        let history_exists = inspection.history.exists;
        let applied = Vec::new();
        Self { capabilities, options, run, observer, stop, digest, live: None, history_exists, applied }
    }

    /// How many statements of the migration under way are done; `None` where none is under way.
    pub(super) fn completed(&self) -> Option<u32> {
        self.live.as_ref().map(|live| live.completed)
    }

    pub(super) async fn run(
        &mut self,
        driver: &mut dyn Driver,
        plan: &Plan<'_>,
    ) -> Result<Ended, DeployError> {
        for segment in &plan.segments {
            if let [Step::KeepSchema { .. }] = segment.steps.as_slice() {
                // All is applied by now: whatever becomes of this is no reason to stop, or to call the deploy failed.
                let _ = driver.perform(self.run, &segment.steps, &mut NoWatch).await;
                continue;
            }
            if self.stop.is_asked() {
                return self.stopped(driver).await;
            }
            if let [Step::Repeat(repeat)] = segment.steps.as_slice() {
                match self.repeat(driver, repeat).await? {
                    Ended::Done => continue,
                    ended => return Ok(ended),
                }
            }
            if let Performed::Not(ended) = self.segment(driver, segment).await? {
                return Ok(ended);
            }
        }
        Ok(Ended::Done)
    }

    /// Performs a segment, again and again while others hold what it needs.
    pub(super) async fn segment(
        &mut self,
        driver: &mut dyn Driver,
        segment: &Segment<'_>,
    ) -> Result<Performed, DeployError> {
        let mut tries = Tries::new(self.options, limit_before(&segment.steps));
        let mut rest: Option<Segment<'_>> = None;
        loop {
            let now = rest.as_ref().unwrap_or(segment);
            let began = Instant::now();
            let (observer, stop) = (&mut *self.observer, self.stop);
            let mut watch = SegmentWatch::new(&now.steps, observer, stop, rest.is_none() || begins_anew(now));
            let result = driver.perform(self.run, &now.steps, &mut watch).await;
            let touched = watch.touched_rows();
            let (timeline, started) = watch.into_times();
            match result.map_err(|failure| self.others_first(now, failure)) {
                Ok(()) => {
                    self.note(&now.steps, began, &timeline);
                    return Ok(Performed::Whole { touched });
                }
                Err(Failure { step, cause: Cause::Busy(holder) }) => {
                    let took = started.filter(|(at, _)| *at == step).map_or(began, |(_, at)| at).elapsed();
                    match self.contended(driver, now, (step, holder), took, began, &mut tries).await? {
                        Again::Whole => {}
                        Again::From(left) => rest = Some(left),
                        Again::Not(ended) => return Ok(Performed::Not(ended)),
                    }
                }
                Err(failure) => return self.failed(driver, now, failure, began).await.map(Performed::Not),
            }
        }
    }

    /// A step that gave way to another session did not get what it needs, no more than one that waited in vain;
    /// unless it may have done something that no rollback took back: then it failed, in the database's words.
    pub(super) fn others_first(&self, segment: &Segment<'_>, failure: Failure) -> Failure {
        let Failure { step, cause: Cause::GaveWay(error) } = failure else { return failure };
        let did_nothing = |execute: &Execute<'_>| {
            !in_a_unit(segment, step) && waits_before_it_works(self.capabilities, execute)
                || refusal_leaves_remnant(self.capabilities, execute)
        };
        let cause = match segment.steps.get(step) {
            Some(Step::Execute(execute)) if !is_rolled_back(segment, step) && !did_nothing(execute) => {
                Cause::Refused(error)
            }
            _ => {
                let is_late = error.code.as_deref().is_some_and(is_out_of_time);
                let what = if is_late {
                    "a time limit of its own session"
                } else {
                    "a session that had to come first"
                };
                let who = Some(format!("{what}: {error}"));
                Cause::Busy(Holder { who, ..Holder::default() })
            }
        };
        Failure { step, cause }
    }

    /// Others held what a step needs: what to do next, after a pause.
    pub(super) async fn contended<'m>(
        &mut self,
        driver: &mut dyn Driver,
        segment: &Segment<'m>,
        (step, holder): (usize, Holder),
        took: Duration,
        began: Instant,
        tries: &mut Tries,
    ) -> Result<Again<'m>, DeployError> {
        let rolled_back = is_rolled_back(segment, step);
        if !rolled_back {
            self.note(&segment.steps[..step], began, &[]);
        }
        let execute = match segment.steps.get(step) {
            Some(Step::Execute(execute)) => Some(execute),
            _ => None,
        };
        let clears = matches!(segment.steps.get(step), Some(Step::Clear { .. }));
        let works_concurrently =
            !rolled_back && execute.is_some_and(|execute| refusal_leaves_remnant(self.capabilities, execute));
        if clears || works_concurrently {
            // It waited as long as it was asked to. What it left is cleared away by the next deploy.
            let mut contention = tries.fail(subject(segment, step), execute, holder);
            contention.of_tries = contention.tries;
            contention.limit = limit_before(&segment.steps[..step]);
            return Err(DeployError::Contended(Box::new(contention)));
        }
        if let (Some(execute), false) = (execute, rolled_back)
            && let Some(error) = self.is_no_more_than_a_wait(segment, step, execute, took, &holder)
        {
            let ended = self.refused(driver, segment, step, error, rolled_back).await;
            let _ = driver.perform(self.run, &[Step::RestoreSettings], &mut NoWatch).await;
            return ended.map(Again::Not);
        }
        let told = execute.or_else(|| last_execute(segment, step)).or_else(|| first_execute(segment));
        let contention = tries.fail(subject(segment, step), told, holder);
        let nothing_done = rolled_back || execute.is_some();
        if tries.are_used_up() {
            if nothing_done {
                // Nothing is in flight: the attempt goes on with the next deploy.
                let _ = self.stopped(driver).await;
            }
            let _ = driver.perform(self.run, &[Step::RestoreSettings], &mut NoWatch).await;
            return Err(DeployError::Contended(Box::new(contention)));
        }
        let pause = tries.pause();
        self.observer.event(Event::Contended { contention: &contention, pause });
        if pauses(driver, self.stop, pause).await && nothing_done {
            return self.stopped(driver).await.map(Again::Not);
        }
        Ok(if rolled_back { Again::Whole } else { Again::From(rest_of(segment, step)) })
    }

    /// Why a statement outside any transaction is not simply tried again.
    fn is_no_more_than_a_wait(
        &self,
        segment: &Segment<'_>,
        step: usize,
        execute: &Execute<'_>,
        took: Duration,
        holder: &Holder,
    ) -> Option<DatabaseError> {
        let error = |message: String| {
            let held = holder_told(holder);
            let hint = Some(format!(
                "end what is in its way, or let it wait longer (`-- windlass: lock-timeout 60s` at the head of {}), \
                 and deploy again",
                execute.migration.up().origin()
            ));
            let message = format!("{message}; it waited for {held}");
            Some(DatabaseError { message, hint, ..DatabaseError::default() })
        };
        let limit = match limit_before(&segment.steps[..step]) {
            Some(WaitLimit::Locks(limit)) => limit.max(Duration::from_secs(1)),
            _ => Duration::MAX,
        };
        let is_long = took > limit.saturating_mul(2).saturating_add(Duration::from_secs(1));
        if is_long && !locks_come_first(execute) {
            let seconds = took.as_secs();
            return error(format!(
                "the locks that it needs at its end were held by others, after {seconds} s of work that is lost"
            ));
        }
        if in_a_unit(segment, step) || !waits_before_it_works(self.capabilities, execute) {
            return error("the locks that it needs were held by others".to_owned());
        }
        None
    }

    /// Keeps in mind what committed steps made true.
    fn note(&mut self, steps: &[Step<'_>], began: Instant, timeline: &[(&str, Instant)]) {
        let earlier = self.live.as_ref().map(|live| live.began);
        for step in steps {
            match step {
                Step::CreateHistory => self.history_exists = true,
                Step::Claim(claims) => {
                    self.live = claims.last().map(|claim| Live {
                        name: claim.name.to_owned(),
                        epoch: 1,
                        completed: 0,
                        prefix: String::new(),
                        began,
                        touched: 0,
                    });
                }
                Step::TakeOver { name, from_epoch, completed, prefix, .. }
                | Step::Hold { name, from_epoch, completed, prefix, .. } => {
                    self.live = Some(Live {
                        name: (*name).to_owned(),
                        epoch: from_epoch + 1,
                        completed: *completed,
                        prefix: prefix.clone(),
                        began,
                        touched: 0,
                    });
                }
                Step::Checkpoint { completed, prefix, .. } => {
                    if let Some(live) = &mut self.live {
                        live.touched = if live.completed == *completed { live.touched } else { 0 };
                        (live.completed, live.prefix) = (*completed, prefix.clone());
                    }
                }
                Step::Record(records) => {
                    self.live = None;
                    for record in records {
                        self.digest.clone_from(&record.digest);
                        match earlier {
                            Some(began) => self.recorded(record.name, record.completed, began, &[]),
                            None => self.recorded(record.name, record.completed, began, timeline),
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn recorded(&mut self, name: &str, statements: u32, began: Instant, timeline: &[(&str, Instant)]) {
        let at = timeline.iter().position(|(seen, _)| *seen == name);
        let start = at.map_or(began, |at| timeline[at].1);
        let end = at.and_then(|at| timeline.get(at + 1)).map_or_else(Instant::now, |(_, next)| *next);
        let elapsed = end.saturating_duration_since(start);
        self.observer.event(Event::Applied { name, elapsed });
        self.applied.push(Applied { name: name.to_owned(), statements, elapsed });
    }

    pub(super) async fn failed(
        &mut self,
        driver: &mut dyn Driver,
        segment: &Segment<'_>,
        failure: Failure,
        began: Instant,
    ) -> Result<Ended, DeployError> {
        let Failure { step, cause } = failure;
        let failed_step = segment.steps.get(step);
        let rolled_back = is_rolled_back(segment, step);
        if !rolled_back {
            self.note(&segment.steps[..step.min(segment.steps.len())], began, &[]);
        }
        let error = match cause {
            Cause::Lost(message) => {
                let during = failed_step.map(Step::to_string).unwrap_or_default();
                return Err(DeployError::Lost { during, message });
            }
            Cause::Fenced => return self.fenced(driver, segment, step, rolled_back).await,
            Cause::ClaimTaken => return Ok(Ended::MetAnother(subject(segment, step))),
            Cause::Stopped => return self.stopped(driver).await,
            cause @ (Cause::ForeignKeys(_) | Cause::Busy(_)) => {
                DatabaseError { message: told(&cause), ..DatabaseError::default() }
            }
            Cause::Refused(error) | Cause::GaveWay(error) => error,
        };
        let result = self.refused(driver, segment, step, error, rolled_back).await;
        // A failed migration's settings are no more the next one's than an applied one's.
        let _ = driver.perform(self.run, &[Step::RestoreSettings], &mut NoWatch).await;
        result
    }

    /// The row of an attempt is not as this run left it: another has it now, or the migration itself has changed it.
    async fn fenced(
        &mut self,
        driver: &mut dyn Driver,
        segment: &Segment<'_>,
        step: usize,
        rolled_back: bool,
    ) -> Result<Ended, DeployError> {
        let name = subject(segment, step);
        if let (Some(claims), true) = (claims_before(segment, step), rolled_back) {
            // Nobody else saw that row.
            if claims.len() > 1 {
                let names: Vec<_> = claims.iter().map(|claim| claim.name.to_owned()).collect();
                self.observer.event(Event::Apart { names: &names });
                return Ok(Ended::Apart(names));
            }
            return Err(DeployError::HistoryChanged { name, rolled_back });
        }
        let attempts = driver.inspect().await?.history.attempts;
        let stands = attempts.iter().any(|attempt| attempt.claimed && attempt.name == name);
        Err(if stands {
            DeployError::TakenOver { name }
        } else {
            DeployError::HistoryChanged { name, rolled_back }
        })
    }

    async fn refused(
        &mut self,
        driver: &mut dyn Driver,
        segment: &Segment<'_>,
        step: usize,
        error: DatabaseError,
        rolled_back: bool,
    ) -> Result<Ended, DeployError> {
        let claims = claims_before(segment, step);
        let execute = last_execute(segment, step);
        if let (Some(claims), true) = (claims, rolled_back)
            && claims.len() > 1
        {
            let names = apart(claims, &segment.steps[step], execute);
            self.observer.event(Event::Apart { names: &names });
            return Ok(Ended::Apart(names));
        }
        if let Some(name) = self.uses_enum_value(segment, step, &error).filter(|_| rolled_back) {
            self.observer.event(Event::EnumValueUsed { name: &name });
            return Ok(Ended::EnumValueUsed(name));
        }
        let is_script_s =
            matches!(segment.steps.get(step), Some(Step::Execute(_) | Step::CheckForeignKeys | Step::Commit));
        // What a transaction could claim, and then not record, it has been kept from by what ran in between.
        let keeps_out = !is_script_s && rolled_back && error.code.as_deref().is_some_and(is_read_only);
        let Some(execute) = execute.filter(|_| is_script_s || keeps_out) else {
            return Err(DeployError::Driver(DriverError::Refused(of_our_own(
                segment.steps.get(step),
                error,
            ))));
        };
        let stands = match (&self.live, rolled_back) {
            (None, _) => Stands::Nothing,
            (Some(live), true) if live.completed == 0 && live.touched == 0 => Stands::Nothing,
            (Some(live), true) => Stands::Part { completed: live.completed },
            (Some(live), false) => {
                outside(live.completed, segment, step, (execute, &error), self.capabilities)
            }
        };
        let mut failed = FailedStatement::new(execute, error, stands);
        failed.touched = self.live.as_ref().map_or(0, |live| live.touched);
        if keeps_out || matches!(segment.steps.get(step), Some(Step::Commit)) {
            failed.commit_of = claimed_in(segment, execute);
        }
        let words = match keeps_out {
            true => format!("its record ({}): {}", failed.place.file, failed.error),
            false => words(&failed, execute),
        };
        let live = self.live.clone();
        let mut steps = Vec::new();
        match (&live, claims) {
            (Some(live), _) => {
                // What leaves something when it is refused stays noted, and with it how all looked before.
                let remnant = !rolled_back && refusal_leaves_remnant(self.capabilities, execute);
                let noted = remnant || matches!(stands, Stands::PartOfUnit { .. });
                let in_flight = unit(segment, step).filter(|_| noted);
                steps.push(fail(live, &self.digest, stands, in_flight, words));
            }
            (None, Some([claim])) => {
                if !self.history_exists {
                    steps.push(Step::CreateHistory);
                }
                let claim = Claim { in_flight: None, watched: Vec::new(), ..claim.clone() };
                steps.push(Step::RecordFailure { claim, error: words, digest: self.digest.clone() });
            }
            _ => {}
        }
        failed.recorded = driver.perform(self.run, &steps, &mut NoWatch).await.is_ok();
        Err(match keeps_out {
            true => DeployError::ReadOnly(Box::new(failed)),
            false => DeployError::Statement(Box::new(failed)),
        })
    }

    /// The migration, where what was refused can be had by a cut that was not made yet.
    fn uses_enum_value(&self, segment: &Segment<'_>, step: usize, error: &DatabaseError) -> Option<String> {
        let is_refused = error.code.as_deref().is_some_and(|code| code.contains(UNSAFE_NEW_ENUM_VALUE));
        let name = subject(segment, step);
        let adds = |step: &Step<'_>| match step {
            Step::Execute(execute) => adds_enum_value(self.capabilities.dialect, execute),
            _ => false,
        };
        (is_refused
            && segment.steps[..step].iter().any(adds)
            && !self.options.plan.single_transaction
            && !self.options.plan.enum_values_at_once.contains(&name))
        .then_some(name)
    }

    /// Ends the run at a moment when nothing is in flight, and says so in the history.
    pub(super) async fn stopped(&mut self, driver: &mut dyn Driver) -> Result<Ended, DeployError> {
        let Some(live) = self.live.clone() else { return Ok(Ended::Stopped { part_way: None }) };
        let Live { name, epoch, completed, prefix, .. } = live;
        let checkpoint =
            Step::Checkpoint { name: &name, epoch, completed, prefix, in_flight: None, watched: Vec::new() };
        let written = driver.perform(self.run, &[checkpoint], &mut NoWatch).await;
        if let Err(failure) = written {
            return Err(DeployError::Lost { during: "checkpoint".to_owned(), message: told(&failure.cause) });
        }
        // Nothing follows in this session.
        let _ = driver.perform(self.run, &[Step::RestoreSettings], &mut NoWatch).await;
        Ok(Ended::Stopped { part_way: Some(name.clone()) })
    }
}

/// Lets time pass; whether it was asked to stop meanwhile.
pub(super) async fn pauses(driver: &mut dyn Driver, stop: &Stop, pause: Duration) -> bool {
    let mut left = pause;
    while !left.is_zero() && !stop.is_asked() {
        let slice = left.min(Duration::from_millis(100));
        driver.sleep(slice).await;
        left -= slice;
    }
    stop.is_asked()
}

/// How the performance of a segment ended, short of an error.
pub(super) enum Performed {
    /// All of it is done.
    Whole {
        /// Rows that its last statement touched.
        touched: u64,
    },
    Not(Ended),
}

/// What to do after others held what a segment needs.
pub(super) enum Again<'m> {
    /// All of it once more.
    Whole,
    /// Go on with this part of it.
    From(Segment<'m>),
    /// Nothing.
    Not(Ended),
}

/// The last claims up to a step.
fn claims_before<'s, 'm>(segment: &'s Segment<'m>, step: usize) -> Option<&'s [Claim<'m>]> {
    segment.steps[..=step.min(segment.steps.len() - 1)].iter().rev().find_map(|step| match step {
        Step::Claim(claims) => Some(claims.as_slice()),
        _ => None,
    })
}

/// The migrations that a segment claims, or goes on with: whose transaction it is.
fn claimed_in(segment: &Segment<'_>, execute: &Execute<'_>) -> Vec<String> {
    let claims = segment.steps.iter().filter_map(|step| match step {
        Step::Claim(claims) => Some(claims.iter().map(|claim| claim.name.to_owned())),
        _ => None,
    });
    let names: Vec<_> = claims.flatten().collect();
    if names.is_empty() { vec![execute.migration.name().to_owned()] } else { names }
}

/// Outside a transaction, and after its commit, the steps before a failed one stand.
fn is_rolled_back(segment: &Segment<'_>, step: usize) -> bool {
    let commit = segment.steps.iter().position(|s| matches!(s, Step::Commit));
    segment.is_transaction() && commit.is_some_and(|commit| step <= commit)
}

/// Whether a statement follows on another with no checkpoint between them.
fn in_a_unit(segment: &Segment<'_>, step: usize) -> bool {
    step > 0 && matches!(segment.steps[step - 1], Step::Execute(_))
}

/// The last limit that steps set.
fn limit_before(steps: &[Step<'_>]) -> Option<WaitLimit> {
    steps.iter().rev().find_map(|step| match step {
        Step::LimitWaits(limit) => Some(*limit),
        _ => None,
    })
}

/// From this step on, waiting as before.
fn rest_of<'m>(segment: &Segment<'m>, step: usize) -> Segment<'m> {
    let limit = limit_before(&segment.steps[..step]).map(Step::LimitWaits);
    Segment { steps: limit.into_iter().chain(segment.steps[step..].iter().cloned()).collect() }
}

/// Whether the rest of a segment begins with a statement: all before it is written down.
fn begins_anew(rest: &Segment<'_>) -> bool {
    let first = rest.steps.iter().find(|step| !matches!(step, Step::LimitWaits(_)));
    matches!(first, Some(Step::Execute(_)))
}

fn first_execute<'s, 'm>(segment: &'s Segment<'m>) -> Option<&'s Execute<'m>> {
    segment.steps.iter().find_map(|step| match step {
        Step::Execute(execute) => Some(execute),
        _ => None,
    })
}

/// The migration that a segment's step is about.
fn subject(segment: &Segment<'_>, step: usize) -> String {
    let about = |step: &Step<'_>| match step {
        Step::Execute(execute) => Some(execute.migration.name().to_owned()),
        Step::Checkpoint { name, .. } | Step::TakeOver { name, .. } | Step::Hold { name, .. } => {
            Some((*name).to_owned())
        }
        Step::Claim(claims) => claims.first().map(|claim| claim.name.to_owned()),
        Step::Record(records) => records.first().map(|record| record.name.to_owned()),
        _ => None,
    };
    let near = segment.steps[..=step.min(segment.steps.len() - 1)].iter().rev().find_map(about);
    near.or_else(|| segment.steps.iter().find_map(about)).unwrap_or_default()
}

/// The failed statement; where the commit or a check was refused, the last one before it.
fn last_execute<'s, 'm>(segment: &'s Segment<'m>, step: usize) -> Option<&'s Execute<'m>> {
    segment.steps[..=step.min(segment.steps.len() - 1)].iter().rev().find_map(|step| match step {
        Step::Execute(execute) => Some(execute),
        _ => None,
    })
}

/// Which migrations of a failed group to run by themselves: the one that failed, or all when that cannot be told.
fn apart(claims: &[Claim<'_>], step: &Step<'_>, execute: Option<&Execute<'_>>) -> Vec<String> {
    match (step, execute) {
        (Step::Execute(_), Some(execute)) => vec![execute.migration.name().to_owned()],
        _ => claims.iter().map(|claim| claim.name.to_owned()).collect(),
    }
}

/// What stands after a refusal outside any transaction.
fn outside(
    completed: u32,
    segment: &Segment<'_>,
    step: usize,
    (execute, error): (&Execute<'_>, &DatabaseError),
    capabilities: &Capabilities,
) -> Stands {
    let since_checkpoint =
        segment.steps[..step].iter().rev().take_while(|s| matches!(s, Step::Execute(_))).count();
    let nothing =
        refusal_leaves_nothing(capabilities, execute) || is_never_begun(capabilities, execute, error);
    if since_checkpoint > 0 || !nothing {
        Stands::PartOfUnit { completed }
    } else if completed == 0 {
        Stands::Nothing
    } else {
        Stands::Part { completed }
    }
}

/// A refusal of a write of windlass's own says whose it was: no script holds that statement.
fn of_our_own(step: Option<&Step<'_>>, error: DatabaseError) -> DatabaseError {
    let writes = |step: &&Step<'_>| {
        !matches!(
            step,
            Step::Begin
                | Step::Commit
                | Step::Execute(_)
                | Step::Clear { .. }
                | Step::LimitWaits(_)
                | Step::RestoreSettings
                | Step::RewindSettings
                | Step::SuspendForeignKeys
                | Step::EnforceForeignKeys
                | Step::CheckForeignKeys
        )
    };
    match step.filter(writes) {
        Some(step) => {
            let step = step.to_string();
            let what = step.lines().next().unwrap_or_default();
            let message = format!("windlass could not write its own history (`{what}`): {}", error.message);
            DatabaseError { message, ..error }
        }
        None => error,
    }
}

/// The statements sent between two checkpoints, around the step that failed.
fn unit(segment: &Segment<'_>, step: usize) -> Option<InFlight> {
    let number = |step: &Step<'_>| match step {
        Step::Execute(execute) => Some(execute.number),
        _ => None,
    };
    let before = segment.steps[..step].iter().rev().map_while(number).last();
    let last = segment.steps[step..].iter().map_while(number).last()?;
    Some(InFlight { first: before.unwrap_or(number(&segment.steps[step])?), last })
}

fn fail<'l>(
    live: &'l Live,
    digest: &str,
    stands: Stands,
    in_flight: Option<InFlight>,
    error: String,
) -> Step<'l> {
    Step::Fail {
        name: &live.name,
        epoch: live.epoch,
        completed: live.completed,
        prefix: live.prefix.clone(),
        in_flight,
        error,
        rolled_back: (stands == Stands::Nothing).then(|| digest.to_owned()),
    }
}

/// The line that the history keeps.
fn words(failed: &FailedStatement, execute: &Execute<'_>) -> String {
    let place = failed.offending_place();
    match failed.commit_of.len() {
        0 => format!("statement {}/{} at {place}: {}", execute.number, execute.of, failed.error),
        1 => format!("{} ({}): {}", failed.part(), failed.place.file, failed.error),
        _ => format!("{}: {}", failed.part(), failed.error),
    }
}
