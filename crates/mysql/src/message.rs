//! Messages: the statements of a segment, and which of them may go to the server together.

use crate::errors::SEPARATOR;
use crate::history::{GUARD, KEEP_COUNT, NAME_LENGTH, Table, Writer};
use crate::leftovers::Leftovers;
use crate::look::{Eyes, Scope};
use crate::note::Note;
use crate::settings;
use std::borrow::Cow;
use std::collections::BTreeSet;
use windlass_core::driver::{Cause, DatabaseError, Failure, Product};
use windlass_core::plan::{Claim, Step, WaitLimit};

/// What a message holds at most where its statements could also go one by one.
///
/// A stop is heard between messages: a transaction of many small statements is not sent whole.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Longer statements are not searched for what would forbid to send something after them.
const SEARCHED_BYTES: usize = 64 * 1024;

/// One statement of a message.
#[derive(Debug)]
pub(crate) struct Piece<'s> {
    pub(crate) text: Cow<'s, str>,
    pub(crate) step: usize,
    pub(crate) role: Role,
    /// The first and the last statement of their step.
    pub(crate) first: bool,
    pub(crate) last: bool,
    /// Nothing may follow it in its message.
    pub(crate) closes: bool,
    /// A stop may be heard before it: all that was done is written down, or is rolled back.
    pub(crate) stoppable: bool,
    /// It must not share a message with a migration's statement before it.
    pub(crate) opens: bool,
}

/// What a statement's failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A duplicate key is another run's claim.
    Claim,
    /// It fails where a fenced write found no row.
    Guard,
    /// Of the migration.
    Statement,
    /// No statement: the session is made as it was. The migration may have kept itself out of the binary log.
    Renewal { unlogged: bool },
    /// Everything else.
    Own,
}

/// What earlier statements of a migration mean for how later ones are sent, until settings are restored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces {
    /// Quotes may mean something else now: the server could read on past the end of a statement.
    lexing: bool,
    /// A transaction of the migration's own may be open: a write of the history is then committed with it.
    open: bool,
    /// The clock may stand still, and transactions may be read-only.
    bound: bool,
    /// An earlier segment has limited how long locks are waited for.
    limited: bool,
    /// Tables may be locked, the history's not among them: it could not be written.
    locked: bool,
    /// What is to be taken away with the settings.
    leftovers: Leftovers,
}

/// What a segment is turned into messages with.
#[derive(Clone, Copy)]
pub(crate) struct Outline<'d> {
    pub(crate) table: &'d Table,
    pub(crate) writer: Writer<'d>,
    pub(crate) product: Product,
    pub(crate) version: &'d str,
    pub(crate) database: &'d str,
    /// The role that the session came with, as `SET ROLE` takes it.
    pub(crate) role: &'d str,
    /// Temporary tables of the application whose session it is; `None` where it is windlass's own.
    pub(crate) theirs: Option<&'d BTreeSet<String>>,
    /// `None` where no look tells anything.
    pub(crate) eyes: Option<Eyes<'d>>,
}

/// The statements of all steps, in order.
pub(crate) fn pieces<'s>(
    outline: Outline<'_>,
    steps: &'s [Step<'_>],
    traces: &mut Traces,
) -> Result<Vec<Piece<'s>>, Failure> {
    let mut pieces = Vec::with_capacity(steps.len() * 2);
    let mut transaction = false;
    // A limit is its segment's: one that is left from an earlier one is taken off before the next statement.
    let mut left_over = traces.limited;
    for (index, step) in steps.iter().enumerate() {
        let cause = |cause| Failure { step: index, cause };
        let from = pieces.len();
        let scope = scope(steps[index + 1..].iter().find(|step| !matches!(step, Step::LimitWaits(_))));
        let mut texts = texts(outline, step, scope, transaction, traces).map_err(cause)?;
        match step {
            Step::LimitWaits(_) => left_over = false,
            Step::Execute(_) if left_over => {
                texts.insert(0, (Cow::Owned(settings::unlimit_waits()), Role::Own));
                (left_over, traces.limited) = (false, false);
            }
            _ => {}
        }
        pieces.extend(texts.into_iter().map(|(text, role)| Piece {
            closes: matches!(role, Role::Renewal { .. })
                || (role == Role::Statement && closes(&text, traces)),
            text,
            step: index,
            role,
            first: false,
            last: false,
            stoppable: false,
            opens: false,
        }));
        let after_statement = index > 0 && matches!(steps[index - 1], Step::Execute(_));
        transaction = match step {
            Step::Begin => true,
            Step::Commit => false,
            _ => transaction,
        };
        if let [first, ..] = &mut pieces[from..] {
            first.first = true;
            first.opens = first.role == Role::Statement && !transaction && !after_statement;
            first.stoppable = transaction || index == 0 || first.opens;
        }
        if let Some(last) = pieces[from..].last_mut() {
            last.last = true;
        }
        traces.follow(step);
    }
    Ok(pieces)
}

