//! The lock: an advisory lock of the session, tried and never waited for.
//!
//! A session that waits inside `pg_advisory_lock` holds a snapshot, for which CREATE INDEX CONCURRENTLY of
//! the lock's holder would wait for ever.

use crate::history::HistoryTable;
use crate::quote::literal;
use crate::transport::{Session, TransportError};
use crate::waits::{ABOUT, WHO, read};
use windlass_core::driver::{Ending, Holder, Lock};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{classify, may_hold_secret};

/// The lock's key: of the database and the history's place, so that histories side by side do not exclude
/// one another.
pub(crate) fn key(database: &str, table: &HistoryTable) -> i64 {
    number(&format!("windlass lock 1\0{database}\0{}", table.quoted()))
}

/// The key of those that create a history in this schema of whichever database they are in.
pub(crate) fn creation_key(schema: &str) -> i64 {
    number(&format!("windlass creation 1\0{schema}"))
}

fn number(text: &str) -> i64 {
    // FNV-1a, since the key must be the same in every build.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_ne_bytes(hash.to_ne_bytes())
}

/// One try; `None` where a pooler has given the session, which would keep the lock for whoever gets it next.
pub(crate) async fn try_lock(session: &Session<'_>, key: i64) -> Result<Option<Lock>, TransportError> {
    let is_own = is_own(session).await;
    let rows =
        session.rows(&format!("SELECT CASE WHEN {is_own} THEN pg_try_advisory_lock({key}) END")).await?;
    match rows.first().and_then(|row| row.get(0)) {
        Some("t") => Ok(Some(Lock::Acquired)),
        Some(_) => Ok(Some(Lock::Held(holder(session, key).await?.unwrap_or_default()))),
        None => Ok(None),
    }
}

/// Whether this transaction's session is the one that the client was told of when it connected. A pooler tells of none of
/// the server's; what stands between and passes on what it gets (a proxy, a tunnel) tells of the same.
///
/// A client that keeps the process to itself asks for settings when it connects, which then come from it for as long as the
/// session lives. A pooler opens the server's sessions for nobody yet, and sets there what is other than it was.
pub(crate) async fn is_own(session: &Session<'_>) -> String {
    match session.process_told().await {
        Some(process) => format!("pg_catalog.pg_backend_pid() = {process}"),
        None => format!(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name IN ({}) AND source NOT IN ('client', 'session'))",
            session.settings_asked_for().map(literal).join(", ")
        ),
    }
}

/// The same where the session is another client's next: whether a transaction holds the lock now. The next one's
/// [claim](taken_for_transaction) takes it.
pub(crate) async fn look(session: &Session<'_>, key: i64) -> Result<Lock, TransportError> {
    let rows = session.rows(&format!("SELECT pg_try_advisory_xact_lock({key})")).await?;
    match rows.first().and_then(|row| row.get(0)) {
        Some("t") => Ok(Lock::Acquired),
        _ => Ok(Lock::Held(holder(session, key).await?.unwrap_or_default())),
    }
}

/// Ahead of a claim: takes the lock until the end of the transaction, or divides by zero.
pub(crate) fn taken_for_transaction(key: i64) -> String {
    format!("SELECT 1 / pg_catalog.pg_try_advisory_xact_lock({key})::integer; ")
}

/// Who holds it.
pub(crate) async fn holder(session: &Session<'_>, key: i64) -> Result<Option<Holder>, TransportError> {
    let rows = session.rows(&format!("SELECT a.pid, {WHO}, {ABOUT} {}", held_sql(key))).await?;
    Ok(rows.first().map(read))
}

/// Ends the session with this number, if it holds the lock: a number is given again.
pub(crate) async fn end_holder(
    session: &Session<'_>,
    key: i64,
    number: &str,
) -> Result<Ending, TransportError> {
    let Ok(number) = number.parse::<i32>() else { return Ok(Ending::HoldsNothing) };
    let end = format!(
        "SELECT pg_terminate_backend(a.pid) {} AND a.pid = {number} AND a.pid <> pg_backend_pid()",
        held_sql(key)
    );
    let rows = session.rows(&end).await?;
    Ok(if rows.is_empty() { Ending::HoldsNothing } else { Ending::Asked })
}

pub(crate) async fn unlock(session: &Session<'_>, key: i64) -> Result<(), TransportError> {
    session.run(&unlock_sql(key)).await
}

pub(crate) fn unlock_sql(key: i64) -> String {
    format!("SELECT pg_advisory_unlock({key})")
}

/// The session `a` that holds the lock.
fn held_sql(key: i64) -> String {
    format!(
        "FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND l.classid::bigint = ({key}::bigint >> 32) & 4294967295 AND l.objid::bigint = {key}::bigint & 4294967295"
    )
}

/// Another session's statement, on one short line, and not at all where it may hold a secret.
pub(crate) fn shown(query: &str, most: usize) -> String {
    if classify(Dialect::Postgres, query.trim_start()).may_hold_secret || may_hold_secret(query) {
        return "(not shown: it may hold a secret)".to_owned();
    }
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.char_indices().nth(most).map_or(line.len(), |(at, _)| at);
    if end < line.len() { format!("{} …", &line[..end]) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: usize = 120;

    #[test]
    fn a_secret_is_never_shown() {
        let query = "CREATE USER app\n  WITH Password 'hunter2'";
        assert_eq!(shown(query, SHOWN), "(not shown: it may hold a secret)");
        let several = "BEGIN; SELECT set_config('app.api_key', 'hunter2', false)";
        assert_eq!(shown(several, SHOWN), "(not shown: it may hold a secret)");
        assert_eq!(shown("SELECT  1", SHOWN), "SELECT 1");
        assert_eq!(shown(&"ü".repeat(121), SHOWN), format!("{} …", "ü".repeat(120)));
    }

    #[test]
    fn keys_differ_by_database_and_place_and_stay_the_same() {
        let (here, there) = (HistoryTable::new(None, None), HistoryTable::new(None, Some("app")));
        assert_ne!(key("a", &here), key("b", &here));
        assert_ne!(key("a", &here), key("a", &there));
        assert_eq!(key("shop", &here), KEY_OF_SHOP, "another build would not exclude this one");
    }

    const KEY_OF_SHOP: i64 = 4_699_304_647_272_188_775;
}
