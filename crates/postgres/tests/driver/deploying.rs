//! Whole deploys over the driver: fixtures, and rivals.

use crate::support::*;
use std::path::Path;
use windlass_core::apply::{DeployError, DeployOptions, Report, Silent, Stop, deploy};
use windlass_core::driver::Driver as _;
use windlass_core::source::Migrations;
use windlass_postgres::Postgres;

crate::on_servers!(fixtures_are_deployed_and_then_current, of_rivals_one_does_the_work_and_none_fails);

async fn deploy_as(owner: &str, url: &str, migrations: &Migrations) -> Result<Report, DeployError> {
    let mut driver = Postgres::connect(&options(url)).await.unwrap();
    deploy(&mut driver, migrations, &DeployOptions::new(run(owner)), &mut Silent, &Stop::new()).await
}

fn fixture(name: &str) -> Migrations {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures");
    Migrations::from_dir(fixtures.join(name)).unwrap()
}

async fn fixtures_are_deployed_and_then_current(database: Database) {
    let migrations = fixture("long/postgres");
    let report = deploy_as("a", &database.url(), &migrations).await.unwrap();
    assert_eq!(report.applied.len(), migrations.len());
    assert_eq!(deploy_as("b", &database.url(), &migrations).await.unwrap(), Report::default());
    let mut driver = database.connect().await;
    driver.inspect().await.unwrap().history.verify().unwrap();
}

async fn of_rivals_one_does_the_work_and_none_fails(database: Database) {
    let script = |number| {
        (
            format!("{number}_t.sql"),
            format!("CREATE TABLE t{number} (a int); INSERT INTO t{number} VALUES (1);"),
        )
    };
    let migrations = std::sync::Arc::new(Migrations::from_scripts((1..=40).map(script)).unwrap());
    let rivals = ["a", "b", "c", "d"].map(|owner| {
        let (url, migrations) = (database.url(), migrations.clone());
        tokio::spawn(async move { deploy_as(owner, &url, &migrations).await.unwrap().applied.len() })
    });
    let mut applied = Vec::new();
    for rival in rivals {
        applied.push(rival.await.unwrap());
    }
    assert_eq!(applied.iter().sum::<usize>(), migrations.len(), "{applied:?}");
}