type Texts<'s> = Vec<(Cow<'s, str>, Role)>;

fn texts<'s>(
    outline: Outline<'_>,
    step: &'s Step<'_>,
    scope: Scope,
    transaction: bool,
    traces: &Traces,
) -> Result<Texts<'s>, Cause> {
    let Outline { table, writer, product, role, eyes, version, .. } = outline;
    let own = |text: String| (Cow::Owned(text), Role::Own);
    let freed;
    let table = match traces.bound {
        true => {
            freed = table.in_real_time();
            &freed
        }
        false => table,
    };
    let free = |writes: Texts<'s>| {
        let unlock = traces.locked.then(|| own("UNLOCK TABLES".to_owned()));
        let around = traces.bound.then(|| settings::around_own_write(product).map(own));
        let (free, bind) = around.map_or((None, None), |[free, bind]| (Some(free), Some(bind)));
        let roles = traces.leftovers.around_own_write(role).map(|roles| roles.map(own));
        let (ours, theirs) = roles.map_or((None, None), |[ours, theirs]| (Some(ours), Some(theirs)));
        ours.into_iter().chain(unlock).chain(free).chain(writes).chain(bind).chain(theirs).collect()
    };
    let guarded = |text: String| {
        let mut texts = vec![own(text), (Cow::Borrowed(GUARD), Role::Guard)];
        if traces.open && !transaction {
            texts.push(own("COMMIT".to_owned()));
        }
        free(texts)
    };
    // The look is in the message of the note, and before it.
    let noted = |look: Option<String>, text: String| {
        look.map(own).into_iter().chain(guarded(text)).collect::<Texts<'s>>()
    };
    Ok(match step {
        Step::CreateHistory => vec![own(table.create(product, version))],
        Step::Begin if traces.bound => vec![own("START TRANSACTION READ WRITE".to_owned())],
        Step::Begin => vec![own("START TRANSACTION".to_owned())],
        Step::Commit => vec![own("COMMIT".to_owned())],
        Step::Claim(claims) => free(claim(Outline { table, ..outline }, claims, scope, transaction)?),
        Step::TakeOver {
            name,
            from_owner,
            from_epoch,
            checksums,
            statements,
            completed,
            prefix,
            in_flight,
            watched,
        } => {
            let (note, look) = Note::watching(eyes, *in_flight, (watched, scope), 0);
            let (from, script) = ((from_owner.as_str(), *from_epoch), (checksums, *statements));
            noted(look, table.take_over(writer, name, from, script, (*completed, prefix), &note))
        }
        Step::LimitWaits(WaitLimit::Locks(limit)) => vec![own(settings::limit_waits(*limit))],
        Step::LimitWaits(WaitLimit::Script) => Vec::new(),
        Step::Execute(execute) => vec![(Cow::Borrowed(execute.sql), Role::Statement)],
        Step::Checkpoint { name, epoch, completed, prefix, in_flight, watched } => {
            let (note, look) = Note::watching(eyes, *in_flight, (watched, scope), 0);
            noted(look, table.checkpoint(writer.run, (name, *epoch), *completed, prefix, &note))
        }
        Step::CountRows { name, epoch, row_limit } => {
            let count = guarded(table.count_rows(writer.run, (name, *epoch), *row_limit));
            std::iter::once((Cow::Borrowed(KEEP_COUNT), Role::Own)).chain(count).collect()
        }
        Step::Record(records) => {
            records.iter().flat_map(|record| guarded(table.record(writer.run, record))).collect()
        }
        Step::Fail { name, epoch, completed, prefix, in_flight, error, rolled_back } => {
            let progress = (*completed, prefix.as_str(), *in_flight);
            guarded(table.fail(writer.run, (name, *epoch), progress, error, rolled_back.as_deref()))
        }
        Step::RecordFailure { claim, error, digest } => {
            check_name(claim)?;
            free(vec![own(table.failure(writer, claim, error, digest))])
        }
        Step::Resolve(resolve) => {
            let mut texts = guarded(table.resolve(resolve, writer.run).ok_or_else(unknown)?);
            if resolve.newest != resolve.id {
                texts.push(own(table.refresh_newest(resolve)));
            }
            texts
        }
        Step::RewindSettings => put_back(outline, traces).map(own).collect(),
        Step::RestoreSettings => {
            let lent = outline.theirs.map(|_| put_back(outline, traces).map(own));
            let renewal = Role::Renewal { unlogged: traces.leftovers.logging() };
            lent.into_iter().flatten().chain([(Cow::Borrowed("renew"), renewal)]).collect()
        }
        // Read and written by itself, see `perform`.
        Step::KeepSchema { .. } => vec![own(String::new())],
        // Those of SQLite are never planned here; leaving one out in silence would be a lie.
        _ => return Err(unknown()),
    })
}

