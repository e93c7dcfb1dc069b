//! Rendering: the schema that a database gets from the statements that windlass writes of another's.

use crate::{Database, Target};
use windlass_core::schema::{DdlError, Schema};

/// Why there is none.
#[derive(Debug)]
pub enum Unrendered {
    /// It cannot be written as statements.
    Unwritable(DdlError),
    /// The database refuses one of them.
    Refused(String),
}

/// Runs the statements on an empty database of the target, and reads what they made.
///
/// # Errors
/// Where it cannot be written, or a statement is refused.
///
/// # Panics
/// When the schema cannot be read.
pub async fn rendered(schema: &Schema, target: &Target) -> Result<Schema, Unrendered> {
    let made = schema.ddl().map_err(Unrendered::Unwritable)?;
    let database = Database::create(target).await;
    let mut session = database.session().await;
    for made in &made {
        if let Err(error) = session.execute(&made.sql).await {
            database.drop().await;
            return Err(Unrendered::Refused(format!("{}: {}: {error}", made.key, made.sql)));
        }
    }
    let grants = schema.has_grants();
    let read = database.connect().await.read_schema(grants).await.expect("a schema");
    database.drop().await;
    Ok(read)
}
