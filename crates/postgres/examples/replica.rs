//! A replica that does not deploy: it waits until another process has, and then serves.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --example replica`
//!
//! It needs no right to change the schema. What only a person can mend is told at once, without waiting.

use std::process::ExitCode;
use std::time::Duration;
use windlass_postgres::tokio_postgres::{self, NoTls};
use windlass_postgres::{Migrations, wait_until_current};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let seconds = std::env::var("WAIT_SECONDS").map_or(Ok(60), |seconds| seconds.parse())?;
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    println!("waiting");
    if let Err(error) = wait_until_current(&mut client, &MIGRATIONS, Duration::from_secs(seconds)).await {
        eprintln!("not serving: {error}");
        return Ok(ExitCode::FAILURE);
    }
    let ships = client.query_one("SELECT count(*) FROM ships", &[]).await?;
    println!("serving {} ships", ships.get::<_, i64>(0));
    Ok(ExitCode::SUCCESS)
}
