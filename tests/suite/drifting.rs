//! Drift: what others changed in the schema is noticed before anything runs, told object by object, and has ways out.

mod granting;
mod hard;
mod mysql;
mod rendering;
mod restoring;

use granting::{
    grants_are_compared_where_both_looked, what_others_were_granted_is_seen_by_mysql,
    what_others_were_granted_is_seen_by_postgres,
};
use hard::{
    a_schema_comes_round_in_statements, what_an_earlier_version_kept_is_compared_with_what_it_told,
    what_is_not_known_is_not_written,
};
use harness::{Database, Family, Project, deploy_with, migrations, options};
use mysql::{
    a_change_of_any_kind_of_object_is_seen_by_mysql, a_role_with_few_rights_never_says_no_drift,
    settings_make_no_drift, what_changes_while_it_is_read_is_never_half_seen, what_is_kept_is_compressed,
    what_rows_change_is_no_drift,
};
use rendering::{what_long_histories_make_comes_round, whatever_stands_in_a_postgres_schema_comes_round};
use restoring::{a_restarted_server_has_no_drift, a_restored_dump_has_no_drift};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use windlass_core::apply::{DeployError, DeployOptions, Report, accept_drift};
use windlass_core::drift::{Drift, DriftOptions, DriftPolicy, DriftVerdict, Touched, look};
use windlass_core::plan::Remark;
use windlass_core::schema::Pattern;
use windlass_core::source::Migrations;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        what_others_changed_stops_a_deploy,
        a_related_change_stops_and_another_is_told,
        what_is_accepted_is_no_drift,
        a_deploy_that_fails_keeps_what_it_left,
        what_is_ignored_is_no_drift,
        what_later_statements_name_is_no_drift,
        an_up_to_date_deploy_warns,
        a_long_history_leaves_no_drift,
        what_long_histories_make_comes_round,
        where_nothing_moved_the_definitions_are_not_compared,
        nobody_looks_where_it_is_turned_off;
    natively [Postgres, MySql, MariaDb, Sqlite]:
        what_later_statements_made_and_is_gone_is_drift,
        what_goes_on_behind_an_acceptance_is_no_drift,
        a_loss_is_told_until_it_is_settled,
        what_ran_since_is_held_against_a_replay,
        a_secret_in_a_definition_is_neither_kept_nor_told,
        no_form_of_a_secret_is_kept;
    natively [Postgres, MySql, MariaDb, Sqlite]: grants_are_compared_where_both_looked;
    natively [Postgres, Sqlite]: the_command_shows_and_accepts_drift;
    on [Postgres]:
        a_change_of_any_kind_of_object_is_seen_by_postgres,
        what_others_were_granted_is_seen_by_postgres,
        another_session_s_settings_make_no_drift,
        what_goes_with_what_later_statements_name_is_no_drift,
        a_materialized_view_that_is_filled_is_no_drift,
        what_another_history_looks_after_is_no_drift,
        a_schema_of_its_own_is_looked_at_alone,
        whatever_stands_in_a_postgres_schema_comes_round;
    on [Postgres, Sqlite]: another_history_is_no_drift;
    on [MySql, MariaDb]:
        a_change_of_any_kind_of_object_is_seen_by_mysql,
        what_others_were_granted_is_seen_by_mysql,
        what_rows_change_is_no_drift,
        what_changes_while_it_is_read_is_never_half_seen,
        settings_make_no_drift,
        what_is_kept_is_compressed,
        a_role_with_few_rights_never_says_no_drift,
        a_restarted_server_has_no_drift,
        a_restored_dump_has_no_drift,
        a_schema_comes_round_in_statements,
        what_is_not_known_is_not_written;
    on [MySql]: what_an_earlier_version_kept_is_compared_with_what_it_told;
    on [Sqlite]:
        a_change_of_any_kind_of_object_is_seen_by_sqlite,
        shadow_tables_are_no_drift,
        columns_are_told_where_their_definitions_can_be_read,
        a_schema_that_was_kept_with_its_columns_is_no_drift,
        another_spelling_is_no_drift,
        another_spelling_of_a_view_is_no_drift;
);

const A: (&str, &str) = ("1_a", "CREATE TABLE a (n int);");
const B: (&str, &str) = ("2_b", "CREATE TABLE b (n int);");
const ON_A: (&str, &str) = ("3_on_a", "CREATE INDEX a_n ON a (n);");

fn with(policy: DriftPolicy) -> DeployOptions {
    let mut options = options();
    options.drift.policy = policy;
    options
}

async fn run(
    database: &Database,
    scripts: &[(&'static str, &str)],
    options: &DeployOptions,
) -> Result<Report, DeployError> {
    deploy_with(&mut *database.connect().await, &migrations(scripts), options).await
}

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) {
    run(database, scripts, &with(DriftPolicy::Stop)).await.expect("a deploy");
}

async fn verdict(database: &Database, set: &Migrations) -> DriftVerdict {
    look(&mut *database.connect().await, set.as_slice(), &DriftOptions::default()).await.expect("a look")
}

fn words(drift: &Drift) -> Vec<String> {
    drift.differences.iter().map(ToString::to_string).collect()
}

async fn what_others_changed_stops_a_deploy(database: &Database) {
    deployed(database, &[A]).await;
    assert_eq!(verdict(database, &migrations(&[A])).await, DriftVerdict::None);
    database.sql("ALTER TABLE a ADD COLUMN by_hand int").await;
    let before = database.tables().await;
    let refused = run(database, &[A, B], &with(DriftPolicy::Stop)).await.expect_err("drift");
    let DeployError::Drift(drift) = refused else { panic!("{refused:#?}") };
    assert!(
        words(&drift).iter().any(|told| told.starts_with("column") && told.ends_with("a.by_hand was added"))
    );
    assert_eq!(drift.migration, "1_a");
    assert_eq!(database.tables().await, before, "something ran");
    database.sql("ALTER TABLE a DROP COLUMN by_hand").await;
    deployed(database, &[A, B]).await;
    assert_eq!(verdict(database, &migrations(&[A, B])).await, DriftVerdict::None);
}

async fn a_related_change_stops_and_another_is_told(database: &Database) {
    deployed(database, &[A]).await;
    database.sql("CREATE INDEX by_hand ON a (n)").await;
    let report = run(database, &[A, B], &with(DriftPolicy::Related)).await.expect("b is another table");
    let told = report.remarks.iter().find_map(|remark| match remark {
        Remark::Drift { drift } => Some(words(drift)),
        _ => None,
    });
    assert!(told.is_some_and(|told| told[0].ends_with("a.by_hand was added")), "{:?}", report.remarks);
    // That deploy has kept the schema with the index in it.
    let from = if database.target().family.folder() == "mysql" { " ON a" } else { "" };
    database.sql(&format!("DROP INDEX by_hand{from}")).await;
    let refused = run(database, &[A, B, ON_A], &with(DriftPolicy::Related)).await.expect_err("drift of a");
    assert!(matches!(refused, DeployError::Drift(_)), "{refused:#?}");
    run(database, &[A, B, ON_A], &with(DriftPolicy::Warn)).await.expect("it was only told");
}

async fn what_is_accepted_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    database.sql("CREATE TABLE by_hand (n int)").await;
    let mut driver = database.connect().await;
    accept_drift(&mut *driver, &options().run, "a table of the reports", false).await.expect("accepted");
    deployed(database, &[A, B]).await;
    database.sql("CREATE TABLE again (n int)").await;
    accept_drift(&mut *driver, &options().run, "and another", false).await.expect("accepted");
    database.sql("DROP TABLE again").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&[A, B])).await else {
        panic!("no drift")
    };
    assert!(words(&drift)[0].ends_with("again was removed"));
    assert!(drift.accepted.is_some_and(|who| who.ends_with(": and another")));
    assert_eq!(drift.migration, "2_b");
    let told = driver.inspect().await.expect("a history").history.attempts.remove(1).resolution;
    assert!(told.as_ref().is_some_and(|told| told.starts_with("schema accepted by ")), "{told:?}");
    assert!(told.is_some_and(|told| told.contains(": and another (at 20") && told.ends_with("Z)")));
}

