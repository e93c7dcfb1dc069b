//! Advice: the one thing that is right to do, as commands, and why.

mod doubt;
mod recorded;
mod unfinished;

use self::doubt::doubt;
use self::recorded::{not_borne_out, not_looked_at};
use self::unfinished::{other_text, unfinished, whole_or_gone};
use super::{Changes, Comparison, Evidence, Examined, NotCompared, Recorded, Told};
use crate::drift::DriftVerdict;
use crate::driver::Holder;
use crate::history::{Attempt, Liveness, Sight, State};
use crate::plan::{Blocked, Place};
use crate::schema::{Change, Difference};
use crate::shadow::is_named;
use std::collections::BTreeSet;

/// What is right to do.
///
/// ```
/// use windlass_core::diagnosis::Advice;
///
/// fn steps(advice: &Advice) -> Vec<String> {
///     advice.by_hand.iter().chain(&advice.commands).cloned().collect()
/// }
/// # let _ = steps;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// What kind of thing it is.
    pub action: Action,
    /// Why.
    pub why: String,
    /// What a person does first, in words.
    pub by_hand: Vec<String>,
    /// The commands that come then, in this order.
    pub commands: Vec<String>,
    /// Where only a person can tell what is true: what it may be, and what is right then.
    pub choices: Vec<Choice>,
}

/// What is right where something is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is so.
    pub when: String,
    /// What a person does first, in words.
    pub by_hand: Vec<String>,
    /// The commands that come then.
    pub commands: Vec<String>,
}

/// A kind of advice.
///
/// ```
/// use windlass_core::diagnosis::{Action, Advice};
///
/// fn is_for_a_person(advice: &Advice) -> bool {
///     !matches!(advice.action, Action::Nothing | Action::Deploy | Action::Wait)
/// }
/// # let _ = is_for_a_person;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Nothing is to be done.
    Nothing,
    /// A deploy does the rest by itself.
    Deploy,
    /// A statement is to be mended, and a deploy goes on with it.
    Mend,
    /// A decision is to be written into the history.
    Resolve,
    /// Something is to be undone by hand first.
    Undo,
    /// Only a person can tell which of several things is so.
    Decide,
    /// Another session is to come to its end.
    Wait,
    /// The schema is to be brought back, or taken as it is.
    Drift,
    /// What the reason itself tells.
    Follow,
}

impl Action {
    /// The word for scripts.
    ///
    /// ```
    /// assert_eq!(windlass_core::diagnosis::Action::Decide.as_str(), "decide");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Deploy => "deploy",
            Self::Mend => "mend",
            Self::Resolve => "resolve",
            Self::Undo => "undo",
            Self::Decide => "decide",
            Self::Wait => "wait",
            Self::Drift => "drift",
            Self::Follow => "follow",
        }
    }
}

/// What advice rests upon.
pub(crate) struct Case<'a> {
    pub(crate) blocked: Option<&'a Blocked>,
    pub(crate) pending: &'a [String],
    pub(crate) examined: Option<&'a Examined>,
    pub(crate) recorded: &'a [Recorded],
    pub(crate) recorded_unseen: Option<&'a NotCompared>,
    /// The migrations that ran since the schema was kept.
    pub(crate) since: &'a [String],
    /// What a replay makes otherwise than it is, of what those made.
    pub(crate) since_differs: &'a [Difference],
    pub(crate) beside: &'a [Difference],
    pub(crate) has_history: bool,
    pub(crate) drift: &'a DriftVerdict,
    pub(crate) holder: Option<&'a Holder>,
    pub(crate) origin: Origin,
}

/// Where a schema that is not the kept one comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody knows.
    Unknown,
    /// It is what the applied migrations make.
    Applied,
    /// It is what they and this pending one make.
    Pending {
        /// Its name.
        name: String,
        /// Those of its statements that change rows, or may.
        rows: Vec<u32>,
    },
}

pub(crate) fn advise(case: &Case<'_>) -> Advice {
    let mut advice = advice(case);
    let is_about_schema = !matches!(advice.action, Action::Drift | Action::Nothing | Action::Wait);
    let elsewhere = if is_about_schema { changed_elsewhere(case, &advice) } else { 0 };
    if elsewhere > 0 {
        advice.why.push_str(&format!(
            "; before that the deploy stops for what others changed elsewhere ({}): see `windlass drift`",
            objects(elsewhere),
        ));
    }
    let excused = excused_by_doubt(case, &advice);
    if excused > 0 {
        advice.why.push_str(&format!(
            "; what others changed beside it ({}) is drift then: undo it, or take it as it is with `windlass drift \
             accept`",
            objects(excused),
        ));
    }
    advice
}

