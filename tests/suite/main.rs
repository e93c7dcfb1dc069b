//! The cross-database suite: every scenario on every database that makes the promise.

mod deploying;
mod failing;
mod policies;

fn main() {
    let scenarios = [deploying::all(), failing::all(), policies::all()];
    harness::run_suite(scenarios.into_iter().flatten().collect());
}
