//! Cutting a migration into pieces: what shares a transaction, what must stand alone, what cannot be parted.

use super::{Blocked, Execute, Place};
use crate::directive::directives;
use crate::driver::{Capabilities, Ddl, Product};
use crate::migration::{Migration, TransactionMode};
use crate::sql::classify::{Control, Effect, Facts, Objects, SessionUse, Transaction, classify};
use crate::sql::split::Statement;

/// A migration made ready for planning: its statements, what each is, and the cut.
pub(super) struct Prepared<'m> {
    pub(super) migration: &'m Migration,
    pub(super) statements: Vec<Execute<'m>>,
    pub(super) facts: Vec<Facts>,
    pub(super) pieces: Vec<Piece>,
    pub(super) foreign_keys: ForeignKeys,
}

/// What a SQLite script's `PRAGMA foreign_keys` asks for; a transaction would silently ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForeignKeys {
    AsTheyAre,
    Suspended,
    Enforced,
}

/// Consecutive statements, `first..last` counted from 0, that one commit or one note covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) first: usize,
    pub(super) last: usize,
    /// Those that are sent; transaction control that the segment itself expresses is not.
    pub(super) run: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// All of it commits with its checkpoint, or nothing.
    Transaction,
    /// One statement outside any transaction.
    Alone,
    /// A plain setting: harmless to repeat, replayed on resume.
    Setting,
    /// Statements bound to one another by session state: never resumed in the middle.
    Unit,
}

impl PieceKind {
    /// Whether a crash can hide the outcome, so that the history must say beforehand what is in flight.
    pub(super) fn needs_note(self) -> bool {
        matches!(self, Self::Alone | Self::Unit)
    }
}

impl<'m> Prepared<'m> {
    pub(super) fn new(migration: &'m Migration, capabilities: &Capabilities) -> Result<Self, Blocked> {
        let dialect = capabilities.dialect;
        let script = migration.up();
        let statements =
            migration.statements(dialect).map_err(|source| Blocked::unsplittable(migration, source))?;
        let directives =
            directives(dialect, script.text()).map_err(|source| Blocked::directive(migration, source))?;
        let mode =
            if migration.mode() == TransactionMode::Automatic { directives.mode } else { migration.mode() };
        let facts: Vec<_> = statements.iter().map(|s| classify(dialect, s.text(script.text()))).collect();
        let executes = executes(migration, &statements, &facts);
        let mut cutter =
            Cutter { statements: &executes, facts: &facts, mode, pieces: Vec::new(), open: None };
        match capabilities.ddl {
            Ddl::Transactional => cutter.cut_transactional()?,
            Ddl::ImplicitCommit => cutter.cut_implicit_commit()?,
        }
        let pieces = cutter.pieces;
        let foreign_keys = foreign_keys(&facts, &executes)?;
        if capabilities.product == Product::Sqlite {
            refuse_no_journal(&executes)?;
        }

        Ok(Self { migration, statements: executes, facts, pieces, foreign_keys })
    }

    /// Whether the whole migration commits at once, its history row included.
    pub(super) fn is_one_transaction(&self) -> bool {
        match self.pieces.as_slice() {
            [] => true,
            [piece] => piece.kind == PieceKind::Transaction,
            _ => false,
        }
    }

    /// Whether it means the same when it shares a transaction with others on an empty database.
    pub(super) fn is_groupable(&self) -> bool {
        self.is_one_transaction()
            && self.foreign_keys == ForeignKeys::AsTheyAre
            && self.facts.iter().all(|facts| facts.groupable)
    }

    /// Whether a statement has to come before the first query of its transaction, the claim included.
    pub(super) fn sets_isolation(&self, statement: usize) -> bool {
        self.facts[statement].transaction == Transaction::Control(Control::Isolation)
    }

