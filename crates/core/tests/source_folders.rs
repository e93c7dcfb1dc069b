//! Sub folders: what lies deeper than migrations are looked for is told, never left out in silence.

use std::fs;
use std::path::Path;
use tempfile::TempDir;
use windlass_core::source::{Migrations, SourceError};

fn folder(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "SELECT 1;\n").unwrap();
    }
    dir
}

fn read(dir: &Path) -> Result<Vec<String>, SourceError> {
    let migrations = Migrations::from_dir(dir)?;
    Ok(migrations.iter().map(|migration| migration.name().to_owned()).collect())
}

/// The error's message, with the temporary folder left out.
fn refused(files: &[&str]) -> String {
    let dir = folder(files);
    let error = read(dir.path()).expect_err(&format!("{files:?} should be refused"));
    let dir = dir.path().display().to_string();
    error.to_string().replace(&format!("{dir}/"), "").replace(&dir, "DIR")
}

#[test]
fn a_migration_in_a_sub_folder_is_refused_in_every_layout() {
    for (files, nested) in [
        (&["1_a.sql", "sub/2_b.sql"][..], "sub/2_b.sql"),
        (&["1_a.up.sql", "sub/2_b.down.sql", "sub/2_b.up.sql"], "sub/2_b.up.sql"),
        (&["1_a/migration.sql", "sub/2_b/migration.sql"], "sub/2_b/migration.sql"),
        (&["1_a/up.sql", "sub/2_b/up.sql", "sub/2_b/down.sql"], "sub/2_b/up.sql"),
        (&["1_a/migration.sql", "sub/2_b.sql"], "sub/2_b.sql"),
        (&["V1__a.sql", "sub/V2__b.sql"], "sub/V2__b.sql"),
        (&["V1__a.sql", "sub/R__b.sql"], "sub/R__b.sql"),
        (&["1_a.sql", "sub/4_d.SQL", "sub/2_b.sql", "sub/3_c.sql"], "sub/2_b.sql"),
        (&["1_a.sql", "2024/2_b.sql"], "2024/2_b.sql"),
        (&["2023/1_a.sql", "2024/2_b.sql"], "2023/1_a.sql"),
    ] {
        let message = refused(files);
        assert!(message.starts_with(&format!("{nested} is a migration in a sub folder, where")), "{message}");
    }
}

#[test]
fn a_folder_of_folders_of_migrations_is_not_mistaken_for_one() {
    for (files, message) in [
        (&["sub/2_b.sql"][..], "DIR has no migrations itself; its sub folder sub does: name that as the"),
        (&["sub/V2__b.sql"], "DIR has no migrations itself; its sub folder sub does"),
        (&["migrations/1_a/migration.sql", "schema.prisma"], "itself; its sub folder migrations does"),
        (&["schema.sql", "migrations/1_a.sql"], "itself; its sub folder migrations does"),
        (
            &["b/1_a.up.sql", "a/1_a/up.sql", "c/x.sql"],
            "DIR has no migrations itself; its sub folders a, b do",
        ),
    ] {
        let found = refused(files);
        assert!(found.contains(message), "{found}");
    }
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures/shop");
    let error = read(&shop).unwrap_err();
    let SourceError::OnlyInSubFolders { folders, .. } = &error else { panic!("{error}") };
    assert_eq!(folders, &["mysql", "postgres", "sqlite"]);
}

#[test]
fn other_sub_folders_are_left_alone() {
    for beside in
        ["seeds/users.sql", "old/1_a.sql.bak", "undo/1_a.down.sql", "a/b/2_b.sql", ".old/2_b.sql", "a/2_b.rs"]
    {
        let dir = folder(&["1_a.sql", beside]);
        assert_eq!(read(dir.path()).unwrap_or_else(|error| panic!("{error}")), ["1_a"], "{beside}");
    }
    let dir = folder(&["1_a.sql", "sub/2024_backup/notes.txt"]);
    assert_eq!(read(dir.path()).unwrap(), ["1_a"]);
}

#[test]
fn embedded_scripts_are_refused_alike() {
    let error = Migrations::from_scripts([("1_a.sql", ""), ("sub/2_b.sql", "")]).unwrap_err();
    assert!(matches!(&error, SourceError::Nested { file } if file == Path::new("sub/2_b.sql")), "{error}");
    let error = Migrations::from_scripts([("sub/2_b.sql", "")]).unwrap_err();
    assert!(matches!(error, SourceError::Nested { .. }), "{error}");
}

#[test]
fn any_bytes_are_read_or_refused() {
    let dir = folder(&[]);
    let path = dir.path().join("1_a.sql");
    let pieces: [&[u8]; 8] =
        [b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\n", b"-- +goose Up\n", b"\0", b"/*", "ü".as_bytes()];
    for number in 0..pieces.len().pow(3) {
        let piece = |place: u32| pieces[number / pieces.len().pow(place) % pieces.len()];
        fs::write(&path, [piece(0), piece(1), piece(2)].concat()).unwrap();
        if let Err(error) = Migrations::from_dir(dir.path()) {
            assert!(error.to_string().contains("1_a.sql"), "{error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_neither_waited_for_nor_left_out() {
    for place in ["2_b.sql", "2_b/up.sql", "2_b/down.sql", "R__views.sql"] {
        let dir =
            folder(&["2_b/up.sql"].into_iter().filter(|_| place.ends_with("down.sql")).collect::<Vec<_>>());
        let path = dir.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let refused = read(dir.path()).unwrap_err();
        assert!(matches!(&refused, SourceError::NotAFile { path: told } if *told == path), "{refused}");
    }
    // A pipe would be waited for as long as nobody writes into it.
    for script in ["migration.sql", "up.sql"] {
        let dir = folder(&[]);
        let path = dir.path().join("1_a").join(script);
        fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (told, heard) = std::sync::mpsc::channel();
        let (place, started) = (dir.path().to_owned(), std::time::Instant::now());
        std::thread::spawn(move || {
            let _ = told.send([Migrations::from_dir(&place), Migrations::scripts_from_dir(&place)]);
        });
        let read = heard.recv_timeout(std::time::Duration::from_secs(60));
        let read = read.unwrap_or_else(|_| panic!("{script} is waited for since {:?}", started.elapsed()));
        for refused in read.map(Result::unwrap_err) {
            assert!(matches!(&refused, SourceError::NotAFile { path: told } if *told == path), "{refused}");
        }
    }
    let dir = folder(&[]);
    std::os::unix::fs::symlink("/dev/null", dir.path().join("1_a.sql")).unwrap();
    let refused = read(dir.path()).unwrap_err().to_string();
    assert!(
        refused.ends_with("1_a.sql is no file: a script is never read from a pipe or a device"),
        "{refused}"
    );
}

#[test]
fn a_name_that_a_terminal_would_obey_is_refused() {
    for name in ["1_a\nb.sql", "1_\u{1b}[31m.sql", "1_a\u{202e}b/up.sql", "R__a\rb.sql"] {
        let refused = Migrations::from_scripts([(name, "SELECT 1;")]).unwrap_err();
        assert!(matches!(refused, SourceError::UnprintableName { .. }), "{refused}");
        assert!(!refused.to_string().contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{refused}");
    }
    assert_eq!(Migrations::from_scripts([("1_größe \"x\" 'y' \\.sql", "SELECT 1;")]).unwrap().len(), 1);
}
