//! `plan`: from migrations, history and capabilities to steps. Opens no socket, reads no clock.

use super::locking::{CONCURRENT_WAIT, Limiter, Waits, remarks as lock_remarks};
use super::outcome::shows;
use super::pieces::{Piece, PieceKind, Prepared};
use super::remnant::{Cleared, clear};
use super::single::{refuse_apart, refuse_without_session};
use super::standing::Standing;
use super::state::{Resumed, Survey, find_migration, survey};
use super::tables::mentions;
use super::{Blocked, Claim, Plan, Record, Segment, Step, indexes};
use crate::drift::{Drift, DriftVerdict};
use crate::driver::{Access, Capabilities, Contents, Ddl, Grouping, Inspection, InvalidIndex, Sessions};
use crate::history::{Attempt, AttemptKind, InFlight};
use crate::migration::{Checksums, Migration, MigrationKind};
use crate::sql::Dialect;
use crate::sql::checksum::statement_checksum;
use crate::sql::classify::{ObjectName, Objects};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// What a person chose for this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Deploy up to and including this migration.
    pub to: Option<String>,
    /// Run pending migrations that are older than applied ones, whatever they name.
    pub out_of_order: bool,
    /// Refuse several migrations with one version.
    pub strict_order: bool,
    /// Deploy onto a database that has objects and no history.
    pub allow_non_empty: bool,
    /// Migrations that must not share a transaction with others: one of them failed there.
    pub alone: HashSet<String>,
    /// How long to wait for other sessions.
    pub waits: Waits,
    /// All that is pending in one transaction, or nothing of it.
    pub single_transaction: bool,
    /// Commit at the end of a file what a `BEGIN` in it left open.
    pub close_open_transaction: bool,
    /// Migrations in which a new enum value was used before its commit: it is committed at once.
    pub enum_values_at_once: HashSet<String>,
    /// Cut what one transaction would cover behind so many statements of this migration, too: an earlier text of it was.
    pub cut_behind: Option<(String, u32)>,
    /// Run through a pooler, too, what needs a session of its own.
    pub allow_pooler: bool,
    /// The token of the run that asks: an attempt that it owns itself can go on.
    pub owner: Option<String>,
}

impl Options {
    /// Refuses a last migration ([`Options::to`]) that is not in the project, which no database needs to be asked
    /// for. A plan refuses it as well.
    ///
    /// # Errors
    /// [`Blocked::UnknownTarget`], with one of the names that resembles it.
    pub fn check_target(&self, migrations: &[Migration]) -> Result<(), Blocked> {
        self.to.as_deref().map_or(Ok(()), |name| find_migration(migrations, name).map(|_| ()))
    }

    /// Whether nothing was chosen that could make a plan where the project and the history agree.
    pub(crate) fn is_plain(&self) -> bool {
        Self {
            waits: Waits::default(),
            close_open_transaction: false,
            single_transaction: false,
            allow_pooler: false,
            ..self.clone()
        } == Self::default()
    }
}

/// What a plan, or its absence, should tell besides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// The database has migrations newer than all of the project's: an older release is looking.
    Ahead {
        /// Their names.
        names: Vec<String>,
    },
    /// Older than what is applied, and it runs.
    OutOfOrder {
        /// Its name.
        name: String,
        /// Whether it names nothing that the later applied ones name; else it runs because it was asked for.
        independent: bool,
    },
    /// A repeatable migration that was applied is no longer in the project; what it made stands.
    RepeatableGone {
        /// Its name.
        name: String,
    },
    /// The text changed in comments or white space only.
    Reformatted {
        /// Its name.
        name: String,
    },
    /// An attempt that a crash cut short goes on after its last completed statement.
    Resumes {
        /// The migration.
        name: String,
        /// Statements that stand.
        completed: u32,
        /// Rows that the repeated statement behind them has touched.
        touched: u64,
    },
    /// The outcome of a crash in these statements cannot be read from the database.
    MayBeInDoubt {
        /// The migration.
        name: String,
        /// The statements.
        statements: InFlight,
    },
    /// One transaction, or one statement, locks several tables out: each is held while the next one is waited for.
    SeveralStrongLocks {
        /// The migration.
        name: String,
        /// The tables, and other objects.
        tables: Vec<String>,
    },
    /// A statement that takes as long as a table is large runs while others are locked out.
    LongWorkUnderLock {
        /// The migration.
        name: String,
        /// The statement's number.
        statement: u32,
        /// What it does.
        work: &'static str,
        /// The number of the statement that takes the lock.
        locked_by: u32,
        /// What is locked; on SQLite, writing to the database.
        tables: Vec<String>,
    },
    /// An index that others left, or are at work on: windlass clears away only what its own statement left.
    InvalidIndex {
        /// The index.
        index: InvalidIndex,
    },
    /// Others changed the schema since the last deploy.
    Drift {
        /// What differs.
        drift: Box<Drift>,
    },
    /// Of a dry run: there is no such database yet, and a deploy creates it first.
    NewDatabase,
    /// Of a dry run: a deploy by this session would be refused, for it cannot write.
    ReadOnly {
        /// In the server's terms.
        why: String,
    },
    /// Whether others changed the schema cannot be told.
    DriftUnknown {
        /// Why.
        why: String,
    },
}