    /// Whether it may leave the session's settings changed.
    pub(super) fn touches_session(&self) -> bool {
        let sent = self.pieces.iter().flat_map(|piece| &piece.run).map(|&index| &self.facts[index]);
        let touches = |facts: &Facts| {
            facts.session != SessionUse::None || matches!(facts.effect, Effect::Session | Effect::Unknown)
        };
        self.foreign_keys != ForeignKeys::AsTheyAre || sent.into_iter().any(touches)
    }
}

fn executes<'m>(migration: &'m Migration, statements: &[Statement], facts: &[Facts]) -> Vec<Execute<'m>> {
    let script = migration.up();
    let of = u32::try_from(statements.len()).unwrap_or(u32::MAX);
    let numbered = (1..).zip(statements).zip(facts);
    let execute = |((number, statement), facts): ((u32, &Statement), &Facts)| Execute {
        migration,
        number,
        of,
        sql: statement.text(script.text()),
        copy_data: statement.copy_data(script.text()),
        line: script.line_in_file(statement.line),
        column: statement.column,
        secret: facts.may_hold_secret,
    };
    numbered.map(execute).collect()
}

/// One answer for the whole script, since the transaction that it becomes can have only one.
fn foreign_keys(facts: &[Facts], statements: &[Execute<'_>]) -> Result<ForeignKeys, Blocked> {
    let asked = |on: bool| facts.iter().position(|facts| facts.foreign_keys_pragma == Some(on));
    if asked(false).is_some() {
        // The check before the commit finds what enforcement would have refused.
        return Ok(ForeignKeys::Suspended);
    }
    let Some(begin) = asked(true) else { return Ok(ForeignKeys::AsTheyAre) };
    // Enforcement means something to what changes or removes rows.
    let means_something = |index: &usize| {
        matches!(facts[*index].effect, Effect::Data | Effect::Unknown)
            || leading_words(statements[*index].sql, 1).iter().any(|word| word == "DROP")
    };
    let before = (0..begin).find(means_something);
    match ((begin..facts.len()).find(means_something), before) {
        (None, _) => Ok(ForeignKeys::AsTheyAre),
        (Some(_), None) => Ok(ForeignKeys::Enforced),
        (Some(_), Some(_)) => Err(Blocked::UnsupportedControl {
            place: Place::of(&statements[begin]),
            what: "a PRAGMA foreign_keys = ON between statements that change rows".to_owned(),
        }),
    }
}

/// SQLite: without its journal nothing can be rolled back, and what a plan promises would be false.
fn refuse_no_journal(statements: &[Execute<'_>]) -> Result<(), Blocked> {
    let off = |execute: &&Execute<'_>| {
        let words = leading_words(execute.sql, 4);
        words.first().is_some_and(|word| word == "PRAGMA")
            && words.iter().any(|word| word == "JOURNAL_MODE")
            && words.last().is_some_and(|word| word == "OFF")
    };
    match statements.iter().find(off) {
        Some(execute) => Err(Blocked::UnsupportedControl {
            place: Place::of(execute),
            what: "PRAGMA journal_mode = OFF, after which nothing can be rolled back,".to_owned(),
        }),
        None => Ok(()),
    }
}

/// Whether the objects that a statement names look otherwise once it is done, and it is done whole or not at all.
pub(super) fn shows(capabilities: &Capabilities, facts: &Facts, sql: &str) -> bool {
    if capabilities.product == Product::PostgreSql {
        return shows_on_postgres(facts);
    }
    let words = leading_words(sql, 40);
    let first = words.first().map_or("", String::as_str);
    let has = |word: &str| words.iter().any(|w| w == word);
    let Objects::Known(names) = &facts.objects else { return false };
    if facts.effect != Effect::Schema || names.is_empty() || names.iter().any(|name| name.schema.is_some()) {
        return false;
    }
    match (capabilities.product, first) {
        // A DROP of several objects is not atomic there.
        (Product::MariaDb, "DROP") => !sql.contains(','),
        // CREATE OR REPLACE is not atomic there either.
        (Product::MariaDb, "CREATE") if has("REPLACE") => false,
        (_, "CREATE") => {
            !has("SELECT") || ["VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"].into_iter().any(has)
        }
        // These move rows, and leave the definitions as they were.
        (_, "ALTER") => !["EXCHANGE", "TRUNCATE", "DISCARD", "IMPORT"].into_iter().any(has),
        (_, "DROP" | "RENAME") => true,
        _ => false,
    }
}

/// What can be in a transaction needs no look there. A name may have a schema: an object is found by it.
///
/// These are not done at once, but what they leave when they are cut off is known for what it is.
fn shows_on_postgres(facts: &Facts) -> bool {
    const SHOWING: [&str; 3] =
        ["CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY", "ALTER TABLE … DETACH"];
    let Transaction::Outside(why) = facts.transaction else { return false };
    matches!(&facts.objects, Objects::Known(names) if !names.is_empty())
        && SHOWING.iter().any(|showing| why.starts_with(showing))
}

/// Whether running a statement again changes nothing that its first run did not.
pub(super) fn repeats_harmlessly(execute: &Execute<'_>) -> bool {
    let words = leading_words(execute.sql, 40);
    let has = |word: &str| words.iter().any(|w| w == word);
    match words.first().map_or("", String::as_str) {
        "VACUUM" | "ANALYZE" | "ANALYSE" | "OPTIMIZE" | "CHECK" | "REPAIR" | "FLUSH" | "GRANT" | "REVOKE"
        | "SET" | "COMMENT" | "PRAGMA" | "REFRESH" | "REINDEX" => true,
        // An index whose build was cut short stands, and is invalid: IF NOT EXISTS would leave it so.
        "CREATE" if has("CONCURRENTLY") => false,
        "CREATE" | "DROP" if has("SELECT") => false,
        "CREATE" | "DROP" => words.iter().take(4).any(|word| word == "IF") && has("EXISTS"),
        _ => false,
    }
}

/// The first words of a statement, in capitals.
fn leading_words(sql: &str, most: usize) -> Vec<String> {
    let words = sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).take(most).map(str::to_ascii_uppercase).collect()
}

