//! Adopting: a database that another tool has made, and its folder, go on with windlass after a baseline.

use harness::{Database, Project};
use std::fs;
use std::path::{Path, PathBuf};

harness::scenarios!(natively [Postgres, MySql, MariaDb, Sqlite]: what_another_tool_has_made_goes_on_after_a_baseline);

/// A guide's project: the folder of migrations, the tool's own table, and the last that it has applied.
struct Left {
    tool: &'static str,
    dir: &'static str,
    table: &'static str,
    last: &'static str,
}

const LEFT: [Left; 5] = [
    Left { tool: "sqlx", dir: "migrations", table: "_sqlx_migrations", last: "20240411090000" },
    Left { tool: "refinery", dir: "migrations", table: "refinery_schema_history", last: "3" },
    Left {
        tool: "diesel",
        dir: "migrations",
        table: "__diesel_schema_migrations",
        last: "2024-04-11-090000",
    },
    Left {
        tool: "prisma",
        dir: "prisma/migrations",
        table: "_prisma_migrations",
        last: "20240411090000_add_colour",
    },
    Left { tool: "flyway", dir: "sql", table: "flyway_schema_history", last: "V3__add_colour" },
];

fn fixture(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations-fixtures/guides").join(tool)
}

/// The scripts that apply, in order: of a folder those in it, and repeatable ones last.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        match path.is_dir() {
            true => found.extend(scripts(&path)),
            false if name.ends_with(".sql") && name != "down.sql" && !name.starts_with('U') => {
                found.push(path)
            }
            false => {}
        }
    }
    found.sort_by_key(|path| (path.to_string_lossy().contains("R__"), path.clone()));
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copy(&path, &target),
            false => {
                fs::copy(&path, &target).expect("a copy");
            }
        }
    }
}

async fn what_another_tool_has_made_goes_on_after_a_baseline(database: &Database) {
    let project = Project::new(database, &[]);
    for Left { tool, dir, table, last } in LEFT {
        eprintln!("{tool}");
        database.empty().await;
        copy(&fixture(tool).join(dir), &project.path(&format!("{tool}/{dir}")));
        let dir = format!("{tool}/{dir}");
        for script in scripts(&project.path(&dir)) {
            database.sql(&fs::read_to_string(script).expect("a script")).await;
        }
        database.sql(&format!("CREATE TABLE {table} (version varchar(50))")).await;
        database
            .sql("INSERT INTO customers VALUES (1, 'ada'); INSERT INTO bikes VALUES (1, 1, 'steel', 'red');")
            .await;

        project.run(&["deploy", "--dir", &dir]).await.code(3).err("windlass baseline").err(table);
        project.run(&["baseline", last, "--dir", &dir]).await.code(0).out("3 migrations recorded");
        project.run(&["deploy", "--dir", &dir]).await.code(0);
        project.run(&["status", "--check", "--dir", &dir]).await.code(0);

        let new = project.run(&["new", "add", "serial", "--dir", &dir]).await.code(0);
        project.write(new.stdout.trim(), "ALTER TABLE bikes ADD COLUMN serial varchar(30);");
        let deploy = project.run(&["deploy", "--dir", &dir]).await.code(0).out("add_serial (1 statement");
        assert!(!deploy.stdout.contains("colour"), "{deploy:?}");
        assert_eq!(database.value("SELECT colour FROM bikes WHERE serial IS NULL").await, "red", "{tool}");
        assert_eq!(database.value(&format!("SELECT count(*) FROM {table}")).await, "0", "{tool}");

        // A new database gets the same from the files alone.
        database.empty().await;
        project.run(&["deploy", "--dir", &dir]).await.code(0).out("Applied ").out("add_serial");
        assert_eq!(database.tables().await, ["bikes", "customers"], "{tool}");
    }
}
