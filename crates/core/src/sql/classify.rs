//! What a statement is: whether it can be in a transaction, what it changes, which objects it names.

mod cursor;
mod definition;
mod functions;
mod index;
mod last_statement;
mod lasting;
mod left;
mod mysql;
mod postgres;
mod reach;
mod secret;
mod sketch;
mod sqlite;
mod taken;
mod variables;

pub(crate) use definition::{changes_defaults, changes_unnamed, replaces_table};
pub(crate) use functions::{IDENTITY, SESSION};
pub(crate) use last_statement::{Adds, adds, calls};
pub(crate) use lasting::{Lasting, lasting};
pub(crate) use left::{Left, left};
pub(crate) use mysql::{NEXT_STATEMENT, TEMPORARY, VARIABLES};
pub(crate) use postgres::{FROM_DATA, LOCKED};
pub(crate) use sqlite::ATTACHED;
pub(crate) use taken::{Taken, taken_if_there};

pub(crate) use reach::is_upkeep;
pub use reach::reach;
pub use secret::may_hold_secret;
pub(crate) use secret::{DIGEST, NOT_SHOWN, is_called_like_a_secret, names_what_is_secret};

use super::Dialect;
use sketch::Sketch;
use variables::Variables;

/// How many bytes of a statement that changes rows are searched for secrets.
const LONGEST_DATA_READ: usize = 64 * 1024;

/// What is known of a statement from its text alone.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether the statement can be inside a transaction, or controls one.
    pub transaction: Transaction,
    /// What kind of thing the statement changes.
    pub effect: Effect,
    /// MySQL and MariaDB: the statement commits an open transaction by itself.
    pub implicit_commit: bool,
    /// The tables, indexes, types and other objects the statement names.
    pub objects: Objects,
    /// How the statement uses state that lives in the session.
    pub session: SessionUse,
    /// The statement means the same when many migrations share one transaction on an empty database.
    pub groupable: bool,
    /// The text may hold a password or another secret.
    pub may_hold_secret: bool,
    /// PostgreSQL: the label that `ALTER TYPE … ADD VALUE` adds; usable only after its commit.
    pub enum_value: Option<String>,
    /// SQLite: `PRAGMA foreign_keys = …`, which a transaction silently ignores.
    pub foreign_keys_pragma: Option<bool>,
    /// How it changes definitions, as far as that tells what a crash or a refusal may leave of it.
    pub definition: Option<Definition>,
    /// Running it again changes nothing that its first run did not.
    pub repeats_harmlessly: bool,
    /// PostgreSQL: it works in several transactions of its own, and can be found half-done.
    pub concurrently: Option<Concurrently>,
    /// PostgreSQL: `CREATE INDEX`, which an index of that name is in the way of; valid or not, it is good enough for
    /// `IF NOT EXISTS`.
    pub takes_index: Option<TakenIndex>,
    /// MySQL and MariaDB: a rollback does not undo it, for the engine of a table that it or a trigger changes knows no
    /// transactions. The text does not tell: a plan does, which knows the tables.
    pub kept_by_rollback: bool,
    /// SQLite: `PRAGMA journal_mode = OFF`, after which nothing can be rolled back.
    pub gives_rollback_up: bool,
    /// PostgreSQL: it evaluates nothing of a user's, no default, no check, no function: code that changes the session
    /// cannot run with it.
    pub(crate) evaluates_nothing: bool,
    /// PostgreSQL: it calls what may be a user's function.
    pub(crate) calls_unknown: bool,
    /// MySQL and MariaDB: what it does with user variables.
    pub(crate) variables: Variables,
}

/// How a statement changes definitions.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Definition {
    /// `CREATE` of something that was not there.
    Create,
    /// `CREATE OR REPLACE`.
    Replace,
    /// `CREATE TABLE … SELECT`: rows come with it.
    Fill,
    /// `CREATE OR REPLACE TABLE … SELECT`: the same, in place of what was there.
    Refill,
    /// `ALTER`.
    Alter,
    /// `ALTER TABLE … EXCHANGE PARTITION` and its like: rows go elsewhere, and definitions stay as they were.
    Move,
    /// `DROP`.
    Drop,
    /// `RENAME`.
    Rename,
}

