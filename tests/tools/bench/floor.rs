//! The floor: what the raw drivers need at least to apply migrations and to remember them.

use crate::scripts;
use crate::session::{Place, Raw};
use harness::Family;

/// A table that remembers migrations, and no more than that.
fn history(family: Family) -> &'static str {
    match family {
        Family::Postgres => {
            "CREATE TABLE floor_history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, \
             checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), digest text NOT NULL)"
        }
        Family::MySql | Family::MariaDb => {
            "CREATE TABLE floor_history (id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
             checksum varchar(64) NOT NULL, in_flight int NULL, applied_at datetime(6) NULL, digest varchar(64) NOT NULL) \
             ENGINE=InnoDB"
        }
        Family::Sqlite => {
            "CREATE TABLE floor_history (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL, \
             applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, digest TEXT NOT NULL)"
        }
    }
}

/// Makes a database that already has history.
pub(crate) async fn begin_history(place: &Place, applied: usize) {
    let mut raw = place.raw().await;
    raw.run(history(place.family)).await;
    for number in 1..=applied {
        each(&mut raw, number).await;
    }
}

/// Everything in one transaction, with a history row each. Where DDL commits by itself, one after the other.
pub(crate) async fn in_one_transaction(place: &Place, count: usize) {
    let mut raw = place.raw().await;
    match &mut raw {
        Raw::Postgres(_) => {
            raw.run(&format!("BEGIN; {}", history(place.family))).await;
            let numbers: Vec<usize> = (1..=count).collect();
            for part in numbers.chunks(250) {
                let tables: Vec<String> = part.iter().map(|&number| scripts::table(number)).collect();
                let rows: Vec<String> = part.iter().map(|&number| row(number)).collect();
                let insert =
                    format!("INSERT INTO floor_history (name, checksum, digest) VALUES {}", rows.join(", "));
                raw.run(&format!("{}; {insert}", tables.join("; "))).await;
            }
            raw.run("COMMIT").await;
        }
        Raw::Sqlite(connection) => {
            let result = (|| {
                connection.execute_batch("BEGIN IMMEDIATE")?;
                connection.execute_batch(history(place.family))?;
                for number in 1..=count {
                    connection.execute_batch(&scripts::table(number))?;
                }
                let mut insert = connection.prepare(INSERT)?;
                for number in 1..=count {
                    insert.execute([&scripts::name(number), DIGEST, DIGEST])?;
                }
                connection.execute_batch("COMMIT")
            })();
            result.expect("one transaction");
        }
        Raw::MySql(_) => {
            raw.run(history(place.family)).await;
            one_by_one_in(&mut raw, 1..=count).await;
        }
    }
}

/// A transaction each, in one round trip.
pub(crate) async fn one_by_one(place: &Place, numbers: std::ops::RangeInclusive<usize>) {
    let mut raw = place.raw().await;
    one_by_one_in(&mut raw, numbers).await;
}

async fn one_by_one_in(raw: &mut Raw, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        each(raw, number).await;
    }
}

const INSERT: &str = "INSERT INTO floor_history (name, checksum, digest) VALUES (?1, ?2, ?3)";
const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn row(number: usize) -> String {
    format!("('{}', '{DIGEST}', '{DIGEST}')", scripts::name(number))
}

async fn each(raw: &mut Raw, number: usize) {
    let (table, name) = (scripts::table(number), scripts::name(number));
    match raw {
        Raw::Postgres(_) => {
            let insert = format!("INSERT INTO floor_history (name, checksum, digest) VALUES {}", row(number));
            raw.run(&format!("BEGIN; {table}; {insert}; COMMIT")).await;
        }
        // What is in flight is written before the statement that commits by itself, what came of it after.
        Raw::MySql(_) => {
            raw.run(&format!(
                "INSERT INTO floor_history (name, checksum, in_flight, digest) VALUES ('{name}', '{DIGEST}', 1, ''); {table}; \
                 UPDATE floor_history SET in_flight = NULL, applied_at = UTC_TIMESTAMP(6), digest = '{DIGEST}' \
                 WHERE name = '{name}'"
            ))
            .await;
        }
        Raw::Sqlite(connection) => {
            let result = (|| {
                connection.prepare("BEGIN IMMEDIATE")?.execute([])?;
                connection.execute_batch(&table)?;
                connection.prepare(INSERT)?.execute([&name, DIGEST, DIGEST])?;
                connection.prepare("COMMIT")?.execute([])
            })();
            result.expect("a transaction");
        }
    }
}
