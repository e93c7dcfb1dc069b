//! Embedded migrations are the same set as the folder they were compiled from.

use std::path::{Path, PathBuf};
use windlass_core::sql::Dialect;
use windlass_sqlite::Migrations;

/// Constant data: the compiler would refuse anything that is made when the program starts.
static FIXTURES: [(&str, Migrations); 8] = [
    ("examples/migrations", windlass_sqlite::migrations!("examples/migrations")),
    (
        "../../migrations-fixtures/layouts/bytes",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/bytes"),
    ),
    (
        "../../migrations-fixtures/layouts/dbmate",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/dbmate"),
    ),
    (
        "../../migrations-fixtures/layouts/diesel",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/diesel"),
    ),
    (
        "../../migrations-fixtures/layouts/flyway",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/flyway"),
    ),
    (
        "../../migrations-fixtures/layouts/goose",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/goose"),
    ),
    (
        "../../migrations-fixtures/layouts/golang-migrate",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/golang-migrate"),
    ),
    (
        "../../migrations-fixtures/layouts/repeatable-beside-folders",
        windlass_sqlite::migrations!("../../migrations-fixtures/layouts/repeatable-beside-folders"),
    ),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn an_embedded_set_is_that_of_the_folder() {
    for (name, embedded) in &FIXTURES {
        let read = Migrations::from_dir(folder(name)).unwrap();
        assert_eq!(embedded.digest(), read.digest(), "{name}");
        assert_eq!(embedded.layout(), read.layout(), "{name}");
        assert_eq!(embedded.dir(), None, "no file is needed");
        assert_eq!(embedded.len(), read.len(), "{name}");
        for (embedded, read) in embedded.iter().zip(&read) {
            assert_eq!(embedded.name(), read.name());
            assert_eq!((embedded.kind(), embedded.mode()), (read.kind(), read.mode()));
            assert_eq!(embedded.checksums(Dialect::Sqlite), read.checksums(Dialect::Sqlite));
            // Made when it is asked for: the program was compiled for another database.
            assert_eq!(embedded.checksums(Dialect::Postgres), read.checksums(Dialect::Postgres));
            for (embedded, read) in [(Some(embedded.up()), Some(read.up())), (embedded.down(), read.down())] {
                assert_eq!(embedded.map(|script| script.text()), read.map(|script| script.text()));
                assert_eq!(
                    embedded.map(|script| (folder(script.origin()), script.line_in_file(1))),
                    read.map(|script| (PathBuf::from(script.origin()), script.line_in_file(1)))
                );
            }
        }
    }
}

#[test]
fn a_migration_is_found_by_its_name() {
    let (_, embedded) = &FIXTURES[0];
    assert_eq!(embedded.index_of("2_crews"), Some(1));
    assert_eq!(embedded.get("1_ships").unwrap().up().origin(), "examples/migrations/1_ships.sql");
    assert_eq!(embedded.index_of("3_none"), None);
    assert_eq!(embedded.not_compiled_in().unwrap(), Vec::<String>::new());
}
