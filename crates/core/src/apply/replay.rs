//! Replay: migrations run on a shadow database, and one of them state by state.

use super::attempt::{Ended, Runner};
use super::{DeployError, DeployOptions, REPLANS, Silent, Stop, deploy};
use crate::drift::{DriftPolicy, Known};
use crate::driver::{Contents, Driver, DriverError, Run};
use crate::migration::{Migration, MigrationKind};
use crate::plan::{Plan, Segment, Step};
use crate::schema::Schema;
use crate::shadow::{Replay, ReplayError, Untold, WorkedOut, check};
use crate::source::Migrations;

/// Gives a shadow database what the live one gives to whatever is made in it without saying. What the shadow's server does not
/// know stays as it is there, and is told as a difference.
///
/// # Errors
/// When either cannot be used.
pub(super) async fn furnish(shadow: &mut dyn Driver, like: &mut dyn Driver) -> Result<(), DriverError> {
    let Some(defaults) = like.defaults().await? else { return Ok(()) };
    // Somebody's is refused, and stays as it is.
    if let Contents::Holds(_) = shadow.inspect().await?.contents {
        return Ok(());
    }
    match shadow.take_defaults(&defaults).await {
        Err(DriverError::Refused(_)) => Ok(()),
        taken => taken,
    }
}

/// Runs these migrations of the project on an empty shadow database, in their order, and reads the schema that they
/// make; and then, where the project has repeatable ones besides, the schema with theirs.
///
/// # Errors
/// When the shadow database is not empty, a statement reaches beyond it, a migration is none of the project's or cannot
/// be run.
pub async fn replay_all(
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    names: &[&str],
) -> Result<Vec<Schema>, ReplayError> {
    let is_besides = |migration: &Migration| {
        migration.kind() == MigrationKind::Repeatable && !names.contains(&migration.name())
    };
    let besides = migrations.iter().filter(|migration| is_besides(migration)).map(Migration::name);
    let all: Vec<&str> = names.iter().copied().chain(besides).collect();
    let set = chosen(shadow, migrations, &all).await?;
    let mut made = Vec::new();
    for set in [set.only(|migration| !is_besides(migration)), set] {
        if made.is_empty() || all.len() > names.len() {
            deploy(shadow, &set, &options(), &mut Silent, &Stop::new()).await?;
            made.push(shadow.read_schema(false).await?);
        }
    }
    Ok(made)
}

/// Runs the migrations `before` on an empty shadow database, and then `of`, reading the schema in each state in which an
/// interruption may leave that.
///
/// # Errors
/// As for [`replay_all`].
pub async fn replay(
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    before: &[&str],
    of: &Migration,
) -> Result<Replay, ReplayError> {
    replay_with(shadow, migrations, before, of, 0).await
}

/// The same, and the schema behind so many of its statements is among the states, whatever transaction they are in.
pub(super) async fn replay_with(
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    before: &[&str],
    of: &Migration,
    done: u32,
) -> Result<Replay, ReplayError> {
    let dialect = shadow.capabilities().dialect;
    let (before, all) = (before.to_vec(), [before, &[of.name()]].concat());
    chosen(shadow, migrations, &all).await?;
    let before = migrations.only(|migration| before.contains(&migration.name()));
    deploy(shadow, &before, &options(), &mut Silent, &Stop::new()).await?;
    let set = migrations.only(|migration| all.contains(&migration.name()));
    let statements = match of.is_rust() {
        true => 1,
        false => of.statements(dialect).map_or(0, |statements| statements.len()),
    };
    let statements = u32::try_from(statements).unwrap_or(u32::MAX);
    let (states, broken) = states(shadow, &set, statements, (of.name(), done)).await?;
    let worked_out = WorkedOut::of(&set, dialect);
    Ok(Replay {
        statements,
        states,
        broken,
        worked_out,
        untold: Untold::Nothing,
        known: Known::default(),
        taken: Vec::new(),
        remnant: None,
    })
}

