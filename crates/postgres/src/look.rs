//! Looks: how the objects that a statement names were before it was sent, and what that tells of it afterwards.
//!
//! Only what cannot be in a transaction is ever looked for: an index that is built or dropped concurrently, a
//! partition that is detached concurrently. Each works in several transactions of its own, so it can also be
//! found half-done. The catalogs alone are read, by number: neither rows nor statistics make a difference,
//! and what is found does not depend on `search_path`.

use crate::quote::{identifier, literal};
use crate::transport::Row;
use crate::waits;
use windlass_core::driver::{Holder, InvalidIndex, Invalidity};
use windlass_core::history::{Remnant, Sight};
use windlass_core::plan::{Execute, Step};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{ObjectName, TakenIndex, classify};
use windlass_core::sql::lexer::tokens;

/// The look as an expression: which tables and indexes the names stand for, which names are an index's or
/// nobody's, which indexes the tables have, and which of the tables is a partition of which.
pub(crate) fn taken(watched: &[ObjectName]) -> String {
    if watched.is_empty() {
        return "NULL".to_owned();
    }
    format!(
        "(WITH found AS ({}), tables AS (SELECT oid FROM found WHERE relkind NOT IN ('i', 'I')) \
         SELECT jsonb_build_object(\
         'tables', (SELECT jsonb_agg(oid::bigint) FROM tables), \
         'indexes', (SELECT jsonb_agg(oid::bigint) FROM found WHERE relkind IN ('i', 'I')), \
         'names', (SELECT jsonb_agg(name) FROM found WHERE oid IS NULL OR relkind IN ('i', 'I')), \
         'there', (SELECT jsonb_agg(x.indexrelid::bigint) FROM pg_catalog.pg_index AS x \
         WHERE x.indrelid IN (SELECT oid FROM tables)), \
         'there_named', (SELECT jsonb_agg(c.relname) FROM pg_catalog.pg_index AS x \
         JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid WHERE x.indrelid IN (SELECT oid FROM tables)), \
         'attached', (SELECT jsonb_agg(jsonb_build_array(i.inhparent::bigint, i.inhrelid::bigint)) \
         FROM pg_catalog.pg_inherits AS i WHERE i.inhparent IN (SELECT oid FROM tables) \
         AND i.inhrelid IN (SELECT oid FROM tables))))",
        found(watched)
    )
}

/// A row for each relation of each name, and one for a name that none has.
fn found(names: &[ObjectName]) -> String {
    let values = names.iter().map(|ObjectName { schema, name }| {
        let schema = schema.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        format!("({schema}::name, {}::name)", literal(name))
    });
    format!(
        "SELECT w.name, c.oid, c.relkind FROM (VALUES {}) AS w (schema, name) LEFT JOIN (pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace) ON c.relname = w.name \
         AND CASE WHEN w.schema IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = w.schema END",
        values.collect::<Vec<_>>().join(", ")
    )
}

