//! The history table: its SQL, and its rows as attempts.

use crate::error::{is_busy, is_missing_table, refused};
use crate::lock::{Session, liveness};
use rusqlite::{Connection, Row};
use windlass_core::driver::{DriverError, Head};
use windlass_core::history::{Attempt, AttemptKind, FORMAT, History, InFlight, Liveness, Sight};
use windlass_core::migration::Checksums;

/// The server's clock, in the form that the history keeps.
pub(crate) const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f', 'now')";

/// An identifier between quotes, so that any name is only a name.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The history table: its name, and the statements that speak of it.
///
/// It is always named with its schema: a temporary table of the same name would hide it.
#[derive(Clone, Debug)]
pub(crate) struct HistoryTable {
    name: String,
    quoted: String,
}

impl HistoryTable {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), quoted: format!("main.{}", quote(name)) }
    }

    /// Schema and name, the name between quotes.
    pub(crate) fn quoted(&self) -> &str {
        &self.quoted
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// AUTOINCREMENT, so that a number is never given twice, even after the newest row was deleted by hand.
    pub(crate) fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    format INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    claim TEXT UNIQUE,
    checksum TEXT NOT NULL,
    token_checksum TEXT NOT NULL,
    owner TEXT NOT NULL,
    session TEXT,
    epoch INTEGER NOT NULL,
    statements INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    touched INTEGER NOT NULL DEFAULT 0,
    row_limit INTEGER,
    prefix TEXT,
    in_flight TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    rolled_back_at TEXT,
    error TEXT,
    applied_by TEXT NOT NULL,
    tool TEXT NOT NULL,
    duration_ms INTEGER,
    resolution TEXT,
    digest TEXT NOT NULL,
    snapshot TEXT,
    snapshot_at TEXT,
    accepted TEXT
)",
            self.quoted
        )
    }

    /// 1 kind, 2 name, 3 checksum, 4 token checksum, 5 owner, 6 session, 7 statements, 8 in flight, 9 person,
    /// 10 version.
    pub(crate) fn claim(&self) -> String {
        format!(
            "INSERT INTO {} (format, kind, name, claim, checksum, token_checksum, owner, session, epoch, statements, \
             completed, in_flight, started_at, applied_by, tool, digest) \
             VALUES ({FORMAT}, ?1, ?2, ?2, ?3, ?4, ?5, ?6, 1, ?7, 0, ?8, {NOW}, ?9, ?10, '')",
            self.quoted
        )
    }

    /// 1 name, 2 checksum. Only an earlier run of another text gives way: one with the same text is a rival's
    /// that came first.
    pub(crate) fn supersede(&self) -> String {
        format!(
            "UPDATE {} SET claim = NULL WHERE claim = ?1 AND finished_at IS NOT NULL \
             AND checksum <> ?2",
            self.quoted
        )
    }

    /// 1 kind, 2 name, 3 checksum, 4 token checksum, 5 owner, 6 session, 7 statements, 8 person, 9 version,
    /// 10 error, 11 digest.
    pub(crate) fn record_failure(&self) -> String {
        format!(
            "INSERT INTO {} (format, kind, name, checksum, token_checksum, owner, session, epoch, statements, \
             completed, started_at, rolled_back_at, applied_by, tool, error, digest) \
             VALUES ({FORMAT}, ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, 0, {NOW}, {NOW}, ?8, ?9, ?10, ?11)",
            self.quoted
        )
    }

    /// Where an attempt is unfinished and still its owner's: 1 name, 2 owner, 3 epoch.
    fn fenced(&self, set: &str) -> String {
        let fence = "claim = ?1 AND owner = ?2 AND epoch = ?3 AND finished_at IS NULL";
        format!("UPDATE {} SET {set} WHERE {fence}", self.quoted)
    }

    /// The fence, then 4 the new owner, 5 its session, 6 checksum, 7 token checksum, 8 statements, 9 completed,
    /// 10 prefix, 11 in flight.
    pub(crate) fn take_over(&self) -> String {
        self.fenced(&format!(
            "owner = ?4, session = ?5, epoch = epoch + 1, error = NULL, checksum = ?6, token_checksum = ?7, \
             statements = ?8, {}, prefix = nullif(?10, ''), in_flight = ?11, digest = ''",
            comes_to("?9")
        ))
    }

    /// The fence, then 4 completed, 5 prefix, 6 in flight.
    pub(crate) fn checkpoint(&self) -> String {
        self.fenced(&format!("{}, prefix = nullif(?5, ''), in_flight = ?6", comes_to("?4")))
    }

    /// The fence, then 4 rows touched, 5 the limit.
    pub(crate) fn count_rows(&self) -> String {
        self.fenced("touched = touched + ?4, row_limit = ?5")
    }

    /// The fence, then 4 completed, 5 digest, 6 and 7 what is written of a decision before and behind its time.
    pub(crate) fn record(&self) -> String {
        let duration =
            "max(0, CAST(round((julianday('now') - julianday(started_at)) * 86400000) AS INTEGER))";
        self.fenced(&format!(
            "completed = ?4, touched = 0, row_limit = NULL, in_flight = NULL, error = NULL, finished_at = {NOW}, duration_ms = {duration}, digest = ?5, \
             resolution = coalesce(?6 || substr({NOW}, 1, 19) || ?7, resolution)"
        ))
    }

    /// The fence, then 4 completed, 5 prefix, 6 in flight, 7 error, 8 the digest where it is rolled back.
    pub(crate) fn fail(&self) -> String {
        self.fenced(&format!(
            "completed = ?4, prefix = nullif(?5, ''), in_flight = ?6, error = ?7, \
             claim = CASE WHEN ?8 IS NULL THEN claim END, \
             rolled_back_at = CASE WHEN ?8 IS NOT NULL THEN {NOW} END, digest = coalesce(?8, '')"
        ))
    }

    /// 1 id, 2 owner, 3 epoch, 4 resolution up to its time, 5 digest, and what `set` adds.
    pub(crate) fn resolve(&self, set: &str, end: &str) -> String {
        format!(
            "UPDATE {} SET {set}, resolution = ?4 || substr({NOW}, 1, 19) || '{end}', digest = ?5 WHERE id = ?1 AND owner = ?2 AND epoch = ?3",
            self.quoted
        )
    }

    /// 1 id, 2 digest. Changes nothing where a newer row came in the meantime.
    pub(crate) fn renew_newest(&self) -> String {
        let table = &self.quoted;
        format!("UPDATE {table} SET digest = ?2 WHERE id = ?1 AND id = (SELECT max(id) FROM {table})")
    }

    /// The newest row's format and digest: one search from the end of the table's own tree.
    pub(crate) fn head(&self, connection: &Connection) -> Result<Head, DriverError> {
        let sql = format!("SELECT format, digest FROM {} ORDER BY id DESC LIMIT 1", self.quoted);
        let read = || {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.raw_query();
            let Some(row) = rows.next()? else { return Ok(Head::None) };
            Ok(Head::Newest { format: row.get(0)?, digest: row.get(1)? })
        };
        match read() {
            Err(error) if is_missing_table(&error) => Ok(Head::None),
            // Another keeps the file to itself, as one that is at work does: whoever wants to deploy waits for the lock.
            Err(error) if is_busy(&error) => Ok(Head::Newest { format: FORMAT, digest: String::new() }),
            Err(error) => Err(self.unreadable(error)),
            Ok(head) => Ok(head),
        }
    }

    /// All rows, oldest first, as they stand for the session that asks.
    pub(crate) fn read(
        &self,
        connection: &Connection,
        asking: Option<&Session>,
    ) -> Result<History, DriverError> {
        let newest =
            match connection.query_row(&format!("SELECT max(format) FROM {}", self.quoted), [], |row| {
                row.get::<_, Option<i64>>(0)
            }) {
                Ok(newest) => newest,
                Err(error) if is_missing_table(&error) => return Ok(History::default()),
                Err(error) => return Err(self.unreadable(error)),
            };
        if let Some(found) = newest.filter(|found| *found > i64::from(FORMAT)) {
            return Err(DriverError::History(format!(
                "{} has format {found}; this windlass knows up to {FORMAT}; use a newer windlass",
                self.name
            )));
        }
        let attempts = self.attempts(connection, "true", |row| {
            attempt(row, asking).map_err(|error| self.unreadable_row(row, &error))
        })?;
        Ok(History { exists: true, attempts })
    }

    /// Reads rows where `condition` holds, by `id`.
    pub(crate) fn attempts<T>(
        &self,
        connection: &Connection,
        condition: &str,
        mut read: impl FnMut(&Row<'_>) -> Result<T, DriverError>,
    ) -> Result<Vec<T>, DriverError> {
        let sql = format!("SELECT {COLUMNS} FROM {} WHERE {condition} ORDER BY id", self.quoted);
        let mut statement = match connection.prepare(&sql) {
            Ok(statement) => statement,
            Err(error) if is_missing_table(&error) => return Ok(Vec::new()),
            Err(error) => return Err(self.unreadable(error)),
        };
        let mut rows = statement.raw_query();
        let mut attempts = Vec::new();
        while let Some(row) = rows.next().map_err(|error| refused(&error))? {
            attempts.push(read(row)?);
        }
        Ok(attempts)
    }

    fn unreadable(&self, error: rusqlite::Error) -> DriverError {
        let told = crate::error::database_error(&error);
        let wrong_table = told.message.starts_with("no such column");
        if wrong_table || crate::error::extended_code(&error).is_none() {
            return DriverError::History(format!("{}: {}", self.name, told.message));
        }
        DriverError::Refused(told)
    }

    fn unreadable_row(&self, row: &Row<'_>, what: &str) -> DriverError {
        let id = row.get::<_, i64>(0).unwrap_or_default();
        DriverError::History(format!("{}, row {id}: {what}", self.name))
    }
}

