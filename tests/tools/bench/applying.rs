//! (b) and (c) A thousand migrations of one table each, onto an empty database and onto one with history.

use crate::floor;
use crate::measure::{Aim, Line, Trips, alternate};
use crate::scripts;
use crate::session::{Place, deploys};
use harness::{Database, Family, Proxy, Target};
use std::time::{Duration, Instant};

/// How many migrations are applied.
pub(crate) const COUNT: usize = 1_000;
/// How many stand before, where there is history.
pub(crate) const BEFORE: usize = 10;
const ROUNDS: usize = 7;

/// What the database holds before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onto {
    /// Nothing.
    Empty,
    /// Some migrations and their history.
    History,
}

/// Measures one kind on one target.
pub(crate) async fn measure(target: &Target, onto: Onto) -> Line {
    let rounds = alternate(
        ROUNDS,
        async || in_a_database(target, async |place| floor(place, onto).await).await,
        async || in_a_database(target, async |place| windlass(place, onto).await).await,
    )
    .await;
    let (case, aim) = match (onto, target.family) {
        (Onto::Empty, Family::Postgres | Family::Sqlite) => {
            ("(b) 1,000 onto an empty database", Aim::Ratio(1.2))
        }
        (Onto::Empty, _) => ("(b) 1,000 onto an empty database", Aim::None),
        (Onto::History, _) => ("(c) 1,000 onto one with history", Aim::Ratio(1.2)),
    };
    let mut line = rounds.line(case, &target.name, aim);
    if target.family != Family::Sqlite {
        line.trips = Some(trips(target, onto).await);
    }
    line
}

async fn in_a_database<T>(target: &Target, work: impl AsyncFnOnce(&Place) -> T) -> T {
    let database = Database::create(target).await;
    let done = work(&Place::of(&database)).await;
    database.drop().await;
    done
}

async fn floor(place: &Place, onto: Onto) -> Duration {
    if onto == Onto::History {
        floor::begin_history(place, BEFORE).await;
    }
    let began = Instant::now();
    floor_apply(place, onto).await;
    began.elapsed()
}

/// What the floor applies, in a process of its own or not.
pub(crate) async fn floor_apply(place: &Place, onto: Onto) {
    match onto {
        Onto::Empty => floor::in_one_transaction(place, COUNT).await,
        Onto::History => floor::one_by_one(place, BEFORE + 1..=BEFORE + COUNT).await,
    }
}

async fn windlass(place: &Place, onto: Onto) -> Duration {
    let before = prepare(place, onto).await;
    let migrations = scripts::embedded(before + COUNT);
    let began = Instant::now();
    assert_eq!(deploys(&mut *place.windlass().await, &migrations).await, COUNT);
    began.elapsed()
}

/// Applies what stands before; tells how many that are.
pub(crate) async fn prepare(place: &Place, onto: Onto) -> usize {
    if onto == Onto::Empty {
        return 0;
    }
    deploys(&mut *place.windlass().await, &scripts::embedded(BEFORE)).await
}

async fn trips(target: &Target, onto: Onto) -> [Trips; 2] {
    let floor = in_a_database(target, async |place| {
        if onto == Onto::History {
            floor::begin_history(place, BEFORE).await;
        }
        let proxy = Proxy::before(&place.url);
        let through = Place { url: proxy.url(&place.url), ..place.clone() };
        drop(through.raw().await);
        let connecting = proxy.trips();
        let proxy = Proxy::before(&place.url);
        floor_apply(&Place { url: proxy.url(&place.url), ..place.clone() }, onto).await;
        Trips { connecting, after: proxy.trips() - connecting }
    })
    .await;
    let windlass = in_a_database(target, async |place| {
        let before = prepare(place, onto).await;
        let migrations = scripts::embedded(before + COUNT);
        let proxy = Proxy::before(&place.url);
        let through = Place { url: proxy.url(&place.url), ..place.clone() };
        let mut session = through.windlass().await;
        let connecting = proxy.trips();
        assert_eq!(deploys(&mut *session, &migrations).await, COUNT);
        Trips { connecting, after: proxy.trips() - connecting }
    })
    .await;
    [floor, windlass]
}