/// The statements that end what is open and put settings back in the session as it stands.
fn put_back(outline: Outline<'_>, traces: &Traces) -> impl Iterator<Item = String> {
    let Outline { product, database, role, theirs, .. } = outline;
    // It may have no right to what follows.
    let role = traces.role_put_back(role);
    let left = traces.taken_away(theirs.unwrap_or(&BTreeSet::new()));
    role.into_iter().chain(settings::restore(product, database)).chain(left)
}

/// How far to look before the step that follows: a trigger that is dropped is named without its table.
fn scope(next: Option<&Step<'_>>) -> Scope {
    match next {
        Some(Step::Execute(execute)) if creates_a_table(execute.sql) => Scope::Tables,
        Some(Step::Execute(execute))
            if !is_word(execute.sql, "DROP") || !mentions(execute.sql, "trigger") =>
        {
            Scope::Quick
        }
        _ => Scope::All,
    }
}

/// A table that is created was not there before: whether it stands tells all.
fn creates_a_table(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("CREATE"))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case("TABLE"))
}

fn unknown() -> Cause {
    let message = "the step is not one that MySQL and MariaDB know".to_owned();
    Cause::Refused(DatabaseError { message, ..DatabaseError::default() })
}

/// Claims are one write; where an earlier attempt gives its claim up as well, a transaction makes them one.
fn claim<'s>(
    outline: Outline<'_>,
    claims: &[Claim<'_>],
    scope: Scope,
    transaction: bool,
) -> Result<Texts<'s>, Cause> {
    let Outline { table, writer, eyes, .. } = outline;
    claims.iter().try_for_each(check_name)?;
    let mut texts: Texts<'s> = claims
        .iter()
        .filter(|claim| claim.supersedes)
        .map(|claim| (Cow::Owned(table.supersede(claim)), Role::Own))
        .collect();
    let wrap = !transaction && (!texts.is_empty() || claims.len() > ROWS);
    if wrap {
        texts.insert(0, (Cow::Borrowed("START TRANSACTION"), Role::Own));
    }
    for rows in claims.chunks(ROWS) {
        let watching = |(number, claim): (usize, &Claim<'_>)| {
            Note::watching(eyes, claim.in_flight, (&claim.watched, scope), number)
        };
        let (notes, looks): (Vec<Note>, Vec<Option<String>>) = rows.iter().enumerate().map(watching).unzip();
        texts.extend(looks.into_iter().flatten().map(|look| (Cow::Owned(look), Role::Own)));
        texts.push((Cow::Owned(table.claim(writer, rows.iter().zip(&notes))), Role::Claim));
    }
    if wrap {
        texts.push((Cow::Borrowed("COMMIT"), Role::Own));
    }
    // A script that inserts nothing reads nothing of windlass's own.
    texts.push((Cow::Borrowed("DO LAST_INSERT_ID(0)"), Role::Own));
    Ok(texts)
}

/// Rows of one INSERT: far below any packet's limit.
const ROWS: usize = 200;

fn check_name(claim: &Claim<'_>) -> Result<(), Cause> {
    let length = claim.name.chars().count();
    if length <= NAME_LENGTH {
        return Ok(());
    }
    Err(Cause::Refused(DatabaseError {
        message: format!("the migration's name has {length} characters; the history holds {NAME_LENGTH}"),
        ..DatabaseError::default()
    }))
}

