//! `resolve` and `baseline`: a person's decision about the history, as a plan like any other.

use super::build::{Prefix, checksums, length};
use super::state::{Text, compare, find_migration, has_run_head};
use super::{Blocked, Claim, Plan, Record, Resolve, ResolveInto, Segment, Standing, Step};
use crate::driver::{Access, Capabilities, Contents, Inspection};
use crate::history::{
    ACCEPTED_EDIT, Attempt, AttemptKind, HistoryError, InFlight, Liveness, Remnant, Sight, State,
};
use crate::migration::{Migration, MigrationKind, Position};
use crate::sql::Dialect;
use crate::sql::classify::leaves_nothing;
use crate::sql::split::SplitError;

/// What a person decided.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, Resolution, ResolveFailure, resolve};
/// # async fn example<'d, D>(database: impl Database<'d, D>, migrations: &Migrations) -> Result<(), ResolveFailure> {
/// resolve(database, migrations, Resolution::RolledBack, "7_index", "its table was dropped by hand").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolution {
    /// The whole migration stands, however that came about.
    Applied,
    /// Nothing of it stands.
    RolledBack,
    /// What was in flight did not take effect: go on after the last completed statement.
    Resume,
    /// What was in flight took effect, all of it; or what the statement that was refused makes stands by now: go on after it.
    TookEffect,
    /// The text (or name) in the project is the right one for what was applied.
    AcceptEdit,
}

/// Why a decision cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The history cannot be believed.
    #[error("the history cannot be trusted")]
    History(#[from] HistoryError),
    /// No such migration in the project.
    #[error(transparent)]
    Unknown(Blocked),
    /// A script that cannot be read.
    #[error("`{name}` cannot be split into statements")]
    Unsplittable {
        /// The migration.
        name: String,
        /// Why.
        source: SplitError,
    },
    /// Nothing was ever deployed here.
    #[error("the database has no history")]
    NoHistory {
        /// Some of its objects.
        examples: Vec<String>,
    },
    /// No attempt stands that this decision could be about.
    #[error("no attempt at `{name}` stands in the history")]
    NoAttempt {
        /// The name given.
        name: String,
    },
    /// The attempt is in a state that the decision does not fit.
    #[error("`{name}` is {}: {why}", .state.as_str())]
    WrongState {
        /// The migration.
        name: String,
        /// Its state.
        state: State,
        /// Why not.
        why: &'static str,
    },
    /// Nothing of what was to be recorded as applied can stand: the database is empty.
    #[error("the database is empty: nothing of `{name}`, or of what comes before it, stands in it")]
    EmptyDatabase {
        /// The migration that was named.
        name: String,
    },
    /// A decision about a migration whose file is gone: nothing tells what it makes, or made.
    #[error("the project does not have `{name}`: there is nothing that the database could be held against")]
    NotInProject {
        /// The migration.
        name: String,
    },
    /// An edit that was to be accepted of a migration of which nothing ran: it had no statements.
    #[error("`{name}` was empty when it was applied: nothing of its text has run")]
    WasEmpty {
        /// The migration.
        name: String,
    },
    /// The database cannot be written to.
    #[error("the database cannot be written to: {0}")]
    ReadOnly(String),
}

