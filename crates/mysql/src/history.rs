//! History: the SQL of its table, as pure text.
//!
//! Every statement qualifies the table with its database and writes text in a form that means the same
//! under any `sql_mode` and character set, so that what a migration has set never garbles the history.

use crate::dialect::numbers;
use crate::look::unlimited_select;
use crate::note::Note;
use std::fmt::Write as _;
use windlass_core::driver::{Product, Run};
use windlass_core::history::{ACCEPTED, FORMAT, InFlight, applied_since_kept};
use windlass_core::migration::Checksums;
use windlass_core::plan::{Claim, Record, Resolve, ResolveInto};

/// The longest name of a migration, in characters.
pub(crate) const NAME_LENGTH: usize = 255;

/// Columns that [`Table::select`] reads, in its order.
pub(crate) const COLUMNS: [&str; 27] = [
    "id",
    "kind",
    "name",
    "checksum",
    "token_checksum",
    "claim",
    "owner",
    "session",
    "epoch",
    "statements",
    "completed",
    "touched",
    "row_limit",
    "prefix",
    "in_flight",
    "watched",
    "looked",
    "writes",
    "started_at",
    "finished_at",
    "rolled_back_at",
    "error",
    "applied_by",
    "tool",
    "duration_ms",
    "resolution",
    "digest",
];

const NOW: &str = "UTC_TIMESTAMP(6)";

/// A limit of its own: `sql_select_limit` holds for queries without one, and `sql_safe_updates` refuses writes without one
/// that follow no key. The greatest number that there is counts as none.
const ALL_ROWS: &str = "LIMIT 9223372036854775807";

/// The time that no `SET timestamp` stops, in the session's time zone.
const REAL_NOW: &str = "SYSDATE(6)";

/// The history table of one database.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    qualified: String,
    now: &'static str,
}

/// The run that writes, and the session it does so in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'r> {
    pub(crate) run: &'r Run,
    pub(crate) session: &'r str,
}

impl Table {
    pub(crate) fn new(database: &str, name: &str) -> Self {
        Self { qualified: format!("{}.{}", identifier(database), identifier(name)), now: NOW }
    }

    /// For a session whose clock a migration may have stopped, while its time zone is UTC.
    pub(crate) fn in_real_time(&self) -> Self {
        Self { now: REAL_NOW, ..self.clone() }
    }

