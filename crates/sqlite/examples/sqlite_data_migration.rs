//! A migration that SQL cannot say: a function of the program, in the order of the files.
//!
//! `cargo run --package windlass-sqlite --example sqlite_data_migration -- fleet.db`

use windlass_sqlite::rusqlite::Connection;
use windlass_sqlite::{FunctionError, Migrations, RustMigrations, Sqlite, deploy};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

/// Writes every name as one writes a name. Runs in one transaction with its record: all of it stands, or none.
fn capitalise(connection: &Connection) -> Result<(), FunctionError> {
    let mut ships = connection.prepare("SELECT id, name FROM ships")?;
    let ships: Vec<(i64, String)> =
        ships.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, name) in ships {
        let mut letters = name.chars();
        let capitalised: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        connection.execute("UPDATE ships SET name = ?2 WHERE id = ?1", (id, capitalised))?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: sqlite_data_migration FILE")?;
    // The 1 is the function's revision: counted up when it is changed before it ran everywhere.
    let functions = RustMigrations::new().add("3_capitals", 1, capitalise);
    let migrations = MIGRATIONS.with_rust(functions.migrations())?;
    let mut connection = Connection::open(file)?;
    let mut database = Sqlite::borrow(&mut connection).functions(&functions);
    let report = deploy(&mut database, &migrations).unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    for applied in &report.applied {
        println!("applied {}", applied.name);
    }
    Ok(())
}
