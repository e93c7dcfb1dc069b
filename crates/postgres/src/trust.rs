//! Trust: whether a history table can be somebody's trap.
//!
//! Whoever may create a table in the schema may plant one that looks like ours, and a default, a trigger, a
//! rule or a view's function of theirs would run with the rights of whoever deploys.

use crate::history::HistoryTable;
use crate::quote::literal;
use crate::transport::{Row, Session, TransportError};
use windlass_core::driver::DriverError;

/// A query whose row tells what is wrong with the table that stands; it has none where all is well.
///
/// Every function and type is named with its schema, and operators meet their own types, so that nothing of
/// another's stands in for what is meant.
pub(crate) fn doubts(table: &HistoryTable) -> String {
    format!(
        "SELECT c.relkind AS kind, owner.rolname AS owner, {TRUSTED} AS is_trusted, {HIDES_ROWS} AS hides_rows {}",
        doubtful(table)
    )
}

/// A statement in front of one that reads the table, in the same message: it fails where there are doubts.
///
/// It returns no row otherwise. By its failure it divides by what no planner knows to be zero.
pub(crate) fn guard(table: &HistoryTable) -> String {
    format!("SELECT {FAILURE} {}; ", doubtful(table))
}

/// A guard that a fresh session plans in a quarter of the time, and that may fail where there are no doubts.
///
/// It trusts what the owner of the database has made only where the session may act as that owner, and knows no
/// owner for a superuser but the superuser itself; `relhasrules` and `relhastriggers` stay when the last rule or
/// trigger is gone.
pub(crate) fn quick_guard(table: &HistoryTable) -> String {
    format!(
        "SELECT {FAILURE} FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass({}::text)::oid \
         AND (c.relkind <> 'r' OR c.relhasrules OR c.relhastriggers OR c.relrowsecurity OR NOT {TRUSTED_AT_A_GLANCE}); ",
        literal(table.quoted())
    )
}

/// A condition that holds where there are doubts.
pub(crate) fn is_doubtful(table: &HistoryTable) -> String {
    format!("EXISTS (SELECT {})", doubtful(table))
}

/// Tells in words what [`doubts`] found.
pub(crate) fn judge(table: &HistoryTable, rows: &[Row]) -> Result<(), DriverError> {
    let Some(row) = rows.first() else { return Ok(()) };
    let value = |name| row.try_get(name).ok().flatten().unwrap_or_default();
    let (place, owner) = (table.readable(), value("owner"));
    Err(DriverError::History(if value("is_trusted") != "t" {
        format!(
            "the table {place} belongs to `{owner}`: neither you, nor the owner of the database, nor a superuser; \
             what it holds could run code as you; \
             drop it, or if it is the real one, say ALTER TABLE {place} OWNER TO the role that deploys"
        )
    } else if value("kind") != "r" {
        format!("{place}, of `{owner}`, is not an ordinary table")
    } else if value("hides_rows") == "t" {
        format!(
            "row security keeps rows of {place}, of `{owner}`, from this role, and what is applied would not be seen; \
             deploy as a role that owns it, or say ALTER TABLE {place} DISABLE ROW LEVEL SECURITY"
        )
    } else {
        format!("the table {place}, of `{owner}`, has triggers or rules, which the history must not have")
    }))
}

/// The words for a guard that failed.
pub(crate) async fn explain(
    session: &Session<'_>,
    table: &HistoryTable,
    error: TransportError,
) -> DriverError {
    match session.rows(&doubts(table)).await.map(|rows| judge(table, &rows)) {
        Ok(Err(doubt)) => doubt,
        _ => error.into(),
    }
}

/// Fails for a row that is found.
const FAILURE: &str = "1 / (c.relnatts - c.relnatts)";

/// What [`TRUSTED`] says yes to as well, by functions that read what a session has at hand.
const TRUSTED_AT_A_GLANCE: &str = "(pg_catalog.pg_has_role(c.relowner, 'MEMBER'::text) \
     AND (pg_catalog.current_setting('is_superuser'::text) = 'off' \
         OR pg_catalog.pg_get_userbyid(c.relowner) = current_user))";

/// Whether policies say which rows this role sees.
const HIDES_ROWS: &str = "pg_catalog.row_security_active(c.oid)";

/// One with all rights is a member of every role, which says nothing.
const TRUSTED: &str = "(c.relowner = me.oid OR c.relowner = base.datdba OR owner.rolsuper \
                       OR (NOT me.rolsuper AND pg_catalog.pg_has_role(me.oid, c.relowner, 'MEMBER'::text)))";

fn doubtful(table: &HistoryTable) -> String {
    format!(
        "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_roles AS owner ON owner.oid = c.relowner \
         JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user \
         JOIN pg_catalog.pg_database AS base ON base.datname = pg_catalog.current_database() \
         WHERE c.oid = pg_catalog.to_regclass({}::text)::oid AND (NOT {TRUSTED} OR c.relkind <> 'r' \
         OR {HIDES_ROWS} OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
         OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid))",
        literal(table.quoted())
    )
}
