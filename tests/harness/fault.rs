//! Faults: a set of migrations that shows every double and every missing execution, and the judgement of what a
//! fault and the deploys after it came to.

use crate::tally::Ending;
use crate::{DEADLINE, Database, Family, Project, Snapshot};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use windlass_core::apply::{DeployError, diagnose};
use windlass_core::diagnosis::Advice;
use windlass_core::history::{Attempt, InFlight, State};
use windlass_core::plan::Blocked;
use windlass_core::source::Migrations;

/// The set of a family, and what an undisturbed run of it leaves.
#[derive(Debug)]
pub struct FaultSet {
    /// Where it stands.
    pub folder: PathBuf,
    /// The set.
    pub migrations: Migrations,
    /// What an undisturbed run leaves.
    pub whole: Snapshot,
    doubtful: &'static [Doubtful],
}

/// A migration that ends with statements whose outcome no look can tell.
#[derive(Debug)]
struct Doubtful {
    migration: &'static str,
    /// The row of `tally` that only they add to, and what it holds once all of them ran: so that a person can tell, as
    /// the harness does in their place. `None` where a replay on a shadow database tells.
    tally: Option<(&'static str, &'static str)>,
}

const POSTGRES: &[Doubtful] = &[Doubtful { migration: "11_call", tally: Some(("call", "11")) }];
const MYSQL: &[Doubtful] = &[
    Doubtful { migration: "7_unit", tally: Some(("unit", "11")) },
    Doubtful { migration: "8_locked", tally: Some(("locked", "11")) },
    Doubtful { migration: "9_call", tally: Some(("call", "11")) },
    Doubtful { migration: "12_definitions", tally: None },
];

/// What the rows of `tally` hold at the end: known apart from any run.
fn sums(family: Family) -> &'static [(&'static str, &'static str)] {
    match family {
        Family::Postgres => &[
            ("alone", "111"),
            ("call", "11"),
            ("code", "1"),
            ("cut", "111"),
            ("data", "31111"),
            ("settings", "1"),
        ],
        Family::Sqlite => &[("alone", "11"), ("cut", "11"), ("data", "63111"), ("rebuild", "1")],
        Family::MySql | Family::MariaDb => &[
            ("alone", "1"),
            ("call", "11"),
            ("data", "31111"),
            ("locked", "11"),
            ("mixed", "111"),
            ("settings", "11"),
            ("unit", "11"),
        ],
    }
}

impl FaultSet {
    /// Runs it undisturbed, and empties the database again.
    ///
    /// # Panics
    /// Where even that goes wrong.
    pub async fn prepare(database: &Database) -> Self {
        let family = database.target().family;
        let doubtful = match family {
            Family::Postgres => POSTGRES,
            Family::Sqlite => &[],
            Family::MySql | Family::MariaDb => MYSQL,
        };
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations-fixtures/faults"))
            .join(family.folder());
        let migrations = Migrations::from_dir(&folder).expect("the set");
        crate::deploy(&mut *database.connect().await, &migrations).await.expect("an undisturbed run");
        let whole = Snapshot::of(database).await;
        let told = database.query("SELECT name, n FROM tally ORDER BY name").await;
        let told: Vec<_> = told.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        let right = |(name, n): &(&str, &str)| (Some((*name).to_owned()), Some((*n).to_owned()));
        assert_eq!(told, sums(family).iter().map(right).collect::<Vec<_>>(), "an undisturbed run");
        let set = Self { folder, migrations, whole, doubtful };
        set.must_be_true(database).await.expect("after an undisturbed run");
        database.empty().await;
        set
    }