impl Remark {
    /// What is to tell of a look at the schema that stops nothing.
    pub(crate) fn of_drift(verdict: DriftVerdict) -> Option<Self> {
        match verdict {
            DriftVerdict::Drift(drift) => Some(Self::Drift { drift }),
            DriftVerdict::Unknown(why) => Some(Self::DriftUnknown { why }),
            // What a run before this one left, done or half done, is what this one goes on from.
            DriftVerdict::None | DriftVerdict::Touched(_) | DriftVerdict::NeverKept => None,
        }
    }
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Drift { drift } => {
                write!(f, "{drift}")?;
                drift.differences.iter().try_for_each(|difference| write!(f, "\n{difference}"))
            }
            Self::NewDatabase => f.write_str("there is no such database yet: a deploy creates it first"),
            Self::ReadOnly { why } => {
                write!(f, "this session only reads, and a deploy by it would be refused: {why}")
            }
            Self::DriftUnknown { why } => {
                write!(f, "whether others changed the schema cannot be told: {why}")
            }
            Self::Ahead { names } => {
                write!(
                    f,
                    "the database is ahead of the project by {}: an older release is looking",
                    names.join(", ")
                )
            }
            Self::OutOfOrder { name, independent: true } => {
                write!(f, "{name} is older than what is applied, and independent of it")
            }
            Self::OutOfOrder { name, independent: false } => {
                write!(f, "{name} is older than what is applied, and runs all the same, as asked")
            }
            Self::RepeatableGone { name } => {
                write!(f, "{name} was applied and is no longer in the project; what it made stands")
            }
            Self::Reformatted { name } => write!(f, "{name} changed in comments or white space only"),
            Self::Resumes { name, completed, touched: 0 } => {
                write!(f, "{name} goes on after statement {completed}")
            }
            Self::Resumes { name, completed, touched } => {
                write!(f, "{name} goes on after {touched} rows of statement {}", completed + 1)
            }
            Self::MayBeInDoubt { name, statements } => {
                write!(
                    f,
                    "{name}: a crash in statement {} would have to be settled by a person",
                    statements.to_text()
                )
            }
            Self::SeveralStrongLocks { name, tables } => {
                write!(
                    f,
                    "{name}: others are kept from {} at once: each is held while the next is waited for; \
                     a migration for each would not",
                    tables.join(", ")
                )
            }
            Self::InvalidIndex { index } => write!(f, "{index}; {}", index.hint()),
            Self::LongWorkUnderLock { name, statement, work, locked_by, tables } => {
                let tables = tables.join(", ");
                if statement == locked_by {
                    write!(f, "{name}: others are kept from {tables} during {work} (statement {statement})")
                } else {
                    write!(
                        f,
                        "{name}: others are kept from {tables} (locked by statement {locked_by}) during {work} \
                         (statement {statement}); a migration of its own would not"
                    )
                }
            }
        }
    }
}

/// A plan, and what to tell besides.
///
/// ```
/// use windlass_core::plan::Outlook;
///
/// let outlook = Outlook::default();
/// assert!(outlook.plan.migrations().is_empty() && outlook.remarks.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it only tells what would be done"]
#[non_exhaustive]
pub struct Outlook<'m> {
    /// What is to be done; empty when the database is where the project is.
    pub plan: Plan<'m>,
    /// What to tell.
    pub remarks: Vec<Remark>,
}

