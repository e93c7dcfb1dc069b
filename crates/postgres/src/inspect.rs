//! Inspecting: all that a plan must know, in one round trip that writes nothing.

use crate::borrowed::IS_IDLE;
use crate::dialect;
use crate::errors::{code, database_error};
use crate::history::HistoryTable;
use crate::lock;
use crate::look;
use crate::quote::{identifier, literal};
use crate::transport::{Row, Session, TransportError};
use crate::trust;
use windlass_core::driver::{Access, Contents, DriverError, Grouping, Head, Inspection, Surroundings};
use windlass_core::history::{Attempt, AttemptKind, FORMAT, History, InFlight, Liveness};
use windlass_core::migration::Checksums;
use windlass_core::sql::classify::ObjectName;

/// What was found, and what the driver keeps of it.
pub(crate) struct Found {
    pub(crate) inspection: Inspection,
    pub(crate) session: String,
    pub(crate) grouping: Grouping,
    pub(crate) can_tidy: bool,
    /// Whether it is the client's own session, and no pooler's.
    pub(crate) is_own: bool,
}

/// Whether a block of code can be run.
pub(crate) const CAN_TIDY: &str = "EXISTS (SELECT FROM pg_catalog.pg_language WHERE lanname = 'plpgsql' \
                                   AND pg_catalog.has_language_privilege(oid, 'USAGE'))";

/// This session as the server knows it: a process number alone is given again.
pub(crate) const SESSION: &str = "SELECT pid || '/' || (extract(epoch FROM backend_start) * 1000000)::bigint \
                                  FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// In one round trip. Unless it is known that no transaction of an application's is open, nothing fails in one.
pub(crate) async fn head(
    session: &Session<'_>,
    table: &HistoryTable,
    is_idle: bool,
) -> Result<Head, DriverError> {
    let ask = |guard: String| if is_idle { table.head(&guard) } else { head_if_idle(table, &guard) };
    let mut rows = session.rows(&ask(trust::quick_guard(table))).await;
    if rows.as_ref().is_err_and(is_doubt) {
        rows = session.rows(&ask(trust::guard(table))).await;
    }
    let rows = match rows {
        Err(error) if is_absent(&error) => return Ok(Head::None),
        Err(error) if is_doubt(&error) => return Err(trust::explain(session, table, error).await),
        Err(TransportError::Told(told)) if told.code == code::IN_FAILED_TRANSACTION => {
            return Err(DriverError::InTransaction);
        }
        Err(error) => return Err(unreadable(table, error)),
        Ok(rows) => rows,
    };
    let Some(row) = rows.first() else { return Ok(Head::None) };
    let (format, digest) = if is_idle {
        (row.get(0), row.get(1))
    } else {
        match row.get(0).ok_or(DriverError::InTransaction)? {
            "" => return Ok(Head::None),
            row => (element(row, "format"), element(row, "digest")),
        }
    };
    let format = format.and_then(|format| format.parse().ok());
    let format =
        format.ok_or_else(|| DriverError::History(format!("{}: its format is no number", table.quoted())))?;
    Ok(Head::Newest { format, digest: digest.unwrap_or_default().to_owned() })
}

/// The row as a text, or none where a transaction is open. What the text of a query names has to stand; what a query
/// within it names is not looked for before it runs.
fn head_if_idle(table: &HistoryTable, guard: &str) -> String {
    let guard = guard.trim_end_matches("; ");
    format!(
        "{guard} AND {IS_IDLE}; SELECT CASE WHEN {IS_IDLE} \
         THEN pg_catalog.query_to_xml({}, false, true, '')::text END",
        literal(&table.head(""))
    )
}

/// What stands in the element of this name; numbers and digests have nothing that XML writes in another way.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, behind) = xml.split_once(&format!("<{name}>"))?;
    behind.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// A guard failed.
fn is_doubt(error: &TransportError) -> bool {
    error.code() == Some(code::DIVISION_BY_ZERO)
}

