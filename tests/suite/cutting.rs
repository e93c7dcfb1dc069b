//! Cutting: the connection is lost at every request in turn, and the next deploys go on from what is true.

use harness::{
    Cut, Database, Ending, Extent, FaultSet, Moment, Proxy, Random, Tally, Target, deploy, targets,
};

harness::scenarios!(
    on [Postgres, MySql, MariaDb]: a_connection_cut_at_any_request_is_gone_on_from;
);

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::Within, Moment::After];

/// How many pairs of cuts are tried besides, each the second one in the recovery from the first.
const PAIRS: (usize, usize) = (6, 200);

/// How many undisturbed runs are counted.
const UNDISTURBED: usize = 3;

async fn a_connection_cut_at_any_request_is_gone_on_from(database: &Database) {
    let (set, extent) = (FaultSet::prepare(database).await, Extent::of_run());
    let proxy = Proxy::cutting(&database.target().url, database.target().family);
    let requests = requests(database, &set, &proxy).await;
    let mut tally = Tally::of(&database.target().name, "connection cut");
    let mut random = Random::named(&database.target().name);
    let every = if is_newest(database) { 1 } else { 4 };
    let cuts = (1..=requests).flat_map(|request| MOMENTS.map(|moment| Cut { request, moment }));
    for (number, cut) in cuts.enumerate() {
        // A sample has every request too, at one of its moments, and every fourth on an older server.
        let request = number / 3;
        let of_sample = (number as u64 + random.seed()) % 3 == request as u64 % 3
            && (request as u64 + random.seed()).is_multiple_of(every);
        let drawn = extent.is_full || of_sample;
        if drawn && extent.has(number) {
            let ending = cut_and_judged(database, &set, &proxy, &[cut]).await;
            tally.count(&format!("{cut:?}"), ending);
        }
    }
    let mut any = || Cut {
        request: 1 + usize::try_from(random.below(requests as u64)).expect("a number"),
        moment: MOMENTS[usize::try_from(random.below(3)).expect("a number")],
    };
    for number in 0..extent.of(PAIRS.0, PAIRS.1) {
        let cuts = [any(), any()];
        if !extent.has(number) {
            continue;
        }
        let ending = cut_and_judged(database, &set, &proxy, &cuts).await;
        tally.count(&format!("{cuts:?}"), ending);
    }
    assert!(tally.points() > 0);
    tally.close();
}

/// Whether the run has no newer server of this product.
fn is_newest(database: &Database) -> bool {
    let target = database.target();
    let all = targets().expect("the run's targets");
    let of_its_kind = |other: &&Target| (other.family, other.over_sqlx) == (target.family, target.over_sqlx);
    all.iter().rfind(of_its_kind).is_none_or(|newest| newest.name == target.name)
}

/// How many requests every undisturbed run makes: one that meets a slow server asks more often what it waits for.
async fn requests(database: &Database, set: &FaultSet, proxy: &Proxy) -> usize {
    let mut least = usize::MAX;
    for _ in 0..UNDISTURBED {
        proxy.arm(Cut { request: usize::MAX, moment: Moment::Before });
        let mut session = database.try_connect(&proxy.url(&database.url())).await.expect("a session");
        deploy(&mut *session, &set.migrations).await.expect("an undisturbed run");
        drop(session);
        proxy.disarm();
        database.empty().await;
        least = least.min(proxy.requests());
    }
    least
}

/// Each cut is in a deploy of its own, the later ones in what would have gone on from the earlier ones.
async fn cut_and_judged(
    database: &Database,
    set: &FaultSet,
    proxy: &Proxy,
    cuts: &[Cut],
) -> Result<Ending, String> {
    for (number, cut) in cuts.iter().enumerate() {
        proxy.arm(*cut);
        // The login itself makes requests.
        if let Ok(mut session) = database.try_connect(&proxy.url(&database.url())).await {
            let _ = deploy(&mut *session, &set.migrations).await;
        }
        if !proxy.disarm() && number == 0 {
            return Err("there was no such request".to_owned());
        }
    }
    let ending = set.judge(database).await;
    database.empty().await;
    ending
}