/// Finds the steps that write a decision about `name` into the history. That a migration stands of which the history has
/// nothing is believed of an empty database only if somebody insists (`force`).
///
/// # Errors
/// When the decision does not fit what the history says; nothing is written.
pub fn resolve<'m>(
    migrations: &'m [Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    (resolution, name): (Resolution, &str),
    reason: &str,
    force: bool,
) -> Result<Plan<'m>, ResolveError> {
    inspection.history.verify()?;
    if let Access::ReadOnly(reason) = &inspection.access {
        return Err(ResolveError::ReadOnly(reason.clone()));
    }
    let attempts = &inspection.history.attempts;
    // By its whole name, or by what else tells it in the project, such as its version.
    let named = |wanted: &str| attempts.iter().find(|a| a.claimed && a.name == wanted);
    let standing = named(name).or_else(|| named(find_migration(migrations, name).ok()?.name()));
    if let (Some(attempt), false) = (standing, force || resolution == Resolution::AcceptEdit)
        && !migrations.iter().any(|migration| migration.name() == attempt.name)
    {
        return Err(ResolveError::NotInProject { name: attempt.name.clone() });
    }
    match (resolution, standing) {
        (Resolution::Applied, None) => {
            let migration = find_migration(migrations, name).map_err(ResolveError::Unknown)?;
            let decision = (!reason.is_empty()).then(|| format!("applied: {reason}"));
            baseline_plan(&[migration], inspection, capabilities, force, decision)
        }
        (Resolution::TookEffect, Some(attempt)) => {
            took_effect(migrations, inspection, capabilities, attempt, reason)
        }
        (Resolution::AcceptEdit, _) => accept(migrations, inspection, capabilities, name, reason),
        (_, None) => {
            let found = find_migration(migrations, name);
            let whole = found.as_ref().map_or(name, |migration| migration.name());
            let was_tried = attempts.iter().any(|attempt| attempt.name == whole);
            Err(match found {
                // Of all that was tried, nothing stands.
                _ if was_tried => ResolveError::WrongState {
                    name: whole.to_owned(),
                    state: State::RolledBack,
                    why: "nothing of it stands",
                },
                Err(unknown) => ResolveError::Unknown(unknown),
                Ok(_) => ResolveError::NoAttempt { name: name.to_owned() },
            })
        }
        (_, Some(attempt)) => decide(inspection, resolution, attempt, reason),
    }
}

/// Finds the steps that record everything up to `name` as applied, without running it; on an empty database only if
/// somebody insists (`force`).
///
/// # Errors
/// When there is no such migration, one before it is unfinished, or the history cannot be written.
pub fn baseline<'m>(
    migrations: &'m [Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    name: &str,
    force: bool,
) -> Result<Plan<'m>, ResolveError> {
    inspection.history.verify()?;
    if let Access::ReadOnly(reason) = &inspection.access {
        return Err(ResolveError::ReadOnly(reason.clone()));
    }
    let target = find_migration(migrations, name).map_err(ResolveError::Unknown)?;
    let stands = |m: &Migration| inspection.history.attempts.iter().any(|a| a.claimed && a.name == m.name());
    let upto = Position::of(target.name());
    let is_unfinished = |a: &&Attempt| a.is_unfinished() && Position::of(&a.name) <= upto;
    if let Some(attempt) = inspection.history.attempts.iter().find(is_unfinished) {
        let why = "it comes before what is to be recorded, and has to be settled first";
        return Err(ResolveError::WrongState { name: attempt.name.clone(), state: attempt.state(), why });
    }
    let recorded: Vec<_> = migrations
        .iter()
        .filter(|m| m.kind() == MigrationKind::Versioned && Position::of(m.name()) <= upto && !stands(m))
        .collect();
    baseline_plan(&recorded, inspection, capabilities, force, None)
}

/// Records migrations as applied that nobody has run, as far as the database can hold what they make.
fn baseline_plan<'m>(
    recorded: &[&'m Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    force: bool,
    decision: Option<String>,
) -> Result<Plan<'m>, ResolveError> {
    let Some(last) = recorded.last() else { return Ok(Plan::default()) };
    let is_empty =
        inspection.contents == Contents::Empty && !inspection.history.attempts.iter().any(|a| a.claimed);
    if is_empty && !force && recorded.iter().any(|migration| is_to_be_seen(migration, capabilities.dialect)) {
        return Err(ResolveError::EmptyDatabase { name: last.name().to_owned() });
    }
    let mut standing = Standing::of(&inspection.history.attempts);
    let (mut claims, mut records) = (Vec::new(), Vec::new());
    for migration in recorded {
        let name = migration.name();
        let unsplittable = |source| ResolveError::Unsplittable { name: name.to_owned(), source };
        let statements = length(migration.statements(capabilities.dialect).map_err(unsplittable)?.len());
        claims.push(Claim {
            kind: AttemptKind::Baseline,
            name,
            checksums: checksums(migration, capabilities.dialect),
            statements,
            in_flight: None,
            watched: Vec::new(),
            supersedes: false,
        });
        let digest = standing.add(name, migration.raw_checksum());
        records.push(Record { name, epoch: 1, completed: statements, digest, decision: decision.clone() });
    }
    let mut segments = Vec::new();
    if !inspection.history.exists {
        segments.push(Segment { steps: vec![Step::CreateHistory] });
    }
    segments
        .push(Segment { steps: vec![Step::Begin, Step::Claim(claims), Step::Record(records), Step::Commit] });
    Ok(Plan { segments })
}

