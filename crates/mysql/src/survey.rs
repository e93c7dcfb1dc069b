//! Survey: other tools' tables, who has a transaction open, and whether it is a cluster, for the checklist.

use crate::MySql;
use crate::history::text;
use crate::inspect::GRANTEE;
use crate::sessions::Sessions;
use crate::transport::{Row, TransportError};
use crate::waits::{ABOUT, in_transaction, read};
use std::time::Duration;
use windlass_core::doctor::{Circumstance, Survey, Unseen};
use windlass_core::driver::{DriverError, Product};
use windlass_core::shadow::NAME_PREFIX;
use windlass_core::sql::classify::ObjectName;

/// So many transactions are told of, those that are open for longest.
const TOLD: usize = 10;

impl MySql<'_> {
    pub(crate) async fn surveyed(&mut self, tables: &[&str]) -> Result<Survey, DriverError> {
        self.session().await?;
        let names = tables.iter().map(|table| text(&table.to_lowercase())).collect::<Vec<_>>().join(", ");
        let tables = format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = {} AND LOWER(table_name) IN ({names}) \
             ORDER BY table_name",
            text(&self.database)
        );
        let tables = self.ask(&tables).await?;
        let may_see = format!(
            "SELECT {GRANTEE}, EXISTS (SELECT 1 FROM information_schema.user_privileges \
             WHERE grantee = {GRANTEE} AND privilege_type = 'PROCESS')"
        );
        let may_see = self.ask(&may_see).await?;
        let cluster = self.ask("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'").await?;
        let transactions = self.seen(&transactions(self.sessions(), &self.database)).await?;
        let shadows = self.seen(&shadows(self.sessions())).await?;
        let account = field(may_see.first(), 0).unwrap_or_default();
        let is_seen = field(may_see.first(), 1).as_deref() == Some("1") && transactions.is_some();
        let unseen = (!is_seen).then(|| Unseen {
            what: "what other accounts' sessions are at".to_owned(),
            grant: match self.capabilities.product {
                Product::MySql => format!(
                    "GRANT PROCESS ON *.* TO {account}`, `GRANT SELECT ON performance_schema.* TO {account}"
                ),
                _ => format!("GRANT PROCESS ON *.* TO {account}"),
            },
        });
        let open = |row: &Row| {
            let seconds = field(Some(row), 4).and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
            (in_transaction(read(std::slice::from_ref(row)), ""), Duration::from_secs(seconds))
        };
        let is_cluster = field(cluster.first(), 1).is_some_and(|value| value.eq_ignore_ascii_case("on"));
        let table = |row: &Row| Some(ObjectName { schema: None, name: field(Some(row), 0)? });
        Ok(Survey {
            tables: tables.iter().filter_map(table).collect(),
            transactions: Some(transactions.unwrap_or_default().iter().map(open).collect()),
            unseen: unseen.into_iter().collect(),
            shadows: shadows.map(|rows| rows.iter().filter_map(|row| field(Some(row), 0)).collect()),
            circumstances: is_cluster.then_some(Circumstance::Cluster).into_iter().collect(),
        })
    }

    /// Rows that tell of sessions; `None` where the server refuses to.
    async fn seen(&mut self, query: &str) -> Result<Option<Vec<Row>>, DriverError> {
        match self.read(query).await.map_err(|broken| broken.error) {
            Ok(sets) => Ok(Some(sets.into_iter().next().unwrap_or_default())),
            Err(TransportError::Server { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn field(row: Option<&Row>, index: usize) -> Option<String> {
    row?.get(index)?.clone()
}

/// Shadow databases that no session uses which the account may see.
fn shadows(Sessions { list, .. }: Sessions) -> String {
    format!(
        "SELECT s.schema_name FROM information_schema.schemata AS s \
         WHERE s.schema_name REGEXP '^{NAME_PREFIX}[0-9a-f]{{16}}$' \
         AND NOT EXISTS (SELECT 1 FROM {list} AS p WHERE p.db = s.schema_name) ORDER BY s.schema_name"
    )
}

fn transactions(Sessions { list, transactions }: Sessions, database: &str) -> String {
    format!(
        "SELECT {ABOUT}, TIMESTAMPDIFF(SECOND, x.started, UTC_TIMESTAMP()) FROM {transactions} AS x \
         JOIN {list} AS p ON p.id = x.id WHERE p.id <> CONNECTION_ID() AND p.db = {} \
         ORDER BY x.started, p.id LIMIT {TOLD}",
        text(database)
    )
}
