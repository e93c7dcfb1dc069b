//! What a MySQL or MariaDB statement is.

use super::cursor::Cursor;
use super::sketch::Sketch;
use super::variables::{Variables, of_set};
use super::{Binding, Control, Effect, Facts, Modes, ObjectName, SessionUse};
use crate::sql::lexer::Token;

/// Why a statement is tied to others.
pub(crate) const TEMPORARY: &str = "temporary tables belong to the session";
/// The same.
const PREPARED: &str = "prepared statements belong to the session";
/// The same.
pub(crate) const VARIABLES: &str = "user variables belong to the session";
/// The same, to the one that follows.
pub(crate) const NEXT_STATEMENT: &str = "the setting holds for one statement";

pub(super) fn classify(sketch: &Sketch<'_>) -> Facts {
    let mut cursor = sketch.cursor();
    let Some(first) = cursor.next() else { return Facts::of(Effect::Query).naming(Vec::new()) };
    let facts = match first.text.to_ascii_uppercase().as_str() {
        "CREATE" => create(sketch, cursor),
        "ALTER" => alter(sketch, cursor),
        "DROP" => drop_objects(cursor),
        "RENAME" => rename(cursor),
        "TRUNCATE" => truncate(cursor),
        "LOAD" if cursor.sees("INDEX") => committing(Facts::of(Effect::Server)),
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "LOAD" => data(sketch, cursor),
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "(" if sketch.writes => data(sketch, cursor),
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "(" => query(sketch),
        "SHOW" | "DESCRIBE" | "DESC" | "HELP" => Facts::of(Effect::Query).naming(Vec::new()),
        "EXPLAIN" => Facts::of(Effect::Query).naming(sketch.tables_and(Vec::new())),
        "GRANT" | "REVOKE" => committing(Facts::of(Effect::Server).naming(Vec::new())),
        "SET" => set(cursor),
        "USE" => setting(),
        "LOCK" if cursor.eat_any(&["TABLES", "TABLE"]) => lock(cursor),
        "UNLOCK" if cursor.eat_any(&["TABLES", "TABLE"]) => {
            committing(Facts::of(Effect::Session).naming(Vec::new()).session(SessionUse::UnlockTables))
        }
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => Facts::of(Effect::Unknown).bound(PREPARED),
        "HANDLER" => Facts::of(Effect::Query).bound("HANDLER belongs to the session"),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            control(first.text, cursor)
        }
        word => administration(word, cursor),
    };
    // A routine's body runs later, in a session of its own time.
    let facts = match facts.effect != Effect::Schema || creates_table(sketch.cursor()) {
        true => reading(sketch, facts),
        false => facts,
    };
    if has_secret(sketch) { facts.secret() } else { facts }
}

/// With what the statement has to do with the state of its session.
fn reading(sketch: &Sketch<'_>, facts: Facts) -> Facts {
    let is_set = sketch.cursor().sees("SET") && facts.effect == Effect::Session;
    let mut variables = if is_set { of_set(&sketch.cursor().rest()[1..]) } else { Variables::default() };
    variables.mentioned.clone_from(&sketch.variables);
    variables.is_settled &= sketch.session.is_none() && !sketch.has_unknown_call();
    let is_read = !matches!(facts.effect, Effect::Unknown | Effect::Server) && !sketch.assigns;
    let reads_only = is_set || is_read && !takes_into(sketch);
    if !reads_only {
        variables.given.clone_from(&sketch.variables);
    }
    let is_free = matches!(facts.session, SessionUse::None | SessionUse::Setting);
    let ties = match sketch.session {
        Some(binding) => Some(binding),
        None if is_set && variables.is_settled => None,
        None => (is_set || !sketch.variables.is_empty()).then_some(Binding::Session(VARIABLES)),
    };
    let facts = Facts { variables, ..facts };
    match ties.filter(|_| is_free) {
        Some(binding) => facts.session(SessionUse::Bound(binding)),
        None => facts,
    }
}

/// `SELECT … INTO @a`, `LOAD DATA … (a, @b)`: what stands there is given a value.
fn takes_into(sketch: &Sketch<'_>) -> bool {
    let cursor = sketch.cursor();
    let is_select = !["INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE"].iter().any(|word| cursor.sees(word));
    cursor.sees("LOAD") || is_select && cursor.has(&["INTO"])
}

fn creates_table(mut cursor: Cursor<'_, '_>) -> bool {
    cursor.eat("CREATE") && {
        cursor.eat("OR REPLACE");
        cursor.eat("TEMPORARY");
        cursor.sees("TABLE")
    }
}

