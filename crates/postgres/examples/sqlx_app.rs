//! An application with a pool of sqlx: it deploys when it starts, and goes on with its pool.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --features sqlx --example sqlx_app`
//!
//! The deploy has a connection of its own beside those of the pool, opened with the pool's options: a pool of one is enough.

use windlass_postgres::sqlx::{self, PgPool};
use windlass_postgres::{Migrations, deploy};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPool::connect(&std::env::var("DATABASE_URL")?).await?;
    let report = deploy(&pool, &MIGRATIONS).await.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    println!("applied {} migrations", report.applied.len());

    let add = "INSERT INTO ships (id, name) SELECT count(*)::integer + 1, $1 FROM ships RETURNING id";
    let id: i32 = sqlx::query_scalar(add).bind("Anna").fetch_one(&pool).await?;
    println!("Anna is ship {id}");
    pool.close().await;
    Ok(())
}