/// How many objects others changed that are only passed over as long as a statement that names them may have run: by this
/// decision it has not.
fn excused_by_doubt(case: &Case<'_>, advice: &Advice) -> usize {
    let Some(examined) = case.examined.filter(|examined| examined.attempt.in_flight.is_some()) else {
        return 0;
    };
    let settles = |command: &String| command.contains(" --resume ") && !command.contains(TOOK_EFFECT);
    if !advice.commands.iter().any(settles) {
        return 0;
    }
    let completed = |told: &&Told| told.number <= examined.attempt.completed;
    let named = examined.statements.iter().filter(completed).flat_map(|told| told.objects.iter().flatten());
    let named: BTreeSet<String> = named.map(|name| name.to_lowercase()).collect();
    case.beside.iter().filter(|difference| !is_named(&difference.key, &named)).count()
}

/// How many objects others changed, but for those that a decision takes for the examined migration's.
fn changed_elsewhere(case: &Case<'_>, advice: &Advice) -> usize {
    let DriftVerdict::Drift(drift) = case.drift else { return 0 };
    let is_settled = |command: &String| command.contains(TOOK_EFFECT) || command.contains("--applied");
    if !advice.commands.iter().any(is_settled) {
        return drift.differences.len();
    }
    let compared = case.examined.and_then(Examined::compared);
    let is_its_own = |difference: &Difference| {
        let states = compared.iter().flat_map(|compared| &compared.states);
        states.flat_map(|(_, differences)| differences).any(|one| one.key == difference.key)
    };
    drift.differences.iter().filter(|difference| !is_its_own(difference)).count()
}

fn advice(case: &Case<'_>) -> Advice {
    match (case.blocked, case.examined) {
        (Some(Blocked::Running { attempt }), _) => wait_for(attempt),
        (_, _) if case.holder.is_some() => plain(
            Action::Wait,
            "another session holds the lock: a deploy waits for it, and what is told here may be otherwise by then",
            &["windlass unlock"],
        ),
        (Some(Blocked::InDoubt { in_flight, place, .. }), Some(examined)) => {
            doubt(examined, *in_flight, place.as_ref())
        }
        (Some(Blocked::Failed { next, .. }), Some(examined)) => {
            unfinished(examined, || mend(examined, next.as_ref()))
        }
        (Some(Blocked::UnfinishedElsewhere { attempt, renamed_to }), _) => {
            elsewhere(attempt, renamed_to.as_deref())
        }
        (Some(blocked @ Blocked::HeadChanged { .. }), Some(examined)) => {
            whole_or_gone(examined, || follow(blocked)).unwrap_or_else(|| other_text(examined, blocked))
        }
        (Some(blocked @ Blocked::Undone { .. }), Some(examined)) => match examined.compared() {
            Some(compared) if !compared.is_at(examined.completed()) => {
                unfinished(examined, || gone_on_with(examined))
            }
            _ => follow(blocked),
        },
        // There the statements that count as done are not those of the replay, or cannot be gone on with.
        (Some(blocked @ Blocked::SessionGone { .. }), Some(examined)) => {
            whole_or_gone(examined, || follow(blocked)).unwrap_or_else(|| follow(blocked))
        }
        (Some(blocked), _) => follow(blocked),
        (None, Some(examined)) if examined.attempt.state() != State::RolledBack => {
            unfinished(examined, || gone_on_with(examined))
        }
        (None, Some(examined)) if examined.is_same_text => mend(examined, None),
        (None, _) if case.recorded.iter().any(|one| !one.differences.is_empty()) => {
            not_borne_out(case.recorded)
        }
        // Neither the kept schema nor the history bears it out.
        (None, _) if !case.since_differs.is_empty() => drifted(case.since_differs, &Origin::Unknown),
        (None, _) => match case.drift {
            DriftVerdict::Drift(drift) => drifted(&drift.differences, &case.origin),
            _ if case.pending.is_empty() => match not_looked_at(case) {
                Some(rest) => plain(Action::Nothing, &format!("nothing is known to be wrong; {rest}"), &[]),
                None => plain(Action::Nothing, "everything is as it should be", &[]),
            },
            _ => match not_looked_at(case) {
                Some(rest) => {
                    plain(Action::Deploy, &format!("nothing is known to be in its way; {rest}"), &[DEPLOY])
                }
                None => plain(Action::Deploy, "nothing is in its way", &[DEPLOY]),
            },
        },
    }
}

