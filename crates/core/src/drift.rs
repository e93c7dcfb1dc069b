//! Drift: whether the live schema is what the last deploy left, and whether that keeps the next one from running.

mod gone;

use crate::driver::{Driver, DriverError};
use crate::history::{Attempt, History, Remnant, State, signed_at};
use crate::migration::Migration;
use crate::plan::{Plan, Step};
use crate::schema::{
    Change, Difference, HISTORY, Kept, Key, Look, Pattern, Properties, Schema, differences, level_grants,
    level_knowledge,
};
use crate::shadow::{is_left, names};
use crate::sql::Dialect;
use crate::sql::classify::{ObjectName, Objects, changes_defaults, changes_unnamed, classify};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// What becomes of a deploy that has something to run, where the live schema is not what the last deploy left.
///
/// ```
/// # use windlass_core::application::{Deploy, DriftPolicy, Migrations};
/// # fn example(migrations: &Migrations) {
/// let deploy = Deploy::new(migrations).on_drift(DriftPolicy::Warn);
/// # let _ = deploy; }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DriftPolicy {
    /// It stops before anything is run.
    Stop,
    /// It stops where a statement to be run names a changed object, or cannot be seen through; else it tells.
    #[default]
    Related,
    /// It tells, and goes on.
    Warn,
    /// Nobody looks, and the schema is not kept.
    Off,
}

/// How drift is dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftOptions {
    /// What becomes of the deploy.
    pub policy: DriftPolicy,
    /// What is not looked at.
    pub ignore: Vec<Pattern>,
    /// Whether it is looked for where nothing is to be run, too: one more round trip.
    pub when_current: bool,
    /// Whether what roles may do is looked at and kept, too.
    pub grants: bool,
}

impl DriftOptions {
    /// Whether anybody is to look, and the driver can.
    pub fn looks(&self, driver: &dyn Driver) -> bool {
        self.policy != DriftPolicy::Off && driver.keeps_schema()
    }
}

/// The live schema is not what was kept.
///
/// ```
/// # use windlass_core::application::Drift;
/// fn told(drift: &Drift) -> String {
///     drift.differences.iter().map(|difference| format!("{difference}\n")).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// What differs, from what was kept to what is.
    pub differences: Vec<Difference>,
    /// The migration with which the schema was kept.
    pub migration: String,
    /// When it was kept, by the server's clock (UTC).
    pub at: String,
    /// Who took it as it was, and why; `None` where a deploy left it so, or a decision found it so.
    pub accepted: Option<String>,
    /// Whether the migration was recorded by a person's decision, which a replay bore out, and not run by a deploy.
    pub is_decided: bool,
    /// Which servers looked, where another did when it was kept.
    pub servers: Option<(String, String)>,
    /// Of what nothing can be told, and why.
    pub unseen: Option<String>,
    /// What differs, too, and is named by statements that ran since.
    pub touched: Option<Touched>,
}

/// What differs from what was kept, all of it in objects that statements name which ran since: what those made of them, and
/// what others may have, is not told apart. Nothing may differ, where others took back what those made.
///
/// ```
/// # use windlass_core::drift::Touched;
/// fn told(touched: &Touched) -> String {
///     format!("{} objects differ that {} names", touched.differences.len(), touched.by.join(", "))
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Touched {
    /// What differs, from what was kept to what is.
    pub differences: Vec<Difference>,
    /// The migrations whose statements ran since, as the history has it.
    pub by: Vec<String>,
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.by.join("`, `");
        if self.differences.is_empty() {
            return write!(
                f,
                "the live schema is what was kept, although statements of `{names}` ran since: whether all that they made \
                 stands, no text tells"
            );
        }
        let many = if self.differences.len() == 1 { "object differs" } else { "objects differ" };
        let statements = format_args!("{} {many} that statements of `", self.differences.len());
        write!(f, "{statements}{names}` name, which ran since the schema was kept")
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.differences.len() == 1 { "object differs" } else { "objects differ" };
        let at = format_args!("{}Z", self.at.split('.').next().unwrap_or_default());
        let name = &self.migration;
        match &self.accepted {
            None if self.is_decided => {
                write!(f, "the live schema is not what it was when {name} was recorded at {at}")
            }
            None => write!(f, "the live schema is not what the deploy of {name} left at {at}"),
            Some(who) => write!(f, "the live schema is not what was accepted at {at} by {who}"),
        }?;
        write!(f, ": {} {many}", self.differences.len())
    }
}

