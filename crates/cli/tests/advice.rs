//! What `diagnose` and `resolve` say is right, followed on SQLite.

mod support;

use support::Project;

const BOOKS: (&str, &str) = ("1_books.sql", "CREATE TABLE books (id INTEGER PRIMARY KEY, isbn TEXT);");

/// VACUUM cannot be in a transaction: what stands before it stays.
const HALF: (&str, &str) = (
    "2_half.sql",
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n",
);

#[test]
fn another_text_than_the_one_that_ran_is_not_called_done() {
    let project = Project::with(&[BOOKS, HALF]);
    project.deploy(&[]).ends_with(4);
    project.write("migrations/2_half.sql", &HALF.1.replace("kinds", "species"));
    let told = project.on_app(&["diagnose"]).ends_with(3);
    let told = told.out("1  unknown   another text ran").out("2  unknown   another text ran in its place");
    let told = told.out("what differs from what it is before any of its statements:\n  table kinds is there");
    assert!(!told.stdout.contains("species is not there"), "{told:#?}");
    told.out("by hand: take table kinds away").out("run: windlass resolve --rolled-back 2_half");
    // What the text that ran has made is no more known to this one.
    let back = ["resolve", "--rolled-back", "2_half"];
    project.on_app(&back).ends_with(3).err("table kinds is there, and should not be");
    project.sql("DROP TABLE kinds");
    let told = project.on_app(&["diagnose"]).ends_with(3);
    told.out("whether what the other text changed of rows is undone, no schema tells");
    project.on_app(&back).ends_with(0);
    project.sql("CREATE TABLE nowhere (n)");
    project.deploy(&["--allow-drift"]).ends_with(0);
    assert_eq!(project.count("SELECT count(*) FROM species"), 0);
}

#[test]
fn what_only_tends_the_database_changes_no_rows() {
    let project = Project::with(&[BOOKS, HALF]);
    project.deploy(&[]).ends_with(4);
    project.sql("DROP TABLE kinds");
    let told = project.on_app(&["diagnose"]).ends_with(3).out("run: windlass resolve --rolled-back 2_half");
    assert!(!told.stdout.contains("whether the rows"), "{told:#?}");
}

#[test]
fn a_pending_migration_whose_rows_are_not_seen_is_not_called_applied() {
    let project = Project::with(&[BOOKS]);
    project.deploy(&[]).ends_with(0);
    let rows = "CREATE INDEX books_isbn ON books (isbn);\nINSERT INTO books (isbn) VALUES ('1');\n";
    project.write("migrations/2_isbn.sql", rows);
    project.sql("CREATE INDEX books_isbn ON books (isbn)");
    let told = project.on_app(&["diagnose"]).ends_with(10);
    let told = told.out("whether the rows of statement 2 were changed, no schema tells");
    told.out("take index books.books_isbn away").out("run: windlass resolve --applied 2_isbn");
    project.sql("DROP INDEX books_isbn");
    project.deploy(&[]).ends_with(0);
    assert_eq!(project.count("SELECT count(*) FROM books"), 1);
}

#[test]
fn a_baseline_names_the_range_and_each_difference_once() {
    let email = ("2_email.sql", "ALTER TABLE books ADD COLUMN email TEXT;");
    let more = ("3_more.sql", "CREATE TABLE more (n);");
    let project = Project::with(&[BOOKS, email, more]);
    project.sql("CREATE TABLE books (id INTEGER PRIMARY KEY, isbn TEXT)");
    let refused = project.on_app(&["baseline", "3_more"]).ends_with(3);
    refused.err("not what the migrations from `1_books` to `3_more` make: 2 objects differ");
    project.on_app(&["baseline", "3_more", "--force"]).ends_with(0);
    let told = project.on_app(&["diagnose"]).ends_with(3);
    let told = told.out("`1_books`, `2_email`, `3_more` were recorded as applied by");
    assert_eq!(told.stdout.matches("table more is not there").count(), 1, "{told:#?}");
    assert_eq!(told.stdout.matches("by hand: make column books.email again").count(), 1, "{told:#?}");
    // A statement that a replay must not run is told with its place once.
    project.write("migrations/4_out.sql", "ATTACH 'x.db' AS x;");
    let refused = project.on_app(&["baseline", "4_out"]).ends_with(3);
    assert_eq!(refused.stderr.matches("4_out.sql:1:1").count(), 1, "{refused:#?}");
}

#[test]
fn what_a_replay_cannot_begin_with_is_insisted_on() {
    // The first one can be run here alone.
    let first =
        ("1_first.sql", "CREATE TABLE first (n NOT NULL);\nINSERT INTO first SELECT max(n) FROM seed;");
    let project = Project::with(&[first]);
    project.sql("CREATE TABLE seed (n); INSERT INTO seed VALUES (1)");
    project.deploy(&["--allow-non-empty"]).ends_with(0);
    project.write("migrations/2_half.sql", HALF.1);
    project.deploy(&[]).ends_with(4);
    project.sql("CREATE TABLE nowhere (n)");
    let told = project.on_app(&["diagnose"]).ends_with(3).out("the replay came to no end");
    told.out("look for yourself").out("run: windlass resolve --resume 2_half --force");
    project.on_app(&["resolve", "--resume", "2_half"]).ends_with(3);
    project.on_app(&["resolve", "--resume", "2_half", "--force"]).ends_with(0);
    project.deploy(&["--allow-drift"]).ends_with(0);
}

#[test]
fn a_migration_that_closes_the_database_to_itself_is_told_so() {
    let project = Project::with(&[
        BOOKS,
        ("2_rows.sql", "PRAGMA query_only = ON;\nINSERT INTO books VALUES (1, '1');"),
    ]);
    let refused = project.deploy(&[]).ends_with(4).err("2_rows.sql:2:1");
    refused.err("it has made its own transaction read-only").err("`PRAGMA query_only`");
}

#[test]
fn a_commit_that_is_refused_names_no_statement() {
    let text = "PRAGMA foreign_keys = ON;\nCREATE TABLE p (id INTEGER PRIMARY KEY);\n\
                CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (7);\nCREATE TABLE z (n);";
    let project = Project::with(&[("1_tables.sql", text)]);
    let refused = project.deploy(&[]).ends_with(4).err("error: migration `1_tables` failed at its COMMIT");
    assert!(!refused.stderr.contains("CREATE TABLE z"), "{refused:#?}");
    let told = project.deploy(&["--json"]).ends_with(4).json();
    assert_eq!(
        (&told["error"]["statement"], &told["error"]["line"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    project
        .on_app(&["diagnose"])
        .ends_with(4)
        .out("mend what was refused: its COMMIT (migrations/1_tables.sql)");
}

#[test]
fn rows_that_a_decision_is_about_are_a_persons_word() {
    let project = Project::with(&[BOOKS]);
    project.deploy(&[]).ends_with(0);
    let rows = "CREATE INDEX books_isbn ON books (isbn);\nINSERT INTO books (isbn) VALUES ('1');\n";
    project.write("migrations/2_isbn.sql", rows);
    project.write("migrations/3_more.sql", "CREATE TABLE more (n);");
    project.sql("CREATE INDEX books_isbn ON books (isbn); CREATE TABLE more (n)");
    let told = "whether the rows are as you say, no schema tells: that is your word alone";
    project.on_app(&["resolve", "--applied", "2_isbn"]).ends_with(0).err(told);
    let ran = project.on_app(&["resolve", "--applied", "3_more"]).ends_with(0);
    assert!(!ran.stderr.contains("your word alone"), "{ran:#?}");
}
