//! Indexes that are not valid (PostgreSQL): what is told of those that others left, and the `IF NOT EXISTS`
//! that would leave one as it is.

use super::state::Resumed;
use super::{Blocked, Place, Remark, build::Work};
use crate::driver::{Holder, Inspection, InvalidIndex, Invalidity};
use crate::history::{Attempt, Remnant};
use crate::sql::classify::{Definition, Effect, Facts, ObjectName, Objects, SessionUse, TakenIndex};
use std::collections::HashSet;
use std::fmt;

/// Those that are not the attempt's own, which clears its remnant away itself.
pub(super) fn of_others<'i>(
    all: &'i [InvalidIndex],
    resumed: Option<&Resumed<'_, '_>>,
) -> Vec<&'i InvalidIndex> {
    let own = resumed.and_then(|resumed| resumed.remnant);
    all.iter().filter(|found| !own.is_some_and(|own| found.is_what_is_left(own))).collect()
}

impl Inspection {
    /// The indexes that are not valid, those that unfinished attempts left told as theirs.
    pub(crate) fn invalid_indexes(&self) -> Vec<InvalidIndex> {
        let left_by = |index: &InvalidIndex| {
            let left =
                |attempt: &&Attempt| attempt.remnant().is_some_and(|remnant| index.is_what_is_left(remnant));
            self.history.attempts.iter().find(left)
        };
        let told = |index: &InvalidIndex| match left_by(index) {
            Some(attempt) => {
                InvalidIndex { why: Invalidity::LeftByAttempt(attempt.name.clone()), ..index.clone() }
            }
            None => index.clone(),
        };
        self.surroundings.invalid_indexes.iter().map(told).collect()
    }
}

pub(super) fn remarks(others: &[&InvalidIndex]) -> Vec<Remark> {
    others.iter().map(|&index| Remark::InvalidIndex { index: index.clone() }).collect()
}

/// Those on the tables that a statement names.
pub(super) fn beside(all: &[InvalidIndex], facts: &[Facts]) -> Vec<InvalidIndex> {
    let named = |index: &&InvalidIndex| {
        facts.iter().any(|facts| match &facts.objects {
            Objects::Known(names) => names.iter().any(|name| is_named(index, &index.table, name)),
            Objects::Unknown => false,
        })
    };
    all.iter().filter(named).cloned().collect()
}

/// `CREATE INDEX` over one that is not valid, which `IF NOT EXISTS` would leave as it is, is an error before anything
/// runs, unless a statement before it may have seen to the index. Where that cannot be told, the driver looks when it comes to the statement.
pub(super) fn refuse_taken(
    others: &[&InvalidIndex],
    resumed: Option<&Resumed<'_, '_>>,
    pending: &[Work<'_>],
) -> Result<(), Blocked> {
    if others.is_empty() {
        return Ok(());
    }
    let begun = resumed.map(|resumed| (&resumed.prepared, resumed.completed));
    let mut seen = Seen::default();
    for (prepared, completed) in begun.into_iter().chain(pending.iter().map(|work| (&work.prepared, 0))) {
        seen.path_is_known = true;
        for (index, facts) in prepared.facts.iter().enumerate().skip(completed) {
            let taken = facts.takes_index.as_ref();
            if let Some((taken, found)) = taken.and_then(|taken| Some((taken, seen.taken(others, taken)?))) {
                return Err(Blocked::TakesInvalidIndex {
                    place: Place::of(&prepared.statements[index]),
                    index: found.clone(),
                    unless_there: taken.unless_there,
                });
            }
            if !seen.goes_on(facts) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What the statements before one have named.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    /// No statement of the migration has changed where names are looked for.
    path_is_known: bool,
}

impl Seen {
    fn taken<'i>(&self, others: &[&'i InvalidIndex], taken: &TakenIndex) -> Option<&'i InvalidIndex> {
        others.iter().copied().find(|found| {
            let is_parent = found.why == Invalidity::OnlyParent;
            found.index.name == taken.name
                && is_named(found, &found.table, &taken.table)
                && (taken.table.schema.is_some() || self.path_is_known)
                && !(is_parent && taken.on_only)
                && !self.touches(found)
        })
    }

    fn touches(&self, index: &InvalidIndex) -> bool {
        [&index.index, &index.table].into_iter().any(|object| {
            self.names.contains(&object.name)
                || object.schema.as_ref().is_some_and(|schema| self.names.contains(schema))
        })
    }

    /// Whether it can still be told what the statements behind this one meet.
    fn goes_on(&mut self, facts: &Facts) -> bool {
        let Objects::Known(names) = &facts.objects else { return false };
        // With CASCADE more may go than is named.
        if facts.definition == Some(Definition::Drop) || facts.effect == Effect::Unknown {
            return false;
        }
        self.path_is_known &= facts.effect != Effect::Session && facts.session == SessionUse::None;
        // Rows come and go without the index being seen to.
        if !matches!(facts.effect, Effect::Data | Effect::Query) {
            self.names.extend(names.iter().map(|name| name.name.clone()));
        }
        true
    }
}