impl Drift {
    /// The same, and the first of what differs.
    pub(crate) fn in_a_line(&self) -> String {
        const FEW: usize = 3;
        let mut told: Vec<_> = self.differences.iter().take(FEW).map(ToString::to_string).collect();
        told.extend((self.differences.len() > FEW).then(|| "…".to_owned()));
        format!("{self}: {}", told.join("; "))
    }
}

/// What is known of drift.
///
/// ```
/// # use windlass_core::application::DriftVerdict;
/// fn is_to_be_looked_at(verdict: &DriftVerdict) -> bool {
///     matches!(verdict, DriftVerdict::Drift(_) | DriftVerdict::Unknown(_))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DriftVerdict {
    /// No deploy has kept the schema yet: there is nothing to compare with.
    NeverKept,
    /// The live schema is what was kept.
    None,
    /// It is, but for objects that statements name which ran since.
    Touched(Touched),
    /// It is not.
    Drift(Box<Drift>),
    /// It cannot be told, and why.
    Unknown(String),
}

impl DriftVerdict {
    /// The word of `--json`.
    ///
    /// ```
    /// assert_eq!(windlass_core::drift::DriftVerdict::None.as_str(), "none");
    /// ```
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NeverKept => "never_kept",
            Self::None => "none",
            Self::Touched(_) => "touched",
            Self::Drift(_) => "drift",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Looks whether the live schema is what the last deploy left. Writes nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn look(
    driver: &mut dyn Driver,
    migrations: &[Migration],
    options: &DriftOptions,
) -> Result<DriftVerdict, DriverError> {
    Levelled::look(driver, options.grants).await?.verdict(driver, migrations, &options.ignore).await
}

/// What ran since the schema was kept, and what it made.
#[derive(Debug, Default)]
pub(crate) struct MadeSince {
    /// Names, in small letters.
    pub(crate) names: BTreeSet<String>,
    /// The migrations.
    pub(crate) by: Vec<String>,
}

/// A look at the schema: of two that differ, neither holds what only one of them can tell.
pub(crate) struct Levelled(Look);

impl Levelled {
    /// Of a database whose schema nobody looks at.
    pub(crate) const NONE: Self = Self(Look::NeverKept);

    pub(crate) async fn look(driver: &mut dyn Driver, grants: bool) -> Result<Self, DriverError> {
        let mut look = driver.look_at_schema(grants).await?;
        if let Look::Differs { kept, live, unseen, .. } = &mut look {
            level_knowledge(&mut kept.schema, live);
            *unseen = level_grants(&mut kept.schema, live).or(unseen.take());
        }
        Ok(Self(look))
    }

    /// What statements name in definitions that ran since the schema was kept, in small letters, and whose those are; `None`
    /// where none did, or nothing was kept.
    pub(crate) fn made_since(
        &self,
        history: &History,
        migrations: &[Migration],
        dialect: Dialect,
    ) -> Option<MadeSince> {
        let Look::Differs { kept, .. } = &self.0 else { return None };
        let mut made = MadeSince::default();
        for (attempt, range) in ran_since(kept, history) {
            let Some(migration) = migrations.iter().find(|one| one.name() == attempt.name) else { continue };
            let range = range.start as u32..range.end as u32;
            let (named, _) = names(migration, range, dialect, |facts| facts.effect.may_define());
            if !named.is_empty() || migration.is_rust() {
                made.by.push(attempt.name.clone());
            }
            made.names.extend(named);
        }
        (!made.by.is_empty()).then_some(made)
    }

