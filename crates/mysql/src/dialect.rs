//! What MySQL and MariaDB allow, as data.

use windlass_core::driver::{Capabilities, Ddl, Grouping, Product, Sessions};
use windlass_core::sql::Dialect;

/// The capabilities of a server of this version.
///
/// MariaDB has counted from 10 on since it parted from MySQL 5.5.
pub(crate) fn capabilities(version: &str) -> Capabilities {
    let (major, ..) = numbers(version);
    let product = if major >= 10 { Product::MariaDb } else { Product::MySql };
    Capabilities {
        product,
        version: version.to_owned(),
        dialect: Dialect::MySql,
        ddl: Ddl::ImplicitCommit,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    }
}

/// What the version's own words tell, once they are read.
pub(crate) fn refine(capabilities: &mut Capabilities, version: &str) {
    let maria = version.to_ascii_lowercase().contains("mariadb");
    capabilities.product = if maria { Product::MariaDb } else { Product::MySql };
    version.clone_into(&mut capabilities.version);
}

/// The first three numbers of a version.
pub(crate) fn numbers(version: &str) -> (u32, u32, u32) {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}