/// What works in several transactions of its own (PostgreSQL).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Concurrently {
    /// `CREATE INDEX CONCURRENTLY`.
    CreateIndex,
    /// `DROP INDEX CONCURRENTLY`.
    DropIndex,
    /// `REINDEX CONCURRENTLY`.
    Reindex,
    /// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`.
    DetachPartition,
}

/// The name of an index to be created (PostgreSQL): where one stands, `IF NOT EXISTS` leaves it as it is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TakenIndex {
    /// Its name; it is looked for in the table's schema.
    pub name: String,
    /// The table.
    pub table: ObjectName,
    /// `IF NOT EXISTS`.
    pub unless_there: bool,
    /// `ON ONLY`: that of a partitioned table is not valid before its partitions' indexes are attached.
    pub on_only: bool,
}

/// Whether a statement can be inside a transaction, or controls one.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// It can be inside a transaction.
    Inside,
    /// It cannot be inside a transaction, and why.
    Outside(&'static str),
    /// It starts, ends or marks a transaction.
    Control(Control),
}

/// How a statement controls the transaction.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// `BEGIN`, `START TRANSACTION`.
    Begin(Modes),
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `SET TRANSACTION ISOLATION LEVEL …`: on PostgreSQL it has to come before the transaction's first query, on
    /// MySQL and MariaDB before the transaction.
    Isolation,
    /// MySQL and MariaDB: `SET autocommit = …` and no other setting.
    Autocommit,
    /// Anything else that steers transactions: two-phase commit, XA, autocommit among other settings.
    Other,
}

/// What a `BEGIN` asks of its transaction.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// Nothing that a transaction of windlass's own does not give.
    Plain,
    /// PostgreSQL: an isolation level, as the `SET TRANSACTION` that asks for the same.
    Isolation(&'static str),
    /// To read only, which could not hold the record of what it did.
    ReadOnly,
    /// Something else.
    Other,
}

/// What kind of thing a statement changes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Definitions: tables, indexes, types, functions, grants on them.
    Schema,
    /// Rows.
    Data,
    /// The session only.
    Session,
    /// Nothing: it reads.
    Query,
    /// The server, or something outside the database: other databases, roles, tablespaces.
    Server,
    /// Not known from the text: it runs code.
    Unknown,
}

impl Effect {
    /// Whether it is, or may be, more than rows and the session.
    pub(crate) fn may_define(self) -> bool {
        !matches!(self, Self::Query | Self::Data | Self::Session)
    }
}

/// The objects a statement names.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Every object it names.
    Known(Vec<ObjectName>),
    /// It may touch anything.
    Unknown,
}

/// The name of an object, folded as its dialect folds names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The schema (on MySQL and MariaDB the database), when the statement gives one.
    pub schema: Option<String>,
    /// The object's own name.
    pub name: String,
}

/// How a statement uses state that lives in the session.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionUse {
    /// Not at all.
    None,
    /// It changes a setting and can be replayed.
    Setting,
    /// It reads or writes state that cannot be replayed.
    Bound(Binding),
    /// `LOCK TABLES`.
    LockTables,
    /// `UNLOCK TABLES`.
    UnlockTables,
}

