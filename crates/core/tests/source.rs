//! Reading migrations: every layout, every file that is refused, and the order.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use windlass_core::migration::{MigrationKind, TransactionMode};
use windlass_core::source::{Layout, Migrations, Notice, SourceError};
use windlass_core::sql::Dialect;

/// A folder with these files, `path` or `path=text`.
fn folder(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let (path, text) = file.split_once('=').unwrap_or((file, "SELECT 1;\n"));
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn read(files: &[&str]) -> Migrations {
    let dir = folder(files);
    let read = Migrations::from_dir(dir.path()).unwrap_or_else(|error| panic!("{files:?}: {error}"));
    let embedded = Migrations::from_scripts(scripts(files)).unwrap();
    assert_eq!(read.digest(), embedded.digest(), "embedded scripts are the same set: {files:?}");
    assert_eq!((names(&read), read.layout()), (names(&embedded), embedded.layout()));
    read
}

fn scripts(files: &[&str]) -> Vec<(String, String)> {
    let pairs = files.iter().map(|file| file.split_once('=').unwrap_or((file, "SELECT 1;\n")));
    let matters = |path: &str| {
        let path = path.to_lowercase();
        !path.starts_with('.')
            && [".sql", "/metadata.toml", ".sql.conf"].iter().any(|end| path.ends_with(end))
    };
    pairs.filter(|(path, _)| matters(path)).map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

fn names(migrations: &Migrations) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_owned()).collect()
}

