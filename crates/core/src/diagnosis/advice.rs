//! Advice: the one thing that is right to do, as commands, and why.

use super::{Changes, Compared, Comparison, Evidence, Examined, Fate, NotCompared, Recorded, Told};
use crate::drift::DriftVerdict;
use crate::driver::Holder;
use crate::history::{Attempt, InFlight, Liveness, Sight, State};
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
    let elsewhere = if is_about_schema { changed_elsewhere(case) } else { 0 };
    if elsewhere > 0 {
        advice.why.push_str(&format!(
            "; before that the deploy stops for what others changed elsewhere ({elsewhere} {}): see `windlass drift`",
            if elsewhere == 1 { "object" } else { "objects" },
        ));
    }
    let excused = excused_by_doubt(case, &advice);
    if excused > 0 {
        advice.why.push_str(&format!(
            "; what others changed beside it ({excused} {}) is drift then: undo it, or take it as it is with `windlass drift \
             accept`",
            if excused == 1 { "object" } else { "objects" },
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

/// How many objects others changed, but for those that the examined migration's states are told apart by.
fn changed_elsewhere(case: &Case<'_>) -> usize {
    let DriftVerdict::Drift(drift) = case.drift else { return 0 };
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
        // There the statements that count as done are not those of the replay, or cannot be gone on with.
        (Some(blocked @ Blocked::SessionGone { .. }), Some(examined)) => {
            whole_or_gone(examined, || follow(blocked)).unwrap_or_else(|| follow(blocked))
        }
        (Some(blocked), _) => follow(blocked),
        (None, Some(examined)) if examined.attempt.state() != State::RolledBack => {
            unfinished(examined, || {
                let (name, completed) = (&examined.attempt.name, examined.completed());
                let what = match examined.attempt.state() {
                    State::Failed => "has another text behind what ran",
                    _ => "was cut off",
                };
                let why = format!("`{name}` {what}: a deploy goes on after statement {completed} by itself");
                plain(Action::Deploy, &why, &[DEPLOY])
            })
        }
        (None, Some(examined)) if examined.is_same_text => mend(examined, None),
        (None, _) if case.recorded.iter().any(|one| !one.differences.is_empty()) => {
            not_borne_out(case.recorded)
        }
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

/// What of the database was held against nothing, where else nothing is wrong.
fn not_looked_at(case: &Case<'_>) -> Option<String> {
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
    let rows = case.recorded.iter().filter(|one| !one.unseen_rows.is_empty()).map(|one| {
        let (rows, name) = (numbers(&one.unseen_rows), &one.attempt.name);
        format!("that the rows of {rows} of `{name}` were changed is a person's word, and no schema tells")
    });
    let beside = (!case.beside.is_empty()).then(|| {
        let many = if case.beside.len() == 1 { "object" } else { "objects" };
        format!("others changed {} {many} beside what the migrations make", case.beside.len())
    });
    let drift = match case.drift {
        DriftVerdict::Unknown(why) => {
            Some(format!("whether others changed the schema cannot be told: {why}"))
        }
        DriftVerdict::NeverKept if case.has_history && case.recorded.is_empty() => Some(
            "no deploy has kept the schema yet, so that nothing tells whether others changed it".to_owned(),
        ),
        _ => None,
    };
    let parts: Vec<_> = recorded.into_iter().chain(undone).chain(rows).chain(beside).chain(drift).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
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

/// An attempt of which part stands: the history's word is held against the schema, and where they agree it goes on.
fn unfinished(examined: &Examined, goes_on: impl FnOnce() -> Advice) -> Advice {
    let Some(compared) = examined.compared() else { return goes_on() };
    if compared.is_at(examined.completed()) {
        return goes_on();
    }
    if let Some(next) = made_by_hand(examined, compared) {
        return stands_already(examined, compared, next);
    }
    // What a look at objects took for done, the schema may say is not.
    let taken_for_done =
        examined.attempt.in_flight.filter(|_| examined.completed() > examined.attempt.completed);
    if let Some(advice) = taken_for_done
        .filter(|in_flight| shown(examined, *in_flight) == Some(false))
        .and_then(|in_flight| seen(examined, compared, in_flight))
    {
        return advice;
    }
    let goes_on = goes_on();
    whole_or_gone(examined, || goes_on.clone()).unwrap_or_else(|| {
        match compared.knows(examined.completed()) {
            true => between(examined, compared, goes_on),
            false => beyond(examined, compared, goes_on),
        }
    })
}

/// The statement that was refused, or comes next, where somebody made by hand what it makes, and more is to come.
fn made_by_hand(examined: &Examined, compared: &Compared) -> Option<u32> {
    let completed = examined.attempt.completed;
    let told = examined.statements.get(completed as usize)?;
    let is_it = examined.attempt.in_flight.is_none()
        && examined.is_same_text
        && told.changes == Changes::Definitions
        && (told.number as usize) < examined.statements.len()
        && compared.fits().contains(&told.number);
    is_it.then_some(told.number)
}

/// It is gone on behind that statement, and what it makes stays.
fn stands_already(examined: &Examined, compared: &Compared, next: u32) -> Advice {
    let name = &examined.attempt.name;
    let of = length(examined);
    let (_, took_effect) = decided(examined, TOOK_EFFECT, next);
    let goes_on = [took_effect.as_str(), DEPLOY];
    let has = match examined.attempt.error.is_some() {
        true => "was refused, and the live schema has by now what it makes",
        false => "has not run, and the live schema has what it makes",
    };
    let why = format!("statement {next} of `{name}` {has}");
    let rest = rows_of(examined, next, of);
    if compared.fits().contains(&of) && !rest.is_empty() {
        let why = format!("{why}; whether the rows of {} were changed, too, no schema tells", numbers(&rest));
        let none = Choice {
            when: "they were not".to_owned(),
            by_hand: Vec::new(),
            commands: goes_on.map(str::to_owned).into(),
        };
        let all = Choice {
            when: "they were, by hand".to_owned(),
            by_hand: Vec::new(),
            commands: vec![resolve("--applied", name), DEPLOY.to_owned()],
        };
        return Advice { choices: vec![none, all], ..plain(Action::Decide, &why, &[]) };
    }
    let away = Choice {
        when: "that is not to stay".to_owned(),
        by_hand: undone(compared.at(examined.completed())),
        commands: vec![resolve("--resume", name), DEPLOY.to_owned()],
    };
    Advice { choices: vec![away], ..plain(Action::Resolve, &why, &goes_on) }
}

/// The history counts more than the replay came to: whether it is so, a person finds out.
fn beyond(examined: &Examined, compared: &Compared, goes_on: Advice) -> Advice {
    let (attempt, completed, known) = (&examined.attempt, examined.completed(), compared.known());
    let why = format!(
        "{}; on an empty database `{}` came no further than statement {known}, so that what the history counts behind that \
         was held against nothing",
        goes_on.why, attempt.name
    );
    let by_hand = [lacking(examined, compared), goes_on.by_hand].concat();
    if attempt.state() != State::Failed {
        return Advice { why, by_hand, ..goes_on };
    }
    let (look, applied) = decided(examined, "--applied", length(examined));
    let all = Choice {
        when: "all of it stands, also what has not run".to_owned(),
        by_hand: look,
        commands: vec![applied, DEPLOY.to_owned()],
    };
    let rows = rows_of(examined, 0, completed);
    let rows = (!rows.is_empty()).then(|| format!("put the rows of {} back as they were", numbers(&rows)));
    let none = Choice {
        when: "nothing of it is to stay".to_owned(),
        by_hand: undone(compared.at(0)).into_iter().chain(rows).collect(),
        commands: vec![resolve("--rolled-back", &attempt.name), DEPLOY.to_owned()],
    };
    let mut choices: Vec<_> = goes_on.choices.into_iter().chain([all]).collect();
    choices
        .iter_mut()
        .for_each(|choice| choice.by_hand.splice(0..0, lacking(examined, compared)).for_each(drop));
    choices.push(none);
    Advice { why, by_hand, choices, ..goes_on }
}

/// What of the statements that the replay came to is not there, though nothing behind them may have taken it away.
fn lacking(examined: &Examined, compared: &Compared) -> Vec<String> {
    let known = compared.known();
    let behind =
        examined.statements.iter().filter(|told| told.number > known && told.number <= examined.completed());
    let defines = |told: &&Told| !matches!(told.changes, Changes::Rows | Changes::Nothing);
    let behind: Vec<&Told> = behind.filter(defines).collect();
    let is_theirs = |difference: &Difference| {
        behind.iter().any(|told| match &told.objects {
            Some(names) => names.iter().any(|name| {
                [&difference.key.name, &difference.key.table]
                    .into_iter()
                    .any(|one| one.eq_ignore_ascii_case(name))
            }),
            None => true,
        })
    };
    let gone = compared.at(known).iter().filter(|difference| matches!(difference.change, Change::Removed(_)));
    undone(&gone.filter(|difference| !is_theirs(difference)).cloned().collect::<Vec<_>>())
}

fn length(examined: &Examined) -> u32 {
    u32::try_from(examined.statements.len()).unwrap_or(u32::MAX)
}

/// Where the live schema has all of it, or nothing of it.
fn whole_or_gone(examined: &Examined, goes_on: impl Fn() -> Advice) -> Option<Advice> {
    let (attempt, completed) = (&examined.attempt, examined.completed());
    let compared = examined.compared()?;
    let differences = compared.at(completed);
    let of = length(examined);
    let fits = compared.fits();
    let is_failed = attempt.state() == State::Failed;
    if fits.contains(&of) {
        let why = format!("the live schema is what it is after the whole of `{}`", attempt.name);
        let rest = rows_of(examined, completed, of);
        let whole = resolve("--applied", &attempt.name);
        if rest.is_empty() {
            return Some(plain(Action::Resolve, &why, &[&whole, DEPLOY]));
        }
        let rows = format!("{why}; whether the rows of {} were changed, no schema tells", numbers(&rest));
        let all = Choice {
            when: "they were, too".to_owned(),
            by_hand: Vec::new(),
            commands: vec![whole, DEPLOY.to_owned()],
        };
        let mut none = goes_on();
        none.by_hand.splice(0..0, undone(differences));
        if is_failed {
            // With the same text no deploy goes on by itself.
            none.commands.insert(0, resolve("--resume", &attempt.name));
        }
        let none =
            Choice { when: "they were not".to_owned(), by_hand: none.by_hand, commands: none.commands };
        return Some(Advice { choices: vec![all, none], ..plain(Action::Decide, &rows, &[]) });
    }
    if fits.contains(&0) {
        let why = format!("nothing of `{}` is left in the live schema", attempt.name);
        let before = rows_of(examined, 0, attempt.in_flight.map_or(completed, |in_flight| in_flight.last));
        let mut back = plain(Action::Resolve, &why, &[&resolve("--rolled-back", &attempt.name), DEPLOY]);
        if is_failed && examined.is_same_text {
            back.by_hand = goes_on().by_hand;
        }
        let ran_another = |told: &Told| told.number <= completed && told.evidence == Evidence::AnotherText;
        let whose = match examined.statements.iter().any(ran_another) {
            true => "what the other text changed of rows is undone".to_owned(),
            false if before.is_empty() => return Some(back),
            false => format!("the rows of {} are as before", numbers(&before)),
        };
        let rows = format!("{why}; whether {whose}, no schema tells");
        let all = Choice {
            when: "so it is".to_owned(),
            by_hand: back.by_hand.clone(),
            commands: back.commands.clone(),
        };
        let none = Choice {
            when: "so it is not".to_owned(),
            by_hand: [vec!["put the rows back as they were".to_owned()], back.by_hand].concat(),
            commands: back.commands,
        };
        return Some(Advice { choices: vec![all, none], ..plain(Action::Decide, &rows, &[]) });
    }
    None
}

/// Where it has neither: it is brought to where the history says that it is.
fn between(examined: &Examined, compared: &Compared, goes_on: Advice) -> Advice {
    let (attempt, completed) = (&examined.attempt, examined.completed());
    let of = examined.statements.len();
    let why = match compared.fits().first() {
        Some(other) => format!(
            "the live schema is what it is after {other} of {of} statements of `{}`, and the history counts {completed}",
            attempt.name
        ),
        None => format!(
            "the live schema is in no state of `{}`, neither in that before it nor in that after any of its statements; the \
             history counts {completed} of {of}",
            attempt.name
        ),
    };
    let Advice { by_hand, commands, choices, .. } = goes_on;
    let by_hand = [undone(compared.at(completed)), by_hand].concat();
    Advice { action: Action::Undo, why, by_hand, commands, choices }
}

/// Another text has run than the one in the project: which of the two is to count, a person says.
fn other_text(examined: &Examined, blocked: &Blocked) -> Advice {
    let Some(compared) = examined.compared().filter(|compared| compared.knows(0)) else {
        return follow(blocked);
    };
    let old = Choice {
        when: "what has run is to stay".to_owned(),
        by_hand: vec!["put back the statements that have run; only those after them may change".to_owned()],
        commands: vec![DEPLOY.to_owned()],
    };
    let rows = "put the rows that it changed back as they were, if it changed any".to_owned();
    let new = Choice {
        when: "the text in the project is to run in its place".to_owned(),
        by_hand: undone(compared.at(0)).into_iter().chain([rows]).collect(),
        commands: vec![resolve("--rolled-back", &examined.attempt.name), DEPLOY.to_owned()],
    };
    Advice { choices: vec![old, new], ..plain(Action::Decide, &blocked.to_string(), &[]) }
}

/// What is undone by hand, so that the schema is again what the history says.
fn undone(differences: &[Difference]) -> Vec<String> {
    let one = |difference: &Difference| match &difference.change {
        Change::Added(_) => Some(format!("take {} away", difference.key)),
        Change::Removed(_) => Some(format!("make {} again", difference.key)),
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

/// A crash hid the outcome of statements: the schema tells it where they change nothing else.
fn doubt(examined: &Examined, in_flight: InFlight, place: Option<&Place>) -> Advice {
    let doubted = in_flight;
    let rows = rows_of(examined, doubted.first - 1, doubted.last);
    if let (Some(compared), true) = (examined.compared(), rows.is_empty())
        && let Some(advice) = seen(examined, compared, doubted)
    {
        return advice;
    }
    let is_refused = examined.attempt.state() == State::Failed;
    let (looked, resume) = decided(examined, "--resume", examined.attempt.completed);
    let (_, took_effect) = decided(examined, TOOK_EFFECT, doubted.last);
    let resume = || vec![resume.clone(), DEPLOY.to_owned()];
    let mended = |by_hand: &[String]| {
        let mend = place.filter(|_| is_refused).map(|place| format!("mend what was refused at {place}"));
        looked.iter().chain(by_hand).cloned().chain(mend).collect::<Vec<_>>()
    };
    let none =
        Choice { when: "nothing of it took effect".to_owned(), by_hand: mended(&[]), commands: resume() };
    let part = Choice {
        when: "a part of it did".to_owned(),
        by_hand: mended(&["undo that part".to_owned()]),
        commands: resume(),
    };
    let all = Choice {
        when: "all of it did".to_owned(),
        by_hand: looked.clone(),
        commands: vec![took_effect, DEPLOY.to_owned()],
    };
    let mut choices = vec![none, part];
    if !is_refused {
        choices.push(all);
    }
    Advice { choices, ..plain(Action::Decide, &hidden(examined, doubted), &[]) }
}

/// Why nobody but a person can tell, and where to look.
fn hidden(examined: &Examined, doubted: InFlight) -> String {
    let told =
        examined.statements.iter().filter(|told| told.number >= doubted.first && told.number <= doubted.last);
    let told: Vec<&Told> = told.filter(|told| told.changes != Changes::Nothing).collect();
    let look = match objects_of(&told) {
        Some(objects) => format!("look at {objects}"),
        None => "look at what it changes".to_owned(),
    };
    let which = match doubted.first == doubted.last {
        true => format!("statement {}", doubted.first),
        false => format!("statements {}", doubted.to_text()),
    };
    let why = match &examined.comparison {
        Comparison::Not(NotCompared::NoShadow)
            if rows_of(examined, doubted.first - 1, doubted.last).is_empty() =>
        {
            "the schema would tell, held against a replay on a shadow database"
        }
        _ => "no schema tells the whole of it",
    };
    format!("{which} of `{}` was under way, and {why}: {look}", examined.attempt.name)
}

/// Whether the live schema shows of all of these statements that they are done, or of all that they are not.
fn shown(examined: &Examined, statements: InFlight) -> Option<bool> {
    let among = |told: &&Told| told.number >= statements.first && told.number <= statements.last;
    let mut fates = examined.statements.iter().filter(among).map(|told| (told.fate, told.evidence));
    let first = fates.next()?;
    (first.1 == Evidence::Schema && fates.all(|fate| fate == first)).then_some(first.0 == Fate::Done)
}

/// What the schema tells of statements in doubt that change definitions alone.
fn seen(examined: &Examined, compared: &Compared, doubted: InFlight) -> Option<Advice> {
    let (name, fits) = (&examined.attempt.name, compared.fits());
    let (before, behind) = (examined.attempt.completed, doubted.last);
    let is_before = fits.contains(&before) || compared.is_at(before);
    let is_behind = fits.contains(&behind);
    if !is_before && !compared.knows(behind) {
        return None;
    }
    let of = length(examined);
    match (is_before, is_behind) {
        (true, true) => None,
        (true, false) => {
            let why = format!("the live schema is what it is before statement {} of `{name}`", doubted.first);
            Some(plain(Action::Resolve, &why, &[&resolve("--resume", name), DEPLOY]))
        }
        (false, true) if behind == of => {
            let why = format!("the live schema is what it is after the whole of `{name}`");
            Some(plain(Action::Resolve, &why, &[&resolve("--applied", name), DEPLOY]))
        }
        (false, true) => {
            let why = format!("the live schema is what it is after statement {behind} of `{name}`");
            Some(plain(Action::Resolve, &why, &[&resolve(TOOK_EFFECT, name), DEPLOY]))
        }
        (false, false) => {
            let why = format!(
                "statement {} of `{name}` was under way, and the live schema is neither what it is before nor what it is after",
                doubted.to_text()
            );
            let is_done = shown(examined, doubted) == Some(true);
            let (at, decision) = match is_done {
                true if behind == of => (behind, "--applied"),
                true => (behind, TOOK_EFFECT),
                false => (before, "--resume"),
            };
            let commands = [resolve(decision, name), DEPLOY.to_owned()];
            let commands: Vec<_> = commands.iter().map(String::as_str).collect();
            Some(Advice { by_hand: undone(compared.at(at)), ..plain(Action::Undo, &why, &commands) })
        }
    }
}

/// The live schema speaks against what a person recorded.
fn not_borne_out(recorded: &[Recorded]) -> Advice {
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