/// Nothing is in the way of a deploy that goes on.
fn gone_on_with(examined: &Examined) -> Advice {
    let (name, completed) = (&examined.attempt.name, examined.completed());
    let what = match examined.attempt.state() {
        State::Failed => "has another text behind what ran",
        _ => "was cut off",
    };
    let why = format!("`{name}` {what}: a deploy goes on after statement {completed} by itself");
    plain(Action::Deploy, &why, &[DEPLOY])
}

/// `1 object`, `2 objects`.
fn objects(count: usize) -> String {
    format!("{count} {}", if count == 1 { "object" } else { "objects" })
}

/// The first of several, and how many more there are.
fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    match names.len().checked_sub(FEW) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..FEW].join(", ")),
    }
}

fn plain(action: Action, why: &str, commands: &[&str]) -> Advice {
    Advice {
        action,
        why: why.to_owned(),
        by_hand: Vec::new(),
        commands: commands.iter().map(|command| (*command).to_owned()).collect(),
        choices: Vec::new(),
    }
}

/// What a hint parts are other ways, not steps.
fn follow(blocked: &Blocked) -> Advice {
    let by_hand = blocked.hint().into_iter().collect();
    Advice { by_hand, ..plain(Action::Follow, &blocked.to_string(), &[]) }
}

fn wait_for(attempt: &Attempt) -> Advice {
    let (name, who) = (&attempt.name, &attempt.applied_by);
    if attempt.owner_session != Liveness::Unknown {
        let why = format!("`{name}` is being run by {who}, whose session lives");
        return plain(Action::Wait, &why, &["windlass unlock"]);
    }
    let is_gone = Choice {
        when: "that session is gone".to_owned(),
        by_hand: Vec::new(),
        commands: vec![resolve("--resume", name), DEPLOY.to_owned()],
    };
    let lives = Choice {
        when: "it is still at work".to_owned(),
        by_hand: vec!["wait for its end".to_owned()],
        commands: vec![DEPLOY.to_owned()],
    };
    let why = format!("`{name}` was begun by {who}, and whether that session lives cannot be told from here");
    Advice { choices: vec![lives, is_gone], ..plain(Action::Decide, &why, &[]) }
}

/// What the project does not have, it cannot go on with; nor is there anything that the schema could be held against.
fn elsewhere(attempt: &Attempt, renamed_to: Option<&str>) -> Advice {
    let name = &attempt.name;
    let back = match renamed_to {
        Some(to) => format!("give `{to}` its old name back, `{name}`"),
        None => "put its file back, or deploy the release that has it".to_owned(),
    };
    let stays = Choice {
        when: "it is to go on".to_owned(),
        by_hand: vec![back],
        commands: vec![
            if attempt.state() == State::Failed { "windlass diagnose" } else { DEPLOY }.to_owned(),
        ],
    };
    let goes = Choice {
        when: "it is to be gone".to_owned(),
        by_hand: vec![format!("undo by hand what stands of it: {}", stands(attempt))],
        commands: vec![format!("{} --force", resolve("--rolled-back", name)), DEPLOY.to_owned()],
    };
    let what = if attempt.state() == State::Failed { "failed" } else { "was cut off" };
    let why = match renamed_to {
        Some(to) => format!("`{name}` {what}, and its text has another name in the project: `{to}`"),
        None => format!("`{name}` {what}, and the project does not have it"),
    };
    Advice { choices: vec![stays, goes], ..plain(Action::Decide, &why, &[]) }
}

/// How many statements count as done, and which may have done something.
fn stands(attempt: &Attempt) -> String {
    let Attempt { completed, statements, .. } = attempt;
    match (attempt.in_flight, &attempt.sight) {
        (Some(_), Sight::Remnant(remnant)) => {
            format!("{completed} of its {statements} statements, and what is left of the next: {remnant}")
        }
        (Some(in_flight), _) => {
            format!(
                "{completed} of its {statements} statements, and perhaps a part of {}",
                in_flight.to_text()
            )
        }
        (None, _) => format!("{completed} of its {statements} statements"),
    }
}

const DEPLOY: &str = "windlass deploy";