/// Whether a statement that names an object so means that one.
fn is_named(index: &InvalidIndex, object: &ObjectName, name: &ObjectName) -> bool {
    object.name == name.name
        && match &name.schema {
            Some(_) => object.schema == name.schema,
            None => index.in_search_path,
        }
}

impl InvalidIndex {
    fn is_what_is_left(&self, remnant: &Remnant) -> bool {
        match remnant {
            Remnant::InvalidIndex { schema, index } => {
                self.index.name == *index && self.index.schema.as_ref() == Some(schema)
            }
            Remnant::PendingDetach { .. } => false,
        }
    }

    /// Whether a session may be at work on it.
    pub fn is_being_built(&self) -> bool {
        matches!(self.why, Invalidity::Building(_))
    }

    /// What to do about it, in commands.
    pub fn hint(&self) -> String {
        let index = Quoted(&self.index);
        match &self.why {
            Invalidity::Building(Holder { session: Some(session), .. }) => {
                format!("wait for the end of session {session}, and deploy again")
            }
            Invalidity::Building(_) => "wait for the end of its build, and deploy again".to_owned(),
            Invalidity::OnlyParent => {
                format!("attach the index of each partition: `ALTER INDEX {index} ATTACH PARTITION …`")
            }
            Invalidity::LeftByAttempt(name) => {
                format!(
                    "leave it as it is: the deploy that goes on with `{name}` drops it and builds it anew"
                )
            }
            Invalidity::LeftByReindex => self.drop_statement(),
            Invalidity::Unfinished => {
                format!("`REINDEX INDEX CONCURRENTLY {index}`, or {}", self.drop_statement())
            }
        }
    }

    pub(super) fn drop_statement(&self) -> String {
        format!("`DROP INDEX CONCURRENTLY {}`", Quoted(&self.index))
    }
}

impl fmt::Display for InvalidIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "index {} on {} is not valid: ", Quoted(&self.index), Quoted(&self.table))?;
        match &self.why {
            Invalidity::Building(holder) => {
                let who = holder.who.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
                let session = holder.session.as_deref().unwrap_or("of another");
                write!(f, "session {session}{who} builds on its table")
            }
            Invalidity::OnlyParent => {
                write!(f, "it was created ON ONLY its table, and not every partition's index is attached")
            }
            Invalidity::LeftByReindex => write!(f, "a REINDEX CONCURRENTLY that was cut off left it"),
            Invalidity::LeftByAttempt(name) => {
                write!(f, "its build failed or was cut off in the midst of `{name}`")
            }
            Invalidity::Unfinished => write!(f, "its build failed or was cut off"),
        }
    }
}

/// A name as it would be written in a statement.
struct Quoted<'n>(&'n ObjectName);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &String| {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
            let is_plain = part.chars().all(plain) && !part.starts_with(|c: char| c.is_ascii_digit());
            if is_plain { part.clone() } else { format!("\"{}\"", part.replace('"', "\"\"")) }
        };
        let parts: Vec<_> = self.0.schema.iter().chain([&self.0.name]).map(part).collect();
        f.write_str(&parts.join("."))
    }
}
