//! Diagnosing: after a failure, and after what people did by hand then, the advice is followed and must lead to where an
//! undisturbed run ends.

use harness::{Database, Family, Project, Snapshot};
use serde_json::Value;
use windlass_core::driver::Lock;

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        the_advice_leads_to_the_end_of_an_undisturbed_run,
        what_was_undone_by_hand_is_not_gone_on_with,
        nothing_is_wrong_with_what_is_as_it_should_be,
        drift_is_told_with_where_it_comes_from,
        a_word_that_the_schema_does_not_bear_out_is_told,
        what_was_made_by_hand_is_gone_on_behind,
        what_no_replay_comes_to_is_a_persons_to_say,
        what_stands_stays_where_the_text_is_mended,
        what_was_made_by_hand_and_taken_so_is_gone_on_behind,
        what_was_made_by_hand_is_not_taken_away_again,
        what_is_gone_is_made_again,
        what_was_made_and_is_gone_is_not_gone_on_over,
        a_hostile_history_is_never_replayed;
    natively [Postgres, MySql, MariaDb]:
        without_a_shadow_the_checkpoints_are_told,
        nobody_is_believed_about_a_file_that_is_gone;
    natively [Postgres, MySql, MariaDb]: another_session_is_waited_for;
    natively [Postgres, Sqlite]: what_failed_and_left_nothing_is_mended;
    natively [Postgres, MySql, MariaDb]: what_a_refused_call_did_is_said_to_be_unknown;
    natively [MariaDb]:
        what_a_refused_statement_did_is_not_forgotten_with_its_text,
        what_is_replaced_may_be_gone_where_that_is_refused;
    natively [Postgres, MySql, MariaDb]: what_was_taken_beside_what_was_recorded_is_no_fault_of_it;
    natively [Postgres]:
        indexes_that_are_not_valid_are_told,
        an_index_of_its_own_is_left_to_the_deploy,
        what_was_built_anew_by_hand_may_stay,
        an_index_of_its_own_stops_no_deploy_of_another_text,
        an_index_in_the_way_is_dropped;
);

const USERS: (&str, &str) = ("1_users", "CREATE TABLE users (id int PRIMARY KEY, login varchar(40));");

/// Refused where two users have one login, which no empty database has.
const HALF: (&str, &str) = (
    "2_half",
    "-- windlass: no-transaction\n\
     CREATE TABLE half (n int);\n\
     ALTER TABLE half ADD COLUMN m int;\n\
     CREATE UNIQUE INDEX users_login ON users (login);\n\
     CREATE TABLE rest (n int);\n",
);

/// What people do after the failure, and how the advice that they get then is called. What it has them undo by hand, and
/// whether it is the text that they take for wrong, or what it met.
struct Case {
    by_hand: &'static [&'static str],
    action: &'static str,
    told: &'static str,
    undo: &'static [&'static str],
    chooses: bool,
}

const TWINS: &str = "INSERT INTO users VALUES (1, 'ada'), (2, 'ada')";
const PARTED: &str = "UPDATE users SET login = 'bob' WHERE id = 2";

const CASES: [Case; 6] = [
    Case { by_hand: &[PARTED], action: "mend", told: "mend what was refused", undo: &[], chooses: true },
    Case {
        by_hand: &[PARTED, "DROP TABLE half"],
        action: "resolve",
        told: "resolve --rolled-back 2_half",
        undo: &[],
        chooses: false,
    },
    Case {
        by_hand: &[PARTED, "CREATE UNIQUE INDEX users_login ON users (login)", "CREATE TABLE rest (n int)"],
        action: "resolve",
        told: "resolve --applied 2_half",
        undo: &[],
        chooses: false,
    },
    Case {
        by_hand: &[PARTED, "CREATE TABLE rest (n int)"],
        action: "undo",
        told: "rest away",
        undo: &["DROP TABLE rest"],
        chooses: true,
    },
    Case {
        by_hand: &[PARTED, "ALTER TABLE half ADD COLUMN z int"],
        action: "undo",
        told: "half",
        undo: &["ALTER TABLE half DROP COLUMN z"],
        chooses: true,
    },
    Case {
        by_hand: &[PARTED, "DROP TABLE half", "CREATE TABLE half (n int)"],
        action: "undo",
        told: "half",
        undo: &["ALTER TABLE half ADD COLUMN m int"],
        chooses: true,
    },
];

/// SQLite replays in memory; a server has to be allowed to.
fn on_shadow(database: &Database) -> &'static [&'static str] {
    if database.target().family == Family::Sqlite { &[] } else { &["--shadow", "same-server"] }
}

/// What `diagnose` answers, once it is seen that it wrote nothing.
async fn diagnosed(database: &Database, project: &Project<'_>, more: &[&str], code: i32) -> Value {
    let everything =
        async || (Snapshot::of(database).await, database.query("SELECT * FROM _windlass_migrations").await);
    let before = everything().await;
    let text = project.run(&[&["diagnose"], more].concat()).await.code(code);
    assert!(text.stdout.contains("advice:"), "{text:?}");
    let ran = project.run(&[&["diagnose", "--json"], more].concat()).await.code(code);
    let after = everything().await;
    after.0.must_be(&before.0).expect("nothing is written");
    assert_eq!(after.1, before.1, "nothing is written");
    ran.json()
}

