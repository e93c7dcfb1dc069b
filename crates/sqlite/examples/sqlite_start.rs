//! The whole of it: a program that brings its database up to date when it starts.
//!
//! `cargo run --package windlass-sqlite --example sqlite_start`

use windlass_sqlite::{Migrations, deploy, rusqlite::Connection};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = Connection::open("app.db")?;
    match deploy(&mut connection, &MIGRATIONS) {
        Ok(report) => println!("applied {} migrations", report.applied.len()),
        Err(error) => {
            eprintln!("{}", error.story());
            std::process::exit(1);
        }
    }
    Ok(())
}
