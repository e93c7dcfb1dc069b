//! Plan: what is to be done, as data that reads like speech; or the typed reason why there is no plan.

use crate::driver::Ddl;
use crate::history::{InFlight, Remnant};
use crate::migration::{Checksums, Migration};
use crate::sql::classify::ObjectName;
use std::fmt;

mod blocked;
mod build;
mod cutter;
mod foreign_keys;
#[cfg(test)]
mod growth;
mod indexes;
mod last_statement;
mod locking;
mod outcome;
mod pieces;
mod placeholders;
mod remnant;
mod repeat;
mod resolve;
mod single;
mod standing;
mod state;
mod tables;
mod units;

pub(crate) use blocked::ways_out_of_what_began;
pub use blocked::{Blocked, Place, four_ways_out};
pub use build::{Options, Outlook, Remark, plan};
pub use locking::{CONCURRENT_WAIT, LOCK_TIMEOUT, Locking, WaitLimit, Waits, locking};
pub(crate) use locking::{locks_come_first, waits_before_it_works};
pub(crate) use outcome::{adds_enum_value, is_never_begun, refusal_leaves_nothing, refusal_leaves_remnant};
pub use repeat::{Repeat, RowLimit};
pub use resolve::{Resolution, ResolveError, baseline, resolve};
pub(crate) use resolve::{accept_schema, under_way_or_next};
pub(crate) use standing::Standing;
pub(crate) use state::{find_migration, has_run_head, tells_what_began};

/// Segments in order. Each is one transaction (it begins with [`Step::Begin`]) or steps on their own.
#[derive(Clone, Debug, Default)]
pub struct Plan<'m> {
    /// The segments.
    pub segments: Vec<Segment<'m>>,
}

/// Consecutive steps that a driver performs in one call.
#[derive(Clone, Debug, Default)]
pub struct Segment<'m> {
    /// The steps.
    pub steps: Vec<Step<'m>>,
}