    pub(crate) fn create(&self, product: Product, version: &str) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (\
             id BIGINT NOT NULL AUTO_INCREMENT, \
             format INT UNSIGNED NOT NULL, \
             kind VARCHAR(16) NOT NULL, \
             name VARCHAR({NAME_LENGTH}) NOT NULL, \
             checksum VARCHAR(64) NOT NULL, \
             token_checksum VARCHAR(80) NOT NULL, \
             claim VARCHAR({NAME_LENGTH}) NULL, \
             owner VARCHAR(255) NOT NULL, \
             session VARCHAR(255) NOT NULL, \
             epoch INT UNSIGNED NOT NULL, \
             statements INT UNSIGNED NOT NULL, \
             completed INT UNSIGNED NOT NULL, \
             touched BIGINT UNSIGNED NOT NULL DEFAULT 0, \
             row_limit BIGINT UNSIGNED NULL, \
             prefix VARCHAR(255) NULL, \
             in_flight VARCHAR(32) NULL, \
             watched MEDIUMTEXT NULL, \
             looked TEXT NULL, \
             started_at DATETIME(6) NOT NULL, \
             finished_at DATETIME(6) NULL, \
             rolled_back_at DATETIME(6) NULL, \
             error MEDIUMTEXT NULL, \
             applied_by VARCHAR(255) NOT NULL, \
             tool VARCHAR(64) NOT NULL, \
             duration_ms BIGINT UNSIGNED NULL, \
             resolution MEDIUMTEXT NULL, \
             digest VARCHAR(64) NOT NULL, \
             writes INT UNSIGNED NOT NULL, \
             snapshot LONGBLOB NULL, \
             snapshot_at DATETIME(6) NULL, \
             accepted MEDIUMTEXT NULL, \
             PRIMARY KEY (id), UNIQUE KEY claim (claim)\
             ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
            self.qualified,
            collation(product, version)
        )
    }

    pub(crate) fn head(&self, product: Product) -> String {
        format!(
            "{}format, digest FROM {} ORDER BY id DESC LIMIT 1",
            unlimited_select(product),
            self.qualified
        )
    }

    /// The end of a run whose session goes on: what it did not bring to its end waits for whoever comes next.
    pub(crate) fn let_go(&self, owner: &str) -> String {
        format!(
            "UPDATE {} SET owner = '', session = '', writes = writes + 1 WHERE owner = {} AND claim IS NOT NULL \
             AND finished_at IS NULL AND error IS NULL {ALL_ROWS}",
            self.qualified,
            text(owner)
        )
    }

    /// Writes the rows of a run once more.
    pub(crate) fn touch(&self, owner: &str) -> String {
        format!("UPDATE {} SET writes = writes + 1 WHERE owner = {} {ALL_ROWS}", self.qualified, text(owner))
    }

    pub(crate) fn newest_format(&self) -> String {
        format!("SELECT MAX(format) FROM {}", self.qualified)
    }

    /// How often the unfinished rows were written to.
    pub(crate) fn select_writes(&self) -> String {
        format!("SELECT id, writes FROM {} WHERE claim IS NOT NULL AND finished_at IS NULL", self.qualified)
    }

    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY id {ALL_ROWS}", COLUMNS.join(", "), self.qualified)
    }

    /// The schema that was kept last, its values as bytes whatever the connection's character set is.
    pub(crate) fn select_kept(&self) -> String {
        format!(
            "SELECT id, CAST(name AS BINARY), DATE_FORMAT(snapshot_at, '%Y-%m-%d %H:%i:%s.%f'), \
             CAST(accepted AS BINARY), HEX(snapshot), {} FROM {} AS h \
             WHERE snapshot IS NOT NULL ORDER BY id DESC LIMIT 1",
            applied_since_kept(&self.qualified),
            self.qualified
        )
    }

    /// Keeps the schema, compressed, with the newest row, and no longer with another: one write.
    pub(crate) fn keep_schema(&self, schema: &[u8], accepted: Option<&str>) -> String {
        // Not with an attempt that goes on: what it runs later would count as seen.
        let is_newest = format!(
            "h.id = (SELECT id FROM (SELECT COALESCE(MAX(IF(finished_at IS NULL, NULL, id)), MAX(id)) AS id FROM {}) \
             AS newest)",
            self.qualified
        );
        let set = |column: &str, value: &str| format!("h.{column} = IF({is_newest}, {value}, NULL)");
        let told = accepted.map_or(String::new(), |accepted| {
            let told = self.signed(&format!("{ACCEPTED}{accepted}"), None);
            let told = format!("CONCAT(IFNULL(CONCAT(h.resolution, '; '), ''), {told})");
            format!("h.resolution = IF({is_newest}, {told}, h.resolution), ")
        });
        let accepted = accepted.map_or("NULL".to_owned(), text);
        format!(
            "UPDATE {} AS h SET {told}{}, {}, {} WHERE {is_newest} OR h.snapshot IS NOT NULL {ALL_ROWS}",
            self.qualified,
            set("snapshot", &format!("x'{}'", hexadecimal(schema))),
            set("snapshot_at", self.now),
            set("accepted", &accepted),
        )
    }

    /// A new row per claim, in order. A duplicate claim is refused by the unique key.
    pub(crate) fn claim<'c, 'm: 'c>(
        &self,
        writer: Writer<'_>,
        claims: impl IntoIterator<Item = (&'c Claim<'m>, &'c Note)>,
    ) -> String {
        let row = |(claim, note): (&Claim<'m>, &Note)| {
            self.row(writer, claim, note, &text(claim.name), "NULL, NULL, ''")
        };
        self.insert(claims.into_iter().map(row))
    }

    /// A row that never held its claim.
    pub(crate) fn failure(&self, writer: Writer<'_>, claim: &Claim<'_>, error: &str, digest: &str) -> String {
        let end = format!("{}, {}, {}", self.now, text(error), text(digest));
        let note = Note::unwatched(claim.in_flight);
        self.insert(std::iter::once(self.row(writer, claim, &note, "NULL", &end)))
    }

    /// An earlier attempt gives up its claim, unless it still runs or is of the very same text:
    /// then it is another deployer's, and the claim that follows meets it.
    pub(crate) fn supersede(&self, claim: &Claim<'_>) -> String {
        format!(
            "UPDATE {} SET claim = NULL, writes = writes + 1 \
             WHERE claim = {} AND finished_at IS NOT NULL AND checksum <> {}",
            self.qualified,
            text(claim.name),
            text(&claim.checksums.raw)
        )
    }

    pub(crate) fn take_over(
        &self,
        writer: Writer<'_>,
        name: &str,
        (from_owner, from_epoch): (&str, u32),
        (checksums, statements): (&Checksums, u32),
        (completed, prefix): (u32, &str),
        note: &Note,
    ) -> String {
        let set = format!(
            "owner = {}, session = {}, applied_by = {}, tool = {}, epoch = {}, error = NULL, digest = '', \
             checksum = {}, token_checksum = {}, statements = {statements}, {}, prefix = {}, {}",
            text(&writer.run.owner),
            text(writer.session),
            short(&writer.run.applied_by, 255),
            short(&writer.run.tool, 64),
            u64::from(from_epoch) + 1,
            text(&checksums.raw),
            text(&checksums.tokens),
            comes_to(completed),
            text(prefix),
            note.assignments(),
        );
        self.update(&set, &fence(name, from_owner, from_epoch))
    }

    pub(crate) fn checkpoint(
        &self,
        run: &Run,
        (name, epoch): (&str, u32),
        completed: u32,
        prefix: &str,
        note: &Note,
    ) -> String {
        let set = format!("{}, prefix = {}, {}", comes_to(completed), text(prefix), note.assignments());
        self.update(&set, &fence(name, &run.owner, epoch))
    }

    /// Behind [`KEEP_COUNT`].
    pub(crate) fn count_rows(&self, run: &Run, (name, epoch): (&str, u32), row_limit: u64) -> String {
        let set = format!("touched = touched + @_windlass_rows, row_limit = {row_limit}");
        self.update(&set, &fence(name, &run.owner, epoch))
    }

    pub(crate) fn record(&self, run: &Run, record: &Record<'_>) -> String {
        let mut set = format!(
            "{}, {}, error = NULL, digest = {}, finished_at = {}, {}",
            comes_to(record.completed),
            Note::unwatched(None).assignments(),
            text(&record.digest),
            self.now,
            duration(self.now)
        );
        if let Some(decision) = &record.decision {
            let _ = write!(set, ", resolution = {}", self.signed(decision, Some(&run.applied_by)));
        }
        self.update(&set, &fence(record.name, &run.owner, record.epoch))
    }

    pub(crate) fn fail(
        &self,
        run: &Run,
        (name, epoch): (&str, u32),
        (completed, prefix, in_flight): (u32, &str, Option<InFlight>),
        error: &str,
        rolled_back: Option<&str>,
    ) -> String {
        let mut set = format!(
            "completed = {completed}, prefix = {}, {}, error = {}, {}",
            text(prefix),
            Note::assignments_at_failure(in_flight),
            text(error),
            duration(self.now)
        );
        if let Some(digest) = rolled_back {
            let _ = write!(set, ", rolled_back_at = {}, digest = {}", self.now, text(digest));
            // The row is found by its claim: that goes last.
            set.push_str(", claim = NULL");
        }
        self.update(&set, &fence(name, &run.owner, epoch))
    }

    /// A decision as it is written, with who and when.
    fn signed(&self, decision: &str, by: Option<&str>) -> String {
        let [decision, end] = windlass_core::history::signed(decision, by).map(|part| text(&part));
        format!("CONCAT({decision}, LEFT({}, 19), {end})", self.now)
    }

    /// A person's decision. It counts as a take-over, so that a session thought dead is fenced.
    /// `None` for a decision this version does not know.
    pub(crate) fn resolve(&self, resolve: &Resolve<'_>, run: &Run) -> Option<String> {
        let now = self.now;
        let into = match &resolve.into {
            ResolveInto::Applied => format!("finished_at = {now}, error = NULL"),
            ResolveInto::RolledBack => format!("rolled_back_at = {now}, claim = NULL"),
            ResolveInto::Resumable => "owner = '', error = NULL, row_limit = NULL".to_owned(),
            ResolveInto::ResumableAfter { completed, prefix } => {
                format!("owner = '', error = NULL, completed = {completed}, prefix = {}", text(prefix))
            }
            ResolveInto::Accepted { name, checksums } => {
                let name = text(name);
                format!(
                    "name = {name}, claim = IF(claim IS NULL, NULL, {name}), checksum = {}, token_checksum = {}",
                    text(&checksums.raw),
                    text(&checksums.tokens)
                )
            }
            _ => return None,
        };
        let set = format!(
            "{into}, {}, resolution = {}, digest = {}, epoch = epoch + 1",
            Note::unwatched(None).assignments(),
            self.signed(&resolve.resolution, Some(&run.applied_by)),
            text(&resolve.digest)
        );
        let as_read = format!(
            "id = {} AND owner = {} AND epoch = {}",
            resolve.id,
            text(&resolve.from_owner),
            resolve.from_epoch
        );
        Some(self.update(&set, &as_read))
    }

    /// The newest row holds the digest that a fast look compares.
    pub(crate) fn refresh_newest(&self, resolve: &Resolve<'_>) -> String {
        self.update(&format!("digest = {}", text(&resolve.digest)), &format!("id = {}", resolve.newest))
    }

    fn insert(&self, rows: impl Iterator<Item = String>) -> String {
        format!(
            "INSERT INTO {} (format, kind, name, checksum, token_checksum, claim, owner, session, epoch, \
             statements, completed, in_flight, watched, looked, started_at, applied_by, tool, writes, rolled_back_at, error, digest) \
             VALUES {}",
            self.qualified,
            rows.collect::<Vec<_>>().join(", ")
        )
    }

    fn row(&self, writer: Writer<'_>, claim: &Claim<'_>, note: &Note, held: &str, end: &str) -> String {
        format!(
            "({FORMAT}, {}, {}, {}, {}, {held}, {}, {}, 1, {}, 0, {}, {}, {}, {}, 0, {end})",
            text(claim.kind.as_str()),
            text(claim.name),
            text(&claim.checksums.raw),
            text(&claim.checksums.tokens),
            text(&writer.run.owner),
            text(writer.session),
            claim.statements,
            note.values(),
            self.now,
            short(&writer.run.applied_by, 255),
            short(&writer.run.tool, 64),
        )
    }

    /// `writes` makes every update change its row: a row that matched is then a row that counts.
    fn update(&self, set: &str, condition: &str) -> String {
        format!("UPDATE {} SET writes = writes + 1, {set} WHERE {condition}", self.qualified)
    }
}

