//! Child processes: a whole process to be timed, or one whose peak of memory is read.

use crate::applying::{self, Onto};
use crate::scripts::{self, Lying};
use crate::session::{Place, deploys};
use crate::splitting::{self, DIALECTS};
use nix::sys::resource::{UsageWho, getrusage};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};
use windlass_core::source::Migrations;

/// The first word of the command line of a child.
pub(crate) const CHILD: &str = "child";

/// A process that looks at the newest row, and reads the files where there are any.
pub(crate) fn current_floor(place: &Place, files: Option<(&Path, Lying)>) -> Vec<String> {
    let mut words = own("current-floor", place);
    if let Some((dir, lying)) = files {
        words.extend([dir.display().to_string(), lying.word().to_owned()]);
    }
    words
}

/// The `windlass` command.
pub(crate) fn cli_deploy(place: &Place, dir: &Path) -> Vec<String> {
    let own = env::current_exe().expect("this program's path");
    let program =
        env::var_os("WINDLASS_BENCH_CLI").map_or_else(|| own.with_file_name("windlass"), PathBuf::from);
    assert!(program.is_file(), "{} is not built: cargo build --release -p windlass-cli", program.display());
    let words = ["deploy", "--database-url", &place.url, "--dir", &dir.display().to_string()];
    std::iter::once(program.display().to_string()).chain(words.map(str::to_owned)).collect()
}

/// Another process of this program.
pub(crate) fn own(work: &str, place: &Place) -> Vec<String> {
    let [family, url] = place.words();
    let program = env::current_exe().expect("this program's path").display().to_string();
    vec![program, CHILD.to_owned(), work.to_owned(), family, url]
}

/// Runs a process to its end; it must end well.
pub(crate) fn run_quietly(words: &[String]) {
    let output = command(words).output().expect("a process");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

/// The peak of a process's memory, in megabytes.
pub(crate) fn peak(words: &[String]) -> f64 {
    // A process between this one and the measured one: a child's peak begins at its parent's size.
    let own = env::current_exe().expect("this program's path").display().to_string();
    let between = [own, CHILD.to_owned(), "peak".to_owned()];
    let output = command(&[&between, words].concat()).output().expect("a process");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let kilobytes = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    kilobytes.expect("a number of kilobytes") / 1_024.0
}

/// What a child does, by its command line after [`CHILD`].
pub(crate) async fn work(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["peak", rest @ ..] => {
            run_quietly(&rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children");
            println!("{}", usage.max_rss());
        }
        ["split-floor", script] => {
            splitting::floor(&fs::read_to_string(script).expect("a script"));
        }
        ["split", dialect, script] => {
            let (dialect, _) = DIALECTS.into_iter().find(|(_, name)| name == dialect).expect("a dialect");
            splitting::windlass(dialect, &fs::read_to_string(script).expect("a script"));
        }
        [work, family, url, rest @ ..] => on_a_database(work, &Place::read(family, url), rest).await,
        _ => panic!("not for use by hand"),
    }
}

async fn on_a_database(work: &str, place: &Place, rest: &[&str]) {
    match (work, rest) {
        ("current-floor", []) => _ = place.raw().await.newest().await,
        ("current-floor", [dir, lying]) => {
            let lying = Lying::ALL.into_iter().find(|known| known.word() == *lying).expect("a way to lie");
            scripts::read(Path::new(dir), lying);
            place.raw().await.newest().await;
        }
        ("current", [dir]) => {
            let migrations = Migrations::scripts_from_dir(dir).expect("a folder");
            assert_eq!(deploys(&mut *place.windlass().await, &migrations).await, 0);
        }
        ("current-embedded", [length]) => {
            let migrations = scripts::embedded(length.parse().expect("a length"));
            assert_eq!(deploys(&mut *place.windlass().await, &migrations).await, 0);
        }
        ("apply-floor", [onto]) => applying::floor_apply(place, read_onto(onto)).await,
        ("apply", [before]) => {
            let before: usize = before.parse().expect("a number");
            let migrations = scripts::embedded(before + applying::COUNT);
            assert_eq!(deploys(&mut *place.windlass().await, &migrations).await, applying::COUNT);
        }
        _ => panic!("not for use by hand: {work} {rest:?}"),
    }
}

fn read_onto(word: &str) -> Onto {
    if word == "empty" { Onto::Empty } else { Onto::History }
}
