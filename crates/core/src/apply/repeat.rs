//! The loop of a repeated statement: run after run until one touches no row, knowing what each touched.

use super::DeployError;
use super::attempt::{Again, Ended, Performed, Runner, pauses};
use super::contention::Tries;
use super::progress::Event;
use crate::driver::{Cause, DatabaseError, Driver, Failure};
use crate::plan::{Repeat, RowLimit, Segment, Step};
use std::time::Instant;

impl Runner<'_> {
    /// Runs the statement until it touches no row or reaches its goal.
    pub(super) async fn repeat(
        &mut self,
        driver: &mut dyn Driver,
        repeat: &Repeat<'_>,
    ) -> Result<Ended, DeployError> {
        let mut touched = repeat.touched;
        self.touched(touched);
        let limit = match self.row_limit(driver, repeat).await? {
            Ok(limit) => limit,
            Err(ended) => return Ok(ended),
        };
        let run = repeat.run(limit);
        while !is_reached(repeat, touched) {
            let rows = match self.segment(driver, &run).await? {
                Performed::Whole { touched } => touched,
                Performed::Not(ended) => return Ok(ended),
            };
            touched = touched.saturating_add(rows);
            self.touched(touched);
            let is_done = rows == 0 || is_reached(repeat, touched);
            self.observer.event(Event::RowsTouched { execute: &repeat.execute, rows: touched, is_done });
            if is_done {
                break;
            }
            if touched > limit {
                let cause = Cause::Refused(endless(repeat, touched, limit));
                return self.statement_failed(driver, &run, cause).await;
            }
            if pauses(driver, self.stop, repeat.pause.unwrap_or_default()).await {
                return self.stopped(driver).await;
            }
        }
        Ok(Ended::Done)
    }

    fn touched(&mut self, rows: u64) {
        if let Some(live) = &mut self.live {
            live.touched = rows;
        }
    }

    /// The statement is at fault, though it may not have run.
    async fn statement_failed(
        &mut self,
        driver: &mut dyn Driver,
        run: &Segment<'_>,
        cause: Cause,
    ) -> Result<Ended, DeployError> {
        self.failed(driver, run, Failure { step: statement_of(run), cause }, Instant::now()).await
    }

    /// Counted exactly and once: an estimate is wrong where it matters, for a table just filled, and counting
    /// costs less than the statement, which reads every row too and writes most of them.
    async fn row_limit(
        &mut self,
        driver: &mut dyn Driver,
        repeat: &Repeat<'_>,
    ) -> Result<Result<u64, Ended>, DeployError> {
        let tables = match &repeat.limit {
            RowLimit::Rows(limit) => return Ok(Ok(*limit)),
            RowLimit::TwiceTheRowsOf(tables) => tables,
        };
        let (run, began) = (repeat.run(0), Instant::now());
        let mut tries = Tries::new(self.options, repeat.wait);
        loop {
            let cause = match driver.count_rows(tables).await {
                Ok(rows) => return Ok(Ok(rows.saturating_mul(2).saturating_add(repeat.touched))),
                Err(cause) => cause,
            };
            let failure = Failure { step: statement_of(&run), cause };
            match self.others_first(&run, failure) {
                Failure { step, cause: Cause::Busy(holder) } => {
                    let took = began.elapsed();
                    if let Again::Not(ended) =
                        self.contended(driver, &run, (step, holder), took, began, &mut tries).await?
                    {
                        return Ok(Err(ended));
                    }
                }
                failure => return self.failed(driver, &run, failure, began).await.map(Err),
            }
        }
    }
}

/// The step that is the statement.
fn statement_of(run: &Segment<'_>) -> usize {
    run.steps.iter().position(|step| matches!(step, Step::Execute(_))).unwrap_or_default()
}

fn is_reached(repeat: &Repeat<'_>, touched: u64) -> bool {
    repeat.until_rows.is_some_and(|goal| touched >= goal)
}

/// A statement that goes on touching rows that it has touched before.
fn endless(repeat: &Repeat<'_>, touched: u64, limit: u64) -> DatabaseError {
    let why = match &repeat.limit {
        RowLimit::TwiceTheRowsOf(_) if repeat.touched == 0 => {
            format!("more than twice the {} rows that its table had before the first run", limit / 2)
        }
        _ => format!("more than the {limit} that it may"),
    };
    let message = format!("it has touched {touched} rows, {why}, and does not come to an end");
    let hint = format!(
        "let its WHERE leave out the rows that are done, and deploy again: what it touched stands; \
        if it is right as it is, say how far it may go: `-- windlass: repeat at most {} rows`",
        touched.saturating_mul(2)
    );
    DatabaseError { message, hint: Some(hint), ..DatabaseError::default() }
}