/// Raises error 1242 unless the statement before it changed one row.
///
/// `DO` would not: MariaDB makes its errors warnings.
pub(crate) const GUARD: &str = "SET @_windlass_fence = IF(ROW_COUNT() = 1, 1, (SELECT 1 UNION SELECT 2))";

/// Keeps how many rows the statement right before it touched, before anything else is sent.
///
/// A server whose client dies while it answers goes on with the message, but has forgotten the number (-1): the
/// rows would be committed and not counted. Error 1242 ends the message then, and the transaction with it.
pub(crate) const KEEP_COUNT: &str =
    "SET @_windlass_rows = IF(ROW_COUNT() >= 0, ROW_COUNT(), (SELECT 1 UNION SELECT 2))";

/// What is counted belongs to the statement behind the completed ones. Assignments are done from left to right.
fn comes_to(completed: u32) -> String {
    format!(
        "touched = IF(completed = {completed}, touched, 0), row_limit = IF(completed = {completed}, row_limit, NULL), \
         completed = {completed}"
    )
}

fn fence(name: &str, owner: &str, epoch: u32) -> String {
    format!("claim = {} AND owner = {} AND epoch = {epoch}", text(name), text(owner))
}

fn duration(now: &str) -> String {
    format!("duration_ms = GREATEST(0, TIMESTAMPDIFF(MICROSECOND, started_at, {now})) DIV 1000")
}

