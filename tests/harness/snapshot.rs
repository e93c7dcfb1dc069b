//! Snapshots: schema and data as text, to hold one run's end against another's.

use crate::raw::Raw;
use crate::{Database, Family};

/// Definitions and rows, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(Vec<String>);

impl Snapshot {
    /// Of everything in a database but the history.
    pub async fn of(database: &Database) -> Self {
        let mut session = database.session().await;
        let mut lines = match database.target().family {
            Family::Postgres => postgres(&mut session).await,
            Family::Sqlite => sqlite(&mut session).await,
            Family::MySql | Family::MariaDb => mysql(&mut session).await,
        };
        lines.sort();
        Self(lines)
    }

    /// Fails with the lines that are only here or only there.
    ///
    /// # Errors
    /// Those lines.
    pub fn must_be(&self, expected: &Self) -> Result<(), String> {
        let only = |these: &Self, those: &Self| -> Vec<String> {
            these.0.iter().filter(|line| !those.0.contains(line)).cloned().collect()
        };
        if self == expected {
            return Ok(());
        }
        Err(format!("it has {:#?} where {:#?} is right", only(self, expected), only(expected, self)))
    }
}

async fn lines(session: &mut Raw, sql: &str) -> Vec<String> {
    let told = |row: Vec<Option<String>>| {
        row.into_iter()
            .map(|value| value.unwrap_or_else(|| "NULL".to_owned()))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    session.query(sql).await.into_iter().map(told).collect()
}

/// The rows of each table, behind its name.
async fn rows(session: &mut Raw, tables: Vec<String>) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        let rows = lines(session, &format!("SELECT * FROM {table}")).await;
        all.extend(rows.into_iter().map(|row| format!("row of {table}: {row}")));
    }
    all
}

async fn postgres(session: &mut Raw) -> Vec<String> {
    const OWN: &str = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relname NOT LIKE '\\_windlass%'";
    let classes = format!(
        "SELECT 'class', c.oid::regclass, c.relkind, c.relispartition, pg_get_expr(c.relpartbound, c.oid), \
         CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {OWN}"
    );
    let columns = format!(
        "SELECT 'column', c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
         pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v') AND {OWN}"
    );
    let indexes = format!(
        "SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive FROM pg_index AS i \
         JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {OWN}"
    );
    let constraints = format!(
        "SELECT 'constraint', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated \
         FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {OWN}"
    );
    let triggers = format!(
        "SELECT 'trigger', pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger AS t \
         JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE NOT t.tgisinternal AND {OWN}"
    );
    let detaching = "SELECT 'detaching', inhrelid::regclass FROM pg_inherits WHERE inhdetachpending";
    let functions = "SELECT 'function', pg_get_functiondef(p.oid) FROM pg_proc AS p \
                     JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')";
    let labels = "SELECT 'label', enumtypid::regtype, enumsortorder, enumlabel FROM pg_enum";
    let mut all = Vec::new();
    for sql in [&classes, &columns, &indexes, &constraints, &triggers, detaching, functions, labels] {
        all.extend(lines(session, sql).await);
    }
    let tables = format!(
        "SELECT c.oid::regclass FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND {OWN}"
    );
    let tables = lines(session, &tables).await;
    all.extend(rows(session, tables).await);
    all
}

async fn mysql(session: &mut Raw) -> Vec<String> {
    const OWN: &str = "= database() AND table_name NOT LIKE '\\_windlass%'";
    let mut all = Vec::new();
    let tables = lines(session, &format!("SELECT table_name FROM information_schema.tables WHERE table_schema {OWN} AND table_type = 'BASE TABLE'")).await;
    for table in &tables {
        all.extend(lines(session, &format!("SHOW CREATE TABLE `{table}`")).await);
    }
    for sql in [
        "SELECT 'view', table_name, view_definition FROM information_schema.views WHERE table_schema = database()",
        "SELECT 'trigger', trigger_name, event_manipulation, event_object_table, action_timing, action_statement, sql_mode \
         FROM information_schema.triggers WHERE trigger_schema = database()",
        "SELECT 'routine', routine_type, routine_name, dtd_identifier, routine_definition, sql_mode \
         FROM information_schema.routines WHERE routine_schema = database()",
    ] {
        all.extend(lines(session, sql).await);
    }
    all.extend(rows(session, tables.into_iter().map(|table| format!("`{table}`")).collect()).await);
    all
}

async fn sqlite(session: &mut Raw) -> Vec<String> {
    const OWN: &str =
        "tbl_name NOT LIKE '\\_windlass%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_sequence' ESCAPE '\\'";
    let mut all =
        lines(session, &format!("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE {OWN}")).await;
    all.extend(lines(session, "SELECT 'journal', journal_mode FROM pragma_journal_mode").await);
    all.extend(
        lines(
            session,
            "SELECT 'damage', integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        )
        .await,
    );
    all.extend(lines(session, "SELECT 'dangling', * FROM pragma_foreign_key_check").await);
    let tables = format!("SELECT '\"' || name || '\"' FROM sqlite_schema WHERE type = 'table' AND {OWN}");
    let tables = lines(session, &tables).await;
    all.extend(rows(session, tables).await);
    all
}
