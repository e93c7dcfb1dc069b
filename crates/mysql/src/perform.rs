//! Performing a segment: message after message, and what a failure means.

use crate::MySql;
use crate::borrowed::Found;
use crate::errors::{database_error, ends_session, local_file, statement_error};
use crate::history::Writer;
use crate::look::Eyes;
use crate::message::{Outline, Piece, Role, joined, message_end, pieces, stop_within};
use crate::transport::{Broken, Rows, TransportError};
use windlass_core::driver::{Cause, DatabaseError, DriverError, Failure, Holder, Run, Watch};
use windlass_core::plan::Step;

const DUPLICATE_KEY: u16 = 1062;
pub(crate) const LOCK_WAIT_TIMEOUT: u16 = 1205;
const DEADLOCK: u16 = 1213;
const MORE_THAN_ONE_ROW: u16 = 1242;

impl MySql<'_> {
    pub(crate) async fn perform_steps(
        &mut self,
        run: &Run,
        steps: &[Step<'_>],
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        let failed = |error: DriverError| Failure { step: 0, cause: error.into() };
        self.begin().await.map_err(failed)?;
        let session = self.session().await.map_err(failed)?.clone();
        self.owner = Some(run.owner.clone());
        let counts = steps.iter().position(|step| matches!(step, Step::CountRows { .. }));
        if let Some(step) = counts.filter(|_| !self.transport.counts_found_rows()) {
            return Err(Failure { step: step.saturating_sub(1), cause: Cause::Refused(changed_rows()) });
        }
        let before = self.traces.clone();
        if self.transport.is_lent() {
            self.look_for_theirs(&before.temporary_tables(steps)).await.map_err(failed)?;
        }
        let theirs = self.found.as_ref().map(Found::theirs);
        let outline = Outline {
            table: &self.table,
            writer: Writer { run, session: &session.token },
            product: self.capabilities.product,
            version: &self.capabilities.version,
            database: &self.database,
            role: &session.role,
            theirs: theirs.as_ref(),
            eyes: Eyes::of(self.capabilities.product, &self.capabilities.version, &self.database),
        };
        let pieces = pieces(outline, steps, &mut self.traces)?;
        let mut start = 0;
        while start < pieces.len() {
            let whole = message_end(&pieces, start, session.max_allowed_packet);
            // What writes down that which is done is sent even then, without what is not begun yet.
            let end = if watch.should_stop() { stop_within(&pieces, start, whole) } else { whole };
            let end = around_apart(&pieces, start, end, steps);
            let message = &pieces[start..end];
            let first = &message[0];
            let failure = if let Step::KeepSchema { accepted, grants } = &steps[first.step] {
                let what = (accepted.as_deref(), *grants);
                self.keep(first.step, session.max_allowed_packet, what, watch).await.err()
            } else if first.stoppable && watch.should_stop() {
                Some(Failure { step: first.step, cause: Cause::Stopped })
            } else if let Some(failure) = too_large(message, session.max_allowed_packet) {
                Some(failure)
            } else if let Role::Renewal { unlogged } = first.role {
                self.renew(unlogged).await.err().map(|cause| Failure { step: first.step, cause })
            } else if let Some(name) = function(steps, first) {
                self.run_function(first.step, name, watch).await.err()
            } else {
                self.send_message(message, steps, watch).await.err()
            };
            if let Some(mut failure) = failure {
                // What comes after the failure was never sent.
                self.traces = before.after(&steps[..=failure.step]);
                // A message stops at its first error, and leaves its transaction open.
                if !matches!(failure.cause, Cause::Lost(_)) {
                    let _ = self.transport.query("ROLLBACK").await;
                }
                if let Cause::Busy(holder) = &mut failure.cause {
                    let sql = match &steps[failure.step] {
                        Step::Execute(execute) => execute.sql,
                        _ => "",
                    };
                    *holder = self.holder_of(sql).await;
                }
                return Err(failure);
            }
            start = end;
        }
        Ok(())
    }

    async fn keep(
        &mut self,
        step: usize,
        packet: usize,
        (accepted, grants): (Option<&str>, bool),
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        watch.starts(step);
        self.keep_schema(packet, accepted, grants).await.map_err(|cause| Failure { step, cause })?;
        watch.ends(step);
        Ok(())
    }

    async fn run_function(&mut self, step: usize, name: &str, watch: &mut dyn Watch) -> Result<(), Failure> {
        watch.starts(step);
        let ran = self.functions.clone().run(&mut self.transport, name).await;
        ran.map_err(|cause| Failure { step, cause })?;
        watch.ends(step);
        Ok(())
    }

    async fn send_message(
        &mut self,
        pieces: &[Piece<'_>],
        steps: &[Step<'_>],
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        let mut next = |index: usize| {
            if let Some(piece) = pieces.get(index).filter(|piece| piece.first) {
                watch.starts(piece.step);
            }
        };
        next(0);
        let text = joined(pieces);
        let result = {
            let mut ended = |index: usize, rows: u64| {
                if let Some(piece) = pieces.get(index).filter(|piece| piece.role == Role::Statement) {
                    watch.touched(piece.step, rows);
                }
                // A statement at the end of a message may answer many times: only its message's end ends it.
                if index + 1 < pieces.len() {
                    if pieces[index].last {
                        watch.ends(pieces[index].step);
                    }
                    if pieces[index + 1].first {
                        watch.starts(pieces[index + 1].step);
                    }
                }
            };
            self.transport.send(&text, Rows::Drop, &mut ended).await
        };
        match result {
            Ok(_) => {
                if let Some(piece) = pieces.last().filter(|piece| piece.last) {
                    watch.ends(piece.step);
                }
                Ok(())
            }
            Err(Broken { completed, error, .. }) => {
                let failed = &pieces[completed.min(pieces.len() - 1)];
                Err(Failure { step: failed.step, cause: cause(failed, &steps[failed.step], error) })
            }
        }
    }
}

/// The function of the program that a piece stands for.
fn function<'s>(steps: &'s [Step<'_>], piece: &Piece<'_>) -> Option<&'s str> {
    match &steps[piece.step] {
        Step::Execute(execute) if execute.migration.is_rust() => Some(execute.migration.name()),
        _ => None,
    }
}

/// Some pieces are no part of any message: what comes before one is sent, and answered, first.
fn around_apart(pieces: &[Piece<'_>], start: usize, end: usize, steps: &[Step<'_>]) -> usize {
    let is_apart = |&index: &usize| {
        let piece = &pieces[index];
        matches!(piece.role, Role::Renewal { .. })
            || matches!(steps[piece.step], Step::KeepSchema { .. })
            || function(steps, piece).is_some()
    };
    match (start..end).find(is_apart) {
        Some(index) => index.max(start + 1),
        None => end,
    }
}

fn cause(failed: &Piece<'_>, step: &Step<'_>, error: TransportError) -> Cause {
    let (code, state, message) = match error {
        TransportError::Server { code, state, message } => (code, state, message),
        TransportError::LocalFile => return Cause::Refused(local_file()),
        TransportError::NoTls => return Cause::Lost("the server offers no encryption".to_owned()),
        TransportError::Tls(reason) | TransportError::Lost(reason) => return Cause::Lost(reason),
    };
    match (failed.role, code) {
        (_, code) if ends_session(code) => Cause::Lost(message),
        // Who holds it is asked once the transaction is rolled back.
        (_, LOCK_WAIT_TIMEOUT) => Cause::Busy(Holder::default()),
        (_, DEADLOCK) => Cause::GaveWay(database_error(code, &state, &message)),
        (Role::Claim, DUPLICATE_KEY) => Cause::ClaimTaken,
        (Role::Guard, MORE_THAN_ONE_ROW) => Cause::Fenced,
        (Role::Statement, _) => {
            let secret = matches!(step, Step::Execute(execute) if execute.secret);
            Cause::Refused(statement_error(code, &state, &message, &failed.text, secret))
        }
        _ => Cause::Refused(database_error(code, &state, &message)),
    }
}

/// A lent connection's own way to count: a run that leaves its rows as they are would pass for the last one.
fn changed_rows() -> DatabaseError {
    DatabaseError {
        message: "a repeated statement needs a connection that counts the rows found, and the lent one counts those changed"
            .to_owned(),
        hint: Some("open it with `client_found_rows`, and deploy again".to_owned()),
        ..DatabaseError::default()
    }
}

/// A single statement that no message can carry: the server would break the connection.
fn too_large(message: &[Piece<'_>], packet: usize) -> Option<Failure> {
    let [piece] = message else { return None };
    let bytes = piece.text.len();
    if bytes < packet {
        return None;
    }
    let error = DatabaseError {
        message: format!("the statement has {bytes} bytes; the server takes messages of less than {packet}"),
        hint: Some("raise the server's max_allowed_packet, or cut the statement into several".to_owned()),
        ..DatabaseError::default()
    };
    Some(Failure { step: piece.step, cause: Cause::Refused(error) })
}
