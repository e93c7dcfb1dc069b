//! Reading back: what a script reads of its session is what the script did; or nothing of it is run.

use harness::{Database, deploy, migrations};
use windlass_core::apply::{DeployError, Stands};
use windlass_core::plan::Blocked;

harness::scenarios!(
    on [Sqlite]:
        a_script_reads_what_it_did_itself,
        what_windlass_itself_would_have_done_is_read_by_nobody;
    on [Postgres, Sqlite]: what_went_with_its_session_is_read_by_nobody;
    on [Postgres, MySql, MariaDb, Sqlite]: behind_an_insert_of_nothing_a_script_reads_what_the_plain_client_gives;
    on [Postgres]:
        a_setting_that_came_from_rows_is_not_had_again_from_other_rows,
        what_sets_a_setting_and_changes_rows_is_not_run_again_for_the_setting;
    on [MySql, MariaDb, Postgres]:
        a_table_that_code_made_for_its_session_is_not_taken_for_another,
        what_a_trigger_sets_does_not_reach_the_next,
        a_table_that_a_trigger_made_for_its_session_is_not_taken_for_another;
    on [Postgres]: what_an_event_trigger_left_is_missed_in_another_session;
);

const X: (&str, &str) = (
    "1_x",
    "CREATE TABLE x (id INTEGER PRIMARY KEY, b int);\nINSERT INTO x (b) VALUES (1), (2), (3);\nCREATE TABLE y (n int);",
);

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) {
    deploy(&mut *database.connect().await, &migrations(scripts)).await.expect("a deploy");
}

