//! Unfinished: what is right where a part of a migration stands, as the live schema tells.

use super::doubt::{seen, shown};
use super::{
    ACCEPT, Action, Advice, Choice, DEPLOY, TOOK_EFFECT, applied, decided, follow, length, numbers, plain,
    resolve, rows_of, undone,
};
use crate::diagnosis::{Changes, Compared, Evidence, Examined, Told};
use crate::history::State;
use crate::plan::Blocked;
use crate::schema::{Change, Difference, Key};

/// An attempt of which part stands: the history's word is held against the schema, and where they agree it goes on.
pub(super) fn unfinished(examined: &Examined, goes_on: impl FnOnce() -> Advice) -> Advice {
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
            commands: applied(examined),
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
    let is_theirs = |difference: &Difference| behind.iter().any(|told| may_name(told, &difference.key));
    let gone = compared.at(known).iter().filter(|difference| matches!(difference.change, Change::Removed(_)));
    undone(&gone.filter(|difference| !is_theirs(difference)).cloned().collect::<Vec<_>>())
}

/// Where the live schema has all of it, or nothing of it.
pub(super) fn whole_or_gone(examined: &Examined, goes_on: impl Fn() -> Advice) -> Option<Advice> {
    let (attempt, completed) = (&examined.attempt, examined.completed());
    let compared = examined.compared()?;
    let differences = compared.at(completed);
    let of = length(examined);
    let fits = compared.fits();
    let is_failed = attempt.state() == State::Failed;
    if fits.contains(&of) {
        let why = format!("the live schema is what it is after the whole of `{}`", attempt.name);
        let rest = rows_of(examined, completed, of);
        if rest.is_empty() {
            return Some(Advice { commands: applied(examined), ..plain(Action::Resolve, &why, &[]) });
        }
        let rows = format!("{why}; whether the rows of {} were changed, no schema tells", numbers(&rest));
        let all =
            Choice { when: "they were, too".to_owned(), by_hand: Vec::new(), commands: applied(examined) };
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
    let by_hand = [undone_or_left_out(examined, compared, completed), by_hand].concat();
    let Some(further) = compared.fits().into_iter().find(|done| *done > completed) else {
        return Advice { action: Action::Undo, why, by_hand, commands, choices };
    };
    // What stands there may hold rows by now, which a statement that runs again would take away.
    let rest: Vec<u32> = (further + 1..=length(examined)).collect();
    let rows = rows_of(examined, completed, further);
    let see = (!rows.is_empty()).then(|| format!("see that the rows of {} are changed", numbers(&rows)));
    let forward = Choice {
        when: "what stands is to stay".to_owned(),
        by_hand: see.into_iter().chain([format!("run {} by hand", numbers(&rest))]).collect(),
        commands: applied(examined),
    };
    let back = Choice { when: "it is not to stay".to_owned(), by_hand, commands };
    let choices = [forward, back].into_iter().chain(choices).collect();
    Advice { choices, ..plain(Action::Decide, &why, &[]) }
}

/// What was taken as it is may stay, where what has not run leaves it alone.
fn undone_or_left_out(examined: &Examined, compared: &Compared, completed: u32) -> Vec<String> {
    let one = |difference: &Difference| match &difference.change {
        Change::Removed(_) => {
            let filled = filled_by(examined, completed, difference);
            let with = format!(", with what {} put into it or took from it", numbers(&filled));
            let with = if filled.is_empty() { String::new() } else { with };
            undone(std::slice::from_ref(difference)).into_iter().map(|told| told + &with).collect()
        }
        _ if compared.taken.contains(&difference.key) => vec![format!(
            "write what has not run so that it leaves {} as it is, which was taken so; or undo that, and take it so with `{ACCEPT}`",
            difference.key
        )],
        _ => undone(std::slice::from_ref(difference)),
    };
    compared.at(completed).iter().flat_map(one).collect()
}

/// Another text has run than the one in the project: which of the two is to count, a person says.
pub(super) fn other_text(examined: &Examined, blocked: &Blocked) -> Advice {
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

/// The statements that count as done, change rows, or may, and name what is gone, or its table: made again it would be empty.
fn filled_by(examined: &Examined, completed: u32, gone: &Difference) -> Vec<u32> {
    let rows = rows_of(examined, 0, completed);
    let names = |told: &&Told| rows.contains(&told.number) && may_name(told, &gone.key);
    examined.statements.iter().filter(names).map(|told| told.number).collect()
}

/// Whether a statement names an object, or its table, or may touch anything.
fn may_name(told: &Told, key: &Key) -> bool {
    told.objects.as_ref().is_none_or(|names| {
        names.iter().any(|name| [&key.name, &key.table].into_iter().any(|one| one.eq_ignore_ascii_case(name)))
    })
}
