//! Waits: how long a statement waits for other sessions, and whom it waits for.
//!
//! `lock_timeout` counts for each lock by itself, while the locks a transaction has already are held. So the
//! statements of a transaction share one budget: each is told, by the server's own clock, what is left of it.

use crate::quote::literal;
use crate::transport::{Session, TransportError};
use windlass_core::driver::Holder;
use windlass_core::plan::{Execute, Locking, WaitLimit, locking};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{ObjectName, Objects, classify};

/// What is left at least for a lock: nothing at all would be no limit.
const LEAST: u128 = 50;

/// How much of what a holder runs is shown.
const SHOWN: usize = 120;

/// How the statements of a segment wait, as far as steps have said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    now: Option<WaitLimit>,
}

impl Limits {
    pub(crate) fn set(&mut self, limit: WaitLimit) {
        self.now = Some(limit);
    }

    /// The transaction's end is the end of its budget.
    pub(crate) fn end(&mut self) {
        self.now = None;
    }

    /// Whether a lock that is not had in time is this driver's own limit.
    pub(crate) fn is_own(self) -> bool {
        matches!(self.now, Some(WaitLimit::Locks(_)))
    }

    /// What goes ahead of a statement, as a message of its own.
    pub(crate) fn lead(self, inside: bool) -> Option<String> {
        let Some(WaitLimit::Locks(budget)) = self.now else { return None };
        let budget = budget.as_millis().max(1);
        if !inside {
            return Some(format!("SET lock_timeout = {budget}"));
        }
        // The time of the first of them is kept for as long as the transaction, and no longer.
        Some(format!(
            "SELECT pg_catalog.set_config('lock_timeout', greatest({least}, {budget} - 1000 * (now - since))::bigint::text, true) \
             FROM (SELECT now, pg_catalog.set_config('windlass.waiting_since', coalesce(nullif(\
             pg_catalog.current_setting('windlass.waiting_since', true), ''), now::text), true)::float8 AS since \
             FROM (SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8 AS now OFFSET 0) AS clock OFFSET 0) AS begun",
            least = LEAST.min(budget)
        ))
    }
}

/// Sent after a statement outside any transaction that was limited.
pub(crate) const UNLIMITED: &str = "SET lock_timeout = 0";

/// Settings of newer servers that would end a session or its work.
pub(crate) const ENDS_SESSIONS: [&str; 2] = ["transaction_timeout", "idle_session_timeout"];

/// Which of them this server knows.
pub(crate) fn known() -> String {
    format!(
        "SELECT name FROM (VALUES {}) AS known (name) WHERE pg_catalog.current_setting(name, true) IS NOT NULL",
        ENDS_SESSIONS.map(|name| format!("({})", literal(name))).join(", ")
    )
}

/// Turns them off: 0 is for ever. One that a server does not know is left out.
pub(crate) fn endless() -> String {
    format!("SELECT pg_catalog.set_config(name, '0', false) FROM ({}) AS these", known())
}

/// The same on the client's own session, which the server has for no longer than this, and whether it is one.
#[cfg(feature = "sqlx")]
pub(crate) fn endless_if_own(at_most: std::time::Duration, is_own: &str) -> String {
    format!(
        "SELECT is_own, CASE WHEN is_own THEN (SELECT count(s.set_config) FROM ({}) AS s) END \
         FROM (SELECT {is_own} AND pg_catalog.clock_timestamp() - backend_start < interval '{} ms' AS is_own \
         FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()) AS own",
        endless(),
        at_most.as_millis()
    )
}

/// Who holds what a statement waited for in vain: the session that has been in its transaction the longest.
/// Nothing where none holds it any more.
pub(crate) async fn holder(session: &Session<'_>, execute: Option<&Execute<'_>>) -> Holder {
    let Some(sql) = execute.map(|execute| holders_sql(execute.sql)) else { return Holder::default() };
    match session.rows(&sql).await {
        Ok(rows) => rows.first().map(read).unwrap_or_default(),
        Err(_) => Holder::default(),
    }
}

