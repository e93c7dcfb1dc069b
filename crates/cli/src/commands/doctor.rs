//! `doctor`: the checklist of a database in production.

use super::Context;
use crate::args::Doctor;
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{Body, FindingBody};
use crate::output::{BAD, DIM, GOOD, WARN, shown};
use crate::table::{Cell, Row, table};
use crate::target::IfMissing;
use clap::builder::styling::Style;
use windlass_core::doctor::{Check, Finding, Severity, examine};
use windlass_core::plan::Options;

pub(crate) async fn run(context: &Context, args: &Doctor) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let mut options = Options::default();
    options.strict_order = context.settings.strict_order;
    let drift = context.settings.drift_options();
    let mut findings = examine(&mut *session.driver, &migrations, &options, &drift, args.open_for).await?;
    for next in findings.iter_mut().filter_map(|finding| finding.next.as_mut()) {
        *next = context.settings.typed.text(next);
    }

    let rows: Vec<_> = findings.iter().map(row).collect();
    context.output.table(&table(&rows));
    let exit = exit(&findings);
    let findings = findings.iter().map(FindingBody::of).collect();
    Ok((exit, Body::Doctor { database: session.database, findings }))
}

fn row(finding: &Finding) -> Row {
    let word = Cell::new(finding.severity.as_str()).styled(style(finding.severity));
    let why =
        Some(&finding.why).filter(|why| !why.is_empty()).map(|why| format!("{DIM}{}{DIM:#}", shown(why)));
    Row {
        cells: vec![word, Cell::new(finding.what.as_str())],
        below: why.into_iter().chain(finding.next.as_deref().map(|next| shown(next).into_owned())).collect(),
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Good => GOOD,
        Severity::Note => DIM,
        Severity::Warning => WARN,
        _ => BAD,
    }
}

/// That of the deploy that would stop, or of whatever should be seen to.
fn exit(findings: &[Finding]) -> Exit {
    let is_problem = |finding: &&Finding| finding.severity == Severity::Problem;
    let mut problems = findings.iter().filter(is_problem).peekable();
    if problems.peek().is_some() {
        return if problems.all(|finding| finding.check == Check::Drift) {
            Exit::Drift
        } else {
            Exit::Blocked
        };
    }
    let is_warning = findings.iter().any(|finding| finding.severity == Severity::Warning);
    if is_warning { Exit::Unsettled } else { Exit::Done }
}