async fn a_deploy_that_fails_keeps_what_it_left(database: &Database) {
    let half = "-- windlass: no-transaction\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);";
    for (fails, left) in [("INSERT INTO nowhere VALUES (1);", None), (half, Some("half was added"))] {
        let set = [A, ("2_b", fails)];
        run(database, &set, &with(DriftPolicy::Stop)).await.expect_err("a failure");
        match (verdict(database, &migrations(&set)).await, left) {
            (DriftVerdict::None, None) => {}
            (DriftVerdict::Touched(touched), Some(left)) => assert_touched(&touched, &[left], "2_b"),
            (found, _) => panic!("{found:?}"),
        }
        database.sql("CREATE TABLE by_hand (n int)").await;
        let DriftVerdict::Drift(drift) = verdict(database, &migrations(&set)).await else {
            panic!("no drift")
        };
        assert_eq!(words(&drift).len(), 1);
        assert_eq!(drift.migration, "1_a");
        database.sql("DROP TABLE by_hand").await;
    }
    let mended = half.replace("INSERT INTO nowhere VALUES (1)", "INSERT INTO half VALUES (1)");
    deployed(database, &[A, ("2_b", &mended)]).await;
    assert_eq!(verdict(database, &migrations(&[A, ("2_b", &mended)])).await, DriftVerdict::None);
}

fn assert_touched(touched: &Touched, differences: &[&str], by: &str) {
    let told: Vec<_> = touched.differences.iter().map(ToString::to_string).collect();
    let is_each = told.iter().zip(differences).all(|(told, end)| told.ends_with(end));
    assert!(is_each && told.len() == differences.len(), "{told:?} for {differences:?}");
    assert_eq!(touched.by, [by]);
}

async fn what_is_ignored_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    for sql in ["CREATE TABLE audit_2026 (n int)", "CREATE INDEX audit_2026_n ON audit_2026 (n)"] {
        database.sql(sql).await;
    }
    let mut ignoring = with(DriftPolicy::Stop);
    ignoring.drift.ignore = vec!["table:audit_*".parse().expect("a pattern")];
    let report = run(database, &[A, B], &ignoring).await.expect("nobody minds");
    assert!(report.remarks.is_empty(), "{:?}", report.remarks);
}

async fn what_later_statements_name_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    // As after a run that died before it kept the schema.
    run(database, &[A, B], &with(DriftPolicy::Off)).await.expect("nobody looks");
    let found = verdict(database, &migrations(&[A, B])).await;
    let DriftVerdict::Touched(touched) = found else { panic!("{found:?}") };
    assert_touched(&touched, &["b was added"], "2_b");
    database.sql("CREATE TABLE by_hand (n int)").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&[A, B])).await else {
        panic!("no drift")
    };
    assert_eq!(drift.differences.len(), 1, "{drift:#?}");
    database.sql("DROP TABLE by_hand").await;
    // Nobody knows what a script made whose text is gone.
    let DriftVerdict::Unknown(why) = verdict(database, &migrations(&[A])).await else { panic!("known") };
    assert!(why.contains("2_b"), "{why}");
}

/// What was kept does not know it, and may be all that is there.
async fn what_later_statements_made_and_is_gone_is_drift(database: &Database) {
    const COLUMN: (&str, &str) = ("3_column", "UPDATE a SET n = 1;\nALTER TABLE a ADD COLUMN m int;");
    const GONE: &str = "table b is gone, which statement 1 of `2_b` made";
    const COLUMN_GONE: &str = "column a.m is gone, which statement 2 of `3_column` made";
    let set = migrations(&[A, B, COLUMN]);
    deployed(database, &[A]).await;
    // As after a run that died before it kept the schema.
    run(database, &[A, B, COLUMN], &with(DriftPolicy::Off)).await.expect("nobody looks");
    let found = verdict(database, &set).await;
    assert!(matches!(found, DriftVerdict::Touched(_)), "{found:#?}");
    database.sql("DROP TABLE b").await;
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    assert_eq!(words(&drift), [GONE]);
    assert_eq!(drift.touched.as_ref().map(|touched| touched.differences.len()), Some(1), "{drift:#?}");
    database.sql("ALTER TABLE a DROP COLUMN m").await;
    // All is as it was kept.
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    assert_eq!(words(&drift), [GONE, COLUMN_GONE]);
    assert_eq!(drift.touched, None);
    let ignore = ["table:b", "a"].map(|pattern| pattern.parse().expect("a pattern")).into();
    let mut ignoring = DriftOptions::default();
    ignoring.ignore = ignore;
    let found = look(&mut *database.connect().await, set.as_slice(), &ignoring).await.expect("a look");
    assert_eq!(found, DriftVerdict::None);
    const ON_B: (&str, &str) = ("4_on_b", "CREATE INDEX b_n ON b (n);");
    let all = [A, B, COLUMN, ON_B];
    for policy in [DriftPolicy::Stop, DriftPolicy::Related] {
        let refused = run(database, &all, &with(policy)).await.expect_err("drift");
        let DeployError::Drift(drift) = refused else { panic!("{refused:#?}") };
        assert_eq!(words(&drift), [GONE, COLUMN_GONE]);
    }
    database.sql("CREATE TABLE b (n int)").await;
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    assert_eq!(words(&drift), [COLUMN_GONE]);
    let project = Project::new(database, &all);
    project.run(&["drift"]).await.code(10).out(COLUMN_GONE);
    project.run(&["diagnose"]).await.out("make column a.m again");
    project.run(&["drift", "accept", "--reason", "nobody wants it"]).await.code(0);
    project.run(&["deploy"]).await.code(0).out("Applied 4_on_b");
    assert_eq!(verdict(database, &migrations(&all)).await, DriftVerdict::None);
}

