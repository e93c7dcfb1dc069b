//! Inspection: the session, the history, and what else the database holds.

use crate::MySql;
use crate::history::{COLUMNS, identifier, text};
use crate::perform::LOCK_WAIT_TIMEOUT;
use crate::settings;
use crate::transport::{Broken, Row, TransportError};
use crate::unfinished::{Kept, SessionToken, user_of};
use windlass_core::driver::{
    Access, Cause, Contents, DriverError, Head, Inspection, Product, StoredCode, Surroundings,
};
use windlass_core::history::{Attempt, AttemptKind, FORMAT, History, InFlight, Liveness, Sight};
use windlass_core::migration::Checksums;
use windlass_core::sql::classify::ObjectName;

pub(crate) const NO_SUCH_TABLE: u16 = 1146;
/// What `information_schema` says in place of it.
const UNKNOWN_TABLE: u16 = 1109;
const NO_SUCH_COLUMN: u16 = 1054;

/// What the server says of this session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) max_allowed_packet: usize,
    pub(crate) seen: SessionToken,
    pub(crate) user: String,
    pub(crate) has_performance_schema: bool,
    /// As `SET ROLE` takes it.
    pub(crate) role: String,
}

impl MySql<'_> {
    pub(crate) async fn read_head(&mut self) -> Result<Head, DriverError> {
        let sets = match self.read(&self.table.head(self.capabilities.product)).await {
            Ok(sets) => sets,
            Err(Broken {
                error: TransportError::Server { code: NO_SUCH_TABLE | UNKNOWN_TABLE, .. }, ..
            }) => {
                return Ok(Head::None);
            }
            Err(broken) => return Err(history_error(&self.history_table, broken)),
        };
        let Some(row) = sets.first().and_then(|rows| rows.first()) else { return Ok(Head::None) };
        let mut fields = Fields::new(row);
        Ok(Head::Newest { format: fields.number("format")?, digest: fields.text("digest")? })
    }

    /// The facts of this session; read, and its settings pinned, when first asked for.
    pub(crate) async fn session(&mut self) -> Result<&Session, DriverError> {
        if self.session.is_none() {
            self.begin_session(Vec::new()).await?;
        }
        self.session
            .as_ref()
            .ok_or_else(|| DriverError::History("the server told nothing of the session".into()))
    }

    /// Pins the settings of a session and reads its facts; what goes first is answered first.
    pub(crate) async fn begin_session(
        &mut self,
        mut message: Vec<String>,
    ) -> Result<Vec<Vec<Row>>, DriverError> {
        message.extend(settings::pin(self.capabilities.product, &self.database));
        message.push(facts(self.capabilities.product));
        let sets =
            self.transport.query(&message.join(";\n")).await.map_err(|b| DriverError::from(b.error))?;
        self.learn(sets.last())?;
        Ok(sets)
    }

    pub(crate) async fn read_inspection(&mut self) -> Result<Inspection, DriverError> {
        let product = self.capabilities.product;
        // Of a lent connection nothing is changed before something is written.
        let is_pinned = !self.transport.is_lent() || self.found.is_some();
        let mut message: Vec<String> =
            if is_pinned { settings::pin(product, &self.database).into() } else { Vec::new() };
        let place = message.len();
        message.push(facts(product));
        message.extend(contents(&self.database, &self.history_table, self.transport.is_lent()));
        message.push(stored_code(&self.database));
        message.push(code_of_database(&self.database));
        message.push(kept_by_rollback(&self.database));
        message.push(writing_rights(&self.database));
        let before_history = message.len();
        message.push(self.table.newest_format());
        message.push(self.table.select());
        let (sets, exists) = match self.read(&message.join(";\n")).await {
            Ok(sets) => (sets, true),
            Err(Broken {
                error: TransportError::Server { code: NO_SUCH_TABLE | UNKNOWN_TABLE, .. },
                sets,
                ..
            }) if sets.len() >= before_history => (sets, false),
            Err(Broken { error: TransportError::Server { code: NO_SUCH_COLUMN, .. }, sets, .. })
                if newer_format(sets.get(before_history)).is_some() =>
            {
                return Err(newer(newer_format(sets.get(before_history)).unwrap_or_default()));
            }
            Err(broken) => return Err(history_error(&self.history_table, broken)),
        };
        if let Some(format) = newer_format(sets.get(before_history)) {
            return Err(newer(format));
        }
        self.learn(sets.get(place))?;
        let names =
            sets[place + 1..before_history - 4].iter().flatten().filter_map(|row| row.first()?.clone());
        let names: Vec<String> = names.take(5).collect();
        let access = access(sets[place].first(), &sets[before_history - 1], product);
        let rows = if exists { sets.get(before_history + 1) } else { None };
        let mut attempts = Vec::new();
        let mut kept = Vec::new();
        for row in rows.into_iter().flatten() {
            let (attempt, besides) = attempt(row)?;
            attempts.push(attempt);
            kept.push(besides);
        }
        self.look_at_unfinished(&mut attempts, &kept).await?;
        Ok(Inspection {
            history: History { exists, attempts },
            contents: if names.is_empty() { Contents::Empty } else { Contents::Holds(names) },
            access,
            surroundings: Surroundings {
                stored_code: self.stored_code(&sets[before_history - 4]),
                ..self.surroundings(&sets[before_history - 3], &sets[before_history - 2])
            },
        })
    }

    fn surroundings(&self, code: &[Row], kept: &[Row]) -> Surroundings {
        let names =
            |rows: &[Row]| -> Vec<String> { rows.iter().filter_map(|row| row.first()?.clone()).collect() };
        let (mut code, mut kept) = (names(code), names(kept));
        // The first two rows are about triggers.
        let mut is_so = || !code.is_empty() && code.remove(0) == "1";
        let (has_triggers, triggers_may_leave) = (is_so(), is_so());
        // The first row is about tables that are created without a word of their engine.
        let default_kept_by_rollback = !kept.is_empty() && kept.remove(0) == "1";
        Surroundings {
            history: Some(ObjectName {
                schema: Some(self.database.clone()),
                name: self.history_table.clone(),
            }),
            schema: Some(self.database.clone()),
            kept_by_rollback: kept,
            default_kept_by_rollback,
            leaving_routines: code,
            has_triggers,
            triggers_may_leave,
            ..Surroundings::default()
        }
    }

    fn stored_code(&self, rows: &[Row]) -> Vec<StoredCode> {
        let text = |row: &Row, index: usize| row.get(index).cloned().flatten();
        let own = Some(self.database.as_str());
        rows.iter()
            .filter_map(|row| Some(StoredCode::new(&text(row, 0)?, text(row, 1).as_deref(), own)))
            .collect()
    }

    /// Tables that do not stand are left out: with a right to few of them the server would refuse the others.
    pub(crate) async fn count(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        let mut most = 0;
        for ObjectName { schema, name } in tables {
            let database = schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), text);
            let stands = format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = {database} AND table_name = {}",
                text(name)
            );
            if self.single(&stands).await.map_err(DriverError::from)?.is_some() {
                let place = schema.iter().chain([name]).map(|part| identifier(part)).collect::<Vec<_>>();
                let count = format!("SELECT COUNT(*) FROM {}", place.join("."));
                let rows = match self.single(&count).await {
                    Err(TransportError::Server { code: LOCK_WAIT_TIMEOUT, .. }) => {
                        return Err(Cause::Busy(self.holder_of(&count).await));
                    }
                    rows => rows.map_err(DriverError::from)?,
                };
                most = most.max(rows.and_then(|rows| rows.parse().ok()).unwrap_or(0));
            }
        }
        Ok(most)
    }

    async fn single(&mut self, query: &str) -> Result<Option<String>, TransportError> {
        let sets = self.read(query).await.map_err(|broken| broken.error)?;
        Ok(sets.first().and_then(|rows| rows.first()).and_then(|row| row.first().cloned()).flatten())
    }

    fn learn(&mut self, facts: Option<&Vec<Row>>) -> Result<(), DriverError> {
        let nothing = Vec::new();
        let row = facts.and_then(|rows| rows.first()).unwrap_or(&nothing);
        let mut fields = Fields::new(row);
        crate::dialect::refine(&mut self.capabilities, &fields.text("version")?);
        let seen = SessionToken {
            connection: fields.number("connection")?,
            started: fields.text("started")?,
            server: fields.text("server")?,
            account: fields.text("account")?,
        };
        let max_allowed_packet = fields.number("max_allowed_packet")?;
        let user = user_of(&seen.account).to_owned();
        let has_performance_schema = row.last().is_some_and(|told| told.as_deref() == Some("1"));
        let role = row.get(CURRENT_ROLE).cloned().flatten().unwrap_or_default();
        let role = match self.capabilities.product {
            _ if role.is_empty() || role == "NONE" => "NONE".to_owned(),
            // It tells one role, and tells it without quotes.
            Product::MariaDb => identifier(&role),
            _ => role,
        };
        let token = seen.to_text();
        self.session = Some(Session { token, max_allowed_packet, seen, user, has_performance_schema, role });
        Ok(())
    }
}

