//! Traces: a deploy, its migrations and their statements as spans, for whoever collects them. What may hold a secret is
//! in no field.

use super::Verdict;
use crate::apply::{DeployError, Event, Observer, Report};
use crate::driver::Capabilities;
use crate::source::Migrations;
use tracing::instrument::Instrumented;
use tracing::{Instrument as _, Span};

/// A deploy's own span.
pub(super) struct DeploySpan(Span);

impl DeploySpan {
    pub(super) fn begin(database: &Capabilities, migrations: &Migrations) -> Self {
        Self(tracing::info_span!(
            "deploy",
            database = %database.product,
            migrations = migrations.len(),
            applied = tracing::field::Empty,
        ))
    }

    /// Runs a future within it.
    pub(super) fn around<F: Future>(&self, future: F) -> Instrumented<F> {
        future.instrument(self.0.clone())
    }

    /// An observer that opens and closes the spans below it, and tells another one all that it is told.
    pub(super) fn observer<'o>(&self, inner: &'o mut dyn Observer) -> Spans<'o> {
        Spans { deploy: self.0.clone(), migration: None, statement: None, inner }
    }

    pub(super) fn ends(&self, result: &Result<Report, DeployError>) {
        match result {
            Ok(report) => drop(self.0.record("applied", report.applied.len())),
            Err(error) => tracing::error!(parent: &self.0, %error, "the deploy ended before its end"),
        }
    }
}

/// The spans below a deploy's.
pub(super) struct Spans<'o> {
    deploy: Span,
    migration: Option<(String, Span)>,
    statement: Option<Span>,
    inner: &'o mut dyn Observer,
}

impl Spans<'_> {
    fn migration(&mut self, name: &str) -> &Span {
        if self.migration.as_ref().is_none_or(|(open, _)| open != name) {
            let span = tracing::info_span!(parent: &self.deploy, "migration", name);
            self.migration = Some((name.to_owned(), span));
        }
        self.migration.as_ref().map_or(&self.deploy, |(_, span)| span)
    }
}

impl Observer for Spans<'_> {
    fn event(&mut self, event: Event<'_>) {
        match &event {
            Event::Waiting { holder, waited } => {
                let who = holder.who.as_deref().unwrap_or_default();
                tracing::debug!(parent: &self.deploy, who, ?waited, "another session holds the lock");
            }
            Event::Remark(remark) => tracing::info!(parent: &self.deploy, "{remark}"),
            Event::StatementStarts(execute) => {
                let (number, of) = (execute.number, execute.of);
                let file = execute.migration.up().origin().to_owned();
                let migration = self.migration(execute.migration.name());
                let span = tracing::info_span!(
                    parent: migration, "statement", number, of, file, line = execute.line,
                    sql = execute.summary(80)
                );
                self.statement = Some(span);
            }
            Event::StatementEnds(_) => self.statement = None,
            Event::Applied { name, elapsed } => {
                let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(parent: &self.deploy, name, elapsed_ms, "applied");
                self.migration = None;
            }
            _ => {}
        }
        self.inner.event(event);
    }
}

/// The compiler does not know of an added file by itself: who develops is told when the program runs.
pub(super) fn warn_of_what_is_not_compiled_in(migrations: &Migrations) {
    match migrations.not_compiled_in() {
        Ok(names) if names.is_empty() => {}
        Ok(names) => tracing::warn!(
            migrations = names.join(", "),
            "the folder holds migrations that this program was compiled without: touch a source file, \
             or let a build script print cargo:rerun-if-changed"
        ),
        Err(error) => tracing::warn!(%error, "the folder of migrations has changed since it was compiled in"),
    }
}

pub(super) fn waits_until_current(verdict: &Verdict) {
    tracing::debug!(%verdict, "waiting until the database is current");
}