/// The schema is kept with the migration in whose midst it was taken as it was, where there is no other.
async fn what_goes_on_behind_an_acceptance_is_no_drift(database: &Database) {
    let text = "-- windlass: no-transaction\nCREATE TABLE a (n int);\nCREATE TABLE b (n int, m int);";
    let set = [("1_both", text)];
    database.sql("CREATE TABLE b (n int)").await;
    let mut onto_it = with(DriftPolicy::Stop);
    onto_it.plan.allow_non_empty = true;
    let refused = run(database, &set, &onto_it).await.expect_err("b stands");
    assert!(matches!(refused, DeployError::Statement(_)), "{refused:#?}");
    let project = Project::new(database, &set);
    project.run(&["drift", "accept", "--reason", "it is to go"]).await.code(0);
    database.sql("DROP TABLE b").await;
    project.run(&["resolve", "--resume", "1_both", "--reason", "b is gone"]).await.code(0);
    // As after a run that died before it kept the schema.
    run(database, &set, &with(DriftPolicy::Off)).await.expect("nobody looks");
    let DriftVerdict::Touched(touched) = verdict(database, &migrations(&set)).await else { panic!("drift") };
    assert_touched(&touched, &["b.m was added"], "1_both");
    database.sql("DROP TABLE a; DROP TABLE b").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&set)).await else { panic!("no drift") };
    assert!(
        words(&drift).contains(&"table b is gone, which statement 2 of `1_both` made".to_owned()),
        "{drift:#?}"
    );
}

/// Whatever becomes of the other migrations that ran with it.
async fn a_loss_is_told_until_it_is_settled(database: &Database) {
    const LOST: (&str, &str) = ("2_lost", "CREATE TABLE lost (n int);");
    const GONE: &str = "table lost is gone, which statement 1 of `2_lost` made";
    let half = "-- windlass: no-transaction\nCREATE TABLE half (lost int);\n";
    let (refused, mended) = (format!("{half}SELECT * FROM nowhere;"), format!("{half}SELECT 1;"));
    let told = async |set: &[(&'static str, &str)]| match verdict(database, &migrations(set)).await {
        DriftVerdict::Drift(drift) => words(&drift),
        other => panic!("{other:?}"),
    };
    deployed(database, &[A]).await;
    run(database, &[A, LOST, ("3_half", &refused)], &with(DriftPolicy::Stop)).await.expect_err("nowhere");
    database.sql("DROP TABLE lost").await;
    assert_eq!(told(&[A, LOST, ("3_half", &refused)]).await, [GONE]);
    let set = [A, LOST, ("3_half", mended.as_str())];
    assert_eq!(told(&set).await, [GONE]);
    let stopped = run(database, &set, &with(DriftPolicy::Stop)).await.expect_err("drift");
    assert!(matches!(stopped, DeployError::Drift(_)), "{stopped:#?}");
    let project = Project::new(database, &set);
    project.run(&["resolve", "--applied", "3_half", "--force", "--reason", "it is"]).await.code(0);
    assert_eq!(told(&set).await, [GONE]);
    project.run(&["drift", "accept", "--reason", "so it is"]).await.code(0);
    assert_eq!(verdict(database, &migrations(&set)).await, DriftVerdict::None);
}

/// What was kept knows nothing of an index that was made since.
async fn what_ran_since_is_held_against_a_replay(database: &Database) {
    let shadow: &[&str] = match database.target().family {
        Family::Sqlite => &["diagnose"],
        _ => &["diagnose", "--shadow", "same-server"],
    };
    let set = [A, ("2_index", "CREATE INDEX a_n ON a (n);")];
    deployed(database, &set[..1]).await;
    run(database, &set, &with(DriftPolicy::Off)).await.expect("nobody looks");
    let project = Project::new(database, &set);
    project.run(shadow).await.code(0).out("everything is as it should be");
    let drop = match database.target().family {
        Family::Postgres | Family::Sqlite => "DROP INDEX a_n",
        _ => "DROP INDEX a_n ON a",
    };
    database.sql(drop).await;
    project.run(&["drift"]).await.code(0).out("although statements of `2_index` ran since");
    if database.target().family != Family::Sqlite {
        let told = project.run(&["diagnose"]).await;
        told.code(0).out("was not looked at: `2_index`").out("--shadow");
    }
    project.run(shadow).await.code(10).out("a_n is not there, and should be").out("a_n again");
    database.sql(set[1].1).await;
    project.run(shadow).await.code(0).out("everything is as it should be");
    project.run(&["drift"]).await.code(0).out("2_index");
}

/// Partitions and heirs are not named, and long names, letters of other alphabets and escaped ones are written otherwise.
async fn what_goes_with_what_later_statements_name_is_no_drift(database: &Database) {
    let long = "n".repeat(70);
    let made = format!(
        "CREATE TABLE parted (id int, at int) PARTITION BY RANGE (at);\n\
         CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (at);\n\
         CREATE TABLE part_of_part PARTITION OF part FOR VALUES FROM (0) TO (5);\n\
         CREATE TABLE heir () INHERITS (\"{}\");\n",
        &long[..63],
    );
    let made = format!("CREATE TABLE {long} (id int);\n{made}");
    let changed = format!(
        "ALTER TABLE parted ADD COLUMN note text;\nCREATE INDEX ON parted (id);\nALTER TABLE {long} ADD COLUMN note text;\n\
         CREATE TABLE ТАБЛИЦА (id int);\nCREATE TABLE U&\"d\\0061t\" (id int);\n"
    );
    let set = [("1_made", made.as_str()), ("2_changed", changed.as_str())];
    deployed(database, &set[..1]).await;
    // As after a run that died before it kept the schema.
    run(database, &set, &with(DriftPolicy::Off)).await.expect("nobody looks");
    let found = verdict(database, &migrations(&set)).await;
    assert!(matches!(found, DriftVerdict::Touched(_)), "{found:#?}");
    database.sql("ALTER TABLE part_of_part SET (fillfactor = 50); CREATE TABLE by_hand (n int)").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&set)).await else { panic!("no drift") };
    assert!(words(&drift).iter().all(|told| told.contains("by_hand")), "{drift:#?}");
    // What is moved with its schema, or changed with its type, no name tells.
    let moved = (
        "3_moved",
        "CREATE SCHEMA other;\nALTER TABLE heir SET SCHEMA other;\nALTER SCHEMA other RENAME TO another;",
    );
    let all = [set[0], set[1], moved];
    run(database, &all, &with(DriftPolicy::Off)).await.expect("nobody looks");
    let found = verdict(database, &migrations(&all)).await;
    assert!(matches!(&found, DriftVerdict::Unknown(why) if why.contains("3_moved")), "{found:#?}");
}

async fn an_up_to_date_deploy_warns(database: &Database) {
    let mut options = with(DriftPolicy::Stop);
    options.drift.when_current = true;
    run(database, &[A], &options).await.expect("a deploy");
    assert!(run(database, &[A], &options).await.expect("nothing to do").remarks.is_empty());
    database.sql("CREATE TABLE by_hand (n int)").await;
    let report = run(database, &[A], &options).await.expect("nothing to do, and so nothing to stop");
    assert!(matches!(&report.remarks[..], [Remark::Drift { .. }]), "{:?}", report.remarks);
}

