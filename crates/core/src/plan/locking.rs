//! Locking: which statements keep others from a table, how long they may wait for that, and what a plan tells of it.
//!
//! A strong lock that is waited for already keeps others out: whoever comes later queues behind it. So the
//! wait is short, and what is held meanwhile, and worked under it, is told beforehand.

use super::outcome::refusal_leaves_nothing;
use super::pieces::Prepared;
use super::{Execute, Options, Remark, Step};
use crate::driver::{Capabilities, Product};
use crate::sql::classify::{Effect, Facts, ObjectName, Objects, SessionUse, classify};
use crate::sql::{Dialect, lexer};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

/// How long a strong lock is waited for where nobody says otherwise.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement that works concurrently waits for other sessions where nobody says otherwise.
pub const CONCURRENT_WAIT: Duration = Duration::from_secs(600);

/// How long to wait for other sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waits {
    /// For strong locks, all those of one transaction together; [`LOCK_TIMEOUT`] by default, zero for ever.
    /// A migration's own directive comes before it.
    pub lock_timeout: Option<Duration>,
    /// For statements that work concurrently, each; [`CONCURRENT_WAIT`] by default, zero for ever.
    pub concurrent_wait: Option<Duration>,
}

/// How the statements that follow, in the segment, wait for other sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitLimit {
    /// For locks up to this long. In a transaction it is one budget: it begins with the statement that
    /// follows, and later statements wait for what is left of it.
    Locks(Duration),
    /// For locks without end, since they keep nobody out; the watch is told whom is waited for, and ends it
    /// once it took this long.
    Others(Duration),
    /// As the script itself says.
    Script,
}

impl fmt::Display for WaitLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locks(time) => write!(f, "limit lock waits to {}", spoken(*time)),
            Self::Others(time) => write!(f, "wait for other sessions up to {}", spoken(*time)),
            Self::Script => write!(f, "leave lock waits to the script"),
        }
    }
}

/// A length of time as people say it: `5 s`, `1500 ms`, `10 min`.
pub(super) fn spoken(time: Duration) -> String {
    let milliseconds = time.as_millis();
    match milliseconds {
        0 => "0 s".to_owned(),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{ms} ms"),
    }
}

/// What a statement locks while it waits and works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Locking {
    /// No more than the rows it changes.
    Weak,
    /// Others may read its tables, and not write to them.
    KeepsWritersOut,
    /// Nobody else uses its tables.
    KeepsEverybodyOut,
    /// It waits for the transactions of others, and keeps nobody out.
    Concurrent,
}

impl Locking {
    /// Whether others wait for it.
    pub fn is_strong(self) -> bool {
        matches!(self, Self::KeepsWritersOut | Self::KeepsEverybodyOut)
    }
}

/// What the text of a statement tells of its locks.
///
/// ```
/// use windlass_core::plan::{Locking, locking};
/// use windlass_core::sql::Dialect;
///
/// assert_eq!(locking(Dialect::Postgres, "ALTER TABLE ship ADD n int"), Locking::KeepsEverybodyOut);
/// assert_eq!(locking(Dialect::Postgres, "CREATE INDEX ON ship (n)"), Locking::KeepsWritersOut);
/// assert_eq!(locking(Dialect::Postgres, "UPDATE ship SET n = 1"), Locking::Weak);
/// ```
pub fn locking(dialect: Dialect, sql: &str) -> Locking {
    locking_of(dialect, sql, &classify(dialect, sql))
}

