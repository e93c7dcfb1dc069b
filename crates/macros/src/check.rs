//! Check: what a deploy onto an empty database would be refused for is told when the program is compiled.

use std::error::Error;
use windlass_core::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings,
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
        Err(blocked) => Err(told(&blocked)),
    }
}

/// An error and its causes on one line; a cause that is told already is told once.
pub(crate) fn told(error: &dyn Error) -> String {
    let (mut words, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let told = error.to_string();
        if !words.ends_with(&told) {
            words = format!("{words}: {told}");
        }
        cause = error.source();
    }
    words
}
