//! Tables: those whose rows a rollback does not bring back, and the one that is windlass's own.

use super::units::runs_code;
use super::{Blocked, Execute, Place};
use crate::driver::{StoredCode, Surroundings};
use crate::migration::Migration;
use crate::sql::Dialect;
use crate::sql::classify::{Effect, Facts, ObjectName, Objects};
use crate::sql::lexer::{Token, executed, tokens};
use std::collections::{HashMap, HashSet};

/// What is known of tables at a place in the scripts: as the database told, and as statements change it.
#[derive(Debug)]
pub(super) struct Tables<'i> {
    dialect: Dialect,
    surroundings: &'i Surroundings,
    /// In small letters: whether case matters there is up to the server.
    kept_by_rollback: HashSet<String>,
    /// MySQL and MariaDB: what runs with a change of a table's rows, or is called, by that name.
    stored_code: HashMap<String, Vec<StoredCode>>,
    /// PostgreSQL: there are routines, or a script before may have made some.
    has_routines: bool,
    /// There are triggers, or a script before may have made some.
    has_triggers: bool,
    /// The same of event triggers, as far as they may change a session.
    has_event_triggers: bool,
}

impl<'i> Tables<'i> {
    pub(super) fn new(dialect: Dialect, surroundings: &'i Surroundings) -> Self {
        let kept_by_rollback = surroundings.kept_by_rollback.iter().map(|name| name.to_lowercase()).collect();
        let mut tables = Self {
            dialect,
            surroundings,
            kept_by_rollback,
            stored_code: HashMap::new(),
            has_routines: surroundings.has_routines,
            has_triggers: surroundings.has_triggers,
            has_event_triggers: surroundings.event_triggers_may_leave,
        };
        surroundings.stored_code.iter().for_each(|code| tables.store(code.clone()));
        tables
    }

    /// Whether a routine may run in the session when a script evaluates anything.
    pub(super) fn may_run_routines(&mut self, migration: &Migration) -> bool {
        let makes = |letters| mentions(migration.up().text(), letters);
        self.has_routines |= self.dialect == Dialect::Postgres
            && (migration.is_rust() || makes(b"FUNCTION") || makes(b"PROCEDURE") || makes(b"EXTENSION"));
        self.has_routines
    }

    /// Whether a trigger may run in the session when a script changes rows. On SQLite none can change it.
    pub(super) fn may_run_triggers(&mut self, script: &str) -> bool {
        self.has_triggers |= self.dialect != Dialect::Sqlite && mentions(script, b"TRIGGER");
        self.has_triggers
    }

    /// The same when it changes definitions.
    pub(super) fn may_run_event_triggers(&mut self, script: &str) -> bool {
        self.has_event_triggers |= self.dialect == Dialect::Postgres && mentions(script, b"EVENT TRIGGER");
        self.has_event_triggers
    }

    /// SQLite: whether the session enforces foreign keys by itself.
    pub(super) fn enforces_foreign_keys(&self) -> bool {
        self.surroundings.foreign_keys_enforced
    }

    /// Which statements of a script may leave a temporary table in its session (on PostgreSQL a setting too) of which their
    /// text says nothing: those that run code, those that change rows under triggers, those that event triggers watch.
    pub(super) fn leaving(&self, script: &str) -> impl Fn(&Facts) -> bool + use<> {
        let by_code = self.code_may_leave(script);
        // A trigger that the script makes may be gone again where it is gone on with.
        let makes = |letters| by_code && mentions(script, letters);
        let by_rows = self.surroundings.triggers_may_leave || makes(b"TRIGGER");
        let is_postgres = self.dialect == Dialect::Postgres;
        let by_definitions =
            self.surroundings.event_triggers_may_leave || is_postgres && makes(b"EVENT TRIGGER");
        move |facts| {
            by_code && runs_code(facts)
                || by_rows && facts.effect == Effect::Data
                || by_definitions && facts.effect == Effect::Schema
        }
    }

