//! Diagnosis: what is true of a database whose deploy failed, was cut off or met a changed schema, and what is right to do.
//!
//! All of it is pure: [`crate::apply::diagnose`] looks, and this judges what was seen.

mod advice;
mod examination;
mod recorded;

pub use advice::{Action, Advice, Choice, shell_word};
pub(crate) use advice::{Case, Origin, advise};
pub(crate) use examination::{Seen, borne_out_by, examine, fate, rows};
pub(crate) use recorded::{borne_out, by_hand};

use crate::drift::DriftVerdict;
use crate::driver::{Holder, InvalidIndex};
use crate::history::{Attempt, State};
use crate::plan::{Blocked, Place};
use crate::schema::{Difference, Key};
use crate::shadow::{ReplayError, Unreplayable};
use std::collections::BTreeSet;

/// What is true of a database, and what to do.
///
/// ```
/// use windlass_core::diagnosis::Diagnosis;
///
/// fn told(diagnosis: &Diagnosis) -> String {
///     match &diagnosis.blocked {
///         Some(blocked) => format!("{blocked}; {}", diagnosis.advice.why),
///         None => format!("nothing forbids to deploy {}", diagnosis.pending.join(", ")),
///     }
/// }
/// # let _ = told;
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Why the next deploy would run nothing; `None` where it would do its work.
    pub blocked: Option<Blocked>,
    /// What it would apply, or finish.
    pub pending: Vec<String>,
    /// The migration that neither stands nor is undone; else the newest one, where it failed and left nothing.
    pub examined: Option<Examined>,
    /// What a person recorded as applied or as rolled back, where nothing else is wrong and nobody has taken the schema as it
    /// is since.
    pub recorded: Vec<Recorded>,
    /// Why the live schema was not held against what those make.
    pub recorded_unseen: Option<NotCompared>,
    /// Whether others changed the schema.
    pub drift: DriftVerdict,
    /// Where a replay was held against the live schema: what others changed in objects that the examined migration leaves as
    /// they are, although its statements name them, or added to those of recorded ones. A deploy takes that as it is.
    pub beside: Vec<Difference>,
    /// Who holds the lock that keeps two deploys apart: what is told here may be otherwise by now.
    pub holder: Option<Holder>,
    /// PostgreSQL: the indexes that are not valid, the first twenty by their names.
    pub invalid_indexes: Vec<InvalidIndex>,
    /// What is right to do.
    pub advice: Advice,
    /// Whether a shadow database would tell more.
    pub wants_shadow: bool,
}

impl Diagnosis {
    /// The migration whose last try failed with the text that it still has, and left nothing: nothing forbids to deploy,
    /// and it would most likely fail again.
    ///
    /// ```
    /// use windlass_core::diagnosis::Diagnosis;
    ///
    /// fn told(diagnosis: &Diagnosis) -> Option<String> {
    ///     Some(format!("mend {} first", diagnosis.fails_again()?.name))
    /// }
    /// # let _ = told;
    /// ```
    pub fn fails_again(&self) -> Option<&Attempt> {
        let examined = self.examined.as_ref()?;
        let fails = examined.attempt.state() == State::RolledBack && examined.is_same_text;
        fails.then_some(&examined.attempt)
    }
}

/// What is known of one migration's newest attempt.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// The attempt, as the history tells of it.
    pub attempt: Attempt,
    /// Whether the project has the migration.
    pub is_in_project: bool,
    /// Whether the project has the text that was run.
    pub is_same_text: bool,
    /// Its statements as the project has them, each with what became of it.
    pub statements: Vec<Told>,
    /// What the live schema tells of it.
    pub comparison: Comparison,
}

/// A migration that stands, or is undone, on a person's word.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The attempt, as the history tells of it.
    pub attempt: Attempt,
    /// What of the objects that it names differs, from what the applied migrations make to what is; empty where nothing does,
    /// or nothing was held against anything.
    pub differences: Vec<Difference>,
    /// Its statements that change rows, or may, and that were not run by a deploy: no schema tells of those.
    pub unseen_rows: Vec<u32>,
}

/// What became of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// Its number, from 1.
    pub number: u32,
    /// Where it stands.
    pub place: Place,
    /// Its text on one line; nothing of it where it may hold a secret.
    pub summary: String,
    /// What it changes.
    pub changes: Changes,
    /// The objects that it names; `None` where it may touch anything.
    pub objects: Option<Vec<String>>,
    /// What became of it.
    pub fate: Fate,
    /// Who says so.
    pub evidence: Evidence,
}

