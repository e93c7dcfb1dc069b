//! (a) A deploy with nothing to do: embedded, from a folder, and as a whole process.

use crate::child;
use crate::measure::{Aim, Line, Trips, alternate};
use crate::scripts::{self, Lying};
use crate::session::{Place, deploys, run};
use harness::{Database, Family, Proxy, Target};
use std::path::Path;
use std::time::{Duration, Instant};
use windlass_core::source::Migrations;

const LENGTHS: [usize; 3] = [10, 1_000, 5_000];
const ROUNDS: usize = 41;
const EMBEDDED_ROUNDS: usize = 101;
const PROCESS_ROUNDS: usize = 21;

/// Measures every length in every way on one target.
pub(crate) async fn measure(target: &Target, print: &mut impl FnMut(Line)) {
    for length in LENGTHS {
        let database = Database::create(target).await;
        let place = Place::of(&database);
        let migrations = applied(&place, length).await;
        print(embedded(target, &place, &migrations).await);
        for lying in Lying::ALL {
            let dir = database.folder().join(lying.word());
            scripts::write(&dir, lying, length);
            print(from_folder(target, &place, &dir, lying, length).await);
            print(processes(target, &place, &dir, lying, length).await);
        }
        database.drop().await;
    }
}

/// Records so many migrations as applied: what stands in the history is what counts here.
pub(crate) async fn applied(place: &Place, length: usize) -> Migrations {
    let migrations = scripts::embedded(length);
    let mut session = place.windlass().await;
    let last = scripts::name(length);
    let recorded = windlass_core::apply::baseline(&mut *session, &migrations, &run(), &last, true).await;
    assert_eq!(recorded.expect("a baseline").len(), length);
    migrations
}

async fn embedded(target: &Target, place: &Place, migrations: &Migrations) -> Line {
    let rounds = alternate(
        EMBEDDED_ROUNDS,
        async || {
            let began = Instant::now();
            look(place).await;
            began.elapsed()
        },
        async || {
            let began = Instant::now();
            assert_eq!(deploys(&mut *place.windlass().await, migrations).await, 0);
            began.elapsed()
        },
    )
    .await;
    let case = format!("(a) {} applied, embedded", migrations.len());
    let mut line = rounds.line(&case, &target.name, Aim::Ratio(1.2));
    line.trips = trips(place, migrations).await;
    line
}

async fn look(place: &Place) {
    assert_eq!(place.raw().await.newest().await.len(), 64);
}

/// Counted beside the measured rounds, so that the counting slows nothing down.
async fn trips(place: &Place, migrations: &Migrations) -> Option<[Trips; 2]> {
    if place.family == Family::Sqlite {
        return None;
    }
    let proxy = Proxy::before(&place.url);
    let through = Place { url: proxy.url(&place.url), ..place.clone() };
    let mut raw = through.raw().await;
    let connecting = proxy.trips();
    raw.newest().await;
    let floor = Trips { connecting, after: proxy.trips() - connecting };

    let proxy = Proxy::before(&place.url);
    let through = Place { url: proxy.url(&place.url), ..place.clone() };
    let mut session = through.windlass().await;
    let connecting = proxy.trips();
    deploys(&mut *session, migrations).await;
    Some([floor, Trips { connecting, after: proxy.trips() - connecting }])
}

async fn from_folder(target: &Target, place: &Place, dir: &Path, lying: Lying, length: usize) -> Line {
    let rounds = alternate(
        ROUNDS,
        async || {
            let began = Instant::now();
            scripts::read(dir, lying);
            look(place).await;
            began.elapsed()
        },
        async || {
            let began = Instant::now();
            let migrations = Migrations::scripts_from_dir(dir).expect("a folder");
            assert_eq!(deploys(&mut *place.windlass().await, &migrations).await, 0);
            began.elapsed()
        },
    )
    .await;
    let case = format!("(a) {length} applied, from {}", lying.word());
    rounds.line(&case, &target.name, Aim::Ratio(1.2))
}

async fn processes(target: &Target, place: &Place, dir: &Path, lying: Lying, length: usize) -> Line {
    let floor = child::current_floor(place, Some((dir, lying)));
    let windlass = child::cli_deploy(place, dir);
    let timed = |words: &[String]| -> Duration {
        let began = Instant::now();
        child::run_quietly(words);
        began.elapsed()
    };
    let rounds = alternate(PROCESS_ROUNDS, async || timed(&floor), async || timed(&windlass)).await;
    let case = format!("(a) {length} applied, from {}, process", lying.word());
    rounds.line(&case, &target.name, Aim::None)
}
