//! Introspection: what the database holds, in one message of a query a catalog, and as it was kept.

mod catalog;
mod cells;
mod model;
mod rights;
mod written;

use crate::MySql;
use crate::dialect::numbers;
use crate::errors::IN_TRANSACTION;
use crate::history::bytes;
use crate::inspect::NO_SUCH_TABLE;
use crate::look::Eyes;
use crate::transport::{Broken, Row, TransportError};
use catalog::{Catalog, Of, PARTITIONS, Part};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use model::{Place, Reading};
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use windlass_core::driver::{Cause, DatabaseError, DriverError, Product};
use windlass_core::schema::{
    Difference, Fingerprint, Fingerprints, GRANT, INTROSPECTION, Kept, Key, Look, Schema, WITH_GRANTS,
    differences, fingerprint,
};
use written::Asked;

/// How often a schema is looked at again that others may be changing.
const LOOKS: usize = 4;

/// Of how many tables at most what differs is looked at again alone.
const FEW: usize = 8;

/// Why the schema is not known.
enum Unread {
    /// Something of it cannot be seen, in words.
    Unseen(String),
    Lost(DriverError),
}

impl From<TransportError> for Unread {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Server { code: IN_TRANSACTION, .. } => Self::Lost(error.into()),
            TransportError::Server { message, .. } => {
                Self::Unseen(format!("the catalogs cannot be read: {message}"))
            }
            error => Self::Lost(error.into()),
        }
    }
}

