//! The cross-database suite: every scenario on every database that makes the promise.

mod adopting;
mod checking;
mod classifying;
mod command;
mod contending;
mod cutting;
mod deploying;
mod diagnosing;
mod doctoring;
mod drifting;
mod engines;
mod failing;
mod hostile;
mod hygiene;
mod indexes;
mod killing;
mod lending;
mod markers;
mod orphans;
mod policies;
mod pooling;
mod racing;
mod reading;
mod rebuilding;
mod recording;
mod refusing;
mod repeating;
mod sessions;
mod shadowing;
mod transactions;
mod unlocking;
mod waiting;
mod wiring;

fn main() {
    let scenarios = [
        adopting::all(),
        checking::all(),
        classifying::all(),
        command::all(),
        contending::all(),
        cutting::all(),
        deploying::all(),
        diagnosing::all(),
        doctoring::all(),
        drifting::all(),
        engines::all(),
        failing::all(),
        hostile::all(),
        hygiene::all(),
        indexes::all(),
        killing::all(),
        lending::all(),
        markers::all(),
        orphans::all(),
        policies::all(),
        pooling::all(),
        racing::all(),
        reading::all(),
        rebuilding::all(),
        recording::all(),
        refusing::all(),
        repeating::all(),
        sessions::all(),
        shadowing::all(),
        transactions::all(),
        unlocking::all(),
        waiting::all(),
        wiring::all(),
    ];
    harness::run_suite(scenarios.into_iter().flatten().collect());
}