fn locking_of(dialect: Dialect, sql: &str, facts: &Facts) -> Locking {
    const ROWS: [&str; 10] =
        ["INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "SET", "COPY", "REPLACE", "VALUES", "MERGE"];
    if ROWS.contains(&Words::first_of(dialect, sql, 1).first()) {
        return Locking::Weak;
    }
    let words = Words::of(dialect, sql);
    match dialect {
        Dialect::Postgres => postgres(facts, &words, sql),
        Dialect::MySql => mysql(&words),
        // One writer at a time: its lock is the file's, and readers go on.
        Dialect::Sqlite => Locking::Weak,
    }
}

/// The first keywords and names of a statement, without what stands in quotes and comments.
struct Words(Vec<String>);

/// So many words hold what a definition is about.
const WORDS: usize = 400;

impl Words {
    fn of(dialect: Dialect, sql: &str) -> Self {
        Self::first_of(dialect, sql, WORDS)
    }

    fn first_of(dialect: Dialect, sql: &str, most: usize) -> Self {
        let words = lexer::tokens(dialect, sql).filter(|token| token.kind == lexer::TokenKind::Word);
        Self(words.take(most).map(|token| token.text.to_ascii_uppercase()).collect())
    }

    fn begins(&self, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(at, word)| self.0.get(at).is_some_and(|found| found == word))
    }

    fn has(&self, phrase: &str) -> bool {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        self.0.windows(phrase.len()).any(|window| window.iter().zip(&phrase).all(|(a, b)| a == b))
    }

    fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

fn postgres(facts: &Facts, words: &Words, sql: &str) -> Locking {
    if facts.concurrently.is_some() {
        return Locking::Concurrent;
    }
    const RELATIONS: [&str; 7] = ["TABLE", "INDEX", "VIEW", "MATERIALIZED", "SEQUENCE", "FOREIGN", "SCHEMA"];
    let second = words.0.get(1).map_or("", String::as_str);
    match words.first() {
        "ALTER" if RELATIONS.contains(&second) => alter_table(words),
        "CREATE" if words.begins("CREATE INDEX") || words.begins("CREATE UNIQUE INDEX") => {
            Locking::KeepsWritersOut
        }
        "CREATE" if words.0.iter().take(5).any(|word| word == "TRIGGER") => Locking::KeepsWritersOut,
        "CREATE" if words.0.iter().take(4).any(|word| word == "RULE" || word == "POLICY") => {
            Locking::KeepsEverybodyOut
        }
        "CREATE" if words.begins("CREATE OR REPLACE") && words.0.iter().take(5).any(|w| w == "VIEW") => {
            Locking::KeepsEverybodyOut
        }
        "CREATE" if words.has("PARTITION OF") => Locking::KeepsEverybodyOut,
        "CREATE" if words.0.iter().take(4).any(|w| w == "TABLE") && words.has("REFERENCES") => {
            Locking::KeepsWritersOut
        }
        "DROP" if !["FUNCTION", "PROCEDURE", "ROLE", "USER", "DATABASE"].contains(&second) => {
            Locking::KeepsEverybodyOut
        }
        "TRUNCATE" | "LOCK" | "CLUSTER" => Locking::KeepsEverybodyOut,
        "VACUUM" if words.has("FULL") => Locking::KeepsEverybodyOut,
        "REFRESH" if words.has("CONCURRENTLY") => Locking::KeepsWritersOut,
        "REFRESH" => Locking::KeepsEverybodyOut,
        "REINDEX" => Locking::KeepsWritersOut,
        // What a block of code does stands in its text.
        "DO" if defines_in_code(sql) => Locking::KeepsEverybodyOut,
        _ => Locking::Weak,
    }
}

fn alter_table(words: &Words) -> Locking {
    let actions = [
        "ADD", "DROP", "ALTER", "RENAME", "ATTACH", "DETACH", "SET", "ENABLE", "DISABLE", "OWNER", "INHERIT",
    ];
    let others = words.0.iter().skip(1).filter(|word| actions.contains(&word.as_str())).count();
    match () {
        () if words.has("VALIDATE CONSTRAINT") && others == 0 => Locking::Weak,
        () if words.has("FOREIGN KEY") && others == 1 => Locking::KeepsWritersOut,
        () => Locking::KeepsEverybodyOut,
    }
}

fn defines_in_code(sql: &str) -> bool {
    let text = sql.to_ascii_lowercase();
    ["alter table", "drop table", "drop index", "create index", "truncate", "lock table", "create trigger"]
        .iter()
        .any(|phrase| text.contains(phrase))
}

/// Every definition takes its table for itself at its end, however it works until then.
fn mysql(words: &Words) -> Locking {
    let second = words.0.get(1).map_or("", String::as_str);
    match words.first() {
        "ALTER" | "DROP"
            if ["TABLE", "TABLES", "INDEX", "VIEW", "TRIGGER", "ONLINE", "OFFLINE", "IGNORE"]
                .contains(&second) =>
        {
            Locking::KeepsEverybodyOut
        }
        "CREATE" if words.0.iter().take(5).any(|word| word == "INDEX" || word == "TRIGGER") => {
            Locking::KeepsEverybodyOut
        }
        "CREATE" if words.begins("CREATE OR REPLACE") => Locking::KeepsEverybodyOut,
        "CREATE" if words.0.iter().take(4).any(|word| word == "TABLE") && words.has("REFERENCES") => {
            Locking::KeepsEverybodyOut
        }
        "RENAME" | "TRUNCATE" | "OPTIMIZE" | "REPAIR" => Locking::KeepsEverybodyOut,
        "LOCK" => Locking::KeepsEverybodyOut,
        _ => Locking::Weak,
    }
}

/// Whether a statement says itself how long it waits: in a SET, or in a call with the setting's name.
fn says_itself(facts: &Facts, sql: &str) -> bool {
    const SETTINGS: [&str; 3] = ["lock_timeout", "lock_wait_timeout", "busy_timeout"];
    matches!(facts.effect, Effect::Session | Effect::Query) && {
        let text = sql.to_ascii_lowercase();
        SETTINGS.iter().any(|setting| text.contains(setting))
    }
}

/// Whether a statement that did not get its lock, outside any transaction, did nothing at all.
pub(crate) fn waits_before_it_works(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    refusal_leaves_nothing(capabilities, execute)
        || Words::first_of(capabilities.dialect, execute.sql, 1).first() == "TRUNCATE"
}

/// Whether a statement has all its locks, of however many tables, before it works at all.
pub(crate) fn locks_come_first(execute: &Execute<'_>) -> bool {
    ["RENAME", "DROP", "LOCK", "TRUNCATE"].contains(&Words::first_of(Dialect::MySql, execute.sql, 1).first())
}

/// PostgreSQL: whether it adds a constraint that is not checked yet.
pub(super) fn adds_unchecked(sql: &str) -> bool {
    let words = Words::of(Dialect::Postgres, sql);
    words.begins("ALTER TABLE") && words.has("NOT VALID")
}

/// PostgreSQL: whether it checks such a constraint, and does nothing else.
pub(super) fn validates(sql: &str) -> bool {
    let words = Words::first_of(Dialect::Postgres, sql, 20);
    words.begins("ALTER TABLE")
        && words.has("VALIDATE CONSTRAINT")
        && !words.has_any(&["ADD", "DROP", "ALTER COLUMN"])
}

/// Which statements of a migration are limited, statement by statement as they are planned.
pub(super) struct Limiter<'p, 'm> {
    prepared: &'p Prepared<'m>,
    product: Product,
    dialect: Dialect,
    budget: Option<Duration>,
    others: Duration,
    /// The script said itself how long to wait: in its session, in its transaction.
    is_script_s: bool,
    is_script_s_here: bool,
    /// What holds now, in this segment.
    now: Option<WaitLimit>,
}

impl<'p, 'm> Limiter<'p, 'm> {
    /// For what comes after the statements that are completed.
    pub(super) fn new(
        prepared: &'p Prepared<'m>,
        completed: usize,
        capabilities: &Capabilities,
        options: &Options,
    ) -> Self {
        let is_replayed = |index: &usize| prepared.facts[*index].session == SessionUse::Setting;
        let said = |index: usize| says_itself(&prepared.facts[index], prepared.statements[index].sql);
        let asked = prepared.lock_timeout.or(options.waits.lock_timeout);
        let budget = match capabilities.product {
            // A connection to a file has its own patience, where nobody says otherwise.
            Product::Sqlite => asked,
            _ => Some(asked.unwrap_or(LOCK_TIMEOUT)),
        };
        Self {
            prepared,
            product: capabilities.product,
            dialect: capabilities.dialect,
            budget: budget.filter(|time| !time.is_zero()),
            others: options.waits.concurrent_wait.unwrap_or(CONCURRENT_WAIT),
            is_script_s: (0..completed).filter(is_replayed).any(said),
            is_script_s_here: false,
            now: None,
        }
    }

    /// In the transaction of what came before, and so with the limit that holds in it.
    pub(super) fn after(self, now: Option<WaitLimit>) -> Self {
        Self { now, ..self }
    }

    /// The limit that holds now.
    pub(super) fn limit_now(&self) -> Option<WaitLimit> {
        self.now
    }

    /// A segment, or a transaction, begins.
    pub(super) fn begin(&mut self) {
        (self.now, self.is_script_s_here) = (None, false);
    }

    /// A limit is a setting of the session there, which the next migration must not find.
    pub(super) fn leaves_a_setting(&self) -> bool {
        self.product == Product::Sqlite && self.budget.is_some()
    }

    /// For a database with one lock: before it is waited for.
    pub(super) fn before_begin(&mut self) -> Option<Step<'m>> {
        self.limit(self.before_repeat()?)
    }

    /// The same for a statement whose runs are transactions of their own.
    pub(super) fn before_repeat(&self) -> Option<WaitLimit> {
        self.budget.filter(|_| self.product == Product::Sqlite).map(WaitLimit::Locks)
    }

    /// The limit to set before a statement, where it is not the one that holds already.
    pub(super) fn before(&mut self, statement: usize) -> Option<Step<'m>> {
        let (facts, sql) = (&self.prepared.facts[statement], self.prepared.statements[statement].sql);
        if says_itself(facts, sql) {
            let is_local = matches!(facts.session, SessionUse::Bound(_));
            self.is_script_s |= !is_local;
            self.is_script_s_here |= is_local;
            return self.now.and_then(|_| self.limit(WaitLimit::Script));
        }
        match locking_of(self.dialect, sql, facts) {
            Locking::Concurrent => self.limit(WaitLimit::Others(self.others)),
            locking
                if locking.is_strong()
                    && !self.is_script_s
                    && !self.is_script_s_here
                    && self.locks_what_stands(statement) =>
            {
                self.limit(WaitLimit::Locks(self.share_of(self.budget?, statement)))
            }
            _ => None,
        }
    }

    /// MySQL limits each lock by itself, and a statement holds what it has while it waits for the next.
    fn share_of(&self, budget: Duration, statement: usize) -> Duration {
        let words = Words::of(self.dialect, self.prepared.statements[statement].sql);
        let tables = locked(self.prepared, statement).map_or(1, |tables| tables.len());
        let waits = match words.first() {
            _ if self.dialect != Dialect::MySql => 1,
            // Nobody uses the new names yet.
            "RENAME" => tables / 2,
            "DROP" | "LOCK" => tables,
            "ALTER" if words.has("REFERENCES") => tables,
            _ => 1,
        };
        budget / u32::try_from(waits.max(1)).unwrap_or(u32::MAX)
    }

    fn limit(&mut self, limit: WaitLimit) -> Option<Step<'m>> {
        (self.now != Some(limit)).then(|| {
            self.now = Some(limit);
            Step::LimitWaits(limit)
        })
    }

    /// Nobody waits for a table that this migration itself has just created.
    fn locks_what_stands(&self, statement: usize) -> bool {
        !locked(self.prepared, statement).is_some_and(|tables| tables.is_empty())
    }
}

