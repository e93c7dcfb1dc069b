//! A migration that SQL cannot say: a function of the program, in the order of the files.
//!
//! `DATABASE_URL=mysql://… cargo run --package windlass-mysql --example mysql_data_migration`

use windlass_mysql::mysql_async::{Conn, Opts, prelude::Queryable};
use windlass_mysql::{FunctionError, Migrations, MySql, RustMigrations, deploy};

static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");

/// Writes every name as one writes a name. It changes rows only, so that it runs in one transaction with its record.
async fn capitalise(conn: &mut Conn) -> Result<(), FunctionError> {
    for (id, name) in conn.query::<(i32, String), _>("SELECT id, name FROM ships").await? {
        let mut letters = name.chars();
        let capitalised: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        conn.exec_drop("UPDATE ships SET name = ? WHERE id = ?", (capitalised, id)).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = Conn::new(Opts::from_url(&std::env::var("DATABASE_URL")?)?).await?;
    // The 1 is the function's revision: counted up when it is changed before it ran everywhere.
    let functions = RustMigrations::new().add_rows_only("3_capitals", 1, |conn| Box::pin(capitalise(conn)));
    let migrations = MIGRATIONS.with_rust(functions.migrations())?;
    let mut database = MySql::borrow(&mut conn).await?.functions(&functions);
    let report = deploy(&mut database, &migrations).await.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    drop(database);
    for applied in &report.applied {
        println!("applied {}", applied.name);
    }
    conn.disconnect().await?;
    Ok(())
}
