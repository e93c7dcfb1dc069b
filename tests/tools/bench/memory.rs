//! (e) The peak of memory of each, in processes of their own.

use crate::applying::{self, Onto};
use crate::child::{self, CHILD};
use crate::measure::{Aim, Line, quantile};
use crate::scripts::{self, Lying};
use crate::session::Place;
use crate::splitting::{BYTES, DIALECTS};
use crate::{floor, up_to_date};
use harness::{Database, Target};
use std::{env, fs};

const LENGTH: usize = 5_000;
const ROUNDS: usize = 3;

/// Measures every kind of work on one target.
pub(crate) async fn measure(target: &Target, print: &mut impl FnMut(Line)) {
    let database = Database::create(target).await;
    let place = Place::of(&database);
    up_to_date::applied(&place, LENGTH).await;
    let windlass = [child::own("current-embedded", &place), vec![LENGTH.to_string()]].concat();
    print(line("(e) 5,000 applied, embedded", &target.name, &child::current_floor(&place, None), &windlass));
    for lying in Lying::ALL {
        let dir = database.folder().join(lying.word());
        scripts::write(&dir, lying, LENGTH);
        let floor = child::current_floor(&place, Some((&dir, lying)));
        let library = [child::own("current", &place), vec![dir.display().to_string()]].concat();
        print(line(&format!("(e) 5,000 applied, from {}", lying.word()), &target.name, &floor, &library));
        let cli = child::cli_deploy(&place, &dir);
        print(line(
            &format!("(e) 5,000 applied, from {}, process", lying.word()),
            &target.name,
            &floor,
            &cli,
        ));
    }
    database.drop().await;
    for (onto, word) in [(Onto::Empty, "empty"), (Onto::History, "history")] {
        let floor = peak_of_floor(target, onto, word).await;
        let windlass = peak_of_windlass(target, onto).await;
        let case = match onto {
            Onto::Empty => "(e) 1,000 onto an empty database",
            Onto::History => "(e) 1,000 onto one with history",
        };
        print(of(case, &target.name, floor, windlass));
    }
}

/// Measures splitting, in every dialect.
pub(crate) fn measure_splitting(print: &mut impl FnMut(Line)) {
    let folder = tempfile::tempdir().expect("a folder");
    let own = env::current_exe().expect("this program's path").display().to_string();
    for (dialect, name) in DIALECTS {
        let path = folder.path().join(name);
        fs::write(&path, scripts::long(dialect, BYTES)).expect("a file");
        let path = path.display().to_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let floor = words(&[&own, CHILD, "split-floor", &path]);
        let windlass = words(&[&own, CHILD, "split", name, &path]);
        print(line("(e) splitting 50 MB; floor: a copy", name, &floor, &windlass));
    }
}

async fn peak_of_floor(target: &Target, onto: Onto, word: &str) -> f64 {
    let database = Database::create(target).await;
    let place = Place::of(&database);
    if onto == Onto::History {
        floor::begin_history(&place, applying::BEFORE).await;
    }
    let peak = child::peak(&[child::own("apply-floor", &place), vec![word.to_owned()]].concat());
    database.drop().await;
    peak
}

async fn peak_of_windlass(target: &Target, onto: Onto) -> f64 {
    let database = Database::create(target).await;
    let place = Place::of(&database);
    let before = applying::prepare(&place, onto).await;
    let peak = child::peak(&[child::own("apply", &place), vec![before.to_string()]].concat());
    database.drop().await;
    peak
}

fn line(case: &str, target: &str, floor: &[String], windlass: &[String]) -> Line {
    let peaks =
        |words: &[String]| quantile(&(0..ROUNDS).map(|_| child::peak(words)).collect::<Vec<_>>(), 0.5);
    of(case, target, peaks(floor), peaks(windlass))
}

fn of(case: &str, target: &str, floor: f64, windlass: f64) -> Line {
    let (case, target) = (case.to_owned(), target.to_owned());
    let ratio = windlass / floor;
    Line { case, target, unit: "MB", floor, windlass, ratio, spread: None, aim: Aim::None, trips: None }
}
