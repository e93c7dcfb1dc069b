//! A database in memory that fails on demand, for exhaustive tests of the loop.
//!
//! It keeps every promise that its capabilities name and no other: DDL commits implicitly or not, a
//! transaction vanishes with its session, a claim is unique, a fence holds. It is held against the
//! real databases by the scenarios of the suite.
//!
//! Statements are words, not SQL: one that begins with `fail` is refused; any other is an effect that
//! the database counts, so that running twice and not running at all both show. One with `WHERE n < 3` has
//! an effect three times, and from then on touches no row. A function of the program has two effects, one after
//! the other, which may be parted where it runs outside of a transaction.

use crate::driver::{
    Access, Capabilities, Cause, Contents, DatabaseError, Ddl, Driver, DriverError, Ending, Failure, Head,
    Holder, Inspection, Lock, Run, Surroundings, Watch,
};
use crate::history::{Attempt, FORMAT, History, Liveness, Remnant, Sight};
use crate::plan::{Claim, ResolveInto, Step};
use crate::sql::classify::{Effect, ObjectName, SessionUse, Transaction, classify};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The database says no; the session lives on.
    Refused,
    /// Another session holds what a step needs, for longer than it may wait; the session lives on.
    Busy,
    /// The database ends the step in another session's favour; the session lives on.
    GaveWay,
    /// The session dies before the call reaches the database.
    DiedBefore,
    /// The session dies while the database acts: a concurrent build leaves an index that is not valid, a
    /// function its first effect; what is done at once is not done.
    DiedWithin,
    /// The session dies after the database acted, before it could answer.
    DiedAfter,
}

/// Where a session's calls fail: call numbers from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The call.
    pub call: usize,
    /// How it fails.
    pub mode: Mode,
}

/// What is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Contained {
    history: Option<Vec<Attempt>>,
    effects: Vec<String>,
    format: u32,
    /// Concurrent builds that were cut off or refused: their indexes are not valid, and are in the way.
    remnants: Vec<String>,
    /// How watched objects looked when the note about them was written, by row.
    looks: BTreeMap<i64, Look>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    watched: Vec<ObjectName>,
    effects: Vec<String>,
    remnants: Vec<String>,
}

#[derive(Debug, Default)]
struct Shared {
    committed: Contained,
    lock: Option<usize>,
    sessions: Vec<bool>,
    clock: u64,
    next_id: i64,
}

/// A database that any number of sessions share.
#[derive(Clone, Debug, Default)]
pub struct SimDatabase(Arc<Mutex<Shared>>);

impl SimDatabase {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a session. Its calls fail where the faults say.
    pub fn connect(&self, capabilities: Capabilities, faults: Vec<Fault>) -> SimDriver {
        let mut shared = self.shared();
        shared.sessions.push(true);
        let session = shared.sessions.len() - 1;
        SimDriver {
            database: self.clone(),
            capabilities,
            faults,
            session,
            calls: 0,
            staged: None,
            touched: 0,
        }
    }

    /// The statements whose effect is durable, in order.
    pub fn effects(&self) -> Vec<String> {
        self.shared().committed.effects.clone()
    }

    /// The concurrent builds that left an index that is not valid.
    pub fn remnants(&self) -> Vec<String> {
        self.shared().committed.remnants.clone()
    }