fn options() -> DeployOptions {
    let mut options = DeployOptions::new(Run::of_this_program());
    options.drift.policy = DriftPolicy::Off;
    options.plan.out_of_order = true;
    options
}

/// These of the project, once nothing speaks against running them there.
async fn chosen(
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    names: &[&str],
) -> Result<Migrations, ReplayError> {
    let inspection = shadow.inspect().await?;
    if let Contents::Holds(names) = inspection.contents {
        return Err(ReplayError::NotEmpty(names));
    }
    let missing = names.iter().filter(|name| migrations.get(name).is_none());
    let missing: Vec<_> = missing.map(|name| (*name).to_owned()).collect();
    if !missing.is_empty() {
        return Err(ReplayError::Missing(missing));
    }
    let set = migrations.only(|migration| names.contains(&migration.name()));
    check(&set, shadow)?;
    Ok(set)
}

/// The states of a migration, and what keeps it from going on after the last of them.
type States = (Vec<(u32, Schema)>, Option<DeployError>);

/// Runs what is pending, one migration, a segment at a time.
async fn states(
    shadow: &mut dyn Driver,
    set: &Migrations,
    statements: u32,
    (name, done): (&str, u32),
) -> Result<States, ReplayError> {
    let (mut options, stop) = (options(), Stop::new());
    options.plan.cut_behind = (done > 0).then(|| (name.to_owned(), done));
    options.plan.owner = Some(options.run.owner.clone());
    for _ in 0..REPLANS {
        let mut states = vec![(0, shadow.read_schema(false).await?)];
        let inspection = shadow.inspect().await?;
        let capabilities = shadow.capabilities().clone();
        let outlook = crate::plan::plan(set.as_slice(), &inspection, &capabilities, &options.plan);
        let plan = outlook.map_err(DeployError::from)?.plan;
        let mut silent = Silent;
        let mut runner = Runner::new(&inspection, &capabilities, &options, &mut silent, &stop);
        let mut again = None;
        let mut executed = None;
        for segment in plan.segments.into_iter().flat_map(parted) {
            executed = last_executed(&segment).or(executed);
            match runner.run(shadow, &Plan { segments: vec![segment] }).await {
                Ok(Ended::Done) => {}
                Err(error @ DeployError::Statement(_)) => return Ok((states, Some(error))),
                Err(error) => return Err(error.into()),
                Ok(Ended::EnumValueUsed(name)) => {
                    again = Some(name);
                    break;
                }
                _ => return Err(DeployError::TakenOver { name: "the history".to_owned() }.into()),
            }
            let done =
                runner.completed().map_or(statements, |completed| completed.max(executed.unwrap_or(0)));
            states.push((done, shadow.read_schema(false).await?));
        }
        match again {
            Some(name) => options.plan.enum_values_at_once.insert(name),
            None => return Ok((states, None)),
        };
    }
    Err(DeployError::TakenOver { name: "the history".to_owned() }.into())
}

/// A segment that is no transaction, statement by statement: it can be cut off between any two of them.
fn parted(segment: Segment<'_>) -> Vec<Segment<'_>> {
    if segment.is_transaction() {
        return vec![segment];
    }
    let mut parts: Vec<Segment<'_>> = vec![Segment::default()];
    for step in segment.steps {
        let is_second = matches!(step, Step::Execute(_)) && parts.last().and_then(last_executed).is_some();
        if is_second {
            parts.push(Segment::default());
        }
        if let Some(part) = parts.last_mut() {
            part.steps.push(step);
        }
    }
    parts
}

/// The number of the last statement that a segment runs.
fn last_executed(segment: &Segment<'_>) -> Option<u32> {
    segment.steps.iter().rev().find_map(|step| match step {
        Step::Execute(execute) => Some(execute.number),
        _ => None,
    })
}