/// Where the role stands among the facts.
const CURRENT_ROLE: usize = 10;

/// The current account as the tables of privileges write it. An application may have set ANSI_QUOTES.
pub(crate) const GRANTEE: &str = "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";

fn facts(product: Product) -> String {
    let (server, status, read_only, session) = match product {
        Product::MariaDb => {
            ("CONCAT(@@hostname, ':', @@port)", "information_schema", "0", "@@SESSION.tx_read_only")
        }
        _ => (
            "@@server_uuid",
            "performance_schema",
            "@@GLOBAL.super_read_only",
            "@@SESSION.transaction_read_only",
        ),
    };
    // The difference is exactly the second in which the server started: both are read from one clock.
    format!(
        "SELECT VERSION(), CONNECTION_ID(), \
         (SELECT CAST(UNIX_TIMESTAMP() - variable_value AS SIGNED) FROM {status}.global_status \
         WHERE variable_name = 'UPTIME'), \
         {server}, CURRENT_USER(), @@max_allowed_packet, \
         @@GLOBAL.read_only, {read_only}, @@GLOBAL.innodb_read_only, {session}, CURRENT_ROLE(), @@performance_schema"
    )
}

/// MariaDB lists a session's temporary tables too, and an application's may be there. What kind a table is costs it
/// more than the name, so that it is asked only then.
fn contents(database: &str, history: &str, is_lent: bool) -> [String; 3] {
    let (database, history) = (text(database), text(history));
    let kind = if is_lent { "AND table_type <> 'TEMPORARY' " } else { "" };
    [
        format!(
            "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = {database} AND table_name <> {history} {kind}LIMIT 5"
        ),
        format!(
            "SELECT routine_name FROM information_schema.routines WHERE routine_schema = {database} LIMIT 5"
        ),
        format!("SELECT event_name FROM information_schema.events WHERE event_schema = {database} LIMIT 5"),
    ]
}