/// The commands of a piece of advice, as they are typed.
async fn follow(project: &Project<'_>, commands: &Value) {
    for command in commands.as_array().expect("commands") {
        let command = command.as_str().expect("a command");
        project.end(project.shell(command)).await.code(0);
    }
}

async fn the_advice_leads_to_the_end_of_an_undisturbed_run(database: &Database) {
    let project = Project::new(database, &[USERS, HALF]);
    project.run(&["deploy"]).await.code(0);
    database.sql("INSERT INTO users VALUES (1, 'ada'), (2, 'bob')").await;
    let whole = Snapshot::of(database).await;
    for case in CASES {
        database.empty().await;
        std::fs::remove_file(project.path("migrations/2_half.sql")).expect("a file");
        project.run(&["deploy"]).await.code(0);
        project.migration(HALF.0, HALF.1);
        database.sql(TWINS).await;
        project.run(&["deploy"]).await.code(4).err("2 of 4 statements stand");
        for sql in case.by_hand {
            database.sql(sql).await;
        }
        let told = diagnosed(database, &project, on_shadow(database), 3).await;
        let (advice, by_hand) = (&told["advice"], case.by_hand);
        assert_eq!(advice["action"], case.action, "{by_hand:?}: {told:#}");
        assert!(advice.to_string().contains(case.told), "{by_hand:?}: {told:#}");
        for sql in case.undo {
            database.sql(sql).await;
        }
        follow(&project, if case.chooses { &advice["choices"][0]["commands"] } else { &advice["commands"] })
            .await;
        Snapshot::of(database).await.must_be(&whole).unwrap_or_else(|wrong| panic!("{by_hand:?}: {wrong}"));
        project.run(&["status", "--check"]).await.code(0);
    }
}

/// Nothing would keep a deploy from going on behind statements of which nothing is left, or of which another text stands in
/// the project now.
async fn what_was_undone_by_hand_is_not_gone_on_with(database: &Database) {
    let other = "-- windlass: no-transaction\nCREATE TABLE other (n int);\nCREATE TABLE rest (n int);\n";
    for (text, table) in [(HALF.1, "half"), (other, "other")] {
        database.empty().await;
        let project = Project::new(database, &[USERS]);
        let _ = std::fs::remove_file(project.path("migrations/2_half.sql"));
        project.run(&["deploy"]).await.code(0);
        database.sql(TWINS).await;
        project.migration(HALF.0, HALF.1);
        project.run(&["deploy"]).await.code(4);
        project.run(&["resolve", "--resume", "2_half"]).await.code(0);
        project.migration(HALF.0, text);
        database.sql(PARTED).await;
        database.sql("DROP TABLE half").await;
        let told = diagnosed(database, &project, on_shadow(database), 3).await;
        // Whether another text changed rows, the project does not tell.
        let advice = if table == "half" { &told["advice"] } else { &told["advice"]["choices"][0] };
        assert_eq!(advice["commands"][0], "windlass resolve --rolled-back 2_half", "{told:#}");
        follow(&project, &advice["commands"]).await;
        assert_eq!(database.tables().await, [table, "rest", "users"]);
    }
}

async fn nothing_is_wrong_with_what_is_as_it_should_be(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert_eq!(told["advice"]["action"], "nothing", "{told:#}");
    project.migration("2_more", "CREATE TABLE more (n int);");
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert_eq!(told["advice"]["commands"], serde_json::json!(["windlass deploy"]), "{told:#}");
}

async fn drift_is_told_with_where_it_comes_from(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let advice = async || diagnosed(database, &project, on_shadow(database), 10).await["advice"].clone();
    database.sql("CREATE TABLE by_hand (n int)").await;
    let unexplained = advice().await;
    assert_eq!((&unexplained["action"], &unexplained["commands"]), (&"drift".into(), &serde_json::json!([])));
    assert!(unexplained["choices"][0]["by_hand"][0].as_str().expect("words").contains("by_hand away"));
    // What was done by hand is what the next migration does.
    project.migration("2_by_hand", "CREATE TABLE by_hand (n int);");
    let pending = advice().await;
    assert_eq!(pending["commands"][0], "windlass resolve --applied 2_by_hand", "{pending:#}");
    follow(&project, &pending["commands"]).await;
    // What was taken as it was is back to what the migrations make.
    database.sql("DROP TABLE by_hand").await;
    project.run(&["drift", "accept", "--reason", "a test"]).await.code(0);
    database.sql("CREATE TABLE by_hand (n int)").await;
    let made = advice().await;
    assert!(made["why"].as_str().expect("words").contains("what the applied migrations make"), "{made:#}");
}