    /// The history as it is.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared().committed.history.clone().unwrap_or_default()
    }

    /// Whether any session holds the lock.
    pub fn is_locked(&self) -> bool {
        self.shared().lock.is_some()
    }

    /// Puts an object there without windlass.
    pub fn plant(&self, effect: &str) {
        self.shared().committed.effects.push(effect.to_owned());
    }

    /// Takes back what a statement did, as a person may who looks into a doubt.
    pub fn take_back(&self, effect: &str) {
        self.shared().committed.effects.retain(|other| other != effect);
    }

    /// Changes the history by hand.
    pub fn tamper(&self, change: impl FnOnce(&mut Vec<Attempt>)) {
        change(self.shared().committed.history.get_or_insert_with(Vec::new));
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One session with a [`SimDatabase`].
#[derive(Debug)]
pub struct SimDriver {
    database: SimDatabase,
    capabilities: Capabilities,
    faults: Vec<Fault>,
    session: usize,
    calls: usize,
    staged: Option<Contained>,
    /// Rows that the last statement touched.
    touched: u64,
}

/// How one call ended inside the simulator.
enum Told {
    Refused,
    Busy,
    GaveWay,
    Lost,
}

impl SimDriver {
    /// Calls made so far: a run without faults tells how many there are to fail.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Whether a transaction is open.
    pub fn is_in_transaction(&self) -> bool {
        self.staged.is_some()
    }

    fn is_alive(&self) -> bool {
        self.database.shared().sessions[self.session]
    }

    /// Ends the session as a crash does: what is staged is gone, and the lock is free.
    fn die(&mut self) {
        self.staged = None;
        let mut shared = self.database.shared();
        shared.sessions[self.session] = false;
        if shared.lock == Some(self.session) {
            shared.lock = None;
        }
    }

    /// Counts the call, and lets it fail where it should, before or after `act`.
    fn call<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Result<T, Told> {
        if !self.is_alive() {
            return Err(Told::Lost);
        }
        let number = self.calls;
        self.calls += 1;
        match self.faults.iter().find(|fault| fault.call == number).map(|fault| fault.mode) {
            None => Ok(act(self)),
            Some(Mode::Refused) => Err(Told::Refused),
            Some(Mode::Busy) => Err(Told::Busy),
            Some(Mode::GaveWay) => Err(Told::GaveWay),
            Some(Mode::DiedBefore | Mode::DiedWithin) => {
                self.die();
                Err(Told::Lost)
            }
            Some(Mode::DiedAfter) => {
                act(self);
                self.die();
                Err(Told::Lost)
            }
        }
    }

    fn change<T>(&mut self, act: impl FnOnce(&mut Contained) -> T) -> T {
        match &mut self.staged {
            Some(staged) => act(staged),
            None => act(&mut self.database.shared().committed),
        }
    }

    fn tick(&self) -> String {
        let mut shared = self.database.shared();
        shared.clock += 1;
        format!("2026-01-01 00:00:00.{:06}", shared.clock)
    }

    fn act(&mut self, run: &Run, step: &Step<'_>) -> Result<(), Cause> {
        match step {
            Step::Begin => self.staged = Some(self.database.shared().committed.clone()),
            Step::Commit => {
                if let Some(staged) = self.staged.take() {
                    self.database.shared().committed = staged;
                }
            }
            Step::CreateHistory => self.change(|contained| {
                contained.history.get_or_insert_with(Vec::new);
                contained.format = FORMAT;
            }),
            Step::Execute(execute) if execute.migration.is_rust() => {
                self.change(|contained| {
                    contained.effects.extend([execute.sql, execute.sql].map(str::to_owned))
                });
            }
            Step::Execute(execute) => return self.execute(execute.sql),
            Step::LimitWaits(_) => {}
            Step::Clear { remnant, .. } => {
                self.change(|contained| contained.remnants.retain(|sql| *remnant != remnant_of(sql)));
            }
            Step::Claim(claims) => {
                for claim in claims {
                    self.claim(run, claim, None)?;
                    self.change(|contained| contained.keep_look(claim.name, &claim.watched));
                }
            }
            Step::RecordFailure { claim, error, digest } => {
                self.claim(run, claim, Some((error.clone(), digest.clone())))?;
            }
            _ => {
                self.update(run, step)?;
                if let Step::TakeOver { name, watched, .. } | Step::Checkpoint { name, watched, .. } = step {
                    self.change(|contained| contained.keep_look(name, watched));
                }
            }
        }
        Ok(())
    }

    fn execute(&mut self, sql: &str) -> Result<(), Cause> {
        if sql.starts_with("fail") {
            return Err(Cause::Refused(refusal("refused as asked")));
        }
        if self.change(|contained| contained.remnants.iter().any(|remnant| remnant == sql)) {
            return Err(Cause::Refused(refusal("it already exists")));
        }
        let facts = classify(self.capabilities.dialect, sql);
        let outside = matches!(facts.transaction, Transaction::Outside(_));
        if outside && self.staged.is_some() && self.capabilities.ddl == Ddl::Transactional {
            return Err(Cause::Refused(refusal("cannot run inside a transaction")));
        }
        // What is harmless to repeat leaves nothing to count.
        let is_counted = facts.session != SessionUse::Setting && !sql.starts_with("VACUUM");
        self.touched = self.change(|contained| {
            let done = contained.effects.iter().filter(|effect| *effect == sql).count();
            if !is_counted || rows_for(sql).is_some_and(|rows| done >= rows) {
                return 0;
            }
            contained.effects.push(sql.to_owned());
            1
        });
        let commits = self.capabilities.ddl == Ddl::ImplicitCommit && facts.effect == Effect::Schema;
        if commits && let Some(staged) = self.staged.take() {
            self.database.shared().committed = staged;
        }
        Ok(())
    }

    fn claim(&mut self, run: &Run, claim: &Claim<'_>, failed: Option<(String, String)>) -> Result<(), Cause> {
        let now = self.tick();
        let owner = format!("{}#{}", run.owner, self.session);
        let id = {
            let mut shared = self.database.shared();
            shared.next_id += 1;
            shared.next_id
        };
        let (error, digest) = failed.clone().unzip();
        let attempt = Attempt {
            id,
            kind: claim.kind,
            name: claim.name.to_owned(),
            checksums: claim.checksums.clone(),
            claimed: failed.is_none(),
            owner,
            owner_session: Liveness::Unknown,
            epoch: 1,
            statements: claim.statements,
            completed: 0,
            prefix: None,
            touched: 0,
            row_limit: None,
            in_flight: claim.in_flight,
            sight: Sight::Unknown,
            started_at: now.clone(),
            finished_at: None,
            rolled_back_at: failed.is_some().then_some(now),
            error,
            applied_by: run.applied_by.clone(),
            tool: run.tool.clone(),
            duration_ms: None,
            resolution: None,
            digest: digest.unwrap_or_default(),
        };
        self.change(|contained| {
            let Some(rows) = &mut contained.history else {
                return Err(Cause::Refused(refusal("no such table: the history")));
            };
            if claim.supersedes {
                rows.iter_mut().filter(|row| row.name == attempt.name).for_each(|row| row.claimed = false);
            }
            if attempt.claimed && rows.iter().any(|row| row.claimed && row.name == attempt.name) {
                return Err(Cause::ClaimTaken);
            }
            rows.push(attempt);
            Ok(())
        })
    }

    /// What the next call refuses or is cut off in leaves a part where it is not done at once: a concurrent
    /// build its index, a function its first effect. A transaction takes the part with it.
    fn leave_part(&mut self, step: &Step<'_>) {
        let cut_off = |fault: &Fault| {
            fault.call == self.calls && !matches!(fault.mode, Mode::DiedBefore | Mode::DiedAfter)
        };
        let Step::Execute(execute) = step else { return };
        if !self.is_alive() || !self.faults.iter().any(cut_off) {
            return;
        }
        let part = execute.sql.to_owned();
        if execute.sql.starts_with("CREATE INDEX CONCURRENTLY") {
            self.change(|contained| contained.remnants.push(part));
        } else if execute.migration.is_rust() {
            self.change(|contained| contained.effects.push(part));
        }
    }

    /// The steps that change a standing row, fenced by owner and epoch.
    fn update(&mut self, run: &Run, step: &Step<'_>) -> Result<(), Cause> {
        let now = self.tick();
        let mine = format!("{}#{}", run.owner, self.session);
        let touched = self.touched;
        self.change(|contained| {
            let rows = contained.history.get_or_insert_with(Vec::new);
            let fenced = |rows: &mut Vec<Attempt>,
                          name: &str,
                          owner: &str,
                          epoch: u32,
                          change: &mut dyn FnMut(&mut Attempt)| {
                let row = rows
                    .iter_mut()
                    .find(|r| r.claimed && r.name == name && r.owner == owner && r.epoch == epoch);
                row.map(change).ok_or(Cause::Fenced)
            };
            match step {
                Step::TakeOver {
                    name,
                    from_owner,
                    from_epoch,
                    checksums,
                    statements,
                    completed,
                    prefix,
                    in_flight,
                    ..
                } => fenced(rows, name, from_owner, *from_epoch, &mut |row| {
                    (row.owner, row.epoch) = (mine.clone(), from_epoch + 1);
                    (row.checksums, row.statements) = (checksums.clone(), *statements);
                    (row.in_flight, row.error) = (*in_flight, None);
                    row.begin_counting(*completed);
                    (row.completed, row.prefix) = (*completed, Some(prefix.clone()));
                }),
                Step::Hold { name, from_owner, from_epoch, checksums, statements, .. } => {
                    fenced(rows, name, from_owner, *from_epoch, &mut |row| {
                        (row.owner, row.epoch) = (mine.clone(), from_epoch + 1);
                        (row.checksums, row.statements) = (checksums.clone(), *statements);
                        row.error = None;
                    })
                }
                Step::Checkpoint { name, epoch, completed, prefix, in_flight, .. } => {
                    fenced(rows, name, &mine, *epoch, &mut |row| {
                        row.begin_counting(*completed);
                        (row.completed, row.in_flight, row.prefix) =
                            (*completed, *in_flight, Some(prefix.clone()));
                    })
                }
                Step::CountRows { name, epoch, row_limit } => fenced(rows, name, &mine, *epoch, &mut |row| {
                    (row.touched, row.row_limit) = (row.touched + touched, Some(*row_limit));
                }),
                Step::Record(records) => records.iter().try_for_each(|record| {
                    fenced(rows, record.name, &mine, record.epoch, &mut |row| {
                        row.begin_counting(record.completed);
                        (row.completed, row.in_flight) = (record.completed, None);
                        (row.finished_at, row.digest) = (Some(now.clone()), record.digest.clone());
                        row.resolution = record.decision.clone().or(row.resolution.take());
                    })
                }),
                Step::Fail { name, epoch, completed, prefix, in_flight, error, rolled_back } => {
                    fenced(rows, name, &mine, *epoch, &mut |row| {
                        (row.completed, row.in_flight) = (*completed, *in_flight);
                        (row.prefix, row.error) = (Some(prefix.clone()), Some(error.clone()));
                        if let Some(digest) = rolled_back {
                            (row.claimed, row.rolled_back_at) = (false, Some(now.clone()));
                            row.digest.clone_from(digest);
                        }
                    })
                }
                Step::Resolve(resolve) => resolve_row(rows, resolve, &now),
                _ => Ok(()),
            }
        })
    }
}

impl Attempt {
    /// Of the statement behind so many completed ones no row is touched yet, unless so many were completed before.
    fn begin_counting(&mut self, completed: u32) {
        if self.completed != completed {
            (self.touched, self.row_limit) = (0, None);
        }
    }
}

impl Contained {
    /// Keeps how the watched objects look now, with the note of what is in flight.
    fn keep_look(&mut self, name: &str, watched: &[ObjectName]) {
        let row = self.history.iter().flatten().find(|row| row.claimed && row.name == name);
        if let Some(id) = row.map(|row| row.id) {
            self.looks.insert(id, self.look(watched));
        }
    }

    fn look(&self, watched: &[ObjectName]) -> Look {
        let names =
            |effect: &str, object: &ObjectName| effect.split([' ', '(', ',']).any(|w| w == object.name);
        let about = |effect: &&String| watched.iter().any(|object| names(effect, object));
        let those = |texts: &[String]| texts.iter().filter(about).cloned().collect();
        let (effects, remnants) = (those(&self.effects), those(&self.remnants));
        Look { watched: watched.to_vec(), effects, remnants }
    }

    fn sight(&self, attempt: &Attempt) -> Sight {
        let Some(before) = self.looks.get(&attempt.id) else { return Sight::Unknown };
        if attempt.in_flight.is_none() || before.watched.is_empty() {
            return Sight::Unknown;
        }
        let now = self.look(&before.watched);
        match now.remnants.iter().find(|remnant| !before.remnants.contains(remnant)) {
            Some(sql) => Sight::Remnant(remnant_of(sql)),
            None if now == *before => Sight::Untouched,
            None => Sight::Changed,
        }
    }
}

/// How many rows a statement says that it finds, one with each run.
fn rows_for(sql: &str) -> Option<usize> {
    let (_, rows) = sql.split_once("WHERE n < ")?;
    rows.split(' ').next()?.parse().ok()
}

/// A build's index is told by the build.
fn remnant_of(sql: &str) -> Remnant {
    Remnant::InvalidIndex { schema: "public".to_owned(), index: sql.to_owned() }
}

fn resolve_row(rows: &mut [Attempt], resolve: &crate::plan::Resolve<'_>, now: &str) -> Result<(), Cause> {
    let as_read = |row: &&mut Attempt| {
        row.id == resolve.id && row.owner == resolve.from_owner && row.epoch == resolve.from_epoch
    };
    let row = rows.iter_mut().find(as_read).ok_or(Cause::Fenced)?;
    row.resolution = Some(resolve.resolution.clone());
    if !matches!(resolve.into, ResolveInto::ResumableOnceCleared) {
        row.in_flight = None;
    }
    match &resolve.into {
        ResolveInto::Applied => (row.finished_at, row.error) = (Some(now.to_owned()), None),
        ResolveInto::RolledBack => (row.rolled_back_at, row.claimed) = (Some(now.to_owned()), false),
        ResolveInto::Resumable | ResolveInto::ResumableOnceCleared => {
            (row.owner, row.error, row.row_limit) = (String::new(), None, None);
        }
        ResolveInto::ResumableAfter { completed, prefix } => {
            (row.owner, row.error) = (String::new(), None);
            (row.completed, row.prefix) = (*completed, Some(prefix.clone()));
        }
        ResolveInto::Accepted { name, checksums } => {
            (row.name, row.checksums) = ((*name).to_owned(), checksums.clone());
        }
    }
    row.digest.clone_from(&resolve.digest);
    if let Some(newest) = rows.iter_mut().find(|row| row.id == resolve.newest) {
        newest.digest.clone_from(&resolve.digest);
    }
    Ok(())
}

fn refusal(message: &str) -> DatabaseError {
    DatabaseError { message: message.to_owned(), ..DatabaseError::default() }
}

fn told(told: Told) -> DriverError {
    match told {
        Told::Refused | Told::Busy | Told::GaveWay => DriverError::Refused(refusal("refused on demand")),
        Told::Lost => DriverError::Lost("the simulated session died".to_owned()),
    }
}

fn cause(told: Told) -> Cause {
    match told {
        Told::Refused => Cause::Refused(refusal("refused on demand")),
        Told::Busy => Cause::Busy(Holder { session: Some("7".to_owned()), ..Holder::default() }),
        Told::GaveWay => Cause::GaveWay(refusal("deadlock on demand")),
        Told::Lost => Cause::Lost("the simulated session died".to_owned()),
    }
}

fn holder(session: usize) -> Holder {
    Holder { session: Some(session.to_string()), ..Holder::default() }
}

#[async_trait]
impl Driver for SimDriver {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        let head = |driver: &mut Self| {
            let shared = driver.database.shared();
            let newest = shared.committed.history.as_ref().and_then(|rows| rows.last());
            newest.map_or(Head::None, |row| Head::Newest { format: FORMAT, digest: row.digest.clone() })
        };
        self.call(head).map_err(told)
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        let inspect = |driver: &mut Self| {
            let shared = driver.database.shared();
            let mut attempts = shared.committed.history.clone().unwrap_or_default();
            for attempt in &mut attempts {
                let session = attempt.owner.rsplit_once('#').and_then(|(_, id)| id.parse::<usize>().ok());
                attempt.sight = shared.committed.sight(attempt);
                attempt.owner_session = match session.and_then(|id| shared.sessions.get(id)) {
                    Some(true) => Liveness::Alive,
                    Some(false) => Liveness::Gone,
                    None => Liveness::Unknown,
                };
            }
            let contents = match shared.committed.effects.as_slice() {
                [] => Contents::Empty,
                effects => Contents::Holds(effects.iter().take(5).cloned().collect()),
            };
            let history = History { exists: shared.committed.history.is_some(), attempts };
            Inspection { history, contents, access: Access::Writable, surroundings: Surroundings::default() }
        };
        self.call(inspect).map_err(told)
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        for (index, step) in steps.iter().enumerate() {
            if matches!(step, Step::Execute(_)) && watch.should_stop() {
                self.staged = None;
                return Err(Failure { step: index, cause: Cause::Stopped });
            }
            watch.starts(index);
            self.leave_part(step);
            let cause = match self.call(|driver| driver.act(run, step)) {
                Ok(Ok(())) => {
                    if matches!(step, Step::Execute(_)) {
                        watch.touched(index, self.touched);
                    }
                    watch.ends(index);
                    continue;
                }
                Ok(Err(cause)) => cause,
                Err(told) => cause(told),
            };
            self.staged = None;
            return Err(Failure { step: index, cause });
        }
        Ok(())
    }

    /// Every table has ten rows.
    async fn count_rows(&mut self, _: &[ObjectName]) -> Result<u64, Cause> {
        self.call(|_| 10).map_err(cause)
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        let try_lock = |driver: &mut Self| {
            let session = driver.session;
            let mut shared = driver.database.shared();
            match shared.lock {
                Some(number) if number != session => Lock::Held(holder(number)),
                _ => {
                    shared.lock = Some(session);
                    Lock::Acquired
                }
            }
        };
        self.call(try_lock).map_err(told)
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        let unlock = |driver: &mut Self| {
            let session = driver.session;
            let mut shared = driver.database.shared();
            if shared.lock == Some(session) {
                shared.lock = None;
            }
        };
        self.call(unlock).map_err(told)
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        let look = |driver: &mut Self| driver.database.shared().lock.map(holder);
        self.call(look).map_err(told)
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        let end = |driver: &mut Self| {
            let own = driver.session;
            let mut shared = driver.database.shared();
            match shared.lock {
                Some(number) if number != own && number.to_string() == session => {
                    shared.sessions[number] = false;
                    shared.lock = None;
                    Ending::Asked
                }
                _ => Ending::HoldsNothing,
            }
        };
        self.call(end).map_err(told)
    }

    async fn sleep(&mut self, _: Duration) {}

    fn has_function(&self, _: &str) -> bool {
        true
    }
}

impl Drop for SimDriver {
    /// A session ends with its client.
    fn drop(&mut self) {
        self.die();
    }
}
