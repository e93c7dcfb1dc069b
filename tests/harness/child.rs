//! Deploys in a process of their own, which ends at a moment that only it can tell: within a driver's call.

use crate::{Database, Session};
use async_trait::async_trait;
use nix::sys::signal::{Signal, raise};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use windlass_core::driver::{
    Capabilities, Cause, Driver, DriverError, Ending, Failure, Head, Holder, Inspection, Lock, Patience, Run,
    Watch,
};
use windlass_core::plan::Step;
use windlass_core::source::Migrations;
use windlass_core::sql::classify::ObjectName;

/// Number of the point, folder of the migrations, path of the SQLite database.
const VARIABLES: [&str; 3] = ["WINDLASS_CHILD_POINT", "WINDLASS_CHILD_DIR", "WINDLASS_CHILD_FILE"];

/// Runs a deploy that kills its own process at this point, counted from 1; it ends well where there is none.
pub fn ends_at(point: usize, folder: &Path, database: &Database) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().expect("the test's own path"));
    let file = database.folder().join("test.db");
    let values = [point.to_string(), folder.display().to_string(), file.display().to_string()];
    command.envs(VARIABLES.iter().zip(values)).stdin(Stdio::null()).stdout(Stdio::null());
    command.status().expect("a process")
}

/// Whether this process is one of those; it has run then.
pub(crate) fn was_asked() -> bool {
    let asked = VARIABLES.map(|name| std::env::var(name).ok());
    let [Some(point), Some(folder), Some(file)] = asked else { return false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let migrations = Migrations::from_dir(Path::new(&folder)).expect("the set");
        let options = windlass_sqlite::Options::parse(&format!("sqlite:{file}")).expect("a URL");
        let session = windlass_sqlite::Sqlite::connect(&options.create_database(true)).expect("a session");
        let mut dying = Dying { inner: Box::new(session), left: point.parse().expect("a point") };
        crate::deploy(&mut dying, &migrations).await.expect("an undisturbed run");
    });
    true
}

/// A driver whose process dies before or after one of its calls, or before or after a step within one.
struct Dying {
    inner: Session,
    left: usize,
}

impl Dying {
    fn point(&mut self) {
        count_down(&mut self.left);
    }
}

fn count_down(left: &mut usize) {
    *left -= 1;
    if *left == 0 {
        let _ = raise(Signal::SIGKILL);
    }
}

struct DyingWatch<'a> {
    inner: &'a mut dyn Watch,
    left: &'a mut usize,
}

impl Watch for DyingWatch<'_> {
    fn starts(&mut self, step: usize) {
        count_down(self.left);
        self.inner.starts(step);
    }
    fn ends(&mut self, step: usize) {
        count_down(self.left);
        self.inner.ends(step);
    }
    fn touched(&mut self, step: usize, rows: u64) {
        self.inner.touched(step, rows);
    }
    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }
    fn waits(&mut self, step: usize, holder: &Holder) -> Patience {
        self.inner.waits(step, holder)
    }
}

#[async_trait]
impl Driver for Dying {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        self.point();
        let answer = self.inner.head().await;
        self.point();
        answer
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        self.point();
        let answer = self.inner.inspect().await;
        self.point();
        answer
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        self.point();
        let mut watch = DyingWatch { inner: watch, left: &mut self.left };
        let answer = self.inner.perform(run, steps, &mut watch).await;
        self.point();
        answer
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        self.point();
        let answer = self.inner.count_rows(tables).await;
        self.point();
        answer
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        self.point();
        let answer = self.inner.try_lock().await;
        self.point();
        answer
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        self.point();
        let answer = self.inner.unlock().await;
        self.point();
        answer
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        self.inner.lock_holder().await
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        self.inner.end_lock_holder(session).await
    }

    async fn sleep(&mut self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
}
