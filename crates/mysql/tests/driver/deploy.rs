//! Whole deploys: a fixture's history, a failure and the way on.

use crate::support::{on_each, run};
use std::path::Path;
use windlass_core::apply::{DeployError, DeployOptions, Report, Silent, Stop, deploy};
use windlass_core::driver::Driver;
use windlass_core::source::Migrations;

fn fixture(name: &str) -> Migrations {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures");
    Migrations::from_dir(fixtures.join(name)).unwrap()
}

async fn deploy_as(
    owner: &str,
    driver: &mut dyn Driver,
    migrations: &Migrations,
) -> Result<Report, DeployError> {
    deploy(driver, migrations, &DeployOptions::new(run(owner)), &mut Silent, &Stop::new()).await
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_project_is_deployed_and_then_current() {
    on_each(async |scratch| {
        for (number, name) in ["shop/mysql", "long/mysql"].into_iter().enumerate() {
            if number > 0 {
                scratch.empty().await;
            }
            let migrations = fixture(name);
            let report = deploy_as("a", &mut scratch.driver().await, &migrations).await.unwrap();
            assert_eq!(report.applied.len(), migrations.len());
            let again = deploy_as("b", &mut scratch.driver().await, &migrations).await.unwrap();
            assert_eq!(again, Report::default());
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_failure_keeps_what_stood_before_it() {
    on_each(async |scratch| {
        let error = deploy_as("a", &mut scratch.driver().await, &fixture("bookshop-broken/mysql")).await;
        assert!(matches!(error, Err(DeployError::Statement(_))), "{error:?}");
        let standing = "SELECT count(*) FROM _windlass_migrations WHERE finished_at IS NOT NULL";
        assert_eq!(scratch.raw(standing).await, ["2"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn settings_that_would_hinder_the_history_do_not() {
    on_each(async |scratch| {
        let scripts = [
            ("1_clock.sql", "SET timestamp = 1; CREATE TABLE a (id int); INSERT INTO a VALUES (1);"),
            ("2_only.sql", "SET SESSION TRANSACTION READ ONLY; SELECT 1;"),
            ("3_last.sql", "SET SESSION TRANSACTION READ ONLY;"),
        ];
        let migrations = Migrations::from_scripts(scripts).unwrap();
        let report = deploy_as("a", &mut scratch.driver().await, &migrations).await.unwrap();
        assert_eq!(report.applied.len(), 3);
        let real = "SELECT COUNT(*) FROM _windlass_migrations WHERE finished_at >= started_at";
        assert_eq!(scratch.raw(real).await, ["3"]);
    });
}
