//! A migrated file for each of an application's own tests.

use rusqlite::Connection;
use windlass_sqlite::testing::{MigratedFileError, migrated_file};
use windlass_sqlite::{Migrations, Verdict, verify};

#[test]
fn tests_have_a_migrated_file_each() {
    let scripts = [
        ("1_ships.sql", "PRAGMA journal_mode = WAL; CREATE TABLE ships (id int PRIMARY KEY, name text);"),
        ("2_more.sql", "INSERT INTO ships VALUES (1, 'Anna'), (2, 'Berta');"),
    ];
    let set = Migrations::from_scripts(scripts).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tests = (0..4).map(|number| {
        let (set, file) = (set.clone(), folder.path().join(format!("{number}.db")));
        std::thread::spawn(move || {
            migrated_file(&file, &set).unwrap();
            let mut connection = Connection::open(&file).unwrap();
            connection.execute("INSERT INTO ships VALUES (?, 'Carla')", [100 + number]).unwrap();
            let rows: i64 = connection.query_row("SELECT count(*) FROM ships", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 3, "its own row, and no other's");
            assert_eq!(verify(&mut connection, &set).unwrap(), Verdict::Current);
        })
    });
    tests.collect::<Vec<_>>().into_iter().for_each(|test| test.join().unwrap());

    let stands = migrated_file(folder.path().join("0.db"), &set).unwrap_err();
    assert!(matches!(stands, MigratedFileError::Stands), "{stands:?}");
    let broken = Migrations::from_scripts([("1_x.sql", "SELECT nothing;")]).unwrap();
    for _ in 0..2 {
        let _ = std::fs::remove_file(folder.path().join("x.db"));
        let refused = migrated_file(folder.path().join("x.db"), &broken).unwrap_err();
        assert!(matches!(refused, MigratedFileError::Deploy(_)), "{refused:?}");
    }
}
