//! Verify: whether an application may start, as one answer.

use super::traces::waits_until_current;
use crate::drift::{self, Drift, DriftOptions, DriftVerdict};
use crate::driver::{Capabilities, Driver, DriverError, Head, Inspection};
use crate::history::{AttemptKind, FORMAT, HistoryError};
use crate::plan::{Blocked, Options, plan};
use crate::source::Migrations;
use crate::status::{Standing, StatusLine, status};
use std::fmt;
use std::time::{Duration, Instant};

/// Where the database is, as seen from the migrations of a program.
///
/// ```
/// # use windlass_core::application::Verdict;
/// # let verdict = Verdict::Current;
/// match verdict {
///     Verdict::Current | Verdict::Ahead { .. } => println!("serving"),
///     Verdict::Behind { pending } => println!("waiting for {}", pending.join(", ")),
///     other => println!("a person has to look: {other}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it tells whether the program may run"]
#[non_exhaustive]
pub enum Verdict {
    /// All migrations are applied.
    Current,
    /// Some are not: the next deploy applies them, or a deploy is at work on them now.
    Behind {
        /// Their names.
        pending: Vec<String>,
    },
    /// All are applied, and newer ones too: an older release of the program is looking. Whether others changed the schema is
    /// then the newer one's to tell.
    Ahead {
        /// The newer ones.
        names: Vec<String>,
    },
    /// A migration failed part-way: a person has to decide.
    Failed {
        /// Its name.
        name: String,
        /// The database's words.
        error: String,
    },
    /// What is applied is not what the program has: edited, missing or renamed.
    Different {
        /// The migrations.
        names: Vec<String>,
    },
    /// All migrations are applied and no newer ones, and others changed the schema since the last deploy.
    Drifted(Box<Drift>),
    /// All migrations are applied, and whether others changed the schema since cannot be told: an account that may not see
    /// all of it, say, or statements that ran since and may have changed anything.
    DriftUnknown {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// Whether a program with these migrations may run: the database is where they want it, or further, also where
    /// others changed its schema since, or nobody knows (an index made in an emergency must not keep a program from
    /// starting).
    ///
    /// ```
    /// # use windlass_core::application::Verdict;
    /// assert!(Verdict::Current.may_run());
    /// assert!(!Verdict::Behind { pending: vec!["2_crews".to_owned()] }.may_run());
    /// ```
    pub fn may_run(&self) -> bool {
        matches!(self, Self::Current | Self::Ahead { .. } | Self::Drifted(_) | Self::DriftUnknown { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("the database is current"),
            Self::Behind { pending } => write!(f, "the database is behind by {}", pending.join(", ")),
            Self::Ahead { names } => write!(f, "the database is ahead by {}", names.join(", ")),
            Self::Failed { name, error } => write!(f, "{name} failed part-way: {error}"),
            Self::Drifted(drift) => drift.fmt(f),
            Self::DriftUnknown { why } => {
                write!(f, "all is applied, and whether others changed the schema since cannot be told: {why}")
            }
            Self::Different { names } => {
                write!(
                    f,
                    "applied with another text, name or not at all in the project: {}",
                    names.join(", ")
                )
            }
        }
    }
}

/// Why there is no verdict.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, VerifyError, verify};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) {
/// match verify(connection, migrations).await {
///     Ok(verdict) => println!("{verdict}"),
///     Err(VerifyError::Driver(error)) => eprintln!("ask again: {error}"),
///     Err(error) => eprintln!("a person has to look: {error}"),
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The database cannot be read.
    #[error("the database could not be used")]
    Driver(#[from] DriverError),
    /// The history cannot be believed.
    #[error("the history cannot be trusted")]
    History(#[from] HistoryError),
}

/// Why the waiting ended before the database was current.
///
/// ```
/// # use std::time::Duration;
/// # use windlass_core::application::{Database, Migrations, WaitError, wait_until_current};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), WaitError> {
/// match wait_until_current(connection, migrations, Duration::from_secs(60)).await {
///     Err(WaitError::TimedOut { verdict, .. }) => println!("not yet: {verdict}"),
///     ended => ended?,
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It is not there by the end of the timeout.
    #[error("{verdict}, after {waited:?}")]
    TimedOut {
        /// Where it is.
        verdict: Verdict,
        /// How long was waited.
        waited: Duration,
    },
    /// No deploy by itself gets it there.
    #[error("{verdict}: waiting does not help")]
    Hopeless {
        /// Where it is.
        verdict: Verdict,
    },
    /// A deploy would be blocked, and no more by itself get there.
    #[error("a deploy is blocked: waiting does not help")]
    Blocked(#[source] Box<Blocked>),
    /// It cannot be read.
    #[error("the database could not be verified")]
    Verify(#[from] VerifyError),
}

/// Where the database is, and, where all is applied and no more, whether its schema is as it was left: a program that is not
/// to run beside a newer release has to be told of that first.
pub(super) async fn verify(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DriftOptions,
) -> Result<Verdict, VerifyError> {
    let verdict = look(driver, migrations).await?;
    if verdict != Verdict::Current || !options.looks(driver) {
        return Ok(verdict);
    }
    match drift::look(driver, migrations.as_slice(), options).await? {
        DriftVerdict::Drift(drift) => Ok(Verdict::Drifted(drift)),
        DriftVerdict::Unknown(why) => Ok(Verdict::DriftUnknown { why }),
        _ => Ok(verdict),
    }
}

async fn look(driver: &mut dyn Driver, migrations: &Migrations) -> Result<Verdict, VerifyError> {
    if is_current_at_a_glance(driver, migrations).await? {
        return Ok(Verdict::Current);
    }
    // What a look at the schema tells besides of what is half-done makes no other verdict.
    let inspection = driver.inspect().await?;
    told(driver, migrations, &inspection)
}

/// Where it is, and what was read for that, unless a glance was enough.
async fn look_closely(
    driver: &mut dyn Driver,
    migrations: &Migrations,
) -> Result<(Verdict, Option<Inspection>), VerifyError> {
    if is_current_at_a_glance(driver, migrations).await? {
        return Ok((Verdict::Current, None));
    }
    let inspection = crate::apply::inspect(driver, migrations.as_slice()).await?;
    Ok((told(driver, migrations, &inspection)?, Some(inspection)))
}

async fn is_current_at_a_glance(
    driver: &mut dyn Driver,
    migrations: &Migrations,
) -> Result<bool, VerifyError> {
    match driver.head().await? {
        Head::Newest { format, .. } if format > FORMAT => Err(HistoryError::Newer { found: format }.into()),
        Head::Newest { digest, .. } => Ok(digest == migrations.digest().to_hex()),
        Head::None => Ok(false),
    }
}

fn told(
    driver: &dyn Driver,
    migrations: &Migrations,
    inspection: &Inspection,
) -> Result<Verdict, VerifyError> {
    inspection.history.verify()?;
    Ok(verdict(&status(migrations.as_slice(), inspection, driver.capabilities().dialect)))
}

pub(super) async fn wait(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    timeout: Duration,
) -> Result<(), WaitError> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        let (verdict, inspection) = look_closely(driver, migrations).await?;
        let waited = began.elapsed();
        let inspection = inspection.filter(|_| matches!(verdict, Verdict::Behind { .. }));
        if let Some(blocked) = inspection.and_then(|it| in_vain(driver.capabilities(), migrations, &it)) {
            return Err(WaitError::Blocked(Box::new(blocked)));
        }
        match verdict {
            verdict if verdict.may_run() => return Ok(()),
            verdict @ Verdict::Behind { .. } if waited < timeout => waits_until_current(&verdict),
            Verdict::Behind { .. } => return Err(WaitError::TimedOut { verdict, waited }),
            verdict => return Err(WaitError::Hopeless { verdict }),
        }
        driver.sleep(pause.min(timeout - waited)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// What keeps every deploy from going on, whatever options it is given and wherever it runs.
fn in_vain(capabilities: &Capabilities, migrations: &Migrations, inspection: &Inspection) -> Option<Blocked> {
    let blocked = plan(migrations.as_slice(), inspection, capabilities, &Options::default()).err();
    blocked.filter(|blocked| !blocked.may_pass())
}

/// One answer from where every migration stands.
///
/// ```
/// # use windlass_core::application::{Verdict, verdict};
/// // No migrations at all.
/// assert_eq!(verdict(&[]), Verdict::Current);
/// ```
pub fn verdict(lines: &[StatusLine]) -> Verdict {
    let names = |standings: &[Standing]| -> Vec<String> {
        let is_meant = |line: &&StatusLine| standings.contains(&line.standing) && !is_gone_repeatable(line);
        lines.iter().filter(is_meant).map(|line| line.name.clone()).collect()
    };
    if let Some(line) = lines.iter().find(|line| line.standing == Standing::Failed) {
        let error = line.error().unwrap_or_default().to_owned();
        return Verdict::Failed { name: line.name.clone(), error };
    }
    let different = names(&[Standing::Edited, Standing::Missing, Standing::Renamed]);
    let pending = names(&[
        Standing::Pending,
        Standing::Changed,
        Standing::RolledBack,
        Standing::Running,
        Standing::Interrupted,
    ]);
    let ahead = names(&[Standing::Ahead]);
    if !different.is_empty() {
        Verdict::Different { names: different }
    } else if !pending.is_empty() {
        Verdict::Behind { pending }
    } else if !ahead.is_empty() {
        Verdict::Ahead { names: ahead }
    } else {
        Verdict::Current
    }
}

/// What a repeatable migration made stands as it is when its file goes: nothing is missing for the rest.
fn is_gone_repeatable(line: &StatusLine) -> bool {
    line.file.is_none() && line.attempt.as_ref().is_some_and(|a| a.kind == AttemptKind::Repeatable)
}