/// What a look tells, for the row `h` of the history that keeps it.
///
/// An index counts as the statement's when it was not there before, neither as itself nor by its name (REINDEX
/// puts another in its place), stands on the table and bears the name that the statement gives. A session that builds on the table, or one of which nothing may be seen, may be
/// at work on it: then nothing is told. What REINDEX leaves is told by its name, and is never taken for ours.
pub(crate) const TOLD: &str = "\
    WITH tables AS (SELECT c.oid FROM jsonb_array_elements_text(nullif(h.look -> 'tables', 'null')) AS t (oid) \
        JOIN pg_catalog.pg_class AS c ON c.oid = t.oid::oid), \
    indexes AS (SELECT c.oid FROM jsonb_array_elements_text(nullif(h.look -> 'indexes', 'null')) AS t (oid) \
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.oid::oid), \
    fresh AS (SELECT n.nspname, c.relname, x.indisvalid AND x.indisready AND x.indislive AS is_whole, \
        EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p \
            WHERE p.datname = current_database() AND coalesce(p.relid = x.indrelid, true)) AS is_built \
        FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid \
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
        WHERE x.indrelid IN (SELECT oid FROM tables) AND c.relkind = 'i' \
        AND NOT coalesce(h.look -> 'there' @> to_jsonb(x.indexrelid::bigint), false) \
        AND NOT coalesce(h.look -> 'there_named' ? c.relname, false) \
        AND CASE WHEN h.look ->> 'names' IS NULL THEN c.relname !~ '_cc(new|old)[0-9]*$' \
            ELSE h.look -> 'names' ? c.relname END), \
    attached AS (SELECT pn.nspname AS parent_schema, p.relname AS parent, cn.nspname, c.relname, \
        i.inhrelid IS NULL AS is_detached, (to_jsonb(i) ->> 'inhdetachpending')::boolean AS is_pending \
        FROM jsonb_array_elements(nullif(h.look -> 'attached', 'null')) AS t (pair) \
        LEFT JOIN (pg_catalog.pg_class AS p JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace) \
            ON p.oid = (pair ->> 0)::oid \
        LEFT JOIN (pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace) \
            ON c.oid = (pair ->> 1)::oid \
        LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhparent = p.oid AND i.inhrelid = c.oid) \
    SELECT CASE count(*) WHEN 1 THEN min(CASE WHEN parent IS NULL OR relname IS NULL THEN 'unknown' \
        WHEN is_detached THEN 'changed' WHEN is_pending THEN 'detach' ELSE 'untouched' END) \
        ELSE 'unknown' END AS sight, \
        min(nspname::text) AS left_schema, min(relname::text) AS left_name, \
        min(parent_schema::text) AS of_schema, min(parent::text) AS of_name \
        FROM attached HAVING count(*) > 0 \
    UNION ALL SELECT CASE WHEN NOT EXISTS (SELECT FROM tables) THEN 'unknown' WHEN count(*) = 0 THEN 'untouched' \
        WHEN count(*) > 1 THEN 'unknown' WHEN bool_and(is_whole) THEN 'changed' \
        WHEN bool_or(is_built) THEN 'unknown' ELSE 'index' END, \
        min(nspname::text), min(relname::text), NULL, NULL \
        FROM fresh HAVING h.look ->> 'tables' IS NOT NULL \
        AND NOT EXISTS (SELECT FROM attached) \
    UNION ALL SELECT CASE count(oid) WHEN 0 THEN 'changed' WHEN count(*) THEN 'untouched' ELSE 'unknown' END, \
        NULL, NULL, NULL, NULL FROM indexes HAVING count(*) > 0 AND h.look ->> 'tables' IS NULL";

/// Reads what [`TOLD`] tells.
pub(crate) fn sight(column: impl Fn(&str) -> Option<String>) -> Sight {
    let name = |name: &str| column(name).unwrap_or_default();
    match name("sight").as_str() {
        "untouched" => Sight::Untouched,
        "changed" => Sight::Changed,
        "index" => {
            let (schema, index) = (name("left_schema"), name("left_name"));
            Sight::Remnant(Remnant::InvalidIndex { schema, index })
        }
        "detach" => Sight::Remnant(Remnant::PendingDetach {
            schema: name("of_schema"),
            table: name("of_name"),
            partition_schema: name("left_schema"),
            partition: name("left_name"),
        }),
        _ => Sight::Unknown,
    }
}

/// The statement that clears a remnant away. It stands alone: in company it would be in a transaction.
pub(crate) fn clear(remnant: &Remnant) -> Option<String> {
    let qualified = |schema: &str, name: &str| format!("{}.{}", identifier(schema), identifier(name));
    match remnant {
        Remnant::InvalidIndex { schema, index } => {
            Some(format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(schema, index)))
        }
        Remnant::PendingDetach { schema, table, partition_schema, partition } => {
            let (table, partition) = (qualified(schema, table), qualified(partition_schema, partition));
            Some(format!("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE"))
        }
        _ => None,
    }
}

/// A query whose first row is the reason not to do a step; nothing where there can be none.
pub(crate) fn objections(step: &Step<'_>) -> Option<String> {
    match step {
        Step::Clear { remnant, .. } => no_remnant(remnant),
        Step::Execute(execute) => already_invalid(execute),
        _ => None,
    }
}