async fn a_word_that_the_schema_does_not_bear_out_is_told(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project
        .migration("2_made", "CREATE TABLE made (n int);\nALTER TABLE users ADD COLUMN made_by varchar(9);");
    project
        .run(&["resolve", "--applied", "2_made", "--force", "--reason", "the schema accepted by all"])
        .await
        .code(0);
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let (recorded, advice) = (&told["recorded"][0], &told["advice"]);
    assert_eq!(recorded["attempt"]["name"], "2_made", "{told:#}");
    assert!(recorded["differences"].to_string().contains("made_by"), "{told:#}");
    assert_eq!((&advice["action"], told["recorded"].as_array().map(Vec::len)), (&"decide".into(), Some(1)));
    if database.target().family != Family::Sqlite {
        let unseen = project.run(&["diagnose"]).await.code(0);
        unseen
            .out("recorded as applied by a person's word: 2_made; the live schema was held against nothing")
            .out("nothing is known to be wrong; whether what was recorded as applied by a person's word stands was not looked at: `2_made`");
        project.run(&["doctor"]).await.code(0).out("2_made stands on a person's word");
    }
    follow(&project, &advice["choices"][0]["commands"]).await;
    assert_eq!(database.tables().await, ["made", "users"]);
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert_eq!(told["advice"]["action"], "nothing", "{told:#}");
}

/// The index that was refused is built by hand, and the rows behind it are still to be changed.
async fn what_was_made_by_hand_is_gone_on_behind(database: &Database) {
    const INDEX: &str = "CREATE UNIQUE INDEX users_login ON users (login)";
    for more in ["", "CREATE TABLE more (n int);\n"] {
        database.empty().await;
        let script = format!(
            "-- windlass: no-transaction\nALTER TABLE users ADD COLUMN seen int;\n{INDEX};\nUPDATE users SET seen = 1;\n{more}"
        );
        let project = Project::new(database, &[USERS]);
        let _ = std::fs::remove_file(project.path("migrations/2_index.sql"));
        project.run(&["deploy"]).await.code(0);
        database.sql(TWINS).await;
        project.migration("2_index", &script);
        project.run(&["deploy"]).await.code(4).err("1 of ");
        for sql in [PARTED, INDEX] {
            database.sql(sql).await;
        }
        let resume = [&["resolve", "--resume", "2_index"], on_shadow(database)].concat();
        let refused = project.run(&resume).await.code(3);
        refused.err("users_login is there, and should not be").err("resolve --resume --took-effect 2_index");
        let told = diagnosed(database, &project, on_shadow(database), 3).await;
        let advice = &told["advice"];
        let commands = if more.is_empty() {
            assert_eq!(advice["choices"][1]["commands"][0], "windlass resolve --applied 2_index", "{told:#}");
            &advice["choices"][0]["commands"]
        } else {
            &advice["commands"]
        };
        assert_eq!(commands[0], "windlass resolve --resume --took-effect 2_index", "{told:#}");
        let checked = [&["resolve", "--resume", "--took-effect", "2_index"], on_shadow(database)].concat();
        project.run(&checked).await.code(0);
        project.run(&["deploy"]).await.code(0);
        assert_eq!(database.value("SELECT count(*) FROM users WHERE seen = 1").await, "2");
        assert_eq!(database.tables().await.len(), if more.is_empty() { 1 } else { 2 });
        project.run(&["status", "--check"]).await.code(0);
    }
}

/// On an empty database its second statement has no row to take, and is refused.
const REFUSED: &str =
    "CREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);\nCREATE TABLE rest (n int);";

/// What ran statement by statement is one transaction in the mended text.
async fn what_stands_stays_where_the_text_is_mended(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_half", &format!("-- windlass: no-transaction\n{REFUSED}"));
    project.run(&["deploy"]).await.code(4);
    database.sql("INSERT INTO half VALUES (7)").await;
    project.migration("2_half", "CREATE TABLE half (n int);\nCREATE TABLE rest (n int);");
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert_eq!(
        (&told["advice"]["action"], &told["migration"]["fits"]),
        (&"deploy".into(), &serde_json::json!([1]))
    );
    // The rest is made by hand, which stands in the text that was mended.
    database.sql("CREATE TABLE rest (n int)").await;
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let commands = &told["advice"]["commands"];
    assert_eq!(commands[1], "windlass resolve --accept-edit 2_half", "{told:#}");
    follow(&project, commands).await;
    assert_eq!(database.value("SELECT n FROM half").await, "7");
    project.run(&["status", "--check"]).await.code(0);
}

/// Unless a person takes it as it is.
async fn what_is_gone_is_made_again(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let sql = REFUSED.replacen('\n', "\nINSERT INTO half VALUES (3);\n", 1);
    project.migration("2_half", &format!("-- windlass: no-transaction\nCREATE TABLE gone (n int);\n{sql}"));
    project.run(&["deploy"]).await.code(4);
    database.sql("DROP TABLE half").await;
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let by_hand = told["advice"]["by_hand"][0].to_string();
    assert!(by_hand.contains("half again, with what statement 3 put into it"), "{told:#}");
    let resumed = [&["resolve", "--resume", "2_half"], on_shadow(database)].concat();
    project.run(&resumed).await.code(3).err("half is not there, and should be");
    project.run(&["drift", "accept", "--reason", "a test"]).await.code(0);
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    assert_eq!(told["advice"]["action"], "mend", "{told:#}");
    project.run(&resumed).await.code(0);
}

