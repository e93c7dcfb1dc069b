//! The programs that are measured: the least that opens a database, and brings it to the end of two migrations.

use std::fs;
use std::io;
use std::path::Path;

/// One of them.
pub(super) struct Minimal {
    pub(super) name: &'static str,
    /// Lines of its manifest; `CRATES` stands for the folder of this workspace's crates.
    pub(super) dependencies: &'static str,
    source: &'static str,
    layout: Layout,
}

/// What files of migrations are called.
enum Layout {
    Plain,
    Refinery,
    Diesel,
}

const SCRIPTS: [(&str, &str); 2] = [
    ("ships", "CREATE TABLE ships (id integer PRIMARY KEY, name varchar(80) NOT NULL);\n"),
    ("crews", "ALTER TABLE ships ADD COLUMN crew integer NOT NULL DEFAULT 0;\n"),
];

impl Minimal {
    /// The folder that it is built in.
    pub(super) fn folder(&self) -> String {
        self.name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect()
    }

    pub(super) fn write(&self, folder: &Path, crates: &Path) -> io::Result<()> {
        fs::create_dir_all(folder.join("src"))?;
        let dependencies = self.dependencies.replace("CRATES", &crates.display().to_string());
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.release]\nstrip = \"symbols\"\n\n[dependencies]\n{dependencies}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), self.source)?;
        let migrations = folder.join("migrations");
        for ((name, text), number) in SCRIPTS.into_iter().zip(1..) {
            match self.layout {
                Layout::Plain => {
                    fs::create_dir_all(&migrations)?;
                    fs::write(migrations.join(format!("{number}_{name}.sql")), text)?;
                }
                Layout::Refinery => {
                    fs::create_dir_all(&migrations)?;
                    fs::write(migrations.join(format!("V{number}__{name}.sql")), text)?;
                }
                Layout::Diesel => {
                    let one = migrations.join(format!("{number}_{name}"));
                    fs::create_dir_all(&one)?;
                    fs::write(one.join("up.sql"), text)?;
                    fs::write(one.join("down.sql"), "")?;
                }
            }
        }
        Ok(())
    }
}

/// A program that has the URL of a server from its environment, around the lines that are its own.
macro_rules! on_server {
    ($head:literal, $body:literal) => {
        concat!(
            $head,
            "\n#[tokio::main(flavor = \"current_thread\")]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {\n    \
             let url = std::env::var(\"DATABASE_URL\")?;\n",
            $body,
            "\n    Ok(())\n}\n"
        )
    };
}

pub(super) const DATABASES: [(&str, &[Minimal]); 3] =
    [("sqlite", SQLITE), ("postgres", POSTGRES), ("mysql", MYSQL)];

const WINDLASS_SQLITE: &str = r#"use windlass_sqlite::{Migrations, deploy, rusqlite::Connection};
static MIGRATIONS: Migrations = windlass_sqlite::migrations!("migrations");
fn main() -> Result<(), Box<dyn std::error::Error>> {
    deploy(&mut Connection::open("app.db")?, &MIGRATIONS)?;
    Ok(())
}
"#;

const SQLITE: &[Minimal] = &[
    Minimal {
        name: "rusqlite alone",
        dependencies: r#"rusqlite = { version = ">=0.32, <0.42", default-features = false, features = ["bundled"] }"#,
        source: r#"fn main() -> Result<(), Box<dyn std::error::Error>> {
    rusqlite::Connection::open("app.db")?.execute_batch("CREATE TABLE IF NOT EXISTS ships (id integer)")?;
    Ok(())
}
"#,
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-sqlite, default features off",
        dependencies: "rusqlite = { version = \">=0.32, <0.42\", default-features = false, features = [\"bundled\"] }\n\
            windlass-sqlite = { path = \"CRATES/sqlite\", default-features = false }",
        source: r#"use windlass_sqlite::{Migrations, deploy, rusqlite::Connection};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let migrations = Migrations::from_scripts([
        ("1_ships.sql", include_str!("../migrations/1_ships.sql")),
        ("2_crews.sql", include_str!("../migrations/2_crews.sql")),
    ])?;
    deploy(&mut Connection::open("app.db")?, &migrations)?;
    Ok(())
}
"#,
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-sqlite with bundled and macros",
        dependencies: r#"windlass-sqlite = { path = "CRATES/sqlite", default-features = false, features = ["bundled", "macros"] }"#,
        source: WINDLASS_SQLITE,
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-sqlite",
        dependencies: r#"windlass-sqlite = { path = "CRATES/sqlite" }"#,
        source: WINDLASS_SQLITE,
        layout: Layout::Plain,
    },
    Minimal {
        name: "rusqlite_migration",
        dependencies: "rusqlite = { version = \"*\", features = [\"bundled\"] }\nrusqlite_migration = \"*\"",
        source: r#"use rusqlite_migration::{M, Migrations};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let migrations = Migrations::new(vec![
        M::up(include_str!("../migrations/1_ships.sql")),
        M::up(include_str!("../migrations/2_crews.sql")),
    ]);
    migrations.to_latest(&mut rusqlite::Connection::open("app.db")?)?;
    Ok(())
}
"#,
        layout: Layout::Plain,
    },
    Minimal {
        name: "refinery",
        dependencies: "refinery = { version = \"*\", features = [\"rusqlite-bundled\"] }\nrusqlite = \"*\"",
        source: r#"mod embedded {
    refinery::embed_migrations!("migrations");
}
fn main() -> Result<(), Box<dyn std::error::Error>> {
    embedded::migrations::runner().run(&mut rusqlite::Connection::open("app.db")?)?;
    Ok(())
}
"#,
        layout: Layout::Refinery,
    },
    Minimal {
        name: "diesel_migrations",
        dependencies: "diesel = { version = \"2\", default-features = false, features = [\"sqlite\"] }\n\
            diesel_migrations = { version = \"2\", features = [\"sqlite\"] }\n\
            libsqlite3-sys = { version = \"*\", features = [\"bundled\"] }",
        source: r#"use diesel::{Connection, sqlite::SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use libsqlite3_sys as _;
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
fn main() {
    let mut connection = SqliteConnection::establish("app.db").expect("opens");
    connection.run_pending_migrations(MIGRATIONS).expect("migrates");
}
"#,
        layout: Layout::Diesel,
    },
    Minimal {
        name: "sqlx migrate",
        dependencies: "sqlx = { version = \"0.9\", default-features = false, features = [\"macros\", \"migrate\", \"runtime-tokio\", \"sqlite\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: r#"static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    MIGRATIONS.run(&sqlx::SqlitePool::connect("sqlite:app.db?mode=rwc").await?).await?;
    Ok(())
}
"#,
        layout: Layout::Plain,
    },
];

