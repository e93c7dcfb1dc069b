//! `diagnose`: what is true of a database whose deploy failed or was cut off, and the command that is right.

use super::Context;
use crate::args::Diagnose;
use crate::comparison::first;
use crate::diagnosis::{held_by, reason, some as some_of};
use crate::error::{Error, blocked_exit, blocked_kind};
use crate::exit::Exit;
use crate::identity;
use crate::json::{
    AdviceBody, BlockedBody, Body, DatabaseBody, DiagnoseBody, DifferenceBody, DriftStateBody, ExaminedBody,
    HolderBody, InvalidIndexBody, RecordedBody,
};
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, count, shown};
use crate::render::entry;
use crate::shadow::{Shadow, WAYS};
use crate::table::{Cell, Row, table};
use crate::target::IfMissing;
use crate::typed::Typed;
use windlass_core::apply::{DeployOptions, diagnose};
use windlass_core::diagnosis::{
    Action, Advice, Changes, Compared, Comparison, Diagnosis, Evidence, Examined, Fate, NotCompared,
    Recorded, Told,
};
use windlass_core::drift::DriftVerdict;
use windlass_core::history::{ACCEPTED_EDIT, State};
use windlass_core::schema::Difference;

const NO_SHADOW: &str = "the live schema was held against nothing";

pub(crate) async fn run(context: &Context, args: &Diagnose) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let mut options = DeployOptions::new(identity::run());
    options.plan.strict_order = context.settings.strict_order;
    options.drift = context.settings.drift_options();
    let driver = &mut *session.driver;
    let mut diagnosis = diagnose(driver, None, &migrations, &options).await?;
    // Only where there is something to hold the schema against is a database made for it.
    if diagnosis.wants_shadow
        && let Some(mut shadow) =
            Shadow::open(context, (&target, driver.capabilities()), &args.shadow).await?
    {
        let looked = diagnose(driver, Some(&mut *shadow.driver), &migrations, &options).await;
        shadow.close(context).await;
        diagnosis = looked?;
    }
    as_typed(&mut diagnosis.advice, &context.settings.typed);
    context.output.table(&text(&session.database, &diagnosis));
    let exit = exit(&diagnosis);
    Ok((exit, Body::Diagnose(Box::new(body(session.database, &diagnosis, &context.settings.typed)))))
}

/// Commands and words with what this command was given.
fn as_typed(advice: &mut Advice, typed: &Typed) {
    advice.why = typed.text(&advice.why);
    let choices = advice.choices.iter_mut().map(|choice| (&mut choice.by_hand, &mut choice.commands));
    for (by_hand, commands) in std::iter::once((&mut advice.by_hand, &mut advice.commands)).chain(choices) {
        by_hand.iter_mut().for_each(|text| *text = typed.text(text));
        commands.iter_mut().for_each(|command| *command = typed.command(command));
    }
}

/// The code that a deploy would end with, as far as can be told.
fn exit(diagnosis: &Diagnosis) -> Exit {
    match (&diagnosis.blocked, &diagnosis.drift) {
        (Some(blocked), _) => blocked_exit(blocked),
        (None, _) if diagnosis.holder.is_some() => Exit::Busy,
        // A deploy would go on from where the live schema is not.
        (None, _) if diagnosis.examined.is_some() && is_to_settle(&diagnosis.advice) => Exit::Blocked,
        (None, _) if diagnosis.recorded.iter().any(|one| !one.differences.is_empty()) => Exit::Blocked,
        (None, DriftVerdict::Drift(_)) => Exit::Drift,
        (None, _) if diagnosis.advice.action == Action::Drift => Exit::Drift,
        (None, _) if diagnosis.fails_again().is_some() => Exit::Failed,
        _ => Exit::Done,
    }
}

fn is_to_settle(advice: &Advice) -> bool {
    matches!(advice.action, Action::Resolve | Action::Undo | Action::Decide)
}

