//! Borrowed: an application's connection, as it was found and as it is given back.
//!
//! Nothing is asked of it before there is something to write. Then all its variables are noted, as they were and as
//! migrations find them; those that are other than they were are set again after each migration and when it is given
//! back. Temporary tables and user variables cannot be listed: those that a migration names are taken away.

use crate::MySql;
use crate::history::{identifier, text};
use crate::settings;
use crate::transport::{Broken, Row, TransportError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use windlass_core::driver::DriverError;

const NO_SUCH_TABLE: u16 = 1146;
/// Variables that are only read, or only the server's.
const NOT_OF_THE_SESSION: [u16; 2] = [1238, 1229];

/// What counts statements or tells of the last one, and is no setting.
const MOVING: [&str; 12] = [
    "timestamp",
    "insert_id",
    "last_insert_id",
    "identity",
    "warning_count",
    "error_count",
    "rand_seed1",
    "rand_seed2",
    "pseudo_thread_id",
    "pseudo_slave_mode",
    "pseudo_replica_mode",
    "last_gtid",
];

/// It is of the next transaction only, and the server refuses it inside of one.
const OUTSIDE: &str = "SET TRANSACTION READ WRITE";

/// What begins no other transaction and keeps the connection, whatever the application has chosen for its own.
const END: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

const BIG_SELECTS: &str = "sql_big_selects";

/// A reader is not refused for the rows that it reads.
const READS_ALL: &str = "SET @_windlass_big = IF(@@sql_big_selects, 1, 0), sql_big_selects = 1";

/// And the application is, as it was before.
const READS_AS_BEFORE: &str = "SET sql_big_selects = @_windlass_big, @_windlass_big = NULL";

/// What [`variables`] reads: all of them, and what was so of the one that is set for reading.
const VARIABLES: [&str; 4] =
    [READS_ALL, "SHOW SESSION VARIABLES", "SELECT IF(@_windlass_big, 'ON', 'OFF')", READS_AS_BEFORE];

/// How the server shows a temporary table.
const TEMPORARY: &str = "CREATE TEMPORARY TABLE";

/// What was found on the connection.
#[derive(Debug)]
pub(crate) struct Found {
    database: Option<String>,
    variables: HashMap<String, String>,
    /// The same once the settings are pinned.
    pinned: HashMap<String, String>,
    /// Temporary tables that a migration names too, and whether they stood before.
    tables: HashMap<String, bool>,
}

impl Found {
    /// The application's own temporary tables, among those that a migration names.
    pub(crate) fn theirs(&self) -> BTreeSet<String> {
        self.tables.iter().filter(|(_, is_theirs)| **is_theirs).map(|(name, _)| name.clone()).collect()
    }
}

impl MySql<'_> {
    /// What a future that was dropped left on the session is taken away, before the session is used again. One that was
    /// dropped in the middle of an answer leaves a connection of no more use.
    pub(crate) async fn settle(&mut self) -> Result<(), DriverError> {
        if self.transport.is_at_work() {
            let words = "a call on this session was dropped before it had its answer: open another session";
            return Err(DriverError::Lost(words.to_owned()));
        }
        if std::mem::take(&mut self.is_in_use) {
            if self.found.is_none() {
                self.forgiving("ROLLBACK;\nUNLOCK TABLES", &[]).await?;
                if let Some(owner) = self.owner.take() {
                    self.forgiving(&self.table.let_go(&owner), &[NO_SUCH_TABLE]).await?;
                }
                // The lock goes with it; the settings are pinned again when they are needed.
                self.transport.renew().await?;
                (self.session, self.is_locked) = (None, false);
                self.traces = crate::message::Traces::default();
            } else {
                self.give_lock_back().await?;
            }
            self.farewell().await?;
        }
        Ok(())
    }

    /// Reads what is so now. An application may have autocommit off: then whoever reads begins a transaction, and sees
    /// the same until it ends. So it is ended; and in one of the application's own nothing is read.
    pub(crate) async fn read(&mut self, message: &str) -> Result<Vec<Vec<Row>>, Broken> {
        if !self.transport.is_lent() || self.found.is_some() {
            return self.transport.query(message).await;
        }
        let without_first = |mut sets: Vec<Vec<Row>>| {
            sets.drain(..sets.len().min(2));
            sets
        };
        let ends = format!("{END};\n{READS_AS_BEFORE}");
        match self.transport.query(&format!("{OUTSIDE};\n{READS_ALL};\n{message};\n{ends}")).await {
            Ok(mut sets) => {
                sets.truncate(sets.len().saturating_sub(2));
                Ok(without_first(sets))
            }
            Err(Broken { completed, sets, error }) => {
                // A message stops at its first error.
                if completed > 0 && matches!(error, TransportError::Server { .. }) {
                    let _ = self.transport.query(&ends).await;
                }
                Err(Broken { completed: completed.saturating_sub(2), sets: without_first(sets), error })
            }
        }
    }

    /// Before something is written: an application's connection is looked at.
    pub(crate) async fn begin(&mut self) -> Result<(), DriverError> {
        self.is_in_use = true;
        if !self.transport.is_lent() || self.found.is_some() {
            return Ok(());
        }
        let pins = settings::pin(self.capabilities.product, &self.database);
        let first = [OUTSIDE, "SELECT DATABASE()"].into_iter().chain(VARIABLES);
        let look: Vec<&str> = first.chain(pins.iter().map(String::as_str)).chain(VARIABLES).collect();
        let sets = self.transport.query(&look.join(";\n")).await;
        let sets = sets.map_err(|broken| DriverError::from(broken.error))?;
        let database = sets.get(1).and_then(|rows| rows.first()?.first()?.clone());
        self.found = Some(Found {
            database,
            variables: variables(&sets[2..]),
            pinned: variables(&sets[2 + VARIABLES.len() + pins.len()..]),
            tables: HashMap::new(),
        });
        // What was read without pinning is read again with it.
        self.session = None;
        Ok(())
    }

    /// Makes the connection what it was. An attempt of this run that did not come to its end is let go: the session
    /// lives on, and yet nobody works on it.
    pub(crate) async fn farewell(&mut self) -> Result<(), DriverError> {
        let Some(found) = self.found.take() else { return Ok(()) };
        let role = self.session.take().map_or_else(|| "NONE".to_owned(), |session| session.role);
        let message =
            ["ROLLBACK", "UNLOCK TABLES"].into_iter().chain(VARIABLES).collect::<Vec<_>>().join(";\n");
        let now = self.transport.query(&message).await;
        let now = variables(&now.map_err(|broken| DriverError::from(broken.error))?[2..]);
        if let Some(owner) = self.owner.take() {
            self.forgiving(&self.table.let_go(&owner), &[NO_SUCH_TABLE]).await?;
        }
        self.forgiving("SET timestamp = DEFAULT", &[]).await?;
        let traces = std::mem::take(&mut self.traces);
        let left = traces.taken_away(&found.theirs());
        for statement in traces.role_put_back(&role).into_iter().chain(left) {
            self.forgiving(&statement, &[]).await?;
        }
        self.set_again(&found.variables, &now).await?;
        match &found.database {
            Some(database) => self.forgiving(&format!("USE {}", identifier(database)), &[]).await,
            None => Ok(()),
        }
    }

    /// After a migration: what it set is no more the next one's than what windlass itself has pinned.
    pub(crate) async fn set_again_what_moved(&mut self) -> Result<(), DriverError> {
        let Some(found) = self.found.take() else { return Ok(()) };
        let set = match self.transport.query(&VARIABLES.join(";\n")).await {
            Ok(now) => self.set_again(&found.pinned, &variables(&now)).await,
            Err(broken) => Err(broken.error.into()),
        };
        self.found = Some(found);
        set
    }

    async fn set_again(
        &mut self,
        wanted: &HashMap<String, String>,
        now: &HashMap<String, String>,
    ) -> Result<(), DriverError> {
        let differs =
            |name: &str| now.get(name).is_some_and(|now| wanted.get(name).is_some_and(|it| now != it));
        // By name: one of the two turns the other off.
        let in_order: BTreeMap<_, _> = wanted.iter().collect();
        for (name, value) in in_order {
            let moved = differs(name) || name == BIG_SELECTS && differs("max_join_size");
            if moved && !MOVING.contains(&name.as_str()) {
                let set = format!("SET SESSION {} = {}", identifier(name), literal(value));
                self.forgiving(&set, &NOT_OF_THE_SESSION).await?;
            }
        }
        Ok(())
    }

    /// Before statements are sent that create these temporary tables: those that stand are the application's.
    pub(crate) async fn look_for_theirs(&mut self, names: &BTreeSet<String>) -> Result<(), DriverError> {
        for name in names {
            if self.found.as_ref().is_none_or(|found| found.tables.contains_key(name)) {
                continue;
            }
            let shown = self.transport.query(&format!("SHOW CREATE TABLE {name}")).await;
            let is_theirs = match shown.map_err(|broken| broken.error) {
                Ok(sets) => sets.iter().flatten().flatten().flatten().any(|text| text.starts_with(TEMPORARY)),
                // There is none.
                Err(TransportError::Server { .. }) => false,
                Err(error) => return Err(error.into()),
            };
            if let Some(found) = &mut self.found {
                found.tables.insert(name.clone(), is_theirs);
            }
        }
        Ok(())
    }

    pub(crate) async fn forgiving(&mut self, statement: &str, codes: &[u16]) -> Result<(), DriverError> {
        match self.transport.query(statement).await {
            Err(Broken { error: TransportError::Server { code, .. }, .. }) if codes.contains(&code) => Ok(()),
            Err(broken) => Err(broken.error.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// By the answers to [`VARIABLES`].
fn variables(sets: &[Vec<Row>]) -> HashMap<String, String> {
    let pair = |row: &Row| Some((row.first()?.clone()?, row.get(1)?.clone()?));
    let mut variables: HashMap<_, _> = sets.get(1).into_iter().flatten().filter_map(pair).collect();
    let big = sets.get(2).and_then(|rows| rows.first()?.first()?.clone());
    variables.extend(big.map(|big| (BIG_SELECTS.to_owned(), big)));
    variables
}

/// A number is set as one.
fn literal(value: &str) -> String {
    let is_number =
        value.parse::<f64>().is_ok() && value.bytes().all(|b| b.is_ascii_digit() || b".-".contains(&b));
    if is_number { value.to_owned() } else { text(value) }
}