/// The objects that a statement locks and that the migration did not create itself; `None` where they are not known.
fn locked(prepared: &Prepared<'_>, statement: usize) -> Option<Vec<ObjectName>> {
    let Objects::Known(names) = &prepared.facts[statement].objects else { return None };
    let is_new = |name: &ObjectName| prepared.created.get(name).is_some_and(|&created| created < statement);
    let created = created(prepared.dialect, &prepared.statements[statement], &prepared.facts[statement]);
    // The first name is that of what is created.
    let is_first_new = created.is_some()
        || names.len() > 1 && creates_index(prepared.dialect, &prepared.statements[statement]);
    // Another view's tables are read, and stay everybody's.
    let locks =
        if replaces_view(prepared.dialect, &prepared.statements[statement]) { 1 } else { names.len() };
    let names = names.iter().take(locks).skip(usize::from(is_first_new));
    Some(names.filter(|name| !is_new(name)).cloned().collect())
}

fn replaces_view(dialect: Dialect, execute: &Execute<'_>) -> bool {
    let words = Words::first_of(dialect, execute.sql, 8);
    words.begins("CREATE OR REPLACE") && words.has("VIEW")
}

fn creates_index(dialect: Dialect, execute: &Execute<'_>) -> bool {
    let words = Words::first_of(dialect, execute.sql, 3);
    dialect != Dialect::MySql && words.first() == "CREATE" && words.has("INDEX")
}

