//! Shadow: what migrations make of an empty database, held against the live one, so that nobody has to guess.

mod worked_out;

pub(crate) use worked_out::WorkedOut;

use crate::apply::DeployError;
use crate::drift::Known;
use crate::driver::{Driver, DriverError};
use crate::history::{Attempt, Remnant, Sight};
use crate::migration::Migration;
use crate::plan::{Place, has_run_head};
use crate::schema::{Against, Change, Difference, Key, Pattern, Schema, differences};
use crate::source::Migrations;
use crate::sql::Dialect;
use crate::sql::classify::{Effect, Facts, Objects, Taken, classify, is_upkeep, reach, taken_if_there};
use crate::sql::split::Statement;
use crate::status::is_same_text;
use std::collections::BTreeSet;
use std::ops::Range;

/// What begins the name of every shadow database, in front of sixteen hexadecimal digits.
pub const NAME_PREFIX: &str = "windlass_shadow_";

/// Why migrations were not replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The shadow database is somebody's.
    #[error("the shadow database is not empty: it holds {}", .0.join(", "))]
    NotEmpty(Vec<String>),
    /// A statement reaches beyond its own database.
    #[error("{place}: a replay would do more than change its own database: {why}")]
    ReachesOut {
        /// The migration.
        migration: String,
        /// The statement.
        place: Place,
        /// What it does.
        why: &'static str,
    },
    /// Applied migrations that the project does not have.
    #[error("the project does not have {}, of which the schema is made too", .0.join(", "))]
    Missing(Vec<String>),
    /// A function of a program, which may do anything, and which the session with the shadow database was not given.
    #[error("`{0}` is a function of a program, and is not replayed")]
    Function(String),
    /// A migration cannot be run on an empty database.
    #[error("the migrations cannot be run on an empty database")]
    Deploy(#[source] Box<DeployError>),
    /// The shadow database cannot be used.
    #[error("the shadow database cannot be used")]
    Driver(#[from] DriverError),
}

impl From<DeployError> for ReplayError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Driver(error) => Self::Driver(error),
            error => Self::Deploy(Box::new(error)),
        }
    }
}

/// What one migration makes of the schema, state by state.
#[derive(Debug)]
#[non_exhaustive]
pub struct Replay {
    /// How many statements it has.
    pub statements: u32,
    /// The states in which an interruption may leave it: how many of its statements are done, and the schema then.
    /// The first is that before it, the last that after it.
    pub states: Vec<(u32, Schema)>,
    /// What kept it from going on after the last of them: it cannot be run as a whole on an empty database.
    pub broken: Option<DeployError>,
    /// What is another in each replay.
    pub(crate) worked_out: WorkedOut,
    /// What the migration may have changed besides: the states do not tell of it.
    pub(crate) untold: Untold,
    /// What of the live schema was so before: no part of what the migration may have changed.
    pub(crate) known: Known,
    /// What statements take away if it is there, each with its statement's number.
    pub(crate) taken: Vec<(u32, Taken)>,
    /// What a statement left that was refused or cut off, beside the state after so many: the deploy that goes on clears it away.
    pub(crate) remnant: Option<(u32, Remnant)>,
}

/// What a migration may have changed of which the states of its replay do not tell: the replay ended early, or what has run
/// is another text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Untold {
    /// Nothing.
    #[default]
    Nothing,
    /// Objects of these names, in small letters, and what belongs to them.
    Named(BTreeSet<String>),
    /// Whatever there is.
    Anything,
}

impl Untold {
    /// What these statements of a migration may change.
    fn of(migration: &Migration, statements: Range<u32>, dialect: Dialect) -> Self {
        let is_meant = |facts: &Facts| match facts.effect {
            Effect::Query => facts.calls_unknown,
            effect => effect != Effect::Data,
        };
        match names(migration, statements, dialect, is_meant) {
            (names, true) => Self::Named(names),
            (_, false) => Self::Anything,
        }
    }

    fn holds(&self, key: &Key) -> bool {
        match self {
            Self::Nothing => false,
            Self::Named(names) => is_named(key, names),
            Self::Anything => !is_history(key),
        }
    }
}

