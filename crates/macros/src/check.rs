//! Check: what a deploy onto an empty database would be refused for is told when the program is compiled.

use windlass_core::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings, chain,
};
use windlass_core::history::History;
use windlass_core::plan::{Options, plan};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// Splits and classifies every script.
pub(crate) fn check(migrations: &Migrations, dialect: Dialect, strict_order: bool) -> Result<(), String> {
    let inspection = Inspection {
        history: History::default(),
        contents: Contents::Empty,
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let (product, ddl) = match dialect {
        Dialect::MySql => (Product::MySql, Ddl::ImplicitCommit),
        Dialect::Sqlite => (Product::Sqlite, Ddl::Transactional),
        _ => (Product::PostgreSql, Ddl::Transactional),
    };
    let version = "not known when the program is compiled".to_owned();
    let capabilities =
        Capabilities { product, version, dialect, ddl, grouping: Grouping::Never, sessions: Sessions::Own };
    let mut options = Options::default();
    options.strict_order = strict_order;
    match plan(migrations.as_slice(), &inspection, &capabilities, &options) {
        Ok(_) => Ok(()),
        Err(blocked) => Err(chain(&blocked)),
    }
}