async fn a_long_history_leaves_no_drift(database: &Database) {
    let family = database.target().family.folder();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations-fixtures/long").join(family);
    let set = Migrations::from_dir(&root).expect("the long history");
    deploy_with(&mut *database.connect().await, &set, &with(DriftPolicy::Stop)).await.expect("a deploy");
    assert_eq!(verdict(database, &set).await, DriftVerdict::None);
}

/// Of what was kept no more than the first line is left, so that whoever reads on is told by it.
async fn where_nothing_moved_the_definitions_are_not_compared(database: &Database) {
    let base = "CREATE TABLE a (n int PRIMARY KEY, t varchar(9) DEFAULT 'x');\nCREATE INDEX a_t ON a (t);";
    let set = [("1_base", base)];
    deployed(database, &set).await;
    let role = format!("{}_passes_by", database.name());
    let (come, go) = (format!("CREATE ROLE {role}"), format!("DROP ROLE {role}"));
    let (torn, unmoved): (_, &[&str]) = match database.target().family {
        Family::Postgres => (
            "split_part(snapshot, E'\\n', 1) || E'\\nx'",
            &[
                "INSERT INTO a VALUES (1, 'y')",
                "ANALYZE",
                "VACUUM",
                "VACUUM FREEZE a",
                "TRUNCATE a",
                "REINDEX TABLE a",
                "CREATE TEMP TABLE theirs (n serial PRIMARY KEY, t text DEFAULT 'x', CHECK (n > 0))",
                // Another database's.
                &come,
                &go,
            ],
        ),
        Family::Sqlite => (
            "substr(snapshot, 1, instr(snapshot, char(10)) - 1) || char(10) || 'x'",
            &["INSERT INTO a VALUES (1, 'y')", "REINDEX", "VACUUM"],
        ),
        _ => (
            "COMPRESS(CONCAT(SUBSTRING_INDEX(UNCOMPRESS(snapshot), CHAR(10), 1), CHAR(10), 'x'))",
            &["INSERT INTO a VALUES (1, 'y')", "ANALYZE TABLE a", "TRUNCATE a", "OPTIMIZE TABLE a"],
        ),
    };
    let tear = format!("UPDATE _windlass_migrations SET snapshot = {torn} WHERE snapshot IS NOT NULL");
    database.sql(&tear).await;
    let set = migrations(&set);
    for sql in [""].iter().chain(unmoved) {
        if !sql.is_empty() {
            database.sql(sql).await;
        }
        assert_eq!(verdict(database, &set).await, DriftVerdict::None, "{sql}");
    }
    database.sql("ALTER TABLE a ADD COLUMN by_hand int").await;
    let read = verdict(database, &set).await;
    assert!(matches!(&read, DriftVerdict::Unknown(why) if why.contains("line 2")), "{read:?}");
}

async fn nobody_looks_where_it_is_turned_off(database: &Database) {
    deployed(database, &[A]).await;
    database.sql("CREATE TABLE by_hand (n int)").await;
    let report = run(database, &[A, B], &with(DriftPolicy::Off)).await.expect("nobody looks");
    assert!(report.remarks.is_empty(), "{:?}", report.remarks);
}

async fn the_command_shows_and_accepts_drift(database: &Database) {
    // To look creates no file.
    database.sql("VACUUM").await;
    let project = Project::new(database, &[A]);
    project.run(&["drift"]).await.code(0).err("nobody has kept the schema yet");
    project.run(&["drift", "accept", "--reason", "x"]).await.code(3).err("no history");
    project.run(&["deploy"]).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift");
    database.sql("CREATE TABLE by_hand (n int)").await;
    let shown = project.run(&["drift"]).await.code(10);
    shown.out("by_hand was added").err("1 object changed since the deploy of 1_a");
    let document = project.run(&["drift", "--json"]).await.code(10).json();
    assert_eq!((&document["state"], &document["ok"]), (&"drift".into(), &true.into()), "{document}");
    assert_eq!(document["differences"][0]["change"], "added");
    assert_eq!(document["differences"][0]["name"], "by_hand");
    project.run(&["deploy", "--dry-run"]).await.code(0).err("by_hand was added");
    project.run(&["deploy"]).await.code(0).err("by_hand was added");
    project.migration(B.0, B.1);
    project.run(&["deploy", "--dry-run"]).await.code(10).err("by_hand was added");
    let told = project.run(&["deploy", "--dry-run", "--allow-drift"]).await.code(0);
    told.err("by_hand was added").out("execute 2_b");
    let refused = project.run(&["deploy"]).await.code(10);
    refused.err("by_hand was added").err("windlass drift accept --reason").err("--allow-drift");
    let document = project.run(&["deploy", "--json"]).await.code(10).json();
    assert_eq!(document["error"]["kind"], "drift", "{document}");
    project.run(&["drift", "accept"]).await.code(2);
    project.run(&["drift", "accept", "--reason", "a table of the reports"]).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift");
    project
        .run(&["history"])
        .await
        .code(0)
        .out("resolved: schema accepted by ")
        .out(": a table of the reports");
    project.run(&["deploy"]).await.code(0).out("1 migration");
    database.sql("DROP TABLE by_hand").await;
    project.migration("3_c", "CREATE TABLE c (n int);");
    project.run(&["deploy", "--allow-drift"]).await.code(0).err("by_hand was removed");
    database.sql("CREATE TABLE by_hand (n int)").await;
    project.write("windlass.toml", "drift_ignore = [\"by_*\"]\n");
    project.run(&["drift"]).await.code(0).out("no drift");
    project.write("windlass.toml", "drift = \"related\"\n");
    project.migration("4_d", "CREATE TABLE d (n int);");
    project.run(&["deploy"]).await.code(0).err("by_hand was added");
    project.write("windlass.toml", "drift_ignore = [\"a.\"]\n");
    project.run(&["drift"]).await.code(2).err("is no pattern");
}

/// Makes each change by hand, in its order, and looks for the words with which it is told; and every third time the schema
/// comes round in statements of its own, but where `unwritable` has the change and the object that cannot be written.
async fn each_is_seen(
    database: &Database,
    base: &'static str,
    changes: &[(&str, &str)],
    unwritable: &[(&str, &str)],
) {
    let set = [("1_base", base)];
    deployed(database, &set).await;
    let set = migrations(&set);
    let mut driver = database.connect().await;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (number, (sql, told)) in (1..).zip(changes) {
        database.sql(sql).await;
        let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("not seen: {sql}") };
        let words = words(&drift);
        let seen = words.iter().position(|word| word.contains(told));
        let Some(seen) = seen else { panic!("{sql}: {words:#?}") };
        let kind = drift.differences[seen].key.kind.clone();
        assert!(format!("{kind}:*").parse::<Pattern>().is_ok(), "{kind} is no kind that can be ignored");
        *kinds.entry(kind).or_default() += 1;
        accept_drift(&mut *driver, &options().run, "seen", false).await.expect("accepted");
        assert_eq!(verdict(database, &set).await, DriftVerdict::None, "{sql}");
        let expected = unwritable.iter().find(|(of, _)| sql.starts_with(of)).map(|(_, object)| *object);
        // What one change makes stands for some changes at least.
        if number % 3 != 0 && number != changes.len() && expected.is_none() {
            continue;
        }
        let not = rendering::comes_round(database, sql).await.map(|error| error.to_string());
        let is_as_expected = match (&not, expected) {
            (Some(error), Some(object)) => error.starts_with(object),
            (not, expected) => not.is_none() && expected.is_none(),
        };
        assert!(is_as_expected, "{sql}: {not:?} {expected:?}");
    }
    println!("{}", json!({ "target": database.target().name, "changes seen, by kind": kinds }));
}

