//! One schema per tenant, each with a history of its own.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --example tenants -- north south`
//!
//! One tenant's failure is told and the others are brought up to date all the same: run again, those that are have
//! nothing to do.

use windlass_postgres::tokio_postgres::{self, NoTls};
use windlass_postgres::{Migrations, Postgres, deploy};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let mut failed = 0;
    for tenant in std::env::args().skip(1) {
        let mut schema = Postgres::borrow(&mut client).schema(&tenant);
        match deploy(&mut schema, &MIGRATIONS).await {
            Ok(report) => println!("{tenant}: applied {} migrations", report.applied.len()),
            Err(error) => {
                failed += 1;
                println!("{tenant}: {}", error.story());
            }
        }
    }
    if failed > 0 { Err(format!("{failed} tenants are not up to date").into()) } else { Ok(()) }
}
