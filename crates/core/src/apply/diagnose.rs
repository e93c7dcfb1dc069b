//! Diagnose: looks at a database whose deploy failed, was cut off or met a changed schema. Writes nothing to it.

use super::decision::standing;
use super::replay::{furnish, replay_with};
use super::{DeployOptions, inspect, replay, replay_all};
use crate::diagnosis::{
    Case, Diagnosis, NotCompared, Origin, Recorded, Seen, advise, borne_out, by_hand, examine, rows,
};
use crate::drift::{DriftVerdict, Known, Levelled, MadeSince, Touched};
use crate::driver::{Driver, DriverError, Inspection};
use crate::history::{Attempt, AttemptKind, State, signed_at};
use crate::migration::Migration;
use crate::plan::{Blocked, find_migration, plan};
use crate::schema::{Change, Difference, Key, Pattern, Schema};
use crate::shadow::{Replay, ReplayError, differences_from, is_named, names, unreplayable};
use crate::source::Migrations;
use crate::sql::classify::Effect;
use std::collections::BTreeSet;
use std::mem::take;

/// Tells what is true of a database, and what is right to do. The migrations are replayed on an empty `shadow` database
/// where there is one; else what that would tell is left open, and said to be.
///
/// # Errors
/// When the database cannot be read.
pub async fn diagnose(
    driver: &mut dyn Driver,
    shadow: Option<&mut dyn Driver>,
    migrations: &Migrations,
    options: &DeployOptions,
) -> Result<Diagnosis, DriverError> {
    let inspection = inspect(driver, migrations.as_slice()).await?;
    let mut shadow = shadow;
    if let Some(shadow) = shadow.as_deref_mut() {
        furnish(shadow, driver).await?;
    }
    let holder = driver.lock_holder().await?;
    let planned = plan(migrations.as_slice(), &inspection, driver.capabilities(), &options.plan);
    let (blocked, pending) = match planned {
        Ok(outlook) => (None, outlook.plan.migrations().into_iter().map(str::to_owned).collect()),
        Err(blocked) => (Some(blocked), Vec::new()),
    };
    // One look for what drifted and for what is known of old. It holds no more than the parts that differ: what a replay is
    // held against is read besides.
    let levelled = match driver.keeps_schema() {
        true => Levelled::look(driver, options.drift.grants).await?,
        false => Levelled::NONE,
    };
    let drift = levelled.verdict(driver, migrations.as_slice(), &options.drift.ignore).await?;
    let is_believed = !matches!(blocked, Some(Blocked::History(_)));
    let attempt = examined(&inspection).filter(|_| is_believed);
    let dialect = driver.capabilities().dialect;
    let since = levelled.made_since(&inspection.history, migrations.as_slice(), dialect);
    let known = Known::of(levelled, &inspection.history, attempt);
    let inspection = &inspection;
    let mut look =
        Look { driver, shadow, migrations, inspection, since: since.as_ref(), known, wants_shadow: false };
    let mut beside = Vec::new();
    let examined = match attempt {
        Some(attempt) => {
            let migration = find_migration(migrations.as_slice(), &attempt.name).ok();
            let seen = look.at(migration, attempt).await?;
            if let Seen::Both(replay, live) = &seen {
                beside = look.by_others(&drift, replay, live, &options.drift.ignore);
            }
            Some(examine(migration, attempt, look.driver.capabilities().dialect, seen))
        }
        None => None,
    };
    let is_drift = matches!(drift, DriftVerdict::Drift(_));
    let mut held = Held::default();
    if blocked.is_none() && examined.is_none() && !is_drift {
        held = look.recorded(options).await?;
        beside = [&held.beside[..], &held.since].concat();
    }
    let Held { recorded, since: since_differs, unseen: recorded_unseen, .. } = held;
    let since = since.as_ref().map(|since| since.by.as_slice()).unwrap_or_default();
    let is_drift_alone = blocked.is_none() && is_drift && examined.is_none();
    let origin = match is_drift_alone {
        true => look.origin(&pending, options).await?,
        false => Origin::Unknown,
    };
    let wants_shadow = look.wants_shadow;
    let case = Case {
        blocked: blocked.as_ref(),
        pending: &pending,
        examined: examined.as_ref(),
        recorded: &recorded,
        recorded_unseen: recorded_unseen.as_ref(),
        beside: &beside,
        since,
        since_differs: &since_differs,
        drift: &drift,
        has_history: !inspection.history.attempts.is_empty(),
        holder: holder.as_ref(),
        origin,
    };
    let advice = advise(&case);
    let invalid_indexes = inspection.invalid_indexes();
    Ok(Diagnosis {
        blocked,
        pending,
        examined,
        recorded,
        recorded_unseen,
        drift,
        beside,
        holder,
        invalid_indexes,
        advice,
        wants_shadow,
    })
}