const WINDLASS_POSTGRES: &str = on_server!(
    "static MIGRATIONS: windlass_postgres::Migrations = windlass_postgres::migrations!(\"migrations\");",
    "    let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    windlass_postgres::deploy(&mut client, &MIGRATIONS).await?;"
);

const POSTGRES: &[Minimal] = &[
    Minimal {
        name: "tokio-postgres alone",
        dependencies: "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\ntokio-postgres = \"0.7\"",
        source: on_server!(
            "",
            "    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(\"CREATE TABLE IF NOT EXISTS ships (id integer)\").await?;"
        ),
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-postgres, default features off",
        dependencies: "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\ntokio-postgres = \"0.7\"\n\
            windlass-postgres = { path = \"CRATES/postgres\", default-features = false, features = [\"macros\"] }",
        source: WINDLASS_POSTGRES,
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-postgres",
        dependencies: "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\ntokio-postgres = \"0.7\"\n\
            windlass-postgres = { path = \"CRATES/postgres\" }",
        source: WINDLASS_POSTGRES,
        layout: Layout::Plain,
    },
    Minimal {
        name: "refinery",
        dependencies: "refinery = { version = \"*\", features = [\"tokio-postgres\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\ntokio-postgres = \"0.7\"",
        source: on_server!(
            "mod embedded { refinery::embed_migrations!(\"migrations\"); }",
            "    let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    embedded::migrations::runner().run_async(&mut client).await?;"
        ),
        layout: Layout::Refinery,
    },
    Minimal {
        name: "diesel_migrations, with the system's libpq",
        dependencies: "diesel = { version = \"2\", default-features = false, features = [\"postgres\"] }\n\
            diesel_migrations = { version = \"2\", features = [\"postgres\"] }",
        source: r#"use diesel::{Connection, pg::PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
fn main() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let mut connection = PgConnection::establish(&url).expect("connects");
    connection.run_pending_migrations(MIGRATIONS).expect("migrates");
}
"#,
        layout: Layout::Diesel,
    },
    Minimal {
        name: "sqlx migrate",
        dependencies: "sqlx = { version = \"0.9\", default-features = false, features = [\"macros\", \"migrate\", \"postgres\", \"runtime-tokio\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: on_server!(
            "static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!(\"./migrations\");",
            "    MIGRATIONS.run(&sqlx::PgPool::connect(&url).await?).await?;"
        ),
        layout: Layout::Plain,
    },
];

const WINDLASS_MYSQL: &str = on_server!(
    "static MIGRATIONS: windlass_mysql::Migrations = windlass_mysql::migrations!(\"migrations\");",
    "    windlass_mysql::deploy(&mysql_async::Pool::from_url(url)?, &MIGRATIONS).await?;"
);

const MYSQL: &[Minimal] = &[
    Minimal {
        name: "mysql_async alone",
        dependencies: "mysql_async = { version = \"0.37\", default-features = false, features = [\"minimal-rust\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: on_server!(
            "use mysql_async::prelude::Queryable as _;",
            "    let mut connection = mysql_async::Pool::from_url(url)?.get_conn().await?;
    connection.query_drop(\"CREATE TABLE IF NOT EXISTS ships (id integer)\").await?;"
        ),
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-mysql, default features off",
        dependencies: "mysql_async = { version = \"0.37\", default-features = false, features = [\"minimal-rust\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n\
            windlass-mysql = { path = \"CRATES/mysql\", default-features = false, features = [\"macros\"] }",
        source: WINDLASS_MYSQL,
        layout: Layout::Plain,
    },
    Minimal {
        name: "windlass-mysql",
        dependencies: "mysql_async = { version = \"0.37\", default-features = false, features = [\"minimal-rust\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\nwindlass-mysql = { path = \"CRATES/mysql\" }",
        source: WINDLASS_MYSQL,
        layout: Layout::Plain,
    },
    Minimal {
        name: "refinery",
        dependencies: "mysql_async = { version = \"*\", default-features = false, features = [\"minimal\"] }\n\
            refinery = { version = \"*\", features = [\"mysql_async\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: on_server!(
            "mod embedded { refinery::embed_migrations!(\"migrations\"); }",
            "    embedded::migrations::runner().run_async(&mut mysql_async::Pool::from_url(url.as_str())?).await?;"
        ),
        layout: Layout::Refinery,
    },
    Minimal {
        name: "sqlx migrate",
        dependencies: "sqlx = { version = \"0.9\", default-features = false, features = [\"macros\", \"migrate\", \"mysql\", \"runtime-tokio\"] }\n\
            tokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        source: on_server!(
            "static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!(\"./migrations\");",
            "    MIGRATIONS.run(&sqlx::MySqlPool::connect(&url).await?).await?;"
        ),
        layout: Layout::Plain,
    },
];
