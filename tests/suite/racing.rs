//! Racing: many processes deploy at once. One runs each migration, all others wait for it and find it done.

use harness::{Database, Family, Project, Raw, Waiting};
use std::fs::File;
use std::process::{Child, Command};

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        thirty_two_processes_at_once_run_everything_once,
        thirty_one_processes_wait_for_one_and_find_it_done;
    natively [Postgres]: a_concurrent_build_comes_to_its_end_whoever_waits_for_the_lock;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
const PLUS: [(&str, &str); 2] =
    [("2_plus", "UPDATE n SET n = n + 1;"), ("3_plus", "UPDATE n SET n = n + 10;")];

/// How many processes race.
const PROCESSES: usize = 32;

async fn thirty_two_processes_at_once_run_everything_once(database: &Database) {
    let project = Project::new(database, &[N, PLUS[0], PLUS[1]]);
    let racers = Racers::start(&project, PROCESSES);
    let answers = racers.end(&project).await;
    let applied = answers.concat();
    for name in ["1_n", "2_plus", "3_plus"] {
        assert_eq!(applied.matches(&format!("Applied {name}")).count(), 1, "{applied}");
    }
    assert!(answers.iter().all(|answer| answer.contains("Finished")), "{applied}");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "11");
}

async fn thirty_one_processes_wait_for_one_and_find_it_done(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    PLUS.iter().for_each(|(name, text)| project.migration(name, text));
    // On SQLite whoever writes keeps out all of them.
    let is_sqlite = database.target().family == Family::Sqlite;
    let mut gate = if is_sqlite { database.session().await } else { database.gate("n").await };
    if is_sqlite {
        gate.execute("BEGIN IMMEDIATE").await.expect("a writer");
    }
    let racers = Racers::start(&project, PROCESSES);
    racers.until_waiting(&project, if is_sqlite { PROCESSES } else { PROCESSES - 1 }).await;
    drop(gate);
    let answers = racers.end(&project).await;
    let done = |part: &str| answers.iter().filter(|answer| answer.contains(part)).count();
    assert_eq!((done("Applied 2_plus"), done("Applied 3_plus")), (1, 1), "{answers:#?}");
    let both = done("Finished 2 migrations");
    // SQLite excludes for a transaction, not for a run: between two migrations another one may be let in.
    let workers = if is_sqlite && both == 0 { 2 } else { 1 };
    assert_eq!(
        (both, done("Finished 1 migration ")),
        if workers == 2 { (0, 2) } else { (1, 0) },
        "{answers:#?}"
    );
    let rival = if is_sqlite { "another writer" } else { "another deployer" };
    let waited = |answer: &&String| {
        answer.contains("Finished nothing to do: waited ")
            && answer.contains(&format!(" for {rival} and found it done, at 3_plus"))
    };
    assert_eq!(answers.iter().filter(waited).count(), PROCESSES - workers, "{answers:#?}");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "11");
}

/// The build waits for every session that holds a snapshot, and one that waits inside `pg_advisory_lock` does.
async fn a_concurrent_build_comes_to_its_end_whoever_waits_for_the_lock(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_index", "CREATE INDEX CONCURRENTLY by_n ON n (n);");
    let mut writer: Raw = database.session().await;
    writer.execute("BEGIN; INSERT INTO n VALUES (7)").await.expect("a transaction");
    let racers = Racers::start(&project, 9);
    database.running("CREATE INDEX CONCURRENTLY by_n").await;
    racers.until_waiting(&project, 9).await;
    writer.execute("COMMIT").await.expect("done");
    let answers = racers.end(&project).await;
    let applied = answers.iter().filter(|answer| answer.contains("Applied 2_index")).count();
    assert_eq!(applied, 1, "{answers:#?}");
    let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'by_n'::regclass AND indisvalid";
    assert_eq!(database.value(valid).await, "1");
    let attempts = "SELECT count(*) FROM _windlass_migrations WHERE name = '2_index'";
    assert_eq!(database.value(attempts).await, "1", "the first try was the last");
}

/// Processes that deploy the same project, and what each of them tells.
pub(crate) struct Racers(Vec<Child>);

impl Racers {
    fn start(project: &Project<'_>, number: usize) -> Self {
        Self::of(project, number, |_| project.command(&["deploy"]))
    }

    /// Starts so many, each by a command of its own.
    pub(crate) fn of(project: &Project<'_>, number: usize, command: impl Fn(usize) -> Command) -> Self {
        let start = |number| {
            let mut command = command(number);
            command.stderr(File::create(told(project, number)).expect("a file"));
            command.spawn().expect("the binary runs")
        };
        Self((0..number).map(start).collect())
    }

    /// Waits until so many of them have told that they wait.
    pub(crate) async fn until_waiting(&self, project: &Project<'_>, number: usize) {
        let waiting = Waiting::for_this("they wait");
        let waits = |racer: &usize| {
            std::fs::read_to_string(told(project, *racer)).expect("a file").contains("Waiting for another")
        };
        while (0..self.0.len()).filter(waits).count() < number {
            waiting.pause().await;
        }
    }

    /// What they answered; all end well.
    pub(crate) async fn end(self, project: &Project<'_>) -> Vec<String> {
        let mut answers = Vec::new();
        for (number, child) in self.0.into_iter().enumerate() {
            let ran = project.ended(child).await;
            let told = std::fs::read_to_string(told(project, number)).expect("a file");
            assert_eq!(ran.code, Some(0), "{told}");
            answers.push(ran.stdout);
        }
        answers
    }
}

fn told(project: &Project<'_>, number: usize) -> std::path::PathBuf {
    project.path(&format!("told-{number}"))
}
