//! The history table: the statements that speak of it, as text.
//!
//! Every change of a standing row is fenced, and a fence that lets nothing through must fail by itself: the
//! commit is on its way when the answer comes. So the changed rows are counted, and a wrong count divides by zero.

use crate::lock;
use crate::look;
use crate::quote::{identifier, literal, optional};
use crate::trust;
use windlass_core::driver::Run;
use windlass_core::history::{DEFAULT_TABLE, FORMAT, InFlight};
use windlass_core::migration::Checksums;
use windlass_core::plan::{Claim, Record, Resolve, ResolveInto, Step};
use windlass_core::sql::classify::ObjectName;

pub(crate) const NOW: &str = "pg_catalog.clock_timestamp()";

/// A decision as it is written, with who and when.
pub(crate) fn signed(decision: &str, by: Option<&str>) -> String {
    let [decision, end] = windlass_core::history::signed(decision, by).map(|part| literal(&part));
    let now = format!("pg_catalog.to_char(pg_catalog.timezone('UTC', {NOW}), 'YYYY-MM-DD HH24:MI:SS')");
    format!("pg_catalog.concat({decision}, {now}, {end})")
}

/// The operators of the server's own: a write stands in a migration's transaction, and is read by its `search_path`, in which
/// a schema may come before `pg_catalog`.
const EQUALS: &str = "OPERATOR(pg_catalog.=)";
const PLUS: &str = "OPERATOR(pg_catalog.+)";

/// The history table: its place, and the statements that speak of it.
#[derive(Clone, Debug)]
pub(crate) struct HistoryTable {
    schema: String,
    table: String,
    quoted: String,
    /// Whether somebody said where it stands.
    is_chosen: bool,
}

/// Who writes: the run, and its session as the server knows it.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) run: &'a Run,
    /// Nothing where it is another client's next, and its end no proof of the run's.
    pub(crate) session: Option<&'a str>,
}

