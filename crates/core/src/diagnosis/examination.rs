//! Examination: statement by statement, what became of an attempt.

use super::{Changes, Compared, Comparison, Evidence, Examined, Fate, NotCompared, Told};
use crate::history::{Attempt, Sight, State};
use crate::migration::Migration;
use crate::plan::{Execute, Place, Resolution, has_run_head};
use crate::schema::{Key, Properties, Schema};
use crate::shadow::Replay;
use crate::sql::Dialect;
use crate::sql::classify::{Definition, Effect, Facts, Objects, classify, is_upkeep};
use crate::sql::split::Statement;
use crate::status::is_same_text;

/// What of a migration's schema was seen.
pub(crate) enum Seen {
    /// What it makes state by state, and the live one.
    Both(Box<Replay>, Schema),
    /// Not both, and why.
    Not(NotCompared),
}

/// How many statements stand, as far as the history and a look at their objects tell.
pub(super) fn completed(attempt: &Attempt) -> u32 {
    match (attempt.in_flight, &attempt.sight) {
        (Some(in_flight), Sight::Changed) if attempt.state() != State::Failed => in_flight.last,
        _ => attempt.completed,
    }
}

/// What is known of an attempt; of its statements as the project has them, where it has them.
pub(crate) fn examine(
    migration: Option<&Migration>,
    attempt: &Attempt,
    dialect: Dialect,
    seen: Seen,
) -> Examined {
    let mut statements = migration.map_or_else(Vec::new, |migration| told(migration, attempt, dialect));
    let is_head_of = |migration| has_run_head(migration, attempt, dialect);
    if !migration.is_none_or(is_head_of) {
        let among = |told: &&mut Told| told.number <= attempt.completed;
        let another = |told: &mut Told| (told.fate, told.evidence) = (Fate::Unknown, Evidence::AnotherText);
        statements.iter_mut().filter(among).for_each(another);
    }
    let comparison = match seen {
        Seen::Not(why) => Comparison::Not(why),
        Seen::Both(replay, live) => {
            for range in visible(&replay, &live) {
                let among = |told: &&mut Told| told.number > range.after && told.number <= range.upto;
                statements.iter_mut().filter(among).for_each(|told| told.sees(range.is_there));
            }
            compared(&replay, &live)
        }
    };
    let is_same_text = migration.is_some_and(|migration| is_same_text(migration, attempt, dialect));
    let is_in_project = migration.is_some();
    Examined { attempt: attempt.clone(), is_in_project, is_same_text, statements, comparison }
}

fn compared(replay: &Replay, live: &Schema) -> Comparison {
    let Some(states) = replay.compare(live) else { return Comparison::NothingToSee };
    let broken = replay.broken.as_ref().map(|error| {
        let source = std::error::Error::source(error).and_then(std::error::Error::source);
        source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    });
    let origin = replay.states.first().map(|(_, schema)| schema.origin.clone()).unwrap_or_default();
    let servers = (origin != live.origin).then(|| (origin, live.origin.clone()));
    let keys = states.iter().flat_map(|(_, differences)| differences).map(|difference| &difference.key);
    let taken = keys.filter(|key| replay.known.is_accepted && replay.known.holds(key, live));
    let taken = taken.cloned().collect();
    Comparison::Compared(Compared { states, broken, servers, taken })
}