/// The tables that have triggers, and the routines, each with its text, where that is not hidden.
fn stored_code(database: &str) -> String {
    let database = text(database);
    format!(
        "SELECT CAST(event_object_table AS CHAR), CAST(action_statement AS CHAR) FROM information_schema.triggers \
         WHERE event_object_schema = {database} UNION ALL \
         (SELECT CAST(routine_name AS CHAR), CAST(routine_definition AS CHAR) FROM information_schema.routines \
         WHERE routine_schema = {database})"
    )
}

/// Whether there are triggers, and such as do what is told of next; and the routines that may leave a temporary table in the session that runs them, by what
/// they are made of and whom they call, and those whose text is hidden.
fn code_of_database(database: &str) -> String {
    let leaves = |body: &str| format!("(LOWER({body}) LIKE '%temporary%' OR LOWER({body}) LIKE '%call %')");
    let triggers = format!("FROM information_schema.triggers WHERE event_object_schema = {}", text(database));
    format!(
        "SELECT CAST(EXISTS (SELECT 1 {triggers}) AS CHAR) UNION ALL \
         SELECT CAST(EXISTS (SELECT 1 {triggers} AND {}) AS CHAR) UNION ALL \
         (SELECT routine_name FROM information_schema.routines \
         WHERE routine_schema NOT IN ('sys', 'mysql') AND (routine_definition IS NULL OR {}))",
        leaves("action_statement"),
        leaves("routine_definition")
    )
}

/// The tables whose engine knows no transactions; before them, whether the default one is such an engine.
fn kept_by_rollback(database: &str) -> String {
    let database = text(database);
    let engines =
        "(SELECT engine FROM information_schema.engines WHERE transactions IS NULL OR transactions <> 'YES')";
    format!(
        "SELECT CAST(@@default_storage_engine IN {engines} AS CHAR) UNION ALL \
         (SELECT table_name FROM information_schema.tables \
         WHERE table_schema = {database} AND table_type = 'BASE TABLE' AND engine IN {engines})"
    )
}

/// One row where the account has any right beyond reading.
fn writing_rights(database: &str) -> String {
    let database = text(database);
    let mine = format!(
        "(grantee = {GRANTEE} OR grantee LIKE '%PUBLIC%') AND privilege_type NOT IN \
         ('USAGE', 'SELECT', 'SHOW VIEW', 'SHOW DATABASES', 'PROCESS', 'REPLICATION CLIENT', \
         'BINLOG MONITOR', 'SLAVE MONITOR', 'REPLICA MONITOR')"
    );
    format!(
        "SELECT privilege_type FROM information_schema.user_privileges WHERE {mine} \
         UNION ALL SELECT privilege_type FROM information_schema.schema_privileges \
         WHERE {mine} AND {database} LIKE table_schema \
         UNION ALL SELECT privilege_type FROM information_schema.table_privileges \
         WHERE {mine} AND table_schema = {database} LIMIT 1"
    )
}

