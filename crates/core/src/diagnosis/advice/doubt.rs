//! Doubt: what is right where a crash, or a refusal, hid the outcome of statements.

use super::{
    Action, Advice, Choice, DEPLOY, TOOK_EFFECT, applied, decided, length, objects_of, plain, resolve,
    rows_of, undone,
};
use crate::diagnosis::{Changes, Compared, Comparison, Evidence, Examined, Fate, NotCompared, Told};
use crate::history::{InFlight, State};
use crate::plan::Place;

/// A crash hid the outcome of statements: the schema tells it where they change nothing else.
pub(super) fn doubt(examined: &Examined, in_flight: InFlight, place: Option<&Place>) -> Advice {
    let doubted = in_flight;
    let rows = rows_of(examined, doubted.first - 1, doubted.last);
    if let (Some(compared), true) = (examined.compared(), rows.is_empty())
        && let Some(advice) = seen(examined, compared, doubted)
    {
        // What another text did before it was refused, this one does not tell.
        let rows = "; whether the text that was refused changed rows before, no schema tells: look before you decide";
        let rows = if examined.is_same_text { "" } else { rows };
        return Advice { why: format!("{}{rows}", advice.why), ..advice };
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
pub(super) fn shown(examined: &Examined, statements: InFlight) -> Option<bool> {
    let among = |told: &&Told| told.number >= statements.first && told.number <= statements.last;
    let mut fates = examined.statements.iter().filter(among).map(|told| (told.fate, told.evidence));
    let first = fates.next()?;
    (first.1 == Evidence::Schema && fates.all(|fate| fate == first)).then_some(first.0 == Fate::Done)
}

/// What the schema tells of statements in doubt that change definitions alone.
pub(super) fn seen(examined: &Examined, compared: &Compared, doubted: InFlight) -> Option<Advice> {
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
            Some(Advice { commands: applied(examined), ..plain(Action::Resolve, &why, &[]) })
        }
        (false, true) => {
            let why = format!("the live schema is what it is after statement {behind} of `{name}`");
            Some(plain(Action::Resolve, &why, &[&resolve(TOOK_EFFECT, name), DEPLOY]))
        }
        (false, false) if fits.contains(&0) => {
            let why = format!("nothing of `{name}` is left in the live schema");
            Some(plain(Action::Resolve, &why, &[&resolve("--rolled-back", name), DEPLOY]))
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