pub(crate) async fn inspect(
    session: &Session<'_>,
    table: &HistoryTable,
    only_schema: Option<&str>,
) -> Result<Found, DriverError> {
    // All are on their way before the first answer is read.
    let is_own = lock::is_own(session).await;
    let surroundings = session.send(&surroundings_sql(table, &is_own)).await;
    let contents = session.send(&contents_sql(table, only_schema)).await;
    let elsewhere = session.send(&elsewhere_sql(table)).await;
    let invalid_indexes = session.send(&look::invalid_indexes(only_schema)).await;
    let doubts = session.send(&trust::doubts(table)).await;
    let rows = session.send(&rows_sql(table)).await;
    let (surroundings, contents) = (surroundings.rows().await?, contents.rows().await?);
    let elsewhere = names(&elsewhere.rows().await?);
    let invalid_indexes = invalid_indexes.rows().await?.iter().map(look::invalid_index).collect();
    trust::judge(table, &doubts.rows().await?)?;
    let history = match rows.rows().await {
        Err(error) if is_absent(&error) => History::default(),
        Err(error) => return Err(unreadable(table, error)),
        Ok(rows) => read(table, &rows)?,
    };
    if !history.exists && !table.is_chosen() && !elsewhere.is_empty() {
        let expected = format!("{} (expected, and not there)", table.quoted());
        return Err(DriverError::Ambiguous([expected].into_iter().chain(elsewhere).collect()));
    }
    let value =
        |name| surroundings.first().and_then(|row| row.try_get(name).ok().flatten()).unwrap_or_default();
    let contents = match names(&contents) {
        names if names.is_empty() => Contents::Empty,
        names => Contents::Holds(names),
    };
    Ok(Found {
        session: value("session").to_owned(),
        can_tidy: value("can_tidy") == "t",
        is_own: value("is_own") == "t",
        grouping: dialect::grouping(value("lock_slots").parse().unwrap_or_default()),
        inspection: Inspection {
            access: access(&value, history.exists, table),
            surroundings: Surroundings {
                history: Some(history_name(table)),
                invalid_indexes,
                leaving_routines: value("leaving_routines")
                    .split_terminator('\u{1f}')
                    .map(str::to_owned)
                    .collect(),
                has_routines: value("has_routines") == "t",
                has_triggers: value("has_triggers") == "t",
                triggers_may_leave: value("triggers_may_leave") == "t",
                event_triggers_may_leave: value("event_triggers_may_leave") == "t",
                ..Surroundings::default()
            },
            history,
            contents,
        },
    })
}

fn history_name(table: &HistoryTable) -> ObjectName {
    ObjectName { schema: Some(table.schema().to_owned()), name: table.table().to_owned() }
}

/// The rows of the largest of these tables.
pub(crate) async fn count_rows(session: &Session<'_>, tables: &[ObjectName]) -> Result<u64, DriverError> {
    let mut most = 0;
    for ObjectName { schema, name } in tables {
        let place: Vec<String> = schema.iter().chain([name]).map(|part| identifier(part)).collect();
        match session.rows(&format!("SELECT count(*) FROM {}", place.join("."))).await {
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error.into()),
            Ok(rows) => {
                let rows = rows.first().and_then(|row| row.get(0)).and_then(|rows| rows.parse().ok());
                most = most.max(rows.unwrap_or(0));
            }
        }
    }
    Ok(most)
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| row.get(0)).map(str::to_owned).collect()
}

pub(crate) fn is_absent(error: &TransportError) -> bool {
    matches!(error.code(), Some(code::UNDEFINED_TABLE | code::UNDEFINED_SCHEMA))
}

fn unreadable(table: &HistoryTable, error: TransportError) -> DriverError {
    match error {
        TransportError::Told(told) if told.code == code::UNDEFINED_COLUMN => {
            let words = database_error(&told, None).message;
            DriverError::History(format!("{}: {words}", table.quoted()))
        }
        error => error.into(),
    }
}

fn access<'r>(value: &impl Fn(&'static str) -> &'r str, exists: bool, table: &HistoryTable) -> Access {
    let user = value("user_name");
    let no = |right: &str| Access::ReadOnly(format!("user {user} has no right to {right}"));
    if value("is_replica") == "t" {
        return Access::ReadOnly("the server is a replica".to_owned());
    }
    if value("is_read_only") == "on" {
        return Access::ReadOnly(
            "transactions are read-only here (default_transaction_read_only)".to_owned(),
        );
    }
    match (exists, value("schema_exists")) {
        (true, _) if value("may_write") != "t" => no(&format!("write to {}", table.quoted())),
        (false, "t") if value("may_create") != "t" => {
            no(&format!("create tables in schema {}", table.schema()))
        }
        (false, "f") if value("may_create_schema") != "t" => no("create a schema in this database"),
        _ => Access::Writable,
    }
}

