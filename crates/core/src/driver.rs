//! The driver: what a database is asked, and what it may answer.
//!
//! The contract on top of every method: a driver does what a step says and nothing else. It does not
//! retry, decide, or read a clock of its own; times in the history are the server's.

mod stored;

pub use stored::StoredCode;

use crate::doctor::Survey;
use crate::history::History;
use crate::plan::Step;
use crate::schema::{Look, Schema};
use crate::sql::Dialect;
use crate::sql::classify::ObjectName;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// The database products that windlass knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Product {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

impl Product {
    /// Who it is that holds the lock of a deploy: where a server keeps it, another deploy; on SQLite whoever writes.
    ///
    /// ```
    /// use windlass_core::driver::Product;
    ///
    /// assert_eq!(Product::PostgreSql.rival(), "another deployer");
    /// assert_eq!(Product::Sqlite.rival(), "another writer");
    /// ```
    pub fn rival(self) -> &'static str {
        match self {
            Self::Sqlite => "another writer",
            Self::PostgreSql | Self::MySql | Self::MariaDb => "another deployer",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostgreSql => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
            Self::Sqlite => "SQLite",
        })
    }
}

/// Whether schema changes can be undone by a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ddl {
    /// DDL is part of the transaction it stands in.
    Transactional,
    /// DDL commits whatever transaction is open, and itself.
    ImplicitCommit,
}

/// Whether many migrations may share one transaction on an empty database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grouping {
    /// Up to so many statements in one transaction (PostgreSQL's lock table is finite).
    UpTo(usize),
    /// Never.
    Never,
}

/// Whether a client keeps its session from one transaction to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sessions {
    /// It has one for itself for as long as it is connected.
    Own,
    /// A pooler stands between, and may give each transaction another one: what is set or locked in a session is the
    /// next client's.
    Pooled,
}

/// What a database can do, as plain data; with it plans for any database are tested without it.
///
/// Built without `..` everywhere, so that a new question does not compile until every driver answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The product.
    pub product: Product,
    /// The server's version in its own words.
    pub version: String,
    /// The lexical rules its scripts follow.
    pub dialect: Dialect,
    /// What happens to DDL in a transaction.
    pub ddl: Ddl,
    /// Whether commits may be grouped on an empty database.
    pub grouping: Grouping,
    /// Whether the session is the client's own. Known once the lock was tried for, or the database was inspected.
    pub sessions: Sessions,
}

/// The newest row of the history: one round trip tells whether anything is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Head {
    /// There is no history table, or it has no row.
    None,
    /// The newest row.
    Newest {
        /// The format it was written in.
        format: u32,
        /// Its standing digest (64 hexadecimal digits); empty while an attempt runs or has failed part-way.
        digest: String,
    },
}

/// Everything a plan needs to know of the database, read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The history.
    pub history: History,
    /// What else the database holds.
    pub contents: Contents,
    /// Whether it can be written to.
    pub access: Access,
    /// What names mean there, and what a rollback does not undo.
    pub surroundings: Surroundings,
}

/// What the text of a statement does not tell of the tables that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The history table, as it is or would be.
    pub history: Option<ObjectName>,
    /// MySQL and MariaDB: the session's own database, where a name without one is looked for.
    pub schema: Option<String>,
    /// MySQL and MariaDB: that database's tables whose engine knows no transactions.
    pub kept_by_rollback: Vec<String>,
    /// MySQL and MariaDB: whether a table that is created without a word of its engine is one of them.
    pub default_kept_by_rollback: bool,
    /// MySQL and MariaDB: the triggers and routines of that database, by which others of its tables are changed.
    pub stored_code: Vec<StoredCode>,
    /// SQLite: whether migrations start with foreign keys enforced.
    pub foreign_keys_enforced: bool,
    /// What statements of half-done migrations made, and is gone since. No driver tells: a look at the schema does
    /// ([`crate::apply::inspect`]).
    pub undone: Vec<Undone>,
    /// PostgreSQL: the indexes that are not valid, the first twenty by their names.
    pub invalid_indexes: Vec<InvalidIndex>,
    /// PostgreSQL, MySQL and MariaDB: the routines that may leave a temporary table (on PostgreSQL a setting too) in the
    /// session that runs them, by what they are made of; and those whose text is hidden.
    pub leaving_routines: Vec<String>,
    /// PostgreSQL: whether there are routines in a language of users', which a default, a check or a view may call.
    pub has_routines: bool,
    /// PostgreSQL, MySQL and MariaDB: whether there are triggers, which may change the session of whoever changes rows.
    pub has_triggers: bool,
    /// The same databases: whether one of these may leave what such a routine may, by what it is made of.
    pub triggers_may_leave: bool,
    /// PostgreSQL: whether an event trigger may, in the session of whoever changes definitions.
    pub event_triggers_may_leave: bool,
}