fn body(database: DatabaseBody, diagnosis: &Diagnosis, typed: &Typed) -> DiagnoseBody {
    let (state, why, differences) = match &diagnosis.drift {
        DriftVerdict::Drift(drift) => ("drift", None, drift.differences.as_slice()),
        DriftVerdict::Touched(touched) => {
            ("touched", Some(touched.to_string()), touched.differences.as_slice())
        }
        DriftVerdict::NeverKept => ("never_kept", None, &[][..]),
        DriftVerdict::Unknown(why) => ("unknown", Some(why.clone()), &[][..]),
        _ => ("none", None, &[][..]),
    };
    let differences = differences.iter().map(DifferenceBody::of).collect();
    DiagnoseBody {
        database,
        blocked: diagnosis.blocked.as_ref().map(|blocked| BlockedBody {
            kind: blocked_kind(blocked),
            message: blocked.to_string(),
            hint: blocked.hint().map(|hint| typed.text(&hint)),
        }),
        pending: diagnosis.pending.clone(),
        migration: diagnosis.examined.as_ref().map(ExaminedBody::of),
        recorded: diagnosis
            .recorded
            .iter()
            .map(|one| RecordedBody::of(one, diagnosis.recorded_unseen.is_none()))
            .collect(),
        drift: DriftStateBody { state, why, differences },
        beside: diagnosis.beside.iter().map(DifferenceBody::of).collect(),
        holder: diagnosis.holder.as_ref().map(HolderBody::of),
        invalid_indexes: diagnosis.invalid_indexes.iter().map(InvalidIndexBody::of).collect(),
        advice: AdviceBody::of(&diagnosis.advice),
    }
}

/// What the live schema tells, as a word and in a sentence where it tells nothing.
pub(crate) fn told(examined: &Examined) -> (&'static str, Option<String>) {
    match &examined.comparison {
        Comparison::Compared(_) => ("compared", None),
        Comparison::NothingToSee => ("nothing_to_see", Some(nothing_to_see(&examined.statements))),
        Comparison::Not(why) => why_not(why),
        _ => ("needless", None),
    }
}

/// Why the live schema was held against nothing, as a word and in a sentence.
pub(crate) fn why_not(why: &NotCompared) -> (&'static str, Option<String>) {
    match why {
        NotCompared::NoShadow => ("no_shadow", Some(format!("{NO_SHADOW}: {WAYS}"))),
        NotCompared::Repeatable => (
            "repeatable",
            Some(
                "what an earlier text of it made stands, too: the schema was held against nothing".to_owned(),
            ),
        ),
        NotCompared::Unreplayable(statements) => (
            "unreplayable",
            Some(format!(
                "nothing was replayed: {} would do more than change the shadow database",
                count(statements.len(), "statement")
            )),
        ),
        NotCompared::Failed(error) => {
            let why =
                std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            ("failed", Some(format!("the replay came to no end: {error}{why}")))
        }
        NotCompared::Unreadable(why) => {
            ("unreadable", Some(format!("the live schema cannot be read: {why}")))
        }
        _ => ("needless", None),
    }
}

/// A statement that runs code may do here what it did not do on an empty database.
fn nothing_to_see(statements: &[Told]) -> String {
    let runs_code = |told: &&Told| told.changes == Changes::Anything;
    match statements.iter().find(runs_code) {
        Some(told) => format!(
            "replayed on an empty database it changed no definition, and what statement {} does is not told by its text: no \
             schema tells whether it ran",
            told.number
        ),
        None => "it changes no definition, so that no schema tells whether it ran".to_owned(),
    }
}

/// All of it, in the order in which it is asked: what is wrong, what became of what, what to do.
fn text(database: &DatabaseBody, diagnosis: &Diagnosis) -> String {
    let DatabaseBody { url, product, version } = database;
    let mut parts = vec![format!("{} {DIM}({product} {}){DIM:#}", shown(url), shown(version))];
    if let Some(blocked) = &diagnosis.blocked {
        parts.push(format!("{BAD}blocked{BAD:#} {}", shown(&reason(blocked).0)));
    }
    parts.extend(diagnosis.examined.as_ref().map(examined));
    parts.extend(recorded(diagnosis));
    parts.extend(besides(diagnosis));
    parts.push(advice(&diagnosis.advice));
    parts.join("\n\n")
}

