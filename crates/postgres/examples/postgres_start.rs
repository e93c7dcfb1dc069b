//! The whole of it: a program that brings its database up to date when it starts.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --example postgres_start`

use windlass_postgres::{Migrations, deploy, tokio_postgres};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    match deploy(&mut client, &MIGRATIONS).await {
        Ok(report) => println!("applied {} migrations", report.applied.len()),
        Err(error) => {
            eprintln!("{}", error.story());
            std::process::exit(1);
        }
    }
    Ok(())
}