/// The statements, each with what the history tells of it.
fn told(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> Vec<Told> {
    let script = migration.up();
    // A script that cannot be split is told by the plan.
    let statements =
        if migration.is_rust() { Vec::new() } else { migration.statements(dialect).unwrap_or_default() };
    let of = u32::try_from(statements.len()).unwrap_or(u32::MAX);
    let numbered = (1..).zip(&statements);
    let one = |(number, statement): (u32, &Statement)| {
        let sql = statement.text(script.text());
        let facts = classify(dialect, sql);
        let execute = Execute {
            migration,
            number,
            of,
            sql,
            copy_data: None,
            line: script.line_in_file(statement.line),
            column: statement.column,
            secret: facts.may_hold_secret,
            leaves_session_alone: false,
        };
        let (fate, evidence) = fate(attempt, number);
        let objects = match &facts.objects {
            Objects::Known(names) => Some(names.iter().map(|name| name.name.clone()).collect()),
            Objects::Unknown => None,
        };
        let (place, summary) = (Place::of(&execute), execute.summary(100));
        let changes = changes(dialect, sql, &facts);
        Told { number, place, summary, changes, objects, fate, evidence }
    };
    numbered.map(one).collect()
}

/// The statements of a migration that change rows, or may.
pub(crate) fn rows(migration: &Migration, dialect: Dialect) -> Vec<u32> {
    let statements = migration.statements(dialect).unwrap_or_default();
    let text = migration.up().text();
    let changes_rows = |statement: &Statement| {
        let sql = statement.text(text);
        matches!(changes(dialect, sql, &classify(dialect, sql)), Changes::Rows | Changes::Anything)
    };
    (1..)
        .zip(&statements)
        .filter(|(_, statement)| changes_rows(statement))
        .map(|(number, _)| number)
        .collect()
}

fn changes(dialect: Dialect, sql: &str, facts: &Facts) -> Changes {
    if is_upkeep(dialect, sql, facts) {
        return Changes::Nothing;
    }
    match (facts.effect, facts.definition) {
        (Effect::Schema, Some(Definition::Fill | Definition::Refill | Definition::Move)) => Changes::Anything,
        (Effect::Schema, _) => Changes::Definitions,
        (Effect::Data, _) => Changes::Rows,
        (Effect::Session | Effect::Query, _) => Changes::Nothing,
        (Effect::Server | Effect::Unknown, _) => Changes::Anything,
    }
}

/// The decisions about a migration that the live schema bears out, which is what it is after these numbers of its statements.
/// Of two, a person tells which is true: no schema tells of rows.
pub(crate) fn borne_out_by(
    fits: &[u32],
    migration: &Migration,
    attempt: Option<&Attempt>,
    dialect: Dialect,
) -> Vec<Resolution> {
    let Some(attempt) = attempt else { return Vec::new() };
    let (statements, rows) = (told(migration, attempt, dialect), rows(migration, dialect));
    let (of, completed) = (u32::try_from(statements.len()).unwrap_or(u32::MAX), attempt.completed);
    let changes_rows = |after: u32, upto: u32| rows.iter().any(|number| *number > after && *number <= upto);
    let next = statements.get(completed as usize).filter(|told| {
        told.changes == Changes::Definitions
            && told.number < of
            && attempt.in_flight.is_none()
            && is_same_text(migration, attempt, dialect)
    });
    let is_next = next.is_some_and(|told| fits.contains(&told.number));
    let mut right = Vec::new();
    right.extend(is_next.then_some(Resolution::TookEffect));
    let is_whole = fits.contains(&of) && (is_next || !changes_rows(completed, of));
    right.extend(is_whole.then_some(Resolution::Applied));
    let is_gone = fits.contains(&0) && !changes_rows(0, completed);
    right.extend(is_gone.then_some(Resolution::RolledBack));
    right
}

/// What the history and a look at its objects tell of one statement.
pub(crate) fn fate(attempt: &Attempt, number: u32) -> (Fate, Evidence) {
    let state = attempt.state();
    if state == State::RolledBack {
        return (Fate::NotDone, Evidence::Checkpoint);
    }
    if number <= attempt.completed {
        return (Fate::Done, Evidence::Checkpoint);
    }
    let in_flight = attempt.in_flight.filter(|flight| flight.first <= number && number <= flight.last);
    if in_flight.is_none() {
        return (Fate::NotDone, Evidence::Checkpoint);
    }
    // Of what was refused, too, only that is noted which may have done something before.
    match &attempt.sight {
        Sight::Untouched | Sight::Remnant(_) => (Fate::NotDone, Evidence::Objects),
        Sight::Changed => (Fate::Done, Evidence::Objects),
        Sight::Unknown => (Fate::Unknown, Evidence::Nothing),
    }
}

impl Told {
    /// Whether a definition of the piece that it is in shows in the live schema.
    fn sees(&mut self, is_there: bool) {
        let fate = if is_there { Fate::Done } else { Fate::NotDone };
        // What changes rows besides may have come half-way; and what this text makes, another one may have made.
        if self.evidence != Evidence::AnotherText && self.changes == Changes::Definitions && self.fate != fate
        {
            (self.fate, self.evidence) = (fate, Evidence::Schema);
        }
    }
}

/// Statements that one state and the next are apart, and whether what they change shows in the live schema.
struct Range {
    after: u32,
    upto: u32,
    is_there: bool,
}

fn value<'s>(schema: &'s Schema, key: &Key) -> Option<&'s Properties> {
    schema.objects.get(key)
}

/// Where the live schema tells: it has what a later state has of what changed there, and no earlier one, or the other way
/// round.
fn visible(replay: &Replay, live: &Schema) -> Vec<Range> {
    let states = &replay.states;
    let one = |at: usize| {
        let ((after, before), (upto, behind)) = (&states[at], &states[at + 1]);
        let keys = before.objects.keys().chain(behind.objects.keys());
        let mut changed: Vec<&Key> = keys.filter(|key| value(before, key) != value(behind, key)).collect();
        // A table with something more is not the one that is made.
        let is_made = |key: &Key| {
            let whole =
                |made: &&Key| made.table.is_empty() && made.name == key.table && made.schema == key.schema;
            !key.table.is_empty()
                && changed.iter().copied().filter(whole).any(|made| value(before, made).is_none())
        };
        let more: Vec<&Key> =
            live.objects.keys().filter(|key| is_made(key) && !replay.known.holds(key, live)).collect();
        changed.extend(more);
        let is_live =
            |(_, schema): &(u32, Schema)| changed.iter().all(|key| value(schema, key) == value(live, key));
        let (earlier, later) = (states[..=at].iter().any(is_live), states[at + 1..].iter().any(is_live));
        let tells = !changed.is_empty() && earlier != later;
        tells.then_some(Range { after: *after, upto: *upto, is_there: later })
    };
    (0..states.len().saturating_sub(1)).filter_map(one).collect()
}