impl Surroundings {
    /// Whether reading or changing rows may run code.
    pub(crate) fn runs_code(&self) -> bool {
        self.has_triggers || self.has_routines
    }
}

/// What a statement made that is done by the history, and of which the schema has nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The migration, which is half-done.
    pub migration: String,
    /// The statement's number, from 1.
    pub statement: u32,
    /// The object: `table ships`.
    pub object: String,
}

/// An index that no query uses, since it is not valid (PostgreSQL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIndex {
    /// The index, with its schema.
    pub index: ObjectName,
    /// Its table, with its schema.
    pub table: ObjectName,
    /// Why it is not valid, as far as can be told.
    pub why: Invalidity,
    /// Whether the session finds the table without being told its schema.
    pub in_search_path: bool,
}

/// Why an index is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalidity {
    /// A session builds on its table, or may do so: of some sessions nothing but their number is seen.
    Building(Holder),
    /// `ON ONLY` a partitioned table: not every partition's index is attached yet.
    OnlyParent,
    /// A `REINDEX CONCURRENTLY` that was cut off left it beside the index that it was to take the place of.
    LeftByReindex,
    /// The build of this migration, which neither stands nor is undone, failed or was cut off.
    LeftByAttempt(String),
    /// A build that failed or was cut off.
    Unfinished,
}

/// What a database holds besides the history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contents {
    /// No object of a user's.
    Empty,
    /// The names of some (up to five), for the message.
    Holds(Vec<String>),
}

/// Whether the session can write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// As far as can be told beforehand.
    Writable,
    /// It cannot, and why: a replica, a read-only setting, a missing right.
    ReadOnly(String),
}

/// The answer to one try at the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// This session holds it.
    Acquired,
    /// Another does.
    Held(Holder),
}

/// Who holds the lock, as far as the server tells.
///
/// ```
/// use windlass_core::driver::Holder;
///
/// fn told(holder: &Holder) -> String {
///     let who = holder.who.as_deref().unwrap_or("somebody");
///     format!("{who}, since {}", holder.since.as_deref().unwrap_or("some time"))
/// }
/// assert_eq!(told(&Holder::default()), "somebody, since some time");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Process or connection id.
    pub session: Option<String>,
    /// User, application, host: in one line.
    pub who: Option<String>,
    /// Since when it is connected, or in its transaction, by the server's clock.
    pub since: Option<String>,
    /// What it runs.
    pub running: Option<String>,
}

/// The answer to a request to end the session that holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The server was told to end it.
    Asked,
    /// That session does not hold the lock.
    HoldsNothing,
    /// No session can be ended here, and why.
    Impossible(String),
}

/// Who this run is: it goes into the history, and fences every write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// A token no other run has.
    pub owner: String,
    /// Person, program, host: for the history.
    pub applied_by: String,
    /// The version of windlass.
    pub tool: String,
}