/// What those of the statements of a migration name, in small letters, of which the facts are these; and whether it is all
/// that they touch. Statements are counted from 0.
pub(crate) fn names(
    migration: &Migration,
    statements: Range<u32>,
    dialect: Dialect,
    is_meant: impl Fn(&Facts) -> bool,
) -> (BTreeSet<String>, bool) {
    if migration.is_rust() {
        return (BTreeSet::new(), statements.is_empty());
    }
    let text = migration.up().text();
    let split = migration.statements(dialect).unwrap_or_default();
    let (mut names, mut is_all) = (BTreeSet::new(), true);
    for statement in split.iter().take(statements.end as usize).skip(statements.start as usize) {
        let statement = statement.text(text);
        let facts = classify(dialect, statement);
        match &facts.objects {
            _ if !is_meant(&facts) => {}
            _ if facts.effect == Effect::Query && facts.calls_unknown => is_all = false,
            Objects::Known(objects) => names.extend(objects.iter().map(|object| object.name.to_lowercase())),
            Objects::Unknown => {
                is_all &= facts.effect == Effect::Session || is_upkeep(dialect, statement, &facts);
            }
        }
    }
    (names, is_all)
}

/// Whether an object, or what it belongs to, has one of these names.
pub(crate) fn is_named(key: &Key, names: &BTreeSet<String>) -> bool {
    names.contains(&key.name.to_lowercase()) || names.contains(&key.table.to_lowercase())
}

impl Replay {
    /// Of each state, what differs between the schema then and the live one, also what is another in each replay
    /// ([`Difference::counts`]). Only what the migration changes, or may have changed, is looked at: `None` where that is no
    /// definition, so that the schema tells nothing.
    pub fn compare(&self, live: &Schema) -> Option<Vec<(u32, Vec<Difference>)>> {
        let looked_at = self.looked_at(live);
        let state_behind = |at: u32| self.states.iter().rposition(|(done, _)| *done <= at);
        let cleared = self.remnant.as_ref().and_then(|(at, _)| state_behind(*at));
        let when_kept = self.known.at.and_then(state_behind);
        let touched = self.touched();
        let differing = |(index, (done, schema)): (usize, &(u32, Schema))| {
            let mut differences = self.worked_out.told(among(&looked_at, schema, live));
            differences.retain(|difference| {
                let key = &difference.key;
                let is_of_old = self.known.holds(key, live)
                    && (!touched.contains(key)
                        || when_kept.is_some_and(|kept| self.is_as_then(key, kept, index, live)));
                let is_cleared = cleared == Some(index) && self.is_cleared_away(difference);
                !is_of_old && !is_cleared
            });
            (*done, differences)
        };
        let compared = self.states.iter().enumerate().map(differing);
        (!looked_at.is_empty()).then(|| compared.collect())
    }

    /// What the migration makes, changes or takes away, or may have, and what was added to a table of its own.
    pub(crate) fn looked_at(&self, live: &Schema) -> BTreeSet<Key> {
        let touched = self.touched();
        // What was added by hand to a table of the migration's own is no part of what it makes either.
        let of_its_own = |key: &&Key| {
            let whole =
                |made: &&Key| made.table.is_empty() && made.name == key.table && made.schema == key.schema;
            !key.table.is_empty() && touched.iter().filter(whole).any(|made| self.is_its_own(made))
        };
        let parts: Vec<Key> = live.objects.keys().filter(of_its_own).cloned().collect();
        let made = self.states.iter().flat_map(|(_, made)| made.objects.keys());
        // How a schema that stands on both sides came to be is the matter of whoever made the database.
        let is_place = |key: &Key| {
            let stands = |schema: &Schema| schema.objects.contains_key(key);
            key.kind == "schema" && stands(live) && self.states.iter().all(|(_, made)| stands(made))
        };
        let everything = live.objects.keys().chain(made).filter(|key| !is_place(key));
        let untold: Vec<Key> = everything.filter(|key| self.untold.holds(key)).cloned().collect();
        touched.into_iter().chain(parts).chain(untold).collect()
    }