/// A decision as it is typed.
fn resolve(how: &str, name: &str) -> String {
    format!("windlass resolve {how} {}", shell_word(name))
}

const TOOK_EFFECT: &str = "--resume --took-effect";

/// A decision that so many statements are done, as it is typed; and what a person looks at first where a replay came to no
/// schema that could be held against it.
fn decided(examined: &Examined, how: &str, done: u32) -> (Vec<String>, String) {
    let command = resolve(how, &examined.attempt.name);
    let known = match &examined.comparison {
        Comparison::Compared(compared) if !compared.knows(done) => compared.known(),
        Comparison::Not(
            NotCompared::Failed(_) | NotCompared::Unreplayable(_) | NotCompared::Unreadable(_),
        ) => 0,
        _ => return (Vec::new(), command),
    };
    (vec![look(examined, known, done)], format!("{command} --force"))
}

/// Where a person looks whether statements behind the first so many stand.
fn look(examined: &Examined, after: u32, upto: u32) -> String {
    let among = |told: &&Told| told.number > after && told.number <= upto && told.changes != Changes::Nothing;
    let told: Vec<&Told> = examined.statements.iter().filter(among).collect();
    let all: Vec<_> = told.iter().map(|told| told.number).collect();
    match all.is_empty() {
        true => format!(
            "look for yourself: nothing could be held against what stands of `{}`",
            examined.attempt.name
        ),
        false => format!(
            "look for yourself whether what {} changed stands, which nothing could be held against: {}",
            numbers(&all),
            objects_of(&told).unwrap_or_else(|| "it may be anything".to_owned())
        ),
    }
}

/// What statements name, each once; `None` where one of them may touch anything, or they name nothing.
fn objects_of(told: &[&Told]) -> Option<String> {
    let names: Option<Vec<_>> = told.iter().map(|told| told.objects.as_deref()).collect();
    let mut names: Vec<&str> = names?.into_iter().flatten().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| names.join(", "))
}

