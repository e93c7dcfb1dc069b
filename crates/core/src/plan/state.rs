//! The survey: what of the project stands in the history, what is pending, and what forbids a plan.

use super::build::{Options, Prefix, Remark, Work};
use super::pieces::Prepared;
use super::standing::Standing;
use super::tables::Tables;
use super::{Blocked, Place, indexes};
use crate::directive::nearest;
use crate::driver::{Capabilities, Contents, Inspection, Surroundings};
use crate::history::{Attempt, AttemptKind, InFlight, Remnant, Sight, State};
use crate::migration::{Migration, MigrationKind, Position, hex};
use crate::sql::Dialect;
use crate::sql::classify::Objects;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) struct Survey<'m, 'h> {
    /// The attempt to go on with, before anything else.
    pub(super) resumed: Option<Resumed<'m, 'h>>,
    pub(super) pending: Vec<Work<'m>>,
    pub(super) standing: Standing,
    pub(super) remarks: Vec<Remark>,
}

/// An attempt that can go on.
pub(super) struct Resumed<'m, 'h> {
    pub(super) prepared: Prepared<'m>,
    pub(super) attempt: &'h Attempt,
    /// Statements that stand, those included that a look found done.
    pub(super) completed: usize,
    /// What the statement in flight left, which is cleared away first.
    pub(super) remnant: Option<&'h Remnant>,
}

pub(super) fn survey<'m, 'h>(
    migrations: &'m [Migration],
    inspection: &'h Inspection,
    capabilities: &Capabilities,
    options: &Options,
) -> Result<Survey<'m, 'h>, Blocked> {
    inspection.history.verify()?;
    if options.strict_order {
        refuse_shared_versions(migrations)?;
    }
    let target = options.to.as_deref().map(|name| find_target(migrations, name)).transpose()?;
    refuse_wrong_database(migrations, inspection, options)?;

    let standing: HashMap<&str, &Attempt> =
        inspection.history.attempts.iter().filter(|a| a.claimed).map(|a| (a.name.as_str(), a)).collect();
    let mut remarks = Vec::new();
    let (mut pending, mut edited, mut unfinished) = (Vec::new(), Vec::new(), None);
    for migration in migrations {
        match standing.get(migration.name()) {
            None => pending.push((migration, false)),
            Some(attempt) if attempt.state() != State::Applied => {
                if let Some((_, other)) = unfinished.replace((migration, *attempt)) {
                    return Err(two_unfinished(other, attempt));
                }
            }
            Some(attempt) => match compare(migration, attempt, capabilities.dialect) {
                Text::Same => {}
                Text::Reformatted => remarks.push(Remark::Reformatted { name: attempt.name.clone() }),
                Text::Changed if migration.kind() == MigrationKind::Repeatable => {
                    pending.push((migration, true))
                }
                Text::Changed => edited.push(attempt.name.clone()),
            },
        }
    }
    check_missing(migrations, &standing, &pending, capabilities.dialect, &mut remarks)?;
    if !edited.is_empty() {
        let applied = standing.values().filter(|a| a.state() == State::Applied).count();
        let empty = edited.iter().all(|name| standing[name.as_str()].statements == 0);
        return Err(Blocked::Edited { names: edited, applied, empty });
    }
    let mut tables = Tables::new(capabilities.dialect, &inspection.surroundings);
    let resumed = unfinished
        .map(|(migration, attempt)| {
            go_on(migration, attempt, (capabilities, &inspection.surroundings), options, &mut tables)
        })
        .transpose()?;
    if let Some(target) = target {
        pending.retain(|(m, _)| {
            m.kind() == MigrationKind::Versioned && Position::of(m.name()) <= Position::of(target)
        });
    }
    let pending = pending
        .into_iter()
        .map(|(migration, supersedes)| {
            let prepared = Prepared::new(migration, capabilities, options, &mut tables)?;
            Ok(Work { migration, prepared, supersedes })
        })
        .collect::<Result<Vec<_>, Blocked>>()?;
    check_order(migrations, &standing, &pending, capabilities, options, &mut remarks)?;
    Ok(Survey { resumed, pending, standing: Standing::of(&inspection.history.attempts), remarks })
}

/// One attempt comes to its end before the next one begins: two at once are two runs, or nobody's.
fn two_unfinished(first: &Attempt, second: &Attempt) -> Blocked {
    match [first, second].into_iter().find(|attempt| attempt.state() == State::Running) {
        Some(attempt) => Blocked::Running { attempt: Box::new(attempt.clone()) },
        None => second.inconsistent(&format!("it is unfinished, and so is `{}`", first.name)).into(),
    }
}