/// Byte by byte and without padding, so that names that differ in a space at their end are two names.
///
/// Servers older than these collations have none without padding that compares bytes.
fn collation(product: Product, version: &str) -> &'static str {
    match product {
        Product::MariaDb if numbers(version) >= (10, 2, 2) => "utf8mb4_nopad_bin",
        Product::MySql if numbers(version) >= (8, 0, 17) => "utf8mb4_0900_bin",
        _ => "utf8mb4_bin",
    }
}

/// A quoted name.
pub(crate) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal: in hexadecimal where quotes, backslashes or letters beyond ASCII could be read in two ways.
pub(crate) fn text(value: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\');
    if value.bytes().all(plain) {
        return format!("'{value}'");
    }
    format!("_utf8mb4 x'{}'", hexadecimal(value.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The bytes that [`hexadecimal`] wrote down, or the server did.
pub(crate) fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|value| value as u8);
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(&pair[0])? << 4 | digit(pair.get(1)?)?)).collect()
}

fn short(value: &str, characters: usize) -> String {
    text(&value.chars().take(characters).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_means_the_same_under_any_sql_mode() {
        assert_eq!(text("20240102_add_email"), "'20240102_add_email'");
        assert_eq!(text(""), "''");
        assert_eq!(text("it's"), "_utf8mb4 x'69742773'");
        assert_eq!(text("a\\"), "_utf8mb4 x'615c'");
        assert_eq!(text("é"), "_utf8mb4 x'c3a9'");
    }

    #[test]
    fn bytes_are_read_as_they_were_written() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&hexadecimal(&all)), Some(all.clone()));
        assert_eq!(bytes(&hexadecimal(&all).to_uppercase()), Some(all));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("zz"), None);
    }

    #[test]
    fn names_are_quoted() {
        let table = Table::new("sh`op", "h'is\"");
        assert_eq!(table.newest_format(), "SELECT MAX(format) FROM `sh``op`.`h'is\"`");
        for (product, head) in [
            (Product::MySql, "SELECT /*+ SET_VAR(sql_big_selects = 1) */"),
            (Product::MariaDb, "SET STATEMENT sql_big_selects = 1 FOR SELECT"),
        ] {
            let newest = format!("{head} format, digest FROM `sh``op`.`h'is\"` ORDER BY id DESC LIMIT 1");
            assert_eq!(table.head(product), newest);
        }
    }
}