async fn what_was_taken_beside_what_was_recorded_is_no_fault_of_it(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(
        "2_half",
        &format!("-- windlass: no-transaction\n{}", REFUSED.replace("nowhere", "users (id)")),
    );
    database.sql("INSERT INTO users (id) VALUES (1)").await;
    project.run(&["deploy"]).await.code(4);
    database.sql("CREATE TABLE rest (n int, theirs int)").await;
    project.run(&["drift", "accept", "--reason", "it may stay"]).await.code(0);
    project.run(&[&["resolve", "--applied", "2_half"], on_shadow(database)].concat()).await.code(0);
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert!(told["beside"].to_string().contains("theirs"), "{told:#}");
}

/// Others made the index in an emergency, it was taken as it is, and a migration makes it, too.
async fn what_was_made_by_hand_and_taken_so_is_gone_on_behind(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql("CREATE INDEX logins ON users (login)").await;
    project.run(&["drift", "accept", "--reason", "an emergency"]).await.code(0);
    let made =
        "CREATE TABLE half (n int);\nCREATE INDEX logins ON users (login);\nCREATE TABLE rest (n int);";
    project.migration("2_half", &format!("-- windlass: no-transaction\n{made}"));
    project.run(&["deploy"]).await.code(4);
    for unrelated in ["", "CREATE TABLE unrelated (n int)"] {
        if !unrelated.is_empty() {
            database.sql(unrelated).await;
        }
        let told = diagnosed(database, &project, on_shadow(database), 3).await;
        let command = &told["advice"]["commands"][0];
        assert_eq!(command, "windlass resolve --resume --took-effect 2_half", "{told:#}");
        assert_eq!(told["migration"]["fits"], serde_json::json!([2]), "{told:#}");
        let resumed = [&["resolve", "--resume", "2_half"], on_shadow(database)].concat();
        project.run(&resumed).await.code(3).err("logins is there, and should not be");
    }
    database.sql("DROP TABLE half").await;
    let undone = [&["resolve", "--rolled-back", "2_half"], on_shadow(database)].concat();
    project.run(&undone).await.code(3).err("logins is there, and should not be");
}

/// By hand a table was made anew that the migration makes anew, and holds rows by now.
async fn what_was_made_by_hand_is_not_taken_away_again(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_anew", "CREATE TABLE anew (n int);")]);
    project.run(&["deploy"]).await.code(0);
    let sql = "CREATE TABLE half (n int);\nCREATE UNIQUE INDEX logins ON users (login);\nDROP TABLE anew;\n\
               CREATE TABLE anew (n int, m int);\nCREATE TABLE rest (n int);";
    database.sql(TWINS).await;
    project.migration("3_half", &format!("-- windlass: no-transaction\n{sql}"));
    project.run(&["deploy"]).await.code(4);
    database.sql(PARTED).await;
    for statement in sql.lines().skip(1).take(3) {
        database.sql(statement.trim_end_matches(';')).await;
    }
    database.sql("INSERT INTO anew VALUES (1, 2)").await;
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let stays = &told["advice"]["choices"][0];
    assert_eq!(stays["by_hand"], serde_json::json!(["run statement 5 by hand"]), "{told:#}");
    database.sql("CREATE TABLE rest (n int)").await;
    follow(&project, &stays["commands"]).await;
    assert_eq!(database.value("SELECT m FROM anew").await, "2");
}

async fn what_no_replay_comes_to_is_a_persons_to_say(database: &Database) {
    let script = "-- windlass: no-transaction\nCREATE TABLE kinds (name varchar(40) NOT NULL);\n\
        INSERT INTO kinds (name) SELECT (SELECT login FROM users WHERE id = 1);\n\
        CREATE INDEX users_id ON users (id, login);\nCREATE UNIQUE INDEX users_login ON users (login);\n";
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql(TWINS).await;
    project.migration("2_kinds", script);
    project.run(&["deploy"]).await.code(4).err("3 of 4 statements stand");
    database.sql(PARTED).await;
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let choices = &told["advice"]["choices"];
    assert_eq!(choices[0]["commands"][0], "windlass resolve --resume 2_kinds --force", "{told:#}");
    let look = choices[0]["by_hand"][0].as_str().expect("words");
    assert!(
        look.contains("what statements 2 and 3 changed stands") && look.contains("kinds, users"),
        "{told:#}"
    );
    // Undone in part.
    database.sql("DROP TABLE kinds").await;
    let back = [&["resolve", "--rolled-back", "2_kinds"], on_shadow(database)].concat();
    project.run(&back).await.code(3).err("users_id is there, and should not be");
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let gone = &told["advice"]["choices"][2];
    assert!(gone["by_hand"].to_string().contains("users_id away"), "{told:#}");
    let on =
        if matches!(database.target().family, Family::MySql | Family::MariaDb) { " ON users" } else { "" };
    database.sql(&format!("DROP INDEX users_id{on}")).await;
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let commands = &told["advice"]["choices"][0]["commands"];
    assert_eq!(commands[0], "windlass resolve --rolled-back 2_kinds", "{told:#}");
    project.run(&back).await.code(0);
    project.run(&["deploy"]).await.code(0);
    project.run(&["status", "--check"]).await.code(0);
    assert_eq!(database.value("SELECT name FROM kinds").await, "ada");
}