/// The attempt that neither stands nor is undone; else the newest, where it failed and left nothing.
fn examined(inspection: &Inspection) -> Option<&Attempt> {
    let attempts = &inspection.history.attempts;
    let is_settled = |name: &str| attempts.iter().any(|attempt| attempt.claimed && attempt.name == name);
    let left_nothing = |attempt: &&Attempt| {
        attempt.state() == State::RolledBack
            && attempt.error.is_some()
            && attempt.resolution.is_none()
            && !is_settled(&attempt.name)
    };
    attempts.iter().find(|attempt| attempt.is_unfinished()).or_else(|| attempts.last().filter(left_nothing))
}

/// What a replay of all that is applied tells.
#[derive(Default)]
struct Held {
    recorded: Vec<Recorded>,
    /// What others changed beside what was recorded.
    beside: Vec<Difference>,
    /// What differs of what ran since the schema was kept.
    since: Vec<Difference>,
    unseen: Option<NotCompared>,
}

struct Look<'l, 'd, 's> {
    driver: &'d mut dyn Driver,
    shadow: Option<&'s mut dyn Driver>,
    migrations: &'l Migrations,
    inspection: &'l Inspection,
    /// What ran since the schema was kept.
    since: Option<&'l MadeSince>,
    /// What was so before; with the attempt's replay once there is one.
    known: Known,
    /// A shadow database would have been used.
    wants_shadow: bool,
}

