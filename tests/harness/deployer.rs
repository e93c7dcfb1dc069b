//! Deployers on threads of their own, and observers that act at a moment they were told.

use crate::{DEADLINE, Family, Session};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use windlass_core::apply::{DeployError, DeployOptions, Event, Observer, Report, Silent, Stop};
use windlass_core::source::Migrations;

/// Starts a deploy on a thread of its own: SQLite's never gives its thread away.
pub fn start(session: Session, migrations: Migrations) -> JoinHandle<Result<Report, DeployError>> {
    start_with(session, migrations, crate::options(), Silent, Stop::new())
}

/// Starts a deploy on a thread of its own.
pub fn start_with(
    mut session: Session,
    migrations: Migrations,
    options: DeployOptions,
    mut observer: impl Observer + 'static,
    stop: Stop,
) -> JoinHandle<Result<Report, DeployError>> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let deploy = windlass_core::apply::deploy(&mut *session, &migrations, &options, &mut observer, &stop);
        runtime.block_on(deploy)
    })
}

/// Asks to stop once a statement with this text was sent.
#[derive(Debug)]
pub struct StopsAt {
    /// What the statement holds.
    pub text: &'static str,
    /// The stop that is asked.
    pub stop: Stop,
}

impl Observer for StopsAt {
    fn event(&mut self, event: Event<'_>) {
        if let Event::StatementStarts(execute) = event
            && execute.sql.contains(self.text)
        {
            self.stop.ask();
        }
    }
}

/// Deployers that wait for one another: whoever is to run something goes on once all others wait for it.
#[derive(Clone, Debug)]
pub struct Meeting {
    others: usize,
    /// PostgreSQL has a whole transaction, and commits it, before the first statement's start is told; on
    /// SQLite the others see nothing before the transaction has begun.
    at: Moment,
    waiting: Arc<AtomicUsize>,
    has_waited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Planned,
    StatementStarts,
}

impl Meeting {
    /// A meeting of so many; each gets a clone.
    pub fn of(deployers: usize, family: Family) -> Self {
        let at = if family == Family::Sqlite { Moment::StatementStarts } else { Moment::Planned };
        Self { others: deployers - 1, at, waiting: Arc::default(), has_waited: false }
    }

    fn wait_for_others(&self) {
        let began = Instant::now();
        while self.waiting.load(Ordering::SeqCst) < self.others {
            assert!(began.elapsed() < DEADLINE, "the others never waited");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Observer for Meeting {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Waiting { .. } | Event::Contended { .. }
                if !std::mem::replace(&mut self.has_waited, true) =>
            {
                self.waiting.fetch_add(1, Ordering::SeqCst);
            }
            Event::Planned(_) if self.at == Moment::Planned => self.wait_for_others(),
            Event::StatementStarts(_) if self.at == Moment::StatementStarts => self.wait_for_others(),
            _ => {}
        }
    }
}