fn access(facts: Option<&Row>, rights: &[Row], product: Product) -> Access {
    let value = |index: usize| facts.and_then(|row| row.get(index)?.as_deref()).unwrap_or("");
    let is_on = |index: usize| !matches!(value(index), "" | "0" | "OFF");
    let has_role = !matches!(value(10), "" | "NONE");
    let why = if is_on(7) {
        "the server is read-only (super_read_only)".to_owned()
    } else if is_on(6) {
        "the server is read-only (read_only), as a replica is".to_owned()
    } else if is_on(8) {
        "the server is read-only (innodb_read_only)".to_owned()
    } else if is_on(9) {
        let name = if product == Product::MariaDb { "tx_read_only" } else { "transaction_read_only" };
        format!("transactions are read-only ({name})")
    } else if rights.is_empty() && !has_role {
        format!("user {} has no right to write", value(4))
    } else {
        return Access::Writable;
    };
    Access::ReadOnly(why)
}

fn newer_format(rows: Option<&Vec<Row>>) -> Option<u32> {
    let format = rows?.first()?.first()?.as_ref()?.parse().ok()?;
    (format > FORMAT).then_some(format)
}

fn newer(format: u32) -> DriverError {
    DriverError::History(format!(
        "a newer windlass wrote it (format {format}; this one knows up to {FORMAT})"
    ))
}

fn history_error(table: &str, broken: Broken) -> DriverError {
    match broken.error {
        TransportError::Server { code: NO_SUCH_COLUMN, message, .. } => {
            DriverError::History(format!("{table}: {message}"))
        }
        other => other.into(),
    }
}

fn attempt(row: &Row) -> Result<(Attempt, Kept), DriverError> {
    let mut fields = Fields::new(row);
    let id = fields.number("id")?;
    let kind = fields.text("kind")?;
    let kind = AttemptKind::parse(&kind)
        .ok_or_else(|| DriverError::History(format!("row {id} is of the unknown kind `{kind}`")))?;
    let name = fields.text("name")?;
    let checksums = Checksums { raw: fields.text("checksum")?, tokens: fields.text("token_checksum")? };
    let claimed = Attempt::holds(&name, fields.optional("claim").as_deref())
        .map_err(|what| DriverError::History(format!("row {id}: {what}")))?;
    let owner = fields.text("owner")?;
    let session = fields.text("session")?;
    let epoch = fields.number("epoch")?;
    let statements = fields.number("statements")?;
    let completed = fields.number("completed")?;
    let touched = fields.number("touched")?;
    let row_limit = fields.optional("row_limit").and_then(|rows| rows.parse().ok());
    let prefix = fields.optional("prefix");
    let in_flight = match fields.optional("in_flight") {
        None => None,
        Some(text) => Some(InFlight::parse(&text).ok_or_else(|| {
            DriverError::History(format!("row {id} has `{text}` in flight, which is no statement"))
        })?),
    };
    let (watched, looked) = (fields.optional("watched"), fields.optional("looked"));
    let kept = Kept { session, watched, looked, writes: fields.text("writes")? };
    let attempt = Attempt {
        id,
        kind,
        name,
        checksums,
        claimed,
        owner,
        owner_session: Liveness::Unknown,
        epoch,
        statements,
        completed,
        prefix,
        touched,
        row_limit,
        in_flight,
        sight: Sight::Unknown,
        started_at: fields.text("started_at")?,
        finished_at: fields.optional("finished_at"),
        rolled_back_at: fields.optional("rolled_back_at"),
        error: fields.optional("error"),
        applied_by: fields.text("applied_by")?,
        tool: fields.text("tool")?,
        duration_ms: fields.optional("duration_ms").and_then(|ms| ms.parse().ok()),
        resolution: fields.optional("resolution"),
        digest: fields.text("digest")?,
    };
    Ok((attempt, kept))
}

/// Reads a row's fields one after another.
struct Fields<'r> {
    fields: std::slice::Iter<'r, Option<String>>,
}

impl<'r> Fields<'r> {
    fn new(row: &'r Row) -> Self {
        debug_assert!(row.len() <= COLUMNS.len());
        Self { fields: row.iter() }
    }

    fn optional(&mut self, _: &str) -> Option<String> {
        self.fields.next().cloned().flatten()
    }

    fn text(&mut self, name: &str) -> Result<String, DriverError> {
        match self.fields.next() {
            Some(Some(text)) => Ok(text.clone()),
            _ => Err(DriverError::History(format!("{} has no value", identifier(name)))),
        }
    }

    fn number<N: std::str::FromStr>(&mut self, name: &str) -> Result<N, DriverError> {
        let text = self.text(name)?;
        let wrong =
            |_| DriverError::History(format!("{} is `{text}`, which is no such number", identifier(name)));
        text.parse().map_err(wrong)
    }
}
