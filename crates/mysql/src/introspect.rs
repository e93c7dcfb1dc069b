//! Introspection: what the database holds, in one message of a query a catalog, and as it was kept.

mod catalog;
mod cells;
mod model;
mod rights;

use crate::MySql;
use crate::dialect::numbers;
use crate::errors::IN_TRANSACTION;
use crate::inspect::NO_SUCH_TABLE;
use crate::look::Eyes;
use crate::transport::{Broken, Row, TransportError};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use model::{Place, Reading};
use std::io::Write as _;
use windlass_core::driver::{Cause, DatabaseError, DriverError, Product};
use windlass_core::schema::{INTROSPECTION, Kept, Look, Schema, WITH_GRANTS};

/// How often a schema is looked at again that others may be changing.
const LOOKS: usize = 4;

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
        self.introspect(grants).await.map_err(|unread| match unread {
            Unread::Unseen(why) => DriverError::Schema(why),
            Unread::Lost(error) => error,
        })
    }

    /// Whether the schema is as it was kept last. The catalogs are read one after the other, so that what others change
    /// meanwhile is seen in one of them and not in another: a difference is told once it was seen twice.
    pub(crate) async fn look(&mut self, grants: bool) -> Result<Look, DriverError> {
        let mut seen = self.look_once(grants).await?;
        for _ in 0..LOOKS {
            if !matches!(seen, Look::Differs { .. }) {
                return Ok(seen);
            }
            let again = self.look_once(grants).await?;
            if again == seen {
                return Ok(seen);
            }
            seen = again;
        }
        Ok(match seen {
            Look::Differs { .. } => Look::Unknown("others change the schema while it is read".to_owned()),
            seen => seen,
        })
    }

    /// One round trip, one more where there are sequences, and one for grants.
    async fn look_once(&mut self, grants: bool) -> Result<Look, DriverError> {
        let mut message = vec![self.table.select_kept()];
        message.extend(self.catalogs());
        let sets = match self.read(&message.join(";\n")).await {
            Ok(sets) => sets,
            Err(Broken { error: TransportError::Server { code: NO_SUCH_TABLE, .. }, sets, .. })
                if sets.is_empty() =>
            {
                return Ok(Look::NeverKept);
            }
            Err(broken) => return unknown(broken.error.into()),
        };
        let Some(kept) = sets.first().and_then(|rows| rows.first()) else { return Ok(Look::NeverKept) };
        let mut live = match self.schema_of(&sets[1..], grants).await {
            Ok(live) => live,
            Err(unread) => return unknown(unread),
        };
        let value = |index: usize| kept.get(index).and_then(Option::as_deref).unwrap_or_default();
        let Some(text) = kept.get(4).and_then(Option::as_deref) else {
            return Ok(Look::Unknown("the server does not give back the schema that was kept".to_owned()));
        };
        let mut schema = match Schema::parse(text) {
            Ok(schema) => schema,
            Err(error) => return Ok(Look::Unknown(error.to_string())),
        };
        let unseen = rights::level(&mut schema, &mut live);
        let is_alike = schema.has_grants() == live.has_grants();
        if is_alike && schema.objects == live.objects {
            return Ok(unseen.map_or(Look::Same, Look::Unknown));
        }
        let kept = Kept {
            id: value(0).parse().unwrap_or_default(),
            migration: value(1).to_owned(),
            at: value(2).to_owned(),
            accepted: kept.get(3).cloned().flatten(),
            schema,
        };
        Ok(Look::Differs { kept: Box::new(kept), live, unseen })
    }

    /// Writes the schema down with the newest row of the history, in place of what was kept before. Where it cannot be
    /// read or written, what was kept before stays, unless a person asked for it.
    pub(crate) async fn keep_schema(
        &mut self,
        packet: usize,
        accepted: Option<&str>,
        grants: bool,
    ) -> Result<(), Cause> {
        let kept = match self.introspect(grants).await {
            Ok(schema) => self.write_schema(&schema, packet, accepted).await,
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
        schema: &Schema,
        packet: usize,
        accepted: Option<&str>,
    ) -> Result<(), Unread> {
        let write = self.table.keep_schema(&compressed(&schema.to_text()), accepted);
        if write.len() >= packet {
            let bytes = write.len();
            let words = format!("the schema takes {bytes} bytes to write down; the server takes {packet}");
            return Err(Unread::Unseen(words));
        }
        self.transport.query(&write).await.map(drop).map_err(|broken| broken.error.into())
    }

    async fn introspect(&mut self, grants: bool) -> Result<Schema, Unread> {
        let message = self.catalogs().join(";\n");
        let sets = self.read(&message).await.map_err(|broken| broken.error)?;
        self.schema_of(&sets, grants).await
    }

    fn catalogs(&self) -> Vec<String> {
        let (product, database) = (self.capabilities.product, &self.database);
        let catalogs = catalog::catalogs(product, &self.capabilities.version);
        let queries = catalogs.into_iter().map(|catalog| catalog.query(product, database));
        std::iter::once("SHOW GRANTS".to_owned()).chain(queries).collect()
    }

    async fn schema_of(&mut self, sets: &[Vec<Row>], grants: bool) -> Result<Schema, Unread> {
        let (product, version) = (self.capabilities.product, &self.capabilities.version);
        let (database, history) = (self.database.clone(), self.history_table.clone());
        let is_mariadb = product == Product::MariaDb;
        let place = Place { database: &database, history: &history, is_mariadb };
        let (own, sets) = sets.split_first().unwrap_or((const { &Vec::new() }, &[]));
        let mut unseen = rights::unseen(own, &database).map_err(Unread::Unseen)?;
        let sees_grants = rights::sees_grants(own);
        unseen.extend((grants && !sees_grants).then_some(rights::GRANTS));
        let who = format!("{}{}", origin(product, version), if grants { WITH_GRANTS } else { "" });
        let mut reading = Reading::new(place, rights::origin(&who, &unseen));
        for (catalog, rows) in catalog::catalogs(product, version).into_iter().zip(sets) {
            reading.read(catalog, rows).map_err(Unread::Unseen)?;
        }
        if !reading.sequences.is_empty() {
            let query = model::sequences(&database, &reading.sequences);
            let sets = self.read(&query).await.map_err(|broken| broken.error)?;
            sets.iter().flatten().for_each(|row| reading.sequence(row));
        }
        if grants && sees_grants {
            let query = model::grants(product, &database);
            let sets = self.read(&query).await.map_err(|broken| broken.error)?;
            reading.grants(sets.iter().flatten());
        }
        Ok(reading.schema.guarded())
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

fn unknown(unread: Unread) -> Result<Look, DriverError> {
    match unread {
        Unread::Unseen(why) => Ok(Look::Unknown(why)),
        Unread::Lost(error) => Err(error),
    }
}

fn origin(product: Product, version: &str) -> String {
    let (major, minor, _) = numbers(version);
    format!("{INTROSPECTION} {product} {major}.{minor}")
}