/// What is counted belongs to the statement behind the completed ones.
fn comes_to(completed: &str) -> String {
    format!(
        "completed = {completed}, touched = CASE WHEN completed = {completed} THEN touched ELSE 0 END, \
         row_limit = CASE WHEN completed = {completed} THEN row_limit END"
    )
}

const COLUMNS: &str = "id, kind, name, checksum, token_checksum, claim, owner, session, epoch, statements, completed, \
                       prefix, touched, row_limit, in_flight, started_at, finished_at, rolled_back_at, error, applied_by, tool, \
                       duration_ms, resolution, digest";

/// Reads a row of [`COLUMNS`].
pub(crate) fn attempt(row: &Row<'_>, asking: Option<&Session>) -> Result<Attempt, String> {
    let mut columns = Columns { row, next: 0 };
    let id = columns.take()?;
    let kind: String = columns.take()?;
    let name: String = columns.take()?;
    let checksums = Checksums { raw: columns.take()?, tokens: columns.take()? };
    let claimed = Attempt::holds(&name, columns.take::<Option<String>>()?.as_deref())?;
    let owner: String = columns.take()?;
    let session: Option<String> = columns.take()?;
    let mut attempt = Attempt {
        id,
        kind: AttemptKind::parse(&kind).ok_or_else(|| format!("`{kind}` is no kind of attempt"))?,
        name,
        checksums,
        claimed,
        owner,
        owner_session: Liveness::Unknown,
        epoch: columns.take()?,
        statements: columns.take()?,
        completed: columns.take()?,
        prefix: columns.take()?,
        touched: columns.count()?.ok_or("touched has no value")?,
        row_limit: columns.count()?,
        in_flight: in_flight(columns.take()?)?,
        // A statement that changes definitions commits with its checkpoint here: there is nothing to look for.
        sight: Sight::Unknown,
        started_at: columns.time()?.ok_or("started_at has no value")?,
        finished_at: columns.time()?,
        rolled_back_at: columns.time()?,
        error: columns.take()?,
        applied_by: columns.take()?,
        tool: columns.take()?,
        duration_ms: columns.take::<Option<i64>>()?.and_then(|ms| u64::try_from(ms).ok()),
        resolution: columns.take()?,
        digest: columns.take()?,
    };
    // Of an attempt that came to its end nobody asks whether its owner lives.
    if attempt.finished_at.is_none() && attempt.rolled_back_at.is_none() {
        attempt.owner_session = liveness(&attempt.owner, session.as_deref(), asking);
    }
    Ok(attempt)
}

