//! Recorded: migrations that stand, or count as they are written now, on a person's word, and what of them the live schema
//! does not have.

use super::Recorded;
use crate::driver::Inspection;
use crate::history::{ACCEPTED, ACCEPTED_EDIT, Attempt, AttemptKind, State};
use crate::schema::Difference;
use crate::source::Migrations;
use crate::sql::Dialect;
use crate::sql::classify::{Objects, classify};
use std::collections::HashSet;

/// Those that a person recorded as applied, or whose edited text a person took; none of which the schema was taken as it is afterwards.
pub(crate) fn by_hand(inspection: &Inspection) -> Vec<&Attempt> {
    let attempts = &inspection.history.attempts;
    let told = |attempt: &Attempt| attempt.resolution.clone().unwrap_or_default();
    let accepted = attempts.iter().rposition(|attempt| told(attempt).contains(ACCEPTED));
    let behind = accepted.map_or(0, |index| index + 1);
    let is_word = |attempt: &&Attempt| {
        let is_said = ["applied", ACCEPTED_EDIT].iter().any(|word| told(attempt).starts_with(word));
        attempt.claimed
            && attempt.state() == State::Applied
            && (attempt.kind == AttemptKind::Baseline || is_said)
    };
    attempts[behind..].iter().filter(is_word).collect()
}

/// Each with those of the differences that are of objects which its text names.
pub(crate) fn borne_out(
    attempts: &[&Attempt],
    differences: &[Difference],
    migrations: &Migrations,
    dialect: Dialect,
) -> Vec<Recorded> {
    let one = |attempt: &&Attempt| {
        let named = names(attempt, migrations, dialect);
        let is_named = |difference: &&Difference| {
            [&difference.key.name, &difference.key.table].into_iter().any(|name| named.contains(name))
        };
        let differences = differences.iter().filter(is_named).cloned().collect();
        Recorded { attempt: (*attempt).clone(), differences }
    };
    attempts.iter().map(one).collect()
}

/// What the text names; nothing where it may touch anything.
fn names(attempt: &Attempt, migrations: &Migrations, dialect: Dialect) -> HashSet<String> {
    let Some(migration) = migrations.get(&attempt.name).filter(|migration| !migration.is_rust()) else {
        return HashSet::new();
    };
    let text = migration.up().text();
    let statements = migration.statements(dialect).unwrap_or_default();
    let objects = statements.iter().map(|statement| classify(dialect, statement.text(text)).objects);
    let names = objects.filter_map(|objects| match objects {
        Objects::Known(names) => Some(names),
        Objects::Unknown => None,
    });
    names.flatten().map(|name| name.name.clone()).collect()
}
