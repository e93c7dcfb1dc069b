//! Recorded: what is right where the live schema speaks against a person's word, and what was held against nothing.

use super::{ACCEPT, Action, Advice, Case, Choice, DEPLOY, few, numbers, objects, plain, resolve, undone};
use crate::diagnosis::Recorded;
use crate::drift::DriftVerdict;
use crate::history::State;
use crate::schema::Difference;

/// What of the database was held against nothing, where else nothing is wrong.
pub(super) fn not_looked_at(case: &Case<'_>) -> Option<String> {
    let names = |state: State| {
        let are_so = case.recorded.iter().filter(|one| one.attempt.state() == state);
        let names: Vec<_> = are_so.map(|one| format!("`{}`", one.attempt.name)).collect();
        (!names.is_empty() && case.recorded_unseen.is_some()).then(|| few(&names))
    };
    let recorded = names(State::Applied).map(|names| {
        format!("whether what was recorded as applied by a person's word stands was not looked at: {names}")
    });
    let undone = names(State::RolledBack).map(|names| {
        format!(
            "whether what was recorded as rolled back by a person's word is gone was not looked at: {names}"
        )
    });
    let since = (!case.since.is_empty() && case.recorded_unseen.is_some()).then(|| {
        let names: Vec<_> = case.since.iter().map(|name| format!("`{name}`")).collect();
        format!("whether what ran since the schema was kept stands was not looked at: {}", few(&names))
    });
    let rows = case.recorded.iter().filter(|one| !one.unseen_rows.is_empty()).map(|one| {
        let (rows, name) = (numbers(&one.unseen_rows), &one.attempt.name);
        format!("that the rows of {rows} of `{name}` were changed is a person's word, and no schema tells")
    });
    let beside = (!case.beside.is_empty())
        .then(|| format!("others changed {} beside what the migrations make", objects(case.beside.len())));
    let drift = match case.drift {
        DriftVerdict::Unknown(why) => {
            Some(format!("whether others changed the schema cannot be told: {why}"))
        }
        DriftVerdict::NeverKept if case.has_history && case.recorded.is_empty() => Some(
            "no deploy has kept the schema yet, so that nothing tells whether others changed it".to_owned(),
        ),
        _ => None,
    };
    let parts: Vec<_> =
        recorded.into_iter().chain(undone).chain(since).chain(rows).chain(beside).chain(drift).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The live schema speaks against what a person recorded.
pub(super) fn not_borne_out(recorded: &[Recorded]) -> Advice {
    let of = recorded.iter().filter(|one| !one.differences.is_empty());
    let (undone, applied): (Vec<_>, Vec<_>) = of.partition(|one| one.attempt.state() == State::RolledBack);
    match undone.last() {
        // The last one may have been made on those before.
        Some(last) if applied.is_empty() => still_there(last),
        _ => not_there(&applied),
    }
}

/// A person recorded as rolled back what is not all gone.
fn still_there(recorded: &Recorded) -> Advice {
    let name = &recorded.attempt.name;
    let why = format!(
        "`{name}` was recorded as rolled back by a person's word, and the live schema is not what the applied migrations make: \
         what it left would be in its way"
    );
    let goes = Choice {
        when: "it is to run from its beginning".to_owned(),
        by_hand: undone(&recorded.differences),
        commands: vec![DEPLOY.to_owned()],
    };
    let stays = Choice {
        when: "all of it stands, the rows that it changes, too".to_owned(),
        by_hand: Vec::new(),
        commands: vec![resolve("--applied", name), DEPLOY.to_owned()],
    };
    Advice { choices: vec![goes, stays], ..plain(Action::Decide, &why, &[]) }
}

/// A person recorded as applied what is not all there.
fn not_there(of: &[&Recorded]) -> Advice {
    let names: Vec<_> = of.iter().map(|one| format!("`{}`", one.attempt.name)).collect();
    let why = format!(
        "{} {} recorded as applied by a person's word, and the live schema is not what the migrations make",
        few(&names),
        if names.len() == 1 { "was" } else { "were" },
    );
    let back = of.iter().rev().map(|one| resolve("--rolled-back", &one.attempt.name));
    let nothing = Choice {
        when: "nothing of it stands, no row that it changes either".to_owned(),
        by_hand: Vec::new(),
        commands: back.chain([DEPLOY.to_owned()]).collect(),
    };
    // Several may name what differs.
    let mut differences: Vec<Difference> = Vec::new();
    for difference in of.iter().flat_map(|one| &one.differences) {
        if !differences.iter().any(|told| told.key == difference.key) {
            differences.push(difference.clone());
        }
    }
    let part = Choice {
        when: "a part of it stands".to_owned(),
        by_hand: undone(&differences),
        commands: vec![ACCEPT.to_owned()],
    };
    let all = Choice {
        when: "it is right as it is".to_owned(),
        by_hand: Vec::new(),
        commands: vec![ACCEPT.to_owned()],
    };
    Advice { choices: vec![nothing, part, all], ..plain(Action::Decide, &why, &[]) }
}