/// How a migration's text compares with the one that was applied.
pub(super) enum Text {
    Same,
    Reformatted,
    Changed,
}

pub(super) fn compare(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> Text {
    if hex(migration.raw_checksum()) == attempt.checksums.raw {
        return Text::Same;
    }
    match migration.checksums(dialect) {
        Ok(now) if now.tokens == attempt.checksums.tokens => Text::Reformatted,
        _ => Text::Changed,
    }
}

/// Whether what has run of an attempt is what its migration begins with now, as far as it was written down.
pub(crate) fn has_run_head(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> bool {
    if attempt.completed == 0
        || migration.is_rust()
        || !matches!(compare(migration, attempt, dialect), Text::Changed)
    {
        return true;
    }
    let statements = migration.statements(dialect).unwrap_or_default();
    let text = migration.up().text();
    let texts = statements.iter().map(|statement| statement.text(text)).take(attempt.completed as usize);
    let head = Prefix::new(dialect).of(texts);
    attempt.state() != State::Applied && attempt.prefix.as_deref() == Some(head.as_str())
}

/// Whether the text tells all that has run of an attempt, or may have: what another text had under way, nobody knows.
pub(crate) fn tells_what_began(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> bool {
    let is_same = || !matches!(compare(migration, attempt, dialect), Text::Changed);
    (attempt.in_flight.is_none() || is_same()) && has_run_head(migration, attempt, dialect)
}

fn refuse_shared_versions(migrations: &[Migration]) -> Result<(), Blocked> {
    let mut by_version: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for migration in migrations {
        if let Some(version) = migration.version() {
            by_version.entry(version).or_default().push(migration.name().to_owned());
        }
    }
    match by_version.into_iter().find(|(_, names)| names.len() > 1) {
        Some((version, names)) => Err(Blocked::SharedVersion { version: version.to_string(), names }),
        None => Ok(()),
    }
}

fn find_target<'m>(migrations: &'m [Migration], name: &str) -> Result<&'m str, Blocked> {
    find_migration(migrations, name).map(Migration::name)
}

/// A migration by its whole name, or by its version where only one has it.
pub(crate) fn find_migration<'m>(migrations: &'m [Migration], name: &str) -> Result<&'m Migration, Blocked> {
    if let Some(found) = migrations.iter().find(|m| m.name() == name) {
        return Ok(found);
    }
    let version = crate::migration::Version::parse(name);
    let mut same_version = migrations.iter().filter(|m| version.is_some() && m.version() == version);
    if let (Some(found), None) = (same_version.next(), same_version.next()) {
        return Ok(found);
    }
    let resembles = |m: &&Migration| !name.is_empty() && (m.name().contains(name) || name.contains(m.name()));
    // A letter in three may be another.
    let almost = || {
        let (nearest, distance) = nearest(name, migrations.iter().map(Migration::name))?;
        (distance * 3 <= name.chars().count()).then_some(nearest)
    };
    let nearest = migrations.iter().find(resembles).map(Migration::name).or_else(almost);
    Err(Blocked::UnknownTarget { name: name.to_owned(), nearest: nearest.map(str::to_owned) })
}

fn refuse_wrong_database(
    migrations: &[Migration],
    inspection: &Inspection,
    options: &Options,
) -> Result<(), Blocked> {
    let applied = inspection.history.attempts.iter().filter(|a| a.claimed).count();
    if migrations.is_empty() {
        return if applied == 0 { Ok(()) } else { Err(Blocked::EmptyProject { applied }) };
    }
    match &inspection.contents {
        Contents::Holds(examples) if inspection.history.attempts.is_empty() && !options.allow_non_empty => {
            Err(Blocked::NotEmpty { examples: examples.clone() })
        }
        _ => Ok(()),
    }
}

