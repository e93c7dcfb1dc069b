//! Performing: the steps of one segment, as few round trips as can be.
//!
//! Inside a transaction every statement is a message of its own, and all are on their way before the first answer
//! is awaited. After a refusal the server refuses the rest, COMMIT included, so nothing is lost by not
//! waiting; and each message has its own answer, so the step that failed is known. COMMIT goes with the record
//! before it, whose answer tells how many of the two were done. BEGIN does not go with the claim: where that message
//! is not understood, or given up early, what follows would run outside any transaction.

use crate::dialect::{self, FORGET_SEQUENCES, LEAVE_NOTHING, READ_AS_UTF8, READ_AS_UTF8_HERE};
use crate::errors::{code, database_error, own_words};
use crate::functions::RustMigrations;
use crate::history::{HistoryTable, Writer};
use crate::introspect;
use crate::lock;
use crate::look;
use crate::transport::{Reply, Session, Told, TransportError};
use crate::waits::{self, Limits};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;
use windlass_core::driver::{Cause, Failure, Holder, Patience, Watch};
use windlass_core::plan::{Execute, Step, WaitLimit};

/// What may be on its way unanswered, so that a large script is not in memory twice.
const BYTES_AHEAD: usize = 1 << 20;
const MESSAGES_AHEAD: usize = 256;
/// How often a wish to stop is looked for while a statement runs.
const STOP_POLL: Duration = Duration::from_millis(100);
/// How many of these pass between two looks at whom a statement waits for, and while its time for locks runs.
const LOOK_EVERY: u32 = 5;
const LOOK_CLOSELY: u32 = 1;
/// How long a statement has to heed a request to stop before it is asked again.
const CANCEL_AGAIN: u32 = 10;
/// How often, and how long apart, a session idles after a request to cancel.
const CANCEL_OUTLASTED: u32 = 5;
const CANCEL_PAUSE: Duration = Duration::from_millis(20);

/// One segment under way.
pub(crate) struct Performance<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) table: &'a HistoryTable,
    pub(crate) writer: Writer<'a>,
    /// The server's, in its words.
    pub(crate) version: &'a str,
    /// The statements that restore the settings.
    pub(crate) restore: &'a str,
    /// Whether a migration's statements ran since the settings were last restored.
    pub(crate) is_touched: &'a mut bool,
    pub(crate) functions: &'a RustMigrations,
    /// How statements wait for others.
    pub(crate) limits: Limits,
    /// Where nothing but this schema counts as the database's contents.
    pub(crate) only_schema: Option<&'a str>,
    /// Whether a block of code can be run.
    pub(crate) can_run_code: bool,
    /// Whether what the session knows of sequences may go: an application's is asked for it by `lastval()` alone.
    pub(crate) forgets_sequences: bool,
    /// Set where a pooler may give each transaction another session.
    pub(crate) pooled: Option<Pooled>,
}

/// What each transaction takes for itself where no session is its client's own.
pub(crate) struct Pooled {
    pub(crate) lock_key: i64,
    /// The statements that set what a migration starts from, until the transaction ends.
    pub(crate) settings: String,
}

/// A message on its way.
struct Sent<'a> {
    index: usize,
    /// Whether the next step's text stands behind its own.
    with_next: bool,
    bytes: usize,
    reply: Answer<'a>,
}

/// What is waited for.
enum Answer<'a> {
    Reply(Reply<'a>),
    /// Not sent ahead: the data follows when the server is ready for it.
    Copy {
        sql: &'a str,
        data: &'a str,
    },
}

/// What is on its way, in order.
#[derive(Default)]
struct Flight<'a> {
    sent: VecDeque<Sent<'a>>,
    bytes: usize,
    /// Rows that the last answered statement of the migration touched.
    touched: u64,
    /// Asked to stop, and told the server so.
    is_stopping: bool,
    /// A statement waited too long, and the server was told to end it: for this session.
    given_up: Option<Holder>,
    /// Whom the statement that is waited for was seen to wait for.
    seen: Option<Holder>,
    lookout: Lookout,
}