    /// Whether it is drift.
    pub(crate) async fn verdict(
        &self,
        driver: &mut dyn Driver,
        migrations: &[Migration],
        ignore: &[Pattern],
    ) -> Result<DriftVerdict, DriverError> {
        Ok(match &self.0 {
            Look::NeverKept => DriftVerdict::NeverKept,
            Look::Same => DriftVerdict::None,
            Look::Unknown(why) => DriftVerdict::Unknown(why.clone()),
            Look::Differs { kept, live, unseen, .. } => {
                let inspection = crate::apply::inspect(driver, migrations).await?;
                let gone = match gone::gone(driver, kept, &inspection, migrations).await {
                    Err(DriverError::Schema(why)) => return Ok(DriftVerdict::Unknown(why)),
                    gone => gone?,
                };
                let (history, dialect) = (&inspection.history, driver.capabilities().dialect);
                match (judge(kept, (live, gone), history, migrations, dialect, ignore), unseen.clone()) {
                    (DriftVerdict::None | DriftVerdict::Touched(_), Some(why)) => DriftVerdict::Unknown(why),
                    (DriftVerdict::Drift(drift), unseen) => {
                        DriftVerdict::Drift(Box::new(Drift { unseen, ..*drift }))
                    }
                    (verdict, _) => verdict,
                }
            }
        })
    }
}

/// What differs for good: not what is to be ignored, and not what statements name that ran since, but for what those made and
/// that is gone.
fn judge(
    kept: &Kept,
    (live, mut gone): (&Schema, Vec<Difference>),
    history: &History,
    migrations: &[Migration],
    dialect: Dialect,
    ignore: &[Pattern],
) -> DriftVerdict {
    let is_ignored = |difference: &Difference| ignore.iter().any(|pattern| pattern.matches(&difference.key));
    let mut differences = differences(&kept.schema, live);
    let all = differences.len() + gone.len();
    differences.retain(|difference| !is_ignored(difference));
    gone.retain(|difference| !is_ignored(difference));
    let ignores = differences.len() + gone.len() < all;
    // Schemas that another history looks after, or did when this one was kept.
    let histories = kept.schema.objects.keys().chain(live.objects.keys()).filter(|key| key.kind == HISTORY);
    let others: BTreeSet<&str> = histories.map(|key| key.schema.as_str()).collect();
    differences.retain(|Difference { key, .. }| {
        let schema = if key.kind == "schema" { &key.name } else { &key.schema };
        !others.contains(schema.as_str())
    });
    // What a statement left that was refused or cut off is cleared away by the deploy that goes on.
    let left: Vec<&Remnant> = history.attempts.iter().filter_map(Attempt::remnant).collect();
    differences.retain(|difference| !left.iter().any(|remnant| is_left(difference, remnant)));
    if differences.is_empty() && gone.is_empty() && ran_since(kept, history).next().is_none() {
        return DriftVerdict::None;
    }
    let touched = match named_since(kept, history, migrations, dialect) {
        Named::Anything(name) => {
            return DriftVerdict::Unknown(format!(
                "statements of {name} ran since the schema was kept, and may have changed anything"
            ));
        }
        Named::Objects { mut names, by, defaults, defines } => {
            add_heirs(&mut names, [&kept.schema, live]);
            let is_named = |difference: &mut Difference| {
                defaults && difference.key.kind == "database" || is_about(difference, &names)
            };
            if differences.is_empty() && gone.is_empty() && (ignores || !defines) {
                return DriftVerdict::None;
            }
            Touched { differences: differences.extract_if(.., is_named).collect(), by }
        }
    };
    differences.append(&mut gone);
    if differences.is_empty() {
        return DriftVerdict::Touched(touched);
    }
    let servers =
        (kept.schema.origin != live.origin).then(|| (kept.schema.origin.clone(), live.origin.clone()));
    DriftVerdict::Drift(Box::new(Drift {
        differences,
        migration: kept.migration.clone(),
        at: kept.at.clone(),
        accepted: kept.accepted.clone(),
        is_decided: history.attempts.iter().any(|attempt| attempt.id == kept.id && attempt.is_decided()),
        servers,
        unseen: None,
        touched: (!touched.differences.is_empty()).then_some(touched),
    }))
}

/// What of the live schema was so when it was last kept, which is never in the midst of a migration but by a person's word:
/// whoever made it so, the migration under way did not, or a person takes it as it is.
#[derive(Debug, Default)]
pub(crate) struct Known {
    alike: Alike,
    /// How many statements of the migration were done then, where that is known.
    pub(crate) at: Option<u32>,
    /// Whether a person took the schema as it was.
    pub(crate) is_accepted: bool,
}

#[derive(Debug, Default)]
enum Alike {
    #[default]
    Nothing,
    Everything,
    /// As it was kept, and as it was seen when that was held against it; all of it, or these parts.
    Both(Box<(Schema, Schema)>, Option<BTreeSet<String>>),
}

impl Known {
    pub(crate) async fn look(
        driver: &mut dyn Driver,
        history: &History,
        attempt: Option<&Attempt>,
    ) -> Result<Self, DriverError> {
        if !driver.keeps_schema() {
            return Ok(Self::default());
        }
        Ok(Self::of(Levelled::look(driver, false).await?, history, attempt))
    }

