//! Deploys whole histories, and holds each against what the database's own client makes of the same files, and the schema
//! as windlass reads it against that after a replay, after a dump and on another major version.
//!
//! `corpus DIR [NAME…]`: every folder below DIR is a history, and its name says for which database
//! (`-pg-`, `-my-`, `-sq-`). Databases and client programs come from the environment, as `cargo xtask
//! corpus` gives them.

mod client;
mod history;
mod round;
mod trial;

use harness::{Target, targets};
use history::History;
use round::{Came, Rounds, Way, majors};
use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use trial::Verdict;
use windlass_core::schema::Schema;

/// Trials that run at one time.
const AT_ONCE: usize = 2;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(dir) = arguments.next() else {
        eprintln!("usage: corpus DIR [NAME…]");
        return ExitCode::from(2);
    };
    let names: Vec<String> = arguments.collect();
    match run(Path::new(&dir), &names) {
        Ok(counts) => {
            println!("{}\n{} passed, {} failed", counts.rounds, counts.passed, counts.failed);
            if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    rounds: Rounds,
    schemas: Vec<(String, Target, Schema)>,
}

fn run(dir: &Path, names: &[String]) -> Result<Counts, String> {
    let trials = trials(&History::below(dir, names)?, &targets()?)?;
    let waiting = Mutex::new(trials);
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((history, target)) = unpoisoned(&waiting).pop_front() {
                    let verdict = verdict(&history, &target);
                    tell(&history, &target, verdict, &mut unpoisoned(&counts));
                }
            });
        }
    });
    let mut counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    counts.schemas.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    for (what, came) in majors(&counts.schemas) {
        let words = counts.rounds.count(Way::Major, &came);
        counts.failed += usize::from(matches!(came, Came::Differs(_)));
        println!("{what}: {}", words.replace('\n', "\n      "));
    }
    Ok(counts)
}

/// Every history on every target of its kind.
fn trials(histories: &[History], targets: &[Target]) -> Result<VecDeque<(History, Target)>, String> {
    let mut trials = VecDeque::new();
    for history in histories {
        let mut its_own = targets.iter().filter(|target| history.kind.runs_on(target.family)).peekable();
        if its_own.peek().is_none() {
            println!("left out {}: no target of its kind was chosen", history.name);
        }
        trials.extend(its_own.map(|target| (history.clone(), target.clone())));
    }
    match trials.is_empty() {
        true => Err("no history can be deployed: wrong folder, or no target of its kind".to_owned()),
        false => Ok(trials),
    }
}

/// Runs a trial; one that panics has failed.
fn verdict(history: &History, target: &Target) -> Verdict {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let (history, target) = (history.clone(), target.clone());
    let trial = async move { trial::run(&history, &target).await };
    runtime.block_on(async {
        tokio::spawn(trial).await.unwrap_or_else(|error| Verdict::Failed(error.to_string()))
    })
}

fn tell(history: &History, target: &Target, verdict: Verdict, counts: &mut Counts) {
    let name = &history.name;
    let (mark, words) = match verdict {
        Verdict::Equal(words, schema, ways) => {
            let differs = ways.iter().any(|(_, came)| matches!(came, Came::Differs(_)));
            let ways = ways.iter().map(|(way, came)| counts.rounds.count(*way, came));
            let words = std::iter::once(words).chain(ways).collect::<Vec<_>>().join("; ");
            counts.schemas.push((name.clone(), target.clone(), schema));
            (if differs { "FAIL " } else { "ok   " }, words)
        }
        Verdict::BothRefused(words) => ("ok (both fail)", words),
        Verdict::Failed(words) => ("FAIL ", words),
    };
    match mark {
        "FAIL " => counts.failed += 1,
        _ => counts.passed += 1,
    }
    println!("{mark} {name} on {target}: {}", words.replace('\n', "\n      "));
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