/// A text as a shell takes it for one word.
///
/// ```
/// use windlass_core::diagnosis::shell_word;
///
/// assert_eq!(shell_word("db/migrations"), "db/migrations");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.+/".contains(c);
    let is_word = !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-');
    if is_word { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The next statement was refused, and all else is as the history says.
fn mend(examined: &Examined, next: Option<&Place>) -> Advice {
    let attempt = &examined.attempt;
    let error = attempt.error.as_deref().unwrap_or_default().trim_end();
    let left_nothing = attempt.state() == State::RolledBack;
    // The words tell the place, but for what a person decided.
    let what = match (next, examined.statements.first()) {
        _ if !error.is_empty() => format!("mend what was refused: {error}"),
        (Some(place), _) => format!("mend the statement at {place}"),
        (None, Some(first)) => format!("mend {}", first.place.file),
        (None, None) => format!("mend `{}`", attempt.name),
    };
    let mut why = match left_nothing {
        true => format!("`{}` failed and was rolled back: nothing of it stands", attempt.name),
        false => format!(
            "{} of {} statements of `{}` stand, and a deploy goes on behind them once the rest is another text",
            attempt.completed, attempt.statements, attempt.name
        ),
    };
    let mut choices = Vec::new();
    if !left_nothing {
        if let Some(compared) = examined.compared() {
            let is_here = compared.states.last().is_some_and(|(done, _)| *done == attempt.completed);
            match &compared.broken {
                None => {
                    why.push_str("; on an empty database it runs: it is something in this one that it met")
                }
                Some(_) if is_here => why.push_str("; on an empty database it is refused, too"),
                Some(_) => {}
            }
        }
        let (by_hand, resume) = decided(examined, "--resume", attempt.completed);
        choices.push(Choice {
            when: "not the text is wrong, but what it met, and you mended that".to_owned(),
            by_hand,
            commands: vec![resume, DEPLOY.to_owned()],
        });
    }
    let mut by_hand = vec![what];
    if let Some(in_flight) = attempt.in_flight.filter(|_| !matches!(attempt.sight, Sight::Remnant(_))) {
        let left = format!(
            "undo what statement {} did before it was refused, if it did anything",
            in_flight.to_text()
        );
        choices.iter_mut().for_each(|choice| choice.by_hand.push(left.clone()));
        by_hand.insert(0, left);
    }
    let mut commands = vec![DEPLOY.to_owned()];
    if let (Some(in_flight), Sight::Changed) = (attempt.in_flight, &attempt.sight) {
        commands.insert(0, resolve("--resume", &attempt.name));
        let (by_hand, took_effect) = decided(examined, TOOK_EFFECT, in_flight.last);
        choices.push(Choice {
            when: format!("what statement {} makes is to stay as it is there now", in_flight.to_text()),
            by_hand,
            commands: vec![took_effect, DEPLOY.to_owned()],
        });
    }
    Advice { by_hand, commands, choices, ..plain(Action::Mend, &why, &[]) }
}

fn length(examined: &Examined) -> u32 {
    u32::try_from(examined.statements.len()).unwrap_or(u32::MAX)
}

/// What is undone by hand, so that the schema is again what the history says.
fn undone(differences: &[Difference]) -> Vec<String> {
    let one = |difference: &Difference| match &difference.change {
        Change::Added(_) if matches!(&*difference.key.kind, "table" | "column") => {
            Some(format!("take {} away: what it holds is lost", difference.key))
        }
        Change::Added(_) => Some(format!("take {} away", difference.key)),
        Change::Removed(_) | Change::Gone { .. } => Some(format!("make {} again", difference.key)),
        Change::Changed(_) => Some(format!("put back {difference}")),
        Change::WorkedOut(_) => None,
    };
    differences.iter().filter_map(one).collect()
}

/// Statements, of those behind the first so many, that change rows or may.
fn rows_of(examined: &Examined, after: u32, upto: u32) -> Vec<u32> {
    let among = |told: &&Told| told.number > after && told.number <= upto;
    let changes = |told: &&Told| matches!(told.changes, Changes::Rows | Changes::Anything);
    examined.statements.iter().filter(among).filter(changes).map(|told| told.number).collect()
}

/// `statement 3`, `statements 3 and 5`.
fn numbers(numbers: &[u32]) -> String {
    let told: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    match told.split_last() {
        Some((last, [])) => format!("statement {last}"),
        Some((last, before)) => format!("statements {} and {last}", before.join(", ")),
        None => "no statement".to_owned(),
    }
}

/// That all of a migration is there, as it is typed: with another text than the one that was run that is a word of its own.
fn applied(examined: &Examined) -> Vec<String> {
    let name = &examined.attempt.name;
    let is_edited = examined.is_in_project && !examined.is_same_text;
    let edit = is_edited.then(|| resolve("--accept-edit", name));
    [resolve("--applied", name)].into_iter().chain(edit).chain([DEPLOY.to_owned()]).collect()
}

const ACCEPT: &str = "windlass drift accept --reason TEXT";

/// Others changed the schema, and nothing else is wrong.
fn drifted(differences: &[Difference], origin: &Origin) -> Advice {
    match origin {
        Origin::Applied => plain(
            Action::Drift,
            "the live schema is what the applied migrations make: what was kept of it is not",
            &[ACCEPT],
        ),
        Origin::Pending { name, rows } => {
            let why = format!(
                "the live schema is what it is once `{name}` ran, too, which the history does not have"
            );
            let applied = [resolve("--applied", name), DEPLOY.to_owned()];
            if rows.is_empty() {
                return plain(Action::Resolve, &why, &applied.each_ref().map(String::as_str));
            }
            let why = format!("{why}; whether the rows of {} were changed, no schema tells", numbers(rows));
            let all =
                Choice { when: "they were, too".to_owned(), by_hand: Vec::new(), commands: applied.into() };
            let none = Choice {
                when: "they were not".to_owned(),
                by_hand: undone(differences),
                commands: vec![DEPLOY.to_owned()],
            };
            Advice { choices: vec![all, none], ..plain(Action::Decide, &why, &[]) }
        }
        Origin::Unknown => {
            let undo = Choice {
                when: "it is not to stay".to_owned(),
                by_hand: undone(differences),
                commands: vec![DEPLOY.to_owned()],
            };
            let keep = Choice {
                when: "it is".to_owned(),
                by_hand: Vec::new(),
                commands: vec![ACCEPT.to_owned(), DEPLOY.to_owned()],
            };
            let why = "others changed the schema, and no migration of the project explains it";
            Advice { choices: vec![undo, keep], ..plain(Action::Drift, why, &[]) }
        }
    }
}

impl Evidence {
    /// The word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Objects => "objects",
            Self::Schema => "schema",
            Self::AnotherText => "another_text",
            Self::Nothing => "nothing",
        }
    }
}
