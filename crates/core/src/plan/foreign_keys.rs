//! Foreign keys of SQLite: what a script asks of their enforcement, and what it rebuilds while they are enforced.

use super::{Blocked, Execute, Place};
use crate::sql::classify::{Definition, Effect, Facts, ObjectName, Objects};

/// What becomes of enforcement while a script runs; its transaction would ignore the script's own PRAGMA in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForeignKeys {
    AsTheyAre,
    Suspended,
    /// Suspended though the script says nothing: it drops a table to make it anew, and with the table all rows
    /// that refer to it would go.
    LiftedForRebuild,
    Enforced,
}

impl ForeignKeys {
    /// One answer for the whole script, since the transaction that it becomes can have only one.
    pub(super) fn of(
        facts: &[Facts],
        statements: &[Execute<'_>],
        is_enforced: bool,
    ) -> Result<Self, Blocked> {
        let asked = |on: bool| facts.iter().position(|facts| facts.foreign_keys_pragma == Some(on));
        if asked(false).is_some() {
            // The check before the commit finds what enforcement would have refused.
            return Ok(Self::Suspended);
        }
        let unsupported = |index: usize, what: &str| {
            Err(Blocked::UnsupportedControl { place: Place::of(&statements[index]), what: what.to_owned() })
        };
        let Some(begin) = asked(true) else {
            let lifts = is_enforced && rebuild(facts).is_some();
            return Ok(if lifts { Self::LiftedForRebuild } else { Self::AsTheyAre });
        };
        // Enforcement means something to what changes or removes rows.
        let means_something = |index: &usize| {
            matches!(facts[*index].effect, Effect::Data | Effect::Unknown)
                || facts[*index].definition == Some(Definition::Drop)
        };
        let before = (0..begin).find(means_something);
        match ((begin..facts.len()).find(means_something), before) {
            (None, _) => Ok(Self::AsTheyAre),
            (Some(_), Some(_)) => {
                unsupported(begin, "a PRAGMA foreign_keys = ON between statements that change rows")
            }
            (Some(_), None) => match rebuild(facts) {
                Some(dropped) => unsupported(
                    dropped,
                    "with PRAGMA foreign_keys = ON, the DROP of a table that is made anew, and with it of all rows that \
                     refer to it,",
                ),
                None => Ok(Self::Enforced),
            },
        }
    }

    pub(super) fn are_suspended(self) -> bool {
        matches!(self, Self::Suspended | Self::LiftedForRebuild)
    }
}

/// Where a table is dropped that another one takes the place of, in either order.
pub(super) fn rebuild(facts: &[Facts]) -> Option<usize> {
    (0..facts.len()).find(|&index| {
        let [dropped] = names(&facts[index]) else { return false };
        let makes = |facts: &Facts| is_made(facts, dropped);
        facts[index].definition == Some(Definition::Drop)
            && (facts[index + 1..].iter().any(makes)
                || facts[..index].iter().any(|f| is_renamed_to(f, dropped)))
    })
}

fn names(facts: &Facts) -> &[ObjectName] {
    match &facts.objects {
        Objects::Known(names) => names,
        Objects::Unknown => &[],
    }
}

fn is_made(facts: &Facts, name: &ObjectName) -> bool {
    let creates = matches!(facts.definition, Some(Definition::Create | Definition::Fill));
    creates && names(facts).first() == Some(name) || is_renamed_to(facts, name)
}

/// An ALTER TABLE names a second table only where it renames the first.
fn is_renamed_to(facts: &Facts, name: &ObjectName) -> bool {
    facts.definition == Some(Definition::Alter) && names(facts).get(1) == Some(name)
}
