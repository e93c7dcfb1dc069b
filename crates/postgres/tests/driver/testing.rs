//! A migrated database for each of an application's own tests.

use crate::borrowing::migrations;
use crate::on_servers;
use crate::support::{Database, value};
use std::sync::Arc;
use windlass_postgres::testing::{TestDatabase, TestDatabaseError};
use windlass_postgres::{Migrations, Verdict, verify};

on_servers!(tests_at_once_have_a_migrated_database_each, a_template_is_whole_or_made_anew);

/// Migrations of this test's own: the templates of all that run at once stand on one server.
fn set(database: &Database, last: &str) -> Migrations {
    let url = database.url();
    let name = url.rsplit('/').next().unwrap();
    let own = format!("CREATE TABLE {name}_of_its_own (id int); {last}");
    let scripts: Vec<_> =
        migrations().iter().map(|m| (m.name().to_owned(), m.up().text().to_owned())).collect();
    Migrations::from_scripts(scripts.into_iter().chain([("9_own".to_owned(), own)])).unwrap()
}

async fn connected(test: &TestDatabase) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(test.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn tests_at_once_have_a_migrated_database_each(database: Database) {
    let (set, url) = (Arc::new(set(&database, "")), database.url());
    let tests = (0..4).map(|number| {
        let (set, url) = (Arc::clone(&set), url.clone());
        tokio::spawn(async move {
            let test = TestDatabase::create(&url, &set).await.unwrap();
            let mut client = connected(&test).await;
            client.execute("INSERT INTO ships VALUES ($1, 'Carla')", &[&(100 + number)]).await.unwrap();
            assert_eq!(
                value(&client, "SELECT count(*) FROM ships").await,
                "3",
                "its own row, and no other's"
            );
            assert_eq!(verify(&mut client, &set).await.unwrap(), Verdict::Current);
            let name = test.name().to_owned();
            test.remove().await.unwrap();
            name
        })
    });
    for test in tests.collect::<Vec<_>>() {
        let name = test.await.unwrap();
        let stands = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(database.value(&stands).await, "0");
    }
    let deploys = format!("windlass_template_{}", &set.digest().to_hex()[..32]);
    let stands = format!("SELECT datistemplate FROM pg_database WHERE datname = '{deploys}'");
    assert_eq!(database.value(&stands).await, "t", "one template for all");
}

async fn a_template_is_whole_or_made_anew(database: Database) {
    let url = database.url();
    let broken = set(&database, "SELECT 1 / 0;");
    let error = TestDatabase::create(&url, &broken).await.unwrap_err();
    assert!(matches!(error, TestDatabaseError::Deploy(_)), "{error:?}");
    let again = TestDatabase::create(&url, &broken).await.unwrap_err();
    assert!(matches!(again, TestDatabaseError::Deploy(_)), "half of it is no template: {again:?}");

    let mended = set(&database, "SELECT 1;");
    let test = TestDatabase::create(&url, &mended).await.unwrap();
    assert_eq!(verify(&mut connected(&test).await, &mended).await.unwrap(), Verdict::Current);
    let shown = format!("{test:?}");
    assert!(
        shown.contains(test.name()) && !shown.contains("://"),
        "what is shown is to hold no password: {shown}"
    );
    test.remove().await.unwrap();
}
