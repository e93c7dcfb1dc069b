//! What the macro `migrations!` writes down is made of these. No part of the public interface.

pub use crate::migration::{EmbeddedMigration, EmbeddedScript, Migration, StandingDigest, TransactionMode};
pub use crate::source::{Layout, Migrations};
pub use crate::sql::Dialect;