async fn nobody_is_believed_about_a_file_that_is_gone(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_more", "CREATE TABLE more (n int);")]);
    project.run(&["deploy"]).await.code(0);
    database.sql(TWINS).await;
    project.migration("3_half", &HALF.1.replace("half", "third"));
    project.run(&["deploy"]).await.code(4);
    for file in ["2_more", "3_half"] {
        std::fs::remove_file(project.path(&format!("migrations/{file}.sql"))).expect("removed");
    }
    for decision in ["--rolled-back", "--applied", "--resume"] {
        let refused = project.run(&["resolve", decision, "3_half"]).await.code(3);
        refused.err("the project does not have `3_half`").err("put its file back").err("`--force`");
    }
    project.run(&["resolve", "--rolled-back", "2_more"]).await.code(3).err("does not have `2_more`");
    project.run(&["resolve", "--rolled-back", "3_half", "--force"]).await.code(0);
}

async fn another_session_is_waited_for(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let mut other = database.connect().await;
    assert_eq!(other.try_lock().await.expect("asked"), Lock::Acquired);
    let told = diagnosed(database, &project, &[], 5).await;
    assert_eq!(told["advice"]["action"], "wait", "{told:#}");
    assert!(told["holder"]["session"].is_string(), "{told:#}");
    other.unlock().await.expect("given back");
    diagnosed(database, &project, &[], 0).await;
}

async fn what_failed_and_left_nothing_is_mended(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_bad", "CREATE TABLE bad (n int);\nSELECT nowhere;")]);
    project.run(&["deploy"]).await.code(4);
    let told = diagnosed(database, &project, &[], 4).await;
    let advice = &told["advice"];
    assert_eq!(
        (&advice["action"], &advice["commands"]),
        (&"mend".into(), &serde_json::json!(["windlass deploy"]))
    );
    assert!(advice["by_hand"][0].as_str().expect("words").contains("migrations/2_bad.sql:2:8"), "{advice:#}");
    project.migration("2_bad", "CREATE TABLE bad (n int);");
    let told = diagnosed(database, &project, &[], 0).await;
    assert_eq!(told["advice"]["action"], "deploy", "{told:#}");
    follow(&project, &told["advice"]["commands"]).await;
    project.run(&["status", "--check"]).await.code(0);
}

async fn indexes_that_are_not_valid_are_told(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql(TWINS).await;
    let mut raw = database.session().await;
    raw.execute("CREATE UNIQUE INDEX CONCURRENTLY twins ON users (login)").await.expect_err("twins");
    let told = diagnosed(database, &project, &[], 10).await;
    let index = &told["invalid_indexes"][0];
    assert!(index["text"].as_str().expect("words").contains("public.twins"), "{told:#}");
    assert!(
        index["hint"].as_str().expect("words").contains("DROP INDEX CONCURRENTLY public.twins"),
        "{told:#}"
    );
}

/// Nobody would make it again: the history counts the statement as done.
async fn what_was_made_and_is_gone_is_not_gone_on_over(database: &Database) {
    let made =
        "-- windlass: no-transaction\nCREATE TABLE half (n int);\nALTER TABLE half ADD COLUMN m int;\n";
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_half", &format!("{made}INSERT INTO nowhere VALUES (1);"));
    project.run(&["deploy"]).await.code(4);
    let mended = format!("{made}INSERT INTO users (id) VALUES (1);\nCREATE TABLE rest (n int);");
    project.migration("2_half", &mended);
    database.sql("ALTER TABLE half DROP COLUMN m").await;
    let refused = project.run(&["deploy"]).await.code(3);
    let refused =
        refused.err("`2_half` has run up to statement 2, and column half.m, which statement 2 made, is gone");
    refused.err("make it again as it was").err("drift accept");
    project.run(&["deploy", "--json"]).await.code(3).out("\"undone\"");
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    assert!(told["advice"]["by_hand"].to_string().contains("half.m again"), "{told:#}");
    if database.target().family != Family::Sqlite {
        let unseen = diagnosed(database, &project, &[], 3).await;
        assert_eq!(unseen["advice"]["action"], "follow", "{unseen:#}");
    }
    database.sql("DROP TABLE half").await;
    project.run(&["deploy"]).await.code(3).err("table half, which statement 1 made, is gone");
    assert_eq!(database.tables().await, ["users"]);
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    assert_eq!(told["advice"]["commands"][0], "windlass resolve --rolled-back 2_half", "{told:#}");
    // Taken as it is, it is gone on without.
    project.run(&["drift", "accept", "--reason", "we do without"]).await.code(0);
    let told = diagnosed(database, &project, on_shadow(database), 0).await;
    assert_eq!(told["advice"]["commands"], serde_json::json!(["windlass deploy"]), "{told:#}");
    let resumed = [&["resolve", "--resume", "2_half"], on_shadow(database)].concat();
    project.run(&resumed).await.code(0);
    project.run(&["deploy"]).await.code(0).out("Applied 2_half");
    assert_eq!(database.tables().await, ["rest", "users"]);
}

