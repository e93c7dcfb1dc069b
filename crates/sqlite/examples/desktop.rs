//! A desktop program that upgrades its user's file, with a backup beside it.
//!
//! `cargo run --package windlass-sqlite --example desktop -- fleet.db`

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use windlass_sqlite::rusqlite::Connection;
use windlass_sqlite::{Migrations, Verdict, deploy, verify};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: desktop FILE")?;
    let mut connection = Connection::open(&file)?;
    match verify(&mut connection, &MIGRATIONS)? {
        Verdict::Current => println!("up to date"),
        // Somebody opened the file with a tool of theirs, and made an index, say.
        Verdict::Drifted(drift) => println!("used as it is, although {drift}"),
        Verdict::Ahead { .. } => println!("written by a newer release, and used as it is"),
        // Only what is behind is changed; anything else is for `deploy` to refuse, in words.
        _ => {
            if let Some(backup) = back_up(&connection, &file)? {
                println!("backed up to {}", backup.display());
            }
            let report = deploy(&mut connection, &MIGRATIONS).unwrap_or_else(|error| {
                eprintln!("{}", error.story());
                std::process::exit(1)
            });
            println!("applied {} migrations", report.applied.len());
        }
    }
    let ships: i64 = connection.query_row("SELECT count(*) FROM ships", [], |row| row.get(0))?;
    println!("{ships} ships");
    Ok(())
}

/// Copies what is in the file; nothing where it is new.
///
/// `VACUUM INTO` copies one moment of the database, its write-ahead log included, which a copied file would not be.
fn back_up(connection: &Connection, file: &Path) -> Result<Option<PathBuf>, Box<dyn Error>> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects == 0 {
        return Ok(None);
    }
    let backup = file.with_extension("backup.db");
    let unfinished = file.with_extension("backup.part");
    // Left by a run that was killed half-way: SQLite would not write over it.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    connection.execute("VACUUM INTO ?1", [unfinished.to_str().ok_or("the path is not UTF-8")?])?;
    fs::File::open(&unfinished)?.sync_all()?;
    // By this name there is a whole backup or none.
    fs::rename(&unfinished, &backup)?;
    Ok(Some(backup))
}
