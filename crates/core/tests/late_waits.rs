//! A statement that waits only after its work: what the loop makes of a wait that took far longer than it may.

use async_trait::async_trait;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use windlass_core::apply::{DeployError, DeployOptions, Silent, Stop, deploy};
use windlass_core::driver::{
    Capabilities, Cause, Ddl, Driver, DriverError, Ending, Failure, Grouping, Head, Holder, Inspection, Lock,
    Product, Run, Sessions, Watch,
};
use windlass_core::history::State;
use windlass_core::plan::Step;
use windlass_core::sim::{Fault, Mode, SimDatabase, SimDriver};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::ObjectName;

/// A simulated session whose definitions take their time before they are refused or done.
struct Slow {
    sim: SimDriver,
    work: Duration,
}

#[async_trait]
impl Driver for Slow {
    fn capabilities(&self) -> &Capabilities {
        self.sim.capabilities()
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        self.sim.head().await
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        self.sim.inspect().await
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        let result = self.sim.perform(run, steps, watch).await;
        if result.is_err() {
            std::thread::sleep(self.work);
        }
        result
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        self.sim.count_rows(tables).await
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        self.sim.try_lock().await
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        self.sim.unlock().await
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        self.sim.lock_holder().await
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        self.sim.end_lock_holder(session).await
    }

    async fn sleep(&mut self, _: Duration) {}
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated future waited"),
    }
}

/// Deploys one definition whose call is refused once, for others hold what it needs, after so much work.
fn deployed_after(work: Duration) -> (SimDatabase, Result<usize, DeployError>) {
    let capabilities = Capabilities {
        product: Product::MySql,
        version: "9".to_owned(),
        dialect: Dialect::MySql,
        ddl: Ddl::ImplicitCommit,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    };
    let set = Migrations::from_scripts([("1_a.sql", "ALTER TABLE a ADD n int")]).expect("a migration");
    // Head, lock, inspection; then the history, the claim, the limit, and the statement.
    let faults = vec![Fault { call: 6, mode: Mode::Busy }];
    let database = SimDatabase::new();
    let mut driver = Slow { sim: database.connect(capabilities, faults), work };
    let mut options = DeployOptions::new(Run::new("a", "b"));
    options.plan.waits.lock_timeout = Some(Duration::from_millis(100));
    let result = ready(deploy(&mut driver, &set, &options, &mut Silent, &Stop::new()));
    (database, result.map(|report| report.applied.len()))
}

#[test]
fn a_wait_at_the_end_of_long_work_is_not_repeated_in_silence() {
    let (database, result) = deployed_after(Duration::from_millis(3_100));
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:?}") };
    assert!(failed.error.message.contains("after 3 s of work that is lost"), "{failed:?}");
    assert!(failed.error.hint.as_ref().is_some_and(|hint| hint.contains("lock-timeout 60s")), "{failed:?}");
    let attempts = database.attempts();
    assert_eq!(attempts[0].state(), State::RolledBack, "the next deploy tries again: {attempts:?}");
    assert_eq!(database.effects(), [""; 0]);
}

#[test]
fn a_wait_without_work_is_repeated() {
    let (database, result) = deployed_after(Duration::from_millis(1));
    assert_eq!(result.ok(), Some(1));
    assert_eq!(database.effects(), ["ALTER TABLE a ADD n int"]);
}