impl Look<'_, '_, '_> {
    /// What the schema tells of an attempt.
    async fn at(&mut self, migration: Option<&Migration>, attempt: &Attempt) -> Result<Seen, DriverError> {
        if attempt.state() == State::RolledBack {
            return Ok(Seen::Not(NotCompared::Needless));
        }
        if attempt.kind == AttemptKind::Repeatable {
            return Ok(Seen::Not(NotCompared::Repeatable));
        }
        let Some(migration) = migration else {
            let missing = ReplayError::Missing(vec![attempt.name.clone()]);
            return Ok(Seen::Not(NotCompared::Failed(missing)));
        };
        let before = standing(self.inspection, migration.name());
        let chosen = [&before[..], &[migration.name()]].concat();
        let dialect = self.driver.capabilities().dialect;
        let unreplayable = {
            let shadow = self.shadow.as_deref();
            let is_given = |name: &str| shadow.is_some_and(|shadow| shadow.has_function(name));
            // What a function did in part, no statement tells.
            let is_run = |of: &&Migration| of.name() == migration.name() || !is_given(of.name());
            let those = self.migrations.iter().filter(|migration| chosen.contains(&migration.name()));
            unreplayable(those.filter(is_run), dialect)
        };
        if !unreplayable.is_empty() {
            return Ok(Seen::Not(NotCompared::Unreplayable(unreplayable)));
        }
        self.wants_shadow = true;
        let Some(shadow) = self.shadow.as_deref_mut() else { return Ok(Seen::Not(NotCompared::NoShadow)) };
        let done = attempt.completed;
        let mut replay = match replay_with(shadow, self.migrations, &before, migration, done).await {
            Ok(replay) => replay.beside(migration, Some(attempt), dialect, take(&mut self.known)),
            Err(error) => return Ok(Seen::Not(NotCompared::Failed(error))),
        };
        Ok(match self.live().await? {
            Ok(live) => {
                replay.meet(&live);
                Seen::Both(Box::new(replay), live)
            }
            Err(why) => Seen::Not(NotCompared::Unreadable(why)),
        })
    }

    /// What others changed in objects that the migration leaves as they are.
    fn by_others(
        &self,
        drift: &DriftVerdict,
        replay: &Replay,
        live: &Schema,
        ignore: &[Pattern],
    ) -> Vec<Difference> {
        let Some((_, before)) = replay.states.first() else { return Vec::new() };
        let (its_own, dialect) = (replay.looked_at(live), self.driver.capabilities().dialect);
        let before = std::slice::from_ref(before);
        let mut differences = differences_from(before, live, self.migrations, dialect, ignore);
        // What is drift is told as that.
        let is_passed_over = |key: &Key| {
            let is_among = |touched: &Touched| touched.differences.iter().any(|one| one.key == *key);
            match drift {
                DriftVerdict::NeverKept => true,
                DriftVerdict::Touched(touched) => is_among(touched),
                DriftVerdict::Drift(drift) => drift.touched.as_ref().is_some_and(is_among),
                _ => false,
            }
        };
        // Every text is read for that, which is only worth it where something is missing.
        let is_missing = |difference: &Difference| matches!(difference.change, Change::Removed(_));
        let made = match differences.iter().any(is_missing) {
            true => self.made_since_accepted(),
            false => BTreeSet::new(),
        };
        // It was not there when the schema was kept either, and no look at that misses it.
        let is_lost = |difference: &Difference| is_missing(difference) && is_named(&difference.key, &made);
        let is_drift = |key: &Key| match drift {
            DriftVerdict::Drift(drift) => drift.differences.iter().any(|one| one.is_of(key)),
            _ => false,
        };
        differences.retain(|difference| {
            let key = &difference.key;
            !replay.is_cleared_away(difference)
                && !its_own.contains(key)
                && (is_passed_over(key) || is_lost(difference) && !is_drift(key))
        });
        differences
    }

    /// What applied migrations name in definitions, in small letters, since a person took the schema as it was.
    fn made_since_accepted(&self) -> BTreeSet<String> {
        let attempts = &self.inspection.history.attempts;
        let taken = self.inspection.history.acceptances().filter_map(signed_at).max();
        let is_since = |attempt: &&Attempt| {
            let began = attempt.started_at.get(..19);
            attempt.claimed
                && attempt.state() == State::Applied
                && taken.is_none_or(|taken| began > Some(taken))
        };
        let dialect = self.driver.capabilities().dialect;
        let texts = attempts.iter().filter(is_since).filter_map(|attempt| self.migrations.get(&attempt.name));
        texts
            .flat_map(|text| names(text, 0..u32::MAX, dialect, |facts| facts.effect == Effect::Schema).0)
            .collect()
    }

    /// What stands on a person's word, and what ran since the schema was kept, held against what is there.
    async fn recorded(&mut self, options: &DeployOptions) -> Result<Held, DriverError> {
        let (migrations, inspection) = (self.migrations, self.inspection);
        let attempts = by_hand(inspection);
        let dialect = self.driver.capabilities().dialect;
        let unseen = |why: NotCompared| {
            let (recorded, beside) = borne_out(&attempts, &[], migrations, dialect, |_| false);
            Held { recorded, beside, unseen: Some(why), ..Held::default() }
        };
        let since = self.since.map(|since| &since.names);
        if attempts.is_empty() && since.is_none() || !self.driver.keeps_schema() {
            return Ok(Held::default());
        }
        self.wants_shadow = true;
        let Some(shadow) = self.shadow.as_deref_mut() else {
            return Ok(unseen(NotCompared::NoShadow));
        };
        let made = match replay_all(shadow, migrations, &standing(inspection, "")).await {
            Ok(made) => made,
            Err(error) => return Ok(unseen(NotCompared::Failed(error))),
        };
        Ok(match self.live().await? {
            Ok(live) => {
                let ignore = &options.drift.ignore;
                let differences = differences_from(&made, &live, migrations, dialect, ignore);
                let is_accepted = inspection.history.attempts.iter().any(Attempt::is_accepted);
                let is_taken =
                    |difference: &Difference| is_accepted && self.known.holds(&difference.key, &live);
                let (recorded, beside) = borne_out(&attempts, &differences, migrations, dialect, is_taken);
                // What is as it was when it was kept, no look at that misses.
                let is_since = |difference: &&Difference| {
                    let key = &difference.key;
                    since.is_some_and(|names| is_named(key, names))
                        && !(self.known.holds(key, &live) && live.objects.contains_key(key))
                };
                let is_told =
                    |one: &Recorded, key: &Key| one.differences.iter().any(|other| other.key == *key);
                let more = differences.iter().filter(is_since).filter(|difference| {
                    let key = &difference.key;
                    !recorded.iter().any(|one| is_told(one, key)) && !beside.iter().any(|one| one.key == *key)
                });
                let since = more.cloned().collect();
                Held { recorded, beside, since, unseen: None }
            }
            Err(why) => unseen(NotCompared::Unreadable(why)),
        })
    }

    async fn live(&mut self) -> Result<Result<Schema, String>, DriverError> {
        match self.driver.read_schema(false).await {
            Ok(live) => Ok(Ok(live)),
            Err(DriverError::Schema(why)) => Ok(Err(why)),
            Err(error) => Err(error),
        }
    }

    /// Where a schema that is not the kept one comes from, as far as a replay tells.
    async fn origin(&mut self, pending: &[String], options: &DeployOptions) -> Result<Origin, DriverError> {
        let (migrations, applied) = (self.migrations, standing(self.inspection, ""));
        self.wants_shadow = true;
        let Some(shadow) = self.shadow.as_deref_mut() else { return Ok(Origin::Unknown) };
        let next = pending.first().and_then(|name| migrations.get(name));
        let replayed = match next {
            Some(next) => replay(shadow, migrations, &applied, next).await.map(|replay| {
                let whole = replay.broken.is_none();
                let (first, last) = (replay.states.first().cloned(), replay.states.last().cloned());
                (first.map(|(_, schema)| vec![schema]), last.filter(|_| whole).map(|(_, schema)| schema))
            }),
            None => replay_all(shadow, migrations, &applied).await.map(|made| (Some(made), None)),
        };
        let (Ok((before, behind)), Ok(live)) = (replayed, self.live().await?) else {
            return Ok(Origin::Unknown);
        };
        let dialect = self.driver.capabilities().dialect;
        let is_live = |made: &[Schema]| {
            differences_from(made, &live, migrations, dialect, &options.drift.ignore).is_empty()
        };
        Ok(match (next, &behind) {
            _ if before.is_some_and(|before| is_live(&before)) => Origin::Applied,
            (Some(next), Some(behind)) if is_live(std::slice::from_ref(behind)) => {
                Origin::Pending { name: next.name().to_owned(), rows: rows(next, dialect) }
            }
            _ => Origin::Unknown,
        })
    }
}