    /// With what this attempt may have changed of which the replay does not tell: it ended before, or another text has run;
    /// with what was so before, and with what is cleared away.
    pub(crate) fn beside(
        mut self,
        migration: &Migration,
        attempt: Option<&Attempt>,
        dialect: Dialect,
        known: Known,
    ) -> Self {
        self.known = known;
        let text = migration.up().text();
        let statements = match migration.is_rust() {
            true => Vec::new(),
            false => migration.statements(dialect).unwrap_or_default(),
        };
        let each = (1..).zip(statements);
        self.taken = each
            .flat_map(|(number, statement)| {
                taken_if_there(dialect, statement.text(text)).into_iter().map(move |taken| (number, taken))
            })
            .collect();
        let Some(attempt) = attempt else { return self };
        if let Sight::Remnant(remnant) = &attempt.sight {
            self.remnant = Some((attempt.completed, remnant.clone()));
        }
        let known = self.states.last().map_or(0, |(done, _)| *done);
        let ran = attempt.in_flight.map_or(attempt.completed, |in_flight| in_flight.last);
        // What was refused in part, or cut off, may have had another text, too.
        let is_another = attempt.may_have_begun().is_some() && !is_same_text(migration, attempt, dialect);
        self.untold = match () {
            () if is_another => Untold::Anything,
            () if !has_run_head(migration, attempt, dialect) => Untold::Anything,
            () if self.broken.is_some() && ran > known => Untold::of(migration, known..ran, dialect),
            () => Untold::Nothing,
        };
        self
    }

    /// Puts into the states what no replay makes and a statement takes away if it is there: somebody made it in the database, and
    /// without it no state would tell whether that statement ran.
    pub(crate) fn meet(&mut self, live: &Schema) {
        for (number, taken) in std::mem::take(&mut self.taken) {
            let before = self.states.iter().take_while(|(done, _)| *done < number).count();
            let mut keys: Vec<Key> = self.known.keys().chain(live.objects.keys()).cloned().collect();
            keys.retain(|key| taken.is(key));
            for key in keys {
                let stands = |(_, schema): &(u32, Schema)| schema.objects.contains_key(&key);
                if self.states[..before].iter().any(stands) {
                    continue;
                }
                // What is made in its place is not what was there before.
                let here = if self.states.iter().any(stands) { None } else { live.objects.get(&key) };
                let is_of_before = self.known.at.unwrap_or(0) < number;
                let of_old = || self.known.object(&key, live).filter(|_| is_of_before);
                let Some(object) = here.or_else(of_old).cloned() else { continue };
                for (_, schema) in &mut self.states[..before] {
                    schema.objects.insert(key.clone(), object.clone());
                }
            }
        }
    }

    /// Whether an object that the migration changes is there as it was when the schema was kept, or a person took it that it is not,
    /// and the migration changes nothing of it from there on.
    fn is_as_then(&self, key: &Key, kept: usize, index: usize, live: &Schema) -> bool {
        let then = self.states[kept].1.objects.get(key);
        let is_so = |(_, schema): &(u32, Schema)| schema.objects.get(key) == then;
        let is_taken = live.objects.contains_key(key) || self.known.is_accepted;
        is_taken && index >= kept && self.states[kept..].iter().all(is_so)
    }

    /// Whether the deploy that goes on clears it away.
    pub(crate) fn is_cleared_away(&self, difference: &Difference) -> bool {
        self.remnant.as_ref().is_some_and(|(_, remnant)| is_left(difference, remnant))
    }

    /// Whether the migration makes the object, or takes it away.
    fn is_its_own(&self, key: &Key) -> bool {
        self.states.iter().any(|(_, schema)| !schema.objects.contains_key(key))
    }

    /// The objects that the migration makes, changes or takes away, be it for a while.
    fn touched(&self) -> BTreeSet<Key> {
        let pairs = self.states.windows(2);
        let all = pairs.flat_map(|pair| {
            let (before, after) = (&pair[0].1.objects, &pair[1].1.objects);
            let gone = before.keys().filter(|key| !after.contains_key(*key));
            let others = after.iter().filter(|(key, now)| before.get(*key) != Some(*now)).map(|(key, _)| key);
            gone.chain(others).cloned().collect::<Vec<_>>()
        });
        all.collect()
    }
}

/// Whether it is what a statement left that was refused or cut off.
pub(crate) fn is_left(difference: &Difference, remnant: &Remnant) -> bool {
    let Remnant::InvalidIndex { schema, index } = remnant else { return false };
    let key = &difference.key;
    matches!(difference.change, Change::Added(_)) && key.schema == *schema && key.name == *index
}

