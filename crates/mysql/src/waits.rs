//! Waits: who holds what a statement waited for in vain, as far as the server tells this account.

use crate::MySql;
use crate::history::text;
use crate::lock::shown;
use crate::sessions::Sessions;
use crate::transport::Row;
use windlass_core::driver::{Holder, Product};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{ObjectName, Objects, classify};

impl MySql<'_> {
    /// The session that holds the tables a statement names, the one that has been at it the longest. Where the
    /// server does not tell of locks, the oldest open transaction, and that it is only that.
    pub(crate) async fn holder_of(&mut self, sql: &str) -> Holder {
        let Objects::Known(names) = classify(Dialect::MySql, sql).objects else { return self.oldest().await };
        if names.is_empty() {
            return self.oldest().await;
        }
        let query = match self.capabilities.product {
            Product::MariaDb => metadata_locks_of_mariadb(self.sessions(), &self.database, &names),
            _ => metadata_locks(self.sessions(), &self.database, &names),
        };
        match self.ask(&query).await {
            Ok(rows) if !rows.is_empty() => in_transaction(read(&rows), ""),
            _ => self.oldest().await,
        }
    }

    async fn oldest(&mut self) -> Holder {
        match self.ask(&oldest(self.sessions())).await {
            Ok(rows) if !rows.is_empty() => in_transaction(
                read(&rows),
                " (the oldest open transaction: the server does not tell who holds the lock)",
            ),
            _ => Holder::default(),
        }
    }
}

/// A row of [`ABOUT`].
pub(crate) fn read(rows: &[Row]) -> Holder {
    let field = |index: usize| rows.first().and_then(|row| row.get(index)?.clone());
    let running = field(3).filter(|sql| !sql.is_empty()).map(|sql| shown(&sql));
    Holder { session: field(0), who: field(1), since: field(2), running }
}

pub(crate) fn in_transaction(holder: Holder, besides: &str) -> Holder {
    Holder {
        who: holder.who.map(|who| format!("{who}{besides}")),
        running: holder.running.or(Some("nothing now, in an open transaction".to_owned())),
        ..holder
    }
}

/// Whom a row is about, once it is joined to the list of sessions as `p` and their transactions as `x`.
pub(crate) const ABOUT: &str = "p.id, CONCAT('user ', p.user, ' from ', p.host), \
     COALESCE(x.started, UTC_TIMESTAMP() - INTERVAL p.time SECOND), p.info";

/// What is told of a session whose transactions are not looked for, which not every account may.
pub(crate) fn about_session(Sessions { list, .. }: Sessions, id: u64) -> String {
    format!("SELECT {} FROM {list} AS p WHERE p.id = {id}", ABOUT.replace("x.started", "NULL"))
}

fn oldest(Sessions { list, transactions }: Sessions) -> String {
    format!(
        "SELECT {ABOUT} FROM {transactions} AS x JOIN {list} AS p ON p.id = x.id \
         WHERE p.id <> CONNECTION_ID() AND p.db = DATABASE() ORDER BY x.started, p.id LIMIT 1"
    )
}

/// One of these names, in the database that it is in.
fn among(database: &str, names: &[ObjectName], schema: &str, name: &str) -> String {
    let pairs = names.iter().map(|object| {
        let database = object.schema.as_deref().unwrap_or(database);
        format!("({}, {})", text(database), text(&object.name))
    });
    format!("({schema}, {name}) IN ({})", pairs.collect::<Vec<_>>().join(", "))
}

fn metadata_locks(Sessions { list, transactions }: Sessions, database: &str, names: &[ObjectName]) -> String {
    // The program's name is told to those who may read it.
    format!(
        "SELECT {} FROM performance_schema.metadata_locks AS m \
         JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id \
         JOIN {list} AS p ON p.id = t.processlist_id LEFT JOIN {transactions} AS x ON x.id = p.id \
         LEFT JOIN performance_schema.session_connect_attrs AS a ON a.processlist_id = p.id AND a.attr_name = 'program_name' \
         WHERE m.lock_status = 'GRANTED' AND p.id <> CONNECTION_ID() AND m.object_type = 'TABLE' AND {} \
         ORDER BY x.started IS NULL, x.started, p.time DESC LIMIT 1",
        ABOUT.replace(
            "' from ', p.host",
            "IFNULL(CONCAT(' application ', a.attr_value), ''), ' from ', p.host"
        ),
        among(database, names, "m.object_schema", "m.object_name")
    )
}

/// Of a plugin that not every server has.
fn metadata_locks_of_mariadb(
    Sessions { list, transactions }: Sessions,
    database: &str,
    names: &[ObjectName],
) -> String {
    format!(
        "SELECT {ABOUT} FROM information_schema.metadata_lock_info AS m \
         JOIN {list} AS p ON p.id = m.thread_id LEFT JOIN {transactions} AS x ON x.id = p.id \
         WHERE p.id <> CONNECTION_ID() AND {} ORDER BY x.started IS NULL, x.started, p.time DESC LIMIT 1",
        among(database, names, "m.table_schema", "m.table_name")
    )
}