async fn a_change_of_any_kind_of_object_is_seen_by_postgres(database: &Database) {
    let base = "CREATE SCHEMA store;
        CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text DEFAULT 'x', c varchar(20), r int4range, \
            u int CONSTRAINT t_u UNIQUE, s serial, i int GENERATED BY DEFAULT AS IDENTITY);
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int, p int CONSTRAINT child_p REFERENCES parent, \
            CONSTRAINT child_check CHECK (p > 0) NOT VALID);
        CREATE TABLE split (id int, at date) PARTITION BY RANGE (at);
        CREATE TABLE heir () INHERITS (parent);
        CREATE INDEX t_a ON t (a);
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN age AS int CHECK (VALUE > 0);
        CREATE TYPE pair AS (x int, y int);
        CREATE SEQUENCE numbers;
        CREATE VIEW v AS SELECT a FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
        CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
        CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();
        CREATE RULE ru AS ON DELETE TO t DO INSTEAD NOTHING;
        CREATE POLICY po ON t USING (a > 0);";
    let changes = [
        ("CREATE SCHEMA other", "schema other was added"),
        ("COMMENT ON SCHEMA other IS 'x'", "schema other: comment is x now"),
        ("ALTER TABLE t ADD z int", "column public.t.z was added"),
        ("ALTER TABLE t DROP z", "column public.t.z was removed"),
        ("ALTER TABLE t ALTER u TYPE bigint", "type was integer, is bigint"),
        ("ALTER TABLE t ALTER a DROP NOT NULL", "is no longer not null"),
        ("ALTER TABLE t ALTER b SET DEFAULT 'y'", "default was 'x'::text, is 'y'::text"),
        ("ALTER TABLE t ALTER c TYPE varchar(20) COLLATE \"C\"", "collation is C now"),
        ("ALTER TABLE t ALTER i SET GENERATED ALWAYS", "identity was by default, is always"),
        ("ALTER TABLE t ADD g int GENERATED ALWAYS AS (a + 1) STORED", "column public.t.g was added"),
        ("COMMENT ON COLUMN t.a IS 'it''s'", "comment is it's now"),
        ("COMMENT ON TABLE t IS E'a\\ttab\\nand a \\\\'", "comment is a\ttab\nand a \\ now"),
        ("ALTER TABLE t SET UNLOGGED", "is unlogged now"),
        ("ALTER TABLE t SET (fillfactor = 50)", "options is fillfactor=50 now"),
        ("ALTER TABLE t ALTER b SET STORAGE external", "column public.t.b: storage is external now"),
        ("ALTER TABLE t ALTER b SET STATISTICS 0", "column public.t.b: statistics is 0 now"),
        ("ALTER INDEX t_u SET (fillfactor = 50)", "unique public.t.t_u: options is fillfactor=50 now"),
        ("ALTER TABLE t CLUSTER ON t_pkey", "primary key public.t.t_pkey: is clustered now"),
        (
            "ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
            "primary key public.t.t_pkey: is replica identity now",
        ),
        ("ALTER TABLE t REPLICA IDENTITY FULL", "replica identity is full now"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "is row security now"),
        ("ALTER TABLE t FORCE ROW LEVEL SECURITY", "is forced row security now"),
        (
            "CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "table public.split_1 was added",
        ),
        ("ALTER TABLE split DETACH PARTITION split_1", "partition was FOR VALUES"),
        ("ALTER TABLE heir NO INHERIT parent", "inherits was public.parent, is none"),
        (
            "ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE",
            "primary key public.parent.parent_pkey was removed",
        ),
        ("ALTER TABLE parent ADD PRIMARY KEY (id)", "primary key public.parent.parent_pkey was added"),
        (
            "ALTER TABLE child ADD CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent ON DELETE CASCADE",
            "foreign key public.child.child_p was added",
        ),
        ("ALTER TABLE child ALTER CONSTRAINT child_p DEFERRABLE", "DEFERRABLE"),
        (
            "ALTER TABLE child ADD CONSTRAINT late CHECK (id > 0) NOT VALID",
            "check public.child.late was added",
        ),
        ("ALTER TABLE child VALIDATE CONSTRAINT late", "check public.child.late: definition was"),
        ("ALTER TABLE t DROP CONSTRAINT t_u", "unique public.t.t_u was removed"),
        (
            "ALTER TABLE t ADD CONSTRAINT t_x EXCLUDE USING gist (r WITH &&)",
            "exclusion public.t.t_x was added",
        ),
        ("DROP INDEX t_a", "index public.t.t_a was removed"),
        ("CREATE INDEX t_a ON t ((a + 1) DESC) INCLUDE (b) WHERE a > 0", "index public.t.t_a was added"),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
            "index public.t.t_a: is invalid now",
        ),
        (
            "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 't_a'::regclass",
            "index public.t.t_a: is no longer invalid",
        ),
        ("COMMENT ON INDEX t_a IS 'x'", "index public.t.t_a: comment is x now"),
        (
            "ALTER TYPE mood ADD VALUE 'fair' BEFORE 'bad'",
            "labels was 'good', 'bad', is 'good', 'fair', 'bad'",
        ),
        ("ALTER DOMAIN age SET DEFAULT 7", "domain public.age: default is 7 now"),
        ("ALTER DOMAIN age ADD CONSTRAINT old CHECK (VALUE < 200)", "domain public.age: checks was"),
        ("ALTER TYPE pair ADD ATTRIBUTE z int", "column public.pair.z was added"),
        ("CREATE TYPE span AS RANGE (subtype = float8)", "range public.span was added"),
        ("ALTER SEQUENCE numbers INCREMENT 2", "sequence public.numbers: increment is 2 now"),
        ("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t", "view public.v: definition was"),
        ("ALTER VIEW v ALTER a SET DEFAULT 5", "column public.v.a was added"),
        ("COMMENT ON COLUMN v.a IS 'x'", "column public.v.a: comment is x now"),
        ("ALTER MATERIALIZED VIEW m ALTER a SET STATISTICS 7", "column public.m.a was added"),
        ("CREATE INDEX m_a ON m (a)", "index public.m.m_a was added"),
        (
            "CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT n + 1'",
            "function public.f(n integer): definition was",
        ),
        ("ALTER FUNCTION f(int) SECURITY DEFINER", "SECURITY DEFINER"),
        (
            "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS 'SELECT 2'",
            "procedure public.p(): definition was",
        ),
        (
            "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
            "aggregate public.total(integer) was added",
        ),
        (
            "CREATE OR REPLACE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, COMBINEFUNC = int4pl, PARALLEL = safe)",
            "aggregate public.total(integer): combined by is int4pl now",
        ),
        ("ALTER TABLE t DISABLE TRIGGER tr", "trigger public.t.tr: enabled is no now"),
        ("DROP TRIGGER tr ON t", "trigger public.t.tr was removed"),
        (
            "CREATE OR REPLACE RULE ru AS ON DELETE TO t WHERE old.a > 0 DO INSTEAD NOTHING",
            "rule public.t.ru: definition was",
        ),
        ("ALTER POLICY po ON t USING (a > 1)", "policy public.t.po: using was"),
        (
            "CREATE EVENT TRIGGER et ON ddl_command_end WHEN TAG IN ('COMMENT') EXECUTE FUNCTION ef()",
            "event trigger et was added",
        ),
        ("ALTER EVENT TRIGGER et DISABLE", "event trigger et: enabled is no now"),
        ("DROP EVENT TRIGGER et", "event trigger et was removed"),
        ("CREATE STATISTICS st ON a, b FROM t", "statistics public.st was added"),
        ("ALTER STATISTICS st SET STATISTICS 5", "statistics public.st: target is 5 now"),
        ("CREATE COLLATION co (provider = libc, locale = 'C')", "collation public.co was added"),
        ("COMMENT ON COLLATION co IS 'x'", "collation public.co: comment is x now"),
        ("CREATE PUBLICATION pu FOR TABLE parent", "publication pu was added"),
        ("ALTER PUBLICATION pu SET (publish_via_partition_root = true)", "publication pu: is via root now"),
        ("CREATE CAST (mood AS pair) WITH INOUT", "cast public.mood as public.pair was added"),
        ("DROP TABLE child", "table public.child was removed"),
    ];
    let unwritable = [("UPDATE pg_index SET indisvalid = false", "index public.t.t_a cannot")];
    each_is_seen(database, base, &changes, &unwritable).await;
}