impl Run {
    /// A run of the program that is running: `shop (process 4711)`.
    pub fn of_this_program() -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(std::path::Path::file_stem).unwrap_or_default();
        let applied_by = format!("{} (process {})", program.to_string_lossy(), std::process::id());
        Self::new(applied_by, concat!("windlass ", env!("CARGO_PKG_VERSION")))
    }

    /// A run with a token of its own, by this person or program (`ada@laptop`) with this version of it.
    ///
    /// ```
    /// use windlass_core::driver::Run;
    ///
    /// let run = Run::new("my app on host 7", "my app 1.2.0");
    /// assert_ne!(run.owner, Run::new("my app on host 7", "my app 1.2.0").owner);
    /// ```
    pub fn new(applied_by: impl Into<String>, tool: impl Into<String>) -> Self {
        let random = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        let owner = format!("{:016x}{:016x}", random(), random());
        Self { owner, applied_by: applied_by.into(), tool: tool.into() }
    }
}

/// What the database itself said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseError {
    /// Its message.
    pub message: String,
    /// Its code: an SQLSTATE, or number and SQLSTATE, or SQLite's extended code.
    pub code: Option<String>,
    /// Its detail.
    pub detail: Option<String>,
    /// Its hint.
    pub hint: Option<String>,
    /// Where it arose: a function's line, a constraint …
    pub context: Option<String>,
    /// Where in the statement, in bytes from its start.
    pub position: Option<usize>,
    /// Which line of the statement (from 1), where only that is told.
    pub line: Option<u32>,
}

impl DatabaseError {
    /// The same without anything it quotes: what a database quotes of a statement may be its secret.
    #[must_use]
    pub fn without_quotations(self) -> Self {
        let is_quote = |c: char| matches!(c, '\'' | '"' | '`' | '«' | '“');
        // The apostrophe of `doesn't` quotes nothing.
        let is_apostrophe = |at: usize| {
            self.message[..at].ends_with(char::is_alphabetic)
                && self.message[at..].strip_prefix('\'').is_some_and(|rest| rest.starts_with("t "))
        };
        let mut quotes =
            self.message.match_indices(is_quote).map(|(at, _)| at).filter(|at| !is_apostrophe(*at));
        let (first, last) = (quotes.next(), quotes.next_back());
        let message = match (first, last) {
            (Some(start), Some(end)) => {
                format!(
                    "{}'…'{}",
                    &self.message[..start],
                    self.message[end..].chars().skip(1).collect::<String>()
                )
            }
            _ => self.message,
        };
        Self { message, code: self.code, position: self.position, line: self.line, ..Self::default() }
    }
}

/// An error and its causes on one line; a cause that is told already is told once.
///
/// ```
/// use windlass_core::driver::chain;
///
/// assert_eq!(chain(&std::fmt::Error), std::fmt::Error.to_string());
/// ```
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let told = cause.to_string();
        if !words.ends_with(&told) {
            words = format!("{words}: {told}");
        }
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::DatabaseError;

    #[test]
    fn what_is_quoted_is_taken_out_and_apostrophes_stay() {
        let told = |message: &str| {
            let error = DatabaseError { message: message.to_owned(), ..DatabaseError::default() };
            error.without_quotations().message
        };
        assert_eq!(told("Table 'shop.users' doesn't exist"), "Table '…' doesn't exist");
        assert_eq!(told("Duplicate entry 'o'b' for key 't.b'"), "Duplicate entry '…'");
        assert_eq!(told("it doesn't exist"), "it doesn't exist");
        assert_eq!(
            told("invalid input syntax for type integer: \"hunter2\""),
            "invalid input syntax for type integer: '…'"
        );
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for DatabaseError {}

/// Why a driver could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The database refused.
    #[error("the database refused")]
    Refused(#[source] DatabaseError),
    /// The connection broke: what was under way may have taken effect or not.
    #[error("the connection to the database was lost: {0}")]
    Lost(String),
    /// The history table holds what this driver cannot read.
    #[error("the history table cannot be read: {0}")]
    History(String),
    /// The history was found in more than one place.
    #[error("the history stands in more than one place: {}", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// The schema cannot be read, and why.
    #[error("the schema cannot be read: {0}")]
    Schema(String),
    /// The application's connection is in the middle of a transaction: what is read there may be what was so long ago,
    /// and what is written is not windlass's to commit. Nothing was read or written, and the transaction stands.
    #[error("the connection has a transaction open that is not of windlass: end it first")]
    InTransaction,
}

/// The step of a segment that went wrong, and how. No transaction is left open.
#[derive(Debug)]
pub struct Failure {
    /// Index into the segment's steps.
    pub step: usize,
    /// What happened.
    pub cause: Cause,
}

/// What happened to a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The database refused it; its transaction, where it had one, is rolled back.
    Refused(DatabaseError),
    /// The connection is gone: whether the step, and a commit after it, took effect is unknown.
    Lost(String),
    /// Another run holds the migration's claim. Nothing of the segment stands.
    ClaimTaken,
    /// A checkpoint or record found no row of this owner and epoch: another run took over.
    Fenced,
    /// The watch asked to stop; the step did not run, and its transaction is rolled back.
    Stopped,
    /// Another connection holds what the step needs, and did for as long as was waited. Its transaction is
    /// rolled back; outside of one the step did nothing, unless it is of a kind that works before it waits.
    Busy(Holder),
    /// The database ended the step so that another session could go on: the two waited for one another, or could not
    /// both be right. Its transaction is rolled back; outside of one it is refused like any other.
    GaveWay(DatabaseError),
    /// References without a row they point at, found before the commit; rolled back.
    ForeignKeys(Vec<String>),
}