fn examined(examined: &Examined) -> String {
    let attempt = &examined.attempt;
    let state = attempt.state();
    let mut lines = Vec::new();
    let changed = match (examined.is_in_project, examined.is_same_text) {
        (false, _) => ", and the project does not have it",
        (true, false) => ", and the project has another text now",
        (true, true) => "",
    };
    lines.push(format!("{BOLD}{}{BOLD:#}: {}{changed}", attempt.name, state.as_str()));
    lines.extend(attempt.error.as_ref().map(|error| format!("{BAD}{}{BAD:#}", shown(error.trim_end()))));
    let rows: Vec<_> = examined.statements.iter().map(statement).collect();
    if state != State::RolledBack && !rows.is_empty() {
        lines.push(table(&rows));
    }
    lines.extend(told(examined).1.map(|why| shown(&why).into_owned()));
    if let Some(compared) = examined.compared() {
        lines.extend(
            compared.broken.as_ref().map(|error| {
                shown(&format!("the replay on the shadow database ended: {error}")).into_owned()
            }),
        );
        lines.extend(compared.servers.as_ref().map(|(shadow, live)| {
            format!("the shadow is {shadow}, the database {live}: a difference may be theirs alone")
        }));
        lines.push(fitting(examined, compared));
    }
    lines.extend(first(examined.unexplained()));
    if let Comparison::Not(NotCompared::Unreplayable(statements)) = &examined.comparison {
        lines.extend(statements.iter().map(|statement| format!("  {}: {}", statement.place, statement.why)));
    }
    lines.join("\n")
}

/// What stands on a person's word, and what of it is not there: of those whose word is the same together, since several may
/// name what differs.
fn recorded(diagnosis: &Diagnosis) -> Option<String> {
    let recorded = &diagnosis.recorded;
    if let Some(why) = diagnosis.recorded_unseen.as_ref().and_then(|why| why_not(why).1) {
        let told = |state: State, word: &str| {
            let are_so = recorded.iter().filter(|one| one.attempt.state() == state);
            let names: Vec<_> = are_so.map(|one| one.attempt.name.clone()).collect();
            let told = format!("recorded as {word} by a person's word: {}; {why}", some_of(&names));
            (!names.is_empty()).then(|| shown(&told).into_owned())
        };
        let told = [told(State::Applied, "applied"), told(State::RolledBack, "rolled back")];
        let told: Vec<String> = told.into_iter().flatten().collect();
        // Else the advice tells whose statements ran since the schema was kept.
        return Some(if told.is_empty() { shown(&why).into_owned() } else { told.join("\n") });
    }
    let mut rest: Vec<&Recorded> = recorded.iter().filter(|one| !one.differences.is_empty()).collect();
    let mut told = Vec::new();
    while let Some(first) = rest.first().copied() {
        let (alike, others): (Vec<&Recorded>, Vec<_>) =
            rest.into_iter().partition(|one| is_same_word(one, first));
        told.push(on_a_word(&alike));
        rest = others;
    }
    (!told.is_empty()).then(|| told.join("\n"))
}

fn is_same_word(one: &Recorded, other: &Recorded) -> bool {
    let word = |one: &Recorded| (one.attempt.resolution.clone(), one.attempt.state());
    word(one) == word(other) && one.attempt.applied_by == other.attempt.applied_by
}

/// Those that stand on one word.
fn on_a_word(recorded: &[&Recorded]) -> String {
    let names: Vec<_> = recorded.iter().map(|one| format!("`{}`", one.attempt.name)).collect();
    let (names, is_one) = (some_of(&names), recorded.len() == 1);
    let Some(Recorded { attempt, .. }) = recorded.first() else { return String::new() };
    let resolution = attempt.resolution.as_deref();
    let what = match (resolution.is_some_and(|word| word.starts_with(ACCEPTED_EDIT)), is_one) {
        (_, true) if attempt.state() == State::RolledBack => format!("{names} was recorded as rolled back"),
        (_, false) if attempt.state() == State::RolledBack => format!("{names} were recorded as rolled back"),
        (true, true) => format!("the text of {names} counts as it is written now"),
        (true, false) => format!("the texts of {names} count as they are written now"),
        (false, true) => format!("{names} was recorded as applied by {}", attempt.applied_by),
        (false, false) => format!("{names} were recorded as applied by {}", attempt.applied_by),
    };
    let word = resolution.map(|word| format!(" ({word})")).unwrap_or_default();
    let head = format!("{what}{word}, and this is not as the migrations make it:");
    let mut differences: Vec<Difference> = Vec::new();
    for difference in recorded.iter().flat_map(|one| &one.differences) {
        if !differences.iter().any(|told| told.key == difference.key) {
            differences.push(difference.clone());
        }
    }
    std::iter::once(shown(&head).into_owned()).chain(first(&differences)).collect::<Vec<_>>().join("\n")
}