async fn another_session_s_settings_make_no_drift(database: &Database) {
    let script = "CREATE TABLE t (at timestamptz DEFAULT '2026-01-31 12:00+00', d interval DEFAULT '1 day', \
                  f float8 DEFAULT 0.1, b bytea DEFAULT '\\x00ff', m money DEFAULT '1.50');
                  CREATE VIEW v AS SELECT t.at FROM t WHERE t.d > '1 day';";
    let name = database.name();
    deployed(database, &[("1_t", script)]).await;
    for setting in [
        "search_path = 'nowhere'",
        "timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
        "intervalstyle = 'sql_standard'",
        "extra_float_digits = 0",
        "bytea_output = 'escape'",
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
    ] {
        database.sql(&format!("ALTER DATABASE {name} SET {setting}")).await;
        // What the deploy kept, too.
        let set = [("1_t", script), B];
        assert_eq!(verdict(database, &migrations(&set)).await, DriftVerdict::None, "{setting}");
    }
}

/// That it holds rows is no more part of its definition than of a table's.
async fn a_materialized_view_that_is_filled_is_no_drift(database: &Database) {
    let script = "CREATE MATERIALIZED VIEW m AS SELECT 1 AS n WITH NO DATA;";
    deployed(database, &[("1_m", script)]).await;
    database.sql("REFRESH MATERIALIZED VIEW m").await;
    assert_eq!(verdict(database, &migrations(&[("1_m", script)])).await, DriftVerdict::None);
}

async fn a_schema_of_its_own_is_looked_at_alone(database: &Database) {
    database.sql("CREATE SCHEMA tenant").await;
    let url = format!("{}?schema=tenant", database.url());
    let set = migrations(&[A]);
    let mut tenant = database.try_connect(&url).await.expect("a session");
    deploy_with(&mut *tenant, &set, &with(DriftPolicy::Stop)).await.expect("a deploy");
    database.sql("CREATE TABLE elsewhere (n int)").await;
    assert_eq!(
        look(&mut *tenant, set.as_slice(), &DriftOptions::default()).await.expect("a look"),
        DriftVerdict::None
    );
    database.sql("CREATE TABLE tenant.here (n int)").await;
    let DriftVerdict::Drift(drift) =
        look(&mut *tenant, set.as_slice(), &DriftOptions::default()).await.expect("a look")
    else {
        panic!("no drift")
    };
    assert_eq!(words(&drift), ["table tenant.here was added"]);
}

async fn another_history_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    database.sql("CREATE TABLE of_another_program AS SELECT * FROM _windlass_migrations").await;
    assert_eq!(verdict(database, &migrations(&[A])).await, DriftVerdict::None);
    deployed(database, &[A, B]).await;
    database.sql("CREATE TABLE by_hand (n int)").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&[A, B])).await else {
        panic!("no drift")
    };
    assert!(words(&drift).iter().all(|told| told.ends_with("by_hand was added")), "{:?}", words(&drift));
}

async fn what_another_history_looks_after_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    // The schema was there, with something in it, before it had a history.
    database.sql("CREATE SCHEMA tenant; CREATE TABLE tenant.early (n int)").await;
    run(database, &[A, B], &with(DriftPolicy::Warn)).await.expect("it was only told");
    let url = format!("{}?schema=tenant", database.url());
    let mut tenant = database.try_connect(&url).await.expect("a session");
    let mut onto = with(DriftPolicy::Stop);
    onto.plan.allow_non_empty = true;
    deploy_with(&mut *tenant, &migrations(&[A]), &onto).await.expect("a deploy");
    let set = migrations(&[A, B, ON_A]);
    assert_eq!(verdict(database, &set).await, DriftVerdict::None);
    deployed(database, &[A, B, ON_A]).await;
    deploy_with(&mut *tenant, &migrations(&[A, B]), &onto).await.expect("the other's change is none here");
    // What is by hand is still seen by the history that it is beside.
    database.sql("CREATE TABLE by_hand (n int); CREATE TABLE tenant.by_hand (n int)").await;
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    assert_eq!(words(&drift), ["table public.by_hand was added"]);
}

