//! A web service that deploys when it starts: axum, with a pool of deadpool's.
//!
//! `DATABASE_URL=postgres://… cargo run --package windlass-postgres --example web_service`
//!
//! Any number of them may start at once: one deploys, the others wait and find it done.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use deadpool_postgres::{Config, Pool, Runtime};
use std::error::Error;
use windlass_postgres::tokio_postgres::NoTls;
use windlass_postgres::{Migrations, deploy, verify};

static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::new();
    config.url = Some(std::env::var("DATABASE_URL")?);
    let pool = config.create_pool(Some(Runtime::Tokio1), NoTls)?;

    // A connection of the pool, which is given back as it was.
    let mut client = pool.get().await?;
    let report = deploy(&mut **client, &MIGRATIONS).await.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    drop(client);
    println!("applied {} migrations", report.applied.len());

    let service =
        Router::new().route("/ships", get(ships).post(add)).route("/ready", get(is_ready)).with_state(pool);
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}

async fn ships(State(pool): State<Pool>) -> Result<Json<Vec<String>>, StatusCode> {
    let client = pool.get().await.map_err(unavailable)?;
    let rows = client.query("SELECT name FROM ships ORDER BY id", &[]).await.map_err(unavailable)?;
    Ok(Json(rows.iter().map(|row| row.get(0)).collect()))
}

async fn add(State(pool): State<Pool>, Json(name): Json<String>) -> Result<StatusCode, StatusCode> {
    let client = pool.get().await.map_err(unavailable)?;
    let insert = "INSERT INTO ships (id, name) SELECT count(*)::integer + 1, $1 FROM ships";
    client.execute(insert, &[&name]).await.map_err(unavailable)?;
    Ok(StatusCode::CREATED)
}

/// One round trip where all is well, however many migrations there are.
async fn is_ready(State(pool): State<Pool>) -> Result<String, StatusCode> {
    let mut client = pool.get().await.map_err(unavailable)?;
    let verdict = verify(&mut **client, &MIGRATIONS).await.map_err(unavailable)?;
    if verdict.may_run() { Ok(verdict.to_string()) } else { Err(StatusCode::SERVICE_UNAVAILABLE) }
}

fn unavailable(error: impl Error) -> StatusCode {
    eprintln!("{error}");
    StatusCode::SERVICE_UNAVAILABLE
}