impl MySql<'_> {
    /// Servers on which a statement may be done in part are too old for some of the catalogs, too.
    pub(crate) fn reads_schema(&self) -> bool {
        Eyes::of(self.capabilities.product, &self.capabilities.version, &self.database).is_some()
    }

    /// The schema as it is.
    pub(crate) async fn schema(&mut self, grants: bool) -> Result<Schema, DriverError> {
        let said = self.look_around(grants).await.map_err(|unread| match unread {
            Unread::Unseen(why) => DriverError::Schema(why),
            Unread::Lost(error) => error,
        })?;
        said.schema().map_err(DriverError::Schema)
    }

    /// Whether the schema is as it was kept last. The catalogs are read one after the other, so that what others change
    /// meanwhile is seen in one of them and not in another: a difference is told once it was seen twice, where it is in few tables
    /// by a look at those alone.
    pub(crate) async fn look(&mut self, grants: bool) -> Result<Look, DriverError> {
        let mut answer = self.kept_and_live(grants, None).await;
        let mut before: Option<(Found, Fingerprints, Look)> = None;
        for _ in 0..=LOOKS {
            let (found, said) = match answer {
                Ok(Some(answer)) => answer,
                Ok(None) => return Ok(Look::NeverKept),
                Err(Unread::Unseen(why)) => return Ok(Look::Unknown(why)),
                Err(Unread::Lost(error)) => return Err(error),
            };
            let Some(kept) = found.snapshot() else { return Ok(Look::Unknown(NOT_GIVEN_BACK.to_owned())) };
            let now = said.fingerprints();
            if fingerprint(&head(&kept)) == Some(now.whole()) && !found.is_stale() {
                return Ok(Look::Same);
            }
            let earlier = match before.take() {
                Some((earlier, then, seen)) if earlier == found && then == now => return Ok(seen),
                earlier => earlier.map(|(.., seen)| seen),
            };
            let seen = compare(&found, &kept, &said, &now);
            let Look::Differs { kept, live, .. } = &seen else { return Ok(seen) };
            if earlier.as_ref() == Some(&seen) {
                return Ok(seen);
            }
            let only = Only::of(&differences(&kept.schema, live));
            if (1..=FEW).contains(&only.tables.len())
                && let Ok(Some((again, later))) = self.kept_and_live(grants, Some(&only)).await
                && again == found
                && said.is_borne_out(&later, &only)
            {
                return Ok(seen);
            }
            answer = self.kept_and_live(grants, None).await;
            before = Some((found, now, seen));
        }
        Ok(Look::Unknown("others change the schema while it is read".to_owned()))
    }

    /// What was kept and what is there, all of it or this: one round trip, one more where there are sequences or partitions, and one for grants. Nothing
    /// where nothing was kept.
    async fn kept_and_live(
        &mut self,
        grants: bool,
        only: Option<&Only>,
    ) -> Result<Option<(Found, Said)>, Unread> {
        let mut message = vec![self.table.select_kept()];
        message.extend(self.catalogs(only));
        let mut sets = match self.read(&message.join(";\n")).await {
            Ok(sets) => sets,
            Err(Broken { error: TransportError::Server { code: NO_SUCH_TABLE, .. }, sets, .. })
                if sets.is_empty() =>
            {
                return Ok(None);
            }
            Err(broken) => return Err(broken.error.into()),
        };
        let catalogs = sets.split_off(1.min(sets.len()));
        match sets.pop().and_then(|mut rows| rows.pop()) {
            None => Ok(None),
            Some(row) => Ok(Some((Found(row), self.said(catalogs, grants, only).await?))),
        }
    }

    /// Writes the schema down with the newest row of the history, in place of what was kept before. Where it cannot be
    /// read or written, what was kept before stays, unless a person asked for it.
    pub(crate) async fn keep_schema(
        &mut self,
        packet: usize,
        accepted: Option<&str>,
        grants: bool,
    ) -> Result<(), Cause> {
        let kept = match self.look_around(grants).await {
            Ok(said) => self.write_schema(&said, packet, accepted).await,
            Err(unread) => Err(unread),
        };
        match (kept, accepted) {
            (Ok(()), _) | (Err(Unread::Unseen(_)), None) => Ok(()),
            (Err(Unread::Unseen(message)), Some(_)) => {
                Err(Cause::Refused(DatabaseError { message, ..DatabaseError::default() }))
            }
            (Err(Unread::Lost(error)), _) => Err(error.into()),
        }
    }

    async fn write_schema(
        &mut self,
        said: &Said,
        packet: usize,
        accepted: Option<&str>,
    ) -> Result<(), Unread> {
        let text = said.schema().map_err(Unread::Unseen)?.to_text_with(&said.fingerprints());
        let write = self.table.keep_schema(&compressed(&text), accepted);
        if write.len() >= packet {
            let bytes = write.len();
            let words = format!(
                "the schema takes {bytes} bytes to write down, and the server takes {packet} at once: give it a larger \
                 max_allowed_packet"
            );
            return Err(Unread::Unseen(words));
        }
        self.transport.query(&write).await.map(drop).map_err(|broken| broken.error.into())
    }

    async fn look_around(&mut self, grants: bool) -> Result<Said, Unread> {
        let message = self.catalogs(None).join(";\n");
        let sets = self.read(&message).await.map_err(|broken| broken.error)?;
        self.said(sets, grants, None).await
    }

    fn catalogs(&self, only: Option<&Only>) -> Vec<String> {
        let (product, database) = (self.capabilities.product, &self.database);
        let catalogs = catalog::catalogs(product, &self.capabilities.version);
        let catalogs = catalogs.into_iter().filter(|catalog| only.is_none_or(|only| only.asks(catalog.part)));
        let tables = only.map(|only| &only.tables);
        let queries = catalogs.map(|catalog| catalog.query(product, database, tables));
        std::iter::once("SHOW GRANTS".to_owned()).chain(queries).collect()
    }

    /// What is said of the schema: the answers to [`Self::catalogs`], and what is asked for besides.
    async fn said(
        &mut self,
        mut sets: Vec<Vec<Row>>,
        grants: bool,
        only: Option<&Only>,
    ) -> Result<Said, Unread> {
        let (product, version) = (self.capabilities.product, &self.capabilities.version);
        let catalogs = catalog::catalogs(product, version);
        let catalogs = catalogs.into_iter().filter(|catalog| only.is_none_or(|only| only.asks(catalog.part)));
        let who = format!("{}{}", origin(product, version), if grants { WITH_GRANTS } else { "" });
        let answers = sets.split_off(1.min(sets.len()));
        let own = sets.pop().unwrap_or_default();
        let mut unseen = rights::unseen(&own, &self.database).map_err(Unread::Unseen)?;
        let sees_grants = rights::sees_grants(&own);
        unseen.extend((grants && !sees_grants).then_some(rights::GRANTS));
        let mut said = Said {
            origin: rights::origin(&who, &unseen),
            database: self.database.clone(),
            history: self.history_table.clone(),
            is_mariadb: product == Product::MariaDb,
            catalogs: catalogs.zip(answers).collect(),
            sequences: Vec::new(),
            written: Vec::new(),
            grants: Vec::new(),
        };
        let (are_partitioned, sequences) = (said.tells_of_partitions(), said.names_of_sequences());
        let mut queries = Vec::new();
        queries.extend(
            are_partitioned.then(|| PARTITIONS.query(product, &said.database, only.map(|only| &only.tables))),
        );
        queries.extend((!sequences.is_empty()).then(|| model::sequences(&said.database, &sequences)));
        if !queries.is_empty() {
            let mut sets = self.read(&queries.join(";\n")).await.map_err(|broken| broken.error)?.into_iter();
            said.catalogs.extend(are_partitioned.then(|| (&PARTITIONS, sets.next().unwrap_or_default())));
            said.sequences = sets.flatten().collect();
        }
        let asked = said.asked();
        if !asked.is_empty() {
            said.written = self.written(asked).await?;
        }
        if grants && sees_grants {
            let query = model::grants(product, &said.database);
            let sets = self.read(&query).await.map_err(|broken| broken.error)?;
            said.grants = sets.into_iter().flatten().collect();
        }
        Ok(said)
    }

    /// The texts that are asked for, as they were written.
    async fn written(&mut self, asked: Vec<Asked>) -> Result<Vec<Row>, Unread> {
        let query = written::query(&self.database, &asked);
        match self.read(&query).await {
            Ok(sets) => Ok(written::rows(asked, sets.into_iter().flatten())),
            Err(broken) => {
                // A message stops at its first error.
                if matches!(broken.error, TransportError::Server { .. }) && broken.completed > 0 {
                    let _ = self.transport.query(written::RESTORED).await;
                }
                Err(broken.error.into())
            }
        }
    }
}

