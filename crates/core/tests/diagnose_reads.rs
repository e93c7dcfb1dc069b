//! How often a diagnosis reads a database: what was kept once, and what is there once besides, whatever is looked at.

use async_trait::async_trait;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use windlass_core::apply::{DeployOptions, baseline, diagnose};
use windlass_core::driver::{
    Capabilities, Cause, Ddl, Driver, DriverError, Ending, Failure, Grouping, Head, Holder, Inspection, Lock,
    Product, Run, Sessions, Watch,
};
use windlass_core::plan::Step;
use windlass_core::schema::{Look, Schema};
use windlass_core::sim::{SimDatabase, SimDriver};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::ObjectName;

/// A simulated session whose schema is as it was kept, and which remembers what was asked of it.
struct Asked {
    sim: SimDriver,
    questions: Vec<&'static str>,
}

#[async_trait]
impl Driver for Asked {
    fn capabilities(&self) -> &Capabilities {
        self.sim.capabilities()
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        self.sim.head().await
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        self.questions.push("history");
        self.sim.inspect().await
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        self.sim.perform(run, steps, watch).await
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

    fn keeps_schema(&self) -> bool {
        true
    }

    async fn read_schema(&mut self, grants: bool) -> Result<Schema, DriverError> {
        self.questions.push(if grants { "schema with grants" } else { "schema" });
        Ok(Schema::default())
    }

    async fn look_at_schema(&mut self, grants: bool) -> Result<Look, DriverError> {
        self.questions.push(if grants { "look with grants" } else { "look" });
        Ok(Look::Same)
    }
}

fn session() -> Asked {
    let capabilities = Capabilities {
        product: Product::PostgreSql,
        version: "18".to_owned(),
        dialect: Dialect::Postgres,
        ddl: Ddl::Transactional,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    };
    Asked { sim: SimDatabase::new().connect(capabilities, Vec::new()), questions: Vec::new() }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated future waited"),
    }
}

#[test]
fn what_was_kept_and_what_is_there_are_read_once_each() {
    let migrations = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (n int)")]).expect("a migration");
    for (grants, look) in [(false, "look"), (true, "look with grants")] {
        let (mut session, mut shadow) = (session(), session());
        let recorded = ready(baseline(&mut session, &migrations, &Run::new("a", "b"), "1_a", true));
        assert_eq!(recorded.expect("a baseline"), ["1_a"]);
        session.questions.clear();
        let mut options = DeployOptions::new(Run::new("a", "b"));
        options.drift.grants = grants;
        let told = ready(diagnose(&mut session, Some(&mut shadow), &migrations, &options));
        assert!(
            told.expect("a diagnosis").recorded_unseen.is_none(),
            "what was recorded is held against the schema"
        );
        assert_eq!(session.questions, ["history", look, "schema"]);
    }
}
