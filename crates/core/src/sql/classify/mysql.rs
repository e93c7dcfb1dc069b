//! What a MySQL or MariaDB statement is.

use super::cursor::Cursor;
use super::sketch::Sketch;
use super::{Control, Effect, Facts, Modes, ObjectName, SessionUse};

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
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => {
            Facts::of(Effect::Unknown).bound("prepared statements belong to the session")
        }
        "HANDLER" => Facts::of(Effect::Query).bound("HANDLER belongs to the session"),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            control(first.text, cursor)
        }
        word => administration(word, cursor),
    };
    // A routine's body runs later, in a session of its own time.
    let runs_now = facts.effect != Effect::Schema || sketch.cursor().sees("CREATE TABLE");
    let facts = match sketch.session {
        Some(binding) if runs_now && matches!(facts.session, SessionUse::None | SessionUse::Setting) => {
            facts.session(SessionUse::Bound(binding))
        }
        _ => facts,
    };
    if has_secret(sketch) { facts.secret() } else { facts }
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
        true => Facts { implicit_commit: false, ..facts }.bound("temporary tables belong to the session"),
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
        return Facts::of(Effect::Unknown).bound("prepared statements belong to the session");
    }
    if cursor.eat_any(&["TABLES", "TABLE", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "SEQUENCE"]) {
        cursor.eat("IF EXISTS");
        let facts = schema(cursor.names());
        return match temporary {
            true => Facts { implicit_commit: false, ..facts }.bound("temporary tables belong to the session"),
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
    if cursor.sees("TRANSACTION") {
        return setting().bound("SET TRANSACTION holds for one transaction");
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
    if named(&["insert_id", "last_insert_id", "timestamp", "rand_seed1", "rand_seed2"]) {
        return setting().bound("the setting holds for one statement");
    }
    setting()
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