impl std::fmt::Display for Outlook<'_> {
    /// The plan as a dry run tells it, and then what to tell besides.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.plan.fmt(f)?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "note: {remark}"))
    }
}

/// Finds what takes the database to the end of the project's migrations, given in their order.
///
/// # Errors
/// The typed reason why there is no plan; nothing was run.
pub fn plan<'m>(
    migrations: &'m [Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    options: &Options,
) -> Result<Outlook<'m>, Blocked> {
    let Survey { resumed, pending, standing, mut remarks } =
        survey(migrations, inspection, capabilities, options)?;
    if resumed.is_none() && pending.is_empty() {
        return Ok(Outlook { plan: Plan::default(), remarks });
    }
    if let Access::ReadOnly(reason) = &inspection.access {
        let pending = pending.iter().map(|work| work.migration.name().to_owned()).collect();
        return Err(Blocked::ReadOnly { reason: reason.clone(), pending });
    }
    let others = indexes::of_others(&inspection.surroundings.invalid_indexes, resumed.as_ref());
    indexes::refuse_taken(&others, resumed.as_ref(), &pending)?;
    remarks.extend(indexes::remarks(&others));
    if options.single_transaction {
        refuse_apart(resumed.as_ref(), &pending, capabilities.ddl)?;
    }
    if capabilities.sessions == Sessions::Pooled && !options.allow_pooler {
        refuse_without_session(resumed.as_ref(), &pending, capabilities.ddl)?;
    }
    let mut builder =
        Builder { capabilities, options, standing, segments: Vec::new(), history: inspection.history.exists };
    if let Some(resumed) = &resumed {
        let completed = length(resumed.completed);
        let touched = if completed == resumed.attempt.completed { resumed.attempt.touched } else { 0 };
        remarks.push(Remark::Resumes { name: resumed.attempt.name.clone(), completed, touched });
        builder.resume(resumed);
    }
    let fresh = inspection.contents == Contents::Empty && inspection.history.attempts.is_empty();
    let group_limit = match capabilities.grouping {
        Grouping::UpTo(limit) if fresh => limit,
        _ => 0,
    };
    // Behind a constraint that is checked at the commit, code in a script included, a shared one would check more at once.
    let defers = |work: &Work<'_>| mentions(work.migration.up().text(), b"DEFERRABLE");
    let checked_late = pending.iter().position(defers).unwrap_or(pending.len());
    let mut rest = pending.as_slice();
    if options.single_transaction && pending.len() > 1 {
        builder.single(&pending);
        if !fresh {
            remarks.extend(pending.iter().flat_map(|work| lock_remarks(&work.prepared, capabilities)));
        }
        rest = &[];
    }
    while let Some(first) = rest.first() {
        let groupable = checked_late.saturating_sub(pending.len() - rest.len()).min(rest.len());
        let shared = shared_length(&rest[..groupable], group_limit, options);
        if shared > 1 {
            builder.group(&rest[..shared]);
        } else {
            builder.apply(first);
            if !fresh {
                remarks.extend(lock_remarks(&first.prepared, capabilities));
            }
        }
        rest = &rest[shared.max(1)..];
    }
    remarks.extend(pending.iter().flat_map(|work| may_be_in_doubt(work, capabilities)));
    Ok(Outlook { plan: Plan { segments: builder.segments }, remarks })
}

/// A migration to run, and whether an earlier attempt of it (it is repeatable) gives up its claim.
pub(super) struct Work<'m> {
    pub(super) migration: &'m Migration,
    pub(super) prepared: Prepared<'m>,
    pub(super) supersedes: bool,
}

/// How many from the front may share one transaction.
fn shared_length(rest: &[Work<'_>], limit: usize, options: &Options) -> usize {
    let mut statements = 0;
    let shares = |work: &&Work<'_>| {
        statements += work.prepared.statements.len() + 1;
        statements <= limit && work.prepared.is_groupable() && !options.alone.contains(work.migration.name())
    };
    rest.iter().take_while(shares).count()
}

