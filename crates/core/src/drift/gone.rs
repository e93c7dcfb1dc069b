//! Gone: tables and columns that migrations made since the schema was kept, and that nobody sees any more. What was kept does
//! not know them.

use super::ran_since;
use crate::driver::{Driver, DriverError, Inspection};
use crate::history::State;
use crate::migration::Migration;
use crate::plan::tells_what_began;
use crate::schema::{Against, Change, Difference, Kept};
use crate::sql::Dialect;
use crate::sql::classify::{Lasting, lasting};

/// What applied migrations made since the schema was kept, and that is not there. The whole schema is read only where they
/// made something.
pub(super) async fn gone(
    driver: &mut dyn Driver,
    kept: &Kept,
    inspection: &Inspection,
    migrations: &[Migration],
) -> Result<Vec<Difference>, DriverError> {
    let made = made_since(kept, inspection, migrations, driver.capabilities().dialect);
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let live = driver.read_schema(false).await?;
    let gone = made.into_iter().filter(|(_, one)| !one.stands_in(&live));
    Ok(gone
        .map(|(migration, one)| Difference {
            key: one.key(),
            change: Change::Gone { migration, statement: one.number },
            before: None,
            now: None,
            against: Against::Earlier,
        })
        .collect())
}

/// What applied migrations made since, each with the migration's name; nothing where anything ran since that no text tells of for
/// certain. What a half-done migration made is [asked for](crate::apply::inspect) whatever was kept.
fn made_since(
    kept: &Kept,
    inspection: &Inspection,
    migrations: &[Migration],
    dialect: Dialect,
) -> Vec<(String, Lasting)> {
    let (mut texts, mut origins) = (Vec::new(), Vec::new());
    for (attempt, range) in ran_since(kept, &inspection.history) {
        let migration = migrations.iter().find(|migration| migration.name() == attempt.name);
        let is_known = |migration: &&Migration| {
            !migration.is_rust()
                && attempt.state() != State::Running
                && (attempt.is_decided() || tells_what_began(migration, attempt, dialect))
        };
        let Some(migration) = migration.filter(is_known) else { return Vec::new() };
        let Ok(statements) = migration.statements(dialect) else { return Vec::new() };
        let text = migration.up().text();
        for (statement, number) in statements.iter().zip(1..).take(range.end).skip(range.start) {
            texts.push(statement.text(text));
            origins.push((attempt, number));
        }
    }
    let made = lasting(dialect, texts, inspection.surroundings.runs_code()).into_iter();
    let made = made.filter_map(|mut one| {
        let (attempt, number) = origins.get((one.number as usize).checked_sub(1)?)?;
        one.number = *number;
        // What was made by hand, or undone, is a person's word.
        (attempt.state() == State::Applied && !attempt.is_decided()).then(|| (attempt.name.clone(), one))
    });
    made.collect()
}