/// What the server said of the schema, from which all else follows.
struct Said {
    /// Who looked, and what they do not see.
    origin: String,
    database: String,
    history: String,
    is_mariadb: bool,
    catalogs: Vec<(&'static Catalog, Vec<Row>)>,
    sequences: Vec<Row>,
    written: Vec<Row>,
    grants: Vec<Row>,
}

impl Said {
    fn place(&self) -> Place<'_> {
        Place { database: &self.database, history: &self.history, is_mariadb: self.is_mariadb }
    }

    /// The answers of one query.
    fn told_of(&self, part: Part) -> impl Iterator<Item = &(&'static Catalog, Vec<Row>)> {
        self.catalogs.iter().filter(move |(catalog, _)| catalog.part == part)
    }

    fn names_of_sequences(&self) -> Vec<String> {
        let tables = self.told_of(Part::Tables);
        tables.flat_map(|(catalog, rows)| self.place().sequences(catalog, rows)).collect()
    }

    fn tells_of_partitions(&self) -> bool {
        self.is_mariadb
            && self.told_of(Part::Tables).any(|(catalog, rows)| model::are_partitioned(catalog, rows))
    }

    fn asked(&self) -> Vec<Asked> {
        let catalogs = self.catalogs.iter();
        catalogs.flat_map(|(catalog, rows)| written::asked(catalog, rows, self.is_mariadb)).collect()
    }

    /// All answers, and what their rows are of.
    fn answers(&self) -> impl Iterator<Item = (Of, &Vec<Row>)> {
        let catalogs = self.catalogs.iter().map(|(catalog, rows)| (catalog.of(), rows));
        let others =
            [(OF_SEQUENCES, &self.sequences), (OF_WRITTEN, &self.written), (OF_GRANTS, &self.grants)];
        catalogs.chain(others)
    }

    fn fingerprints(&self) -> Fingerprints {
        let mut begun = Fingerprint::new(&self.origin);
        begun.add([Some(&*self.database), Some(&*self.history)]);
        let mut parts: HashMap<&str, Vec<(usize, &Row)>> = HashMap::new();
        for (at, (of, rows)) in self.answers().enumerate() {
            // Most servers give those of one together.
            for rows in rows.chunk_by(|one, next| of.part(one) == of.part(next)) {
                parts.entry(of.part(&rows[0])).or_default().extend(rows.iter().map(|row| (at, row)));
            }
        }
        let parts = parts.into_iter().map(|(part, mut rows)| {
            // The order of what comes without one is the server's whim.
            rows.sort_unstable();
            let mut digest = begun.clone();
            for answer in rows.chunk_by(|(one, _), (next, _)| one == next) {
                // Where a row ends follows from how many there are: all of a query have as many values.
                digest.add([Some(&*answer[0].0.to_string()), Some(&*answer.len().to_string())]);
                answer.iter().for_each(|(_, row)| digest.add(row.iter().map(Option::as_deref)));
            }
            (part, digest)
        });
        Fingerprints::new(&begun, parts)
    }

