//! Scenarios: one test function, run on every target of the families that make its promise.

use crate::{Database, Extent, Family, Target, targets};
use libtest_mimic::{Arguments, Failed, Trial};
use std::future::Future;
use std::pin::Pin;
use windlass_core::apply::{DeployError, DeployOptions, Report, Silent, Stop};
use windlass_core::driver::{Driver, Run};
use windlass_core::source::Migrations;

/// What a test function returns.
pub type Outcome = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A test function over a database of its own.
pub type Test = fn(std::sync::Arc<Database>) -> Outcome;

/// A named test, and the families it runs on.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The families that make the promise.
    pub on: &'static [Family],
    /// Whether it is about sessions that may go over sqlx, and not about the command or what is windlass's own to open.
    pub over_sqlx: bool,
    /// The test.
    pub test: Test,
}

/// Declares a module's scenarios: `scenarios!(on [Postgres, Sqlite]: first, second);`
///
/// Those of the command, of URLs, or of connections that the test makes are `natively [Postgres, Sqlite]: third`.
#[macro_export]
macro_rules! scenarios {
    ($($how:ident $families:tt : $($test:ident),+ $(,)?);+ $(;)?) => {
        /// The scenarios of this module.
        pub(crate) fn all() -> Vec<$crate::Scenario> {
            vec![$($($crate::Scenario {
                name: concat!(module_path!(), "::", stringify!($test)),
                on: $crate::__families!($families),
                over_sqlx: $crate::__over_sqlx!($how),
                test: |database| Box::pin(async move { $test(&database).await; }),
            },)+)+]
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __over_sqlx {
    (on) => {
        true
    };
    (natively) => {
        false
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __families {
    ([$($family:ident),+]) => { &[$($crate::Family::$family),+] };
}

/// Runs every scenario on every target it promises something about, in parallel.
pub fn run_suite(scenarios: Vec<Scenario>) -> ! {
    if crate::child::was_asked() {
        std::process::exit(0);
    }
    let arguments = Arguments::from_args();
    let targets = targets().unwrap_or_else(|missing| {
        eprintln!("{missing}");
        std::process::exit(101)
    });
    let mut trials = Vec::new();
    for target in &targets {
        for scenario in scenarios.iter().filter(|scenario| runs_on(scenario, target)) {
            let (target, test) = (target.clone(), scenario.test);
            let name = path(scenario);
            trials.push(Trial::test(format!("{}::{name}", target.name), move || run(&target, test)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

/// The modules whose scenarios go over sqlx in every run: there the transports could differ. The others do in full runs.
const SAMPLE_OVER_SQLX: [&str; 8] =
    ["deploying", "engines", "failing", "hygiene", "indexes", "sessions", "transactions", "waiting"];

fn runs_on(scenario: &Scenario, target: &Target) -> bool {
    let is_sampled = || SAMPLE_OVER_SQLX.contains(&path(scenario).split("::").next().unwrap_or_default());
    let goes_over = || scenario.over_sqlx && (Extent::of_run().is_full || is_sampled());
    scenario.on.contains(&target.family) && (!target.over_sqlx || goes_over())
}

/// Its module and name.
fn path(scenario: &Scenario) -> &'static str {
    scenario.name.trim_start_matches("suite::")
}

fn run(target: &Target, test: Test) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let database = std::sync::Arc::new(Database::create(target).await);
        test(std::sync::Arc::clone(&database)).await;
        if let Some(database) = std::sync::Arc::into_inner(database) {
            database.drop().await;
        }
    });
    Ok(())
}

/// Migrations from pairs of name and SQL.
pub fn migrations(scripts: &[(&'static str, &str)]) -> Migrations {
    let named = scripts.iter().map(|(name, sql)| (format!("{name}.sql"), (*sql).to_owned()));
    Migrations::from_scripts(named).expect("a set of migrations")
}

/// Options of a run with a token of its own.
pub fn options() -> DeployOptions {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    DeployOptions::new(Run {
        owner: format!("suite-{}-{number}", std::process::id()),
        applied_by: "suite".to_owned(),
        tool: "0.0.0".to_owned(),
    })
}

/// Deploys with plain options.
///
/// # Errors
/// As [`windlass_core::apply::deploy`].
pub async fn deploy(driver: &mut dyn Driver, migrations: &Migrations) -> Result<Report, DeployError> {
    deploy_with(driver, migrations, &options()).await
}

/// Deploys with options.
///
/// # Errors
/// As [`windlass_core::apply::deploy`].
pub async fn deploy_with(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DeployOptions,
) -> Result<Report, DeployError> {
    windlass_core::apply::deploy(driver, migrations, options, &mut Silent, &Stop::new()).await
}