fn may_be_in_doubt(work: &Work<'_>, capabilities: &Capabilities) -> Vec<Remark> {
    let facts = &work.prepared.facts;
    // No look tells, and to run it again might be one time too many.
    let unsettled = |&statement: &usize| {
        let facts = &facts[statement];
        !facts.repeats_harmlessly && !shows(capabilities, facts)
    };
    let unknowable = |piece: &&Piece| match piece.kind {
        PieceKind::Unit => true,
        PieceKind::Alone => piece.run.iter().any(unsettled),
        _ => false,
    };
    let remark = |piece: &Piece| Remark::MayBeInDoubt {
        name: work.migration.name().to_owned(),
        statements: in_flight(piece).unwrap_or(InFlight { first: 1, last: 1 }),
    };
    work.prepared.pieces.iter().filter(unknowable).map(remark).collect()
}

pub(super) struct Builder<'c, 'm> {
    pub(super) capabilities: &'c Capabilities,
    pub(super) options: &'c Options,
    pub(super) standing: Standing,
    pub(super) segments: Vec<Segment<'m>>,
    /// Whether the history table stands by the time the next step runs.
    history: bool,
}

impl<'m> Builder<'_, 'm> {
    fn apply(&mut self, work: &Work<'m>) {
        let claim = claim(work, self.capabilities, first_left(&work.prepared, 0));
        let opening = Step::Claim(vec![claim]);
        self.run(&work.prepared, Some(opening), 0, 1, None);
    }

    fn resume(&mut self, resumed: &Resumed<'m, '_>) {
        let Resumed { prepared, attempt, completed, remnant } = resumed;
        let completed = *completed;
        let next = first_left(prepared, completed);

        self.replay_settings(prepared, completed);
        if let Some(remnant) = remnant {
            let cleared = Cleared {
                completed: length(completed),
                prefix: Prefix::new(self.capabilities.dialect).after(prepared, completed),
                in_flight: next.and_then(in_flight),
                watched: next.map_or_else(Vec::new, |next| watched(self.capabilities, prepared, next)),
            };
            let patience = self.options.waits.concurrent_wait.unwrap_or(CONCURRENT_WAIT);
            self.segments.extend(clear(resumed, remnant, self.capabilities.dialect, cleared, patience));
            return self.run(prepared, None, completed, attempt.epoch + 1, None);
        }
        let opening = Step::TakeOver {
            name: prepared.migration.name(),
            from_owner: attempt.owner.clone(),
            from_epoch: attempt.epoch,
            checksums: checksums(prepared.migration, self.capabilities.dialect),
            statements: length(prepared.statements.len()),
            completed: length(completed),
            prefix: Prefix::new(self.capabilities.dialect).after(prepared, completed),
            in_flight: next.and_then(in_flight),
            watched: next.map_or_else(Vec::new, |next| watched(self.capabilities, prepared, next)),
        };
        let so_far = Some(*attempt).filter(|_| completed == attempt.completed as usize);
        self.run(prepared, Some(opening), completed, attempt.epoch + 1, so_far);
    }

    /// Session state is part of a migration: plain settings that ran before the crash are set again.
    fn replay_settings(&mut self, prepared: &Prepared<'m>, completed: usize) {
        let settings = prepared.settings_before(completed);
        let steps: Vec<_> = settings.map(|setting| Step::Execute(setting.clone())).collect();
        if !steps.is_empty() {
            self.segments.push(Segment { steps });
        }
    }

    fn run(
        &mut self,
        prepared: &Prepared<'m>,
        opening: Option<Step<'m>>,
        completed: usize,
        epoch: u32,
        so_far: Option<&Attempt>,
    ) {
        let name = prepared.migration.name();
        let statements = length(prepared.statements.len());
        let digest = self.standing.add(name, prepared.migration.raw_checksum());
        let record = || {
            Step::Record(vec![Record {
                name,
                epoch,
                completed: statements,
                digest: digest.clone(),
                decision: None,
            }])
        };
        let mut prefix = Prefix::new(self.capabilities.dialect);
        let mut limiter = Limiter::new(prepared, completed, self.capabilities, self.options);
        let mut open: Vec<Step<'m>> = Vec::new();
        let mut opening = opening;
        if let Some(Step::TakeOver { .. }) = opening {
            // Committed by itself: a failure after it is then this run's to record.
            open.extend(opening.take());
            self.close(&mut open, |_| false);
        }
        if prepared.foreign_keys.are_suspended() {
            open.push(Step::SuspendForeignKeys);
        } else if prepared.foreign_keys == super::foreign_keys::ForeignKeys::Enforced {
            open.push(Step::EnforceForeignKeys);
        }
        let nothing = [Piece { kind: PieceKind::Transaction, first: 0, last: 0, run: Vec::new() }];
        let mut left: Vec<&Piece> = prepared.pieces.iter().filter(|piece| piece.last > completed).collect();
        if left.is_empty() {
            left.extend(&nothing);
        }

        for (index, piece) in left.iter().enumerate() {
            let next = left.get(index + 1);
            let transaction = piece.kind == PieceKind::Transaction;
            if piece.kind == PieceKind::Repeat {
                // Its runs are committed one by one, and so is what comes before.
                if let Some(opening) = opening.take() {
                    self.create_history(&mut open);
                    open.push(opening);
                }
                self.close(&mut open, |_| false);
                let so_far = so_far.filter(|_| index == 0);
                limiter.begin();
                let wait = limiter.before_repeat();
                let repeated = |&statement: &usize| prepared.repeated(statement, epoch, wait, so_far);
                open.extend(piece.run.iter().filter_map(repeated));
                self.close(&mut open, |_| false);
            }
            let unrepeated = |_: &usize| piece.kind != PieceKind::Repeat;
            let run =
                piece.run.iter().copied().filter(|&statement| statement >= completed).filter(unrepeated);
            let (mut first, run): (Vec<_>, Vec<_>) =
                run.partition(|&statement| transaction && prepared.sets_isolation(statement));
            let execute = |statement: usize| Step::Execute(prepared.statements[statement].clone());
            if transaction {
                // What came before stands on its own: it is never sent with the transaction.
                self.close(&mut open, transaction_prelude);
                let commits = self.capabilities.ddl == Ddl::ImplicitCommit;
                if let Some(&begin) = piece.run.first().filter(|_| commits && prepared.changes_session(piece))
                {
                    // A rollback takes no setting back: when it is tried again it begins as it did before.
                    open.push(Step::RewindSettings);
                    open.extend(prepared.settings_before(begin).cloned().map(Step::Execute));
                }
                limiter.begin();
                open.extend(limiter.before_begin());
                if commits {
                    open.extend(first.drain(..).map(execute));
                }
                open.push(Step::Begin);
            }
            open.extend(first.into_iter().map(execute));
            if let Some(opening) = opening.take() {
                self.create_history(&mut open);
                open.push(opening);
            }
            if transaction {
                open.extend(
                    run.into_iter().flat_map(|statement| {
                        limiter.before(statement).into_iter().chain([execute(statement)])
                    }),
                );
            } else {
                // Nothing comes between statements that belong together.
                open.extend(run.iter().filter_map(|&statement| limiter.before(statement)).next());
                open.extend(run.into_iter().map(execute));
            }
            if transaction && prepared.foreign_keys.are_suspended() {
                open.push(Step::CheckForeignKeys);
            }
            open.push(match next {
                None => record(),
                Some(next) => Step::Checkpoint {
                    name,
                    epoch,
                    completed: length(piece.last),
                    prefix: prefix.after(prepared, piece.last),
                    in_flight: in_flight(next),
                    watched: watched(self.capabilities, prepared, next),
                },
            });
            if transaction {
                open.push(Step::Commit);
                self.close(&mut open, |_| false);
                limiter.begin();
            }
        }
        if prepared.touches_session || limiter.leaves_a_setting() {
            match (open.is_empty(), self.segments.last_mut()) {
                (true, Some(segment)) => segment.steps.push(Step::RestoreSettings),
                _ => open.push(Step::RestoreSettings),
            }
        }
        self.close(&mut open, |_| false);
    }

    /// Ends the segment, unless all it holds belongs in front of the transaction that follows.
    fn close(&mut self, open: &mut Vec<Step<'m>>, belongs_to_next: impl Fn(&Step<'m>) -> bool) {
        if !open.is_empty() && !open.iter().all(belongs_to_next) {
            self.segments.push(Segment { steps: std::mem::take(open) });
        }
    }

    fn group(&mut self, shared: &[Work<'m>]) {
        let mut steps = vec![Step::Begin];
        self.create_history(&mut steps);
        steps.push(Step::Claim(shared.iter().map(|work| claim(work, self.capabilities, None)).collect()));
        let mut is_touched = false;
        for work in shared {
            if std::mem::take(&mut is_touched) {
                steps.push(Step::RestoreSettings);
            }
            steps.extend(work.prepared.statements.iter().cloned().map(Step::Execute));
            is_touched = work.prepared.touches_session;
        }
        let record = |work: &Work<'m>| {
            let digest = self.standing.add(work.migration.name(), work.migration.raw_checksum());
            Record {
                name: work.migration.name(),
                epoch: 1,
                completed: length(work.prepared.statements.len()),
                digest,
                decision: None,
            }
        };
        steps.push(Step::Record(shared.iter().map(record).collect()));
        steps.push(Step::Commit);
        if is_touched {
            steps.push(Step::RestoreSettings);
        }
        self.segments.push(Segment { steps });
    }

    pub(super) fn create_history(&mut self, steps: &mut Vec<Step<'m>>) {
        if !self.history {
            self.history = true;
            let inside = matches!(self.capabilities.ddl, Ddl::Transactional);
            let at = if inside { steps.len() } else { 0 };
            steps.insert(at, Step::CreateHistory);
        }
    }
}