/// What a migration creates, and the statement, counted from 0, that does it first.
pub(super) fn creations(
    dialect: Dialect,
    statements: &[Execute<'_>],
    facts: &[Facts],
) -> HashMap<ObjectName, usize> {
    let mut creations = HashMap::new();
    for (index, (execute, facts)) in statements.iter().zip(facts).enumerate() {
        if let Some(name) = created(dialect, execute, facts) {
            creations.entry(name.clone()).or_insert(index);
        }
    }
    creations
}

/// What `CREATE TABLE` and its like create where nothing was before: not `IF NOT EXISTS`, not `OR REPLACE`.
fn created<'f>(dialect: Dialect, execute: &Execute<'_>, facts: &'f Facts) -> Option<&'f ObjectName> {
    let Objects::Known(names) = &facts.objects else { return None };
    let words = Words::first_of(dialect, execute.sql, 6);
    let is_made = words
        .0
        .iter()
        .skip(1)
        .take(3)
        .any(|word| ["TABLE", "VIEW", "SEQUENCE", "MATERIALIZED", "SCHEMA"].contains(&word.as_str()));
    let is_created = words.first() == "CREATE" && is_made && !words.has_any(&["IF", "REPLACE"]);
    names.first().filter(|_| is_created)
}

/// Work that takes as long as a table is large.
fn long_work(dialect: Dialect, sql: &str, facts: &Facts) -> Option<&'static str> {
    let words = Words::of(dialect, sql);
    match dialect {
        Dialect::Postgres => long_on_postgres(&words, facts),
        Dialect::MySql => long_on_mysql(&words),
        Dialect::Sqlite => long_on_sqlite(&words),
    }
}