/// It commits a row, and is refused behind that.
async fn what_a_refused_call_did_is_said_to_be_unknown(database: &Database) {
    let notes = match database.target().family {
        Family::Postgres => {
            "CREATE TABLE log (n int);\nCREATE PROCEDURE notes() LANGUAGE plpgsql AS $$\nBEGIN INSERT INTO log VALUES (1); \
             COMMIT; INSERT INTO nowhere VALUES (1); END $$;"
        }
        _ => {
            "CREATE TABLE log (n int);\nCREATE PROCEDURE notes() BEGIN INSERT INTO log VALUES (1); COMMIT; \
             INSERT INTO nowhere VALUES (1); END;"
        }
    };
    let called = ("3_called", "-- windlass: no-transaction\nINSERT INTO log VALUES (0);\nCALL notes();\n");
    let project = Project::new(database, &[USERS, ("2_notes", notes), called]);
    project.run(&["deploy"]).await.code(4);
    assert_eq!(database.value("SELECT count(*) FROM log").await, "2");
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let fates: Vec<_> = [0, 1].map(|index| told["migration"]["statements"][index]["fate"].clone()).into();
    assert_eq!(fates, ["done", "unknown"], "{told:#}");
    let why = told["migration"]["why"].as_str().unwrap_or_default();
    assert!(!why.contains("it changes no definition"), "{told:#}");
    let by_hand = told["advice"]["by_hand"][0].as_str().expect("words");
    assert!(by_hand.contains("undo what statement 2 did before it was refused"), "{told:#}");
    let status = project.run(&["status"]).await.code(0);
    status.out("statement 2 was refused, and what was done before that is not known");
}

/// It drops the one table before it is refused for the other.
async fn what_a_refused_statement_did_is_not_forgotten_with_its_text(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_gone", "CREATE TABLE gone (n int);")]);
    project.run(&["deploy"]).await.code(0);
    let rest = "ALTER TABLE users ADD age int;";
    project.migration("3_drop", &format!("{rest}\nDROP TABLE gone, nowhere;\nCREATE TABLE more (n int);"));
    project.run(&["deploy"]).await.code(4);
    // Nor by a decision, and what was taken as it is then excuses nothing that others do to it afterwards.
    project.migration("3_drop", &format!("{rest}\nCREATE TABLE more (n int);"));
    database.sql("ALTER TABLE users DROP COLUMN age").await;
    let undone = [&["resolve", "--rolled-back", "3_drop"], on_shadow(database)].concat();
    project.run(&undone).await.code(3).err("gone is not there, and should be");
    database.sql("ALTER TABLE users ADD age int").await;
    project.migration("3_drop", &format!("{rest}\nDROP TABLE gone, nowhere;\nCREATE TABLE more (n int);"));
    project.run(&["drift", "accept", "--reason", "it is gone"]).await.code(0);
    database.sql("CREATE TABLE gone (other int)").await;
    project.run(&["drift"]).await.code(10).out("gone was added");
    database.sql("DROP TABLE gone").await;
    project.migration("3_drop", &format!("{rest}\nDROP TABLE gone;\nCREATE TABLE more (n int);"));
    let refused = project.run(&["deploy"]).await.code(3);
    let refused = refused.err("`3_drop` failed, and whether statement 2 took effect is not known");
    refused.err("look at what it did before it was refused");
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    assert_eq!(told["advice"]["commands"][0], "windlass resolve --resume --took-effect 3_drop", "{told:#}");
    follow(&project, &told["advice"]["commands"]).await;
    assert_eq!(database.tables().await, ["more", "users"]);
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
}

async fn what_is_replaced_may_be_gone_where_that_is_refused(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_kept", "CREATE TABLE kept (n int);")]);
    project.run(&["deploy"]).await.code(0);
    let replaced = "CREATE OR REPLACE TABLE kept (n int PRIMARY KEY) AS SELECT 1 AS n UNION ALL SELECT 1;";
    project
        .migration("3_half", &format!("CREATE TABLE half (n int);\n{replaced}\nCREATE TABLE rest (n int);"));
    project.run(&["deploy"]).await.code(4).err("and perhaps a part of what came after");
    assert_eq!(database.tables().await, ["half", "users"]);
    project.migration("3_half", "CREATE TABLE half (n int);\nCREATE TABLE rest (n int);");
    project.run(&["deploy"]).await.code(3).err("whether statement 2 took effect is not known");
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    let advice = &told["advice"];
    assert!(advice["by_hand"].to_string().contains("make table kept again"), "{told:#}");
    assert!(
        advice["why"].to_string().contains("whether the text that was refused changed rows before"),
        "{told:#}"
    );
    database.sql("CREATE TABLE kept (n int)").await;
    let resumed = [&["resolve", "--resume", "3_half"], on_shadow(database)].concat();
    project.run(&resumed).await.code(0).err("no schema tells");
    project.run(&["deploy"]).await.code(0);
    // What the server cannot read it does not begin with.
    project.migration(
        "3_unread",
        "CREATE TABLE half2 (n int);\nCREATE OR REPLACE TABLE kept (n int) AS SELEC 1;",
    );
    project.run(&["deploy"]).await.code(4);
    project.migration(
        "3_unread",
        "CREATE TABLE half2 (n int);\nCREATE OR REPLACE TABLE kept (n int) AS SELECT 1 AS n;",
    );
    project.run(&["deploy"]).await.code(0).out("Applied 3_unread");
    // A view is replaced, or is as it was.
    project.migration("4_seen", "CREATE OR REPLACE VIEW seen AS SELECT nowhere FROM users;");
    project.run(&["deploy"]).await.code(4);
    project.migration("4_seen", "CREATE OR REPLACE VIEW seen AS SELECT id FROM users;");
    project.run(&["deploy"]).await.code(0).out("Applied 4_seen");
}