/// Routines that may leave something in the session that runs them, by what they are made of; their names with a
/// character between that stands in no name.
const LEAVING_ROUTINES: &str = "SELECT string_agg(DISTINCT p.proname::text, chr(31)) FROM pg_catalog.pg_proc AS p \
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND ";

/// Routines whose text is run, an extension's among them.
const HAS_ROUTINES: &str = "SELECT FROM pg_catalog.pg_proc AS p \
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
    JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang WHERE l.lanname NOT IN ('c', 'internal') \
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

/// What such a routine is made of.
const LEAVES: &str = "p.prosrc ~* '\\m(temp|temporary|set_config)\\M'";

fn surroundings_sql(table: &HistoryTable, is_own: &str) -> String {
    let history = format!("to_regclass({})", literal(table.quoted()));
    let schema = format!("to_regnamespace({})", literal(&identifier(table.schema())));
    format!(
        "SELECT pg_is_in_recovery() AS is_replica, current_setting('transaction_read_only') AS is_read_only, \
         {CAN_TIDY} AS can_tidy, {is_own} AS is_own, current_user AS user_name, ({SESSION}) AS session, \
         current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint \
         + current_setting('max_prepared_transactions')::bigint) AS lock_slots, \
         ({LEAVING_ROUTINES}{LEAVES}) AS leaving_routines, \
         EXISTS ({HAS_ROUTINES}) AS has_routines, \
         EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal) AS has_triggers, \
         EXISTS (SELECT FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid \
         WHERE NOT t.tgisinternal AND {LEAVES}) AS triggers_may_leave, \
         EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.evtfoid \
         WHERE {LEAVES}) AS event_triggers_may_leave, \
         {schema} IS NOT NULL AS schema_exists, \
         has_schema_privilege({schema}::oid, 'CREATE') AS may_create, \
         has_database_privilege(current_database(), 'CREATE') AS may_create_schema, \
         has_table_privilege({history}::oid, 'SELECT') AND has_table_privilege({history}::oid, 'INSERT') \
         AND has_table_privilege({history}::oid, 'UPDATE') AS may_write"
    )
}

/// A user's relations, types and functions; what an extension brought is not a user's.
fn contents_sql(table: &HistoryTable, only_schema: Option<&str>) -> String {
    let history = literal(table.quoted());
    let part = |catalog: &str, column: &str, condition: &str| {
        let namespace = match column {
            "relname" => "relnamespace",
            "typname" => "typnamespace",
            _ => "pronamespace",
        };
        format!(
            "SELECT o.{namespace} AS namespace, o.{column}::text AS name FROM pg_catalog.{catalog} AS o WHERE {condition} \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.{catalog}'::regclass \
             AND d.objid = o.oid AND d.objsubid = 0 AND d.deptype IN ('e', 'i', 'a'))"
        )
    };
    let relations = format!(
        "o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND o.oid IS DISTINCT FROM to_regclass({history})"
    );
    let objects = [
        part("pg_class", "relname", &relations),
        part("pg_type", "typname", "o.typrelid = 0 AND o.typcategory <> 'A'"),
        part("pg_proc", "proname", "true"),
    ];
    let only = only_schema.map(|schema| format!(" AND n.nspname = {}", literal(schema))).unwrap_or_default();
    format!(
        "SELECT n.nspname || '.' || o.name FROM ({}) AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.namespace \
         WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'{only} ORDER BY 1 LIMIT 5",
        objects.join(" UNION ALL ")
    )
}

fn elsewhere_sql(table: &HistoryTable) -> String {
    format!(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relname = {} AND n.nspname <> {} AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' \
         ORDER BY 1 LIMIT 5",
        literal(table.table()),
        literal(table.schema())
    )
}

