//! What a PostgreSQL statement is.

mod alter;
mod create;

use super::cursor::{Cursor, string_value};
use super::sketch::Sketch;
use super::variables::is_the_same_every_time;
use super::{Concurrently, Control, Effect, Facts, Modes, ObjectName, SessionUse, Transaction};

pub(super) fn classify(sketch: &Sketch<'_>) -> Facts {
    let mut cursor = sketch.cursor();
    let Some(first) = cursor.next() else { return Facts::of(Effect::Query).naming(Vec::new()) };
    let facts = match first.text.to_ascii_uppercase().as_str() {
        "CREATE" => create::create(sketch, cursor),
        "ALTER" => alter::alter(sketch, cursor),
        "DROP" => drop_objects(cursor),
        "INSERT" | "UPDATE" | "DELETE" => data(sketch).groupable_if(sketch.is_plain()),
        "MERGE" => data(sketch),
        "COPY" => copy(sketch, cursor),
        "TRUNCATE" => truncate(cursor),
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "(" => query(sketch, cursor),
        "EXPLAIN" if cursor.has(&["ANALYZE", "ANALYSE"]) => Facts::of(Effect::Unknown),
        "EXPLAIN" | "SHOW" => Facts::of(Effect::Query).naming(sketch.tables_and(Vec::new())),
        "COMMENT" => comment(cursor),
        "GRANT" | "REVOKE" => grant(cursor),
        "REFRESH" => refresh(cursor),
        "SECURITY" | "IMPORT" | "REASSIGN" => Facts::of(Effect::Schema),
        "REINDEX" => reindex(cursor),
        "CLUSTER" => cluster(cursor),
        "VACUUM" => maintenance(cursor).outside("VACUUM cannot run inside a transaction block"),
        "ANALYZE" | "ANALYSE" => maintenance(cursor),
        "CHECKPOINT" => Facts::of(Effect::Server),
        "DISCARD" => discard(cursor),
        "LOCK" => lock(cursor),
        "SET" => set(cursor),
        "RESET" => setting(),
        "LOAD" | "LISTEN" | "UNLISTEN" => session_bound("it belongs to the session"),
        "NOTIFY" => Facts::of(Effect::Query).naming(Vec::new()),
        "DECLARE" | "FETCH" | "MOVE" | "CLOSE" => {
            session_bound("a cursor belongs to its transaction or session")
        }
        "PREPARE" if cursor.sees("TRANSACTION") => Facts::control(Control::Other),
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => {
            Facts::of(Effect::Unknown).bound("prepared statements belong to the session")
        }
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => {
            control(first.text, cursor)
        }
        // DO, CALL, and what a newer server knows.
        _ => Facts::of(Effect::Unknown),
    };
    if sketch.remote { facts.naming_unknown().secret() } else { facts }
}

fn data(sketch: &Sketch<'_>) -> Facts {
    let facts = Facts::of(Effect::Data).naming(sketch.tables_and(Vec::new()));
    let facts = if sketch.has_unknown_call() { facts.naming_unknown() } else { facts };
    session_of(sketch, facts)
}

/// Why a setting cannot be had again by running what set it.
pub(crate) const FROM_DATA: &str = "the setting's value is not in the text";

/// What calls of functions in a statement mean for the session.
fn session_of(sketch: &Sketch<'_>, facts: Facts) -> Facts {
    match sketch.session {
        Some(binding) => facts.session(SessionUse::Bound(binding)),
        None if sketch.setting && holds_until_commit(sketch) => {
            facts.held("set_config(…, true) holds until its transaction ends")
        }
        None if sketch.setting && facts.effect == Effect::Session && is_settled(sketch) => {
            facts.session(SessionUse::Setting)
        }
        None if sketch.setting => facts.bound(FROM_DATA),
        None => facts,
    }
}

/// Whether all that it sets is for the transaction alone: `set_config(name, value, true)`.
fn holds_until_commit(sketch: &Sketch<'_>) -> bool {
    let tokens = sketch.cursor().rest();
    let calls = tokens.iter().enumerate().filter(|(_, token)| token.is_word("set_config"));
    let mut calls = calls.map(|(at, _)| {
        let mut depth = 0_usize;
        let inside = tokens[at + 1..].iter().take_while(|token| {
            depth += usize::from(token.is_punctuation("("));
            depth -= usize::from(token.is_punctuation(")") && depth > 0);
            depth > 0
        });
        inside.last().is_some_and(|last| last.is_word("true"))
    });
    calls.next() == Some(true) && calls.all(|is_local| is_local)
}