fn check_missing(
    migrations: &[Migration],
    standing: &HashMap<&str, &Attempt>,
    pending: &[(&Migration, bool)],
    dialect: Dialect,
    remarks: &mut Vec<Remark>,
) -> Result<(), Blocked> {
    let known: HashSet<&str> = migrations.iter().map(Migration::name).collect();
    let mut missing: Vec<&Attempt> =
        standing.values().copied().filter(|a| !known.contains(a.name.as_str())).collect();
    missing.sort_by_cached_key(|attempt| Position::of(&attempt.name));
    // What a repeatable migration made stands as it is when its file goes: nothing is missing for the rest.
    let (gone, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|a| a.kind == AttemptKind::Repeatable && a.state() == State::Applied);
    remarks.extend(gone.iter().map(|attempt| Remark::RepeatableGone { name: attempt.name.clone() }));
    let (Some(first), Some(any)) = (missing.first(), migrations.first()) else { return Ok(()) };
    let renamed_to = |attempt: &Attempt| {
        // Two empty scripts are alike without being the same.
        let same_text = |(m, _): &&(&Migration, bool)| {
            attempt.statements > 0 && !matches!(compare(m, attempt, dialect), Text::Changed)
        };
        pending.iter().find(same_text).map(|(migration, _)| migration.name().to_owned())
    };
    if let Some(unfinished) = missing.iter().find(|a| a.state() != State::Applied) {
        return Err(unfinished_elsewhere(unfinished, renamed_to(unfinished)));
    }
    if let Some((from, to)) = missing.iter().find_map(|a| Some((a.name.clone(), renamed_to(a)?))) {
        return Err(Blocked::Renamed { from, to });
    }
    if missing.len() + gone.len() == standing.len() {
        return Err(Blocked::NothingInCommon { applied: first.name.clone(), project: any.name().to_owned() });
    }
    let names: Vec<String> = missing.iter().map(|a| a.name.clone()).collect();
    let last = migrations.iter().rfind(|m| m.kind() == MigrationKind::Versioned);
    let newer =
        |attempt: &&Attempt| last.is_none_or(|last| Position::of(&attempt.name) > Position::of(last.name()));
    if !missing.iter().all(newer) {
        return Err(Blocked::Missing { names });
    }
    if !pending.is_empty() {
        let pending = pending.iter().map(|(m, _)| m.name().to_owned()).collect();
        return Err(Blocked::AheadAndPending { ahead: names, pending });
    }
    remarks.push(Remark::Ahead { names });
    Ok(())
}

fn unfinished_elsewhere(attempt: &Attempt, renamed_to: Option<String>) -> Blocked {
    let attempt = Box::new(attempt.clone());
    match attempt.state() {
        State::Running => Blocked::Running { attempt },
        _ => Blocked::UnfinishedElsewhere { attempt, renamed_to },
    }
}

/// Whether an attempt that neither stands nor is undone can go on, and if so with what.
fn go_on<'m, 'h>(
    migration: &'m Migration,
    attempt: &'h Attempt,
    (capabilities, surroundings): (&Capabilities, &Surroundings),
    options: &Options,
    tables: &mut Tables<'_>,
) -> Result<Resumed<'m, 'h>, Blocked> {
    let boxed = || Box::new(attempt.clone());
    let state = attempt.state();
    // What this very run left when it rolled back and plans again is its own to go on with.
    let is_own = options.owner.as_ref().is_some_and(|owner| *owner == attempt.owner);
    if state == State::Running && !is_own {
        return Err(Blocked::Running { attempt: boxed() });
    }
    let prepared = Prepared::new(migration, capabilities, options, tables)?;
    let recorded = attempt.completed as usize;
    let place = |index: usize| prepared.statements.get(index).map(Place::of);

    // The part that has run is verified by its hash; the part that has not may have been mended.
    let head = Prefix::new(capabilities.dialect).after(&prepared, recorded);
    let known = recorded == 0 || attempt.prefix.as_deref() == Some(head.as_str());
    if recorded > prepared.statements.len() || !known {
        return Err(Blocked::HeadChanged { attempt: boxed() });
    }
    let same_text =
        matches!(compare(migration, attempt, capabilities.dialect), Text::Same | Text::Reformatted);
    let completed = match attempt.in_flight {
        None => recorded,
        Some(in_flight) => settle(&prepared, attempt, in_flight, same_text).ok_or_else(|| {
            let first = in_flight.first.saturating_sub(1) as usize;
            let facts = prepared.facts.get(first..in_flight.last as usize).unwrap_or_default();
            let beside = indexes::beside(&surroundings.invalid_indexes, facts);
            Blocked::InDoubt { attempt: boxed(), in_flight, place: place(first), beside }
        })?,
    };
    if state == State::Failed && same_text {
        return Err(Blocked::Failed { attempt: boxed(), next: place(completed) });
    }
    if let Some(undone) = surroundings.undone.iter().find(|undone| undone.migration == attempt.name) {
        return Err(Blocked::Undone {
            attempt: boxed(),
            statement: undone.statement,
            place: place(undone.statement.saturating_sub(1) as usize),
            object: undone.object.clone(),
        });
    }
    if let Some((made, needs)) = prepared.parted_at(completed) {
        return Err(Blocked::SessionGone { attempt: boxed(), made, needs });
    }
    let remnant = match &attempt.sight {
        // How a refused detachment goes on is up to the one who edits the text.
        Sight::Remnant(Remnant::PendingDetach { .. }) if state == State::Failed => None,
        Sight::Remnant(remnant) => Some(remnant),
        _ => None,
    };
    Ok(Resumed { prepared, attempt, completed, remnant })
}