/// Whether a refusal of this statement, outside a transaction, is known to leave nothing of it behind.
pub(crate) fn refusal_leaves_nothing(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    let facts = classify(capabilities.dialect, execute.sql);
    let known = facts.effect != Effect::Unknown && facts.objects != Objects::Unknown;
    match capabilities.product {
        // Code that a DO or CALL runs may have committed before it failed.
        Product::PostgreSql => known && !builds_concurrently(&facts),
        // Atomic DDL since MySQL 8.0.
        Product::MySql => known && (facts.effect == Effect::Schema || facts.effect == Effect::Session),
        // Crash-safe DDL since MariaDB 10.6, of one object at a time and without OR REPLACE.
        Product::MariaDb => {
            let one = matches!(&facts.objects, Objects::Known(names) if names.len() <= 1);
            let replaces = leading_words(execute.sql, 3).iter().any(|word| word == "REPLACE");
            let drops = leading_words(execute.sql, 1).iter().any(|word| word == "DROP");
            let atomic = (one || !drops) && !replaces;
            known && (facts.effect == Effect::Session || (facts.effect == Effect::Schema && atomic))
        }
        Product::Sqlite => true,
    }
}

/// Whether a refusal of this statement, outside a transaction, leaves something that is known for what it is.
pub(crate) fn refusal_leaves_remnant(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    let facts = classify(capabilities.dialect, execute.sql);
    capabilities.product == Product::PostgreSql && builds_concurrently(&facts)
}

/// A concurrent build that fails leaves an invalid index behind.
fn builds_concurrently(facts: &Facts) -> bool {
    matches!(facts.transaction, Transaction::Outside(why) if why.contains("CONCURRENTLY"))
}

