//! `history`: every attempt, as the table has it.

use super::Context;
use super::status::to_the_second;
use crate::diagnosis::without_history;
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{AttemptBody, Body};
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, elapsed, shown};
use crate::table::{Cell, Row, table};
use crate::target::{IfMissing, Target};
use std::time::Duration;
use windlass_core::driver::Contents;
use windlass_core::history::{Attempt, State};

pub(crate) async fn run(context: &Context) -> Result<(Exit, Body), Error> {
    let target = Target::of(&context.settings)?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let inspection = session.driver.inspect().await?;
    let history = inspection.history;
    if history.attempts.is_empty() {
        context.output.result("no attempts");
        if let (false, Contents::Holds(examples)) = (history.exists, &inspection.contents) {
            let hint = context.settings.typed.text(&without_history(examples));
            context.output.note(&format!("there is no history, and the database is not empty: {hint}"));
        }
    } else {
        let head = ["id", "state", "migration", "kind", "begun", "took", "by"];
        let head = head.iter().map(|title| Cell::new(*title).styled(BOLD)).collect();
        let rows: Vec<_> = std::iter::once(Row { cells: head, below: Vec::new() })
            .chain(history.attempts.iter().map(row))
            .collect();
        context.output.table(&table(&rows));
    }
    if let Err(error) = history.verify() {
        context.output.note(&format!("this history cannot be trusted: {error}"));
    }
    let attempts = history.attempts.iter().map(AttemptBody::of).collect();
    Ok((Exit::Done, Body::History { database: session.database, attempts }))
}

fn row(attempt: &Attempt) -> Row {
    let state = attempt.state();
    let style = match state {
        State::Applied => GOOD,
        State::Running | State::RolledBack => WARN,
        _ => BAD,
    };
    let took = attempt.duration_ms.map(|ms| elapsed(Duration::from_millis(ms))).unwrap_or_default();
    let cells = vec![
        Cell::new(attempt.id.to_string()),
        Cell::new(state.as_str()).styled(style),
        Cell::new(attempt.name.as_str()),
        Cell::new(attempt.kind.as_str()),
        Cell::new(to_the_second(&attempt.started_at)).styled(DIM),
        Cell::new(took).styled(DIM),
        Cell::new(format!("{}, {}", attempt.applied_by, attempt.tool)).styled(DIM),
    ];
    let below = [("error", &attempt.error), ("resolved", &attempt.resolution)];
    let below = below
        .into_iter()
        .filter_map(|(key, text)| Some(format!("{key}: {}", shown(text.as_ref()?.trim_end()))));
    Row { cells, below: below.collect() }
}