/// How many statements stand when some were in flight: settled by what a look told, or by their being
/// harmless to repeat; `None` when neither settles it.
fn settle(prepared: &Prepared<'_>, attempt: &Attempt, in_flight: InFlight, same_text: bool) -> Option<usize> {
    let (first, last) = (in_flight.first.checked_sub(1)? as usize, in_flight.last as usize);
    let completed = attempt.completed as usize;
    let refused = attempt.state() == State::Failed;
    let statements = prepared.facts.get(first..last);
    match &attempt.sight {
        // What it may have done before it was refused, another text may meet.
        Sight::Changed | Sight::Unknown if refused && !same_text => None,
        // A single statement that was refused was not done, whatever it left.
        _ if refused => (last == first + 1).then_some(completed),
        Sight::Untouched => Some(completed),
        // The statement that was done is the one that stands in the file.
        Sight::Changed if same_text && statements?.len() == 1 => Some(last),
        Sight::Remnant(Remnant::InvalidIndex { .. }) => Some(completed),
        Sight::Remnant(Remnant::PendingDetach { .. }) if same_text && statements?.len() == 1 => Some(last),
        Sight::Remnant(_) => None,
        // Of what another text ran, this one's statements tell nothing.
        _ if same_text && statements?.iter().all(|facts| facts.repeats_harmlessly) => Some(completed),
        _ => None,
    }
}

/// A pending migration older than the last applied one runs by itself only when it names nothing
/// that the later ones name.
fn check_order(
    migrations: &[Migration],
    standing: &HashMap<&str, &Attempt>,
    pending: &[Work<'_>],
    capabilities: &Capabilities,
    options: &Options,
    remarks: &mut Vec<Remark>,
) -> Result<(), Blocked> {
    let applied = |m: &&Migration| m.kind() == MigrationKind::Versioned && standing.contains_key(m.name());
    let Some(last) = migrations.iter().rfind(applied) else { return Ok(()) };
    // What was applied is looked at for its names alone.
    let lenient = Options { close_open_transaction: true, ..Options::default() };
    let unknown = Surroundings::default();
    let as_applied = |migration| {
        let mut tables = Tables::new(capabilities.dialect, &unknown);
        Prepared::new(migration, capabilities, &lenient, &mut tables)
    };
    let late = pending.iter().filter(|work| {
        work.migration.kind() == MigrationKind::Versioned
            && Position::of(work.migration.name()) < Position::of(last.name())
    });
    for work in late {
        let name = work.migration.name().to_owned();
        let later =
            || migrations.iter().filter(applied).filter(|m| Position::of(m.name()) > Position::of(&name));
        let mine = names_of(&work.prepared);
        let mut independent = true;
        for other in later() {
            let shared = match (&mine, names_of(&as_applied(other)?)) {
                (Some(mine), Some(theirs)) => match mine.intersection(&theirs).min() {
                    None => continue,
                    Some(shared) => Some(format!("`{shared}`")),
                },
                _ => None,
            };
            if !options.out_of_order {
                return Err(Blocked::OutOfOrder { name, last: other.name().to_owned(), shared });
            }
            independent = false;
        }
        remarks.push(Remark::OutOfOrder { name, independent });
    }
    Ok(())
}

/// The names of the objects a migration touches, without their schema: equal names are taken for one object.
fn names_of(prepared: &Prepared<'_>) -> Option<HashSet<String>> {
    if prepared.migration.is_rust() {
        return None;
    }
    let mut names = HashSet::new();
    for facts in &prepared.facts {
        match &facts.objects {
            Objects::Known(objects) => names.extend(objects.iter().map(|object| object.name.clone())),
            Objects::Unknown => return None,
        }
    }
    Some(names)
}