/// What another session brought to its end meanwhile is not to be cleared away.
fn no_remnant(remnant: &Remnant) -> Option<String> {
    match remnant {
        Remnant::InvalidIndex { schema, index } => {
            let words = format!("index {schema}.{index} is valid by now: deploy again to go on with it");
            Some(format!(
                "SELECT {} FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid \
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE n.nspname = {} AND c.relname = {} AND x.indisvalid",
                literal(&words),
                literal(schema),
                literal(index)
            ))
        }
        Remnant::PendingDetach { schema, table, partition_schema, partition } => {
            let words = format!(
                "the detachment of {partition_schema}.{partition} from {schema}.{table} is not pending any more: \
                 deploy again to go on"
            );
            let number = |schema: &str, name: &str| {
                format!(
                    "(SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n \
                     ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {})",
                    literal(schema),
                    literal(name)
                )
            };
            Some(format!(
                "SELECT {} WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = {} \
                 AND inhrelid = {} AND inhdetachpending)",
                literal(&words),
                number(schema, table),
                number(partition_schema, partition)
            ))
        }
        _ => None,
    }
}

/// `IF NOT EXISTS` would take an index that is not valid for the one that is wanted.
///
/// A plan tells so beforehand where it can; here it is certain, also inside a transaction.
fn already_invalid(execute: &Execute<'_>) -> Option<String> {
    // The classifier is asked only where the answer can be yes.
    let mut words = tokens(Dialect::Postgres, execute.sql).filter(|token| token.kind.is_significant());
    if !words.next()?.is_word("CREATE") || !words.take(2).any(|token| token.is_word("INDEX")) {
        return None;
    }
    let taken = classify(Dialect::Postgres, execute.sql).takes_index.filter(|taken| taken.unless_there);
    let TakenIndex { name, table, on_only, .. } = taken?;
    // A partitioned table's own index is not valid before its partitions' are attached, and is meant so.
    let kinds = if on_only { "('i')" } else { "('i', 'I')" };
    Some(format!(
        "SELECT format('index %I.%I stands and is not valid, and IF NOT EXISTS would leave it so: drop it, or REINDEX it', \
         n.nspname, c.relname) FROM ({}) AS t JOIN pg_catalog.pg_class AS of ON of.oid = t.oid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = of.relnamespace \
         JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = {}::name AND c.relkind IN {kinds} \
         JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid WHERE NOT x.indisvalid",
        found(std::slice::from_ref(&table)),
        literal(&name)
    ))
}

/// The indexes that are not valid, and why: the first twenty.
pub(crate) fn invalid_indexes(only_schema: Option<&str>) -> String {
    let only = only_schema.map(|schema| format!(" AND n.nspname = {}", literal(schema))).unwrap_or_default();
    format!(
        "SELECT n.nspname, c.relname, tn.nspname, t.relname, pg_catalog.pg_table_is_visible(t.oid), \
         CASE WHEN b.pid IS NOT NULL THEN 'building' WHEN c.relkind = 'I' THEN 'parent' \
         WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN 'reindex' ELSE 'unfinished' END, b.pid, {who} \
         FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid \
         JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace \
         LEFT JOIN LATERAL (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index AS p \
         WHERE p.datname = current_database() AND coalesce(p.relid = x.indrelid, true) LIMIT 1) AS b ON true \
         LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid \
         WHERE NOT x.indisvalid AND n.nspname NOT LIKE 'pg\\_temp\\_%'{only} ORDER BY 1, 2 LIMIT 20",
        who = waits::WHO
    )
}

/// Reads what [`invalid_indexes`] finds.
pub(crate) fn invalid_index(row: &Row) -> InvalidIndex {
    let value = |column| row.get(column).unwrap_or_default().to_owned();
    let why = match row.get(5) {
        Some("building") => {
            let filled = |column| row.get(column).filter(|text: &&str| !text.is_empty()).map(str::to_owned);
            Invalidity::Building(Holder { session: filled(6), who: filled(7), ..Holder::default() })
        }
        Some("parent") => Invalidity::OnlyParent,
        Some("reindex") => Invalidity::LeftByReindex,
        _ => Invalidity::Unfinished,
    };
    InvalidIndex {
        index: ObjectName { schema: Some(value(0)), name: value(1) },
        table: ObjectName { schema: Some(value(2)), name: value(3) },
        why,
        in_search_path: row.get(4) == Some("t"),
    }
}
