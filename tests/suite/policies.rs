//! Policies: edited, missing, renamed, ahead, out of order, not empty: refused by name, before anything runs.

use harness::{Database, deploy, deploy_with, migrations, options};
use windlass_core::apply::{DeployError, ResolveFailure, baseline, resolve};
use windlass_core::history::State;
use windlass_core::plan::{Blocked, Remark, Resolution, ResolveError};

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        an_edited_migration_is_refused_and_accepted,
        white_space_is_no_edit,
        a_renamed_migration_is_told,
        a_missing_migration_is_refused,
        an_older_release_is_no_error,
        ahead_and_pending_is_refused,
        nothing_in_common_is_refused,
        versions_alike_run_by_name_or_are_refused,
        an_independent_late_migration_runs,
        a_dependent_late_migration_is_refused,
        a_database_with_objects_and_no_history_is_refused,
        baseline_records_without_running,
        a_baseline_of_an_empty_database_is_refused,
        what_is_to_stand_in_an_empty_database_is_refused,
        a_baseline_does_not_pass_what_is_unfinished,
        an_edit_of_what_was_empty_is_not_accepted,
        deploying_to_a_name_stops_there,
        a_newer_history_is_refused,
);

const A: (&str, &str) = ("1_a", "CREATE TABLE a (n int);");
const B: (&str, &str) = ("2_b", "CREATE TABLE b (n int);");
const C: (&str, &str) = ("3_c", "CREATE TABLE c (n int);");