    /// Whether a later look at this alone found the same.
    fn is_borne_out(&self, later: &Said, only: &Only) -> bool {
        let are_there = |rows: &[Row], among: &[Row]| rows.iter().all(|row| among.contains(row));
        self.origin == later.origin
            && self.grants == later.grants
            && are_there(&later.sequences, &self.sequences)
            && are_there(&later.written, &self.written)
            && self.catalogs.iter().filter(|(catalog, _)| only.asks(catalog.part)).all(|(catalog, rows)| {
                let is_among = |row: &&Row| {
                    let table = row.first().and_then(Option::as_deref);
                    catalog.table().is_none() || table.is_some_and(|table| only.tables.contains(table))
                };
                let sorted = |rows: &[Row]| {
                    let mut rows: Vec<Row> = rows.iter().filter(is_among).cloned().collect();
                    rows.sort_unstable();
                    rows
                };
                let again: Vec<Row> =
                    later.told_of(catalog.part).flat_map(|(_, rows)| sorted(rows)).collect();
                sorted(rows) == again
            })
    }

    /// # Errors
    /// Says what is there and cannot be seen.
    fn schema(&self) -> Result<Schema, String> {
        self.schema_of(None)
    }

    /// All parts of it, or these.
    ///
    /// # Errors
    /// Says what is there and cannot be seen.
    fn schema_of(&self, only: Option<&BTreeSet<String>>) -> Result<Schema, String> {
        self.schema_with(&self.written, only)
    }

    /// As the first version of the introspection told it.
    ///
    /// # Errors
    /// Says what is there and cannot be seen.
    fn schema_as_told_first(&self) -> Result<Schema, String> {
        let mut schema = self.schema_with(&[], None)?;
        as_told_first(&mut schema);
        Ok(schema)
    }

    fn schema_with(&self, written: &[Row], only: Option<&BTreeSet<String>>) -> Result<Schema, String> {
        let mut reading = Reading::new(self.place(), self.origin.clone());
        let among = |of: Of, row: &&Row| only.is_none_or(|parts| parts.contains(of.part(row)));
        for (catalog, rows) in &self.catalogs {
            reading.read(catalog, rows.iter().filter(|row| among(catalog.of(), row)))?;
        }
        self.sequences.iter().filter(|row| among(OF_SEQUENCES, row)).for_each(|row| reading.sequence(row));
        written.iter().filter(|row| among(OF_WRITTEN, row)).for_each(|row| reading.written(row));
        reading.grants(self.grants.iter().filter(|row| among(OF_GRANTS, row)));
        Ok(reading.end().guarded())
    }
}

const OF_SEQUENCES: Of = Of(&[0]);
const OF_WRITTEN: Of = Of(&[1, 2]);
const OF_GRANTS: Of = Of(&[1, 0]);

/// Kinds of what is a table or part of one, of the database's defaults and of what may be done with them.
const OF_TABLES: [&str; 14] = [
    "check",
    "column",
    "database",
    "foreign key",
    GRANT,
    "index",
    "partition",
    "primary key",
    "sequence",
    "subpartition",
    "table",
    "trigger",
    "unique",
    "view",
];

/// What is looked at again alone.
struct Only {
    tables: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Only {
    /// The tables in which two schemas differ, and the kinds of what does.
    fn of(differences: &[Difference]) -> Self {
        let keys = || differences.iter().map(|difference| &difference.key);
        let table = |key: &Key| if key.table.is_empty() { key.name.clone() } else { key.table.clone() };
        Self { tables: keys().map(table).collect(), kinds: keys().map(|key| key.kind.clone()).collect() }
    }

    /// Whether it is asked for these rows. One statement may change all that a table has, and is to be seen whole.
    fn asks(&self, part: Part) -> bool {
        match part {
            Part::Database => self.kinds.contains("database"),
            Part::Parameters | Part::Routines | Part::Events | Part::Libraries => {
                self.kinds.iter().any(|kind| !OF_TABLES.contains(&&**kind))
            }
            _ => true,
        }
    }
}

/// The row of what was kept.
#[derive(PartialEq, Eq)]
struct Found(Row);

impl Found {
    fn value(&self, index: usize) -> Option<&str> {
        self.0.get(index)?.as_deref()
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        bytes(self.value(4)?)
    }

