//! Engines: rows of tables that know no transactions stand whatever becomes of the transaction around them.

use crate::waiting::killed_at;
use harness::{Database, Family, deploy, migrations};
use windlass_core::apply::{DeployError, Stands};
use windlass_core::plan::{Blocked, Remark};

harness::scenarios!(
    on [MySql, MariaDb]:
        rows_without_transactions_are_written_once_though_the_rest_is_rolled_back,
        a_table_made_in_the_same_script_is_known_too,
        rows_that_a_refused_statement_left_are_told,
        rows_that_a_trigger_left_are_told,
        what_triggers_may_write_is_known,
        names_of_another_database_are_not_taken_for_settled;
    on [Postgres, MySql, MariaDb]: what_the_history_stands_in_is_not_taken_away;
    on [Postgres]: a_migration_that_empties_every_table_is_told_as_what_it_is;
    on [Postgres, MySql, MariaDb, Sqlite]: the_history_is_nobody_else_s_to_change;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");

async fn killed_behind_rows(database: &Database, make: &'static str, write: &str) {
    let scripts = [N, ("2_rows", make), ("3_write", write)];
    deploy(&mut *database.connect().await, &migrations(&scripts[..2])).await.expect("the tables");
    killed_at(database, "n + 1", &scripts).await;
    assert_eq!(database.value("SELECT count(*) FROM plain").await, "1", "no rollback takes it back");
    deploy(&mut *database.connect().await, &migrations(&scripts)).await.expect("the rest");
    assert_eq!(database.value("SELECT count(*) FROM plain").await, "1", "once");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

async fn rows_without_transactions_are_written_once_though_the_rest_is_rolled_back(database: &Database) {
    let engine = match database.target().family {
        Family::MariaDb => "CREATE TABLE plain (n int) ENGINE = Aria TRANSACTIONAL = 0;",
        _ => "CREATE TABLE plain (n int) ENGINE = MyISAM;",
    };
    killed_behind_rows(database, engine, "INSERT INTO plain VALUES (1);\nUPDATE n SET n = n + 1;").await;
}

async fn a_table_made_in_the_same_script_is_known_too(database: &Database) {
    let script = "CREATE TABLE first (n int) ENGINE = MyISAM;\nRENAME TABLE first TO second;\n\
                  CREATE TABLE plain LIKE second;\nINSERT INTO plain VALUES (1);\nUPDATE n SET n = n + 1;";
    killed_behind_rows(database, "CREATE TABLE other (n int);", script).await;
}

async fn rows_that_a_refused_statement_left_are_told(database: &Database) {
    let make = ("1_plain", "CREATE TABLE plain (n int PRIMARY KEY) ENGINE = MyISAM;");
    let scripts = [make, ("2_write", "INSERT INTO plain VALUES (1), (2), (1);")];
    let result = deploy(&mut *database.connect().await, &migrations(&scripts)).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.stands, Stands::PartOfUnit { completed: 0 });
    assert_eq!(database.value("SELECT count(*) FROM plain").await, "2");
    let again = deploy(&mut *database.connect().await, &migrations(&scripts)).await;
    assert!(matches!(again, Err(DeployError::Blocked(_))), "{again:?}");
}

/// What the trigger of a statement wrote stands like its own, though the table that it names knows transactions.
async fn rows_that_a_trigger_left_are_told(database: &Database) {
    let engine = match database.target().family {
        Family::MariaDb => "Aria TRANSACTIONAL = 0",
        _ => "MyISAM",
    };
    let make = format!(
        "CREATE TABLE log (n int) ENGINE = {engine};\nCREATE TABLE ship (n int PRIMARY KEY);\n\
         CREATE TRIGGER logs BEFORE INSERT ON ship FOR EACH ROW INSERT INTO log VALUES (NEW.n);"
    );
    let scripts = [("1_ship", &*make), ("2_write", "INSERT INTO ship VALUES (1), (2), (1);")];
    let set = migrations(&scripts);
    deploy(&mut *database.connect().await, &migrations(&scripts[..1])).await.expect("the tables");
    let result = deploy(&mut *database.connect().await, &set).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.stands, Stands::PartOfUnit { completed: 0 });
    assert_eq!(database.value("SELECT count(*) FROM ship").await, "0");
    assert_ne!(database.value("SELECT count(*) FROM log").await, "0");
    let again = deploy(&mut *database.connect().await, &set).await;
    assert!(matches!(again, Err(DeployError::Blocked(_))), "{again:?}");
}