async fn a_change_of_any_kind_of_object_is_seen_by_sqlite(database: &Database) {
    let base = "CREATE TABLE t (id INTEGER PRIMARY KEY, a int NOT NULL, b text DEFAULT 'x');
        CREATE TABLE child (id int, p int REFERENCES t, CHECK (p > 0));
        CREATE INDEX t_a ON t (a);
        CREATE VIEW v AS SELECT a FROM t;
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;
        CREATE VIRTUAL TABLE words USING fts5(body);";
    let changes = [
        ("ALTER TABLE t ADD z int", "column t.z was added"),
        ("ALTER TABLE t ADD g int AS (a + 1)", "column t.g was added"),
        ("ALTER TABLE t RENAME COLUMN z TO y", "column t.z was removed"),
        ("ALTER TABLE t DROP COLUMN y", "column t.y was removed"),
        ("DROP INDEX t_a", "index t.t_a was removed"),
        ("CREATE UNIQUE INDEX t_a ON t (a DESC) WHERE a > 0", "index t.t_a was added"),
        ("DROP VIEW v", "view v was removed"),
        ("CREATE VIEW v AS SELECT a + 1 FROM t", "view v was added"),
        ("DROP TRIGGER tr", "trigger t.tr was removed"),
        ("CREATE TRIGGER tr AFTER DELETE ON t BEGIN SELECT 1; END", "trigger t.tr was added"),
        ("DROP TABLE words", "virtual table words was removed"),
        ("CREATE TABLE strict (n int) STRICT", "table strict was added"),
        ("DROP TABLE strict; CREATE TABLE strict (n int)", "table strict: definition was"),
        ("DROP TABLE strict; CREATE TABLE strict (n int PRIMARY KEY) WITHOUT ROWID", "column strict.n: "),
        (
            "DROP TABLE child; CREATE TABLE child (id int, p int REFERENCES t ON DELETE CASCADE, CHECK (p > 0))",
            "table child: definition was",
        ),
        (
            "DROP TABLE child; CREATE TABLE child (id int, p int REFERENCES t ON DELETE CASCADE, CHECK (p > 1))",
            "table child: definition was",
        ),
        ("DROP TABLE child", "table child was removed"),
    ];
    each_is_seen(database, base, &changes, &[]).await;
}

async fn shadow_tables_are_no_drift(database: &Database) {
    deployed(database, &[("1_words", "CREATE VIRTUAL TABLE words USING fts5(body);")]).await;
    database.sql("INSERT INTO words (body) VALUES ('a windlass lifts the anchor')").await;
    database.sql("CREATE VIRTUAL TABLE more USING fts5(body)").await;
    let set = migrations(&[("1_words", "CREATE VIRTUAL TABLE words USING fts5(body);")]);
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    let virtual_tables = words(&drift).iter().filter(|word| word.starts_with("virtual table")).count();
    assert_eq!((virtual_tables, words(&drift).len()), (1, 1), "{:?}", words(&drift));
}

async fn columns_are_told_where_their_definitions_can_be_read(database: &Database) {
    let tables = "CREATE TABLE a (n int); CREATE TABLE guarded (n int, dsn text DEFAULT 'password=hunter2');";
    deployed(database, &[("1_a", tables)]).await;
    database.sql("ALTER TABLE a ADD COLUMN by_hand int DEFAULT 1 NOT NULL; ALTER TABLE guarded ADD COLUMN by_hand int").await;
    let set = migrations(&[("1_a", tables)]);
    let DriftVerdict::Drift(drift) = verdict(database, &set).await else { panic!("no drift") };
    let words = words(&drift);
    let begin = |begin: &str| words.iter().filter(|words| words.starts_with(begin)).count();
    assert_eq!(begin("column a.by_hand was added"), 1, "{words:?}");
    assert_eq!(begin("column guarded.by_hand was added"), 1, "{words:?}");
    assert_eq!((begin("table "), begin("column ")), (0, 2), "one statement, one object: {words:?}");
}

async fn a_schema_that_was_kept_with_its_columns_is_no_drift(database: &Database) {
    deployed(database, &[A]).await;
    let column =
        "char(10) || 'column' || char(9) || char(9) || 'a' || char(9) || 'n' || char(9) || 'type=INT'";
    // Nor were there any fingerprints.
    let unmarked =
        "substr(snapshot, 1, instr(snapshot, char(9)) - 1) || substr(snapshot, instr(snapshot, char(10)))";
    let earlier = format!("UPDATE _windlass_migrations SET snapshot = {unmarked} || {column}");
    database.sql(&earlier).await;
    assert_eq!(verdict(database, &migrations(&[A])).await, DriftVerdict::None);
    database.sql("ALTER TABLE a ADD COLUMN by_hand int").await;
    let DriftVerdict::Drift(drift) = verdict(database, &migrations(&[A])).await else { panic!("no drift") };
    assert!(words(&drift).contains(&"column a.by_hand was added".to_owned()), "{:?}", words(&drift));
}

/// What only writes down anew what stands there, by a renaming or by hand, is nothing that anybody changed.
async fn another_spelling_is_no_drift(database: &Database) {
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, kind text CHECK (kind <> 'None'), n int REFERENCES u (id));\n\
                  CREATE TABLE u (id INTEGER PRIMARY KEY);\n\
                  CREATE TABLE w (id int PRIMARY KEY) WITHOUT ROWID, STRICT;\n\
                  CREATE INDEX t_kind ON t (kind);\n\
                  CREATE VIEW v AS SELECT t.kind FROM t;\n\
                  CREATE VIEW joined AS SELECT t.kind, 't' AS k FROM 'u', 't' WHERE t.n = u.id;\n\
                  CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET n = NULL WHERE id = new.id; END;";
    let first = [("1_t", script)];
    deployed(database, &first).await;
    for renamed in [
        "ALTER TABLE t RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO T",
        "ALTER TABLE u RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO u",
        "ALTER TABLE T RENAME COLUMN kind TO sort",
        "ALTER TABLE T RENAME COLUMN sort TO \"KIND\"",
        "DROP INDEX t_kind",
        "create index T_Kind on \"t\" ([Kind])",
        "DROP TABLE w",
        "CREATE TABLE w (id int PRIMARY KEY) STRICT, WITHOUT ROWID",
    ] {
        database.sql(renamed).await;
    }
    assert_eq!(verdict(database, &migrations(&first)).await, DriftVerdict::None);
    for (changed, named) in [
        ("DROP INDEX t_kind; CREATE INDEX t_kind ON t ('kind' || n)", "t_kind: definition was "),
        ("DROP VIEW v; CREATE VIEW v AS SELECT 't' AS kind FROM t", "view v: definition was "),
    ] {
        database.sql(changed).await;
        let DriftVerdict::Drift(drift) = verdict(database, &migrations(&first)).await else {
            panic!("no drift: {changed}")
        };
        let words = words(&drift);
        assert!(words.iter().any(|words| words.contains(named)), "{words:?}");
    }
}

/// What a view says depends on its tables, those too that are as they were kept.
async fn another_spelling_of_a_view_is_no_drift(database: &Database) {
    let first = [("1_t", "CREATE TABLE t (kind text);\nCREATE VIEW v AS SELECT kind FROM t;")];
    deployed(database, &first).await;
    database.sql("DROP VIEW v; CREATE VIEW v AS SELECT \"kind\" FROM t").await;
    assert_eq!(verdict(database, &migrations(&first)).await, DriftVerdict::None);
    database.sql("DROP VIEW v; CREATE VIEW v AS SELECT \"sort\" FROM t").await;
    assert!(matches!(verdict(database, &migrations(&first)).await, DriftVerdict::Drift(_)));
}

/// The text of the schema as it was kept last.
async fn kept_text(database: &Database) -> String {
    let text = match database.target().family {
        Family::MySql | Family::MariaDb => "CONVERT(UNCOMPRESS(snapshot) USING utf8mb4)",
        Family::Postgres | Family::Sqlite => "snapshot",
    };
    database.value(&format!("SELECT {text} FROM _windlass_migrations WHERE snapshot IS NOT NULL")).await
}