    /// What a look tells of it. Grants that were looked at, too, are told apart as all else is, and asked for by nobody.
    pub(crate) fn of(look: Levelled, history: &History, attempt: Option<&Attempt>) -> Self {
        match look.0 {
            Look::NeverKept | Look::Unknown(_) => Self::default(),
            Look::Same => {
                let at = attempt.and_then(|attempt| accepted_in_the_midst(history, attempt));
                Self { alike: Alike::Everything, at, is_accepted: at.is_some() }
            }
            Look::Differs { kept, live, only, .. } => {
                let at = match attempt {
                    Some(attempt) => completed_when_kept(&kept, attempt),
                    None => Some(0),
                };
                let is_accepted = kept.accepted.is_some();
                Self { alike: Alike::Both(Box::new((kept.schema, live)), only), at, is_accepted }
            }
        }
    }

    /// What stood when the schema was kept, as far as that is known apart from what stands now.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        let kept = match &self.alike {
            Alike::Both(both, _) => Some(both.0.objects.keys()),
            Alike::Nothing | Alike::Everything => None,
        };
        kept.into_iter().flatten()
    }

    /// An object as it was when the schema was kept.
    pub(crate) fn object<'s>(&'s self, key: &Key, live: &'s Schema) -> Option<&'s Properties> {
        match &self.alike {
            Alike::Nothing => None,
            Alike::Everything => live.objects.get(key),
            Alike::Both(_, Some(only)) if !only.contains(key.part()) => live.objects.get(key),
            Alike::Both(both, _) => both.0.objects.get(key),
        }
    }

    /// Whether an object of the live schema, or that it is not there, is known of old.
    pub(crate) fn holds(&self, key: &Key, live: &Schema) -> bool {
        match &self.alike {
            Alike::Nothing => false,
            Alike::Everything => true,
            Alike::Both(_, Some(only)) if !only.contains(key.part()) => true,
            Alike::Both(both, _) => {
                let (kept, seen) = (both.0.objects.get(key), both.1.objects.get(key));
                kept == seen && kept.is_some() == live.objects.contains_key(key)
            }
        }
    }
}

/// What statements name.
enum Named {
    Objects {
        names: Vec<ObjectName>,
        by: Vec<String>,
        /// MySQL and MariaDB: one changes what the database gives to whatever is made in it.
        defaults: bool,
        /// One is more than a change of rows.
        defines: bool,
    },
    /// This migration's may touch anything.
    Anything(String),
}

/// The attempts that ran, or may have run, statements since the schema was kept, and which: how many were done before, and how
/// many are now.
fn ran_since<'h>(kept: &'h Kept, history: &'h History) -> impl Iterator<Item = (&'h Attempt, Range<usize>)> {
    // The one with which it was kept may have gone on since; what was undone before says nothing of what came behind.
    let was_undone = |attempt: &Attempt| attempt.rolled_back_at.as_ref().is_some_and(|at| *at <= kept.at);
    let went_on = |attempt: &Attempt| {
        let words = kept.accepted.as_deref().unwrap_or_default();
        attempt.state() != State::Applied || accepted_behind(words, &attempt.name).is_some()
    };
    let since = move |attempt: &&Attempt| {
        (attempt.id > kept.id || attempt.id == kept.id && went_on(attempt)) && !was_undone(attempt)
    };
    history.attempts.iter().filter(since).filter_map(|attempt| {
        let ran = match attempt.state() {
            State::Applied => attempt.statements,
            _ => attempt.begun(),
        };
        let before = done_when_kept(kept, attempt).min(ran);
        (before < ran).then_some((attempt, before as usize..ran as usize))
    })
}

