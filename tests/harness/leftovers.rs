//! What a run may leave behind on a session that lives on, or on one that is about to end: the lock, and a transaction.

use crate::{DEADLINE, Database, Family};
use std::time::{Duration, Instant};
use windlass_core::driver::{DriverError, Lock};

impl Database {
    /// Another session gets the lock, and no transaction is open. A session that was cut off may have to end first:
    /// it is waited for.
    ///
    /// # Errors
    /// What is left.
    pub async fn must_be_free(&self) -> Result<(), String> {
        let began = Instant::now();
        let mut other = self.connect().await;
        // What the server does for a client that is gone, a look at the schema, it does to the end.
        loop {
            match other.try_lock().await.map_err(|error| format!("{error:?}"))? {
                Lock::Acquired => break,
                lock if began.elapsed() > DEADLINE => return Err(format!("the lock is left: {lock:?}")),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        other.unlock().await.map_err(|error: DriverError| format!("{error:?}"))?;
        drop(other);
        let began = Instant::now();
        loop {
            let open = self.open_transactions().await;
            if open.is_empty() {
                return Ok(());
            }
            if began.elapsed() > DEADLINE {
                return Err(format!("a transaction is open: {open:?}"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The transactions that sessions of this database have open at this moment.
    ///
    /// `innodb_trx` would not do: it is a copy, made anew only once nobody has read it for a tenth of a second. Beside
    /// other tests it tells of transactions long gone, and of none that is new.
    pub async fn open_transactions(&self) -> Vec<String> {
        match self.target().family {
            Family::Postgres => {
                let open = "SELECT pid || ' ' || state || ': ' || query FROM pg_stat_activity \
                     WHERE datname = current_database() AND backend_type = 'client backend' \
                     AND pid <> pg_backend_pid() AND (state <> 'idle' OR xact_start IS NOT NULL)";
                self.query(open).await.into_iter().flatten().flatten().collect()
            }
            Family::Sqlite => {
                // It waits for readers too, where BEGIN IMMEDIATE would wait for writers only.
                let refused =
                    self.session().await.execute("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; ROLLBACK").await;
                refused.err().into_iter().collect()
            }
            Family::MySql => {
                let open = "SELECT concat(t.processlist_id, ' ', e.access_mode) \
                     FROM performance_schema.events_transactions_current AS e \
                     JOIN performance_schema.threads AS t ON t.thread_id = e.thread_id WHERE e.state = 'ACTIVE' \
                     AND t.processlist_db = database() AND t.processlist_id <> connection_id()";
                self.query(open).await.into_iter().flatten().flatten().collect()
            }
            Family::MariaDb => self.open_in_innodb().await,
        }
    }

    /// MariaDB's performance schema is off by default; the engine's own report is of this moment too. (MySQL's leaves
    /// out transactions that only read.)
    async fn open_in_innodb(&self) -> Vec<String> {
        let mut session = self.session().await;
        let ids =
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()";
        let ids: Vec<String> = session.query(ids).await.into_iter().flatten().flatten().collect();
        let report = session.query("SHOW ENGINE INNODB STATUS").await;
        let report = report.into_iter().flatten().flatten().next_back().expect("a report");
        let active = transactions(&report);
        active
            .filter(|(id, _)| ids.iter().any(|other| other == id))
            .map(|(_, told)| told.to_owned())
            .collect()
    }
}

/// The active transactions of the report: connection, and what is told.
fn transactions(report: &str) -> impl Iterator<Item = (&str, &str)> {
    let (_, report) = report.split_once("LIST OF TRANSACTIONS FOR EACH SESSION").expect("a list");
    report.split("---TRANSACTION ").filter_map(|told| {
        let (head, rest) = told.split_once('\n')?;
        let (_, id) = rest.split_once(" thread id ")?;
        head.contains(", ACTIVE").then(|| (id.split(',').next().unwrap_or_default(), told))
    })
}
