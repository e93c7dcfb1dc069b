//! A migration that SQL cannot say: a function of the program, in the order of the files.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --example postgres_data_migration`

use windlass_postgres::tokio_postgres::{self, Client, NoTls};
use windlass_postgres::{FunctionError, Migrations, Postgres, RustMigrations, deploy};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

/// Writes every name as one writes a name. Runs in one transaction with its record: all of it stands, or none.
async fn capitalise(client: &Client) -> Result<(), FunctionError> {
    for row in client.query("SELECT id, name FROM ships", &[]).await? {
        let (id, name): (i32, String) = (row.get(0), row.get(1));
        let mut letters = name.chars();
        let capitalised: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        client.execute("UPDATE ships SET name = $2 WHERE id = $1", &[&id, &capitalised]).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut client, connection) = tokio_postgres::connect(&std::env::var("DATABASE_URL")?, NoTls).await?;
    tokio::spawn(connection);
    // The 1 is the function's revision: counted up when it is changed before it ran everywhere.
    let functions = RustMigrations::new().add("3_capitals", 1, |client| Box::pin(capitalise(client)));
    let migrations = MIGRATIONS.with_rust(functions.migrations())?;
    let mut database = Postgres::borrow(&mut client).functions(&functions);
    let report = deploy(&mut database, &migrations).await.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    for applied in &report.applied {
        println!("applied {}", applied.name);
    }
    Ok(())
}
