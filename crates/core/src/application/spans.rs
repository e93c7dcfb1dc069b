//! Spans: a deploy, its migrations and their statements, for whoever collects traces.

use crate::apply::{Event, Observer};
use tracing::Span;

/// Opens and closes spans beside an observer. What may hold a secret is not in any field.
pub(super) struct Spans<'o> {
    deploy: Span,
    migration: Option<(String, Span)>,
    statement: Option<Span>,
    inner: &'o mut dyn Observer,
}

impl<'o> Spans<'o> {
    pub(super) fn new(deploy: &Span, inner: &'o mut dyn Observer) -> Self {
        Self { deploy: deploy.clone(), migration: None, statement: None, inner }
    }

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
                tracing::debug!(parent: &self.deploy, who, ?waited, "another deployer holds the lock");
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
