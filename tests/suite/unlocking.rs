//! Unlocking: who holds the lock is shown, and that session is ended for whoever asks for it.

use harness::{Database, Family, Project, Waiting};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use windlass_core::apply::end_lock_holder;
use windlass_core::driver::{Ending, Lock};

harness::scenarios!(
    natively [Postgres, MySql, MariaDb]:
        the_holder_is_shown_and_ended_when_asked_for,
        a_session_that_holds_nothing_is_left_alone,
        who_may_not_end_it_is_told_so;
    natively [Postgres]: a_session_that_will_not_end_is_told;
    natively [Sqlite]: without_a_server_the_holder_is_only_told;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");

/// Three statements, the second of which waits for whoever holds the table `n`.
const LONG: (&str, &str) =
    ("2_long", "CREATE TABLE x (n int);\nUPDATE n SET n = n + 1;\nCREATE TABLE y (n int);");

async fn the_holder_is_shown_and_ended_when_asked_for(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["unlock"]).await.code(0).out("nobody holds the lock");
    project.run(&["unlock", "--end", "--yes"]).await.code(0).out("nobody holds the lock");
    project.run(&["deploy"]).await.code(0);
    project.migration(LONG.0, LONG.1);
    let gate = database.gate("n").await;
    let deploy = project.command(&["deploy"]).spawn().expect("the binary runs");
    let session = database.running("n + 1").await;
    let shown = project.run(&["unlock"]).await.code(5).out(&format!("session  {session}\n"));
    let shown = shown.out(&format!("who      user {}", database.user())).out("since    20").out("n + 1");
    shown.err("`windlass unlock --end` ends that session");
    let document = project.run(&["unlock", "--json"]).await.code(5).json();
    assert_eq!((&document["ok"], &document["ended"]), (&true.into(), &false.into()));
    assert_eq!(document["holder"]["session"], session);
    assert!(document["holder"]["running"].as_str().is_some_and(|sql| sql.contains("n + 1")), "{document}");
    // Nobody is there who could be asked.
    project.run(&["unlock", "--end"]).await.code(2).err("no terminal").err("unlock --end --yes");
    assert_eq!(database.running("n + 1").await, session);
    let ended = project.run(&["unlock", "--end", "--yes"]).await.code(0);
    ended.out("Ended user ").out(&format!("({session})"));
    project.ended(deploy).await.code(6).err("connection was lost");
    drop(gate);
    let document = project.run(&["unlock", "--json"]).await.code(0).json();
    assert!(document["holder"].is_null(), "{document}");
    project.run(&["deploy"]).await.code(0).out("Applied 2_long");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

async fn a_session_that_holds_nothing_is_left_alone(database: &Database) {
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    assert_eq!(second.lock_holder().await.expect("an answer"), None);
    assert_eq!(first.try_lock().await.expect("an answer"), Lock::Acquired);
    let holder = second.lock_holder().await.expect("an answer").expect("somebody");
    let session = holder.session.clone().expect("a number");
    assert_eq!(
        first.lock_holder().await.expect("an answer").and_then(|own| own.session),
        Some(session.clone())
    );
    // Not itself.
    assert_eq!(first.end_lock_holder(&session).await.expect("an answer"), Ending::HoldsNothing);
    first.unlock().await.expect("given back");
    assert!(!end_lock_holder(&mut *second, &holder).await.expect("nobody to end"));
    assert_eq!(second.try_lock().await.expect("an answer"), Lock::Acquired);
    assert!(!end_lock_holder(&mut *second, &holder).await.expect("nobody to end"), "another one holds it");
    first.head().await.expect("it lives");
    second.unlock().await.expect("given back");
}

async fn who_may_not_end_it_is_told_so(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    let reader = database.reader().await;
    let mut holder = database.connect().await;
    assert_eq!(holder.try_lock().await.expect("an answer"), Lock::Acquired);
    project.run_for(&reader.url, &["unlock"]).await.code(5).out("session  ");
    let refused = project.run_for(&reader.url, &["unlock", "--end", "--yes"]).await.code(1);
    let right = if database.target().family == Family::Postgres { "pg_signal_backend" } else { "CONNECTION" };
    refused.err("the session that holds the lock could not be ended").err(right);
    holder.unlock().await.expect("it lives");
}

async fn a_session_that_will_not_end_is_told(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    let mut holder = database.connect().await;
    assert_eq!(holder.try_lock().await.expect("an answer"), Lock::Acquired);
    let told = holder.lock_holder().await.expect("an answer").and_then(|own| own.session).expect("a number");
    let process = Pid::from_raw(told.parse().expect("a process of the server"));
    // It stands still, and hears of nothing.
    kill(process, Signal::SIGSTOP).expect("stopped");
    let refused = project.run(&["unlock", "--end", "--yes"]).await;
    let waiting = project.run(&["deploy", "--lock-wait", "0s"]).await;
    kill(process, Signal::SIGCONT).expect("it goes on");
    refused.code(5).err("was told to end, and is still there after 10").err(&told);
    waiting.code(0).out("nothing to do");
    let until = Waiting::for_this("it ends");
    while project.run(&["unlock"]).await.code != Some(0) {
        until.pause().await;
    }
    holder.head().await.expect_err("its session has ended");
}

async fn without_a_server_the_holder_is_only_told(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.run(&["unlock"]).await.code(0).out("nobody holds the lock");
    let gate = database.gate("n").await;
    project.run(&["unlock"]).await.code(5).out("who      a connection of this or another program");
    let refused = project.run(&["unlock", "--end", "--yes"]).await.code(5);
    refused.err("SQLite has no server").err("held by a connection of this or another program");
    drop(gate);
    project.run(&["unlock"]).await.code(0).out("nobody holds the lock");
}