/// Whether the values that a SELECT gives to settings follow from its text and from other settings.
fn is_settled(sketch: &Sketch<'_>) -> bool {
    let cursor = sketch.cursor();
    cursor.sees("SELECT") && !cursor.has(&["FROM"]) && is_the_same_every_time(&cursor.rest()[1..])
}

fn query(sketch: &Sketch<'_>, cursor: Cursor<'_, '_>) -> Facts {
    if sketch.writes {
        return data(sketch).groupable_if(sketch.is_plain());
    }
    let effect = match () {
        () if sketch.has_unknown_call() => Effect::Unknown,
        () if cursor.has(&["INTO"]) => Effect::Schema,
        () if sketch.sequence => Effect::Data,
        () if sketch.setting => Effect::Session,
        () => Effect::Query,
    };
    let facts = Facts::of(effect);
    // A sequence is named in a string, which may be put together at run time.
    let known = effect != Effect::Unknown && !sketch.sequence;
    let facts = if known { facts.naming(sketch.tables_and(Vec::new())) } else { facts };
    session_of(sketch, facts.groupable_if(effect == Effect::Query && sketch.is_plain()))
}

fn copy(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let names = cursor.one_name();
    let reads = names.is_empty() || cursor.has(&["TO"]) && !cursor.has(&["FROM"]);
    let effect = if reads { Effect::Query } else { Effect::Data };
    let facts = Facts::of(effect).naming(sketch.tables_and(names));
    // What a program is called with is often how it logs in.
    if cursor.has_phrase("FROM PROGRAM") || cursor.has_phrase("TO PROGRAM") { facts.secret() } else { facts }
}

fn truncate(mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("TABLE");
    let names = cursor.names();
    let facts = Facts::of(Effect::Data).naming(names).groupable_if(true);
    if cursor.has(&["CASCADE"]) { facts.naming_unknown() } else { facts }
}

fn drop_objects(mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat("DATABASE") {
        return server(&mut cursor).outside("DROP DATABASE cannot run inside a transaction block");
    }
    if cursor.eat("TABLESPACE") {
        return server(&mut cursor).outside("DROP TABLESPACE cannot run inside a transaction block");
    }
    if cursor.eat("SUBSCRIPTION") {
        return server(&mut cursor)
            .outside("DROP SUBSCRIPTION with a replication slot cannot run inside a transaction block");
    }
    if cursor.eat_any(&["ROLE", "USER MAPPING", "USER", "GROUP"]) {
        return server(&mut cursor);
    }
    if cursor.eat("INDEX") {
        let concurrently = cursor.eat("CONCURRENTLY");
        cursor.eat("IF EXISTS");
        let facts = dropped(cursor.names(), cursor);
        return match concurrently {
            true => facts.concurrently(
                Concurrently::DropIndex,
                "DROP INDEX CONCURRENTLY cannot run inside a transaction block",
            ),
            false => facts,
        };
    }
    if cursor.eat_any(&["TRIGGER", "POLICY", "RULE"]) {
        cursor.eat("IF EXISTS");
        cursor.name();
        cursor.eat("ON");
        return dropped(cursor.one_name(), cursor);
    }
    const KINDS: [&str; 15] = [
        "FOREIGN TABLE",
        "TABLE",
        "MATERIALIZED VIEW",
        "VIEW",
        "SEQUENCE",
        "TYPE",
        "DOMAIN",
        "SCHEMA",
        "FUNCTION",
        "PROCEDURE",
        "ROUTINE",
        "AGGREGATE",
        "EXTENSION",
        "STATISTICS",
        "COLLATION",
    ];
    if cursor.eat_any(&KINDS) {
        cursor.eat("IF EXISTS");
        return dropped(cursor.names(), cursor);
    }
    Facts::of(Effect::Schema)
}

/// With `CASCADE`, what depends on the named objects goes too.
fn dropped(names: Vec<ObjectName>, rest: Cursor<'_, '_>) -> Facts {
    let facts = Facts::of(Effect::Schema).naming(names).groupable_if(true);
    if rest.has(&["CASCADE"]) { facts.naming_unknown() } else { facts }
}