fn in_flight(text: Option<String>) -> Result<Option<InFlight>, String> {
    let Some(text) = text else { return Ok(None) };
    let parsed = InFlight::parse(&text);
    parsed.map(Some).ok_or_else(|| format!("`{text}` does not say which statements are in flight"))
}

/// Columns taken in their order: to look each up by its name costs more than to read it.
struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl Columns<'_, '_> {
    fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T, String> {
        let column = self.next;
        self.next += 1;
        self.row.get(column).map_err(|error| {
            let name = COLUMNS.split(", ").nth(column).unwrap_or_default();
            format!("{name}: {error}")
        })
    }

    fn count(&mut self) -> Result<Option<u64>, String> {
        let rows = self.take::<Option<i64>>()?;
        rows.map(|rows| u64::try_from(rows).map_err(|_| format!("{rows} is no number of rows"))).transpose()
    }

    /// Any text fits into the column.
    fn time(&mut self) -> Result<Option<String>, String> {
        let Some(text) = self.take::<Option<String>>()? else { return Ok(None) };
        let form = "0000-00-00 00:00:00.000";
        let fits = |(letter, of): (u8, u8)| if of == b'0' { letter.is_ascii_digit() } else { letter == of };
        match text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits) {
            true => Ok(Some(text)),
            false => Err(format!("`{text}` is no time")),
        }
    }
}