async fn blocked(database: &Database, scripts: &[(&'static str, &str)]) -> Blocked {
    let before = database.tables().await;
    let result = deploy(&mut *database.connect().await, &migrations(scripts)).await;
    assert_eq!(database.tables().await, before, "something ran");
    match result.expect_err("a reason to refuse") {
        DeployError::Blocked(blocked) => blocked,
        other => panic!("{other:#?}"),
    }
}

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) {
    deploy(&mut *database.connect().await, &migrations(scripts)).await.expect("a deploy");
}

async fn an_edited_migration_is_refused_and_accepted(database: &Database) {
    deployed(database, &[A, B]).await;
    let edited = [A, ("2_b", "CREATE TABLE b (n bigint);"), C];
    let refused = blocked(database, &edited).await;
    assert!(matches!(&refused, Blocked::Edited { names, .. } if names == &["2_b"]), "{refused:?}");
    let set = migrations(&edited);
    let mut driver = database.connect().await;
    let accept = Resolution::AcceptEdit;
    windlass_core::apply::resolve(&mut *driver, &set, &options().run, (accept, "2_b"), "typo", false)
        .await
        .expect("accepted");
    assert_eq!(deploy(&mut *driver, &set).await.expect("the rest").applied.len(), 1);
}

async fn white_space_is_no_edit(database: &Database) {
    deployed(database, &[A]).await;
    let same = [("1_a", "-- a comment\r\nCREATE TABLE a\r\n  (n int);\r\n"), B];
    let report = deploy(&mut *database.connect().await, &migrations(&same)).await.expect("no edit");
    assert_eq!(report.applied.len(), 1);
    assert!(report.remarks.contains(&Remark::Reformatted { name: "1_a".to_owned() }), "{report:?}");
}

async fn a_renamed_migration_is_told(database: &Database) {
    deployed(database, &[A, B]).await;
    let renamed = [A, ("2_b_better", B.1)];
    let refused = blocked(database, &renamed).await;
    let told = matches!(&refused, Blocked::Renamed { from, to } if from == "2_b" && to == "2_b_better");
    assert!(told, "{refused:?}");
    let set = migrations(&renamed);
    let mut driver = database.connect().await;
    let accept = Resolution::AcceptEdit;
    windlass_core::apply::resolve(&mut *driver, &set, &options().run, (accept, "2_b_better"), "", false)
        .await
        .expect("accepted");
    assert!(deploy(&mut *driver, &set).await.expect("nothing to do").applied.is_empty());
}

async fn a_missing_migration_is_refused(database: &Database) {
    deployed(database, &[A, B]).await;
    let refused = blocked(database, &[B, C]).await;
    assert!(matches!(&refused, Blocked::Missing { names } if names == &["1_a"]), "{refused:?}");
}

async fn an_older_release_is_no_error(database: &Database) {
    deployed(database, &[A, B, C]).await;
    let report =
        deploy(&mut *database.connect().await, &migrations(&[A, B])).await.expect("an older release");
    assert!(report.applied.is_empty());
    assert_eq!(report.remarks, [Remark::Ahead { names: vec!["3_c".to_owned()] }]);
}

async fn ahead_and_pending_is_refused(database: &Database) {
    deployed(database, &[A, C]).await;
    let refused = blocked(database, &[A, B]).await;
    assert!(matches!(refused, Blocked::AheadAndPending { .. }), "{refused:?}");
}

async fn nothing_in_common_is_refused(database: &Database) {
    deployed(database, &[A]).await;
    let refused = blocked(database, &[("9_x", "CREATE TABLE x (n int);")]).await;
    assert!(matches!(refused, Blocked::NothingInCommon { .. }), "{refused:?}");
    let refused = blocked(database, &[]).await;
    assert!(matches!(refused, Blocked::EmptyProject { applied: 1 }), "{refused:?}");
}

/// Two branches may have taken the same number.
async fn versions_alike_run_by_name_or_are_refused(database: &Database) {
    let alike = [A, ("2_to_b", "CREATE TABLE b (n int);"), ("2_from_b", "CREATE TABLE c (n int);")];
    let set = migrations(&alike);
    let mut strict = options();
    strict.plan.strict_order = true;
    let refused = deploy_with(&mut *database.connect().await, &set, &strict).await.expect_err("a reason");
    let DeployError::Blocked(refused) = refused else { panic!("{refused:#?}") };
    assert_eq!(refused.to_string(), "version 2 is used by 2_from_b, 2_to_b");
    assert!(database.tables().await.is_empty(), "something ran");
    let report = deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    let names: Vec<_> = report.applied.iter().map(|applied| applied.name.as_str()).collect();
    assert_eq!(names, ["1_a", "2_from_b", "2_to_b"]);
}

async fn an_independent_late_migration_runs(database: &Database) {
    deployed(database, &[A, C]).await;
    let report = deploy(&mut *database.connect().await, &migrations(&[A, B, C])).await.expect("a late one");
    assert_eq!(report.remarks, [Remark::OutOfOrder { name: "2_b".to_owned(), independent: true }]);
    assert_eq!(database.tables().await, ["a", "b", "c"]);
    let again = deploy(&mut *database.connect().await, &migrations(&[A, B, C])).await.expect("nothing to do");
    assert!(again.applied.is_empty() && again.remarks.is_empty(), "{again:?}");
}

async fn a_dependent_late_migration_is_refused(database: &Database) {
    let late = ("2_late", "INSERT INTO a VALUES (2);");
    deployed(database, &[A, ("3_c", "INSERT INTO a VALUES (3);")]).await;
    let scripts = [A, late, ("3_c", "INSERT INTO a VALUES (3);")];
    let refused = blocked(database, &scripts).await;
    assert!(matches!(&refused, Blocked::OutOfOrder { shared: Some(_), .. }), "{refused:?}");
    let mut insist = options();
    insist.plan.out_of_order = true;
    deploy_with(&mut *database.connect().await, &migrations(&scripts), &insist).await.expect("insisted");
    assert_eq!(database.value("SELECT sum(n) FROM a").await, "5");
}

async fn a_database_with_objects_and_no_history_is_refused(database: &Database) {
    database.sql("CREATE TABLE somebody (n int)").await;
    let refused = blocked(database, &[A]).await;
    let told =
        matches!(&refused, Blocked::NotEmpty { examples } if examples.iter().any(|e| e.contains("somebody")));
    assert!(told && refused.hint().is_some_and(|hint| hint.contains("baseline")), "{refused:?}");
    let mut insist = options();
    insist.plan.allow_non_empty = true;
    deploy_with(&mut *database.connect().await, &migrations(&[A]), &insist).await.expect("insisted");
    assert_eq!(database.tables().await, ["a", "somebody"]);
}

async fn baseline_records_without_running(database: &Database) {
    database.sql("CREATE TABLE a (n int)").await;
    let set = migrations(&[A, B]);
    let mut driver = database.connect().await;
    let recorded = baseline(&mut *driver, &set, &options().run, "1_a", false).await.expect("a baseline");
    assert_eq!(recorded, ["1_a"]);
    let report = deploy(&mut *driver, &set).await.expect("the rest");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(database.tables().await, ["a", "b"]);
}

async fn a_baseline_of_an_empty_database_is_refused(database: &Database) {
    let (set, run) = (migrations(&[A, B]), options().run);
    let mut driver = database.connect().await;
    let refused = baseline(&mut *driver, &set, &run, "1_a", false).await.expect_err("nothing is there");
    assert!(
        matches!(&refused, ResolveFailure::Refused(ResolveError::EmptyDatabase { name }) if name == "1_a")
    );
    assert_eq!(baseline(&mut *driver, &set, &run, "1_a", true).await.expect("insisted"), ["1_a"]);
    assert_eq!(baseline(&mut *driver, &set, &run, "2_b", false).await.expect("a history"), ["2_b"]);
}

async fn what_is_to_stand_in_an_empty_database_is_refused(database: &Database) {
    let (set, run) = (migrations(&[("0_later", "-- later"), A, B]), options().run);
    let mut driver = database.connect().await;
    let applied = |name| (Resolution::Applied, name);
    let refused =
        resolve(&mut *driver, &set, &run, applied("2"), "", false).await.expect_err("nothing is there");
    assert!(
        matches!(&refused, ResolveFailure::Refused(ResolveError::EmptyDatabase { name }) if name == "2_b")
    );
    assert_eq!(database.tables().await, [""; 0]);
    // What makes nothing stands in an empty database as well as anywhere.
    let recorded = baseline(&mut *driver, &set, &run, "0_later", false).await.expect("nothing to see");
    assert_eq!(recorded, ["0_later"]);
    resolve(&mut *driver, &set, &run, (Resolution::RolledBack, "0_later"), "", false)
        .await
        .expect("taken back");
    resolve(&mut *driver, &set, &run, applied("2_b"), "", false).await.expect_err("nothing stands yet");
    resolve(&mut *driver, &set, &run, applied("2_b"), "it was never needed", true).await.expect("insisted");
    resolve(&mut *driver, &set, &run, applied("1_a"), "", false).await.expect("a history");
}

async fn a_baseline_does_not_pass_what_is_unfinished(database: &Database) {
    let half = (
        "2_half",
        "-- windlass: no-transaction\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);",
    );
    let set = migrations(&[A, half, C]);
    let mut driver = database.connect().await;
    deploy(&mut *driver, &set).await.expect_err("a failure");
    let refused =
        baseline(&mut *driver, &set, &options().run, "3_c", false).await.expect_err("half of 2_half stands");
    let ResolveFailure::Refused(ResolveError::WrongState { name, state: State::Failed, .. }) = &refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(name, "2_half");
}

async fn an_edit_of_what_was_empty_is_not_accepted(database: &Database) {
    deployed(database, &[A, ("2_b", "-- later")]).await;
    let set = migrations(&[A, B]);
    let mut driver = database.connect().await;
    let accept = Resolution::AcceptEdit;
    let refused = resolve(&mut *driver, &set, &options().run, (accept, "2_b"), "", false).await;
    let refused = refused.expect_err("nothing ran");
    assert!(matches!(&refused, ResolveFailure::Refused(ResolveError::WasEmpty { name }) if name == "2_b"));
}

async fn deploying_to_a_name_stops_there(database: &Database) {
    let mut to = options();
    to.plan.to = Some("2_b".to_owned());
    let set = migrations(&[A, B, C]);
    let mut driver = database.connect().await;
    assert_eq!(deploy_with(&mut *driver, &set, &to).await.expect("two").applied.len(), 2);
    to.plan.to = Some("7".to_owned());
    let refused = deploy_with(&mut *driver, &set, &to).await;
    assert!(matches!(refused, Err(DeployError::Blocked(Blocked::UnknownTarget { .. }))), "{refused:?}");
    assert_eq!(deploy(&mut *driver, &set).await.expect("the rest").applied.len(), 1);
}

async fn a_newer_history_is_refused(database: &Database) {
    deployed(database, &[A]).await;
    database.sql("UPDATE _windlass_migrations SET format = 99").await;
    let result = deploy(&mut *database.connect().await, &migrations(&[A, B])).await;
    let refused = format!("{:?}", result.expect_err("a newer format"));
    assert!(refused.contains("99"), "{refused}");
    assert_eq!(database.tables().await, ["a"]);
}
