//! The classifier against the servers: each kind of statement is run inside a transaction and compared.

use harness::{Database, Family};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{Control, Facts, Transaction, classify};

mod mysql;
mod postgres;
mod sqlite;

harness::scenarios!(
    natively [Postgres]:
        postgres_refuses_what_the_classifier_says;
    natively [MySql, MariaDb]:
        implicit_commits_are_those_that_the_classifier_says;
    natively [Sqlite]:
        sqlite_refuses_what_the_classifier_says,
        pragmas_have_no_effect_in_a_transaction_where_the_classifier_says_so;
);

/// What became of a transaction that had a statement in its middle and was then rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// The statement ran, and what was written before it is gone.
    Fine,
    /// What was written before it stands.
    Commits,
    /// The statement was refused because of the transaction.
    Refused,
}

fn told(facts: &Facts) -> Seen {
    match facts.transaction {
        Transaction::Outside(_) => Seen::Refused,
        Transaction::Control(Control::Commit) => Seen::Commits,
        _ if facts.implicit_commit => Seen::Commits,
        _ => Seen::Fine,
    }
}

/// A statement, what has to stand before it, and what is to be taken away after it.
struct Example {
    before: &'static str,
    sql: &'static str,
    after: &'static str,
}

/// Examples of which each needs nothing but the setup.
fn plain(statements: &'static [&'static str]) -> impl Iterator<Item = Example> {
    statements.iter().map(|sql| Example { before: "", sql, after: "" })
}

/// Says all that disagrees at once, and fails if anything does.
struct Comparison {
    dialect: Dialect,
    wrong: Vec<String>,
    count: usize,
}

impl Comparison {
    fn new(family: Family) -> Self {
        let dialect = match family {
            Family::Postgres => Dialect::Postgres,
            Family::Sqlite => Dialect::Sqlite,
            _ => Dialect::MySql,
        };
        Self { dialect, wrong: Vec::new(), count: 0 }
    }

    fn meets(&mut self, sql: &str, seen: Result<Seen, String>) {
        self.count += 1;
        let facts = classify(self.dialect, sql);
        let told = told(&facts);
        match seen {
            // No plan holds it, whatever it does.
            Ok(_) if facts.transaction == Transaction::Control(Control::Other) => {}
            Ok(seen) if seen == told => {}
            Ok(seen) => self.wrong.push(format!("{sql}\n    seen {seen:?}, told {told:?}")),
            Err(words) => self.wrong.push(format!("{sql}\n    the example does not run: {words}")),
        }
    }

    fn end(self, least: usize) {
        let Self { wrong, count, .. } = self;
        assert!(wrong.is_empty(), "{} of {count} disagree:\n{}", wrong.len(), wrong.join("\n"));
        assert!(count >= least, "only {count} examples were run");
    }
}

async fn postgres_refuses_what_the_classifier_says(database: &Database) {
    let mut comparison = Comparison::new(Family::Postgres);
    database.sql(postgres::SETUP).await;
    for sql in postgres::EXAMPLES {
        let seen = seen_on_postgres(database, sql).await;
        comparison.meets(sql, seen);
    }
    for sql in postgres::KNOWN_TO_THE_SERVER_ALONE {
        assert_eq!(seen_on_postgres(database, sql).await, Ok(Seen::Refused), "{sql}");
    }
    database.sql(postgres::TEARDOWN).await;
    comparison.end(130);
}

async fn seen_on_postgres(database: &Database, sql: &str) -> Result<Seen, String> {
    let mut raw = database.session().await;
    raw.execute("BEGIN; INSERT INTO marker VALUES (1)").await?;
    // An error in the transaction would hide whether a commit was tried: the statement is sent by itself.
    let refused = raw.execute(sql).await.err();
    let _ = raw.execute("ROLLBACK").await;
    drop(raw);
    let stands = database.value("SELECT count(*) FROM marker").await;
    database.sql("TRUNCATE marker").await;
    match refused {
        Some(words) if words.contains("25001") => Ok(Seen::Refused),
        Some(words) => Err(words),
        None if stands == "0" => Ok(Seen::Fine),
        None => Ok(Seen::Commits),
    }
}

async fn implicit_commits_are_those_that_the_classifier_says(database: &Database) {
    let family = database.target().family;
    let mut comparison = Comparison::new(family);
    database.sql("CREATE TABLE marker (n int) ENGINE = InnoDB").await;
    for Example { before, sql, after } in mysql::examples(family) {
        let (before, sql, after) =
            [before, sql, after].map(|sql| sql.replace("{database}", database.name())).into();
        let mut seen = seen_on_mysql(database, [&before, &sql, &after]).await;
        if family == Family::MariaDb && mysql::commits_on_mysql_alone(&sql) {
            assert_eq!(seen, Ok(Seen::Fine), "{sql}");
            seen = Ok(Seen::Commits);
        }
        comparison.meets(&sql, seen);
    }
    comparison.end(100);
}

async fn seen_on_mysql(database: &Database, [before, sql, after]: [&str; 3]) -> Result<Seen, String> {
    let mut raw = database.session().await;
    for sql in [mysql::SETUP, before].into_iter().filter(|sql| !sql.is_empty()) {
        raw.execute(sql).await.map_err(|words| format!("before it: {words}"))?;
    }
    raw.execute("START TRANSACTION").await?;
    raw.execute("INSERT INTO marker VALUES (1)").await?;
    let refused = raw.execute(sql).await.err();
    let _ = raw.execute("ROLLBACK").await;
    drop(raw);
    let stands = database.value("SELECT count(*) FROM marker").await;
    database.sql("DELETE FROM marker").await;
    if !after.is_empty() {
        database.sql(after).await;
    }
    match refused {
        Some(words) if !mysql::comes_after_the_commit(sql) => Err(words),
        _ if stands == "0" => Ok(Seen::Fine),
        _ => Ok(Seen::Commits),
    }
}

async fn sqlite_refuses_what_the_classifier_says(database: &Database) {
    let mut comparison = Comparison::new(Family::Sqlite);
    for (number, sql) in sqlite::EXAMPLES.iter().enumerate() {
        let path = database.folder().join(format!("example-{number}.db"));
        comparison.meets(sql, sqlite::seen(&path, sql));
    }
    comparison.end(30);
}

async fn pragmas_have_no_effect_in_a_transaction_where_the_classifier_says_so(database: &Database) {
    sqlite::compare_pragmas(database.folder());
}