/// The error's message, with the temporary folder left out.
fn refused(files: &[&str]) -> String {
    let dir = folder(files);
    let error = Migrations::from_dir(dir.path()).expect_err(&format!("{files:?} should be refused"));
    error.to_string().replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn every_layout_is_recognised() {
    use Layout::*;
    for (layout, files, expected) in [
        (Plain, &["2_b.sql", "1_a.sql"][..], &["1_a", "2_b"][..]),
        (Plain, &["1_sign_up.sql", "2_break_down.sql"], &["1_sign_up", "2_break_down"]),
        (Plain, &["1_a.SQL"], &["1_a"]),
        (Plain, &["1-a.sql", "0002-2fa.sql"], &["1-a", "0002-2fa"]),
        (PrismaFolder, &["2_b/migration.sql", "1_a/migration.sql", "1_a/down.sql"], &["1_a", "2_b"]),
        (PrismaFolder, &["1_a/migration.sql", "data.sql", "meta/journal.json", "seeds/x.sql"], &["1_a"]),
        (UpDownFiles, &["1_a.up.sql", "1_a.down.sql", "2_b.up.sql"], &["1_a", "2_b"]),
        (UpDownFiles, &["1.up.sql", "1.down.sql", "2_b_up.sql", "2_b_down.sql"], &["1", "2_b"]),
        (UpDownFiles, &["1_a_up.sql", "1_a_down.sql"], &["1_a"]),
        (UpDownFolders, &["1_a/up.sql", "1_a/down.sql", "2_b/up.sql"], &["1_a", "2_b"]),
        (Flyway, &["V2__b.sql", "V1_1__c.sql", "V1__a.sql"], &["V1__a", "V1_1__c", "V2__b"]),
        (Flyway, &["V1__a.sql", "U1__a.sql"], &["V1__a"]),
        (Goose, &["1_a.sql=-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;"], &["1_a"]),
        (Dbmate, &["1_a.sql=-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;"], &["1_a"]),
    ] {
        let migrations = read(files);
        assert_eq!(migrations.layout(), Some(layout), "{files:?}");
        assert_eq!(names(&migrations), expected, "{files:?}");
        let has_down = migrations.as_slice()[0].down().is_some();
        let undoes = files.iter().any(|file| file.to_lowercase().contains("down") || file.starts_with('U'));
        assert_eq!(has_down, undoes && layout != Plain, "{files:?}");
    }
}

#[test]
fn repeatable_migrations_stand_beside_any_layout_and_run_last() {
    for file in ["1_a.sql", "1_a/migration.sql", "1_a.up.sql", "1_a/up.sql", "V1__a.sql"] {
        let migrations = read(&["R__b.sql", file, "R__a.sql"]);
        let kinds: Vec<_> = migrations.iter().map(|migration| migration.kind()).collect();
        assert_eq!(names(&migrations)[1..], ["R__a", "R__b"], "{file}");
        assert_eq!(
            kinds,
            [MigrationKind::Versioned, MigrationKind::Repeatable, MigrationKind::Repeatable],
            "{file}"
        );
    }
    let alone = read(&["R__a.sql"]);
    assert_eq!((alone.len(), alone.layout()), (1, None));
}

#[test]
fn other_files_are_left_alone() {
    let migrations = read(&[
        "1_a.sql",
        "README.md",
        "migration_lock.toml",
        ".gitkeep",
        ".2_b.sql",
        ".git/1_x.sql",
        "1_a.sql.bak",
        "schema.prisma",
        "meta/_journal.json",
        "atlas.sum",
    ]);
    assert_eq!(names(&migrations), ["1_a"]);
    assert_eq!(migrations.notices(Dialect::Sqlite), []);
    assert!(read(&[]).is_empty());
}

#[test]
fn what_is_no_set_of_migrations_is_refused_naming_the_file() {
    let goose = "1_a.sql=-- +goose Up\nSELECT 1;\n";
    for (files, message) in [
        (&["1_a.sql", "2_b.up.sql"][..], "1_a.sql is laid out as <version>_<name>.sql, 2_b.up.sql as"),
        (&["1_a.sql", "1_a.up.sql"], "1_a.sql is laid out as <version>_<name>.sql, 1_a.up.sql as"),
        (&["1_a.sql", "V2__b.sql"], "1_a.sql is laid out as <version>_<name>.sql, V2__b.sql as"),
        (&["1_a/up.sql", "2_b/migration.sql"], "1_a/up.sql is laid out as <version>_<name>/up.sql, 2_b/migr"),
        (
            &["2_b/migration.sql", "1_a.sql"],
            "1_a.sql is laid out as <version>_<name>.sql, 2_b/migration.sql as",
        ),
        (&[goose, "2_b.sql"], "1_a.sql is laid out as <version>_<name>.sql with `-- +goose Up`, 2_b.sql as"),
        (
            &[goose, "2_b.sql=--migrate:up\n"],
            "2_b.sql as <version>_<name>.sql with `-- migrate:up`: one folder",
        ),
        (
            &["1_a_up.sql", "1_a_down.sql", "2_b.sql"],
            "1_a_up.sql is laid out as <version>_<name>.up.sql, 2_b.sql",
        ),
        (&["1_a.sql", "1_a.SQL"], "1_a.SQL and 1_a.sql are both migration 1_a"),
        (&["1_a.up.sql", "1_a_up.sql"], "1_a.up.sql and 1_a_up.sql are both migration 1_a"),
        (&["1_a.sql", "add_email.sql"], "add_email.sql has no version in front of its name"),
        (&["1_a.sql", "add.up.sql"], "add.up.sql has no version in front of its name"),
        (&["init/migration.sql"], "init has no version in front of its name"),
        (&["1_a.sql", "2a_b.sql"], "2a_b.sql has no version in front of its name"),
        (&["1_a.sql", "2.sql"], "2.sql has no name after 2"),
        (&["1/up.sql"], "1/up.sql has no name after 1"),
        (&["V1__.sql"], "V1__.sql has no name after 1"),
        (&["1_a.sql", "R__.sql"], "R__.sql has no name after R__"),
        (&["V1__a.sql", "V2_b.sql"], "V2_b.sql has one underscore after its version"),
        (&["V1_a.sql"], "V1_a.sql has one underscore after its version"),
        (&["V2__a.sql", "B1__all.sql"], "B1__all.sql is a baseline script"),
        (&["1_a/migration.sql", "2_b/notes.txt"], "2_b holds no script: neither migration.sql nor up.sql"),
        (&["1_a/up.sql", "2_b/down.sql"], "2_b holds no script: neither migration.sql nor up.sql"),
        (&["1_a/up.sql", "1_a/migration.sql"], "1_a holds two scripts: migration.sql and up.sql"),
        (&["V1__a.sql", "old/V2__b.sql"], "old/V2__b.sql is a migration in a sub folder"),
        (&["1_a.up.sql", "2_b.down.sql"], "2_b.down.sql undoes a migration that is not there"),
        (&["U1__b.sql", "V2__a.sql"], "U1__b.sql stands alone"),
        (&["V1.sql"], "V1.sql has no name after V1"),
        (&["V1__a.sql", "U2__b.sql"], "U2__b.sql stands alone: Flyway's `U` undoes"),
        (&["1_a.up.sql", "2_shut_down.sql"], "2_shut_down.sql as <version>_<name>.sql"),
        (
            &["1_a.sql=\n-- +goose Down\n"],
            "1_a.sql:2: this line is a marker of sections, and the file has no `-- +goose Up` section",
        ),
        (
            &["1_a.sql=SELECT '\n-- migrate:down\n';\n"],
            "1_a.sql:2: this line is a marker of sections, and the file has no `-- migrate:up` section",
        ),
        (
            &[
                "1_a.sql=-- +goose Up\n-- +goose StatementBegin\nSELECT 1\n-- done\n-- +goose StatementEnd\n\nSELECT 2;",
            ],
            "1_a.sql:5: the statement that `-- +goose StatementEnd` ends here needs a `;`",
        ),
        (&["1_a.sql=-- +goose Down\n-- +goose Up\n"], "1_a.sql:2: `-- +goose Up` stands where it cannot"),
        (&["1_a.sql=-- migrate:up\n-- migrate:up\n"], "1_a.sql:2: `-- migrate:up` stands where it cannot"),
        (&["1_a.sql=\n/* of\n us */ DROP\n--migrate:up\n"], "1_a.sql:3: a statement stands before the first"),
        (
            &["1_a.sql=-- +goose Up\n--  +goose StatementBegin\n"],
            "1_a.sql:2: `-- +goose StatementBegin` without",
        ),
        (
            &["1_a.sql=-- +goose Up\n-- +goose ENVSUB ON\n"],
            "1_a.sql:2: `-- +goose ENVSUB ON` is not supported",
        ),
        (
            &["1_a.sql=-- +goose Up\n-- +goose NOTRANSACTION\n"],
            "1_a.sql:2:4: unknown marker `+goose NOTRANSACTION`; did you mean `NO TRANSACTION`?",
        ),
        (
            &["1_a.sql=-- migrate:upp\n"],
            "1_a.sql:1:4: unknown marker `-- migrate:upp`; did you mean `-- migrate:up`?",
        ),
        (
            &["1_a/up.sql", "1_a/metadata.toml=run_in_transaction = no"],
            "1_a/metadata.toml:1: `run_in_transaction = no` is not supported; it is true or false",
        ),
        (
            &["V1__a.sql", "V1__a.sql.conf=shouldExecute=false"],
            "V1__a.sql.conf:1: `shouldExecute=false` is not",
        ),
    ] {
        let error = refused(files);
        assert!(error.contains(message), "{files:?}: {error}");
    }
}

#[test]
fn the_last_statement_of_a_section_needs_no_semicolon() {
    let begun = "-- +goose Up\n-- +goose StatementBegin\nSELECT 1";
    let down = "-- +goose Down\n-- +goose StatementBegin\nSELECT 2\n-- +goose StatementEnd\n";
    for rest in [
        "\n-- +goose StatementEnd\n",
        ";\n-- +goose StatementEnd\nSELECT 3;\n",
        "; -- one\n-- +goose StatementEnd\nSELECT 3;\n",
    ] {
        let file: &'static str = Box::leak(format!("1_a.sql={begun}{rest}{down}").into_boxed_str());
        assert_eq!(names(&read(&[file])), ["1_a"], "{file}");
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let dir = folder(&["file"]);
    let missing = Migrations::from_dir(dir.path().join("no")).unwrap_err();
    assert!(matches!(missing, SourceError::NoFolder { dir } if dir.ends_with("no")));
    let file = Migrations::from_dir(dir.path().join("file")).unwrap_err();
    assert!(matches!(file, SourceError::NotAFolder { path } if path.ends_with("file")));
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    for (bytes, place) in [
        (&b"SELECT 1;\n-- gr\xc3\xbc\xdfe\n"[..], "1_a.sql:2:7: the text is not UTF-8"),
        (b"\xff\xfeS\0", "1_a.sql:1:1: the text is not UTF-8: it seems to be UTF-16"),
        (b"a\n\xe2\x82", "1_a.sql:2:1: the text is not UTF-8"),
    ] {
        let dir = folder(&[]);
        fs::write(dir.path().join("1_a.sql"), bytes).unwrap();
        let error = Migrations::from_dir(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with(place), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_matter_only_for_scripts() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = folder(&["1_a.sql"]);
    fs::write(dir.path().join(OsStr::from_bytes(b"gr\xfc\xdfe.txt")), "").unwrap();
    assert_eq!(Migrations::from_dir(dir.path()).unwrap().len(), 1);
    fs::write(dir.path().join(OsStr::from_bytes(b"2_gr\xfc\xdfe.sql")), "").unwrap();
    assert!(matches!(Migrations::from_dir(dir.path()), Err(SourceError::NotUtf8Name { .. })));
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let store = folder(&["one.sql=SELECT 'one';", "two/migration.sql=SELECT 'two';"]);
    let dir = folder(&[]);
    symlink(store.path().join("one.sql"), dir.path().join("1_a.sql")).unwrap();
    assert_eq!(Migrations::from_dir(dir.path()).unwrap().as_slice()[0].up().text(), "SELECT 'one';");
    let folders = folder(&[]);
    symlink(store.path().join("two"), folders.path().join("2_b")).unwrap();
    assert_eq!(Migrations::from_dir(folders.path()).unwrap().as_slice()[0].up().text(), "SELECT 'two';");
    symlink(store.path().join("gone.sql"), dir.path().join("3_c.sql")).unwrap();
    let error = Migrations::from_dir(dir.path()).unwrap_err();
    assert!(matches!(error, SourceError::Unreadable { path, .. } if path.ends_with("3_c.sql")));
}

#[test]
fn the_text_stays_as_it_is() {
    let text = "\u{feff}SELECT 1;\r\nSELECT '${x}'";
    let migrations = read(&[&format!("1_a.sql={text}")]);
    assert_eq!(migrations.as_slice()[0].up().text(), text);
}

#[test]
fn order_is_by_version_as_a_number_then_by_name_in_bytes() {
    for expected in [
        &["1_a", "2_a", "10_a", "0011_a", "100_a"][..],
        &["2_B", "2_Z", "2_a", "2_ä"],
        &["V1__a", "V1.2__a", "V1_9__a", "V1.10__a", "V1.10.1__a", "V2__a"],
        &["V118_7__a", "V118_10__a", "V119__a"],
        &["2019-05-04-120000_a", "2019-05-04-120001_a", "2019-10-01-000000_a"],
    ] {
        let mut files: Vec<_> = expected.iter().map(|name| format!("{name}.sql")).collect();
        for _ in 0..files.len() {
            files.rotate_left(1);
            assert_eq!(names(&read(&files.iter().map(String::as_str).collect::<Vec<_>>())), expected);
        }
    }
}

#[test]
fn a_thousand_files_stand_in_order_and_are_found_by_name() {
    let mut names: Vec<_> = (1..=1000).map(|version| format!("{version}_create")).collect();
    let scripts = names.iter().rev().map(|name| (format!("{name}.sql"), format!("SELECT '{name}';")));
    let dir = folder(&[]);
    for (file, text) in scripts {
        fs::write(dir.path().join(file), text).unwrap();
    }
    let migrations = Migrations::from_dir(dir.path()).unwrap();
    assert_eq!(self::names(&migrations), names);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(migrations.index_of(name), Some(index));
        assert_eq!(migrations.get(name).unwrap().up().text(), format!("SELECT '{name}';"));
    }
    assert!(migrations.get("0001_create").is_none() && migrations.get("x").is_none());
    names.truncate(3);
    let first = Migrations::from_scripts(names.into_iter().map(|name| (name, "SELECT 0;"))).unwrap();
    assert_ne!(first.digest(), migrations.digest());
}

#[test]
fn sections_keep_their_lines_and_what_stands_above_them() {
    let text = "\u{feff}-- ours\r\n-- +goose NO TRANSACTION\r\n-- +goose up\r\nSELECT 1;\r\n-- +goose Down\r\nSELECT 2;\r\n";
    let migrations = read(&[&format!("1_a.sql={text}")]);
    let migration = &migrations.as_slice()[0];
    assert_eq!(migration.mode(), TransactionMode::Off);
    let (up, down) = (migration.up(), migration.down().unwrap());
    assert!(up.text().starts_with("\u{feff}-- ours") && up.text().ends_with("SELECT 1;\r\n"), "{up:?}");
    assert!(down.text().starts_with("-- +goose Down"), "{down:?}");
    assert_eq!((up.line_in_file(4), down.line_in_file(2)), (4, 6));

    let edited = read(&[&format!("1_a.sql={text}DROP TABLE x;")]);
    assert_eq!(edited.digest(), migrations.digest(), "the section that undoes is no part of the migration");
}

#[test]
fn prose_and_data_are_no_sections() {
    let text = "-- migrate: the rows, by hand; see +goose\nSELECT 'migrate:up'; -- +gooses fly\nSELECT ' +goose Up';";
    assert_eq!(read(&[&format!("1_a.sql={text}")]).layout(), Some(Layout::Plain));
}

#[test]
fn markers_that_are_not_followed_are_never_taken_for_prose() {
    for (marker, told) in [
        ("-- +migrate Down", "a marker of sql-migrate's"),
        ("--+Migrate  down", "a marker of sql-migrate's"),
        ("-- //@UNDO", "a marker of MyBatis Migrations's"),
        ("-- rambler down", "a marker of rambler's"),
        ("# --- !Downs", "a marker of Play's"),
        ("-- +Goose Down", "did you mean `-- +goose Down`"),
        ("-- + goose down", "did you mean `-- +goose Down`"),
        ("-- migrate:donw", "did you mean `-- migrate:down`"),
        ("--  Migrate:Down", "did you mean `-- migrate:down`"),
        ("-- migrate : down", "did you mean `-- migrate:down`"),
        ("-- migrate down", "did you mean `-- migrate:down`"),
        ("-- migrate:rollback", "did you mean `-- migrate:down`"),
        ("-- MIGRATE:UP", "did you mean `-- migrate:up`"),
    ] {
        for head in ["CREATE TABLE a (n int);\n", "-- migrate:up\nCREATE TABLE a (n int);\n"] {
            let text = format!("1_a.sql={head}{marker}\nDROP TABLE a;\n");
            let error = refused(&[&text]);
            assert!(error.contains(told), "{marker}: {error}");
            assert!(error.contains(&format!("1_a.sql:{}:", head.lines().count() + 1)), "{marker}: {error}");
        }
    }
    for prose in
        ["-- migrate down to one row each", "-- rambling", "-- Migrates users", "SELECT 1; -- +migrate Down"]
    {
        assert_eq!(read(&[&format!("1_a.sql={prose}\nSELECT 1;")]).layout(), Some(Layout::Plain), "{prose}");
    }
}

#[test]
fn settings_beside_a_script_turn_the_transaction_off() {
    for (files, mode) in [
        (
            &["1_a/up.sql", "1_a/metadata.toml=# why\nrun_in_transaction = false # so\n"][..],
            TransactionMode::Off,
        ),
        (&["1_a/up.sql", "1_a/metadata.toml=run_in_transaction = true"], TransactionMode::Automatic),
        (&["V1__a.sql", "V1__a.sql.conf=\u{feff}executeInTransaction=false\r\n"], TransactionMode::Off),
        (&["V1__a.sql", "V1__a.sql.conf=encoding=UTF-8"], TransactionMode::Automatic),
        (&["1_a.sql=-- migrate:up transaction:false\n"], TransactionMode::Off),
        (&["1_a.sql=-- migrate:up\n"], TransactionMode::Automatic),
    ] {
        assert_eq!(read(files).as_slice()[0].mode(), mode, "{files:?}");
    }
}

#[test]
fn a_comment_that_takes_the_rest_of_a_script_is_told() {
    let files = [
        "1_a.sql=CREATE TABLE a (n);\n  /* the rest\nCREATE TABLE b (n);\n",
        "2_b.sql=/* one */ CREATE TABLE c (n); /* two **/",
        "3_c.sql=SELECT '/*', 1; -- /*\n",
        "4_d.sql=/* one */ SELECT 1 /*/",
    ];
    let told =
        |dialect| -> Vec<_> { read(&files).notices(dialect).iter().map(ToString::to_string).collect() };
    let [first, second] = &told(Dialect::Sqlite)[..] else { panic!("{:?}", told(Dialect::Sqlite)) };
    assert!(first.ends_with(
        "1_a.sql:2:3: this comment is never closed: SQLite takes all that follows for a part of it"
    ));
    assert!(second.contains("4_d.sql:1:20: this comment is never closed"), "{second}");
    assert_eq!(told(Dialect::Postgres), [""; 0], "there it is an error");
}

#[test]
fn notices_tell_what_is_no_error() {
    let migrations = read(&["1_a.sql", "01_b.sql", "2_c.sql=-- nothing\n\u{a0};\n", "3_d.sql=", "R__e.sql"]);
    let notices = migrations.notices(Dialect::Postgres);
    let texts: Vec<_> = notices.iter().map(Notice::to_string).collect();
    assert_eq!(
        texts,
        ["2 migrations have version 01: 01_b, 1_a", "2_c has no statements", "3_d has no statements"]
    );
    let left_out = |files: &[&str]| match &read(files).notices(Dialect::Postgres)[..] {
        [Notice::DownWithoutUp { path } | Notice::Misnamed { path } | Notice::Aside { path }] => {
            path.file_name().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(left_out(&["1_a.down.sql", "2_b.up.sql"]), "1_a.down.sql");
    assert_eq!(left_out(&["V1_a.sql", "V2__b.sql"]), "V1_a.sql");
    assert_eq!(left_out(&["1_a/up.sql", "1_a/seed.sql"]), "seed.sql");
    assert_eq!(left_out(&["1_a/up.sql", "data.sql"]), "data.sql");
    assert_eq!(left_out(&["1_a/migration.sql", "1_a/down.sql", "1_a/seed.sql"]), "seed.sql");
    let dir = folder(&["V1__a.sql", "V2__b.rs", "U3__c.rs", "mod.rs", "notes.rs"]);
    let notices = Migrations::from_dir(dir.path()).unwrap().notices(Dialect::Postgres);
    let in_rust = |file: &str| Notice::InRust { path: dir.path().join(file) };
    assert_eq!(notices, [in_rust("U3__c.rs"), in_rust("V2__b.rs")]);
    let dir =
        folder(&["1_a/migration.sql", "1_a/seed.sql", "1_a/.x.sql", "1_a/notes.md", "2_b/migration.sql"]);
    let notices = Migrations::from_dir(dir.path()).unwrap().notices(Dialect::Postgres);
    assert_eq!(notices, [Notice::Aside { path: dir.path().join("1_a/seed.sql") }]);
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures").join(folder);
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "{folders:?}");
    folders
}

#[test]
fn the_fixtures_of_every_layout_load_and_the_bad_ones_are_refused() {
    for dir in fixtures("layouts") {
        let migrations = Migrations::from_dir(&dir).unwrap_or_else(|error| panic!("{error}"));
        assert!(migrations.len() >= 2 && migrations.layout().is_some(), "{}", dir.display());
    }
    for dir in fixtures("layouts-bad") {
        let error = Migrations::from_dir(&dir).expect_err(&dir.display().to_string());
        assert!(error.to_string().contains(&*dir.to_string_lossy()), "names no file: {error}");
    }
}
