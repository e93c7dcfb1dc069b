//! Killing: the command, the process of a deploy and the server end at any moment, and the next deploys go on from what is true.

use harness::{Database, Ending, Expendable, Extent, FaultSet, Project, Random, Tally, Waiting};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]: a_killed_command_is_gone_on_from;
    natively [Postgres, MySql, MariaDb]: a_killed_server_is_gone_on_from;
    natively [Sqlite]:
        a_process_that_ends_at_any_call_is_gone_on_from,
        a_killed_command_that_nobody_has_reaped_is_gone_on_from,
        a_copy_made_while_the_process_stands_still_is_gone_on_from;
);

/// How many moments are tried: of a sample, and in full.
const MOMENTS: (usize, usize) = (20, 200);
const SERVER_MOMENTS: (usize, usize) = (2, 20);

async fn a_killed_command_is_gone_on_from(database: &Database) {
    at_random_moments(database, "command killed", |child| {
        end(child);
    })
    .await;
}

/// As in a container whose first process reaps nobody: the system lists it for as long as it runs.
async fn a_killed_command_that_nobody_has_reaped_is_gone_on_from(database: &Database) {
    let script =
        |last: &str| format!("-- windlass: no-transaction\nCREATE TABLE n (n int);\nVACUUM;\n{last};");
    let endless = "INSERT INTO n WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c) SELECT max(i) FROM c";
    let project = Project::new(database, &[("1_long", &script(endless))]);
    let child = project.command(&["deploy"]).spawn().expect("the binary runs");
    let waiting = Waiting::for_this("it is in its last statement");
    while database.value("SELECT count(*) FROM sqlite_schema WHERE name = '_windlass_migrations'").await
        != "1"
        || database.value("SELECT completed FROM _windlass_migrations").await != "2"
    {
        waiting.pause().await;
    }
    let process = process_of(&child);
    kill(process, Signal::SIGKILL).expect("killed");
    waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("it has ended");
    project.migration("1_long", &script("INSERT INTO n VALUES (7)"));
    project.run(&["deploy", "--lock-wait", "1s"]).await.code(0);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "7");
    assert_eq!(project.ended(child).await.code, None);
}

async fn a_copy_made_while_the_process_stands_still_is_gone_on_from(database: &Database) {
    let files = ["", "-journal", "-wal"].map(|ending| database.folder().join(format!("test.db{ending}")));
    let copies = files.clone().map(|file| file.with_extension(format!("{}.copy", ending_of(&file))));
    at_random_moments(database, "file copied", |child| {
        let process = process_of(child);
        let _ = kill(process, Signal::SIGSTOP);
        // It stands still, or has come to its end before: its status is left for its owner then.
        let _ = waitid(Id::Pid(process), WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        for (file, copy) in files.iter().zip(&copies) {
            let _ = std::fs::remove_file(copy);
            if file.exists() {
                std::fs::copy(file, copy).expect("a copy");
            }
        }
        end(child);
        let _ = std::fs::remove_file(database.folder().join("test.db-shm"));
        for (file, copy) in files.iter().zip(&copies) {
            let _ = std::fs::remove_file(file);
            let _ = std::fs::rename(copy, file);
        }
    })
    .await;
}

async fn a_process_that_ends_at_any_call_is_gone_on_from(database: &Database) {
    let (set, extent) = (FaultSet::prepare(database).await, Extent::of_run());
    let mut tally = Tally::of(&database.target().name, "process ended");
    for point in 1.. {
        if !extent.has(point) {
            continue;
        }
        let ended = harness::ends_at(point, &set.folder, database);
        let ending = set.judge(database).await;
        database.empty().await;
        tally.count(&format!("point {point}"), ending);
        if ended.success() {
            break;
        }
    }
    assert!(tally.points() > 50 || extent.is_part(), "{tally:?}");
    tally.close();
}

/// The server dies under the deploy, and starts again on what it had written.
async fn a_killed_server_is_gone_on_from(database: &Database) {
    let mut server = Expendable::like(database.target());
    let database = Database::create(server.target()).await;
    let set = FaultSet::prepare(&database).await;
    let began = Instant::now();
    harness::deploy(&mut *database.connect().await, &set.migrations).await.expect("an undisturbed run");
    let whole = began.elapsed();
    database.empty().await;
    let mut tally = Tally::of(&database.target().name, "server killed");
    let mut random = Random::named(&format!("{} server killed", database.target().name));
    println!("{}: server killed within {whole:?}, drawn from {}", database.target().name, random.seed());
    let extent = Extent::of_run();
    for number in 0..extent.of(SERVER_MOMENTS.0, SERVER_MOMENTS.1) {
        let moment = random.moment(whole);
        if !extent.has(number) {
            continue;
        }
        let deploying = harness::start(database.connect().await, set.migrations.clone());
        tokio::time::sleep(moment).await;
        server.kill();
        let ended = deploying.await.expect("a thread");
        let ending = set.judge(&database).await;
        database.empty().await;
        tally.count(&format!("after {moment:?}, which ended it with {ended:?}"), ending);
    }
    tally.close();
}

/// Disturbs the command at moments drawn from the time that it takes undisturbed.
async fn at_random_moments(database: &Database, fault: &'static str, disturb: impl Fn(&mut Child)) {
    let set = FaultSet::prepare(database).await;
    let project = Project::new(database, &[]);
    // Built before the time is taken.
    harness::binary();
    let began = Instant::now();
    let status = start(&project, &set.folder).wait().expect("an end");
    assert!(status.success(), "an undisturbed run: {status}");
    let whole = began.elapsed();
    database.empty().await;
    let mut tally = Tally::of(&database.target().name, fault);
    let mut random = Random::named(&format!("{} {fault}", database.target().name));
    println!("{}: {fault} within {whole:?}, drawn from {}", database.target().name, random.seed());
    let extent = Extent::of_run();
    for number in 0..extent.of(MOMENTS.0, MOMENTS.1) {
        let moment = random.moment(whole);
        if !extent.has(number) {
            continue;
        }
        let ending = disturbed(database, &set, &project, moment, &disturb).await;
        tally.count(&format!("after {moment:?}"), ending);
    }
    tally.close();
}

async fn disturbed(
    database: &Database,
    set: &FaultSet,
    project: &Project<'_>,
    moment: Duration,
    disturb: &impl Fn(&mut Child),
) -> Result<Ending, String> {
    let mut child = start(project, &set.folder);
    tokio::time::sleep(moment).await;
    disturb(&mut child);
    let ending = set.judge(database).await;
    database.empty().await;
    ending
}

fn start(project: &Project<'_>, folder: &Path) -> Child {
    let folder = folder.display().to_string();
    let mut command = project.command(&["deploy", "--dir", &folder]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the binary runs")
}

fn process_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process number"))
}

/// Kills it, and waits until it is gone.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn ending_of(file: &Path) -> String {
    file.extension().unwrap_or_default().to_string_lossy().into_owned()
}