/// Whether a database in which the migration ran has something to show for it, as far as its text tells: not where it only
/// makes roles, grants, extensions or schemas, sets or reads something, or says nothing.
fn is_to_be_seen(migration: &Migration, dialect: Dialect) -> bool {
    let shows = |text: &str| !leaves_nothing(dialect, text);
    migration.is_rust()
        || migration.statements(dialect).is_ok_and(|statements| {
            statements.iter().any(|statement| shows(statement.text(migration.up().text())))
        })
}

/// Keeps the schema as it is, as a person decided.
pub(crate) fn accept_schema<'m>(
    inspection: &Inspection,
    accepted: String,
    grants: bool,
) -> Result<Plan<'m>, ResolveError> {
    inspection.history.verify()?;
    if let Access::ReadOnly(reason) = &inspection.access {
        return Err(ResolveError::ReadOnly(reason.clone()));
    }
    if inspection.history.attempts.is_empty() {
        let examples = match &inspection.contents {
            Contents::Holds(examples) => examples.clone(),
            Contents::Empty => Vec::new(),
        };
        return Err(ResolveError::NoHistory { examples });
    }
    let keep = Step::KeepSchema { accepted: Some(accepted), grants };
    Ok(Plan { segments: vec![Segment { steps: vec![Step::Begin, keep, Step::Commit] }] })
}

fn decide<'m>(
    inspection: &Inspection,
    resolution: Resolution,
    attempt: &Attempt,
    reason: &str,
) -> Result<Plan<'m>, ResolveError> {
    let mut standing = Standing::of(&inspection.history.attempts);
    let state = attempt.state();
    let wrong = |why| Err(ResolveError::WrongState { name: attempt.name.clone(), state, why });
    let (into, verb) = match (resolution, state) {
        // Where the server cannot tell whether the session lives, a person has to.
        (_, State::Running) if attempt.owner_session == Liveness::Alive => {
            return wrong("its session still lives; wait for it to end");
        }
        (Resolution::Applied, State::Applied) => return wrong("there is nothing to resolve"),
        (Resolution::Resume, State::Applied) => return wrong("there is nothing to resume"),
        (Resolution::Applied, _) => (ResolveInto::Applied, "applied"),
        (Resolution::RolledBack, _) => (ResolveInto::RolledBack, "rolled back"),
        (_, _) if matches!(attempt.sight, Sight::Remnant(_)) => (ResolveInto::ResumableOnceCleared, "resume"),
        (_, _) => (ResolveInto::Resumable, "resume"),
    };
    let digest = match resolution {
        Resolution::Applied => {
            standing.add(&attempt.name, &crate::migration::unhex(&attempt.checksums.raw).unwrap_or_default())
        }
        Resolution::RolledBack => standing.remove(&attempt.name),
        _ => String::new(),
    };
    Ok(decision(inspection, attempt, into, verb, reason, digest))
}

/// What a person may say of an attempt that it took effect: what was under way; else the next statement, where the attempt goes
/// no further by itself, since somebody may have made by hand what that makes.
pub(crate) fn under_way_or_next(attempt: &Attempt) -> Option<InFlight> {
    let next = attempt.completed + 1;
    let is_left = matches!(attempt.state(), State::Failed | State::Interrupted) && next <= attempt.statements;
    attempt.in_flight.or(is_left.then_some(InFlight { first: next, last: next }))
}