async fn blocked(database: &Database, scripts: &[(&'static str, &str)]) -> Blocked {
    match deploy(&mut *database.connect().await, &migrations(scripts)).await {
        Err(DeployError::Blocked(blocked)) => blocked,
        other => panic!("{other:#?}"),
    }
}

/// Fails behind so many of its statements.
async fn fails_behind(database: &Database, completed: u32, scripts: &[(&'static str, &str)]) {
    let result = deploy(&mut *database.connect().await, &migrations(scripts)).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.stands, Stands::Part { completed }, "{failed:?}");
}

async fn a_script_reads_what_it_did_itself(database: &Database) {
    let alone = "-- windlass: no-transaction\n";
    let scripts = [
        X,
        ("2_alone", &*format!("{alone}UPDATE x SET b = 0;\nINSERT INTO y VALUES (changes());")),
        (
            "3_begun",
            "BEGIN;\nUPDATE x SET b = 1;\nCOMMIT;\nBEGIN;\nINSERT INTO y VALUES (10 + changes());\nCOMMIT;\nVACUUM;",
        ),
        (
            "4_alone",
            &format!(
                "{alone}INSERT INTO x (b) VALUES (7);\nINSERT INTO y VALUES (20 + last_insert_rowid());"
            ),
        ),
        (
            "5_behind",
            "INSERT INTO x (b) VALUES (8);\nVACUUM;\nINSERT INTO y VALUES (30 + last_insert_rowid());",
        ),
        ("6_query", "UPDATE x SET b = 0;\nVACUUM;\nSELECT changes(), total_changes();"),
    ];
    deployed(database, &scripts).await;
    assert_eq!(database.value("SELECT group_concat(n) FROM y").await, "3,13,24,35");
}

async fn behind_an_insert_of_nothing_a_script_reads_what_the_plain_client_gives(database: &Database) {
    let (key, ignoring, reads) = match database.target().family {
        harness::Family::Postgres => {
            ("serial PRIMARY KEY", "INSERT INTO x VALUES (1, 1) ON CONFLICT DO NOTHING;", "lastval()")
        }
        harness::Family::Sqlite => {
            ("INTEGER PRIMARY KEY", "INSERT OR IGNORE INTO x VALUES (1, 1);", "last_insert_rowid()")
        }
        _ => ("int AUTO_INCREMENT PRIMARY KEY", "INSERT IGNORE INTO x VALUES (1, 1);", "LAST_INSERT_ID()"),
    };
    let tables = format!(
        "CREATE TABLE x (id {key}, b int);\nINSERT INTO x (id, b) VALUES (1, 7);\nCREATE TABLE y (n int);"
    );
    // What an earlier migration inserted is not read either.
    let one = "INSERT INTO x (b) SELECT 8 FROM x WHERE b = 6;\nINSERT INTO x (id, b) VALUES (70, 70);";
    let nothing = "INSERT INTO x (b) SELECT b FROM x WHERE b > 1000;";
    let scripts = ["2_selected", "3_ignored", "4_alone", "5_behind"].into_iter().zip([
        format!("{nothing}\nINSERT INTO y VALUES ({reads});"),
        format!("{ignoring}\nINSERT INTO y VALUES ({reads});"),
        format!("-- windlass: no-transaction\n{nothing}\nINSERT INTO y VALUES ({reads});"),
        format!("{one}\nCREATE TABLE z (n int);\n{nothing}\nINSERT INTO y VALUES ({reads});"),
    ]);
    let (names, texts): (Vec<_>, Vec<_>) = scripts.unzip();
    let mut all = vec![("1_tables", tables.as_str())];
    let is_postgres = database.target().family == harness::Family::Postgres;
    for (name, text) in names.into_iter().zip(&texts) {
        all.push((name, text));
        // On a database that is empty all of them are one transaction.
        for before in [0, all.len() - 1] {
            database.empty().await;
            if before > 0 {
                deployed(database, &all[..before]).await;
            }
            if is_postgres {
                // The plain client's words: no sequence gave a value in this session.
                let result = deploy(&mut *database.connect().await, &migrations(&all)).await;
                let Err(DeployError::Statement(failed)) = result else { panic!("{name}: {result:#?}") };
                assert_eq!(failed.error.code.as_deref(), Some("55000"), "{name}: {failed:?}");
                assert_eq!(failed.migration, name);
            } else {
                deployed(database, &all).await;
                let read = database.value("SELECT max(n) FROM y").await;
                // Where a number is given, no server calls it an identity.
                let is_sqlite = database.target().family == harness::Family::Sqlite;
                let expected = if name == "5_behind" && is_sqlite { "70" } else { "0" };
                assert_eq!(read, expected, "{name}");
            }
        }
        if is_postgres {
            all.pop();
        }
    }
}

async fn what_windlass_itself_would_have_done_is_read_by_nobody(database: &Database) {
    deployed(database, &[X]).await;
    for (script, why) in [
        (
            "UPDATE x SET b = 0;\nVACUUM;\nINSERT INTO y VALUES (changes());",
            "3:1: what this statement reads of its session would be windlass's own doing: it reads what 2_read.sql:1:1 \
             changed, and behind 2_read.sql:2:1 that is windlass's own row",
        ),
        (
            "-- windlass: repeat\nUPDATE x SET b = 0 WHERE b <> 0;\nINSERT INTO y VALUES (changes());",
            "3:1: what this statement reads of its session would be windlass's own doing: it reads what 2_read.sql:2:1 \
             changed, and behind 2_read.sql:2:1 that is windlass's own row",
        ),
        (
            "CREATE TABLE z (n int);\nINSERT INTO y VALUES (changes());",
            "no statement before it does such a thing",
        ),
        (
            "UPDATE x SET b = 0;\nINSERT INTO y VALUES (last_insert_rowid());",
            "no statement before it does such a thing",
        ),
        (
            "UPDATE x SET b = 0;\nINSERT INTO y VALUES (total_changes());",
            "total_changes() counts what windlass writes",
        ),
    ] {
        let refused = blocked(database, &[X, ("2_read", script)]).await;
        assert!(matches!(refused, Blocked::ReadsOwnWrites { .. }), "{refused:?}");
        assert!(refused.to_string().contains(why), "{script}: {refused}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("directly behind the statement")));
    }
    assert_eq!(
        database.value("SELECT sum(b) || (SELECT count(*) FROM y) FROM x").await,
        "60",
        "nothing was run"
    );
}

async fn what_went_with_its_session_is_read_by_nobody(database: &Database) {
    let is_sqlite = database.target().family == harness::Family::Sqlite;
    let (key, reads): (&str, &[&str]) = match is_sqlite {
        true => ("INTEGER PRIMARY KEY", &["last_insert_rowid()"]),
        false => ("serial", &["currval('x_id_seq')", "lastval()"]),
    };
    let tables =
        format!("CREATE TABLE x (id {key}, b int);\nCREATE TABLE y (n int);\nCREATE TABLE u (n int);");
    deployed(database, &[("1_x", &tables)]).await;
    let mut names = (2..).map(|number| &*format!("{number}_read").leak());
    let mut before = vec![("1_x", tables.as_str())];
    for read in reads {
        let name = names.next().expect("a number");
        let script =
            |tail: &str| format!("INSERT INTO x (b) VALUES (1);\nUPDATE x SET b = 2;\nVACUUM;\n{tail}");
        let with = |text| before.iter().copied().chain([(name, text)]).collect::<Vec<_>>();
        let bad = script("INSERT INTO nowhere VALUES (1);");
        fails_behind(database, 3, &with(&bad)).await;
        let needing = script(&format!("UPDATE u SET n = 1;\nINSERT INTO y VALUES ({read});"));
        let refused = blocked(database, &with(&needing)).await;
        assert!(matches!(refused, Blocked::SessionGone { .. }), "{read}: {refused:?}");
        assert!(
            refused.to_string().contains(&format!("{name}.sql:5:1 may need what {name}.sql:1:1 left")),
            "{refused}"
        );
        // What it reads is of the same session again.
        let mended = script(&format!("INSERT INTO x (b) VALUES (3);\nINSERT INTO y VALUES ({read});"));
        deployed(database, &with(&mended)).await;
        before.push((name, mended.leak()));
    }
    let rows = database.value("SELECT count(*) FROM x").await;
    let expected = if is_sqlite { "2" } else { "6" };
    assert_eq!(database.value("SELECT sum(n) FROM y").await, expected, "{rows} rows");
}

const Y: (&str, &str) =
    ("1_y", "CREATE TABLE x (n int);\nINSERT INTO x VALUES (7);\nCREATE TABLE y (n int);");

async fn a_setting_that_came_from_rows_is_not_had_again_from_other_rows(database: &Database) {
    deployed(database, &[Y]).await;
    let set =
        "SELECT set_config('app.t', (SELECT max(n)::text FROM x), false);\nUPDATE x SET n = 100;\nVACUUM;\n";
    let script = |tail: &str| format!("{set}{tail}");
    fails_behind(database, 3, &[Y, ("2_set", &script("SELECT nothing;"))]).await;
    let needing = script("INSERT INTO y VALUES (current_setting('app.t')::int);");
    let refused = blocked(database, &[Y, ("2_set", &needing)]).await;
    assert!(matches!(refused, Blocked::SessionGone { .. }), "{refused:?}");
    assert!(refused.to_string().contains("2_set.sql:4:1 may need what 2_set.sql:1:1 left"), "{refused}");
    assert_eq!(database.value("SELECT count(*) FROM y").await, "0");
    database.sql("DROP TABLE _windlass_migrations, x, y").await;
    // One that follows from the text and other settings is had again.
    let set = "SELECT set_config('app.a', '7', false), pg_catalog.set_config('app.b', current_setting('app.a') || '0', false);\nVACUUM;\n";
    let script = |tail: &str| format!("{set}{tail}");
    deployed(database, &[Y]).await;
    fails_behind(database, 2, &[Y, ("2_set", &script("SELECT nothing;"))]).await;
    let reading = script("INSERT INTO y VALUES (current_setting('app.b')::int);");
    deployed(database, &[Y, ("2_set", &reading)]).await;
    assert_eq!(database.value("SELECT n FROM y").await, "70");
}

async fn what_sets_a_setting_and_changes_rows_is_not_run_again_for_the_setting(database: &Database) {
    deployed(database, &[Y]).await;
    let set = "INSERT INTO y VALUES (set_config('app.t', '5', false)::int);\nVACUUM;\n";
    let script = |tail: &str| format!("{set}{tail}");
    fails_behind(database, 2, &[Y, ("2_set", &script("SELECT nothing;"))]).await;
    let refused = blocked(database, &[Y, ("2_set", &script("SELECT 1;"))]).await;
    assert!(matches!(refused, Blocked::SessionGone { .. }), "{refused:?}");
    assert_eq!(database.value("SELECT count(*) FROM y").await, "1");
}

async fn a_table_that_code_made_for_its_session_is_not_taken_for_another(database: &Database) {
    let is_postgres = database.target().family == harness::Family::Postgres;
    let code = match is_postgres {
        true => {
            "CREATE FUNCTION mk() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE x (n int); END';\n\
             CREATE FUNCTION plain() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM y; END';"
        }
        false => {
            "CREATE PROCEDURE mk() CREATE TEMPORARY TABLE x (n int);\nCREATE PROCEDURE plain() DELETE FROM y;"
        }
    };
    let (call, made, committing): (&str, &[&str], &str) = match is_postgres {
        true => (
            "SELECT plain()",
            &["SELECT mk()", "DO $$ BEGIN EXECUTE 'CREATE TEMP TABLE x (n int)'; END $$"],
            "VACUUM",
        ),
        false => (
            "CALL plain()",
            &[
                "CALL mk()",
                "PREPARE s FROM 'CREATE TEMPORARY TABLE x (n int)';\nEXECUTE s;\nDEALLOCATE PREPARE s",
            ],
            "CREATE TABLE q (n int)",
        ),
    };
    for made in made.iter().chain([&call]) {
        deployed(database, &[Y, ("2_code", code)]).await;
        let begun = format!("{made};\n{committing};\n");
        let bad = format!("{begun}INSERT INTO nowhere VALUES (1);");
        let completed = begun.lines().count();
        fails_behind(database, completed as u32, &[Y, ("2_code", code), ("3_made", &bad)]).await;
        let needing = format!("{begun}INSERT INTO x VALUES (2);");
        let scripts = [Y, ("2_code", code), ("3_made", needing.as_str())];
        let expected = if *made == call {
            deployed(database, &scripts).await;
            "2"
        } else {
            let refused = blocked(database, &scripts).await;
            assert!(matches!(refused, Blocked::SessionGone { .. }), "{made}: {refused:?}");
            // What needs none of its tables goes on.
            let free = format!("{begun}CREATE TABLE free (n int);");
            deployed(database, &[Y, ("2_code", code), ("3_made", &free)]).await;
            "1"
        };
        assert_eq!(database.value("SELECT count(*) FROM x").await, expected, "{made}");
        database.empty().await;
    }
}

async fn what_a_trigger_sets_does_not_reach_the_next(database: &Database) {
    let (trigger, read) = match database.target().family == harness::Family::Postgres {
        true => (
            "CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM set_config(''app.who'', ''1'', false); RETURN NEW; END';\n\
             CREATE TRIGGER who BEFORE INSERT ON x FOR EACH ROW EXECUTE FUNCTION who();",
            "coalesce(nullif(current_setting('app.who', true), ''), '0')::int",
        ),
        false => ("CREATE TRIGGER who BEFORE INSERT ON x FOR EACH ROW SET @who = 1;", "coalesce(@who, 0)"),
    };
    let read = format!("INSERT INTO y SELECT {read};");
    let all = [
        Y,
        ("2_trigger", trigger),
        ("3_row", "INSERT INTO x VALUES (1);"),
        ("4_read", &read),
        ("5_row", "INSERT INTO x VALUES (1);"),
        ("6_read", &read),
    ];
    // Made in this run, on an empty database at that; and standing before it.
    deployed(database, &all[..4]).await;
    deployed(database, &all).await;
    assert_eq!(database.value("SELECT sum(n) FROM y").await, "0");
    assert_eq!(database.value("SELECT count(*) FROM y").await, "2");
}

async fn a_table_that_a_trigger_made_for_its_session_is_not_taken_for_another(database: &Database) {
    let is_postgres = database.target().family == harness::Family::Postgres;
    // No name of a routine that stands elsewhere on the server: by its name alone it is not told from one that is called.
    let (leaving, plain, committing) = match is_postgres {
        true => (
            "CREATE FUNCTION laid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE x (n int); RETURN NEW; END';\n\
             CREATE TRIGGER laid BEFORE INSERT ON y FOR EACH ROW EXECUTE FUNCTION laid();",
            "CREATE FUNCTION laid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n\
             CREATE TRIGGER laid BEFORE INSERT ON y FOR EACH ROW EXECUTE FUNCTION laid();",
            "VACUUM;",
        ),
        false => (
            "CREATE TRIGGER laid BEFORE INSERT ON y FOR EACH ROW CREATE TEMPORARY TABLE x (n int);",
            "CREATE TRIGGER laid BEFORE INSERT ON y FOR EACH ROW SET @seen = 1;",
            "CREATE TABLE q (n int);",
        ),
    };
    let begun = format!("INSERT INTO y VALUES (1);\n{committing}\n");
    let bad = format!("{begun}INSERT INTO nowhere VALUES (1);");
    let needing = format!("{begun}INSERT INTO x VALUES (2);");
    for trigger in [leaving, plain] {
        // Standing before the migration, and made by its own first statements.
        for is_own in [false, true] {
            let own = |text: &str| if is_own { format!("{trigger}\n{text}") } else { text.to_owned() };
            let (bad, needing) = (own(&bad), own(&needing));
            let before = if is_own { vec![Y] } else { vec![Y, ("2_trigger", trigger)] };
            let with = |text| before.iter().copied().chain([("3_made", text)]).collect::<Vec<_>>();
            deployed(database, &before).await;
            let completed = 2 + if is_own { trigger.lines().count() as u32 } else { 0 };
            fails_behind(database, completed, &with(&bad)).await;
            let rows = if trigger == plain {
                deployed(database, &with(&needing)).await;
                "2"
            } else {
                let refused = blocked(database, &with(&needing)).await;
                assert!(matches!(refused, Blocked::SessionGone { .. }), "{trigger}: {refused:?}");
                // What needs none of its tables goes on.
                let free = own(&format!("{begun}CREATE TABLE free (n int);"));
                deployed(database, &with(&free)).await;
                "1"
            };
            assert_eq!(database.value("SELECT count(*) FROM x").await, rows, "{trigger}");
            database.empty().await;
        }
    }
}

async fn what_an_event_trigger_left_is_missed_in_another_session(database: &Database) {
    let function = "CREATE FUNCTION mk() RETURNS event_trigger LANGUAGE plpgsql AS \
        'BEGIN CREATE TEMP TABLE IF NOT EXISTS x (n int); PERFORM set_config(''app.seen'', ''9'', false); END';";
    let trigger = "CREATE EVENT TRIGGER windlass_test ON ddl_command_end WHEN TAG IN ('CREATE VIEW') \
        EXECUTE FUNCTION mk();";
    let made = ("2_trigger", &*format!("{function}\n{trigger}"));
    let begun = "CREATE VIEW v AS SELECT 1 AS n;\nVACUUM;\n";
    deployed(database, &[Y, made]).await;
    let bad = format!("{begun}INSERT INTO nowhere VALUES (1);");
    fails_behind(database, 2, &[Y, made, ("3_view", &bad)]).await;
    let needing = format!("{begun}INSERT INTO x VALUES (2);");
    let refused = blocked(database, &[Y, made, ("3_view", &needing)]).await;
    assert!(matches!(refused, Blocked::SessionGone { .. }), "{refused:?}");
    assert!(refused.to_string().contains("3_view.sql:3:1 may need what 3_view.sql:1:1 left"), "{refused}");
    database.sql("DROP EVENT TRIGGER windlass_test").await;
    database.empty().await;

    // Nor does it reach the next migration, whichever of them is new.
    let view = ("3_view", "CREATE VIEW v AS SELECT 1 AS n;");
    let read = "INSERT INTO y VALUES (coalesce(nullif(current_setting('app.seen', true), ''), '0')::int);\nINSERT INTO x VALUES (1);";
    let all = [Y, made, view, ("4_read", read)];
    for before in [0, 2] {
        if before > 0 {
            deployed(database, &all[..before]).await;
        }
        deployed(database, &all).await;
        assert_eq!(database.value("SELECT sum(n) FROM y").await, "0", "{before}");
        assert_eq!(database.value("SELECT count(*) FROM x").await, "2", "{before}");
        database.sql("DROP EVENT TRIGGER windlass_test").await;
        database.empty().await;
    }
}
