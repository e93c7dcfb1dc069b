//! Recorded: migrations that stand, count as they are written now, or are undone on a person's word, and what speaks against
//! it in the live schema.

use super::Recorded;
use super::examination::rows;
use crate::drift::speaks_of;
use crate::driver::Inspection;
use crate::history::{ACCEPTED_EDIT, Attempt, AttemptKind, State};
use crate::migration::Migration;
use crate::schema::{Change, Difference};
use crate::shadow::{is_named, names};
use crate::source::Migrations;
use crate::sql::Dialect;
use crate::sql::classify::{Definition, Facts};

/// Those that a person recorded as applied or as rolled back, or whose edited text a person took; none of which the schema was
/// taken as it is afterwards.
pub(crate) fn by_hand(inspection: &Inspection) -> Vec<&Attempt> {
    let attempts = &inspection.history.attempts;
    let told = |attempt: &Attempt| attempt.resolution.clone().unwrap_or_default();
    let accepted = attempts.iter().rposition(Attempt::is_accepted);
    let behind = accepted.map_or(0, |index| index + 1);
    let is_word = |(index, attempt): &(usize, &Attempt)| match attempt.state() {
        State::Applied => {
            attempt.claimed && (attempt.is_decided() || told(attempt).starts_with(ACCEPTED_EDIT))
        }
        // Of an attempt that did nothing, nothing can be left.
        State::RolledBack => {
            let is_tried_again = || attempts[index + 1..].iter().any(|later| later.name == attempt.name);
            attempt.is_decided() && attempt.completed > 0 && !is_tried_again()
        }
        _ => false,
    };
    attempts.iter().enumerate().skip(behind).filter(is_word).map(|(_, attempt)| attempt).collect()
}

/// Each with those of the differences that are of objects which its text names; and what others seem to have added to those
/// objects, for no text speaks of it, and the table is another migration's or a person took it as it is.
pub(crate) fn borne_out(
    attempts: &[&Attempt],
    differences: &[Difference],
    migrations: &Migrations,
    dialect: Dialect,
    is_taken: impl Fn(&Difference) -> bool,
) -> (Vec<Recorded>, Vec<Difference>) {
    let (mut recorded, mut beside) = (Vec::new(), Vec::<Difference>::new());
    for attempt in attempts {
        let migration = migrations.get(&attempt.name);
        let named = migration.map(|text| names(text, 0..u32::MAX, dialect, |_| true).0).unwrap_or_default();
        let of_it = differences.iter().filter(|difference| is_named(&difference.key, &named)).cloned();
        let is_by_others = |difference: &Difference| {
            let is_part = matches!(difference.change, Change::Added(_)) && !difference.key.table.is_empty();
            let is_told = migration.is_some_and(|text| speaks_of(text.up().text(), &difference.key.name));
            let is_made = || migration.is_some_and(|text| makes(text, &difference.key.table, dialect));
            attempt.state() == State::Applied && is_part && !is_told && (!is_made() || is_taken(difference))
        };
        let (others, differences): (Vec<_>, Vec<_>) = of_it.partition(is_by_others);
        beside.extend(others);
        let unseen_rows =
            migration.map_or_else(Vec::new, |migration| unseen_rows(migration, attempt, dialect));
        recorded.push(Recorded { attempt: (*attempt).clone(), differences, unseen_rows });
    }
    beside.sort_by(|one, other| one.key.cmp(&other.key));
    beside.dedup_by(|one, other| one.key == other.key);
    (recorded, beside)
}

/// Whether a migration makes a table of that name, of which everything then is its own.
fn makes(migration: &Migration, table: &str, dialect: Dialect) -> bool {
    let is_making = |facts: &Facts| {
        use Definition::{Create, Fill, Refill, Replace};
        matches!(facts.definition, Some(Create | Replace | Fill | Refill))
    };
    names(migration, 0..u32::MAX, dialect, is_making).0.contains(&table.to_lowercase())
}

/// The statements that change rows, or may, which nobody saw run.
fn unseen_rows(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> Vec<u32> {
    // Of what was there before there was a history nobody asks.
    if attempt.state() != State::Applied || attempt.kind == AttemptKind::Baseline {
        return Vec::new();
    }
    let is_behind = |number: &u32| *number > attempt.completed && *number <= attempt.statements;
    rows(migration, dialect).into_iter().filter(is_behind).collect()
}
