//! Lock: one name per database, held by the session and freed with it.
//!
//! It spares deployers the collision; that no migration runs twice rests on the claim. Under Galera it
//! excludes within one node only.

use crate::MySql;
use crate::history::text;
use crate::transport::{Row, TransportError};
use crate::waits::{about_session, read};
use windlass_core::driver::{DatabaseError, DriverError, Ending, Holder, Lock};
use windlass_core::sql::{Dialect, classify::classify};

/// Characters of a statement that are shown.
const SHOWN: usize = 200;

/// The server's answer to KILL for a session that is gone.
const NO_SUCH_SESSION: u16 = 1094;

impl MySql<'_> {
    pub(crate) async fn take_lock(&mut self) -> Result<Lock, DriverError> {
        self.begin().await?;
        let name = self.lock_name();
        let rows = self.ask(&format!("SELECT GET_LOCK({name}, 0), IS_USED_LOCK({name})")).await?;
        let field = |index: usize| rows.first().and_then(|row| row.get(index)?.clone());
        self.is_locked = is_acquired(field(0).as_deref())?;
        match self.is_locked {
            true => Ok(Lock::Acquired),
            false => Ok(Lock::Held(self.holder(field(1)).await?)),
        }
    }

    /// Takes a lock that went with an earlier session of this driver's; [`is_acquired`] judges the answer.
    pub(crate) fn lock_again(&self, seconds: u32) -> String {
        format!("SELECT GET_LOCK({}, {seconds})", self.lock_name())
    }

    pub(crate) async fn give_lock_back(&mut self) -> Result<(), DriverError> {
        let name = self.lock_name();
        self.is_locked = false;
        self.ask(&format!("SELECT RELEASE_LOCK({name})")).await.map(|_| ())
    }

    /// Who holds it; nobody where it is free.
    pub(crate) async fn find_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        self.begin().await?;
        let name = self.lock_name();
        match self.first(&format!("SELECT IS_USED_LOCK({name})")).await? {
            Some(session) => Ok(Some(self.holder(Some(session)).await?)),
            None => Ok(None),
        }
    }

    /// Ends the session with this number, if it holds the lock. No other session ever gets its number.
    pub(crate) async fn end_holder(&mut self, number: &str) -> Result<Ending, DriverError> {
        self.begin().await?;
        let Ok(number) = number.parse::<u64>() else { return Ok(Ending::HoldsNothing) };
        let name = self.lock_name();
        let is_it = format!("SELECT IS_USED_LOCK({name}) = {number} AND {number} <> CONNECTION_ID()");
        if self.first(&is_it).await?.as_deref() != Some("1") {
            return Ok(Ending::HoldsNothing);
        }
        match self.transport.query(&format!("KILL {number}")).await.map_err(|broken| broken.error) {
            Ok(_) => Ok(Ending::Asked),
            Err(TransportError::Server { code: NO_SUCH_SESSION, .. }) => Ok(Ending::HoldsNothing),
            Err(error) => Err(error.into()),
        }
    }

    /// What is known of the session that holds it, as far as this account may see.
    async fn holder(&mut self, session: Option<String>) -> Result<Holder, DriverError> {
        let id = session.as_ref().and_then(|id| id.parse::<u64>().ok());
        let Some(id) = id else { return Ok(Holder { session, ..Holder::default() }) };
        let rows = self.ask(&about_session(self.sessions(), id)).await?;
        Ok(Holder { session, ..read(&rows) })
    }

    async fn first(&mut self, query: &str) -> Result<Option<String>, DriverError> {
        let rows = self.ask(query).await?;
        Ok(rows.first().and_then(|row| row.first()?.clone()))
    }

    pub(crate) async fn ask(&mut self, query: &str) -> Result<Vec<Row>, DriverError> {
        let sets = self.read(query).await.map_err(|broken| DriverError::from(broken.error))?;
        Ok(sets.into_iter().next().unwrap_or_default())
    }

    /// Names are at most 64 characters long, and one server has many databases.
    fn lock_name(&self) -> String {
        format!("CONCAT('windlass_', LEFT(SHA2(LOWER({}), 256), 48))", text(&self.database))
    }
}

/// What GET_LOCK answers: 1 where this session holds the lock, 0 where another does. NULL is neither: an error within
/// the server, a wait that was ended, or, on MariaDB, a timeout below zero.
pub(crate) fn is_acquired(answer: Option<&str>) -> Result<bool, DriverError> {
    match answer {
        Some("1") => Ok(true),
        Some("0") => Ok(false),
        _ => Err(DriverError::Refused(DatabaseError {
            message: "GET_LOCK told neither that the lock is held nor that it is free".to_owned(),
            ..DatabaseError::default()
        })),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_held() {
        assert_eq!(is_acquired(Some("1")).ok(), Some(true));
        assert_eq!(is_acquired(Some("0")).ok(), Some(false));
        for answer in [None, Some(""), Some("2"), Some("-1"), Some("NULL")] {
            assert!(matches!(is_acquired(answer), Err(DriverError::Refused(_))), "{answer:?}");
        }
    }
}