/// State that cannot be replayed, and in words which.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It lives as long as the session.
    Session(&'static str),
    /// It ends with the transaction: a cut would end it earlier than the script says.
    Transaction(&'static str),
    /// What the statement before left, such as `LAST_INSERT_ID()`.
    LastStatement(&'static str),
}

/// What the text tells of one statement, as [`super::split::split`] gives it.
///
/// ```
/// use windlass_core::sql::{Dialect, classify::{Transaction, classify}};
///
/// let facts = classify(Dialect::Postgres, "CREATE INDEX CONCURRENTLY ON ship (name)");
/// assert!(matches!(facts.transaction, Transaction::Outside(_)));
/// ```
pub fn classify(dialect: Dialect, statement: &str) -> Facts {
    let sketch = Sketch::new(dialect, statement);
    let facts = match dialect {
        Dialect::Postgres => postgres::classify(&sketch),
        Dialect::MySql => mysql::classify(&sketch),
        Dialect::Sqlite => sqlite::classify(&sketch),
    };
    let calls_unknown = dialect == Dialect::Postgres && !facts.evaluates_nothing && sketch.has_unknown_call();
    let facts = Facts { calls_unknown, ..definition::told(&sketch, facts) };
    // The rows of a long INSERT are not worth the time.
    let read = if facts.effect == Effect::Data { LONGEST_DATA_READ } else { usize::MAX };
    match facts.may_hold_secret || secret::holds_secret(&statement.as_bytes()[..statement.len().min(read)]) {
        true => facts.secret(),
        false => facts,
    }
}

/// Whether nothing that is found in an otherwise empty database can come of the statement: it reads, sets, takes away, or is
/// about roles, grants, extensions and other things that a look at the contents leaves out.
pub(crate) fn leaves_nothing(dialect: Dialect, statement: &str) -> bool {
    const UNSEEN: [&str; 12] = [
        "EXTENSION",
        "SCHEMA",
        "COLLATION",
        "CAST",
        "LANGUAGE",
        "OPERATOR",
        "TEXT SEARCH",
        "CONVERSION",
        "ACCESS METHOD",
        "FOREIGN DATA WRAPPER",
        "PUBLICATION",
        "DEFAULT PRIVILEGES",
    ];
    let facts = classify(dialect, statement);
    match (facts.effect, &facts.definition) {
        (Effect::Query | Effect::Session | Effect::Server, _) | (Effect::Schema, Some(Definition::Drop)) => {
            true
        }
        (Effect::Schema, _) => {
            let sketch = Sketch::new(dialect, statement);
            let mut cursor = sketch.cursor();
            let is_unseen = cursor.eat_any(&["CREATE OR REPLACE", "CREATE", "ALTER", "COMMENT ON"])
                && cursor.eat_any(&UNSEEN)
                // A schema may be made with what is in it.
                && !cursor.has(&["CREATE"]);
            is_unseen || ["GRANT", "REVOKE", "PRAGMA"].iter().any(|word| cursor.sees(word))
        }
        (Effect::Data | Effect::Unknown, _) => false,
    }
}

/// The tables that a statement reads or writes, and names of its own that are none: those of its `WITH`.
pub(crate) fn tables(dialect: Dialect, statement: &str) -> Vec<ObjectName> {
    Sketch::new(dialect, statement).tables
}

impl Facts {
    /// Of a function of the program. Whether it can be in a transaction with its record where definitions commit
    /// by themselves, only its author knows.
    pub(crate) fn of_code(in_transaction: bool) -> Self {
        let facts = Self { groupable: false, ..Self::of(Effect::Unknown) };
        match in_transaction {
            true => Self { effect: Effect::Data, ..facts }.naming(Vec::new()),
            false => facts,
        }
    }

    /// A statement in a transaction that changes this, and of which nothing else is known yet.
    fn of(effect: Effect) -> Self {
        Facts {
            transaction: Transaction::Inside,
            effect,
            implicit_commit: false,
            objects: Objects::Unknown,
            session: SessionUse::None,
            groupable: false,
            may_hold_secret: false,
            enum_value: None,
            foreign_keys_pragma: None,
            definition: None,
            repeats_harmlessly: false,
            concurrently: None,
            takes_index: None,
            kept_by_rollback: false,
            gives_rollback_up: false,
            evaluates_nothing: false,
            calls_unknown: false,
            variables: Variables::default(),
        }
    }

    fn control(control: Control) -> Self {
        Facts { transaction: Transaction::Control(control), ..Facts::of(Effect::Session).naming(Vec::new()) }
    }

    fn outside(self, why: &'static str) -> Self {
        Facts { transaction: Transaction::Outside(why), groupable: false, ..self }
    }

    fn naming(self, objects: Vec<ObjectName>) -> Self {
        Facts { objects: Objects::Known(objects), ..self }
    }

    fn naming_unknown(self) -> Self {
        Facts { objects: Objects::Unknown, ..self }
    }

    fn groupable_if(self, groupable: bool) -> Self {
        Facts { groupable, ..self }
    }

    fn session(self, session: SessionUse) -> Self {
        Facts { session, groupable: false, ..self }
    }

    /// Tied to state that lives as long as the session.
    fn bound(self, why: &'static str) -> Self {
        self.session(SessionUse::Bound(Binding::Session(why)))
    }

    /// Tied to state that ends with the transaction.
    fn held(self, why: &'static str) -> Self {
        self.session(SessionUse::Bound(Binding::Transaction(why)))
    }

    fn concurrently(self, what: Concurrently, why: &'static str) -> Self {
        Facts { concurrently: Some(what), ..self.outside(why) }
    }

    fn secret(self) -> Self {
        Facts { may_hold_secret: true, ..self }
    }
}