/// LAST_INSERT_ID(), ROW_COUNT() and their like.
fn reads_the_last_statement(facts: &Facts) -> bool {
    matches!(facts.session, SessionUse::Bound(why) if why.contains("reads what"))
}

/// SET LOCAL, LOCK TABLE and their like, which a cut would end.
fn holds_until_commit(facts: &Facts, sql: &str) -> bool {
    match facts.session {
        SessionUse::Bound(why) if why.contains("until its transaction ends") => true,
        SessionUse::Bound(_) => {
            leading_words(sql, usize::MAX).windows(3).any(|w| w == ["ON", "COMMIT", "DROP"])
        }
        _ => false,
    }
}

/// What holds until its transaction ends, and the cut that would end it earlier than the script says.
#[derive(Default)]
struct Held {
    holder: Option<usize>,
    /// The holder, and the statement that cannot be in its transaction.
    broken: Option<(usize, usize)>,
}

impl Held {
    fn meets(&mut self, index: usize, facts: &Facts, sql: &str) {
        match &facts.transaction {
            Transaction::Control(Control::Savepoint | Control::Isolation) => {}
            Transaction::Control(_) => *self = Self::default(),
            // Directly in front of the cut it holds for nothing, as in a script run statement by statement.
            Transaction::Outside(_) => {
                self.broken =
                    self.holder.take().filter(|&holder| holder + 1 < index).map(|holder| (holder, index));
            }
            Transaction::Inside if self.holder.is_none() && holds_until_commit(facts, sql) => {
                self.holder = Some(index);
            }
            Transaction::Inside => {}
        }
    }

    fn broken_at(&self, index: usize, facts: &Facts) -> Option<(usize, usize)> {
        self.broken.filter(|&(_, cut)| cut < index && facts.transaction == Transaction::Inside)
    }
}

/// Every statement of ours is committed by itself, so a change of autocommit alone means nothing.
fn sets_autocommit_alone(sql: &str) -> bool {
    let words = leading_words(sql, 6);
    words.first().is_some_and(|word| word == "SET") && !sql.contains(',')
}

struct Cutter<'a, 'm> {
    statements: &'a [Execute<'m>],
    facts: &'a [Facts],
    mode: TransactionMode,
    pieces: Vec<Piece>,
    /// The explicit transaction that is open in the file, by the index of its BEGIN.
    open: Option<usize>,
}

impl Cutter<'_, '_> {
    /// PostgreSQL and SQLite: one transaction, cut around what cannot be in it.
    fn cut_transactional(&mut self) -> Result<(), Blocked> {
        let mut fresh = true;
        let mut held = Held::default();
        for index in 0..self.statements.len() {
            let facts = &self.facts[index];
            held.meets(index, facts, self.statements[index].sql);
            if let Some((holder, cut)) = held.broken_at(index, facts) {
                return Err(Blocked::CutChangesMeaning { held: self.place(holder), cut: self.place(cut) });
            }
            match &facts.transaction {
                Transaction::Control(Control::Savepoint) => self.join(index, &mut fresh),
                Transaction::Control(Control::Isolation) if self.comes_before_queries(fresh) => {
                    self.join(index, &mut fresh);
                }
                Transaction::Control(control) => {
                    let control = control.clone();
                    self.control(index, &control)?;
                    fresh = true;
                }
                Transaction::Outside(why) => {
                    self.refuse_outside(index, why)?;
                    self.push(PieceKind::Alone, index);
                    fresh = true;
                }
                Transaction::Inside if facts.foreign_keys_pragma.is_some() => {
                    self.absorb_alone(index);
                }
                Transaction::Inside if self.mode == TransactionMode::Off && self.open.is_none() => {
                    // By itself, and yet with its checkpoint: a crash then hides nothing. Code may commit by itself.
                    let known = matches!(facts.effect, Effect::Schema | Effect::Data | Effect::Query)
                        && facts.objects != Objects::Unknown;
                    let kind = match facts.session {
                        SessionUse::Setting => PieceKind::Setting,
                        _ if known => PieceKind::Transaction,
                        _ => PieceKind::Alone,
                    };
                    self.push(kind, index);
                    fresh = true;
                }
                Transaction::Inside => {
                    self.join(index, &mut fresh);
                    if self.enum_value_is_used_later(index) && self.open.is_none() {
                        self.refuse_outside(
                            index,
                            "a new enum value cannot be used before its transaction commits",
                        )?;
                        fresh = true;
                    }
                }
            }
        }
        self.refuse_unclosed()
    }

