//! What is known of other tools and of servers: facts, as data.

use super::Circumstance;
use crate::driver::Product;

/// Tables in which other tools keep what they have applied, and whose they are.
pub(super) const HISTORIES: &[(&str, &str)] = &[
    ("_sqlx_migrations", "sqlx"),
    ("refinery_schema_history", "refinery"),
    ("__diesel_schema_migrations", "diesel"),
    ("_prisma_migrations", "Prisma"),
    ("flyway_schema_history", "Flyway"),
    ("schema_version", "Flyway"),
    ("databasechangelog", "Liquibase"),
    ("schema_migrations", "dbmate, golang-migrate or Rails"),
    ("goose_db_version", "goose"),
    ("gorp_migrations", "sql-migrate"),
    ("atlas_schema_revisions", "Atlas"),
    ("seaql_migrations", "SeaORM"),
    ("alembic_version", "Alembic"),
    ("django_migrations", "Django"),
    ("knex_migrations", "Knex"),
    ("SequelizeMeta", "Sequelize"),
    ("__drizzle_migrations", "Drizzle"),
    ("__EFMigrationsHistory", "Entity Framework"),
    ("phinxlog", "Phinx"),
    ("doctrine_migration_versions", "Doctrine"),
    ("pgmigrations", "node-pg-migrate"),
];

/// What is known against a version.
pub(super) struct Trouble {
    product: Product,
    /// The versions from the first on and before the second, for each line of releases.
    versions: &'static [(&'static str, &'static str)],
    /// Where it matters only then.
    with: Option<Circumstance>,
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) next: &'static str,
}

const TROUBLES: &[Trouble] = &[
    // PostgreSQL 14.4 release notes.
    Trouble {
        product: Product::PostgreSql,
        versions: &[("14", "14.4")],
        with: None,
        what: "builds indexes CONCURRENTLY that may miss rows",
        why: "a query by such an index does not find them, and a unique one lets doubles in",
        next: "update to 14.4 or later, and build again what was built so: `REINDEX INDEX CONCURRENTLY NAME`",
    },
    // Percona XtraBackup 8.0 documentation; MySQL 8.0.30 release notes.
    Trouble {
        product: Product::MySql,
        versions: &[("8.0.29", "8.0.30")],
        with: None,
        what: "may corrupt tables whose columns were added or dropped with ALGORITHM=INSTANT, which is the default",
        why: "a crash after such an ALTER TABLE can cost the table",
        next: "update before you deploy",
    },
    // MySQL 8.0 reference manual, Atomic Data Definition Statement Support.
    Trouble {
        product: Product::MySql,
        versions: &[("0", "8.0")],
        with: None,
        what: "has no atomic DDL",
        why: "a crash within an ALTER TABLE can leave half of it, which no later deploy can tell",
        next: "update to 8.0 or later, or have a backup at hand when you deploy",
    },
    // MariaDB documentation, Atomic DDL.
    Trouble {
        product: Product::MariaDb,
        versions: &[("0", "10.6")],
        with: None,
        what: "has no crash-safe DDL",
        why: "a crash within an ALTER TABLE can leave half of it, which no later deploy can tell",
        next: "update to 10.6 or later, or have a backup at hand when you deploy",
    },
    // sqlite.org/wal.html, the WAL-reset bug.
    Trouble {
        product: Product::Sqlite,
        versions: &[("3.7", "3.44.6"), ("3.45", "3.50.7"), ("3.51", "3.51.3")],
        with: Some(Circumstance::WriteAheadLog),
        what: "may corrupt a file with a write-ahead log when two connections write and checkpoint at one moment",
        why: "it is rare, and costs the file",
        next: "build with SQLite 3.51.3 or later",
    },
];

/// What is known against this version, in these circumstances.
pub(super) fn troubles<'a>(
    product: Product,
    version: &'a str,
    circumstances: &'a [Circumstance],
) -> impl Iterator<Item = &'static Trouble> + 'a {
    let number = numbers(version);
    TROUBLES.iter().filter(move |trouble| {
        trouble.product == product
            && trouble.with.is_none_or(|with| circumstances.contains(&with))
            && trouble.versions.iter().any(|(first, end)| (numbers(first)..numbers(end)).contains(&number))
    })
}

/// `14.3 (Debian 14.3-1)` is 14, 3.
fn numbers(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(product: Product, version: &str, circumstances: &[Circumstance]) -> usize {
        troubles(product, version, circumstances).count()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, troubles) in
            [("14.3 (Debian 14.3-1)", 1), ("14", 1), ("14.4", 0), ("14.10", 0), ("18.4", 0), ("9.6", 0)]
        {
            assert_eq!(told(Product::PostgreSql, version, &[]), troubles, "{version}");
        }
        for (version, troubles) in
            [("5.7.44-log", 1), ("8.0.28", 0), ("8.0.29", 1), ("8.0.30", 0), ("9.7.4", 0)]
        {
            assert_eq!(told(Product::MySql, version, &[]), troubles, "{version}");
        }
        assert_eq!(told(Product::MariaDb, "10.5.29-MariaDB", &[]), 1);
        assert_eq!(told(Product::MariaDb, "10.11.14-MariaDB", &[]), 0);
    }

    #[test]
    fn some_matter_only_in_their_circumstances() {
        let log = [Circumstance::WriteAheadLog];
        for (version, troubles) in
            [("3.51.2", 1), ("3.51.3", 0), ("3.50.7", 0), ("3.50.6", 1), ("3.44.6", 0), ("3.53.2", 0)]
        {
            assert_eq!(told(Product::Sqlite, version, &log), troubles, "{version}");
            assert_eq!(told(Product::Sqlite, version, &[]), 0, "{version}");
        }
    }
}
