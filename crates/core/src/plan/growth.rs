//! Growth: four times the statements are four times the work of a plan, and not sixteen times.

use super::{Options, plan};
use crate::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings,
};
use crate::history::History;
use crate::migration::{Migration, Script};
use crate::sql::Dialect;
use crate::sql::lexer::READ;
use std::fmt::Write;

const PRODUCTS: [(Product, Dialect, Ddl); 3] = [
    (Product::PostgreSql, Dialect::Postgres, Ddl::Transactional),
    (Product::MySql, Dialect::MySql, Ddl::ImplicitCommit),
    (Product::Sqlite, Dialect::Sqlite, Ddl::Transactional),
];

/// What one statement of a long migration may be, with its number as `@`.
const SHAPES: [&str; 7] = [
    "INSERT INTO ship VALUES (@)",
    "CREATE TABLE ship_@ (id int PRIMARY KEY)",
    "ALTER TABLE ship ADD COLUMN length_@ int",
    "ALTER TABLE ship_@ ADD COLUMN length int",
    "CREATE INDEX ship_index_@ ON ship (length)",
    "UPDATE ship SET length = @",
    "DROP TABLE ship_@",
];

fn migration(number: usize, statements: impl Iterator<Item = String>) -> Migration {
    let mut text = String::new();
    for statement in statements {
        writeln!(text, "{statement};").expect("a string takes everything");
    }
    let name = format!("{number}_m");
    Migration::new(name.clone(), Script::new(format!("{name}.sql"), text))
}

/// The tokens read for a plan of these migrations on a database that holds something.
fn work(migrations: &[Migration], (product, dialect, ddl): (Product, Dialect, Ddl)) -> usize {
    let capabilities = Capabilities {
        product,
        version: "1".to_owned(),
        dialect,
        ddl,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    };
    let inspection = Inspection {
        history: History { exists: true, attempts: Vec::new() },
        contents: Contents::Holds(vec!["x".to_owned()]),
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let options = Options { allow_non_empty: true, ..Options::default() };
    let before = READ.get();
    let outlook = plan(migrations, &inspection, &capabilities, &options).expect("a plan");
    assert!(!outlook.plan.segments.is_empty());
    READ.get() - before
}

#[track_caller]
fn check(what: &str, migrations: impl Fn(usize) -> Vec<Migration>) {
    for database in PRODUCTS {
        let (some, more) = (work(&migrations(50), database), work(&migrations(200), database));
        assert!(some > 50, "{what} on {:?}: only {some} tokens were read", database.0);
        assert!(more < some * 5, "{what} on {:?}: {some} tokens became {more}", database.0);
    }
}

#[test]
fn a_plan_grows_with_the_statements_of_a_migration() {
    for shape in SHAPES {
        let sql = |number: usize| shape.replace('@', &number.to_string());
        check(shape, |count| vec![migration(1, (0..count).map(sql))]);
    }
    let sql = |number: usize| SHAPES[number % SHAPES.len()].replace('@', &number.to_string());
    check("all shapes", |count| vec![migration(1, (0..count).map(sql))]);
}

#[test]
fn a_plan_grows_with_the_migrations() {
    for shape in SHAPES {
        let sql = |number: usize| shape.replace('@', &number.to_string());
        check(shape, |count| {
            (0..count).map(|number| migration(number, std::iter::once(sql(number)))).collect()
        });
    }
}