/// Something outside the database's own schema: its name follows.
fn server(cursor: &mut Cursor<'_, '_>) -> Facts {
    cursor.skip(&["IF EXISTS", "IF NOT EXISTS"]);
    Facts::of(Effect::Server).naming(cursor.names())
}

fn comment(mut cursor: Cursor<'_, '_>) -> Facts {
    let facts = Facts::of(Effect::Schema).groupable_if(true);
    cursor.eat("ON");
    if cursor.eat("COLUMN") {
        let mut parts = cursor.parts();
        parts.pop();
        return facts.naming(super::cursor::object_name(parts).into_iter().collect());
    }
    if cursor.eat_any(&["CONSTRAINT", "TRIGGER", "POLICY", "RULE"]) {
        cursor.name();
        cursor.eat("ON");
        cursor.eat("DOMAIN");
        return facts.naming(cursor.one_name());
    }
    const KINDS: [&str; 14] = [
        "TABLE",
        "INDEX",
        "MATERIALIZED VIEW",
        "VIEW",
        "SEQUENCE",
        "TYPE",
        "DOMAIN",
        "SCHEMA",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "EXTENSION",
        "FOREIGN TABLE",
        "STATISTICS",
    ];
    if cursor.eat_any(&KINDS) { facts.naming(cursor.one_name()) } else { facts.groupable_if(false) }
}

fn grant(cursor: Cursor<'_, '_>) -> Facts {
    let Some(mut objects) = cursor.after("ON") else { return Facts::of(Effect::Server).naming(Vec::new()) };
    let facts = Facts::of(Effect::Schema).groupable_if(true);
    if objects.eat("ALL") {
        return facts;
    }
    const KINDS: [&str; 9] =
        ["TABLE", "SEQUENCE", "SCHEMA", "FUNCTION", "PROCEDURE", "ROUTINE", "TYPE", "DOMAIN", "LANGUAGE"];
    if objects.eat_any(&["DATABASE", "TABLESPACE", "PARAMETER", "FOREIGN"]) {
        return Facts::of(Effect::Server).naming(Vec::new());
    }
    objects.eat_any(&KINDS);
    facts.naming(objects.names())
}

fn refresh(mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("MATERIALIZED VIEW");
    cursor.eat("CONCURRENTLY");
    Facts::of(Effect::Data).naming(cursor.one_name())
}

fn reindex(mut cursor: Cursor<'_, '_>) -> Facts {
    let concurrently = cursor.has(&["CONCURRENTLY"]) && !option_is_off(cursor, "CONCURRENTLY");
    skip_options(&mut cursor);
    let whole = cursor.eat_any(&["DATABASE", "SYSTEM", "SCHEMA"]);
    cursor.eat_any(&["INDEX", "TABLE"]);
    cursor.eat("CONCURRENTLY");
    let facts = Facts::of(Effect::Schema).naming(cursor.one_name());
    let facts = if whole { facts.naming_unknown() } else { facts };
    match (concurrently, whole) {
        (true, _) => facts.concurrently(
            Concurrently::Reindex,
            "REINDEX CONCURRENTLY cannot run inside a transaction block",
        ),
        (false, true) => {
            facts.outside("REINDEX of a schema, database or system cannot run inside a transaction block")
        }
        (false, false) => facts,
    }
}

/// `VACUUM` and `ANALYZE`: of the named tables, or of all.
fn maintenance(mut cursor: Cursor<'_, '_>) -> Facts {
    skip_options(&mut cursor);
    cursor.skip(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]);
    let mut names = Vec::new();
    while let Some(name) = cursor.name() {
        names.push(name);
        skip_options(&mut cursor);
        cursor.eat_punctuation(",");
    }
    let facts = Facts::of(Effect::Server);
    if names.is_empty() { facts } else { facts.naming(names) }
}

fn cluster(mut cursor: Cursor<'_, '_>) -> Facts {
    skip_options(&mut cursor);
    cursor.eat("VERBOSE");
    let facts = Facts::of(Effect::Schema);
    if cursor.at_end() {
        return facts.outside("CLUSTER without a table cannot run inside a transaction block");
    }
    facts.naming(cursor.one_name())
}