fn long_on_postgres(words: &Words, facts: &Facts) -> Option<&'static str> {
    match words.first() {
        "UPDATE" | "DELETE" | "MERGE" => Some("a change of rows"),
        "INSERT" if words.has("SELECT") => Some("a change of rows"),
        "COPY" if facts.effect == Effect::Data => Some("a load of rows"),
        "CREATE" if words.has("INDEX") && words.0.iter().take(3).any(|word| word == "INDEX") => {
            Some("an index build")
        }
        "REINDEX" => Some("an index build"),
        "REFRESH" => Some("a refresh"),
        "CLUSTER" | "VACUUM" if words.first() == "CLUSTER" || words.has("FULL") => Some("a table rewrite"),
        "ALTER" if words.begins("ALTER TABLE") => long_alter(words),
        _ => None,
    }
}

/// What InnoDB does beside others that write is none: they wait for its end alone.
fn long_on_mysql(words: &Words) -> Option<&'static str> {
    const COPIES: [&str; 9] = [
        "ALGORITHM COPY",
        "LOCK SHARED",
        "LOCK EXCLUSIVE",
        "CONVERT TO",
        "ENGINE",
        "PARTITION BY",
        "REORGANIZE PARTITION",
        "COALESCE PARTITION",
        "DROP PRIMARY KEY",
    ];
    match words.first() {
        "UPDATE" | "DELETE" => Some("a change of rows"),
        "INSERT" | "REPLACE" if words.has("SELECT") => Some("a change of rows"),
        "LOAD" => Some("a load of rows"),
        "CREATE" if words.has_any(&["FULLTEXT INDEX", "SPATIAL INDEX"]) => Some("an index build"),
        "ALTER" if words.begins("ALTER TABLE") => match () {
            () if words.has_any(&["ALGORITHM INSTANT", "LOCK NONE"]) => None,
            () if words.has("DROP PRIMARY KEY") && words.has("ADD PRIMARY KEY") => None,
            () if words.has_any(&COPIES) => Some("a table rewrite"),
            () if words.has_any(&["ADD FULLTEXT", "ADD SPATIAL"]) => Some("an index build"),
            () if words.has("FOREIGN KEY") && words.has("REFERENCES") => {
                Some("the validation of a constraint")
            }
            // A column that becomes another type is copied; one that becomes longer is not.
            () if words.has_any(&["MODIFY", "CHANGE"]) => Some("what may be a table rewrite"),
            () => None,
        },
        _ => None,
    }
}

/// Nobody else writes to the file from a transaction's first change to its end.
fn long_on_sqlite(words: &Words) -> Option<&'static str> {
    match words.first() {
        "UPDATE" | "DELETE" if !words.has("WHERE") => Some("a change of rows"),
        "INSERT" | "REPLACE" if words.has("SELECT") && words.has("FROM") => Some("a change of rows"),
        "CREATE" if words.has("INDEX") && words.0.iter().take(3).any(|word| word == "INDEX") => {
            Some("an index build")
        }
        "REINDEX" => Some("an index build"),
        "ALTER" if words.has("DROP") => Some("a table rewrite"),
        _ => None,
    }
}

