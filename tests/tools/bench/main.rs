//! `bench`: windlass beside the least that can be right, in one run, as ratios.
//!
//! `cargo xtask bench` provides the servers and calls it. Words on the command line are the parts to run, from `a`
//! to `f`; none means all. A line above its aim ends with a mark.

mod applying;
mod child;
mod drifting;
mod floor;
mod measure;
mod memory;
mod scripts;
mod session;
mod splitting;
mod up_to_date;

use applying::Onto;
use measure::{Line, heading, told};
use std::env;
use std::process::ExitCode;

const PARTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if let Some((child::CHILD, work)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        runtime.block_on(child::work(work));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = words.iter().find(|word| !PARTS.contains(&word.as_str())) {
        eprintln!("there is no part `{unknown}`: they are {}", PARTS.join(", "));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: its ratios say nothing about a release");
    }
    let chosen = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    match runtime.block_on(run(&chosen)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(missing) => {
            eprintln!("{missing}");
            ExitCode::FAILURE
        }
    }
}

async fn run(chosen: &impl Fn(&str) -> bool) -> Result<(), String> {
    let targets = harness::targets()?;
    let mut print = |line: Line| println!("{}", told(&line));
    println!("SQLite's files are in {}", env::temp_dir().display());
    println!("ratio: the median of rounds in turn, and their middle half; floor and windlass: medians");
    println!(
        "trips: round trips on the wire until connected + after, the floor's and windlass'; ◄ above the aim\n"
    );
    println!("{}", heading());
    for target in targets.iter().filter(|_| chosen("a")) {
        up_to_date::measure(target, &mut print).await;
    }
    for (part, onto) in [("b", Onto::Empty), ("c", Onto::History)] {
        for target in targets.iter().filter(|_| chosen(part)) {
            print(applying::measure(target, onto).await);
        }
    }
    if chosen("d") {
        splitting::measure(&mut print).await;
    }
    if chosen("e") {
        for target in &targets {
            memory::measure(target, &mut print).await;
        }
        memory::measure_splitting(&mut print);
    }
    for target in targets.iter().filter(|_| chosen("f")) {
        drifting::measure(target, &mut print).await;
    }
    Ok(())
}