    /// MySQL and MariaDB: DDL commits by itself; data statements share a transaction with their checkpoint.
    fn cut_implicit_commit(&mut self) -> Result<(), Blocked> {
        let units = self.units();
        let mut fresh = true;
        let mut index = 0;
        while index < self.statements.len() {
            let facts = &self.facts[index];
            if let Some(&(first, last)) = units.iter().find(|(first, _)| *first == index) {
                self.pieces.push(Piece {
                    kind: PieceKind::Unit,
                    first,
                    last: last + 1,
                    run: (first..=last).collect(),
                });
                (fresh, index) = (true, last + 1);
                continue;
            }
            match &facts.transaction {
                // Every statement of ours is committed by itself, so a change of autocommit means nothing here.
                Transaction::Control(Control::Other) if sets_autocommit_alone(self.statements[index].sql) => {
                    self.absorb_alone(index);
                }
                Transaction::Control(Control::Savepoint) => self.join(index, &mut fresh),
                Transaction::Control(control) => {
                    let control = control.clone();
                    self.control(index, &control)?;
                    fresh = true;
                }
                _ => {
                    let data = matches!(facts.effect, Effect::Data | Effect::Query) && !facts.implicit_commit;
                    let wrapped = self.mode != TransactionMode::Off || self.open.is_some();
                    if data
                        && wrapped
                        && facts.session == SessionUse::None
                        && facts.objects != Objects::Unknown
                    {
                        self.join(index, &mut fresh);
                    } else {
                        if self.mode == TransactionMode::Required {
                            self.refuse_outside(index, "it commits implicitly")?;
                        }
                        let setting = facts.session == SessionUse::Setting;
                        self.push(if setting { PieceKind::Setting } else { PieceKind::Alone }, index);
                        fresh = true;
                    }
                }
            }
            index += 1;
        }
        self.refuse_unclosed()
    }

    /// Spans of statements tied together by session state: from the first that binds to the last.
    fn units(&self) -> Vec<(usize, usize)> {
        let bound: Vec<usize> = (0..self.facts.len())
            .filter(|&index| matches!(self.facts[index].session, SessionUse::Bound(_)))
            .collect();
        let mut units = Vec::new();
        if let (Some(&first), Some(&last)) = (bound.first(), bound.last()) {
            // What some of them read of the session was left there by a statement before them.
            let reads = bound.iter().filter(|&&index| reads_the_last_statement(&self.facts[index]));
            let made = reads.filter_map(|&index| {
                (0..index).rev().find(|&earlier| self.facts[earlier].effect == Effect::Data)
            });
            units.push((made.min().unwrap_or(first).min(first), last));
        }
        let mut locked = None;
        for (index, facts) in self.facts.iter().enumerate() {
            match facts.session {
                SessionUse::LockTables => locked = locked.or(Some(index)),
                SessionUse::UnlockTables => units.extend(locked.take().map(|first| (first, index))),
                _ => {}
            }
        }
        // Locks that are never released hold to the end of the file.
        units.extend(locked.map(|first| (first, self.facts.len() - 1)));
        merge_overlapping(units)
    }

