//! What stands in the place of `traces` without the feature `tracing`: nothing is told.

use super::Verdict;
use crate::apply::{DeployError, Event, Observer, Report};
use crate::driver::Capabilities;
use crate::source::Migrations;

pub(super) struct DeploySpan;

impl DeploySpan {
    pub(super) fn begin(_: &Capabilities, _: &Migrations) -> Self {
        Self
    }

    pub(super) fn around<F: Future>(&self, future: F) -> F {
        future
    }

    pub(super) fn observer<'o>(&self, inner: &'o mut dyn Observer) -> Spans<'o> {
        Spans(inner)
    }

    pub(super) fn ends(&self, _: &Result<Report, DeployError>) {}
}

pub(super) struct Spans<'o>(&'o mut dyn Observer);

impl Observer for Spans<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.0.event(event);
    }
}

pub(super) fn warn_of_what_is_not_compiled_in(_: &Migrations) {}

pub(super) fn waits_until_current(_: &Verdict) {}