async fn what_triggers_may_write_is_known(database: &Database) {
    let code = "CREATE TABLE log (n int) ENGINE = MEMORY; CREATE TABLE plain (n int);
        CREATE PROCEDURE logs(n int) INSERT INTO `LOG` VALUES (n);
        CREATE TABLE calls (n int); CREATE TRIGGER a AFTER INSERT ON calls FOR EACH ROW CALL logs(NEW.n);
        CREATE TABLE writes (n int);
        CREATE TRIGGER b AFTER INSERT ON writes FOR EACH ROW INSERT INTO calls VALUES (1);
        CREATE TABLE elsewhere (n int);
        CREATE TRIGGER c AFTER INSERT ON elsewhere FOR EACH ROW INSERT INTO other.far VALUES (1);
        CREATE TABLE harmless (n int);
        CREATE TRIGGER d AFTER INSERT ON harmless FOR EACH ROW
        INSERT INTO plain SELECT p.n FROM plain AS p WHERE 'log' <> 'x';";
    let code = ("2_code", code);
    deploy(&mut *database.connect().await, &migrations(&[N, code])).await.expect("the code");
    let insert = |table: &str| format!("INSERT INTO {table} VALUES (1);\nINSERT INTO plain VALUES (2);");
    let makes = |engine: &str| {
        format!(
            "CREATE TABLE made (n int) ENGINE = {engine};\nCREATE TABLE `on` (n int);\n\
             CREATE TRIGGER e AFTER INSERT ON `on` FOR EACH ROW INSERT INTO made VALUES (1);\n{}",
            insert("`on`")
        )
    };
    let turns = "ALTER TABLE plain ENGINE = MyISAM;\nINSERT INTO harmless VALUES (1);\nUPDATE n SET n = 1;"
        .to_owned();
    let mut found = Vec::new();
    for script in [
        insert("calls"),
        insert("writes"),
        insert("elsewhere"),
        makes("MyISAM"),
        turns,
        insert("harmless"),
        makes("InnoDB"),
    ] {
        let set = migrations(&[N, code, ("3_write", &script)]);
        let options = harness::options();
        let outlook = windlass_core::apply::dry_run(&mut *database.connect().await, &set, &options).await;
        let remarks = outlook.expect("a plan").remarks;
        found.push(remarks.iter().any(|remark| matches!(remark, Remark::MayBeInDoubt { .. })));
    }
    assert_eq!(found, [true, true, true, true, true, false, false]);
}

async fn names_of_another_database_are_not_taken_for_settled(database: &Database) {
    let (own, other) = (database.name(), format!("{}_other", database.name()));
    database.sql(&format!("CREATE DATABASE {other}; CREATE TABLE {other}.far (n int) ENGINE = MyISAM")).await;
    let script = format!(
        "CREATE TABLE {own}.near (n int);\nINSERT INTO {own}.near VALUES (1);\nINSERT INTO {other}.far VALUES (1);\n\
         INSERT INTO near VALUES (2);"
    );
    let set = migrations(&[("1_far", &script)]);
    let mut driver = database.connect().await;
    let outlook = windlass_core::apply::dry_run(&mut *driver, &set, &harness::options()).await;
    let outlook = outlook.expect("a plan");
    let plan = outlook.plan.to_string();
    assert!(plan.contains("checkpoint 1_far 2, in flight 3"), "{plan}");
    let doubts: Vec<_> =
        outlook.remarks.iter().filter(|remark| matches!(remark, Remark::MayBeInDoubt { .. })).collect();
    assert_eq!(doubts.len(), 1, "its own database's are looked at: {doubts:?}");
    deploy(&mut *driver, &set).await.expect("a deploy");
    assert_eq!(database.value(&format!("SELECT count(*) FROM {other}.far")).await, "1");
    database.sql(&format!("DROP DATABASE {other}")).await;
}

async fn the_history_is_nobody_else_s_to_change(database: &Database) {
    for sql in [
        "CREATE TEMPORARY TABLE _windlass_migrations (id int);",
        "DROP TABLE _windlass_migrations;",
        "UPDATE _windlass_migrations SET name = 'x';",
    ] {
        let script = format!("CREATE TABLE n (n int);\n{sql}");
        let refused = deploy(&mut *database.connect().await, &migrations(&[("1_n", &script)])).await;
        let Err(DeployError::Blocked(Blocked::ChangesHistory { place, table })) = refused else {
            panic!("{refused:#?}")
        };
        assert_eq!((place.line, table.as_str()), (2, "_windlass_migrations"));
        assert!(database.tables().await.is_empty(), "nothing was run");
    }
}

async fn what_the_history_stands_in_is_not_taken_away(database: &Database) {
    let statements = match database.target().family {
        Family::Postgres => {
            ["DROP SCHEMA IF EXISTS other, public CASCADE;", "ALTER SCHEMA public RENAME TO old;"]
                .map(str::to_owned)
        }
        _ => [
            format!("DROP SCHEMA IF EXISTS {}", database.name()),
            format!("/* so */ DROP DATABASE `{}`;", database.name()),
        ],
    };
    for statement in statements {
        let script = format!("CREATE TABLE n (n int);\n{statement}");
        let refused = deploy(&mut *database.connect().await, &migrations(&[("1_n", &script)])).await;
        let Err(DeployError::Blocked(Blocked::TakesHistoryAway { place, .. })) = refused else {
            panic!("{statement}: {refused:#?}")
        };
        assert_eq!(place.line, 2);
        assert!(database.tables().await.is_empty(), "nothing was run");
    }
}

async fn a_migration_that_empties_every_table_is_told_as_what_it_is(database: &Database) {
    let empties = "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' \
                   LOOP EXECUTE format('TRUNCATE %I', t); END LOOP; END $$;";
    let set = migrations(&[N, ("2_empty", empties)]);
    deploy(&mut *database.connect().await, &migrations(&[N])).await.expect("a table");
    let failed = deploy(&mut *database.connect().await, &set).await;
    let Err(DeployError::HistoryChanged { name, rolled_back: true }) = failed else { panic!("{failed:#?}") };
    assert_eq!(name, "2_empty");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1", "nothing of it stands");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert_eq!(history.standing().len(), 1);
}