fn statement(told: &Told) -> Row {
    let (word, style) = match (told.fate, told.changes) {
        (Fate::Done, _) => ("done", GOOD),
        (Fate::NotDone, _) => ("not done", WARN),
        _ => ("unknown", BAD),
    };
    let by = match (told.evidence, told.changes) {
        (Evidence::Checkpoint, _) => "says the history",
        (Evidence::Objects, _) => "says a look at its objects",
        (Evidence::Schema, _) => "says the live schema",
        (Evidence::AnotherText, _) => "another text ran in its place",
        (_, Changes::Rows | Changes::Anything) => "rows tell, and no schema does",
        _ => "nobody says",
    };
    let cells = vec![
        Cell::new(told.number.to_string()),
        Cell::new(word).styled(style),
        Cell::new(by).styled(DIM),
        Cell::new(told.summary.as_str()),
    ];
    Row { cells, below: Vec::new() }
}

/// After how many statements the schema would be what it is.
fn fitting(examined: &Examined, compared: &Compared) -> String {
    let (of, completed) = (examined.statements.len(), examined.counted());
    let after = |done: u32| match done {
        0 => "before any of its statements".to_owned(),
        done if done as usize == of => "after all of them".to_owned(),
        done => format!("after {done} of {of}"),
    };
    let places: Vec<_> = compared.fits().into_iter().map(after).collect();
    match (places.is_empty(), compared.knows(completed)) {
        (false, _) => format!("the live schema is what it is {}", places.join(", or ")),
        (true, true) => format!(
            "the live schema is in no state of it, neither in that before nor in that after any of its statements; what differs \
             from what it is {}:",
            after(completed)
        ),
        (true, false) => format!(
            "the live schema is in none of the states up to that {}, and to no later one the replay came",
            after(compared.known())
        ),
    }
}

/// Drift, the lock, and indexes that are not valid.
fn besides(diagnosis: &Diagnosis) -> Option<String> {
    let mut lines = Vec::new();
    match &diagnosis.drift {
        DriftVerdict::Drift(drift) => {
            lines.push(format!("{WARN}drift{WARN:#} {drift}"));
            lines.extend(first(&drift.differences));
        }
        DriftVerdict::Unknown(why) => {
            lines.push(format!("whether others changed the schema cannot be told: {}", shown(why)));
        }
        _ => {}
    }
    if !diagnosis.beside.is_empty() {
        let those = if diagnosis.beside.len() == 1 { "it" } else { "them" };
        let as_it_is = if diagnosis.beside.len() == 1 { "it is" } else { "they are" };
        lines.push(format!(
            "{WARN}drift{WARN:#} others changed {} beside the migration: a deploy takes {those} as {as_it_is}, unless that is undone before",
            count(diagnosis.beside.len(), "object")
        ));
        lines.extend(first(&diagnosis.beside));
    }
    lines.extend(
        diagnosis.holder.as_ref().map(|holder| format!("the lock is held by {}", shown(&held_by(holder)))),
    );
    lines.extend(
        diagnosis
            .invalid_indexes
            .iter()
            .map(|index| shown(&format!("{index}\n  {}", index.hint())).into_owned()),
    );
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn advice(advice: &Advice) -> String {
    let mut lines = vec![entry("advice", &advice.why)];
    lines.extend(steps(&advice.by_hand, &advice.commands));
    for choice in &advice.choices {
        lines.push(entry("if", &choice.when));
        lines.extend(steps(&choice.by_hand, &choice.commands));
    }
    lines.join("\n")
}

/// The first of many.
fn some<T: ToString>(all: &[T]) -> impl Iterator<Item = String> + '_ {
    const FEW: usize = 20;
    let more = all.len().saturating_sub(FEW);
    let rest = (more > 0).then(|| format!("and {more} more: `--json` has all"));
    all.iter().take(FEW).map(ToString::to_string).chain(rest)
}

fn steps(by_hand: &[String], commands: &[String]) -> Vec<String> {
    let by_hand = some(by_hand).map(|text| entry("by hand", &text));
    by_hand.chain(commands.iter().map(|command| entry("run", command))).collect()
}
