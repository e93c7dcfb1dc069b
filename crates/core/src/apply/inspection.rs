//! Inspection: the history as the database has it, and whether the schema bears out what a look at objects told of it.

use crate::driver::{Driver, DriverError, Inspection};
use crate::history::{Attempt, Sight, State};
use crate::migration::Migration;
use crate::sql::Dialect;
use crate::sql::classify::{Left, left};
use crate::status::is_same_text;

/// Inspects the database. Where a deploy died over a statement, and the objects that the statement names are other than they
/// were, it is only taken for done if what it makes stands: somebody else may have changed them since.
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
    if taken_for_done.is_empty() {
        return Ok(inspection);
    }
    let schema = match driver.read_schema(false).await {
        Ok(schema) => schema,
        // Whoever cannot see it has the look at the objects alone.
        Err(DriverError::Schema(_)) => return Ok(inspection),
        Err(error) => return Err(error),
    };
    for (index, left) in taken_for_done {
        if !left.iter().all(|one| one.holds(&schema)) {
            inspection.history.attempts[index].sight = Sight::Unknown;
        }
    }
    Ok(inspection)
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