/// Steps that stand in front of BEGIN in one segment with it.
fn transaction_prelude(step: &Step<'_>) -> bool {
    matches!(step, Step::SuspendForeignKeys | Step::EnforceForeignKeys)
}

pub(super) fn claim<'m>(work: &Work<'m>, capabilities: &Capabilities, first: Option<&Piece>) -> Claim<'m> {
    let kind = match work.migration.kind() {
        MigrationKind::Repeatable => AttemptKind::Repeatable,
        MigrationKind::Versioned if work.migration.is_rust() => AttemptKind::Rust,
        MigrationKind::Versioned => AttemptKind::Apply,
    };
    Claim {
        kind,
        name: work.migration.name(),
        checksums: checksums(work.migration, capabilities.dialect),
        statements: length(work.prepared.statements.len()),
        in_flight: first.and_then(in_flight),
        watched: first.map_or_else(Vec::new, |first| watched(capabilities, &work.prepared, first)),

        supersedes: work.supersedes,
    }
}

/// The checksums of a script that is known to split.
pub(super) fn checksums(migration: &Migration, dialect: Dialect) -> Checksums {
    let raw = crate::migration::hex(migration.raw_checksum());
    migration.checksums(dialect).unwrap_or(Checksums { raw, tokens: String::new() })
}

