//! Leftovers: what a migration makes that lives as long as its session, and what takes it away again.
//!
//! `DISCARD` would take an application's own with it, and frees the lock; so what was not there before is looked
//! for, one by one, by a block of code: it needs no answer, and can be sent ahead of others.

use crate::quote::literal;
use crate::transport::{Session, TransportError};

/// What was there before, of an application's connection. Of one of our own there is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// Kind and name.
    keys: Vec<String>,
}

/// Everything that lives as long as the session: its kind, its name, and the statement that takes it away. The
/// advisory lock of windlass itself is none.
const LEFT: &str = "\
    SELECT 'cursor' AS kind, name::text, format('CLOSE %I', name) AS away FROM pg_catalog.pg_cursors WHERE is_holdable \
    UNION ALL SELECT 'statement', name, format('DEALLOCATE %I', name) FROM pg_catalog.pg_prepared_statements WHERE from_sql \
    UNION ALL SELECT 'channel', c, format('UNLISTEN %I', c) FROM pg_catalog.pg_listening_channels() AS c \
    UNION ALL SELECT 'relation', oid::text, format('DROP %s IF EXISTS pg_temp.%I CASCADE', \
        CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, relname) \
        FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema() AND relkind IN ('r', 'p', 'v', 'S', 'c') \
    UNION ALL SELECT 'routine', oid::text, format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) \
        FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema() \
    UNION ALL SELECT 'type', oid::text, format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', typname) \
        FROM pg_catalog.pg_type WHERE typnamespace = pg_catalog.pg_my_temp_schema() AND typtype IN ('d', 'e', 'r') \
    UNION ALL SELECT 'lock', concat_ws(' ', classid, objid, objsubid, mode), format('SELECT pg_catalog.pg_advisory_unlock%s(%s)', \
        CASE mode WHEN 'ShareLock' THEN '_shared' ELSE '' END, \
        CASE objsubid WHEN 1 THEN (classid::bigint << 32 | objid::bigint)::text \
        ELSE concat_ws(', ', classid::bigint::bit(32)::int, objid::bigint::bit(32)::int) END) \
        FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted";

impl Noted {
    /// Notes what is there.
    pub(crate) async fn look(session: &Session<'_>) -> Result<Self, TransportError> {
        let rows = session.rows(&format!("SELECT kind || ' ' || name FROM ({LEFT}) AS l")).await?;
        Ok(Self { keys: rows.iter().filter_map(|row| row.get(0)).map(str::to_owned).collect() })
    }

    /// The statement that takes away everything else. What cannot be taken away stays: no deploy fails for it.
    pub(crate) fn tidy(&self, lock_key: i64) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| literal(key)).collect();
        let block = format!(
            "DECLARE l record; BEGIN \
             FOR l IN SELECT * FROM ({LEFT}) AS l WHERE kind || ' ' || name <> ALL (ARRAY[{}]::text[]) \
             AND NOT (kind = 'lock' AND away = format('SELECT pg_catalog.pg_advisory_unlock(%s)', {lock_key}::bigint)) \
             LOOP BEGIN EXECUTE l.away; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END",
            keys.join(", ")
        );
        format!("DO {}", literal(&block))
    }
}