    fn control(&mut self, index: usize, control: &Control) -> Result<(), Blocked> {
        match control {
            Control::Begin { plain: true } => match self.open {
                Some(first) => {
                    Err(Blocked::NestedBegin { first: self.place(first), second: self.place(index) })
                }
                None => {
                    self.open = Some(index);
                    self.absorb_alone(index);
                    Ok(())
                }
            },
            Control::Commit => {
                self.open = None;
                self.absorb_alone(index);
                Ok(())
            }
            Control::Begin { .. } => Err(self.unsupported(index, "a transaction with options of its own")),
            Control::Rollback => Err(self.unsupported(index, "a rollback inside a migration")),
            Control::Isolation => {
                Err(self.unsupported(index, "an isolation level that does not come first in its transaction"))
            }
            _ => Err(self.unsupported(index, "this kind of transaction control")),
        }
    }

    /// Whether the transaction that the next statement joins has nothing but settings so far.
    fn comes_before_queries(&self, fresh: bool) -> bool {
        let is_wrapped = self.mode != TransactionMode::Off || self.open.is_some();
        let run = self.pieces.last().map_or(&[][..], |piece| &piece.run);
        is_wrapped && (fresh || run.iter().all(|&index| self.facts[index].effect == Effect::Session))
    }

    /// A statement that the segments themselves express: counted with the piece before it, never sent.
    fn absorb_alone(&mut self, index: usize) {
        match self.pieces.last_mut() {
            Some(piece) => piece.last = index + 1,
            None => self.pieces.push(Piece {
                kind: PieceKind::Transaction,
                first: index,
                last: index + 1,
                run: vec![],
            }),
        }
    }

    /// Puts a statement into the transaction before it, unless a cut was made there.
    fn join(&mut self, index: usize, fresh: &mut bool) {
        let only_absorbed = |piece: &Piece| piece.kind == PieceKind::Transaction && piece.run.is_empty();
        match self.pieces.last_mut() {
            Some(piece) if piece.kind == PieceKind::Transaction && (!*fresh || only_absorbed(piece)) => {
                piece.last = index + 1;
                piece.run.push(index);
            }
            _ => self.push(PieceKind::Transaction, index),
        }
        *fresh = false;
    }

    fn push(&mut self, kind: PieceKind, index: usize) {
        // A leading piece that holds nothing but absorbed control becomes part of what follows it.
        if let Some(piece) = self.pieces.last_mut()
            && piece.run.is_empty()
        {
            (piece.kind, piece.last) = (kind, index + 1);
            piece.run.push(index);
            return;
        }
        self.pieces.push(Piece { kind, first: index, last: index + 1, run: vec![index] });
    }

    /// Cut when the new label, or code that may hold it, appears later in the file (PostgreSQL, ALTER TYPE).
    fn enum_value_is_used_later(&self, index: usize) -> bool {
        let Some(label) = &self.facts[index].enum_value else { return false };
        (index + 1..self.statements.len()).any(|later| {
            self.facts[later].effect == Effect::Unknown || self.statements[later].sql.contains(label.as_str())
        })
    }

    fn refuse_outside(&self, index: usize, why: &str) -> Result<(), Blocked> {
        if self.mode == TransactionMode::Required {
            return Err(Blocked::TransactionRequired { place: self.place(index), why: why.to_owned() });
        }
        match self.open {
            Some(begin) => Err(Blocked::InsideExplicitTransaction {
                begin: self.place(begin),
                place: self.place(index),
                why: why.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn refuse_unclosed(&self) -> Result<(), Blocked> {
        match self.open {
            Some(begin) => {
                let end = self.statements.len() - 1;
                Err(Blocked::UnclosedTransaction { begin: self.place(begin), end: self.place(end) })
            }
            None => Ok(()),
        }
    }

    fn unsupported(&self, index: usize, what: &str) -> Blocked {
        Blocked::UnsupportedControl { place: self.place(index), what: what.to_owned() }
    }

    fn place(&self, index: usize) -> Place {
        Place::of(&self.statements[index])
    }
}

fn merge_overlapping(mut units: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    units.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (first, last) in units {
        match merged.last_mut() {
            Some(previous) if first <= previous.1 => previous.1 = previous.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}