/// What a driver does. A step carries all that a driver needs to know for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step<'m> {
    /// Create the history table unless it stands.
    CreateHistory,
    /// Begin a transaction.
    Begin,
    /// Commit it.
    Commit,
    /// Insert a row per attempt; a duplicate claim is `ClaimTaken`. One write, in the order given.
    Claim(Vec<Claim<'m>>),
    /// Take a standing attempt over: owner and epoch change where they are still as read, else `Fenced`.
    TakeOver {
        /// The migration.
        name: &'m str,
        /// The owner that was read.
        from_owner: String,
        /// The epoch that was read; the attempt's epoch becomes one more, its error is cleared,
        /// checksums and number of statements become those of the script as it is now.
        from_epoch: u32,
        /// Of the script as it is now.
        checksums: Checksums,
        /// Statements in the script as it is now.
        statements: u32,
        /// Statements completed, as far as is known now.
        completed: u32,
        /// Chained checksum of the completed statements.
        prefix: String,
        /// What is in flight next.
        in_flight: Option<InFlight>,
        /// The objects whose looks tell its outcome.
        watched: Vec<ObjectName>,
    },
    /// Take a standing attempt over as it is: owner and epoch change where they are still as read, else
    /// `Fenced`; its error is cleared. What it says of statements in flight, and the look that was kept
    /// with it, stay: what those left is to be cleared away first.
    Hold {
        /// The migration.
        name: &'m str,
        /// The owner that was read.
        from_owner: String,
        /// The epoch that was read; the attempt's epoch becomes one more.
        from_epoch: u32,
        /// Of the script as it is now.
        checksums: Checksums,
        /// Statements in the script as it is now.
        statements: u32,
        /// Statements completed, as was read.
        completed: u32,
        /// Their chained checksum, as was read.
        prefix: String,
    },
    /// Clear away what a statement left when it was cut off, unless that is gone already. A driver refuses
    /// where it is no remnant any more: another session brought it to its end.
    Clear {
        /// What it left.
        remnant: Remnant,
        /// The statement's number.
        left_by: u32,
    },
    /// Run a statement.
    Execute(Execute<'m>),
    /// Run a statement again and again. The loop takes it apart into runs, each a segment of its own
    /// ([`Repeat::run`]): no driver is ever given it.
    Repeat(Box<Repeat<'m>>),
    /// Add the rows that the statement right before it touched to what the attempt's row says of them, and keep
    /// the limit. Fenced.
    CountRows {
        /// The migration.
        name: &'m str,
        /// The attempt's epoch.
        epoch: u32,
        /// With more rows touched the statement is taken for one that never ends.
        row_limit: u64,
    },
    /// Write how far the attempt has come. Fenced by owner and epoch. Where another number of statements was
    /// completed before, no rows are touched of the next one yet, and no limit is set; so too in a take-over.
    Checkpoint {
        /// The migration.
        name: &'m str,
        /// The attempt's epoch.
        epoch: u32,
        /// Statements completed.
        completed: u32,
        /// Chained checksum of the completed statements.
        prefix: String,
        /// What runs next outside a transaction.
        in_flight: Option<InFlight>,
        /// The objects whose looks tell its outcome: how they are now is kept with the note.
        watched: Vec<ObjectName>,
    },
    /// Mark attempts as applied, finished now by the server's clock. Fenced. One write where that is cheaper.
    Record(Vec<Record<'m>>),
    /// Mark a standing attempt as failed. Fenced.
    Fail {
        /// The migration.
        name: &'m str,
        /// The attempt's epoch.
        epoch: u32,
        /// Statements completed.
        completed: u32,
        /// Chained checksum of the completed statements.
        prefix: String,
        /// Statements that belong together and of which some took effect: a person must look. Or one
        /// statement that may have left something: the look that was kept with its note stays.
        in_flight: Option<InFlight>,
        /// The database's words.
        error: String,
        /// Where nothing of the attempt stands: it is rolled back, its claim released, this its digest.
        rolled_back: Option<String>,
    },
    /// Insert the row of an attempt that failed and left nothing: it never held its claim.
    RecordFailure {
        /// The attempt.
        claim: Claim<'m>,
        /// The database's words.
        error: String,
        /// The standing digest, unchanged by it.
        digest: String,
    },
    /// Write a person's decision about the attempt with this id. Changes nothing (`Fenced`) where
    /// the row's owner or epoch are no longer as read.
    Resolve(Resolve<'m>),
    /// Write down the schema as it is now with the newest row of the history, in place of what was kept before.
    ///
    /// It never fails a deploy: where the schema cannot be read, what was kept before stays.
    KeepSchema {
        /// Who takes the schema as it is, and why. What cannot be read is an error then.
        accepted: Option<String>,
        /// Whether the grants are part of it.
        grants: bool,
    },
    /// Set how the statements that follow, up to the end of the segment, wait for other sessions. Where that
    /// ran out, the driver says `Busy`.
    LimitWaits(WaitLimit),
    /// Put the session's settings back to the pinned ones: what a migration sets never reaches the next. No attempt is
    /// under way: a driver may make the session a new one. Where the lock was lost by that, it says `ClaimTaken`.
    RestoreSettings,
    /// Put the session's settings back within an attempt, which goes on in this session: what follows sets again those
    /// that came before.
    RewindSettings,
    /// SQLite: turn enforcement of foreign keys off outside the transaction that follows.
    /// [`Step::RestoreSettings`] ends it.
    SuspendForeignKeys,
    /// SQLite: turn enforcement of foreign keys on outside the transaction that follows.
    /// [`Step::RestoreSettings`] ends it.
    EnforceForeignKeys,
    /// SQLite: refuse (`ForeignKeys`) when there are references without target that were not there at `Begin`.
    CheckForeignKeys,
}

/// A new row of the history.
#[derive(Clone, Debug)]
pub struct Claim<'m> {
    /// `apply`, `repeatable` or `baseline`.
    pub kind: crate::history::AttemptKind,
    /// The migration's whole name.
    pub name: &'m str,
    /// Of its text.
    pub checksums: Checksums,
    /// Statements in it.
    pub statements: u32,
    /// What runs first outside a transaction.
    pub in_flight: Option<InFlight>,
    /// The objects whose looks tell its outcome: how they are now is kept with the note.
    pub watched: Vec<ObjectName>,
    /// A repeatable migration's earlier attempt gives up its claim in the same write.
    pub supersedes: bool,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
pub struct Record<'m> {
    /// The migration.
    pub name: &'m str,
    /// The attempt's epoch.
    pub epoch: u32,
    /// All its statements.
    pub completed: u32,
    /// The standing digest with it.
    pub digest: String,
    /// A person's decision that it stands, and why, where no deploy ran it; unsigned.
    pub decision: Option<String>,
}

/// A decision about a row.
#[derive(Clone, Debug)]
pub struct Resolve<'m> {
    /// The row.
    pub id: i64,
    /// The owner that was read.
    pub from_owner: String,
    /// The epoch that was read.
    pub from_epoch: u32,
    /// What to make of it.
    pub into: ResolveInto<'m>,
    /// What was decided and why, for the row's `resolution`.
    pub resolution: String,
    /// The standing digest with it, for this row; empty where the attempt goes on.
    pub digest: String,
    /// The newest row's id: it holds the digest that a fast look compares.
    pub newest: i64,
}

/// What a decision makes of a row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResolveInto<'m> {
    /// Applied: finished now, nothing in flight, no error.
    Applied,
    /// Rolled back: its claim is released.
    RolledBack,
    /// Ready to go on after its last completed statement: no error, nothing in flight, its owner empty, no limit
    /// of rows.
    Resumable,
    /// Ready to go on after the statements that were in flight: a person found that they took effect.
    ResumableAfter {
        /// Statements completed with them.
        completed: u32,
        /// Their chained checksum.
        prefix: String,
    },
    /// Resumable, and what it says of statements in flight stays: what those left is cleared away first.
    ResumableOnceCleared,
    /// The text (and, after a renaming, the name) as it is in the project now.
    Accepted {
        /// The name in the project.
        name: &'m str,
        /// The checksums in the project.
        checksums: Checksums,
    },
}

/// A statement to run.
#[derive(Clone, Debug)]
pub struct Execute<'m> {
    /// Its migration.
    pub migration: &'m Migration,
    /// Its number, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Its text, without terminator.
    pub sql: &'m str,
    /// The rows that follow a `COPY … FROM stdin`.
    pub copy_data: Option<&'m str>,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1, in characters.
    pub column: u32,
    /// Whether the text may hold a secret: it is then never shown.
    pub secret: bool,
    /// Whether the session is known to be as before when it has run: its settings, its role, what is temporary.
    pub leaves_session_alone: bool,
}