/// What differs among these objects.
fn among(keys: &BTreeSet<Key>, earlier: &Schema, later: &Schema) -> Vec<Difference> {
    let only = |schema: &Schema| {
        let objects = schema.objects.iter().filter(|(key, _)| keys.contains(*key));
        Schema {
            origin: schema.origin.clone(),
            objects: objects.map(|(key, now)| (key.clone(), now.clone())).collect(),
        }
    };
    held_against(&only(earlier), &only(later))
}

/// What differs between what migrations make and what is there.
fn held_against(made: &Schema, live: &Schema) -> Vec<Difference> {
    let differences = differences(made, live).into_iter();
    differences.map(|difference| Difference { against: Against::Wanted, ..difference }).collect()
}

/// Tables in which other tools keep what they have run.
const HISTORIES: [&str; 10] = [
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "_prisma_migrations",
    "flyway_schema_history",
    "schema_migrations",
    "goose_db_version",
    "goose_db_version_id_seq",
    "seaql_migrations",
    "databasechangelog",
];

/// Whether it is one of those, or belongs to one.
fn is_history(key: &Key) -> bool {
    let is_one = |name: &str| HISTORIES.iter().any(|table| name.eq_ignore_ascii_case(table));
    is_one(&key.name) || is_one(&key.table)
}

/// What differs between the live schema and all of those that these migrations may have made, but for what is ignored, for
/// what is another in each replay, and for the tables in which other tools keep their history.
pub fn differences_from(
    made: &[Schema],
    live: &Schema,
    migrations: &Migrations,
    dialect: Dialect,
    ignore: &[Pattern],
) -> Vec<Difference> {
    let worked_out = WorkedOut::of(migrations, dialect);
    let is_history = |difference: &Difference| {
        matches!(difference.change, Change::Added(_)) && is_history(&difference.key)
    };
    let mut each = made.iter().map(|made| held_against(made, live));
    let mut differences = worked_out.told(each.next().unwrap_or_default());
    let others: Vec<_> = each.collect();
    differences.retain(|difference| {
        others.iter().all(|other| other.iter().any(|also| also.key == difference.key))
            && difference.counts()
            && !is_history(difference)
            && !ignore.iter().any(|pattern| pattern.matches(&difference.key))
    });
    differences
}

/// A statement, or a function of a program, that a replay must not run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreplayable {
    /// The migration.
    pub migration: String,
    /// The statement; of a function its name.
    pub place: Place,
    /// What it does.
    pub why: &'static str,
}

/// All that a replay must not run: functions of a program, and statements that reach beyond their own database.
pub fn unreplayable<'m>(
    migrations: impl IntoIterator<Item = &'m Migration>,
    dialect: Dialect,
) -> Vec<Unreplayable> {
    migrations.into_iter().flat_map(|migration| reaching_out(migration, dialect)).collect()
}

fn reaching_out(migration: &Migration, dialect: Dialect) -> Vec<Unreplayable> {
    let script = migration.up();
    let at = |line, column, why| Unreplayable {
        migration: migration.name().to_owned(),
        place: Place { file: script.origin().to_owned(), line, column },
        why,
    };
    if migration.is_rust() {
        return vec![at(1, 1, "it is a function of a program, which may do anything")];
    }
    // What cannot be split is told by the plan.
    let statements = migration.statements(dialect).unwrap_or_default();
    let one = |statement: &Statement| {
        let why = reach(dialect, statement.text(script.text()))?;
        Some(at(script.line_in_file(statement.line), statement.column, why))
    };
    statements.iter().filter_map(one).collect()
}

/// Refuses what a replay must not run. Whoever gave the shadow's session a function wants it to be run there.
pub(crate) fn check<'m>(
    migrations: impl IntoIterator<Item = &'m Migration>,
    shadow: &dyn Driver,
) -> Result<(), ReplayError> {
    let dialect = shadow.capabilities().dialect;
    for migration in migrations {
        if migration.is_rust() {
            match shadow.has_function(migration.name()) {
                true => continue,
                false => return Err(ReplayError::Function(migration.name().to_owned())),
            }
        }
        if let Some(Unreplayable { migration, place, why }) =
            reaching_out(migration, dialect).into_iter().next()
        {
            return Err(ReplayError::ReachesOut { migration, place, why });
        }
    }
    Ok(())
}