    /// By what can be read of it: the script itself, and the routines that it names.
    fn code_may_leave(&self, script: &str) -> bool {
        let leaving: &[&str] = match self.dialect {
            Dialect::MySql => &["temporary"],
            Dialect::Postgres => &["temporary", "temp", "set_config"],
            Dialect::Sqlite => return false,
        };
        let routines = &self.surroundings.leaving_routines;
        script.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| {
            leaving.iter().any(|leaving| word.eq_ignore_ascii_case(leaving))
                || routines.iter().any(|routine| word.eq_ignore_ascii_case(routine))
        })
    }

    /// Completes what the text told of statements, in their order.
    pub(super) fn complete(
        &mut self,
        statements: &[Execute<'_>],
        facts: &mut [Facts],
    ) -> Result<(), Blocked> {
        for (execute, facts) in statements.iter().zip(facts) {
            self.refuse_history(execute, facts)?;
            if self.dialect == Dialect::MySql && !execute.migration.is_rust() {
                self.leave_schema_out(facts);
                facts.kept_by_rollback = facts.effect == Effect::Data && self.keeps(facts);
                if facts.effect == Effect::Schema {
                    self.learn(execute.sql, facts);
                }
            }
        }
        Ok(())
    }

    /// The history is nobody else's to change; and a temporary table of its name would stand in front of it.
    fn refuse_history(&self, execute: &Execute<'_>, facts: &Facts) -> Result<(), Blocked> {
        let Some(history) = &self.surroundings.history else { return Ok(()) };
        if let Some(home) = history.schema.as_ref().or(self.surroundings.schema.as_ref())
            && takes_away(self.dialect, execute.sql, home)
        {
            let table = format!("{home}.{}", history.name);
            return Err(Blocked::TakesHistoryAway { place: Place::of(execute), table });
        }
        let Objects::Known(names) = &facts.objects else { return Ok(()) };
        let is_history = |name: &ObjectName| {
            name.name.eq_ignore_ascii_case(&history.name)
                && (name.schema.is_none() || name.schema == history.schema)
        };
        match names.iter().any(is_history) && matches!(facts.effect, Effect::Schema | Effect::Data) {
            true => Err(Blocked::ChangesHistory { place: Place::of(execute), table: history.name.clone() }),
            false => Ok(()),
        }
    }

    /// A name in the session's own database is the same with and without it.
    fn leave_schema_out(&self, facts: &mut Facts) {
        if let (Objects::Known(names), Some(own)) = (&mut facts.objects, &self.surroundings.schema) {
            let own = |name: &&mut ObjectName| name.schema.as_ref() == Some(own);
            names.iter_mut().filter(own).for_each(|name| name.schema = None);
        }
    }

    /// Of another database's tables it is not known.
    fn keeps(&self, facts: &Facts) -> bool {
        let Objects::Known(names) = &facts.objects else { return false };
        names.iter().any(|name| name.schema.is_some() || self.is_kept(name) || self.is_kept_by_code(name))
    }

    /// Whether code that runs with a table, or that such code calls or sets off, may change what no rollback brings back: it
    /// has the name of such a table in it. A foreign key's cascade runs no trigger.
    fn is_kept_by_code(&self, table: &ObjectName) -> bool {
        let (mut seen, mut open) = (HashSet::new(), vec![table.name.to_lowercase()]);
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            for code in self.stored_code.get(&name).into_iter().flatten() {
                if code.reaches_out() || code.names().any(|name| self.kept_by_rollback.contains(name)) {
                    return true;
                }
                open.extend(
                    code.names().filter(|name| self.stored_code.contains_key(*name)).map(str::to_owned),
                );
            }
        }
        false
    }

    fn store(&mut self, code: StoredCode) {
        self.stored_code.entry(code.runs_with().to_owned()).or_default().push(code);
    }

    fn is_kept(&self, name: &ObjectName) -> bool {
        self.kept_by_rollback.contains(&name.name.to_lowercase())
    }

    /// A definition may give a table another engine, or an engine another table.
    fn learn(&mut self, sql: &str, facts: &Facts) {
        let Objects::Known(names) = &facts.objects else { return };
        let Some(first) = names.first() else { return };
        let words = executed(self.dialect, sql);
        if let Some(runs_with) = makes_code(&words, names) {
            return self.store(StoredCode::new(
                &runs_with.name,
                Some(sql),
                self.surroundings.schema.as_deref(),
            ));
        }
        let has = |word: &str| words.iter().any(|token| token.is_word(word));
        let creates_table = words.first().is_some_and(|word| word.is_word("CREATE")) && has("TABLE");
        let kept = match engine(&words) {
            Some(engine) => Some(!knows_transactions(&engine)),
            None if creates_table && has("LIKE") => names.get(1).map(|like| self.is_kept(like)),
            None if creates_table => Some(self.surroundings.default_kept_by_rollback),
            None => None,
        };
        let name = first.name.to_lowercase();
        match kept {
            Some(true) => {
                self.kept_by_rollback.insert(name);
            }
            Some(false) => {
                self.kept_by_rollback.remove(&name);
            }
            // With its new name a table has the engine and the triggers that it had.
            None if has("RENAME") => {
                for pair in names.windows(2) {
                    let [before, now] = [&pair[0], &pair[1]].map(|name| name.name.to_lowercase());
                    if self.kept_by_rollback.contains(&before) {
                        self.kept_by_rollback.insert(now.clone());
                    }
                    let code = self.stored_code.get(&before).cloned().unwrap_or_default();
                    self.stored_code.entry(now).or_default().extend(code);
                }
            }
            None => {}
        }
    }
}