/// Goes on after the statements in flight, or the next one, once the text that ran is known to be the text that stands there.
fn took_effect<'m>(
    migrations: &'m [Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    attempt: &Attempt,
    reason: &str,
) -> Result<Plan<'m>, ResolveError> {
    let state = attempt.state();
    let wrong = |why| Err(ResolveError::WrongState { name: attempt.name.clone(), state, why });
    let Some(in_flight) = under_way_or_next(attempt) else {
        return wrong(
            "no statement of it was under way or is left, so none can be said to have taken effect",
        );
    };
    if state == State::Running && attempt.owner_session == Liveness::Alive {
        return wrong("its session still lives; wait for it to end");
    }
    if attempt.in_flight.is_some()
        && matches!(attempt.sight, Sight::Untouched | Sight::Remnant(Remnant::InvalidIndex { .. }))
    {
        return wrong("a look at the database tells that the statement in flight did not take effect");
    }
    let migration = find_migration(migrations, &attempt.name).map_err(ResolveError::Unknown)?;
    // In place of what was refused stands by now what is said to have taken effect.
    let is_mended = state == State::Failed
        && in_flight.first == in_flight.last
        && has_run_head(migration, attempt, capabilities.dialect);
    if matches!(compare(migration, attempt, capabilities.dialect), Text::Changed) && !is_mended {
        return wrong("its text changed since it ran: put the old one back, then say what took effect");
    }
    let dialect = capabilities.dialect;
    let unsplittable = |source| ResolveError::Unsplittable { name: attempt.name.clone(), source };
    let statements = migration.statements(dialect).map_err(unsplittable)?;
    let texts: Vec<&str> = statements.iter().map(|s| s.text(migration.up().text())).collect();
    let completed = (in_flight.last as usize).min(texts.len());
    let prefix = Prefix::new(dialect).of(texts.iter().take(completed).copied());
    let into = ResolveInto::ResumableAfter { completed: length(completed), prefix };
    Ok(decision(inspection, attempt, into, "took effect, resume", reason, String::new()))
}

fn accept<'m>(
    migrations: &'m [Migration],
    inspection: &Inspection,
    capabilities: &Capabilities,
    name: &str,
    reason: &str,
) -> Result<Plan<'m>, ResolveError> {
    let migration = find_migration(migrations, name).map_err(ResolveError::Unknown)?;
    let attempts = &inspection.history.attempts;
    let stands = |wanted: &str| attempts.iter().find(|a| a.claimed && a.name == wanted);
    let in_project = |a: &Attempt| migrations.iter().any(|m| m.name() == a.name);
    let renamed = || {
        let same_text = |a: &Attempt| !matches!(compare(migration, a, capabilities.dialect), Text::Changed);
        attempts.iter().find(|a| a.claimed && !in_project(a) && same_text(a))
    };
    let attempt = stands(migration.name()).or_else(renamed);
    let attempt = attempt.ok_or_else(|| ResolveError::NoAttempt { name: name.to_owned() })?;
    let state = attempt.state();
    if state != State::Applied {
        let why = "only an applied migration's edit can be accepted";
        return Err(ResolveError::WrongState { name: attempt.name.clone(), state, why });
    }
    let now = checksums(migration, capabilities.dialect);
    if now == attempt.checksums && migration.name() == attempt.name {
        let why = "its text is the one that was applied";
        return Err(ResolveError::WrongState { name: attempt.name.clone(), state, why });
    }
    let has_statements = migration.statements(capabilities.dialect).is_ok_and(|s| !s.is_empty());
    if attempt.statements == 0 && attempt.kind != AttemptKind::Baseline && has_statements {
        return Err(ResolveError::WasEmpty { name: attempt.name.clone() });
    }
    let mut standing = Standing::of(attempts);
    standing.remove(&attempt.name);
    let digest = standing.add(migration.name(), migration.raw_checksum());
    let into = ResolveInto::Accepted { name: migration.name(), checksums: now };
    let verb = match migration.name() == attempt.name {
        true => ACCEPTED_EDIT.to_owned(),
        false => format!("accepted as the new name of {}", attempt.name),
    };
    Ok(decision(inspection, attempt, into, &verb, reason, digest))
}

fn decision<'m>(
    inspection: &Inspection,
    attempt: &Attempt,
    into: ResolveInto<'m>,
    verb: &str,
    reason: &str,
    digest: String,
) -> Plan<'m> {
    let resolution = if reason.is_empty() { verb.to_owned() } else { format!("{verb}: {reason}") };
    let step = Step::Resolve(Resolve {
        id: attempt.id,
        from_owner: attempt.owner.clone(),
        from_epoch: attempt.epoch,
        into,
        resolution,
        digest,
        newest: inspection.history.attempts.last().map_or(attempt.id, |newest| newest.id),
    });
    Plan { segments: vec![Segment { steps: vec![Step::Begin, step, Step::Commit] }] }
}
