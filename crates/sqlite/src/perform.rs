//! Performing: the steps of one segment, in order, on one connection.

use crate::error::{cause, database_error, extended_code, is_busy, own_words, primary_code, secret_error};
use crate::foreign_keys::Dangling;
use crate::functions::RustMigrations;
use crate::history::{HistoryTable, NOW};
use crate::introspect;
use crate::lock::Session;
use crate::settings::{Settings, sets_hard_heap_limit, tell_last_row};
use rusqlite::{Connection, Error, ToSql, ffi, params};
use windlass_core::driver::{Cause, DriverError, Failure, Run, Watch};
use windlass_core::history::{InFlight, signed};
use windlass_core::plan::{Claim, Execute, Record, Resolve, ResolveInto, Step, WaitLimit};

/// Runs one statement through all its rows.
pub(crate) fn run_to_end(connection: &Connection, sql: &str) -> Result<(), Error> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}

/// One segment under way.
pub(crate) struct Performance<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) table: &'a HistoryTable,
    pub(crate) run: &'a Run,
    pub(crate) session: &'a Session,
    pub(crate) settings: &'a mut Settings,
    pub(crate) functions: &'a RustMigrations,
}

impl Performance<'_> {
    /// Does the steps. After a failure no transaction is open, and the settings are the pinned ones.
    pub(crate) fn perform(&mut self, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        if !self.connection.is_autocommit() {
            return Err(Failure { step: 0, cause: DriverError::InTransaction.into() });
        }
        self.settings.pin(self.connection).map_err(|error| Failure { step: 0, cause: cause(error) })?;
        let mut segment = Segment::of(steps);
        for (index, step) in steps.iter().enumerate() {
            if matches!(step, Step::Execute(_)) && watch.should_stop() {
                return Err(self.undo(index, Cause::Stopped));
            }
            watch.starts(index);
            if let Err(cause) = self.step(step, &mut segment) {
                return Err(self.undo(index, cause));
            }
            if matches!(step, Step::Execute(_)) {
                watch.touched(index, self.connection.changes());
            }
            watch.ends(index);
        }
        Ok(())
    }

    fn undo(&mut self, step: usize, cause: Cause) -> Failure {
        // Some errors have rolled back already, and a ROLLBACK fails only where there is nothing left to roll back.
        if !self.connection.is_autocommit() {
            let _ = run_to_end(self.connection, "ROLLBACK");
        }
        // What others hold is waited for anew: the migration goes on with what it has set.
        if !matches!(cause, Cause::Busy(_)) {
            let _ = self.settings.restore(self.connection);
        }
        Failure { step, cause }
    }

    fn step(&mut self, step: &Step<'_>, segment: &mut Segment) -> Result<(), Cause> {
        match step {
            Step::Begin => self.freely(|performance| performance.begin(segment)),
            Step::Commit => self.commit(),
            Step::Execute(execute) => self.execute(execute, segment),
            Step::RestoreSettings => self.settings.restore(self.connection).map_err(cause),
            Step::LimitWaits(limit) => self.limit_waits(*limit),
            Step::SuspendForeignKeys => self.set_foreign_keys("PRAGMA foreign_keys = OFF"),
            Step::EnforceForeignKeys => self.set_foreign_keys("PRAGMA foreign_keys = ON"),
            Step::CheckForeignKeys => self.check_foreign_keys(segment),
            Step::KeepSchema { accepted, .. } => {
                self.freely(|performance| performance.keep_schema(accepted.as_deref()))
            }
            write => self.freely(|performance| performance.write_at_once(write)),
        }
    }

    /// Does something of our own although the migration may have set what hinders it.
    fn freely(&mut self, something: impl FnOnce(&mut Self) -> Result<(), Cause>) -> Result<(), Cause> {
        let bonds = self.settings.free(self.connection).map_err(cause)?;
        let done = something(self);
        self.settings.bind(self.connection, &bonds).map_err(cause)?;
        done
    }

    fn write_at_once(&mut self, write: &Step<'_>) -> Result<(), Cause> {
        if !self.connection.is_autocommit() {
            return self.write(write);
        }
        // Several rows are one write, and the lock is waited for before anything is read.
        run_to_end(self.connection, "BEGIN IMMEDIATE").map_err(cause)?;
        self.write(write)?;
        self.commit()
    }

    fn begin(&self, segment: &mut Segment) -> Result<(), Cause> {
        run_to_end(self.connection, "BEGIN IMMEDIATE").map_err(cause)?;
        segment.in_transaction = true;
        if segment.checks_foreign_keys {
            segment.dangling = Dangling::find(self.connection).map_err(cause)?;
        }
        Ok(())
    }

    /// An error of the disk during a commit does not tell whether what was written will be found again.
    fn commit(&self) -> Result<(), Cause> {
        run_to_end(self.connection, "COMMIT").map_err(|error| match primary_code(&error) {
            Some(ffi::SQLITE_IOERR) => Cause::Lost(database_error(&error).to_string()),
            _ => cause(error),
        })
    }

    fn execute(&mut self, execute: &Execute<'_>, segment: &Segment) -> Result<(), Cause> {
        if execute.migration.is_rust() {
            return self.run_function(execute.migration.name());
        }
        if sets_hard_heap_limit(execute.sql) {
            let words = "the statement sets a limit of the whole process, which could not be put back after the migration";
            return Err(Cause::Refused(own_words(words)));
        }
        self.settings.ran(execute.sql);
        let told = if execute.secret { secret_error } else { database_error };
        run_to_end(self.connection, execute.sql).map_err(|error| match is_busy(&error) {
            true => cause(error),
            false => Cause::Refused(told(&error)),
        })?;
        if segment.in_transaction && self.connection.is_autocommit() {
            let words = "the statement ended the transaction that the migration runs in";
            return Err(Cause::Refused(own_words(words)));
        }
        Ok(())
    }

    fn run_function(&mut self, name: &str) -> Result<(), Cause> {
        self.settings.touch();
        let was_autocommit = self.connection.is_autocommit();
        self.functions.run(self.connection, name)?;
        match self.connection.is_autocommit() {
            now if now == was_autocommit => Ok(()),
            // What it had committed stands, whatever is rolled back now.
            true => Err(Cause::Lost("the function ended the transaction that it was run in".to_owned())),
            false => Err(Cause::Refused(own_words("the function left a transaction open"))),
        }
    }

    fn limit_waits(&mut self, limit: WaitLimit) -> Result<(), Cause> {
        let WaitLimit::Locks(limit) = limit else { return Ok(()) };
        self.settings.touch();
        let milliseconds = limit.as_millis().clamp(1, i32::MAX as u128);
        run_to_end(self.connection, &format!("PRAGMA busy_timeout = {milliseconds}")).map_err(cause)
    }

    /// Inside a transaction SQLite would ignore it in silence.
    fn set_foreign_keys(&mut self, pragma: &str) -> Result<(), Cause> {
        if !self.connection.is_autocommit() {
            let words = "the enforcement of foreign keys cannot change inside a transaction";
            return Err(Cause::Refused(own_words(words)));
        }
        self.settings.touch();
        run_to_end(self.connection, pragma).map_err(cause)
    }

    fn check_foreign_keys(&self, segment: &Segment) -> Result<(), Cause> {
        let new = Dangling::find(self.connection).map_err(cause)?.since(&segment.dangling);
        if new.is_empty() { Ok(()) } else { Err(Cause::ForeignKeys(new)) }
    }

    /// The steps that write the history, inside a transaction.
    fn write(&self, step: &Step<'_>) -> Result<(), Cause> {
        let (owner, session) = (&self.run.owner, self.session.as_text());
        match step {
            Step::CreateHistory => run_to_end(self.connection, &self.table.create()).map_err(cause),
            Step::Claim(claims) => self.claim(claims),
            // Nothing is watched: statements that change definitions are in a transaction here.
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
            } => {
                let in_flight = text(*in_flight);
                let (raw, tokens) = (&checksums.raw, &checksums.tokens);
                let values = params![
                    name, from_owner, from_epoch, owner, session, raw, tokens, statements, completed, prefix,
                    in_flight
                ];
                self.change_one(&self.table.take_over(), values)
            }
            Step::Checkpoint { name, epoch, completed, prefix, in_flight, .. } => {
                let in_flight = text(*in_flight);
                let values = params![name, owner, epoch, completed, prefix, in_flight];
                self.change_one(&self.table.checkpoint(), values)
            }
            Step::CountRows { name, epoch, row_limit } => {
                // No table has more rows than SQLite counts.
                let [touched, limit] = [self.connection.changes(), *row_limit]
                    .map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
                self.change_one(&self.table.count_rows(), params![name, owner, epoch, touched, limit])
            }
            Step::Record(records) => self.record(records),
            Step::Fail { name, epoch, completed, prefix, in_flight, error, rolled_back } => {
                let in_flight = text(*in_flight);
                let values = params![name, owner, epoch, completed, prefix, in_flight, error, rolled_back];
                self.change_one(&self.table.fail(), values)
            }
            Step::RecordFailure { claim, error, digest } => self.record_failure(claim, error, digest),
            Step::Resolve(resolve) => self.resolve(resolve),
            // The match is open because steps may be added: what is not known must not pass for done.
            other => Err(Cause::Refused(own_words(&format!("this driver does not know the step: {other}")))),
        }
    }

    /// In a transaction it is part of it. What cannot be kept stays as it was, unless a person asked for it.
    fn keep_schema(&self, accepted: Option<&str>) -> Result<(), Cause> {
        let is_alone = self.connection.is_autocommit();
        let kept = run_to_end(self.connection, "SAVEPOINT windlass_schema")
            .and_then(|()| introspect::keep(self.connection, self.table, accepted))
            .and_then(|()| run_to_end(self.connection, "RELEASE windlass_schema"));
        let Err(error) = kept else { return Ok(()) };
        let is_over = self.connection.is_autocommit();
        if !is_over {
            let _ = run_to_end(self.connection, "ROLLBACK TO windlass_schema");
            let _ = run_to_end(self.connection, "RELEASE windlass_schema");
        }
        // Some errors take the whole transaction with them.
        if accepted.is_some() || is_over && !is_alone { Err(cause(error)) } else { Ok(()) }
    }

    fn claim(&self, claims: &[Claim<'_>]) -> Result<(), Cause> {
        let Run { owner, applied_by, tool } = self.run;
        let session = self.session.as_text();
        let mut insert = self.connection.prepare(&self.table.claim()).map_err(cause)?;
        for Claim { kind, name, checksums, statements, in_flight, supersedes, .. } in claims {
            let (kind, in_flight) = (kind.as_str(), text(*in_flight));
            let (raw, tokens) = (&checksums.raw, &checksums.tokens);
            if *supersedes {
                self.connection.execute(&self.table.supersede(), params![name, raw]).map_err(cause)?;
            }
            let values =
                params![kind, name, raw, tokens, owner, session, statements, in_flight, applied_by, tool];
            let inserted = insert.execute(values).map_err(|error| match extended_code(&error) {
                Some(ffi::SQLITE_CONSTRAINT_UNIQUE) => Cause::ClaimTaken,
                _ => cause(error),
            })?;
            // A trigger may have kept the row out in silence.
            must_be_one(inserted)?;
        }
        tell_last_row(self.connection, 0);
        Ok(())
    }

    fn record(&self, records: &[Record<'_>]) -> Result<(), Cause> {
        let mut update = self.connection.prepare(&self.table.record()).map_err(cause)?;
        for Record { name, epoch, completed, digest, decision } in records {
            let signed = decision.as_ref().map(|decision| signed(decision, Some(&self.run.applied_by)));
            let [told, end] = signed.map_or([None, None], |words| words.map(Some));
            let values = params![name, self.run.owner, epoch, completed, digest, told, end];
            must_be_one(update.execute(values).map_err(cause)?)?;
        }
        Ok(())
    }

    fn record_failure(&self, claim: &Claim<'_>, error: &str, digest: &str) -> Result<(), Cause> {
        let Run { owner, applied_by, tool } = self.run;
        let (kind, session) = (claim.kind.as_str(), self.session.as_text());
        let (name, statements) = (claim.name, claim.statements);
        let (raw, tokens) = (&claim.checksums.raw, &claim.checksums.tokens);
        let values =
            params![kind, name, raw, tokens, owner, session, statements, applied_by, tool, error, digest];
        self.change_one(&self.table.record_failure(), values)
    }

    fn resolve(&self, resolve: &Resolve<'_>) -> Result<(), Cause> {
        let Resolve { id, from_owner, from_epoch, into, resolution, digest, newest } = resolve;
        let [resolution, end] = signed(resolution, Some(&self.run.applied_by));
        let mut values: Vec<&dyn ToSql> = vec![id, from_owner, from_epoch, &resolution, digest];
        let set = match into {
            ResolveInto::Applied => format!("finished_at = {NOW}, in_flight = NULL, error = NULL"),
            ResolveInto::RolledBack => format!("rolled_back_at = {NOW}, claim = NULL, in_flight = NULL"),
            ResolveInto::Resumable => {
                "error = NULL, in_flight = NULL, row_limit = NULL, owner = '', session = NULL".to_owned()
            }
            ResolveInto::ResumableAfter { completed, prefix } => {
                values.extend([completed as &dyn ToSql, prefix]);
                "error = NULL, in_flight = NULL, owner = '', session = NULL, completed = ?6, prefix = ?7"
                    .to_owned()
            }
            ResolveInto::Accepted { name, checksums } => {
                values.extend([name as &dyn ToSql, &checksums.raw, &checksums.tokens]);
                // A row without a claim does not get one by a renaming.
                "name = ?6, claim = CASE WHEN claim IS NOT NULL THEN ?6 END, checksum = ?7, token_checksum = ?8, \
                 in_flight = NULL"
                    .to_owned()
            }
            _ => return Err(Cause::Refused(own_words("this driver does not know the decision"))),
        };
        self.change_one(&self.table.resolve(&set, &end), values.as_slice())?;
        // Also where they are one row: a run that came in between holds another digest.
        self.change_one(&self.table.renew_newest(), params![newest, digest])
    }

    /// A write that finds no row is another's to make: the run was taken over.
    fn change_one(&self, sql: &str, values: &[&dyn ToSql]) -> Result<(), Cause> {
        must_be_one(self.connection.execute(sql, values).map_err(cause)?)
    }
}

fn must_be_one(changed: usize) -> Result<(), Cause> {
    if changed == 1 { Ok(()) } else { Err(Cause::Fenced) }
}

fn text(in_flight: Option<InFlight>) -> Option<String> {
    in_flight.map(InFlight::to_text)
}

/// What the steps of a segment need to know of one another.
struct Segment {
    checks_foreign_keys: bool,
    in_transaction: bool,
    dangling: Dangling,
}

impl Segment {
    fn of(steps: &[Step<'_>]) -> Self {
        let checks_foreign_keys = steps.iter().any(|step| matches!(step, Step::CheckForeignKeys));
        Self { checks_foreign_keys, in_transaction: false, dangling: Dangling::default() }
    }
}