/// Of an attempt that came to its end nobody asks whether its owner lives; a replica does not know.
fn rows_sql(table: &HistoryTable) -> String {
    let time = |column: &str| {
        format!("to_char(h.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS {column}")
    };
    let times = ["started_at", "finished_at", "rolled_back_at"].map(time).join(", ");
    format!(
        "{}SELECT h.id, h.format, h.kind, h.name, h.claim, h.checksum, h.token_checksum, h.owner, \
         h.epoch, h.statements, h.completed, h.touched, h.row_limit, h.prefix, h.in_flight, {times}, h.error, h.applied_by, h.tool, \
         h.duration_ms, h.resolution, h.digest, \
         CASE WHEN h.session IS NULL OR h.finished_at IS NOT NULL OR h.rolled_back_at IS NOT NULL \
         OR pg_is_in_recovery() THEN 'unknown' WHEN a.pid IS NULL THEN 'gone' \
         WHEN a.backend_start IS NULL THEN 'unknown' \
         WHEN h.session = a.pid || '/' || (extract(epoch FROM a.backend_start) * 1000000)::bigint THEN 'alive' \
         ELSE 'gone' END AS liveness, s.* \
         FROM {} AS h LEFT JOIN pg_stat_activity AS a \
         ON h.finished_at IS NULL AND a.pid::text = split_part(h.session, '/', 1) \
         LEFT JOIN LATERAL ({}) AS s ON h.finished_at IS NULL AND h.rolled_back_at IS NULL \
         AND h.in_flight IS NOT NULL AND h.look IS NOT NULL ORDER BY h.id",
        trust::guard(table),
        table.quoted(),
        look::TOLD
    )
}

fn read(table: &HistoryTable, rows: &[Row]) -> Result<History, DriverError> {
    let format = |row: &Row| row.try_get("format").ok().flatten().and_then(|text| text.parse().ok());
    if let Some(found) = rows.iter().filter_map(format).max().filter(|found: &u32| *found > FORMAT) {
        return Err(DriverError::History(format!(
            "{} has format {found}; this windlass knows up to {FORMAT}; use a newer windlass",
            table.quoted()
        )));
    }
    let attempt = |row| {
        attempt(row).map_err(|what| {
            let id = row.get(0).unwrap_or_default();
            DriverError::History(format!("{}, row {id}: {what}", table.quoted()))
        })
    };
    Ok(History { exists: true, attempts: rows.iter().map(attempt).collect::<Result<_, _>>()? })
}

fn attempt(row: &Row) -> Result<Attempt, String> {
    let optional = |name: &str| match row.try_get(name) {
        Ok(value) => Ok(value.map(str::to_owned)),
        Err(error) => Err(format!("{name}: {error}")),
    };
    let text = |name: &str| optional(name)?.ok_or_else(|| format!("{name} is NULL"));
    let kind = text("kind")?;
    let in_flight = optional("in_flight")?.map(|text| InFlight::parse(&text).ok_or(text)).transpose();
    Ok(Attempt {
        id: number(&text("id")?, "id")?,
        kind: AttemptKind::parse(&kind).ok_or_else(|| format!("`{kind}` is no kind of attempt"))?,
        claimed: Attempt::holds(&text("name")?, optional("claim")?.as_deref())?,
        name: text("name")?,
        checksums: Checksums { raw: text("checksum")?, tokens: text("token_checksum")? },
        owner: text("owner")?,
        owner_session: match text("liveness")?.as_str() {
            "alive" => Liveness::Alive,
            "gone" => Liveness::Gone,
            _ => Liveness::Unknown,
        },
        epoch: number(&text("epoch")?, "epoch")?,
        statements: number(&text("statements")?, "statements")?,
        completed: number(&text("completed")?, "completed")?,
        prefix: optional("prefix")?,
        touched: number(&text("touched")?, "touched")?,
        row_limit: optional("row_limit")?.map(|text| number(&text, "row_limit")).transpose()?,
        in_flight: in_flight
            .map_err(|text| format!("`{text}` does not say which statements are in flight"))?,
        sight: look::sight(|column| optional(column).ok().flatten()),
        started_at: text("started_at")?,
        finished_at: optional("finished_at")?,
        rolled_back_at: optional("rolled_back_at")?,
        error: optional("error")?,
        applied_by: text("applied_by")?,
        tool: text("tool")?,
        duration_ms: optional("duration_ms")?.and_then(|text| text.parse().ok()),
        resolution: optional("resolution")?,
        digest: text("digest")?,
    })
}

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: `{text}` is out of range"))
}