/// Whom the session with this number waits for, asked by another one.
pub(crate) async fn blocker(session: &Session<'_>, pid: &str) -> Result<Option<Holder>, TransportError> {
    let sql = format!(
        "SELECT a.pid, {WHO}, {ABOUT} FROM pg_catalog.pg_stat_activity AS w JOIN pg_catalog.pg_stat_activity AS a \
         ON a.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)) \
         WHERE w.pid = {pid} AND w.wait_event_type = 'Lock' ORDER BY a.xact_start NULLS LAST LIMIT 1"
    );
    Ok(session.rows(&sql).await?.first().map(read))
}

/// Of the session `a`.
pub(crate) const WHO: &str = "concat_ws(' ', 'user', a.usename, 'application', nullif(a.application_name, ''), \
     'from', coalesce(host(a.client_addr), 'this machine'))";

/// Since when the session `a` is at it, and what it runs.
pub(crate) const ABOUT: &str = "to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), \
     CASE WHEN a.state LIKE 'idle%' THEN 'nothing now; last ' ELSE '' END || a.query";

/// A row of a session's number, [`WHO`] and [`ABOUT`].
pub(crate) fn read(row: &crate::transport::Row) -> Holder {
    let value = |index| row.get(index).filter(|text| !text.is_empty()).map(str::to_owned);
    let running = value(3).map(|query| crate::lock::shown(&query, SHOWN));
    Holder { session: value(0), who: value(1), since: value(2), running }
}

/// The tables that the names stand for, those of indexes that are named, partitions, and tables at the other
/// end of a foreign key: a statement may lock all of them.
fn holders_sql(sql: &str) -> String {
    let relations = match classify(Dialect::Postgres, sql).objects {
        Objects::Known(names) if !names.is_empty() => format!(
            "WITH RECURSIVE named AS ({}), tables AS (SELECT coalesce(x.indrelid, n.oid) AS oid FROM named AS n \
             LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = n.oid \
             UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tables AS t ON t.oid = i.inhparent), \
             locked AS (SELECT oid, 0 AS far FROM tables UNION ALL SELECT oid, 0 FROM named UNION ALL \
             SELECT CASE c.conrelid WHEN t.oid THEN c.confrelid ELSE c.conrelid END, 1 \
             FROM pg_catalog.pg_constraint AS c JOIN tables AS t ON t.oid IN (c.conrelid, c.confrelid) \
             WHERE c.contype = 'f')",
            named(&names)
        ),
        // What code locks is not told by its text.
        _ => "WITH locked AS (SELECT oid, 0 AS far FROM pg_catalog.pg_class WHERE relnamespace <> 'pg_catalog'::regnamespace)"
            .to_owned(),
    };
    let modes = match locking(Dialect::Postgres, sql) {
        Locking::KeepsWritersOut => "AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')",
        _ => "",
    };
    format!(
        "{relations} SELECT a.pid, {WHO}, {ABOUT} FROM locked JOIN pg_catalog.pg_locks AS l ON l.relation = locked.oid \
         AND l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
         JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
         WHERE l.granted {modes} AND l.pid <> pg_catalog.pg_backend_pid() \
         ORDER BY locked.far, a.xact_start NULLS LAST LIMIT 1"
    )
}

fn named(names: &[ObjectName]) -> String {
    let values = names.iter().map(|ObjectName { schema, name }| {
        let schema = schema.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        format!("({schema}::name, {}::name)", literal(name))
    });
    format!(
        "SELECT c.oid FROM (VALUES {}) AS w (schema, name) JOIN pg_catalog.pg_class AS c ON c.relname = w.name \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         AND CASE WHEN w.schema IS NULL THEN n.nspname NOT IN ('pg_catalog', 'information_schema') \
         ELSE n.nspname = w.schema END",
        values.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_small_budget_is_kept() {
        let mut limits = Limits::default();
        limits.set(WaitLimit::Locks(Duration::from_millis(20)));
        let lead = limits.lead(true).unwrap_or_default();
        assert!(lead.contains("greatest(20, 20 - "), "{lead}");
        assert_eq!(limits.lead(false).as_deref(), Some("SET lock_timeout = 20"));
        limits.set(WaitLimit::Script);
        assert_eq!(limits.lead(true), None);
    }
}
