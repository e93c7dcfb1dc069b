//! (a) A deploy with nothing to do: embedded, from a folder, and as a whole process.

use crate::child;
use crate::measure::{Aim, Line, alternate};
use crate::scripts::{self, Lying};
use crate::session::{Place, deploys, run};
use harness::{Database, Target};
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
    line.trips = place
        .trips(async |raw| _ = raw.newest().await, async |session| _ = deploys(session, migrations).await)
        .await;
    line
}

async fn look(place: &Place) {
    assert_eq!(place.raw().await.newest().await.len(), 64);
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
