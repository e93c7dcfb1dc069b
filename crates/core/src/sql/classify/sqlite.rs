//! What a SQLite statement is.

use super::cursor::{Cursor, string_value};
use super::sketch::Sketch;
use super::{Control, Effect, Facts, Modes, ObjectName, SessionUse, TEMPORARY};

/// Why what ATTACH brings is no setting: it stays, and once it is used no transaction lets go of it.
pub(crate) const ATTACHED: &str = "attached databases belong to the session";

/// Why DETACH stands by itself.
const DETACHES: &str = "a transaction does not let go of an attached database that it has used";

pub(super) fn classify(sketch: &Sketch<'_>) -> Facts {
    let mut cursor = sketch.cursor();
    let Some(first) = cursor.next() else { return Facts::of(Effect::Query).naming(Vec::new()) };
    let facts = match first.text.to_ascii_uppercase().as_str() {
        "CREATE" => create(sketch, cursor),
        "ALTER" => alter(sketch, cursor),
        "DROP" => drop_object(cursor),
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => data(sketch),
        "SELECT" | "VALUES" | "WITH" if sketch.writes => data(sketch),
        "SELECT" | "VALUES" | "WITH" | "EXPLAIN" => query(sketch),
        "REINDEX" | "ANALYZE" => Facts::of(Effect::Schema).naming(cursor.one_name()).groupable_if(true),
        "PRAGMA" => pragma(cursor),
        "VACUUM" => Facts::of(Effect::Server).outside("VACUUM cannot run inside a transaction"),
        // Once it is used, a transaction does not let go of it. Nothing of either outlives the session.
        "DETACH" => {
            Facts { repeats_harmlessly: true, ..Facts::of(Effect::Session).bound(ATTACHED).outside(DETACHES) }
        }
        "ATTACH" => Facts { repeats_harmlessly: true, ..Facts::of(Effect::Session).bound(ATTACHED).secret() },
        "BEGIN" => begin(),
        "COMMIT" | "END" => Facts::control(Control::Commit),
        "ROLLBACK" if cursor.has(&["TO"]) => Facts::control(Control::Savepoint),
        "ROLLBACK" => Facts::control(Control::Rollback),
        "SAVEPOINT" | "RELEASE" => Facts::control(Control::Savepoint),
        _ => Facts::of(Effect::Unknown),
    };
    // A view or trigger calls its functions later.
    let runs_now = facts.effect != Effect::Schema || sketch.cursor().has_phrase("AS SELECT");
    match sketch.session {
        Some(binding) if runs_now && facts.session == SessionUse::None => {
            facts.session(SessionUse::Bound(binding))
        }
        _ => facts,
    }
}

fn data(sketch: &Sketch<'_>) -> Facts {
    let facts = Facts::of(Effect::Data).naming(sketch.tables_and(Vec::new())).groupable_if(sketch.is_plain());
    if sketch.has_unknown_call() { facts.naming_unknown() } else { facts }
}

fn query(sketch: &Sketch<'_>) -> Facts {
    match sketch.has_unknown_call() {
        true => Facts::of(Effect::Unknown),
        false => Facts::of(Effect::Query).naming(sketch.tables_and(Vec::new())).groupable_if(true),
    }
}

fn create(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let temporary = cursor.eat_any(&["TEMP", "TEMPORARY"]);
    let is_virtual = cursor.eat("VIRTUAL");
    cursor.eat("UNIQUE");
    let attached_to_table = cursor.sees("INDEX") || cursor.sees("TRIGGER");
    cursor.eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"]);
    cursor.eat("IF NOT EXISTS");
    let mut names = cursor.one_name();
    if attached_to_table {
        names.extend(cursor.after("ON").and_then(|mut behind| behind.name()));
    }
    let deferred = cursor.has_phrase("INITIALLY DEFERRED");
    let facts =
        Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(!is_virtual && !deferred);
    if temporary { facts.bound(TEMPORARY) } else { facts }
}

fn alter(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("TABLE");
    let mut names = cursor.one_name();
    names.extend(cursor.after("RENAME TO").and_then(|mut behind| behind.name()));
    Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(sketch.is_plain())
}

fn drop_object(mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"]);
    cursor.eat("IF EXISTS");
    Facts::of(Effect::Schema).naming(cursor.one_name()).groupable_if(true)
}

/// How the transaction takes its lock matters to nobody who holds it. Readers that `EXCLUSIVE` keeps out see
/// what was there before, until it commits.
fn begin() -> Facts {
    Facts::control(Control::Begin(Modes::Plain))
}

fn pragma(mut cursor: Cursor<'_, '_>) -> Facts {
    let name = cursor.name().map(|name| name.name).unwrap_or_default();
    let sets = cursor.eat_punctuation("=") || cursor.eat_punctuation("(");
    let facts = |effect| Facts::of(effect).naming(Vec::new());
    match name.as_str() {
        // An encrypted database's; it is the session's, and no resume can do without it.
        "key" | "rekey" | "hexkey" | "hexrekey" | "textkey" | "textrekey" if sets => {
            facts(Effect::Session).session(SessionUse::Setting).secret()
        }
        "foreign_keys" if sets => Facts {
            foreign_keys_pragma: switch(cursor),
            ..facts(Effect::Session).session(SessionUse::Setting)
        },
        "journal_mode" | "synchronous" | "temp_store" | "temp_store_directory" | "encoding" if sets => {
            // SQLite takes the beginning of a mode's name for the mode.
            let mode = value(cursor).filter(|mode| !mode.is_empty());
            let is =
                |of: &str| name == "journal_mode" && mode.as_ref().is_some_and(|mode| of.starts_with(mode));
            // A journal in a file, and an encoding, are the database's; the rest ends with the session.
            let lasts = name == "encoding" || (name == "journal_mode" && !is("off") && !is("memory"));
            let facts = facts(Effect::Server).outside("a transaction refuses or ignores this PRAGMA");
            let facts = if lasts { facts } else { facts.session(SessionUse::Setting) };
            Facts { gives_rollback_up: is("off"), ..facts }
        }
        "wal_checkpoint" => facts(Effect::Server).outside("a transaction refuses or ignores this PRAGMA"),
        "incremental_vacuum" | "optimize" => facts(Effect::Server),
        "defer_foreign_keys" if sets => {
            facts(Effect::Session).held("PRAGMA defer_foreign_keys holds until its transaction ends")
        }
        // A place that others write to as well, like a table.
        "user_version" | "application_id" | "schema_version" if sets => {
            facts(Effect::Schema).naming(vec![ObjectName { schema: None, name }])
        }
        "integrity_check" | "quick_check" | "foreign_key_check" | "table_info" | "table_xinfo"
        | "table_list" | "index_list" | "index_info" | "index_xinfo" | "foreign_key_list"
        | "database_list" => facts(Effect::Query),
        _ if sets => facts(Effect::Session).session(SessionUse::Setting),
        _ => facts(Effect::Query),
    }
}

/// What a PRAGMA is set to, in small letters.
fn value(cursor: Cursor<'_, '_>) -> Option<String> {
    let token = cursor.peek()?;
    let value = string_value(token).unwrap_or_else(|| token.text.trim_matches('"').to_owned());
    Some(value.to_ascii_lowercase())
}

fn switch(cursor: Cursor<'_, '_>) -> Option<bool> {
    match value(cursor)?.as_str() {
        "on" | "yes" | "true" => Some(true),
        "off" | "no" | "false" => Some(false),
        number => Some(number.parse::<i64>().is_ok_and(|number| number != 0)),
    }
}