/// Reads an option list in parentheses.
fn skip_options(cursor: &mut Cursor<'_, '_>) {
    if cursor.eat_punctuation("(") {
        while !cursor.at_end() && !cursor.eat_punctuation(")") {
            cursor.next();
        }
    }
}

/// `option false`, `option = off`, in any of PostgreSQL's spellings.
fn option_is_off(cursor: Cursor<'_, '_>, option: &str) -> bool {
    let Some(mut value) = cursor.after(option) else { return false };
    value.eat_punctuation("=");
    value.peek().is_some_and(|token| {
        let text = string_value(token).unwrap_or_else(|| token.text.to_owned());
        ["false", "off", "0", "no", "none"].iter().any(|off| text.eq_ignore_ascii_case(off))
    })
}

fn discard(cursor: Cursor<'_, '_>) -> Facts {
    let facts = session_bound("it drops what the session holds");
    match cursor.sees("ALL") {
        true => facts.outside("DISCARD ALL cannot run inside a transaction block"),
        false => facts,
    }
}

/// Why LOCK TABLE needs the transaction.
pub(crate) const LOCKED: &str = "LOCK TABLE holds until its transaction ends";

fn lock(mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("TABLE");
    let names = cursor.names();
    held(LOCKED).naming(names)
}

fn set(mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat("TRANSACTION") {
        // A transaction that reads only could not hold the record of what it did.
        let isolation = cursor.sees("ISOLATION LEVEL") && !cursor.has(&["ONLY", "DEFERRABLE"]);
        return Facts::control(if isolation { Control::Isolation } else { Control::Other });
    }
    if cursor.eat("LOCAL") {
        return held("SET LOCAL holds until its transaction ends");
    }
    if cursor.eat("CONSTRAINTS") {
        return held("SET CONSTRAINTS holds until its transaction ends");
    }
    setting()
}

fn setting() -> Facts {
    Facts::of(Effect::Session).naming(Vec::new()).session(SessionUse::Setting)
}

fn session_bound(why: &'static str) -> Facts {
    Facts::of(Effect::Session).naming(Vec::new()).bound(why)
}

fn held(why: &'static str) -> Facts {
    Facts::of(Effect::Session).naming(Vec::new()).held(why)
}

fn control(first: &str, mut cursor: Cursor<'_, '_>) -> Facts {
    let outside = |why| Facts::of(Effect::Unknown).outside(why);
    let first = first.to_ascii_uppercase();
    if first == "COMMIT" && cursor.sees("PREPARED") {
        return outside("COMMIT PREPARED cannot run inside a transaction block");
    }
    if first == "ROLLBACK" && cursor.sees("PREPARED") {
        return outside("ROLLBACK PREPARED cannot run inside a transaction block");
    }
    cursor.eat_any(&["WORK", "TRANSACTION"]);
    let control = match first.as_str() {
        "BEGIN" | "START" => Control::Begin(modes(cursor)),
        "SAVEPOINT" | "RELEASE" => Control::Savepoint,
        "ROLLBACK" | "ABORT" if cursor.eat("TO") => Control::Savepoint,
        _ if cursor.sees("AND CHAIN") => Control::Other,
        "COMMIT" | "END" => Control::Commit,
        _ => Control::Rollback,
    };
    Facts { transaction: Transaction::Control(control), ..Facts::control(Control::Other) }
}

/// What stands behind `BEGIN`; `DEFERRABLE` means something to what reads only.
fn modes(mut cursor: Cursor<'_, '_>) -> Modes {
    const LEVELS: [(&str, &str); 4] = [
        ("SERIALIZABLE", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
        ("REPEATABLE READ", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
        ("READ COMMITTED", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        ("READ UNCOMMITTED", "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"),
    ];
    let mut modes = Modes::Plain;
    while !cursor.at_end() {
        if cursor.eat("READ ONLY") {
            return Modes::ReadOnly;
        }
        if cursor.eat("ISOLATION LEVEL") {
            let level = LEVELS.iter().find(|(level, _)| cursor.sees(level));
            let Some((level, sql)) = level else { return Modes::Other };
            cursor.eat(level);
            modes = Modes::Isolation(sql);
        } else if !cursor.eat_any(&["READ WRITE", "NOT DEFERRABLE", "DEFERRABLE"])
            && !cursor.eat_punctuation(",")
        {
            return Modes::Other;
        }
    }
    modes
}
