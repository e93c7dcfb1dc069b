//! Recorded: migrations that stand, or count as they are written now, on a person's word, and what of them the live schema
//! does not have.

use super::Recorded;
use crate::driver::Inspection;
use crate::history::{ACCEPTED, ACCEPTED_EDIT, Attempt, State};
use crate::schema::Difference;
use crate::shadow::{is_named, names};
use crate::source::Migrations;
use crate::sql::Dialect;

/// Those that a person recorded as applied, or whose edited text a person took; none of which the schema was taken as it is afterwards.
pub(crate) fn by_hand(inspection: &Inspection) -> Vec<&Attempt> {
    let attempts = &inspection.history.attempts;
    let told = |attempt: &Attempt| attempt.resolution.clone().unwrap_or_default();
    let accepted = attempts.iter().rposition(|attempt| told(attempt).contains(ACCEPTED));
    let behind = accepted.map_or(0, |index| index + 1);
    let is_word = |attempt: &&Attempt| {
        attempt.claimed
            && attempt.state() == State::Applied
            && (attempt.is_decided() || told(attempt).starts_with(ACCEPTED_EDIT))
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
        let text = migrations.get(&attempt.name);
        let named = text.map(|text| names(text, 0..u32::MAX, dialect, |_| true).0).unwrap_or_default();
        let of_it = |difference: &&Difference| is_named(&difference.key, &named);
        let differences = differences.iter().filter(of_it).cloned().collect();
        Recorded { attempt: (*attempt).clone(), differences }
    };
    attempts.iter().map(one).collect()
}
