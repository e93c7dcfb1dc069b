//! Inspection: the history as the database has it, and whether the schema bears out what a look at objects told of it.

use crate::drift::accepted_in_the_midst;
use crate::driver::{Driver, DriverError, Inspection, Undone};
use crate::history::{Attempt, Sight, State};
use crate::migration::Migration;
use crate::plan::tells_what_began;
use crate::sql::Dialect;
use crate::sql::classify::{Lasting, Left, lasting, left};
use crate::status::is_same_text;

/// Inspects the database. Where a deploy died over a statement, and the objects that the statement names are other than they
/// were, it is only taken for done if what it makes stands: somebody else may have changed them since. And what half-done
/// migrations made may have been undone by hand.
///
/// ```
/// # use windlass_core::driver::{Driver, DriverError};
/// # use windlass_core::source::Migrations;
/// # use windlass_core::status::status;
/// # async fn example(driver: &mut dyn Driver, migrations: &Migrations) -> Result<(), DriverError> {
/// let inspection = windlass_core::apply::inspect(driver, migrations.as_slice()).await?;
/// let lines = status(migrations.as_slice(), &inspection, driver.capabilities().dialect);
/// # let _ = lines; Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn inspect(driver: &mut dyn Driver, migrations: &[Migration]) -> Result<Inspection, DriverError> {
    let mut inspection = driver.inspect().await?;
    let dialect = driver.capabilities().dialect;
    let claimed = inspection.history.attempts.iter().enumerate();
    let taken_for_done: Vec<(usize, Vec<Left>)> = claimed
        .map(|(index, attempt)| (index, left_by(attempt, migrations, dialect)))
        .filter(|(_, left)| !left.is_empty())
        .collect();
    let half_done = inspection.history.attempts.iter();
    let half_done: Vec<(String, Vec<Lasting>)> = half_done
        .map(|attempt| (attempt.name.clone(), lasting_of(attempt, &inspection, migrations, dialect)))
        .filter(|(_, lasting)| !lasting.is_empty())
        .collect();
    if taken_for_done.is_empty() && half_done.is_empty() {
        return Ok(inspection);
    }
    let schema = match driver.read_schema(false).await {
        Ok(schema) => schema,
        // Whoever cannot see it has the look at the objects alone.
        Err(DriverError::Schema(_) | DriverError::Refused(_)) => return Ok(inspection),
        Err(error) => return Err(error),
    };
    for (index, left) in taken_for_done {
        if !left.iter().all(|one| one.holds(&schema)) {
            inspection.history.attempts[index].sight = Sight::Unknown;
        }
    }
    for (migration, lasting) in half_done {
        let undone = lasting.iter().filter(|one| !one.stands_in(&schema)).map(|one| Undone {
            migration: migration.clone(),
            statement: one.number,
            object: one.to_string(),
        });
        inspection.surroundings.undone.extend(undone);
    }
    Ok(inspection)
}

/// What the statements of a half-done migration made that are done, but for what a person took as it was since.
fn lasting_of(
    attempt: &Attempt,
    inspection: &Inspection,
    migrations: &[Migration],
    dialect: Dialect,
) -> Vec<Lasting> {
    let is_half_done = attempt.claimed
        && attempt.completed > 0
        && matches!(attempt.state(), State::Failed | State::Interrupted);
    // Hardly ever: nobody looks the others up.
    if !is_half_done {
        return Vec::new();
    }
    let migration = migrations.iter().find(|migration| migration.name() == attempt.name);
    let Some(migration) = migration.filter(|migration| !migration.is_rust()) else { return Vec::new() };
    if !tells_what_began(migration, attempt, dialect) {
        return Vec::new();
    }
    let (text, statements) = (migration.up().text(), migration.statements(dialect).unwrap_or_default());
    // So may those that were under way.
    let begun = statements.iter().take(attempt.begun() as usize);
    let begun = begun.map(|statement| statement.text(text));
    let mut all = lasting(dialect, begun, inspection.surroundings.runs_code());
    let taken = accepted_in_the_midst(&inspection.history, attempt).unwrap_or(0);
    all.retain(|one| one.number > taken && one.number <= attempt.completed);
    all
}

/// What the statement leaves in whose midst a deploy died, where its objects are other than before.
fn left_by(attempt: &Attempt, migrations: &[Migration], dialect: Dialect) -> Vec<Left> {
    let is_taken_for_done = attempt.claimed
        && attempt.sight == Sight::Changed
        && !matches!(attempt.state(), State::Applied | State::RolledBack);
    // Hardly ever: nobody looks the others up.
    let Some(in_flight) = attempt.in_flight.filter(|_| is_taken_for_done) else { return Vec::new() };
    let Some(migration) = migrations.iter().find(|migration| migration.name() == attempt.name) else {
        return Vec::new();
    };
    if in_flight.first != in_flight.last || migration.is_rust() || !is_same_text(migration, attempt, dialect)
    {
        return Vec::new();
    }
    let statements = migration.statements(dialect).unwrap_or_default();
    let statement = (in_flight.last as usize).checked_sub(1).and_then(|index| statements.get(index));
    statement.map_or_else(Vec::new, |statement| left(dialect, statement.text(migration.up().text())))
}