impl From<DriverError> for Cause {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::Refused(error) => Self::Refused(error),
            error @ DriverError::InTransaction => {
                Self::Refused(DatabaseError { message: error.to_string(), ..DatabaseError::default() })
            }
            other => Self::Lost(other.to_string()),
        }
    }
}

/// Told of every step, and asked before it whether to go on.
pub trait Watch: Send {
    /// The step with this index is about to run.
    fn starts(&mut self, step: usize);
    /// The step with this index is done.
    fn ends(&mut self, step: usize);
    /// The statement of the step with this index touched so many rows: those it inserted, deleted or matched to
    /// update, whether an update changed them or not. Told before [`Self::ends`] where a [`Step::CountRows`] follows.
    fn touched(&mut self, step: usize, rows: u64) {
        let _ = (step, rows);
    }
    /// Whether to stop before the next step.
    fn should_stop(&self) -> bool;
    /// The step waits for another session, behind [`crate::plan::WaitLimit::Others`] or, where the database can
    /// be asked meanwhile, [`crate::plan::WaitLimit::Locks`]. Told again and again while it does; the answer is
    /// whether to end it.
    fn waits(&mut self, _step: usize, _holder: &Holder) -> Patience {
        Patience::GoOn
    }
}

/// Whether to go on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Go on.
    GoOn,
    /// End the statement: it is `Busy`.
    GiveUp,
}

/// A watch that sees nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWatch;

impl Watch for NoWatch {
    fn starts(&mut self, _: usize) {}
    fn ends(&mut self, _: usize) {}
    fn should_stop(&self) -> bool {
        false
    }
}

/// One session with one database. See the module's words for the contract.
#[async_trait]
pub trait Driver: Send {
    /// What the database can do. Known since the session began: costs nothing.
    fn capabilities(&self) -> &Capabilities;

    /// The history's newest row, in one round trip.
    async fn head(&mut self) -> Result<Head, DriverError>;

    /// The whole history, and what a plan must know besides. Writes nothing, works on a read-only replica.
    async fn inspect(&mut self) -> Result<Inspection, DriverError>;

    /// Does the steps of one segment, in order, and stops at the first that fails.
    ///
    /// A segment that begins with [`Step::Begin`] is one transaction: when this returns, it is
    /// committed, or rolled back, or the connection is lost. The driver may send all at once.
    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure>;