/// What the statements name that ran, or may have run, in attempts after the one that kept the schema.
fn named_since(kept: &Kept, history: &History, migrations: &[Migration], dialect: Dialect) -> Named {
    let (mut names, mut by, mut defaults, mut defines) = (Vec::new(), Vec::new(), false, false);
    for (attempt, range) in ran_since(kept, history) {
        let migration = migrations.iter().find(|migration| migration.name() == attempt.name);
        let statements = migration.and_then(|m| Some((m.up(), m.statements(dialect).ok()?)));
        let Some((script, statements)) = statements.filter(|_| migration.is_some_and(|m| !m.is_rust()))
        else {
            return Named::Anything(attempt.name.clone());
        };
        by.push(attempt.name.clone());
        for statement in statements.iter().take(range.end).skip(range.start) {
            let text = statement.text(script.text());
            defaults |= changes_defaults(dialect, text);
            if changes_unnamed(dialect, text) {
                return Named::Anything(attempt.name.clone());
            }
            let facts = classify(dialect, text);
            defines |= facts.effect.may_define();
            match facts.objects {
                Objects::Known(known) => names.extend(known),
                Objects::Unknown => return Named::Anything(attempt.name.clone()),
            }
        }
    }
    by.dedup();
    Named::Objects { names, by, defaults, defines }
}

/// How it is kept of a migration, and told, that the schema was taken as it was in its midst; the number comes behind.
fn in_the_midst_of(name: &str) -> String {
    format!(" in the midst of `{name}` behind statement ")
}

/// Who takes the schema as it is, in the midst of what, and why.
pub(crate) fn acceptance(who: &str, reason: &str, history: &History) -> String {
    let half_done = history.attempts.iter().find(|attempt| attempt.is_unfinished());
    let midst = half_done.map_or_else(String::new, |attempt| {
        let refused = attempt.in_flight.filter(|_| attempt.state() == State::Failed);
        let refused = refused.map(|it| format!(" (refused: {})", it.last)).unwrap_or_default();
        format!("{}{}{refused}", in_the_midst_of(&attempt.name), attempt.completed)
    });
    format!("{who}{midst}{BEFORE_REASON}{reason}")
}

/// Behind how many statements of an attempt a person took the schema as it was last, since it began.
pub(crate) fn accepted_in_the_midst(history: &History, attempt: &Attempt) -> Option<u32> {
    let is_since = |told: &&str| {
        let began = attempt.started_at.get(..19);
        signed_at(told).zip(began).is_some_and(|(time, began)| began <= time)
    };
    history.acceptances().filter(is_since).filter_map(|told| accepted_behind(told, &attempt.name)).last()
}

/// How many statements of an attempt were done when the schema was kept, where that is known: those are part of it.
fn completed_when_kept(kept: &Kept, attempt: &Attempt) -> Option<u32> {
    match &kept.accepted {
        Some(accepted) if attempt.started_at <= kept.at => accepted_behind(accepted, &attempt.name),
        // Only a person has it kept in the midst of one.
        _ => Some(0),
    }
}

/// The same, and what may have done something before it was refused by then, as long as nothing was done since.
fn done_when_kept(kept: &Kept, attempt: &Attempt) -> u32 {
    let completed = completed_when_kept(kept, attempt).unwrap_or(0);
    let words = behind_the_midst(kept.accepted.as_deref().unwrap_or_default(), &attempt.name);
    let refused = words.and_then(|words| words.strip_prefix(&format!("{completed} (refused: ")));
    let refused = refused.filter(|_| attempt.completed == completed && attempt.state() == State::Failed);
    let number = refused.and_then(|rest| rest.split(')').next()?.parse().ok());
    number.unwrap_or(0).max(completed)
}

/// Behind how many statements of a migration the schema was taken as it was, as these words have it.
fn accepted_behind(accepted: &str, name: &str) -> Option<u32> {
    behind_the_midst(accepted, name)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What stands behind the words for the midst of a migration. A person's reason, which may have the same words, comes later.
fn behind_the_midst<'a>(accepted: &'a str, name: &str) -> Option<&'a str> {
    let (who, rest) = accepted.split_once(&in_the_midst_of(name))?;
    (!who.contains(BEFORE_REASON)).then_some(rest)
}

/// Between who took the schema as it was, and why.
const BEFORE_REASON: &str = ": ";

