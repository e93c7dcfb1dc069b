//! An application with a pool of sqlx: it deploys when it starts, and goes on with its pool.
//!
//! `cargo run --package windlass-sqlite --features sqlx --example sqlite_sqlx`

use windlass_sqlite::sqlx::{self, SqlitePool};

static MIGRATIONS: windlass_sqlite::Migrations = windlass_sqlite::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = SqlitePool::connect("sqlite:app.db?mode=rwc").await?;
    windlass_sqlite::futures::deploy(&pool, &MIGRATIONS).await.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });

    let ships: i64 = sqlx::query_scalar("SELECT count(*) FROM ships").fetch_one(&pool).await?;
    println!("{ships} ships");
    pool.close().await;
    Ok(())
}