/// Only statements that speak of accounts and servers are looked at: a column may be called `password`.
fn has_secret(sketch: &Sketch<'_>) -> bool {
    let cursor = sketch.cursor();
    let first_words =
        ["GRANT", "CREATE USER", "ALTER USER", "CREATE OR REPLACE USER", "CREATE SERVER", "ALTER SERVER"];
    first_words.iter().any(|words| cursor.sees(words))
        && (cursor.has(&["IDENTIFIED", "PASSWORD", "AUTHENTICATION_STRING", "SERVER"]))
        || cursor.sees("SET PASSWORD")
        || cursor.sees("CHANGE")
        || cursor.sees("START") && cursor.has(&["PASSWORD"])
}

fn committing(facts: Facts) -> Facts {
    Facts { implicit_commit: true, groupable: false, ..facts }
}

fn data(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.skip(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE"]);
    // `INSERT t VALUES …` goes without the INTO; `DELETE t FROM …` and `UPDATE t` are the walk's.
    let mut names = Vec::new();
    if !["INTO", "FROM", "DATA", "XML"].iter().any(|word| cursor.sees(word)) {
        names.extend(cursor.name());
    }
    if let Some(mut table) = cursor.after("INTO TABLE") {
        names.extend(table.name());
    }
    let facts = Facts::of(Effect::Data).naming(sketch.tables_and(names)).groupable_if(sketch.is_plain());
    if sketch.has_unknown_call() { facts.naming_unknown() } else { facts }
}

fn query(sketch: &Sketch<'_>) -> Facts {
    match sketch.has_unknown_call() || sketch.sequence {
        true => Facts::of(Effect::Unknown),
        false => Facts::of(Effect::Query).naming(sketch.tables_and(Vec::new())),
    }
}

fn create(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("OR REPLACE");
    let temporary = cursor.eat("TEMPORARY");
    cursor.skip(&["UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE", "AGGREGATE", "UNDO"]);
    definer(&mut cursor);
    cursor.eat("AGGREGATE");
    if cursor.eat("TABLE") {
        return table(sketch, cursor, temporary);
    }
    if cursor.eat("INDEX") {
        cursor.eat("IF NOT EXISTS");
        cursor.name();
        let table = cursor.after("ON").and_then(|mut behind| behind.name());
        return schema(table.into_iter().collect());
    }
    if cursor.eat("TRIGGER") {
        let mut names = exists_then_name(&mut cursor);
        names.extend(cursor.after("ON").and_then(|mut behind| behind.name()));
        return schema(names);
    }
    if cursor.eat_any(&["VIEW", "SEQUENCE"]) {
        let names = exists_then_name(&mut cursor);
        return schema(sketch.tables_and(names));
    }
    // What a body names is looked up when it runs.
    if cursor.eat_any(&["PROCEDURE", "FUNCTION", "EVENT", "PACKAGE BODY", "PACKAGE"]) {
        return schema(exists_then_name(&mut cursor));
    }
    if cursor.eat_any(&[
        "DATABASE",
        "SCHEMA",
        "USER",
        "ROLE",
        "SERVER",
        "TABLESPACE",
        "LOGFILE GROUP",
        "RESOURCE GROUP",
    ]) {
        return committing(Facts::of(Effect::Server).naming(exists_then_name(&mut cursor)));
    }
    committing(Facts::of(Effect::Schema))
}

fn table(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>, temporary: bool) -> Facts {
    let mut names = exists_then_name(&mut cursor);
    names.extend(cursor.after("LIKE").and_then(|mut behind| behind.name()));
    let facts = schema(sketch.tables_and(names));
    match temporary {
        true => Facts { implicit_commit: false, ..facts }.bound(TEMPORARY),
        false => facts,
    }
}

/// A change of definitions, which commits.
fn schema(names: Vec<ObjectName>) -> Facts {
    committing(Facts::of(Effect::Schema).naming(names))
}

fn exists_then_name(cursor: &mut Cursor<'_, '_>) -> Vec<ObjectName> {
    cursor.skip(&["IF NOT EXISTS", "IF EXISTS"]);
    cursor.one_name()
}

/// `ALGORITHM = …`, `DEFINER = …`, `SQL SECURITY …` before what is created.
fn definer(cursor: &mut Cursor<'_, '_>) {
    loop {
        if cursor.eat("ALGORITHM") {
            cursor.eat_punctuation("=");
            cursor.next();
        } else if cursor.eat("SQL SECURITY") {
            cursor.next();
        } else if cursor.eat("DEFINER") {
            cursor.eat_punctuation("=");
            cursor.next();
            // `@host`, or `()` behind CURRENT_USER.
            while cursor.peek().is_some_and(|token| token.text.starts_with('@') || "()".contains(token.text))
            {
                cursor.next();
            }
        } else {
            return;
        }
    }
}

fn alter(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.skip(&["ONLINE", "OFFLINE", "IGNORE"]);
    definer(&mut cursor);
    if cursor.eat("TABLE") {
        let mut names = exists_then_name(&mut cursor);
        for phrase in ["RENAME TO", "RENAME AS", "EXCHANGE PARTITION"] {
            names.extend(cursor.after(phrase).and_then(|mut behind| behind.name()));
        }
        names.extend(plain_rename(cursor));
        names.extend(cursor.after("WITH TABLE").and_then(|mut behind| behind.name()));
        return schema(sketch.tables_and(names));
    }
    if cursor.eat_any(&["VIEW", "SEQUENCE"]) {
        let names = exists_then_name(&mut cursor);
        return schema(sketch.tables_and(names));
    }
    if cursor.eat_any(&["PROCEDURE", "FUNCTION", "EVENT"]) {
        return schema(exists_then_name(&mut cursor));
    }
    committing(Facts::of(Effect::Server).naming(Vec::new()))
}

/// `ALTER TABLE a RENAME b`, where neither `TO` nor `COLUMN` nor `INDEX` follows.
fn plain_rename(cursor: Cursor<'_, '_>) -> Option<ObjectName> {
    let mut behind = cursor.after("RENAME")?;
    let other = ["TO", "AS", "COLUMN", "INDEX", "KEY"].iter().any(|word| behind.sees(word));
    if other { None } else { behind.name() }
}

fn drop_objects(mut cursor: Cursor<'_, '_>) -> Facts {
    let temporary = cursor.eat("TEMPORARY");
    cursor.skip(&["ONLINE", "OFFLINE", "UNDO"]);
    if cursor.eat("INDEX") {
        let table = cursor.after("ON").and_then(|mut behind| behind.name());
        return schema(table.into_iter().collect());
    }
    if cursor.eat("PREPARE") {
        return Facts::of(Effect::Unknown).bound(PREPARED);
    }
    if cursor.eat_any(&["TABLES", "TABLE", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "SEQUENCE"]) {
        cursor.eat("IF EXISTS");
        let facts = schema(cursor.names());
        return match temporary {
            true => Facts { implicit_commit: false, ..facts }.bound(TEMPORARY),
            false => facts,
        };
    }
    cursor.next();
    cursor.eat("IF EXISTS");
    committing(Facts::of(Effect::Server).naming(cursor.names()))
}

fn rename(mut cursor: Cursor<'_, '_>) -> Facts {
    if !cursor.eat_any(&["TABLES", "TABLE"]) {
        return committing(Facts::of(Effect::Server).naming(Vec::new()));
    }
    let mut names = Vec::new();
    cursor.eat("IF EXISTS");
    while let Some(name) = cursor.name() {
        names.push(name);
        let more = cursor.eat("TO") || cursor.eat_punctuation(",");
        if !more {
            break;
        }
    }
    schema(names)
}

fn truncate(mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("TABLE");
    committing(Facts::of(Effect::Data).naming(cursor.one_name()))
}

fn setting() -> Facts {
    Facts::of(Effect::Session).naming(Vec::new()).session(SessionUse::Setting)
}

fn set(mut cursor: Cursor<'_, '_>) -> Facts {
    let server = || Facts::of(Effect::Server).naming(Vec::new());
    if cursor.sees("PASSWORD") || cursor.sees("DEFAULT ROLE") {
        return committing(server());
    }
    if cursor.eat("STATEMENT") {
        // MariaDB's settings for one statement; what that is stands behind FOR.
        return Facts::of(Effect::Unknown);
    }
    if holds_for_one_transaction(cursor) {
        let reads_only = cursor.has_phrase("READ ONLY") || cursor.rest().iter().any(is_read_only);
        return Facts::control(if reads_only { Control::Begin(Modes::ReadOnly) } else { Control::Isolation });
    }
    let named = |names: &[&str]| {
        cursor.rest().iter().any(|token| {
            let name = token.text.trim_start_matches('@').to_ascii_lowercase();
            let name = name.rsplit('.').next().unwrap_or_default();
            names.contains(&name)
        })
    };
    if named(&["autocommit"]) {
        let alone = !cursor.rest().iter().any(|token| token.is_punctuation(","));
        let control = if alone { Control::Autocommit } else { Control::Other };
        return Facts { implicit_commit: true, ..Facts::control(control) };
    }
    if cursor.has(&["GLOBAL", "PERSIST", "PERSIST_ONLY"])
        || cursor.rest().iter().any(|token| {
            let text = token.text.to_ascii_lowercase();
            text.starts_with("@@global.") || text.starts_with("@@persist")
        }) && cursor.peek().is_some_and(|token| token.text.starts_with("@@"))
    {
        return server();
    }
    if named(&["insert_id", "last_insert_id", "rand_seed1", "rand_seed2"]) {
        return setting().bound(NEXT_STATEMENT);
    }
    setting()
}

/// `SET TRANSACTION …`, `SET @@transaction_isolation = …`: with neither SESSION nor GLOBAL.
fn holds_for_one_transaction(cursor: Cursor<'_, '_>) -> bool {
    const SETTINGS: [&str; 2] = ["@@transaction_isolation", "@@tx_isolation"];
    let is_first = |name: &str| cursor.peek().is_some_and(|token| token.text.eq_ignore_ascii_case(name));
    cursor.sees("TRANSACTION")
        || SETTINGS.iter().any(|name| is_first(name))
        || cursor.peek().is_some_and(is_read_only)
}

fn is_read_only(token: &Token<'_>) -> bool {
    ["@@transaction_read_only", "@@tx_read_only"].iter().any(|name| token.text.eq_ignore_ascii_case(name))
}

fn lock(mut cursor: Cursor<'_, '_>) -> Facts {
    let mut names = Vec::new();
    while let Some(name) = cursor.name() {
        names.push(name);
        while cursor.peek().is_some_and(|token| !token.is_punctuation(",")) {
            cursor.next();
        }
        cursor.next();
    }
    committing(Facts::of(Effect::Session).naming(names).session(SessionUse::LockTables))
}

fn control(first: &str, mut cursor: Cursor<'_, '_>) -> Facts {
    let begins = |modes| Facts { implicit_commit: true, ..Facts::control(Control::Begin(modes)) };
    match first.to_ascii_uppercase().as_str() {
        // MariaDB's compound statement.
        "BEGIN" if cursor.sees("NOT") => Facts::of(Effect::Unknown),
        "BEGIN" => {
            cursor.eat("WORK");
            begins(if cursor.at_end() { Modes::Plain } else { Modes::Other })
        }
        "START" if cursor.eat("TRANSACTION") => begins(modes(cursor)),
        "START" => committing(Facts::of(Effect::Server)),
        "SAVEPOINT" | "RELEASE" => Facts::control(Control::Savepoint),
        "XA" => Facts::control(Control::Other),
        _ if cursor.has_phrase("AND CHAIN") && !cursor.has_phrase("AND NO CHAIN") => {
            Facts::control(Control::Other)
        }
        "COMMIT" => Facts::control(Control::Commit),
        "ROLLBACK" if cursor.has(&["TO"]) => Facts::control(Control::Savepoint),
        _ => Facts::control(Control::Rollback),
    }
}

/// `START TRANSACTION …`. A snapshot is taken with the transaction's first read, and holds from there.
fn modes(mut cursor: Cursor<'_, '_>) -> Modes {
    if cursor.has_phrase("READ ONLY") {
        return Modes::ReadOnly;
    }
    while cursor.eat_any(&["READ WRITE", "WITH CONSISTENT SNAPSHOT"]) {
        cursor.eat_punctuation(",");
    }
    if cursor.at_end() { Modes::Plain } else { Modes::Other }
}

/// Statements for the server's administration; most of them commit.
fn administration(word: &str, mut cursor: Cursor<'_, '_>) -> Facts {
    match word {
        // MariaDB runs the statement that follows.
        "ANALYZE"
            if !["NO_WRITE_TO_BINLOG", "LOCAL", "TABLE", "TABLES"].iter().any(|word| cursor.sees(word)) =>
        {
            Facts::of(Effect::Unknown)
        }
        "ANALYZE" | "CHECK" | "OPTIMIZE" | "REPAIR" | "CHECKSUM" => {
            cursor.skip(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            cursor.eat_any(&["TABLES", "TABLE", "VIEW"]);
            let facts = Facts::of(Effect::Server).naming(cursor.names());
            if word == "CHECKSUM" { facts } else { committing(facts) }
        }
        "RESET" if cursor.sees("PERSIST") => Facts::of(Effect::Server).naming(Vec::new()),
        "CACHE" | "FLUSH" | "RESET" | "STOP" | "CHANGE" | "INSTALL" | "UNINSTALL" | "IMPORT" | "BACKUP" => {
            committing(Facts::of(Effect::Server))
        }
        "CLONE" => committing(Facts::of(Effect::Server)),
        "KILL" | "PURGE" | "SHUTDOWN" | "RESTART" | "BINLOG" => Facts::of(Effect::Server),
        // CALL, DO, MariaDB's compound statements, and what a newer server knows.
        _ => Facts::of(Effect::Unknown),
    }
}