impl Performance<'_> {
    /// Does the steps. When this returns, no transaction is open.
    pub(crate) async fn perform(&mut self, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        let mut flight = Flight::default();
        let mut inside = false;
        for (index, step) in steps.iter().enumerate() {
            if index > 0 && self.share_a_message(&steps[index - 1..]) {
                inside = false;
                self.limits.end();
                continue;
            }
            let alone = stands_alone(step, inside) || !self.session.sends_ahead();
            // How many rows were touched is in the answer alone.
            if alone || matches!(step, Step::CountRows { .. }) {
                self.settle(steps, &mut flight, 0, watch).await?;
            }
            if matches!(step, Step::Execute(_)) && (flight.is_stopping || watch.should_stop()) {
                return Err(self
                    .undo(steps, &mut flight, Failure { step: index, cause: Cause::Stopped })
                    .await);
            }
            if let Step::LimitWaits(limit) = step {
                self.limits.set(*limit);
                continue;
            }
            if self.pooled.is_some() && !inside && matches!(step, Step::RestoreSettings) {
                // It went with the commit: now the session may be another.
                *self.is_touched = false;
                continue;
            }
            let question = look::objections(step);
            if question.is_some() {
                // What went before may be refused, and so would the question be then.
                self.settle(steps, &mut flight, 0, watch).await?;
            }
            if let Some(cause) = self.objection(step, question).await {
                return Err(self.undo(steps, &mut flight, Failure { step: index, cause }).await);
            }
            if let Step::Execute(execute) = step
                && execute.migration.is_rust()
            {
                *self.is_touched = true;
                watch.starts(index);
                let ran = self.functions.run(self.session, execute.migration.name(), inside).await;
                if let Err(cause) = ran {
                    return Err(self.undo(steps, &mut flight, Failure { step: index, cause }).await);
                }
                watch.ends(index);
                continue;
            }
            let with_next = self.share_a_message(&steps[index..]);
            let message = match self.message((step, steps.get(index + 1)), inside, flight.touched) {
                Ok(message) if with_next => format!("{message}; COMMIT").into(),
                Ok(message) => message,
                Err(cause) => {
                    return Err(self.undo(steps, &mut flight, Failure { step: index, cause }).await);
                }
            };
            let room = BYTES_AHEAD.saturating_sub(message.len());
            self.settle(steps, &mut flight, room, watch).await?;
            if flight.sent.is_empty() {
                watch.starts(index);
            }
            let bytes = message.len();
            // Outside a transaction it would be set for whoever gets the session next.
            let may_lead = matches!(step, Step::Execute(_)) && (inside || self.pooled.is_none());
            let lead = may_lead.then(|| self.limits.lead(inside)).flatten();
            *self.is_touched |= lead.is_some();
            let reply = match (step, &lead) {
                (Step::Execute(Execute { sql, copy_data: Some(data), .. }), lead) => {
                    if let Some(lead) = lead {
                        // It is answered before the data is sent: an error of it is one of the statement's too.
                        let _ = self.session.run(lead).await;
                    }
                    Answer::Copy { sql, data }
                }
                (Step::Execute(Execute { sql, .. }), lead) if is_copy(sql) => Answer::Reply(match lead {
                    Some(lead) => self.session.send_letting_data_go_behind(lead, sql).await,
                    None => self.session.send_letting_data_go(sql).await,
                }),
                (Step::Execute(_), Some(lead)) => {
                    Answer::Reply(self.session.send_behind(lead, &message).await)
                }
                (Step::Execute(_), None) => Answer::Reply(self.session.send(&message).await),
                // The server reads a whole message at once, in the encoding and the time that a migration has set: what
                // it says of them comes too late for it.
                (step, _) if *self.is_touched && is_write(step) && inside => {
                    let encoding = if message.is_ascii() { "" } else { READ_AS_UTF8_HERE };
                    let lead = dialect::on_our_own(self.version, inside) + encoding;
                    Answer::Reply(self.session.send_behind(&lead, &message).await)
                }
                _ if *self.is_touched && !message.is_ascii() => {
                    let lead = if inside { READ_AS_UTF8_HERE } else { READ_AS_UTF8 };
                    Answer::Reply(self.session.send_behind(lead, &message).await)
                }
                _ => Answer::Reply(self.session.send(&message).await),
            };
            // What follows would run, and be committed, without what the server never got.
            let alone = alone || matches!(&reply, Answer::Reply(reply) if !reply.is_sent());
            flight.bytes += bytes;
            flight.sent.push_back(Sent { index, with_next, bytes, reply });
            inside = (inside && !matches!(step, Step::Commit)) || matches!(step, Step::Begin);
            if alone {
                self.settle(steps, &mut flight, 0, watch).await?;
            }
            if lead.is_some() && !inside {
                let _ = self.session.run(waits::UNLIMITED).await;
            }
            if matches!(step, Step::Commit) {
                self.limits.end();
            }
        }
        self.settle(steps, &mut flight, 0, watch).await?;
        if flight.is_stopping || flight.given_up.is_some() {
            self.outlast_cancel().await;
        }
        Ok(())
    }

    /// Whether the first two of these steps are one message, a record and its COMMIT. Not where something has to be set
    /// before what windlass writes, and not where answers are waited for one by one.
    fn share_a_message(&self, steps: &[Step<'_>]) -> bool {
        matches!(steps, [Step::Record(_), Step::Commit, ..])
            && !*self.is_touched
            && self.pooled.is_none()
            && self.session.sends_ahead()
    }

    /// Lets a request to cancel come that is still on its way, while the session does nothing that matters:
    /// it stops whatever runs when it comes, and that must not be a write of the history.
    async fn outlast_cancel(&self) {
        for _ in 0..CANCEL_OUTLASTED {
            tokio::time::sleep(CANCEL_PAUSE).await;
            self.roll_back().await;
        }
    }

    /// Why a step must not be done as things stand, where that has to be asked for.
    async fn objection(&self, step: &Step<'_>, question: Option<String>) -> Option<Cause> {
        let rows = match self.session.rows(&question?).await {
            Ok(rows) => rows,
            Err(error) => return Some(self.cause(std::slice::from_ref(step), 0, false, error)),
        };
        let words = rows.first()?.get(0)?.to_owned();
        Some(Cause::Refused(own_words(words)))
    }

    /// The text that a step becomes.
    fn message<'s>(
        &mut self,
        (step, next): (&'s Step<'_>, Option<&Step<'_>>),
        inside: bool,
        touched: u64,
    ) -> Result<Cow<'s, str>, Cause> {
        let is_cleared = self.pooled.is_some() && matches!(next, Some(Step::RestoreSettings));
        let unknown = || Cause::Refused(own_words(format!("this driver does not know the step: {step}")));
        Ok(match step {
            Step::Begin if self.pooled.is_some() => {
                let settings = self.pooled.as_ref().map(|pooled| pooled.settings.as_str());
                format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {}", settings.unwrap_or_default())
                    .into()
            }
            Step::Commit if is_cleared => format!("COMMIT{LEAVE_NOTHING}").into(),
            // A migration may have made transactions read-only that begin after it.
            Step::Begin if *self.is_touched => "BEGIN READ WRITE".into(),
            Step::Begin => "BEGIN".into(),
            Step::Commit => "COMMIT".into(),
            Step::RestoreSettings => {
                *self.is_touched = false;
                // Inside a transaction there is one to stay.
                let within = inside.then(|| self.restore.strip_prefix("ROLLBACK; ")).flatten();
                within.unwrap_or(self.restore).to_owned().into()
            }
            Step::Execute(execute) => {
                *self.is_touched |= !execute.leaves_session_alone;
                execute.sql.into()
            }
            Step::Clear { remnant, .. } => look::clear(remnant).ok_or_else(unknown)?.into(),
            step => {
                let write = match step {
                    // Without code a refusal would be the whole transaction's: what was kept stays.
                    Step::KeepSchema { accepted: None, .. } if !self.can_run_code => "SELECT 1".to_owned(),
                    Step::KeepSchema { accepted, grants } => {
                        let sight = introspect::Sight { only_schema: self.only_schema, grants: *grants };
                        introspect::keep(self.table, sight, accepted.as_deref())
                    }
                    Step::CountRows { name, epoch, row_limit } => {
                        self.table.count_rows(self.writer, (name, *epoch), *row_limit, touched)
                    }
                    step => self.table.write(step, self.writer).ok_or_else(unknown)?,
                };
                let write = match (step, &self.pooled) {
                    (Step::Claim(_), Some(pooled)) => {
                        format!("{}{write}{FORGET_SEQUENCES}", lock::taken_for_transaction(pooled.lock_key))
                    }
                    (Step::Claim(_), None) if self.forgets_sequences => format!("{write}{FORGET_SEQUENCES}"),
                    _ => write,
                };
                // Inside a transaction it goes ahead, as a message of its own.
                match *self.is_touched && !inside {
                    true => (dialect::on_our_own(self.version, inside) + &write).into(),
                    false => write.into(),
                }
            }
        })
    }

    /// Reads answers until no more than so many bytes are on their way; none with zero.
    async fn settle(
        &self,
        steps: &[Step<'_>],
        flight: &mut Flight<'_>,
        bytes: usize,
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        // A full window is read half empty: what follows then goes out together, not one by one.
        let messages = match flight.sent.len() {
            _ if bytes == 0 => 0,
            MESSAGES_AHEAD.. => MESSAGES_AHEAD / 2,
            _ => MESSAGES_AHEAD,
        };
        while flight.bytes > bytes || flight.sent.len() > messages {
            let Some(mut sent) = flight.sent.pop_front() else { break };
            flight.bytes -= sent.bytes;
            let mut index = sent.index;
            let answered = self.attend(steps, (index, &mut sent.reply), flight, watch).await;
            if let Err(error) = answered {
                if let Answer::Reply(reply) = &sent.reply
                    && sent.with_next
                    && reply.statements_done() > 0
                {
                    index += 1;
                }
                let seen = flight.seen.take();
                let cause = match flight.given_up.take_if(|_| error.code() == Some(code::QUERY_CANCELED)) {
                    Some(holder) => {
                        self.outlast_cancel().await;
                        Cause::Busy(holder)
                    }
                    None => match self.cause(steps, index, flight.is_stopping, error) {
                        Cause::Busy(holder) => Cause::Busy(seen.unwrap_or(holder)),
                        cause => cause,
                    },
                };
                return Err(self.undo(steps, flight, Failure { step: index, cause }).await);
            }
            // It was done all the same, and the request is still on its way. In a transaction it may meet what
            // follows, which is on its way too: then that is what was given up.
            if flight.given_up.take_if(|_| !is_inside(steps, index)).is_some() {
                self.outlast_cancel().await;
            }
            if let (Answer::Reply(reply), Step::Execute(_)) = (&sent.reply, &steps[index]) {
                flight.touched = reply.touched;
                watch.touched(index, reply.touched);
            }
            watch.ends(index);
            if sent.with_next {
                watch.starts(index + 1);
                watch.ends(index + 1);
            }
            if let Some(next) = flight.sent.front() {
                watch.starts(next.index);
            }
        }
        Ok(())
    }

    /// Waits for an answer; asks the server to stop when the watch wishes so.
    async fn attend(
        &self,
        steps: &[Step<'_>],
        (index, answer): (usize, &mut Answer<'_>),
        flight: &mut Flight<'_>,
        watch: &mut dyn Watch,
    ) -> Result<(), TransportError> {
        let answered = async {
            match answer {
                Answer::Reply(reply) => reply.wait().await,
                Answer::Copy { sql, data } => self.session.copy_in(sql, data).await,
            }
        };
        tokio::pin!(answered);
        let mut polls = 0;
        let (limit, may_stop) = (limit_of(steps, index), may_be_cancelled(steps, index));
        flight.seen = None;
        loop {
            if may_stop && watch.should_stop() {
                // One request may come between two statements, where the server ignores it.
                if polls % CANCEL_AGAIN == 0 {
                    flight.is_stopping = true;
                    self.session.cancel().await;
                }
                polls += 1;
            }
            if let Ok(answer) = tokio::time::timeout(STOP_POLL, &mut answered).await {
                return answer;
            }
            let every = match limit {
                Some(WaitLimit::Locks(_)) if flight.seen.is_some() => LOOK_CLOSELY,
                Some(WaitLimit::Locks(_) | WaitLimit::Others(_)) => LOOK_EVERY,
                _ => continue,
            };
            let looked =
                flight.lookout.look(self.session, self.writer.session.unwrap_or_default(), every).await;
            if let Some(holder) = &looked
                && watch.waits(index, holder) == Patience::GiveUp
            {
                flight.given_up = looked.clone();
                self.session.cancel().await;
            }
            flight.seen = looked.or(flight.seen.take());
        }
    }

    /// Leaves no transaction open, and reads what is still to come. Only then the connection is of use again.
    async fn undo(&self, steps: &[Step<'_>], flight: &mut Flight<'_>, mut failure: Failure) -> Failure {
        let mut outlived = false;
        let commit = steps.iter().position(|step| matches!(step, Step::Commit));
        let begun = steps.iter().position(|step| matches!(step, Step::Begin));
        let in_transaction = begun.is_some_and(|begun| begun <= failure.step) && commit > Some(failure.step);
        let mut to_ask = matches!(failure.cause, Cause::Stopped);
        for sent in flight.sent.drain(..) {
            if to_ask && may_be_cancelled(steps, sent.index) {
                self.session.cancel().await;
                to_ask = false;
            }
            let before_commit = in_transaction && Some(sent.index) < commit;
            if let Answer::Reply(reply) = sent.reply {
                outlived |=
                    reply.done().await.is_ok() && before_commit && !matches!(failure.cause, Cause::Stopped);
            }
        }
        flight.bytes = 0;
        self.roll_back().await;
        if flight.is_stopping || matches!(failure.cause, Cause::Stopped) {
            self.outlast_cancel().await;
        }
        if let Cause::Busy(holder) = &mut failure.cause
            && *holder == Holder::default()
        {
            let execute = match &steps[failure.step] {
                Step::Execute(execute) => Some(execute),
                _ => None,
            };
            *holder = waits::holder(self.session, execute).await;
        }
        if self.limits.is_own() && !in_transaction && self.pooled.is_none() {
            let _ = self.session.run(waits::UNLIMITED).await;
        }
        if outlived {
            // The server had no transaction open: what came after the failure ran on its own.
            let words = format!("statements after step {} took effect although it failed", failure.step);
            return Failure { step: failure.step, cause: Cause::Lost(words) };
        }
        failure
    }

    /// A request to stop that comes late may meet the ROLLBACK itself.
    async fn roll_back(&self) {
        for _ in 0..3 {
            match self.session.run("ROLLBACK").await {
                Err(error) if error.code() == Some(code::QUERY_CANCELED) => {}
                _ => break,
            }
        }
    }

    fn cause(&self, steps: &[Step<'_>], index: usize, is_stopping: bool, error: TransportError) -> Cause {
        let (step, inside) = (&steps[index], is_inside(steps, index));
        let told = match error {
            TransportError::Told(told) if told.is_fatal => return Cause::Lost(told.message),
            TransportError::Told(told) => told,
            TransportError::Lost(words) | TransportError::Tls(words) => return Cause::Lost(words),
            TransportError::Unusable(words) => return Cause::Refused(own_words(words)),
        };
        if is_stopping && told.code == code::QUERY_CANCELED {
            return Cause::Stopped;
        }
        match step {
            // Who holds it is asked once nothing is on its way any more.
            _ if told.code == code::LOCK_NOT_AVAILABLE && (inside || self.limits.is_own()) => {
                Cause::Busy(Holder::default())
            }
            Step::Execute(execute) if gives_way(&told.code) => {
                Cause::GaveWay(database_error(&told, Some(execute.sql)))
            }
            Step::Execute(execute) => Cause::Refused(database_error(&told, Some(execute.sql))),
            // A time that the migration has set may be too short for what takes it away.
            _ if gives_way(&told.code) || told.code == code::QUERY_CANCELED => {
                Cause::GaveWay(database_error(&told, None))
            }
            Step::Begin | Step::Commit | Step::CreateHistory | Step::RestoreSettings => {
                Cause::Refused(database_error(&told, None))
            }
            _ if told.code == code::UNIQUE_VIOLATION && self.is_of_history(&told) => Cause::ClaimTaken,
            // Another has the lock, and the claim, or another one, before long.
            Step::Claim(_) if told.code == code::DIVISION_BY_ZERO => Cause::ClaimTaken,
            _ if told.code == code::DIVISION_BY_ZERO => Cause::Fenced,
            _ => Cause::Refused(database_error(&told, None)),
        }
    }

    fn is_of_history(&self, told: &Told) -> bool {
        told.schema.as_deref() == Some(self.table.schema())
            && told.table.as_deref() == Some(self.table.table())
    }
}

/// Whether it becomes a write to the history.
fn is_write(step: &Step<'_>) -> bool {
    !matches!(
        step,
        Step::Begin
            | Step::Commit
            | Step::RestoreSettings
            | Step::Execute(_)
            | Step::Clear { .. }
            | Step::LimitWaits(_)
    )
}

/// Whether the server ends what one session does so that another can go on.
fn gives_way(code: &str) -> bool {
    [code::DEADLOCK, code::NOT_SERIALIZABLE].contains(&code)
}

/// Looks, from a session beside it, whom a session waits for.
#[derive(Default)]
struct Lookout {
    beside: Option<Session<'static>>,
    polls: u32,
}

impl Lookout {
    /// Whom the session with this identity waits for now, where it is time to look. What cannot be seen is not
    /// waited for.
    async fn look(&mut self, session: &Session<'_>, identity: &str, every: u32) -> Option<Holder> {
        let pid = identity.split('/').next().filter(|pid| !pid.is_empty())?;
        self.polls += 1;
        if !self.polls.is_multiple_of(every) {
            return None;
        }
        if self.beside.is_none() {
            self.beside = session.another("windlass, watching").await;
        }
        match waits::blocker(self.beside.as_ref()?, pid).await {
            Ok(holder) => holder,
            Err(_) => {
                self.beside = None;
                None
            }
        }
    }
}

/// How a step waits for others: its transaction's end is the end of a limit.
fn limit_of(steps: &[Step<'_>], index: usize) -> Option<WaitLimit> {
    let since_commit = steps[..index].iter().rev().take_while(|step| !matches!(step, Step::Commit));
    since_commit.into_iter().find_map(|step| match step {
        Step::LimitWaits(limit) => Some(*limit),
        _ => None,
    })
}

/// Whether a step is in the segment's transaction, its end included.
fn is_inside(steps: &[Step<'_>], index: usize) -> bool {
    let begun = steps.iter().position(|step| matches!(step, Step::Begin));
    let commit = steps.iter().position(|step| matches!(step, Step::Commit));
    begun.is_some_and(|begun| begun <= index) && commit.is_some_and(|commit| index <= commit)
}

/// Whether a step is neither sent ahead nor has others sent behind it before it is answered.
///
/// Outside a transaction that is every step, since there the next one would run although this one failed.
/// Inside, `ROLLBACK TO` would make good again what failed before it, so that COMMIT would commit.
fn stands_alone(step: &Step<'_>, inside: bool) -> bool {
    match step {
        Step::Begin | Step::RestoreSettings | Step::LimitWaits(_) => false,
        Step::Execute(execute) if execute.migration.is_rust() => true,
        Step::Execute(execute) => !inside || execute.copy_data.is_some() || controls_transaction(execute.sql),
        _ => !inside,
    }
}

/// A transaction's statement may be cancelled, once the transaction is known to have begun: the rest is
/// refused then. The commit may not, nor what runs on its own.
fn may_be_cancelled(steps: &[Step<'_>], index: usize) -> bool {
    let last = steps.iter().rposition(|step| matches!(step, Step::Execute(_)));
    let begun = steps.iter().position(|step| matches!(step, Step::Begin));
    let commit = steps.iter().position(|step| matches!(step, Step::Commit));
    begun.is_some_and(|begun| begun < index)
        && commit.is_none_or(|commit| index < commit)
        && Some(index) <= last
}

/// Whether the first word is one that begins, ends or cuts a transaction.
fn controls_transaction(sql: &str) -> bool {
    const WORDS: [&str; 10] =
        ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare", "call"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(first_word(sql)))
}

/// Whether it is COPY; one that wants data has its data with it.
fn is_copy(sql: &str) -> bool {
    first_word(sql).eq_ignore_ascii_case("copy")
}

fn first_word(sql: &str) -> &str {
    let rest = without_comments(sql);
    &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())]
}

fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start()
        } else if rest.starts_with("/*") {
            behind_comment(rest).trim_start()
        } else {
            return rest;
        }
    }
}

/// What stands behind a comment, which may hold others.
fn behind_comment(text: &str) -> &str {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return &text[at..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_control_a_transaction_are_found_behind_comments() {
        for sql in ["COMMIT", " -- x\n/* a /* b */ c */ rollback to a", "end;", "Savepoint a"] {
            assert!(controls_transaction(sql), "{sql}");
        }
        for sql in ["SELECT 1", "-- commit", "/* commit */ INSERT INTO t VALUES (1)", "ENDS", "/* open", ""] {
            assert!(!controls_transaction(sql) || sql == "ENDS", "{sql}");
        }
        assert!(!controls_transaction("ENDS"));
    }
}