    /// Deploys again until it is done, settles by hand what has to be, and judges.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn judge(&self, database: &Database) -> Result<Ending, String> {
        let ending = self.recover(database).await?;
        self.must_be_true(database).await?;
        Snapshot::of(database).await.must_be(&self.whole)?;
        Ok(ending)
    }

    async fn recover(&self, database: &Database) -> Result<Ending, String> {
        let began = Instant::now();
        let mut ending = Ending::Equal;
        loop {
            let mut session = database.try_connect(&database.url()).await?;
            let error = match crate::deploy(&mut *session, &self.migrations).await {
                Ok(_) => {
                    database.must_be_free().await?;
                    return Ok(ending);
                }
                Err(error) => error,
            };
            drop(session);
            match error {
                DeployError::Blocked(Blocked::InDoubt { attempt, in_flight, .. }) => {
                    ending = Ending::Blocked(self.settle(database, &attempt, in_flight).await?);
                }
                // The session of the run that was cut off is still at work, and its end is waited for.
                DeployError::Blocked(Blocked::Running { .. })
                | DeployError::LockTimeout { .. }
                | DeployError::TakenOver { .. }
                    if began.elapsed() < DEADLINE =>
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                error => return Err(format!("the next deploy ended with {error:#?}")),
            }
        }
    }

    /// What a person does who is told that a statement is in doubt: they ask what is true, look where they are told to,
    /// and run what is advised for what they find.
    async fn settle(
        &self,
        database: &Database,
        attempt: &Attempt,
        in_flight: InFlight,
    ) -> Result<String, String> {
        let name = attempt.name.as_str();
        let doubtful = self.doubtful.iter().find(|doubtful| doubtful.migration == name);
        let doubtful = doubtful.ok_or_else(|| format!("nothing of this is doubtful: {attempt:#?}"))?;
        if in_flight.first <= attempt.completed || in_flight.last != attempt.statements {
            return Err(format!("what is in flight is not what was left: {attempt:#?}"));
        }
        let advice = self.advice(database).await?;
        let wrong = |what: &str| format!("{what}: {advice:#?}");
        let commands = match doubtful.tally {
            None if advice.choices.is_empty() => {
                for words in &advice.by_hand {
                    let sql = undoing(words).ok_or_else(|| wrong("this cannot be undone"))?;
                    database.sql(&sql).await;
                }
                &advice.commands
            }
            None => return Err(wrong("the schema tells, and a person was asked")),
            Some((row, done)) => {
                let sum = database.value(&format!("SELECT n FROM tally WHERE name = '{row}'")).await;
                let part = sum != "0" && sum != done;
                let what = if part {
                    "part"
                } else if sum == done {
                    "all"
                } else {
                    "nothing"
                };
                if part {
                    database.sql(&format!("UPDATE tally SET n = 0 WHERE name = '{row}'")).await;
                }
                let choice = advice.choices.iter().find(|choice| choice.when.contains(what));
                &choice.ok_or_else(|| wrong("nothing is advised for what is so"))?.commands
            }
        };
        let project = Project::new(database, &[]);
        for command in commands {
            let mut shell = project.shell(command);
            let ran = project
                .end({
                    shell.env("WINDLASS_DIR", &self.folder);
                    shell
                })
                .await;
            if ran.code != Some(0) {
                return Err(wrong(&format!("`{command}` came to {ran:#?}")));
            }
        }
        Ok(format!(
            "{name} statement {} in doubt, advised to {}",
            in_flight.to_text(),
            advice.action.as_str()
        ))
    }

    /// What is advised, once the set was replayed on a database of its own.
    async fn advice(&self, database: &Database) -> Result<Advice, String> {
        let beside = Database::create(database.target()).await;
        let (mut session, mut shadow) = (database.connect().await, beside.connect().await);
        let told = diagnose(&mut *session, Some(&mut *shadow), &self.migrations, &crate::options()).await;
        drop(shadow);
        beside.drop().await;
        Ok(told.map_err(|error| format!("no diagnosis: {error:#?}"))?.advice)
    }

    /// The history tells what is so: every migration stands once, whole, and nothing else is told of.
    async fn must_be_true(&self, database: &Database) -> Result<(), String> {
        let mut session = database.connect().await;
        let inspection = session.inspect().await.map_err(|error| format!("{error:?}"))?;
        let history = inspection.history;
        history.verify().map_err(|error| format!("the history: {error:?}"))?;
        let standing: Vec<&Attempt> = history.attempts.iter().filter(|attempt| attempt.claimed).collect();
        let names: HashSet<&str> = standing.iter().map(|attempt| attempt.name.as_str()).collect();
        if names.len() != standing.len() || names.len() != self.migrations.len() {
            return Err(format!("claims: {standing:#?}"));
        }
        let is_whole = |attempt: &Attempt| {
            attempt.state() == State::Applied
                && attempt.in_flight.is_none()
                && (attempt.completed == attempt.statements || attempt.resolution.is_some())
        };
        // Nothing was refused, so that no attempt failed.
        match history.attempts.iter().find(|attempt| !attempt.claimed || !is_whole(attempt)) {
            Some(attempt) => Err(format!("the history is not true: {attempt:#?}")),
            None => Ok(()),
        }
    }
}

/// `take column goods.a away`, as a person does it.
fn undoing(words: &str) -> Option<String> {
    // What it holds is lost with it, which the words tell behind a colon.
    let words = words.split(" away: ").next()?;
    let (kind, name) = words.strip_prefix("take ")?.trim_end_matches(" away").split_once(' ')?;
    match (kind, name.split_once('.')) {
        ("table", None) => Some(format!("DROP TABLE {name}")),
        ("column", Some((table, column))) => Some(format!("ALTER TABLE {table} DROP COLUMN {column}")),
        _ => None,
    }
}