/// The first piece left to do.
fn first_left<'a>(prepared: &'a Prepared<'_>, completed: usize) -> Option<&'a Piece> {
    prepared.pieces.iter().find(|piece| piece.last > completed)
}

/// The objects whose looks tell the outcome of a piece; none where no look does.
fn watched(capabilities: &Capabilities, prepared: &Prepared<'_>, piece: &Piece) -> Vec<ObjectName> {
    let [only] = piece.run.as_slice() else { return Vec::new() };
    let facts = &prepared.facts[*only];
    match &facts.objects {
        Objects::Known(names) if piece.kind.needs_note() && shows(capabilities, facts) => names.clone(),
        _ => Vec::new(),
    }
}

fn in_flight(piece: &Piece) -> Option<InFlight> {
    let (first, last) = (*piece.run.first()?, *piece.run.last()?);
    piece.kind.needs_note().then(|| InFlight { first: length(first + 1), last: length(last + 1) })
}

pub(super) fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The chained checksum of a script's first statements: it tells a changed head from a fixed tail.
pub(super) struct Prefix {
    dialect: Dialect,
    done: usize,
    is_begun: bool,
    chain: [u8; 32],
}

impl Prefix {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, done: 0, is_begun: false, chain: [0; 32] }
    }

    pub(super) fn after(&mut self, prepared: &Prepared<'_>, completed: usize) -> String {
        let texts = prepared.statements.iter().take(completed).skip(self.done);
        self.done = completed;
        self.of(texts.map(|execute| execute.sql))
    }

    /// With these statements behind those that are chained already; empty while there are none.
    pub(super) fn of<'s>(&mut self, texts: impl IntoIterator<Item = &'s str>) -> String {
        for text in texts {
            let mut hasher = Sha256::new();
            hasher.update(self.chain);
            hasher.update(statement_checksum(self.dialect, text).as_bytes());
            self.chain = hasher.finalize().into();
            self.is_begun = true;
        }
        if self.is_begun { format!("p1:{}", crate::migration::hex(&self.chain)) } else { String::new() }
    }
}
