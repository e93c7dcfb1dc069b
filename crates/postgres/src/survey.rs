//! Survey: other tools' tables, and who has a transaction open, for the checklist.

use crate::inspect::is_absent;
use crate::quote::literal;
use crate::transport::{Row, Session};
use crate::waits::{ABOUT, WHO, read};
use std::time::Duration;
use windlass_core::doctor::{Survey, Unseen};
use windlass_core::driver::DriverError;
use windlass_core::shadow::NAME_PREFIX;
use windlass_core::sql::classify::ObjectName;

/// So many transactions are told of, those that are open for longest.
const TOLD: usize = 10;

pub(crate) async fn survey(
    session: &Session<'_>,
    tables: &[&str],
    only_schema: Option<&str>,
) -> Result<Survey, DriverError> {
    let tables = session.send(&tables_sql(tables, only_schema)).await;
    let transactions = session.send(&transactions_sql()).await;
    let rights = session.send(RIGHTS).await;
    let shadows = session.send(&shadows_sql()).await;
    let tables = tables.rows().await?;
    // What is asked for is there since PostgreSQL 10.
    let transactions = match transactions.rows().await {
        Err(error) if is_absent(&error) => Vec::new(),
        rows => rows?,
    };
    let rights = rights.rows().await?;
    let shadows = shadows.rows().await?;
    let text = |row: &Row, index| row.get(index).map(str::to_owned);
    let table = |row: &Row| Some(ObjectName { schema: text(row, 0), name: text(row, 1)? });
    let open = |row: &Row| {
        let seconds = row.get(4).and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        (read(row), Duration::from_secs(seconds))
    };
    let unseen = rights.iter().filter_map(|row| row.get(0)).map(|user| Unseen {
        what: "what other users' sessions are at".to_owned(),
        grant: format!("GRANT pg_read_all_stats TO {user}"),
    });
    Ok(Survey {
        tables: tables.iter().filter_map(table).collect(),
        transactions: Some(transactions.iter().map(open).collect()),
        unseen: unseen.collect(),
        circumstances: Vec::new(),
        shadows: Some(shadows.iter().filter_map(|row| text(row, 0)).collect()),
    })
}

/// A row, with the account's name, where it does not see what others do.
const RIGHTS: &str = "SELECT quote_ident(current_user) FROM pg_catalog.pg_roles AS r \
                      WHERE r.rolname = 'pg_read_all_stats' AND NOT pg_has_role(current_user, r.oid, 'USAGE')";

/// Shadow databases without a session: that there is one everybody may see.
fn shadows_sql() -> String {
    format!(
        "SELECT d.datname FROM pg_catalog.pg_database AS d WHERE d.datname ~ '^{NAME_PREFIX}[0-9a-f]{{16}}$' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.datid = d.oid) ORDER BY d.datname"
    )
}

fn tables_sql(tables: &[&str], only_schema: Option<&str>) -> String {
    let names = tables.iter().map(|table| literal(&table.to_lowercase())).collect::<Vec<_>>().join(", ");
    let schema = match only_schema {
        Some(schema) => format!("n.nspname = {}", literal(schema)),
        None => "n.nspname !~ '^pg_'".to_owned(),
    };
    format!(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND lower(c.relname) IN ({names}) AND {schema} ORDER BY 1, 2"
    )
}

/// Sessions of clients in a transaction, and transactions that are prepared, which no session holds.
fn transactions_sql() -> String {
    format!(
        "SELECT a.pid::text, {WHO}, {ABOUT}, extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS seconds \
         FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() \
         AND a.xact_start IS NOT NULL AND a.backend_type = 'client backend' \
         UNION ALL SELECT NULL, concat_ws(' ', 'prepared transaction', quote_literal(p.gid), 'of user', p.owner), \
         to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), NULL, \
         extract(epoch FROM clock_timestamp() - p.prepared)::bigint \
         FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = current_database() \
         ORDER BY seconds DESC LIMIT {TOLD}"
    )
}