/// What code runs with that a statement makes: a trigger's table, or a routine's name.
fn makes_code<'n>(words: &[Token<'_>], names: &'n [ObjectName]) -> Option<&'n ObjectName> {
    const OTHERS: [&str; 5] = ["TABLE", "VIEW", "EVENT", "INDEX", "SEQUENCE"];
    words.first().filter(|word| word.is_word("CREATE"))?;
    words.iter().find_map(|word| {
        if word.is_word("TRIGGER") {
            Some(names.get(1))
        } else if word.is_word("PROCEDURE") || word.is_word("FUNCTION") {
            Some(names.first())
        } else {
            OTHERS.iter().any(|kind| word.is_word(kind)).then_some(None)
        }
    })?
}

/// Whether these capital letters stand somewhere in a script, small or not.
pub(super) fn mentions(script: &str, letters: &[u8]) -> bool {
    let bytes = script.as_bytes();
    let Some(first) = letters.first() else { return true };
    memchr::memchr2_iter(*first, first.to_ascii_lowercase(), bytes)
        .any(|at| bytes.get(at..at + letters.len()).is_some_and(|word| word.eq_ignore_ascii_case(letters)))
}

/// Whether a statement drops or renames this schema, or on MySQL and MariaDB this database.
fn takes_away(dialect: Dialect, sql: &str, home: &str) -> bool {
    if dialect == Dialect::Sqlite {
        return false;
    }
    let mut words = tokens(dialect, sql).filter(|token| token.kind.is_significant());
    let is = |token: Option<Token<'_>>, wanted: &str| token.is_some_and(|token| token.is_word(wanted));
    let (verb, kind) = (words.next(), words.next());
    if !is(kind, "SCHEMA") && !is(kind, "DATABASE") {
        return false;
    }
    let is_home = |token: Token<'_>| token.text.trim_matches(['"', '`']).eq_ignore_ascii_case(home);
    match () {
        () if is(verb, "DROP") => words.any(is_home),
        // An ALTER that does not rename it leaves it where it is.
        () if is(verb, "ALTER") => words.next().is_some_and(is_home) && is(words.next(), "RENAME"),
        () => false,
    }
}

/// What stands behind `ENGINE`, an equals sign or not.
fn engine(words: &[Token<'_>]) -> Option<String> {
    let at = words.iter().position(|token| token.is_word("ENGINE"))?;
    let value = words[at + 1..].iter().find(|token| !token.is_punctuation("="))?;
    Some(value.text.trim_matches(['\'', '"', '`']).to_ascii_lowercase())
}

fn knows_transactions(engine: &str) -> bool {
    ["innodb", "rocksdb", "tokudb", "ndb", "ndbcluster", "spider"].contains(&engine)
}