    /// The exact number of rows of the largest of these tables; those that do not stand are left out, since a
    /// statement's own names (a query's in its `WITH`, an alias) may be among them. Writes nothing, and leaves no
    /// transaction open.
    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause>;

    /// Tries once, without waiting, to get the lock that spares deployers the collision.
    async fn try_lock(&mut self) -> Result<Lock, DriverError>;

    /// Gives the lock back.
    async fn unlock(&mut self) -> Result<(), DriverError>;

    /// Who holds the lock; nobody where it is free. Does not take it, and writes nothing.
    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError>;

    /// Asks the server to end the session with this number, if another than this one, and if it still holds the lock.
    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError>;

    /// Lets time pass on the runtime the driver lives on.
    async fn sleep(&mut self, duration: Duration);

    /// Whether it can run the migration of this name that is a function of the program.
    fn has_function(&self, _name: &str) -> bool {
        false
    }

    /// Whether it can look at the schema, and keep it ([`Step::KeepSchema`]).
    fn keeps_schema(&self) -> bool {
        false
    }

    /// The schema as it is; with the grants where they are asked for, and there are any. Writes nothing.
    async fn read_schema(&mut self, _grants: bool) -> Result<Schema, DriverError> {
        Err(DriverError::Schema("this driver does not look at it".to_owned()))
    }

    /// What the database gives to whatever is made in it without saying, such as a collation, in its own words; `None` where
    /// there is nothing such.
    async fn defaults(&mut self) -> Result<Option<String>, DriverError> {
        Ok(None)
    }

    /// Gives the database what another of its kind has: what [`Driver::defaults`] told there.
    async fn take_defaults(&mut self, _defaults: &str) -> Result<(), DriverError> {
        Ok(())
    }

    /// Whether the schema is as it was kept last, with the grants where they are asked for; one round trip where it is.
    /// Writes nothing.
    async fn look_at_schema(&mut self, _grants: bool) -> Result<Look, DriverError> {
        Ok(Look::Unknown("windlass does not look at the schema of this database".to_owned()))
    }

    /// Which of these tables stand, whatever their schema, and what only [`crate::doctor`] asks. Writes nothing.
    async fn survey(&mut self, _tables: &[&str]) -> Result<Survey, DriverError> {
        Ok(Survey::default())
    }

    /// Gives a connection that an application lent back as it was. There is nothing to do for one of its own.
    async fn give_back(&mut self) -> Result<(), DriverError> {
        Ok(())
    }
}

/// A driver that is lent goes back to its owner as it is.
#[async_trait]
impl<D: Driver + ?Sized> Driver for &mut D {
    fn capabilities(&self) -> &Capabilities {
        (**self).capabilities()
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        (**self).head().await
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        (**self).inspect().await
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        (**self).perform(run, steps, watch).await
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        (**self).count_rows(tables).await
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        (**self).try_lock().await
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        (**self).unlock().await
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        (**self).lock_holder().await
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        (**self).end_lock_holder(session).await
    }

    async fn sleep(&mut self, duration: Duration) {
        (**self).sleep(duration).await;
    }

    fn has_function(&self, name: &str) -> bool {
        (**self).has_function(name)
    }

    fn keeps_schema(&self) -> bool {
        (**self).keeps_schema()
    }

    async fn read_schema(&mut self, grants: bool) -> Result<Schema, DriverError> {
        (**self).read_schema(grants).await
    }

    async fn defaults(&mut self) -> Result<Option<String>, DriverError> {
        (**self).defaults().await
    }

    async fn take_defaults(&mut self, defaults: &str) -> Result<(), DriverError> {
        (**self).take_defaults(defaults).await
    }

    async fn look_at_schema(&mut self, grants: bool) -> Result<Look, DriverError> {
        (**self).look_at_schema(grants).await
    }

    async fn survey(&mut self, tables: &[&str]) -> Result<Survey, DriverError> {
        (**self).survey(tables).await
    }

    async fn give_back(&mut self) -> Result<(), DriverError> {
        (**self).give_back().await
    }
}