impl<'m> Plan<'m> {
    /// The same, and the schema is kept: with its last commit, or right behind it where DDL commits by itself.
    pub(crate) fn keeping_schema(mut self, ddl: Ddl, grants: bool) -> Self {
        let keep = Step::KeepSchema { accepted: None, grants };
        let last = self.segments.last_mut().map(|segment| &mut segment.steps);
        let is_commit = |step: &Step<'_>| ddl == Ddl::Transactional && matches!(step, Step::Commit);
        let commit = last.as_ref().and_then(|steps| steps.iter().rposition(is_commit));
        match (last, commit) {
            (Some(steps), Some(commit)) => steps.insert(commit, keep),
            (Some(_), None) => self.segments.push(Segment { steps: vec![keep] }),
            (None, _) => {}
        }
        self
    }

    /// Whether nothing is to do.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The migrations that run, in order, each once.
    pub fn migrations(&self) -> Vec<&'m str> {
        let mut names: Vec<&str> = Vec::new();
        let steps = self.segments.iter().flat_map(|segment| &segment.steps);
        for name in steps.flat_map(Step::begun) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl<'m> Segment<'m> {
    /// Whether the segment is one transaction.
    pub fn is_transaction(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Begin))
    }
}

impl<'m> Step<'m> {
    /// The migrations whose attempt this step begins or takes over.
    pub fn begun(&self) -> Vec<&'m str> {
        match self {
            Step::Claim(claims) => claims.iter().map(|claim| claim.name).collect(),
            Step::TakeOver { name, .. } | Step::Hold { name, .. } => vec![name],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments.iter().try_for_each(|segment| segment.fmt(f))
    }
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut indent = "";
        for step in &self.steps {
            if matches!(step, Step::Commit) {
                indent = "";
            }
            for line in step.to_string().lines() {
                writeln!(f, "{indent}{line}")?;
            }
            if matches!(step, Step::Begin) {
                indent = "    ";
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flight = |in_flight: &Option<InFlight>| match in_flight {
            Some(statements) => format!(", in flight {}", statements.to_text()),
            None => String::new(),
        };
        match self {
            Step::CreateHistory => write!(f, "create history"),
            Step::Begin => write!(f, "begin"),
            Step::Commit => write!(f, "commit"),
            Step::Claim(claims) => {
                let lines = claims.iter().map(|claim| {
                    let kind = match claim.kind {
                        crate::history::AttemptKind::Baseline => " as baseline",
                        _ if claim.supersedes => " again",
                        _ => "",
                    };
                    format!("claim {}{kind}{}", claim.name, flight(&claim.in_flight))
                });
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            Step::TakeOver { name, in_flight, .. } => write!(f, "take over {name}{}", flight(in_flight)),
            Step::Hold { name, .. } => write!(f, "take over {name} as it stands"),
            Step::Clear { remnant, left_by } => write!(f, "{remnant} (left by statement {left_by})"),
            Step::Execute(execute) => execute.fmt(f),
            Step::Repeat(repeat) => repeat.fmt(f),
            Step::CountRows { name, .. } => write!(f, "count rows of {name}"),
            Step::Checkpoint { name, completed, in_flight, .. } => {
                write!(f, "checkpoint {name} {completed}{}", flight(in_flight))
            }
            Step::Record(records) => {
                let lines: Vec<_> =
                    records.iter().map(|record| format!("record {} applied", record.name)).collect();
                f.write_str(&lines.join("\n"))
            }
            Step::Fail { name, completed, rolled_back, .. } => {
                let end = if rolled_back.is_some() { " and rolled back" } else { "" };
                write!(f, "record {name} failed after {completed}{end}")
            }
            Step::RecordFailure { claim, .. } => write!(f, "record {} failed and rolled back", claim.name),
            Step::Resolve(resolve) => {
                let into = match &resolve.into {
                    ResolveInto::Applied => "applied",
                    ResolveInto::RolledBack => "rolled back",
                    ResolveInto::Resumable | ResolveInto::ResumableOnceCleared => "to be resumed",
                    ResolveInto::ResumableAfter { completed, .. } => {
                        return write!(f, "resolve attempt {} to be resumed after {completed}", resolve.id);
                    }
                    ResolveInto::Accepted { .. } => "accepted as it is",
                };
                write!(f, "resolve attempt {} {into}", resolve.id)
            }
            Step::KeepSchema { grants: true, .. } => write!(f, "keep schema and grants"),
            Step::KeepSchema { .. } => write!(f, "keep schema"),
            Step::LimitWaits(limit) => limit.fmt(f),
            Step::RestoreSettings | Step::RewindSettings => write!(f, "restore settings"),
            Step::SuspendForeignKeys => write!(f, "suspend foreign keys"),
            Step::EnforceForeignKeys => write!(f, "enforce foreign keys"),
            Step::CheckForeignKeys => write!(f, "check foreign keys"),
        }
    }
}

impl fmt::Display for Execute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { migration, number, of, .. } = self;
        write!(f, "execute {} {number}/{of}: {}", migration.name(), self.summary(100))
    }
}

impl Execute<'_> {
    /// The text on one line, cut at `width` characters; nothing of it where it may hold a secret.
    pub fn summary(&self, width: usize) -> String {
        if self.secret {
            return "(not shown: it may hold a secret)".to_owned();
        }
        // Long data is never walked to its end for a line of display.
        let cut = self.sql.char_indices().nth(width.saturating_mul(8)).map_or(self.sql.len(), |(at, _)| at);
        let head = &self.sql[..cut];
        let mut line = head.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() > width || head.len() < self.sql.len() {
            line = line.chars().take(width).collect::<String>() + " …";
        }
        line
    }
}