/// What a statement changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Changes {
    /// Nothing that stays: it reads, sets, locks or begins.
    Nothing,
    /// Definitions, which the schema shows.
    Definitions,
    /// Rows, which no schema shows.
    Rows,
    /// Both, or what its text does not tell.
    Anything,
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It took effect.
    Done,
    /// It did not, or nothing of it is left.
    NotDone,
    /// Nobody knows.
    Unknown,
}

/// Who tells what became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// The history: a checkpoint that was written with it or right behind it.
    Checkpoint,
    /// A look at the objects that it names, held against one before it was sent.
    Objects,
    /// The live schema, held against a replay.
    Schema,
    /// The history, of another text than this: what ran in its place.
    AnotherText,
    /// Nobody.
    Nothing,
}

/// What the live schema tells of a migration.
#[derive(Debug)]
#[non_exhaustive]
pub enum Comparison {
    /// It was held against what the migration makes, statement by statement.
    Compared(Compared),
    /// The migration changes no definition: no schema tells anything.
    NothingToSee,
    /// It was not held against anything, and why.
    Not(NotCompared),
}

/// The live schema, held against each state in which an interruption may leave a migration.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compared {
    /// After how many statements, and what differs between the schema then and the live one.
    pub states: Vec<(u32, Vec<Difference>)>,
    /// What kept the replay from going on after the last of them.
    pub broken: Option<String>,
    /// Who looked at the shadow and who at the database, where those are not alike.
    pub servers: Option<(String, String)>,
    /// What of the live schema a person took as it is.
    pub(crate) taken: BTreeSet<Key>,
}

/// Why the live schema was not held against a replay.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotCompared {
    /// There is nothing that it could tell.
    Needless,
    /// No shadow database was given.
    NoShadow,
    /// What an earlier text of a repeatable migration made stands, too, and no replay knows of that.
    Repeatable,
    /// These statements reach beyond a shadow database.
    Unreplayable(Vec<Unreplayable>),
    /// The replay came to no end.
    Failed(ReplayError),
    /// The live schema cannot be read, and why.
    Unreadable(String),
}

impl Compared {
    /// After how many statements the schema would be what it is.
    pub fn fits(&self) -> Vec<u32> {
        let fit = self.states.iter().filter(|(_, differences)| !differences.iter().any(Difference::counts));
        fit.map(|(done, _)| *done).collect()
    }

    /// What differs from the schema after so many statements, or before the piece that they are in the middle of.
    pub fn at(&self, done: u32) -> &[Difference] {
        let state = self.states.iter().rfind(|(at, _)| *at <= done);
        state.map_or(&[], |(_, differences)| differences)
    }

    /// Whether the schema would be what it is after so many statements.
    pub(crate) fn is_at(&self, done: u32) -> bool {
        self.knows(done) && !self.at(done).iter().any(Difference::counts)
    }

    /// After how many statements the replay ended, or came to its end.
    pub fn known(&self) -> u32 {
        self.states.last().map_or(0, |(done, _)| *done)
    }

    /// Whether the replay came as far as to the schema after so many statements.
    pub fn knows(&self, done: u32) -> bool {
        self.broken.is_none() || done <= self.known()
    }
}

impl Examined {
    /// How many statements stand, as far as the history and a look at their objects tell.
    pub fn completed(&self) -> u32 {
        examination::completed(&self.attempt)
    }

    /// The comparison, where there was one.
    pub fn compared(&self) -> Option<&Compared> {
        match &self.comparison {
            Comparison::Compared(compared) => Some(compared),
            _ => None,
        }
    }

    /// After how many statements the schema is that the live one is to be held against: what counts as done; none, where
    /// what has run is another text.
    pub fn counted(&self) -> u32 {
        let is_another = self.statements.iter().any(|told| told.evidence == Evidence::AnotherText);
        if is_another { 0 } else { self.completed() }
    }

    /// What differs from that schema, where no state of the migration explains the live one, and it is known.
    pub fn unexplained(&self) -> &[Difference] {
        match self.compared() {
            Some(compared) if compared.fits().is_empty() && compared.knows(self.counted()) => {
                compared.at(self.counted())
            }
            _ => &[],
        }
    }
}
