//! What SQLite allows, as plain data.

use windlass_core::driver::{Capabilities, Ddl, Grouping, Product, Sessions};
use windlass_core::sql::Dialect;

/// Nothing in SQLite runs out in a long transaction; the bound only keeps the journal of one commit small.
const STATEMENTS_IN_A_GROUP: usize = 100_000;

pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        product: Product::Sqlite,
        version: rusqlite::version().to_owned(),
        dialect: Dialect::Sqlite,
        ddl: Ddl::Transactional,
        grouping: Grouping::UpTo(STATEMENTS_IN_A_GROUP),
        sessions: Sessions::Own,
    }
}
