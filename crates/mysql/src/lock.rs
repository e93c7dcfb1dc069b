//! Lock: one name per database, held by the session and freed with it.
//!
//! It spares deployers the collision; that no migration runs twice rests on the claim. Under Galera it
//! excludes within one node only.

use crate::MySql;
use crate::history::text;
use crate::transport::Row;
use windlass_core::driver::{DatabaseError, DriverError, Holder, Lock};
use windlass_core::sql::{Dialect, classify::classify};

/// Characters of a statement that are shown.
const SHOWN: usize = 200;

impl MySql<'_> {
    pub(crate) async fn take_lock(&mut self) -> Result<Lock, DriverError> {
        self.begin().await?;
        let name = self.lock_name();
        let rows = self.ask(&format!("SELECT GET_LOCK({name}, 0), IS_USED_LOCK({name})")).await?;
        let field = |index: usize| rows.first().and_then(|row| row.get(index)?.clone());
        match field(0).as_deref() {
            Some("1") => Ok(Lock::Acquired),
            Some("0") => Ok(Lock::Held(self.holder(field(1)).await?)),
            _ => Err(DriverError::Refused(DatabaseError {
                message: "GET_LOCK told neither that the lock is held nor that it is free".to_owned(),
                ..DatabaseError::default()
            })),
        }
    }

    pub(crate) async fn give_lock_back(&mut self) -> Result<(), DriverError> {
        let name = self.lock_name();
        self.ask(&format!("SELECT RELEASE_LOCK({name})")).await.map(|_| ())
    }

    /// Who holds it, as far as this account may see.
    async fn holder(&mut self, session: Option<String>) -> Result<Holder, DriverError> {
        let id = session.as_ref().and_then(|id| id.parse::<u64>().ok());
        let Some(id) = id else { return Ok(Holder { session, ..Holder::default() }) };
        let query = format!(
            "SELECT CONCAT(user, ' from ', host), UTC_TIMESTAMP() - INTERVAL time SECOND, info \
             FROM {} WHERE id = {id}",
            self.sessions().list
        );
        let rows = self.ask(&query).await?;
        let field = |index: usize| rows.first().and_then(|row| row.get(index)?.clone());
        Ok(Holder { session, who: field(0), since: field(1), running: field(2).map(|sql| shown(&sql)) })
    }

    pub(crate) async fn ask(&mut self, query: &str) -> Result<Vec<Row>, DriverError> {
        let sets = self.transport.query(query).await.map_err(|broken| DriverError::from(broken.error))?;
        Ok(sets.into_iter().next().unwrap_or_default())
    }

    /// Names are at most 64 characters long, and one server has many databases.
    fn lock_name(&self) -> String {
        format!("CONCAT('windlass_', LEFT(SHA2(LOWER({}), 256), 48))", text(&self.database))
    }
}

/// Another session's statement, on one line, cut, and not at all where it may hold a secret.
pub(crate) fn shown(sql: &str) -> String {
    if classify(Dialect::MySql, sql.trim_start()).may_hold_secret {
        return "(not shown: it may hold a secret)".to_owned();
    }
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SHOWN).collect()
}