/// PostgreSQL: what changes a table changes its partitions, and the tables that inherit from it, too.
fn add_heirs(names: &mut Vec<ObjectName>, schemas: [&Schema; 2]) {
    let mut heirs: Vec<(&Key, &String)> = Vec::new();
    for (key, properties) in schemas.into_iter().flat_map(|schema| &schema.objects) {
        heirs.extend(properties.get("inherits").map(|parents| (key, parents)));
    }
    let mut from = 0;
    while from < names.len() {
        let parent = names[from].name.clone();
        let (of_it, others) = heirs.into_iter().partition(|(_, parents)| speaks_of(parents, &parent));
        heirs = others;
        let of_it: Vec<(&Key, &String)> = of_it;
        names.extend(
            of_it
                .iter()
                .map(|(key, _)| ObjectName { schema: Some(key.schema.clone()), name: key.name.clone() }),
        );
        from += 1;
    }
}

/// Whether a difference is in an object of these names, in what is part of one, or in what speaks of one.
fn is_about(difference: &Difference, names: &[ObjectName]) -> bool {
    let key = &difference.key;
    let values: Vec<&String> = match &difference.change {
        Change::Added(properties) | Change::Removed(properties) => properties.values().collect(),
        Change::Changed(changed) | Change::WorkedOut(changed) => {
            changed.iter().flat_map(|(_, before, now)| before.iter().chain(now)).collect()
        }
        Change::Gone { .. } => Vec::new(),
    };
    names.iter().any(|ObjectName { schema, name }| {
        let is_there = key.schema.is_empty()
            || schema.as_ref().is_none_or(|schema| schema.eq_ignore_ascii_case(&key.schema));
        let is_named = [&key.name, &key.table].into_iter().any(|part| {
            // A function's name has its arguments behind it.
            part.split('(').next().is_some_and(|part| part.to_lowercase() == name.to_lowercase())
        });
        is_there && is_named || values.iter().any(|value| speaks_of(value, name))
    })
}

/// Whether a name stands in a text as a word of its own.
pub(crate) fn speaks_of(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    !name.is_empty()
        && text
            .match_indices(&name)
            .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

impl Drift {
    /// Whether it keeps a plan from being run.
    pub(crate) fn stops(&self, policy: DriftPolicy, plan: &Plan<'_>, dialect: Dialect) -> bool {
        match policy {
            DriftPolicy::Stop => true,
            DriftPolicy::Warn | DriftPolicy::Off => false,
            DriftPolicy::Related => plan.segments.iter().flat_map(|segment| &segment.steps).any(|step| {
                let sql = match step {
                    Step::Execute(execute) if execute.migration.is_rust() => return true,
                    Step::Execute(execute) => execute.sql,
                    Step::Repeat(repeat) => repeat.execute.sql,
                    _ => return false,
                };
                match classify(dialect, sql).objects {
                    Objects::Known(names) => self.differences.iter().any(|d| is_about(d, &names)),
                    Objects::Unknown => true,
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_more_than_it_names_is_known() {
        for statement in [
            "ALTER TABLE t DROP COLUMN a CASCADE",
            "ALTER TABLE t ADD b int, DROP CONSTRAINT c CASCADE",
            "ALTER DOMAIN d DROP CONSTRAINT c CASCADE",
            "ALTER TYPE t ADD ATTRIBUTE a int CASCADE",
            "CREATE EXTENSION IF NOT EXISTS earthdistance CASCADE",
            "CREATE SCHEMA AUTHORIZATION ada",
        ] {
            assert!(changes_unnamed(Dialect::Postgres, statement), "{statement}");
        }
        for statement in [
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u ON DELETE CASCADE",
            "ALTER TABLE t DROP COLUMN a",
            "CREATE EXTENSION cube",
            "CREATE SCHEMA s",
            "CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE)",
        ] {
            assert!(!changes_unnamed(Dialect::Postgres, statement), "{statement}");
        }
    }

    #[test]
    fn a_reason_is_not_read_as_the_midst_of_a_migration() {
        let taken = "ada@desk in the midst of `2_b` behind statement 3 (refused: 4): in the midst of `1_a` behind statement 9";
        assert_eq!(accepted_behind(taken, "2_b"), Some(3));
        assert_eq!(accepted_behind(taken, "1_a"), None);
        assert_eq!(accepted_behind("ada@desk: taken in the midst of `2_b` behind statement 3", "2_b"), None);
    }
}