    /// Whether migrations were applied since.
    fn is_stale(&self) -> bool {
        self.value(5) == Some("1")
    }
}

/// A result that does not go into a packet is none.
const NOT_GIVEN_BACK: &str = "the server does not give back the schema that was kept: its max_allowed_packet is smaller \
                              than it was then, give it a larger one";

/// What was kept, and what is there.
fn compare(found: &Found, kept: &[u8], said: &Said, now: &Fingerprints) -> Look {
    let text = match uncompressed(kept) {
        Ok(text) => text,
        Err(error) => return Look::Unknown(format!("the schema that was kept cannot be unpacked: {error}")),
    };
    let parts = now.unlike(&text, &said.origin);
    let mut schema = match Schema::parse_parts(&text, parts.as_ref()) {
        Ok(schema) => schema,
        Err(error) => return Look::Unknown(error.to_string()),
    };
    let live = match schema.origin.starts_with("1 ") {
        true => said.schema_as_told_first(),
        false => said.schema_of(parts.as_ref()),
    };
    let mut live = match live {
        Ok(live) => live,
        Err(why) => return Look::Unknown(why),
    };
    let unseen = rights::level(&mut schema, &mut live);
    let is_alike = schema.has_grants() == live.has_grants();
    if is_alike && schema.objects == live.objects && !found.is_stale() {
        return unseen.map_or(Look::Same, Look::Unknown);
    }
    let value = |index: usize| found.value(index).unwrap_or_default();
    let kept = Kept {
        id: value(0).parse().unwrap_or_default(),
        migration: value(1).to_owned(),
        at: value(2).to_owned(),
        accepted: found.value(3).map(str::to_owned),
        schema,
    };
    Look::Differs { kept: Box::new(kept), live, unseen, only: parts }
}

/// Takes out what the first version of the introspection did not tell: that a view's columns have other names than in its
/// query, and that bytes are none by default.
fn as_told_first(schema: &mut Schema) {
    for (key, properties) in &mut schema.objects {
        let is_of_bytes = properties.get("type").is_some_and(|kind| kind.starts_with("varbinary"));
        if key.kind == "view" {
            properties.remove("columns");
        } else if is_of_bytes && properties.get("default").is_some_and(|default| default == "''") {
            properties.remove("default");
        }
    }
}

/// In the form that the server's `UNCOMPRESS` reads: the length, and a stream of zlib's. Compressed here, a schema of
/// ten thousand tables goes into the smallest packet that servers are set to.
fn compressed(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    let mut stream = ZlibEncoder::new(&mut bytes, Compression::default());
    // Nothing that is written into memory fails.
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.try_finish());
    debug_assert!(written.is_ok());
    drop(stream);
    bytes
}

/// Where the length ends that stands before a compressed text.
const LENGTH: usize = size_of::<u32>();

/// What the length stands before.
fn unpacked(bytes: &[u8]) -> ZlibDecoder<&[u8]> {
    ZlibDecoder::new(bytes.get(LENGTH..).unwrap_or_default())
}

fn uncompressed(bytes: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    unpacked(bytes).read_to_string(&mut text)?;
    Ok(text)
}

/// The first line of a compressed text, or as much of it as can be read.
fn head(bytes: &[u8]) -> String {
    let mut head = Vec::new();
    let _ = BufReader::new(unpacked(bytes)).read_until(b'\n', &mut head);
    String::from_utf8_lossy(&head).trim_end_matches('\n').to_owned()
}

fn origin(product: Product, version: &str) -> String {
    let (major, minor, _) = numbers(version);
    format!("{INTROSPECTION} {product} {major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_compressed_the_first_line_is_read_alone() {
        let text = format!("1 MySQL 9.7\tf7a0\n{}", "table\t\t\tship\n".repeat(10_000));
        let bytes = compressed(&text);
        assert_eq!(uncompressed(&bytes).unwrap(), text);
        assert_eq!(head(&bytes), "1 MySQL 9.7\tf7a0");
        assert_eq!(head(&bytes[..3]), "");
        assert!(uncompressed(&bytes[..bytes.len() / 2]).is_err());
    }
}