async fn no_form_of_a_secret_is_kept(database: &Database) {
    let (made, said) = match database.target().family {
        Family::MySql | Family::MariaDb => ("concat('hunter2', told)", " COMMENT 'hunter2secret'"),
        Family::Postgres | Family::Sqlite => ("'hunter2' || told", ""),
    };
    let mut script = format!(
        "CREATE TABLE a (told varchar(9), api_token varchar(99){said} CHECK (api_token <> 'hunter2'), \
         note varchar(99) DEFAULT 'ghp_hunter2{0}', other varchar(99) DEFAULT 'AKIA{1}', \
         web varchar(99) DEFAULT 'eyJhbGciOiJodW50ZXIy.eyJzdWIi.hunter2', \
         client_secret varchar(99) GENERATED ALWAYS AS ({made}) STORED);\n\
         CREATE VIEW v AS SELECT told FROM a WHERE api_token IN ('hunter2', 'hunter2b');\n\
         CREATE VIEW w AS SELECT told FROM a WHERE api_token NOT LIKE 'hunter2%';\n\
         CREATE VIEW x AS SELECT told FROM a WHERE 'hunter2' = api_token;\n",
        "a1B2c3D4e5F6g7H8i9J0k1L2m3N4", "HUNTER2HUNTER2AB"
    );
    if database.target().family == Family::Sqlite {
        script.push_str(
            "CREATE TABLE single (n int, 'api_token' text DEFAULT 'hunter2');\n\
             CREATE VIEW listed (told, api_token) AS SELECT told, 'hunter2' FROM a;\n",
        );
    }
    if database.target().family == Family::Postgres {
        script.push_str(
            "COMMENT ON COLUMN a.api_token IS 'hunter2secret';\n\
             COMMENT ON COLUMN a.client_secret IS 'Encrypted, of 16 letters';\n\
             CREATE VIEW y AS SELECT told FROM a WHERE api_token IS DISTINCT FROM 'hunter2';\n\
             CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM a WHERE api_token LIKE 'hunter2' $$;\n\
             CREATE DOMAIN one_token AS text CHECK (VALUE <> 'hunter2');\n\
             COMMENT ON DOMAIN one_token IS 'hunter2secret';\n\
             CREATE SCHEMA vault;\n\
             CREATE DOMAIN vault.\"Api_Token\" AS text;\n\
             CREATE DOMAIN plain AS one_token DEFAULT 'hunter2c';\n\
             CREATE TYPE keyed_token AS (v text);\n\
             CREATE TABLE typed (n int DEFAULT 17, a one_token DEFAULT 'hunter2d', \
             b one_token[] DEFAULT ARRAY['hunter2e'], c vault.\"Api_Token\" DEFAULT 'hunter2f', \
             d vault.\"Api_Token\"[] DEFAULT '{hunter2g}', e keyed_token DEFAULT ROW('hunter2h'), \
             f one_token GENERATED ALWAYS AS ('hunter2i' || g) STORED, g varchar(9) DEFAULT 'plainly');\n\
             COMMENT ON COLUMN typed.a IS 'hunter2secret';\n\
             CREATE FUNCTION new_token(n int) RETURNS int LANGUAGE sql AS 'SELECT n';\n\
             COMMENT ON FUNCTION new_token(int) IS 'hunter2secret';\n\
             COMMENT ON SCHEMA public IS 'token: hunter2secret';\n\
             CREATE TABLE parted (token text) PARTITION BY LIST (token);\n\
             CREATE TABLE part PARTITION OF parted FOR VALUES IN ('hunter2');\n",
        );
    } else if database.target().family != Family::Sqlite {
        script.push_str(
            "CREATE TABLE parted (token varchar(20)) PARTITION BY LIST COLUMNS(token) (PARTITION p VALUES IN ('hunter2') COMMENT 'token: hunter2secret');\n\
             CREATE TABLE keyed (n int, token ENUM('hunter2'), KEY by_token (n) COMMENT 'hunter2secret');\n\
             CREATE PROCEDURE told() COMMENT 'token: hunter2secret' SELECT 1;\n\
             CREATE EVENT told ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'token: hunter2secret' DO SELECT 1;\n",
        );
    }
    let project = Project::new(database, &[("1_a", &script)]);
    project.run(&["deploy"]).await.code(0);
    let kept = kept_text(database).await.to_lowercase();
    assert!(kept.contains("may hold a secret: ") && !kept.contains("hunter2"), "{kept}");
    assert!(!kept.contains("eyjhb"), "{kept}");
    let is_postgres = database.target().family == Family::Postgres;
    for plain in ["encrypted, of 16 letters", "default=17", "default='plainly'::"] {
        assert_eq!(kept.contains(plain), is_postgres, "{kept}");
    }
    database.sql("DROP VIEW x").await;
    database.sql("CREATE VIEW x AS SELECT told FROM a WHERE 'hunter3' = api_token").await;
    project.migration("2_b", "CREATE TABLE b (n int);");
    for arguments in [&["deploy"][..], &["drift"]] {
        let told = project.run(arguments).await.code(10);
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(all.contains("view") && !all.to_lowercase().contains("hunter"), "{told:?}");
    }
}

async fn a_secret_in_a_definition_is_neither_kept_nor_told(database: &Database) {
    let view = |secret: &str| {
        let told = format!("SELECT 'postgres://app:{secret}@db/shop' AS place");
        format!("CREATE VIEW v AS {told}; CREATE VIEW w AS SELECT n FROM a WHERE api_token = '{secret}';")
    };
    let table = "CREATE TABLE a (n int, api_token varchar(9) DEFAULT 'hunter2', dsn varchar(90) DEFAULT 'password=hunter2'); \
                 CREATE TABLE c (told varchar(9) DEFAULT 'plain');";
    let project = Project::new(database, &[("1_a", table), ("2_v", &view("hunter2"))]);
    project.run(&["deploy"]).await.code(0);
    let kept = kept_text(database).await;
    assert!(kept.contains("plain") && !kept.contains("hunter2"), "{kept}");
    for view in ["DROP VIEW v", "DROP VIEW w"].into_iter().chain(view("hunter3").split("; ")) {
        database.sql(view).await;
    }
    database.sql("ALTER TABLE a ADD COLUMN smtp_pass varchar(9) DEFAULT 'hunter3'").await;
    database.sql("CREATE TABLE d (harmless int, secret_key varchar(9) DEFAULT 'hunter3')").await;
    project.migration("3_b", "CREATE TABLE b (n int);");
    for arguments in [&["deploy"][..], &["drift"], &["drift", "--json"]] {
        let told = project.run(arguments).await.code(10);
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(all.contains("may hold a secret") && !all.contains("hunter"), "{told:?}");
        assert!(!all.contains("hold a secret: "), "a digest can be guessed from: {told:?}");
        // The rest of what was added is told.
        assert!(all.contains("smtp_pass") && (all.contains("harmless") || arguments.len() == 2), "{told:?}");
    }
}