fn long_alter(words: &Words) -> Option<&'static str> {
    let validates = !words.has("NOT VALID") && !words.has("USING INDEX");
    match () {
        () if words.has("VALIDATE CONSTRAINT") => Some("the validation of a constraint"),
        () if words.has_any(&["SET LOGGED", "SET UNLOGGED", "SET TABLESPACE"]) => Some("a table rewrite"),
        () if words.has("ALTER") && words.has_any(&["SET DATA TYPE", "TYPE"]) && !words.has("ADD") => {
            Some("a table rewrite")
        }
        () if words.has("ADD") && words.has_any(&["GENERATED ALWAYS AS", "STORED"]) => {
            Some("a table rewrite")
        }
        () if validates && words.has("ADD") && words.has_any(&["PRIMARY KEY", "UNIQUE", "EXCLUDE"]) => {
            Some("an index build")
        }
        () if validates && words.has("ADD CONSTRAINT") => Some("the validation of a constraint"),
        () if validates && words.has_any(&["ADD FOREIGN KEY", "ADD CHECK"]) => {
            Some("the validation of a constraint")
        }
        () if words.has("SET NOT NULL") => Some("the validation of a constraint"),
        () => None,
    }
}

/// What a person should know of a migration's locks before it runs.
pub(super) fn remarks(prepared: &Prepared<'_>, capabilities: &Capabilities) -> Vec<Remark> {
    let dialect = capabilities.dialect;
    if dialect == Dialect::Sqlite {
        return long_writing(prepared);
    }
    let mut remarks = Vec::new();
    for piece in &prepared.pieces {
        let mut locks = Held::default();
        let mut long = None;
        for &statement in &piece.run {
            let (facts, sql) = (&prepared.facts[statement], prepared.statements[statement].sql);
            let locking = locking_of(dialect, sql, facts);
            let mut tables = locked(prepared, statement).unwrap_or_default();
            if dialect == Dialect::MySql && Words::first_of(dialect, sql, 1).first() == "RENAME" {
                // Every second name is a new one.
                tables = tables.into_iter().step_by(2).collect();
            }
            if locking.is_strong() {
                locks.add(statement, &tables);
            }
            if let (Some(work), Some(first), None) = (long_work(dialect, sql, facts), locks.first, long)
                && (first < statement || !tables.is_empty())
            {
                long = Some((statement, work, first));
            }
        }
        let name = prepared.migration.name();
        let number = |statement: usize| prepared.statements[statement].number;
        if locks.tables.len() > 1 {
            let tables = locks.tables.clone();
            remarks.push(Remark::SeveralStrongLocks { name: name.to_owned(), tables });
        }
        if let Some((statement, work, first)) = long {
            remarks.push(Remark::LongWorkUnderLock {
                name: name.to_owned(),
                statement: number(statement),
                work,
                locked_by: number(first),
                tables: locks.tables,
            });
        }
    }
    remarks
}

/// SQLite has one lock, for the whole file: the first statement of each transaction that holds it for long.
fn long_writing(prepared: &Prepared<'_>) -> Vec<Remark> {
    let long = |&statement: &usize| {
        let work =
            long_work(prepared.dialect, prepared.statements[statement].sql, &prepared.facts[statement])?;
        let is_on_what_stands = locked(prepared, statement).is_some_and(|tables| !tables.is_empty());
        is_on_what_stands.then(|| Remark::LongWorkUnderLock {
            name: prepared.migration.name().to_owned(),
            statement: prepared.statements[statement].number,
            work,
            locked_by: prepared.statements[statement].number,
            tables: vec!["writing to the database".to_owned()],
        })
    };
    prepared.pieces.iter().filter_map(|piece| piece.run.iter().find_map(long)).collect()
}

#[derive(Default)]
struct Held {
    seen: HashSet<ObjectName>,
    tables: Vec<String>,
    first: Option<usize>,
}

impl Held {
    fn add(&mut self, statement: usize, tables: &[ObjectName]) {
        if !tables.is_empty() {
            self.first = self.first.or(Some(statement));
        }
        for table in tables.iter().filter(|&table| self.seen.insert(table.clone())) {
            let ObjectName { schema, name } = table;
            self.tables
                .push(schema.as_ref().map_or_else(|| name.clone(), |schema| format!("{schema}.{name}")));
        }
    }
}
