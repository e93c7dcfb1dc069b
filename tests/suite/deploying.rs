//! Deploying: from nothing to the end of the migrations, and again.

use harness::{Database, Family, deploy, migrations};
use windlass_core::history::State;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        a_deploy_brings_an_empty_database_to_the_end,
        second_deploy_is_a_no_op,
        a_later_migration_runs_alone,
        repeatable_migrations_run_again_when_changed,
        an_empty_script_is_recorded,
        settings_of_one_migration_do_not_reach_the_next,
        names_are_not_sql,
        two_deployers_run_everything_once,
        the_long_history_deploys,
);

async fn a_deploy_brings_an_empty_database_to_the_end(database: &Database) {
    let mut driver = database.connect().await;
    let three = migrations(&[
        ("1_users", "CREATE TABLE users (id int PRIMARY KEY, login varchar(40));"),
        ("2_seed", "INSERT INTO users VALUES (1, 'ada'); INSERT INTO users VALUES (2, 'grace;''s')"),
        ("10_email", "ALTER TABLE users ADD COLUMN email varchar(80); UPDATE users SET email = login;"),
    ]);
    let report = deploy(&mut *driver, &three).await.expect("a deploy");
    let names: Vec<_> = report.applied.iter().map(|applied| applied.name.as_str()).collect();
    assert_eq!(names, ["1_users", "2_seed", "10_email"]);
    assert_eq!(database.tables().await, ["users"]);
    assert_eq!(database.value("SELECT email FROM users WHERE id = 2").await, "grace;'s");
    let inspection = driver.inspect().await.expect("a history");
    assert!(
        inspection.history.attempts.iter().all(|a| a.state() == State::Applied && a.finished_at.is_some())
    );
    assert!(inspection.history.verify().is_ok());
}

async fn second_deploy_is_a_no_op(database: &Database) {
    let one = migrations(&[("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (1);")]);
    deploy(&mut *database.connect().await, &one).await.expect("the first deploy");
    let again = deploy(&mut *database.connect().await, &one).await.expect("the second deploy");
    assert!(again.applied.is_empty());
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1");
}

async fn a_later_migration_runs_alone(database: &Database) {
    let mut driver = database.connect().await;
    let one = [("1_n", "CREATE TABLE n (n int);")];
    deploy(&mut *driver, &migrations(&one)).await.expect("the first deploy");
    let two = [one[0], ("2_m", "CREATE TABLE m (m int);")];
    let report = deploy(&mut *driver, &migrations(&two)).await.expect("the second deploy");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(database.tables().await, ["m", "n"]);
    assert!(deploy(&mut *driver, &migrations(&two)).await.expect("the third").applied.is_empty());
}

async fn repeatable_migrations_run_again_when_changed(database: &Database) {
    let mut driver = database.connect().await;
    let table = ("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (0);");
    let plus = |by: u32| format!("UPDATE n SET n = n + {by};");
    let with = |sql: &str| migrations(&[table, ("R__plus", sql)]);
    deploy(&mut *driver, &with(&plus(1))).await.expect("the first deploy");
    deploy(&mut *driver, &with(&plus(1))).await.expect("nothing changed");
    assert_eq!(database.value("SELECT n FROM n").await, "1");
    deploy(&mut *driver, &with(&plus(10))).await.expect("it changed");
    deploy(&mut *driver, &with(&plus(10))).await.expect("nothing changed");
    assert_eq!(database.value("SELECT n FROM n").await, "11");
}

async fn an_empty_script_is_recorded(database: &Database) {
    let mut driver = database.connect().await;
    let set = migrations(&[("1_nothing", "-- later"), ("2_n", "CREATE TABLE n (n int);")]);
    assert_eq!(deploy(&mut *driver, &set).await.expect("a deploy").applied.len(), 2);
    assert!(deploy(&mut *driver, &set).await.expect("again").applied.is_empty());
}

async fn settings_of_one_migration_do_not_reach_the_next(database: &Database) {
    let mut driver = database.connect().await;
    let (set, show) = match database.target().family {
        Family::Postgres => ("SET search_path = ''", "SELECT current_setting('search_path')"),
        Family::Sqlite => ("PRAGMA foreign_keys = ON", "SELECT foreign_keys FROM pragma_foreign_keys"),
        _ => {
            ("SET foreign_key_checks = 0, unique_checks = 0", "SELECT @@foreign_key_checks + @@unique_checks")
        }
    };
    let keep = format!("INSERT INTO seen {show}");
    let first = format!("CREATE TABLE seen (setting varchar(99)); {keep};");
    let set = migrations(&[("1_seen", &first), ("2_set", set), ("3_show", &keep)]);
    deploy(&mut *driver, &set).await.expect("a deploy");
    let seen = database.query("SELECT setting FROM seen").await;
    assert!(seen.len() == 2 && seen[0] == seen[1], "{seen:?}");
}

async fn names_are_not_sql(database: &Database) {
    let mut driver = database.connect().await;
    let hostile = "3_it's \\ \"quoted\" `back` $1 ?; DROP TABLE n; -- é😀";
    let set = migrations(&[("1_n", "CREATE TABLE n (n int);"), (hostile, "INSERT INTO n VALUES (1);")]);
    deploy(&mut *driver, &set).await.expect("a deploy");
    let inspection = driver.inspect().await.expect("a history");
    assert_eq!(inspection.history.attempts[1].name, hostile);
    assert!(deploy(&mut *driver, &set).await.expect("again").applied.is_empty());
}

async fn two_deployers_run_everything_once(database: &Database) {
    let set = migrations(&[
        ("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (0);"),
        ("2_plus", "UPDATE n SET n = n + 1;"),
        ("3_m", "CREATE TABLE m (m int);"),
        ("4_plus", "UPDATE n SET n = n + 1;"),
    ]);
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    let (one, two) = tokio::join!(deploy(&mut *first, &set), deploy(&mut *second, &set));
    let (one, two) = (one.expect("the one"), two.expect("the other"));
    assert_eq!(one.applied.len() + two.applied.len(), 4, "{one:?} {two:?}");
    assert_eq!(database.value("SELECT n FROM n").await, "2");
}

async fn the_long_history_deploys(database: &Database) {
    let folder = database.target().family.folder();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations-fixtures/long/");
    let set = windlass_core::source::Migrations::from_dir(format!("{root}{folder}")).expect("a folder");
    let mut driver = database.connect().await;
    let report = deploy(&mut *driver, &set).await.unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(report.applied.len(), set.len());
    assert!(deploy(&mut *driver, &set).await.expect("again").applied.is_empty());
}
