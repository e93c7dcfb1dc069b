//! The whole of it: a program that brings its database up to date when it starts, with a connection of its pool.
//!
//! `DATABASE_URL=mysql://… cargo run --package windlass-mysql --example mysql_start`

use windlass_mysql::{Migrations, deploy, mysql_async::Pool};

static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::from_url(std::env::var("DATABASE_URL")?)?;
    match deploy(&pool, &MIGRATIONS).await {
        Ok(report) => println!("applied {} migrations", report.applied.len()),
        Err(error) => {
            eprintln!("{}", error.story());
            std::process::exit(1);
        }
    }
    pool.disconnect().await?;
    Ok(())
}