impl HistoryTable {
    pub(crate) fn new(chosen: Option<&(Option<String>, String)>, schema: Option<&str>) -> Self {
        let is_chosen = chosen.is_some() || schema.is_some();
        let (chosen_schema, table) = chosen.cloned().unwrap_or((None, DEFAULT_TABLE.to_owned()));
        let schema = chosen_schema.unwrap_or_else(|| schema.unwrap_or("public").to_owned());
        let quoted = format!("{}.{}", identifier(&schema), identifier(&table));
        Self { schema, table, quoted, is_chosen }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// Schema and table, each between quotes.
    pub(crate) fn quoted(&self) -> &str {
        &self.quoted
    }

    /// The same for people to read.
    pub(crate) fn readable(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    pub(crate) fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// Creates it unless it stands, in one statement that also works inside a transaction.
    ///
    /// Who may not create anything may still use one that stands. Two that create it at the same moment collide
    /// on a catalog's index, whatever IF NOT EXISTS says, and between its end and its word of it to other sessions
    /// a transaction's tables are there for an index and not for a name. A transaction's locks are freed behind
    /// that word: so one waits for the other's lock, and then looks by a query, which hears all words first.
    pub(crate) fn create(&self) -> String {
        let (schema, table) = (identifier(&self.schema), &self.quoted);
        let (schema_name, table_name, doubtful) =
            (literal(&self.schema), literal(table), trust::is_doubtful(self));
        let key = lock::creation_key(&self.schema);
        let body = format!(
            "BEGIN
PERFORM pg_catalog.pg_advisory_xact_lock({key});
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = {schema_name}::name) THEN
        BEGIN
            CREATE SCHEMA {schema};
        EXCEPTION WHEN duplicate_schema OR unique_violation THEN NULL;
        END;
    END IF;
    IF to_regclass({table_name}) IS NULL THEN
        CREATE TABLE {table} (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            format integer NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            claim text UNIQUE,
            checksum text NOT NULL,
            token_checksum text NOT NULL,
            owner text NOT NULL,
            session text,
            epoch integer NOT NULL,
            statements integer NOT NULL,
            completed integer NOT NULL,
            touched bigint NOT NULL DEFAULT 0,
            row_limit bigint,
            prefix text,
            in_flight text,
            look jsonb,
            started_at timestamptz NOT NULL,
            finished_at timestamptz,
            rolled_back_at timestamptz,
            error text,
            applied_by text NOT NULL,
            tool text NOT NULL,
            duration_ms bigint,
            resolution text,
            digest text NOT NULL,
            snapshot text,
            snapshot_at timestamptz,
            accepted text
        );
    END IF;
EXCEPTION WHEN duplicate_table OR unique_violation THEN
    IF to_regclass({table_name}) IS NULL THEN RAISE; END IF;
END;
IF {doubtful} THEN
    RAISE EXCEPTION 'somebody else has just put a history table in place: deploy again to see whose';
END IF;
END"
        );
        format!("DO LANGUAGE plpgsql {}", literal(&body))
    }

    /// Behind a [guard](trust::guard).
    pub(crate) fn head(&self, guard: &str) -> String {
        format!("{guard}SELECT format, digest FROM {} ORDER BY id DESC LIMIT 1", self.quoted)
    }

    /// The statement of a step that writes the history; nothing for other steps.
    pub(crate) fn write(&self, step: &Step<'_>, writer: Writer<'_>) -> Option<String> {
        let mine = |name: &str, epoch: u32| fence(name, &writer.run.owner, epoch);
        Some(match step {
            Step::CreateHistory => self.create(),
            Step::Claim(claims) => self.claim(claims, writer),
            Step::TakeOver {
                name,
                from_owner,
                from_epoch,
                checksums,
                statements,
                completed,
                prefix,
                in_flight,
                watched,
            } => {
                let owned = owned(writer, checksums, *statements);
                let progress = progress(*completed, prefix, *in_flight, watched);
                self.change_one(&format!("{owned}, {progress}"), &fence(name, from_owner, *from_epoch))
            }
            Step::Hold { name, from_owner, from_epoch, checksums, statements, .. } => {
                self.change_one(&owned(writer, checksums, *statements), &fence(name, from_owner, *from_epoch))
            }
            Step::Checkpoint { name, epoch, completed, prefix, in_flight, watched } => {
                self.change_one(&progress(*completed, prefix, *in_flight, watched), &mine(name, *epoch))
            }
            Step::Record(records) => self.record(records, writer),
            Step::Fail { name, epoch, completed, prefix, in_flight, error, rolled_back } => {
                let mut set = standing(*completed, prefix, *in_flight);
                if in_flight.is_none() {
                    set += ", look = NULL";
                }
                let set = format!("{set}, error = {}", literal(error));
                let set = match rolled_back {
                    None => set,
                    Some(digest) => {
                        format!("{set}, claim = NULL, rolled_back_at = {NOW}, digest = {}", literal(digest))
                    }
                };
                self.change_one(&set, &mine(name, *epoch))
            }
            Step::RecordFailure { claim, error, digest } => self.record_failure(claim, error, digest, writer),
            Step::Resolve(resolve) => self.resolve(resolve, writer),
            _ => return None,
        })
    }

    /// Adds rows that a statement touched.
    pub(crate) fn count_rows(
        &self,
        writer: Writer<'_>,
        (name, epoch): (&str, u32),
        row_limit: u64,
        touched: u64,
    ) -> String {
        let fence = fence(name, &writer.run.owner, epoch);
        // No table has more rows than a bigint counts.
        let [touched, row_limit] = [touched, row_limit].map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
        self.change_one(&format!("touched = touched {PLUS} {touched}, row_limit = {row_limit}"), &fence)
    }

    fn claim(&self, claims: &[Claim<'_>], writer: Writer<'_>) -> String {
        let superseded = claims.iter().filter(|claim| claim.supersedes).map(|claim| {
            // Only an earlier run of another text gives way: one with the same text is a rival's that came first.
            let (name, raw) = (literal(claim.name), literal(&claim.checksums.raw));
            let old =
                format!("claim {EQUALS} {name} AND finished_at IS NOT NULL AND NOT checksum {EQUALS} {raw}");
            format!("UPDATE {} SET claim = NULL WHERE {old}; ", self.quoted)
        });
        let rows: Vec<_> = claims
            .iter()
            .map(|claim| {
                let (name, in_flight) = (literal(claim.name), flight(claim.in_flight));
                let look = look::taken(&claim.watched);
                format!("({name}, {in_flight}, {look}, {}, {NOW}, '')", row(claim, writer))
            })
            .collect();
        let superseded: String = superseded.collect();
        let columns = format!("claim, in_flight, look, {ROW}, started_at, digest");
        format!("{superseded}INSERT INTO {} ({columns}) VALUES {}", self.quoted, rows.join(", "))
    }

    fn record_failure(&self, claim: &Claim<'_>, error: &str, digest: &str, writer: Writer<'_>) -> String {
        format!(
            "INSERT INTO {} ({ROW}, started_at, rolled_back_at, error, digest) VALUES ({}, {NOW}, {NOW}, {}, {})",
            self.quoted,
            row(claim, writer),
            literal(error),
            literal(digest)
        )
    }

    fn record(&self, records: &[Record<'_>], writer: Writer<'_>) -> String {
        let values = records.iter().map(|record| {
            [
                literal(record.name),
                record.epoch.to_string(),
                record.completed.to_string(),
                literal(&record.digest),
            ]
        });
        let values: Vec<[String; 4]> = values.collect();
        // One is planned in less time without a join.
        let (done, from, [name, epoch, completed, digest]) = match values.as_slice() {
            [only] => (String::new(), "", only.each_ref().map(String::as_str)),
            all => {
                let rows =
                    all.iter().map(|row| format!("({})", row.join(", "))).collect::<Vec<_>>().join(", ");
                let done = format!("done (name, epoch, completed, digest) AS (VALUES {rows}), ");
                (done, "FROM done ", ["done.name", "done.epoch", "done.completed", "done.digest"])
            }
        };
        let (table, owner, count) = (&self.quoted, literal(&writer.run.owner), records.len());
        // One decision is about all of them.
        let decision = records.iter().find_map(|record| record.decision.as_deref());
        let decided = decision.map_or_else(String::new, |decision| {
            format!(", resolution = {}", signed(decision, Some(&writer.run.applied_by)))
        });
        format!(
            "WITH {done}changed AS (UPDATE {table} AS history SET completed = {completed}, touched = 0, row_limit = NULL, \
             in_flight = NULL, look = NULL, error = NULL, finished_at = {NOW}, duration_ms = {DURATION}, digest = {digest}{decided} \
             {from}WHERE history.claim {EQUALS} {name} AND history.owner {EQUALS} {owner} \
             AND history.epoch {EQUALS} {epoch} AND history.finished_at IS NULL RETURNING 1) \
             SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) {EQUALS} {count})::integer FROM changed"
        )
    }

    fn resolve(&self, resolve: &Resolve<'_>, writer: Writer<'_>) -> String {
        let Resolve { id, from_owner, from_epoch, into, resolution, digest, newest } = resolve;
        let set = match into {
            ResolveInto::Applied => format!("finished_at = {NOW}, error = NULL"),
            ResolveInto::RolledBack => format!("rolled_back_at = {NOW}, claim = NULL"),
            ResolveInto::Resumable | ResolveInto::ResumableOnceCleared => {
                "error = NULL, owner = '', session = NULL, row_limit = NULL".to_owned()
            }
            ResolveInto::ResumableAfter { completed, prefix } => format!(
                "error = NULL, owner = '', session = NULL, completed = {completed}, prefix = {}",
                literal(prefix)
            ),
            ResolveInto::Accepted { name, checksums } => {
                let (name, raw, tokens) =
                    (literal(name), literal(&checksums.raw), literal(&checksums.tokens));
                // A row without a claim does not get one by a renaming.
                let claim = format!("claim = CASE WHEN claim IS NOT NULL THEN {name} END");
                format!("name = {name}, {claim}, checksum = {raw}, token_checksum = {tokens}")
            }
            // Steps may be added: what is not known must not pass for done.
            _ => return "SELECT 1 / 0".to_owned(),
        };
        let (table, digest, resolution) =
            (&self.quoted, literal(digest), signed(resolution, Some(&writer.run.applied_by)));
        let owner = literal(from_owner);
        let note = match into {
            ResolveInto::ResumableOnceCleared => "in_flight = in_flight",
            _ => "in_flight = NULL, look = NULL",
        };
        // A run that came in between holds another digest: its row is the newest then, and this changes nothing.
        format!(
            "WITH changed AS (UPDATE {table} SET {set}, {note}, resolution = {resolution}, digest = {digest} \
             WHERE id = {id} AND owner = {owner} AND epoch = {from_epoch} \
             AND {newest} = (SELECT max(id) FROM {table}) RETURNING 1), \
             renewed AS (UPDATE {table} SET digest = {digest} WHERE id = {newest} AND id <> {id} RETURNING 1) \
             SELECT 1 / count(*) FROM changed"
        )
    }

    /// The end of a run whose session goes on: what it did not bring to its end waits for whoever comes next.
    pub(crate) fn let_go(&self, owner: &str) -> String {
        format!(
            "UPDATE {} SET owner = '', session = NULL WHERE owner = {} AND finished_at IS NULL \
             AND rolled_back_at IS NULL AND error IS NULL",
            self.quoted,
            literal(owner)
        )
    }

    fn change_one(&self, set: &str, fence: &str) -> String {
        let table = &self.quoted;
        format!(
            "WITH changed AS (UPDATE {table} SET {set} WHERE {fence} RETURNING 1) \
             SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM changed"
        )
    }
}

/// Whose row it is, unless another took it over.
fn fence(name: &str, owner: &str, epoch: u32) -> String {
    let (name, owner) = (literal(name), literal(owner));
    format!(
        "claim {EQUALS} {name} AND owner {EQUALS} {owner} AND epoch {EQUALS} {epoch} AND finished_at IS NULL"
    )
}

const DURATION: &str = "(extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) history.started_at) \
                        OPERATOR(pg_catalog.*) 1000)::bigint";

/// The columns of [`row`].
const ROW: &str = "format, kind, name, checksum, token_checksum, owner, session, epoch, statements, completed, \
                   applied_by, tool";

fn row(claim: &Claim<'_>, writer: Writer<'_>) -> String {
    let Run { owner, applied_by, tool } = writer.run;
    let texts = [claim.kind.as_str(), claim.name, &claim.checksums.raw, &claim.checksums.tokens, owner];
    let texts = texts.map(literal).join(", ");
    let (session, applied_by, tool) = (optional(writer.session), literal(applied_by), literal(tool));
    format!("{FORMAT}, {texts}, {session}, 1, {}, 0, {applied_by}, {tool}", claim.statements)
}

/// What a run writes into a row that it takes over.
fn owned(writer: Writer<'_>, checksums: &Checksums, statements: u32) -> String {
    let Checksums { raw, tokens } = checksums;
    format!(
        "owner = {}, session = {}, epoch = epoch {PLUS} 1, error = NULL, checksum = {}, token_checksum = {}, \
         statements = {statements}, digest = ''",
        literal(&writer.run.owner),
        optional(writer.session),
        literal(raw),
        literal(tokens),
    )
}

fn progress(completed: u32, prefix: &str, in_flight: Option<InFlight>, watched: &[ObjectName]) -> String {
    format!("{}, look = {}", standing(completed, prefix, in_flight), look::taken(watched))
}

fn standing(completed: u32, prefix: &str, in_flight: Option<InFlight>) -> String {
    let prefix = optional(Some(prefix).filter(|prefix| !prefix.is_empty()));
    // What is counted belongs to the statement behind the completed ones.
    format!(
        "completed = {completed}, touched = CASE WHEN completed {EQUALS} {completed} THEN touched ELSE 0 END, \
         row_limit = CASE WHEN completed {EQUALS} {completed} THEN row_limit END, prefix = {prefix}, in_flight = {}",
        flight(in_flight)
    )
}

fn flight(in_flight: Option<InFlight>) -> String {
    optional(in_flight.map(InFlight::to_text).as_deref())
}
