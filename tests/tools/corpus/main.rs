//! Deploys whole histories, and holds each against what the database's own client makes of the same files.
//!
//! `corpus DIR [NAME…]`: every folder below DIR is a history, and its name says for which database
//! (`-pg-`, `-my-`, `-sq-`). Databases and client programs come from the environment, as `cargo xtask
//! corpus` gives them.

mod client;
mod history;
mod trial;

use harness::{Target, targets};
use history::History;
use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use trial::Verdict;

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
            println!("{} passed, {} failed", counts.passed, counts.failed);
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
                    tell(&history, &target, &verdict, &mut unpoisoned(&counts));
                }
            });
        }
    });
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
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

fn tell(history: &History, target: &Target, verdict: &Verdict, counts: &mut Counts) {
    let name = &history.name;
    let line = match verdict {
        Verdict::Equal(words) => format!("ok    {name} on {target}: {words}"),
        Verdict::BothRefused(words) => format!("ok (both fail) {name} on {target}: {words}"),
        Verdict::Failed(words) => format!("FAIL  {name} on {target}: {}", words.replace('\n', "\n      ")),
    };
    match verdict {
        Verdict::Failed(_) => counts.failed += 1,
        Verdict::Equal(_) | Verdict::BothRefused(_) => counts.passed += 1,
    }
    println!("{line}");
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