const INDEX_AND_REST: &str =
    "CREATE UNIQUE INDEX CONCURRENTLY twins ON users (login);\nCREATE TABLE rest (n int);";

/// A project whose second migration has met users that its unique index does not allow.
async fn failed_by_twins<'d>(database: &'d Database, sql: &str) -> Project<'d> {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql(TWINS).await;
    project.migration("2_index", sql);
    project.run(&["deploy"]).await.code(4);
    project
}

/// Built anew by hand it would be in the way of the deploy.
async fn an_index_of_its_own_is_left_to_the_deploy(database: &Database) {
    let project = failed_by_twins(database, INDEX_AND_REST).await;
    let told = diagnosed(database, &project, &[], 3).await;
    let hint = "leave it as it is: the deploy that goes on with `2_index` drops it and builds it anew";
    assert_eq!(told["invalid_indexes"][0]["hint"], hint, "{told:#}");
    project.run(&["doctor"]).await.code(3).out(hint);
    let status = project.run(&["status"]).await.code(0);
    status.out("statement 1 was refused, and is not done; it left something");
    database.sql(PARTED).await;
    // Without its file no deploy drops it.
    std::fs::remove_file(project.path("migrations/2_index.sql")).expect("removed");
    let gone = diagnosed(database, &project, &[], 3).await;
    let by_hand = "undo by hand what stands of it: 0 of its 2 statements, and what is left of the next: drop invalid index \
                   public.twins";
    assert_eq!(gone["advice"]["choices"][1]["by_hand"][0], by_hand, "{gone:#}");
    let message = gone["blocked"]["message"].as_str().expect("words");
    assert!(
        message.contains("after 0 of 2 statements and perhaps a part of 1, and is not in the project"),
        "{gone:#}"
    );
    project.migration("2_index", INDEX_AND_REST);
    // Held against a replay nobody is told to take it away either, and the decision is borne out.
    let compared = diagnosed(database, &project, on_shadow(database), 3).await;
    assert_eq!(compared["advice"]["action"], "mend", "{compared:#}");
    let mut refused = vec!["resolve", "--rolled-back", "2_index"];
    refused.extend(on_shadow(database));
    project.run(&refused).await.code(3).err("twins is there, and should not be");
    let resumed = [&["resolve", "--resume", "2_index"], on_shadow(database)].concat();
    project.run(&resumed).await.code(0);
    project.run(&["deploy"]).await.code(0);
    assert_eq!(database.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid").await, "0");
    project.run(&["status", "--check"]).await.code(0);
}

async fn what_was_built_anew_by_hand_may_stay(database: &Database) {
    let project = failed_by_twins(database, INDEX_AND_REST).await;
    // As long as it is not valid nobody's word makes it so.
    let refused = project.run(&["resolve", "--resume", "--took-effect", "2_index"]).await.code(3);
    refused.err("a look at the database tells that the statement in flight did not take effect");
    database.sql(PARTED).await;
    let mut raw = database.session().await;
    raw.execute("REINDEX INDEX CONCURRENTLY twins").await.expect("no twins any more");
    let told = diagnosed(database, &project, &[], 3).await;
    assert_eq!(told["migration"]["statements"][0]["fate"], "done", "{told:#}");
    let stays = &told["advice"]["choices"][1];
    assert!(stays["when"].as_str().is_some_and(|when| when.contains("is to stay as it is")), "{told:#}");
    follow(&project, &stays["commands"]).await;
    project.run(&["status", "--check"]).await.code(0);
}

/// The deploy that goes on drops it.
async fn an_index_of_its_own_stops_no_deploy_of_another_text(database: &Database) {
    let project = failed_by_twins(database, INDEX_AND_REST).await;
    project.migration("2_index", "CREATE TABLE rest (n int);");
    project.run(&["deploy"]).await.code(0).out("Applied 2_index");
    assert_eq!(database.value("SELECT count(*) FROM pg_class WHERE relname = 'twins'").await, "0");
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
}

async fn an_index_in_the_way_is_dropped(database: &Database) {
    let sql = "CREATE UNIQUE INDEX CONCURRENTLY twins ON users (login);";
    let project = failed_by_twins(database, sql).await;
    project.run(&["resolve", "--rolled-back", "2_index"]).await.code(0);
    database.sql(PARTED).await;
    let refused = project.run(&["deploy"]).await.code(3).err("an index of that name is there already");
    let refused = refused.err("hint: `DROP INDEX CONCURRENTLY public.twins`");
    assert!(!refused.stderr.contains("REINDEX"), "{refused:?}");
    database.session().await.execute("DROP INDEX CONCURRENTLY twins").await.expect("dropped");
    project.run(&["deploy"]).await.code(0).out("Applied 2_index");
}

/// Statements that reach beyond their own database, one a line.
fn hostile(family: Family, other: &str) -> Vec<String> {
    match family {
        Family::Postgres => vec![
            format!("DROP DATABASE {other};"),
            "CREATE ROLE windlass_hostile;".to_owned(),
            "GRANT pg_read_all_data TO PUBLIC;".to_owned(),
            format!("GRANT ALL ON DATABASE {other} TO PUBLIC;"),
            "ALTER SYSTEM SET work_mem = '5MB';".to_owned(),
            format!("ALTER DATABASE {other} SET work_mem = '5MB';"),
            format!("DO $$ BEGIN EXECUTE 'DROP DATA' || 'BASE {other}'; END $$;"),
            format!("SELECT dblink_exec('dbname={other}', 'DROP TABLE precious');"),
            "COPY half TO PROGRAM 'true';".to_owned(),
        ],
        Family::MySql | Family::MariaDb => vec![
            format!("DROP DATABASE {other};"),
            format!("DELETE FROM {other}.precious;"),
            format!("CREATE TABLE {other}.more (n int);"),
            format!("CREATE VIEW seen AS SELECT * FROM {other}.precious;"),
            format!("CREATE PROCEDURE spoils() DELETE FROM {other}.precious;"),
            "CREATE USER windlass_hostile;".to_owned(),
            format!("GRANT ALL ON {other}.* TO windlass_hostile;"),
            "SET GLOBAL max_connections = 77;".to_owned(),
            "SELECT 1 INTO OUTFILE '/tmp/windlass-hostile';".to_owned(),
        ],
        Family::Sqlite => vec![format!("ATTACH '{other}' AS o;"), format!("VACUUM INTO '{other}.copy';")],
    }
}

async fn a_hostile_history_is_never_replayed(database: &Database) {
    let other = Database::create(database.target()).await;
    other.sql("CREATE TABLE precious (n int)").await;
    other.sql("INSERT INTO precious VALUES (1), (2)").await;
    let name = match database.target().family {
        Family::Sqlite => other.folder().join("test.db").display().to_string(),
        _ => other.name().to_owned(),
    };
    let settings = match database.target().family {
        Family::Postgres => {
            "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'windlass_hostile'), \
             (SELECT count(*) FROM pg_file_settings WHERE name = 'work_mem'), \
             (SELECT count(*) FROM pg_auth_members WHERE roleid = 'pg_read_all_data'::regrole)"
        }
        Family::Sqlite => "SELECT 1",
        _ => {
            "SELECT @@global.max_connections, (SELECT count(*) FROM mysql.user WHERE user = 'windlass_hostile')"
        }
    };
    let everything = async || (Snapshot::of(&other).await, database.query(settings).await);
    let before = everything().await;
    let hostile = hostile(database.target().family, &name);
    let script = format!(
        "-- windlass: no-transaction\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);\n{}\n",
        hostile.join("\n")
    );
    let project = Project::new(database, &[USERS, ("2_hostile", &script)]);
    project.run(&["deploy"]).await.code(4);
    let told = diagnosed(database, &project, on_shadow(database), 3).await;
    assert_eq!(told["migration"]["schema"], "unreplayable", "{told:#}");
    let refused = told["migration"]["unreplayable"].as_array().expect("statements");
    let lines: Vec<_> = refused.iter().map(|refused| refused["line"].as_u64().expect("a line")).collect();
    assert_eq!(lines, (4..4 + hostile.len() as u64).collect::<Vec<_>>(), "{refused:#?}");
    assert_eq!(told["advice"]["action"], "mend", "by the checkpoints: {told:#}");
    let after = everything().await;
    after.0.must_be(&before.0).expect("the other database is as it was");
    assert_eq!(after.1, before.1, "the server is as it was");
    other.drop().await;
}

async fn without_a_shadow_the_checkpoints_are_told(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql(TWINS).await;
    project.migration(HALF.0, HALF.1);
    project.run(&["deploy"]).await.code(4);
    let ran = project.run(&["diagnose"]).await.code(3);
    ran.out("held against nothing").out("--shadow same-server").out("mend what was refused");
    let told = diagnosed(database, &project, &[], 3).await;
    assert_eq!(told["migration"]["schema"], "no_shadow", "{told:#}");
    let fates: Vec<_> = told["migration"]["statements"]
        .as_array()
        .expect("statements")
        .iter()
        .map(|s| s["fate"].clone())
        .collect();
    assert_eq!(fates, ["done", "done", "not_done", "not_done"]);
    let log = project.run(&["diagnose", "-v"]).await.code(3).stderr;
    assert!(!log.contains("windlass_shadow_"), "a database was made unasked: {log}");
}
