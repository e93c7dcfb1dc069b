//! Borrowed: an application's connection, as it was found and as it is given back.
//!
//! Nothing is asked of it before there is something to write. Then its settings are noted and the pinned ones
//! set; given back, it has its own again. `RESET ALL`, `DISCARD` and `UNLISTEN` are never sent: they would take
//! away what is the application's. Where nothing can be sent when a future is dropped, what gives the connection
//! back is kept for its next use.

use crate::dialect;
use crate::errors::code;
use crate::history::HistoryTable;
use crate::inspect::{CAN_TIDY, SESSION};
use crate::left::Left;
use crate::leftovers::Noted;
use crate::lock;
use crate::quote::{identifier, literal};
use crate::transport::{Session, TransportError};
use crate::waits;
use std::sync::atomic::AtomicBool;
use windlass_core::driver::DriverError;

/// What gives connections of sqlx back, by their sessions.
pub(crate) static LEFT: Left<Vec<String>> = Left::new();

/// Whether one of them was ever left in the middle of an answer.
pub(crate) static WAS_CUT_OFF: AtomicBool = AtomicBool::new(false);

/// What was found on the connection.
pub(crate) struct Found {
    pub(crate) version: String,
    pub(crate) database: String,
    /// The number of the server's process.
    pub(crate) process: String,
    /// The session as the server knows it.
    pub(crate) session: String,
    /// Settings that the application had set.
    settings: Vec<(String, String)>,
    /// Those of [`waits::ENDS_SESSIONS`] that this server knows.
    ends_sessions: Vec<&'static str>,
    /// Its role and session user, where it had changed them.
    role: Option<String>,
    user: Option<String>,
    /// What else was there.
    pub(crate) noted: Noted,
    pub(crate) can_tidy: bool,
    /// Whether it is the client's own session, and no pooler's.
    pub(crate) is_own: bool,
}

/// Whether no transaction is open: its first statement came before this one.
pub(crate) const IS_IDLE: &str = "pg_catalog.now() = pg_catalog.statement_timestamp()";

fn look_sql(is_own: &str) -> String {
    format!(
        "SELECT {IS_IDLE}, \
    pg_catalog.current_setting('server_version'), pg_catalog.current_database(), \
    pg_catalog.current_setting('role'), \
    NULLIF(pg_catalog.current_setting('session_authorization'), usename), {CAN_TIDY}, pid, {is_own}, ({SESSION}) \
    FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
    )
}

/// Whether the application has no transaction open.
pub(crate) async fn is_idle(session: &Session<'_>) -> Result<(), DriverError> {
    let rows = session.rows(&format!("SELECT {IS_IDLE}")).await.map_err(unless_failed)?;
    idle(rows.first().and_then(|row| row.get(0)))
}

fn idle(answer: Option<&str>) -> Result<(), DriverError> {
    (answer == Some("t")).then_some(()).ok_or(DriverError::InTransaction)
}

/// In a transaction that has failed nothing is answered.
pub(crate) fn unless_failed(error: TransportError) -> DriverError {
    match error {
        TransportError::Told(told) if told.code == code::IN_FAILED_TRANSACTION => DriverError::InTransaction,
        error => error.into(),
    }
}

/// What was set in this session; those of a transaction are no settings of the session's.
const CHANGED: &str = "FROM pg_catalog.pg_settings WHERE source = 'session' \
    AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')";

impl Found {
    /// Looks at the connection, and notes what it has set.
    pub(crate) async fn look(session: &Session<'_>) -> Result<Self, DriverError> {
        let is_own = lock::is_own(session).await;
        let look = session.send(&look_sql(&is_own)).await;
        let settings = session.send(&format!("SELECT name, setting {CHANGED}")).await;
        let known = session.send(&waits::known()).await;
        let (look, settings, known) = (look.rows().await, settings.rows().await, known.rows().await);
        let look = look.map_err(unless_failed)?;
        let noted = Noted::look(session).await?;
        let value = |column| look.first().and_then(|row| row.get(column)).map(str::to_owned);
        idle(value(0).as_deref())?;
        let set = |row: &crate::transport::Row| Some((row.get(0)?.to_owned(), row.get(1)?.to_owned()));
        let known = known?;
        let is_known = |name: &&str| known.iter().any(|row| row.get(0) == Some(name));
        Ok(Self {
            version: value(1).unwrap_or_default(),
            database: value(2).unwrap_or_default(),
            settings: settings?.iter().filter_map(set).collect(),
            ends_sessions: waits::ENDS_SESSIONS.into_iter().filter(is_known).collect(),
            role: value(3).filter(|role| role != "none"),
            user: value(4),
            noted,
            can_tidy: value(5).as_deref() == Some("t"),
            process: value(6).unwrap_or_default(),
            is_own: value(7).as_deref() == Some("t"),
            session: value(8).unwrap_or_default(),
        })
    }

    /// Puts the settings back to what a migration starts from; [`Noted::tidy`] does the rest.
    pub(crate) fn restore(schema: Option<&str>) -> String {
        format!(
            "ROLLBACK; RESET SESSION AUTHORIZATION; RESET ROLE; {}{}{}",
            reset_others(schema),
            dialect::set_statements(&dialect::settings(schema)),
            waits::endless()
        )
    }

    /// What gives the connection back, a message each: one that is refused does not take the others with it.
    ///
    /// An attempt of this run that did not come to its end is let go: the session lives on, and yet nobody works on it.
    pub(crate) fn give_back(
        &self,
        table: &HistoryTable,
        owner: Option<&str>,
        schema: Option<&str>,
    ) -> Vec<String> {
        let mut messages = vec!["ROLLBACK".to_owned()];
        messages.extend(owner.map(|owner| table.let_go(owner)));
        let pinned = dialect::settings(schema).into_iter().map(|(name, _)| name);
        let reset = pinned.chain(self.ends_sessions.iter().copied());
        let reset: String = reset.map(|name| format!("RESET {name}; ")).collect();
        messages.push(format!("RESET SESSION AUTHORIZATION; RESET ROLE; {}{reset}", reset_others(schema)));
        for (name, value) in &self.settings {
            messages.push(format!(
                "SELECT pg_catalog.set_config({}, {}, false)",
                literal(name),
                literal(value)
            ));
        }
        messages
            .extend(self.user.iter().map(|user| format!("SET SESSION AUTHORIZATION {}", identifier(user))));
        messages.extend(self.role.iter().map(|role| format!("SET ROLE {}", identifier(role))));
        messages
    }
}

/// Resets what is set and not pinned.
fn reset_others(schema: Option<&str>) -> String {
    let pinned: Vec<_> = dialect::settings(schema).iter().map(|(name, _)| literal(name)).collect();
    format!(
        "SELECT pg_catalog.set_config(name, reset_val, false) {CHANGED} AND name NOT IN ({}); ",
        pinned.join(", ")
    )
}