impl Traces {
    /// The traces once these steps are done too.
    pub(crate) fn after(mut self, steps: &[Step<'_>]) -> Self {
        steps.iter().for_each(|step| self.follow(step));
        self
    }

    /// The statements that take away what the migration left besides settings.
    pub(crate) fn taken_away(&self, theirs: &BTreeSet<String>) -> Vec<String> {
        self.leftovers.taken_away(theirs)
    }

    /// The temporary tables that are created with these steps and before them.
    pub(crate) fn temporary_tables(&self, steps: &[Step<'_>]) -> BTreeSet<String> {
        let mut leftovers = self.leftovers.clone();
        for step in steps {
            if let Step::Execute(execute) = step {
                leftovers.follow(execute.sql);
            }
        }
        leftovers.temporary_tables()
    }

    /// The statement that puts the session's own role back where the migration set another.
    pub(crate) fn role_put_back(&self, role: &str) -> Option<String> {
        self.leftovers.role_put_back(role)
    }

    fn follow(&mut self, step: &Step<'_>) {
        match step {
            Step::Claim(_)
            | Step::TakeOver { .. }
            | Step::Hold { .. }
            | Step::Checkpoint { .. }
            | Step::Record(_)
            | Step::Fail { .. } => self.locked = false,
            Step::RestoreSettings => *self = Self::default(),
            Step::RewindSettings => *self = Self { leftovers: self.leftovers.rewound(), ..Self::default() },
            Step::LimitWaits(limit) => self.limited = matches!(limit, WaitLimit::Locks(_)),
            Step::Execute(execute) => {
                self.lexing |= execute.migration.is_rust();
                self.limited &= !(is_word(execute.sql, "SET") && mentions(execute.sql, "lock_wait_timeout"));
                self.lexing |= is_word(execute.sql, "SET") && mentions(execute.sql, "sql_mode");
                // What is executed may be such a SET.
                self.lexing |= is_word(execute.sql, "EXECUTE") || execute.sql.starts_with("/*");
                self.open |= !is_simple(execute.sql) || mentions(execute.sql, "autocommit");
                self.bound |= !is_simple(execute.sql) || (is_word(execute.sql, "SET") && binds(execute.sql));
                self.locked |= is_word(execute.sql, "LOCK")
                    || (is_word(execute.sql, "FLUSH") && mentions(execute.sql, "lock"));
                self.locked &= !is_word(execute.sql, "UNLOCK");
                self.leftovers.follow(execute.sql);
            }
            _ => {}
        }
    }
}

/// Whether nothing may follow the statement in its message: it gives rows (then a failure after them could
/// not be told from the next statement's), any number of answers, or the server might read on past its end.
fn closes(sql: &str, traces: &Traces) -> bool {
    traces.lexing
        || sql.len() > SEARCHED_BYTES
        || !is_simple(sql)
        || sql.contains(';')
        || mentions(sql, "returning")
        || (is_word(sql, "ALTER") && mentions(sql, "partition"))
        || (is_word(sql, "SET") && (mentions(sql, "sql_mode") || mentions(sql, "statement")))
}

/// Whether a SET may stop the clock or make transactions read-only.
fn binds(sql: &str) -> bool {
    sql.len() > SEARCHED_BYTES
        || ["timestamp", "transaction", "read_only"].iter().any(|word| mentions(sql, word))
}

/// Whether the statement is of a kind that answers once and without rows.
fn is_simple(sql: &str) -> bool {
    const SIMPLE: [&str; 12] = [
        "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "INSERT", "UPDATE", "DELETE", "REPLACE", "SET",
        "GRANT", "REVOKE",
    ];
    SIMPLE.iter().any(|word| is_word(sql, word))
}

fn is_word(sql: &str, word: &str) -> bool {
    let head = sql.as_bytes().get(..word.len());
    let next = sql.as_bytes().get(word.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
        && next.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}

fn mentions(sql: &str, word: &str) -> bool {
    sql.len() <= SEARCHED_BYTES
        && sql.as_bytes().windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// The pieces that make the next message, from `start` on: the end of their range.
pub(crate) fn message_end(pieces: &[Piece<'_>], start: usize, packet: usize) -> usize {
    let limit = MESSAGE_BYTES.min(packet / 2);
    let mut bytes = 0;
    let mut statement = false;
    for (offset, piece) in pieces[start..].iter().enumerate() {
        bytes += piece.text.len() + SEPARATOR.len();
        let cut = bytes > limit || (piece.opens && statement);
        if offset > 0 && cut {
            return start + offset;
        }
        statement |= piece.role == Role::Statement;
        if piece.closes {
            return start + offset + 1;
        }
    }
    pieces.len()
}

/// Where the message ends instead when a stop is asked for: before the first place at which one is heard.
pub(crate) fn stop_within(pieces: &[Piece<'_>], start: usize, end: usize) -> usize {
    (start + 1..end).find(|&index| pieces[index].stoppable).unwrap_or(end)
}

/// The text of a message.
pub(crate) fn joined<'p>(pieces: &'p [Piece<'_>]) -> Cow<'p, str> {
    match pieces {
        [piece] => Cow::Borrowed(&piece.text),
        _ => Cow::Owned(pieces.iter().map(|piece| &*piece.text).collect::<Vec<_>>().join(SEPARATOR)),
    }
}

#[cfg(test)]
mod tests;
