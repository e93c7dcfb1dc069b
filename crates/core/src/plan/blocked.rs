//! Blocked: the named reasons why there is no plan, each with the way out.

use super::Execute;
use crate::diagnosis::shell_word;
use crate::directive::DirectiveError;
use crate::driver::{InvalidIndex, Invalidity};
use crate::history::{Attempt, DEFAULT_TABLE, HistoryError, InFlight, Liveness, Sight, State};
use crate::migration::Migration;
use crate::sql::modes::Misread;
use crate::sql::split::{SplitError, position};
use std::fmt;

/// A statement's place in the project: `migrations/2_x.sql:3:1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
}

impl Place {
    /// Where a statement begins.
    pub fn of(execute: &Execute<'_>) -> Self {
        Self { file: execute.migration.up().origin().to_owned(), line: execute.line, column: execute.column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why there is no plan. Nothing was run.
///
/// ```
/// use windlass_core::plan::Blocked;
///
/// fn told(blocked: &Blocked) -> String {
///     match blocked {
///         Blocked::NotEmpty { .. } => "most often this is the wrong database".to_owned(),
///         Blocked::Edited { names, .. } => format!("put {} back as it was", names.join(", ")),
///         other => other.to_string(),
///     }
/// }
/// assert!(told(&Blocked::NotEmpty { examples: vec!["ships".to_owned()] }).contains("wrong database"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Blocked {
    /// The history cannot be believed.
    #[error("the history cannot be trusted")]
    History(#[from] HistoryError),
    /// Objects, and no history: most often the wrong database.
    #[error("the database has no history and is not empty: it holds {}", .examples.join(", "))]
    NotEmpty {
        /// Some of its objects.
        examples: Vec<String>,
    },
    /// The database cannot be written to.
    #[error("the database cannot be written to: {reason}")]
    ReadOnly {
        /// In the server's terms.
        reason: String,
        /// What would have run.
        pending: Vec<String>,
    },
    /// Applied migrations whose text changed since.
    #[error("changed since applied: {}", .names.join(", "))]
    Edited {
        /// Their names.
        names: Vec<String>,
        /// How many are applied in all.
        applied: usize,
        /// Whether none of them had a statement when it was applied.
        empty: bool,
    },
    /// Applied migrations that the project does not have.
    #[error("applied, and not in the project: {}", .names.join(", "))]
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// The same text under another name.
    #[error("`{from}` was applied and has another name in the project: `{to}`")]
    Renamed {
        /// The name in the history.
        from: String,
        /// The name in the project.
        to: String,
    },
    /// History and project share no name: the wrong database, or the wrong folder.
    #[error("the history and the project have no migration in common")]
    NothingInCommon {
        /// A name from the history.
        applied: String,
        /// A name from the project.
        project: String,
    },
    /// A folder without migrations, and a history.
    #[error("the project has no migrations, and the history has {applied}")]
    EmptyProject {
        /// How many are applied.
        applied: usize,
    },
    /// The database is ahead of the project, and the project has something to run.
    #[error("the database is ahead of the project ({}), and {} pending", .ahead.join(", "), .pending.join(", "))]
    AheadAndPending {
        /// Applied, newer, and not in the project.
        ahead: Vec<String>,
        /// In the project, and not applied.
        pending: Vec<String>,
    },
    /// Pending, older than the last applied, and not independent of what came later.
    #[error("`{name}` is older than `{last}`, which is applied{}", .shared.as_ref().map(|s| format!("; both name {s}")).unwrap_or_default())]
    OutOfOrder {
        /// The pending one.
        name: String,
        /// The applied one.
        last: String,
        /// An object that both name, where that is known.
        shared: Option<String>,
    },
    /// Several migrations with one version, where that is refused.
    #[error("version {version} is used by {}", .names.join(", "))]
    SharedVersion {
        /// The version.
        version: String,
        /// Their names.
        names: Vec<String>,
    },
    /// Part of a migration stands, and a statement was refused.
    #[error("`{}` failed after {} of {} statements{}{}", .attempt.name, .attempt.completed, .attempt.statements,
        rows_of_next(.attempt),
        .attempt.error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Failed {
        /// The attempt.
        attempt: Box<Attempt>,
        /// Where its next statement stands in the project, if it does.
        next: Option<Place>,
    },
    /// Part of a migration stands, or may, and the project has none of that name to go on with.
    #[error("`{}` {} after {} of {} statements{}, and {}{}", .attempt.name,
        if .attempt.error.is_some() { "failed" } else { "was interrupted" },
        .attempt.completed, .attempt.statements, part_of_next(.attempt),
        .renamed_to.as_ref().map_or_else(|| "is not in the project".to_owned(), |to| format!("its text has another name in the project, `{to}`")),
        .attempt.error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    UnfinishedElsewhere {
        /// The attempt.
        attempt: Box<Attempt>,
        /// A pending migration of the project with its text.
        renamed_to: Option<String>,
    },
    /// A crash hid the outcome of statements.
    #[error("`{}` {}, and whether statement {} took effect is not known{}", .attempt.name,
        if .attempt.error.is_some() { "failed" } else { "was interrupted" }, .in_flight.to_text(),
        .beside.iter().map(|index| format!("; {index}")).collect::<String>())]
    InDoubt {
        /// The attempt.
        attempt: Box<Attempt>,
        /// The statements.
        in_flight: InFlight,
        /// Where the first of them stands.
        place: Option<Place>,
        /// Indexes on their tables that are not valid, and of which nobody knows that the statements left them.
        beside: Vec<InvalidIndex>,
    },
    /// The part of a migration that has run is not the part that stands in the project now.
    #[error("`{}` has run up to statement {}, and what has run is not what stands in the project", .attempt.name, .attempt.completed)]
    HeadChanged {
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// What a statement made that is done by the history is gone since: nobody would make it again.
    #[error("`{}` has run up to statement {}, and {object}, which statement {statement} made, is gone", .attempt.name, .attempt.completed)]
    Undone {
        /// The attempt.
        attempt: Box<Attempt>,
        /// The statement.
        statement: u32,
        /// Where it stands.
        place: Option<Place>,
        /// The object: `table ships`.
        object: String,
    },
    /// What has run left something in its session that what has not run needs, or may need by way of a trigger: the
    /// session is gone, and with it what was there.
    #[error("`{}` has run up to statement {}: {needs} may need what {made} left in its session, which is gone", .attempt.name, .attempt.completed)]
    SessionGone {
        /// The attempt.
        attempt: Box<Attempt>,
        /// The statement that left it.
        made: Place,
        /// The statement that needs it, or may.
        needs: Place,
    },
    /// Another run is at work.
    #[error("`{}` is being run by {} since {}", .attempt.name, .attempt.applied_by, .attempt.started_at)]
    Running {
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// No such migration.
    #[error("there is no migration `{name}` in the project")]
    UnknownTarget {
        /// The name given.
        name: String,
        /// One that resembles it.
        nearest: Option<String>,
    },
    /// A script that cannot be split into statements.
    #[error("{place}: {source}")]
    Unsplittable {
        /// Where.
        place: Place,
        /// Why.
        source: SplitError,
    },
    /// MySQL and MariaDB: a mode by which a string of the script ends elsewhere than it is read to.
    #[error("{place} sets {mode}, by which what is quoted at {quoted} ends elsewhere than windlass reads it")]
    EndsElsewhere {
        /// The statement that sets it.
        place: Place,
        /// The mode.
        mode: &'static str,
        /// Where what is quoted begins.
        quoted: Place,
    },
    /// A placeholder of another tool's outside of any string, which nobody fills in.
    #[error("{place}: nobody fills `{placeholder}` in")]
    Placeholder {
        /// Where it stands.
        place: Place,
        /// As it is written.
        placeholder: String,
    },
    /// A directive that cannot be read.
    #[error("{file}: {source}")]
    Directive {
        /// Where.
        file: String,
        /// Why.
        source: DirectiveError,
    },
    /// The file asks for one transaction, and this statement cannot be in it.
    #[error("{place}: the migration requires a transaction, and this statement cannot be in it: {why}")]
    TransactionRequired {
        /// The statement.
        place: Place,
        /// Why it cannot.
        why: String,
    },
    /// A statement that cannot be in a transaction stands between the file's own BEGIN and COMMIT.
    #[error("{place}: this statement cannot be in the transaction begun at {begin}: {why}")]
    InsideExplicitTransaction {
        /// The BEGIN.
        begin: Place,
        /// The statement.
        place: Place,
        /// Why it cannot.
        why: String,
    },
    /// A statement that changes the history table itself, or would put another table in front of it.
    #[error("{place}: this statement changes `{table}`, the table of windlass's own history")]
    ChangesHistory {
        /// The statement.
        place: Place,
        /// The table.
        table: String,
    },
    /// A statement that drops or renames the schema or database in which the history stands.
    #[error("{place}: this statement takes away where `{table}` stands, the table of windlass's own history")]
    TakesHistoryAway {
        /// The statement.
        place: Place,
        /// The table, with its schema or database.
        table: String,
    },
    /// All that is pending was to be one transaction, and this migration cannot be in it.
    #[error("{}`{name}` cannot be in one transaction with the rest: {why}", .place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    NotOneTransaction {
        /// The migration.
        name: String,
        /// The statement.
        place: Option<Place>,
        /// Why it cannot.
        why: String,
        /// The pending migration before it.
        before: Option<String>,
    },
    /// A migration that is more than one transaction, through a pooler that may give each another session.
    #[error("{}a pooler stands before the database, and `{name}` needs a session of its own: {why}", .place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    NeedsSession {
        /// The migration.
        name: String,
        /// The statement.
        place: Option<Place>,
        /// Why it is not in one transaction with the rest.
        why: String,
    },
    /// A BEGIN inside a transaction.
    #[error("{second}: a second BEGIN inside the transaction begun at {first}")]
    NestedBegin {
        /// The first.
        first: Place,
        /// The second.
        second: Place,
    },
    /// A BEGIN without COMMIT: the plain client would lose the file in silence.
    #[error("{begin}: this transaction is still open at the end of the file ({end})")]
    UnclosedTransaction {
        /// The BEGIN.
        begin: Place,
        /// The last statement.
        end: Place,
    },
    /// What one statement sets or locks until its transaction ends would be gone after another that cannot be
    /// in that transaction.
    #[error(
        "{cut}: this statement cannot be in a transaction, and what {held} sets or locks until the transaction ends would be gone after it"
    )]
    CutChangesMeaning {
        /// The statement whose effect lasts until the transaction ends.
        held: Place,
        /// The statement that cuts the transaction.
        cut: Place,
    },
    /// A statement that holds until its transaction ends, where each has a transaction of its own.
    #[error(
        "{place}: this statement holds until its transaction ends, and `no-transaction` gives it none with others"
    )]
    HoldsForNothing {
        /// Where.
        place: Place,
    },
    /// A statement that reads what its session did last, where that would be what windlass itself wrote.
    #[error("{place}: what this statement reads of its session would be windlass's own doing: {why}")]
    ReadsOwnWrites {
        /// The statement.
        place: Place,
        /// What it reads, and what would come between.
        why: String,
    },
    /// `-- windlass: repeat` before a statement that cannot be run again and again.
    #[error("{place}: this statement cannot be repeated: {why}")]
    CannotRepeat {
        /// The statement.
        place: Place,
        /// Why it cannot.
        why: String,
    },
    /// An index that is not valid has the name of the one that is wanted: `IF NOT EXISTS` would take it for that one,
    /// and else it is in the way.
    #[error("{place}: {}: {index}", if *unless_there { "IF NOT EXISTS would leave an index as it is" } else { "an index of that name is there already" })]
    TakesInvalidIndex {
        /// The statement.
        place: Place,
        /// The index.
        index: InvalidIndex,
        /// Whether the statement says `IF NOT EXISTS`.
        unless_there: bool,
    },
    /// Transaction control that a migration cannot hold.
    #[error("{place}: {what} cannot be part of a migration")]
    UnsupportedControl {
        /// Where.
        place: Place,
        /// What it is.
        what: String,
    },
    /// A database that lacks what the project uses.
    #[error("{what}")]
    Unsupported {
        /// In words.
        what: String,
    },
}

impl Blocked {
    pub(super) fn unsplittable(migration: &Migration, source: SplitError) -> Self {
        let (line, column) = source.position();
        let file = migration.up().origin().to_owned();
        Self::Unsplittable { place: Place { file, line: migration.up().line_in_file(line), column }, source }
    }

    pub(super) fn misread(migration: &Migration, Misread { mode, set, quoted }: Misread) -> Self {
        let script = migration.up();
        let place = |offset| {
            let (line, column) = position(script.text(), offset);
            Place { file: script.origin().to_owned(), line: script.line_in_file(line), column }
        };
        Self::EndsElsewhere { place: place(set), mode, quoted: place(quoted) }
    }

    pub(super) fn directive(migration: &Migration, source: DirectiveError) -> Self {
        Self::Directive { file: migration.up().origin().to_owned(), source }
    }

    /// Whether somebody else's deploy may do what this one is refused: another run comes to its end, another account may
    /// write, or another connection or option says that it may. Where not, waiting does not help.
    ///
    /// ```
    /// use windlass_core::plan::Blocked;
    ///
    /// let elsewhere = Blocked::ReadOnly { reason: "a replica".to_owned(), pending: Vec::new() };
    /// let edited = Blocked::Edited { names: vec!["1_ships".to_owned()], applied: 1, empty: false };
    /// assert!(elsewhere.may_pass() && !edited.may_pass());
    /// ```
    pub fn may_pass(&self) -> bool {
        match self {
            Self::TakesInvalidIndex { index, .. } => index.is_being_built(),
            Self::InDoubt { beside, .. } => beside.iter().any(InvalidIndex::is_being_built),
            Self::Running { .. }
            | Self::ReadOnly { .. }
            | Self::NeedsSession { .. }
            | Self::NotEmpty { .. }
            | Self::OutOfOrder { .. }
            | Self::SharedVersion { .. }
            | Self::UnclosedTransaction { .. } => true,
            _ => false,
        }
    }

    /// What to do next, in commands.
    ///
    /// ```
    /// use windlass_core::plan::Blocked;
    ///
    /// let hint = Blocked::NotEmpty { examples: vec!["ships".to_owned()] }.hint();
    /// assert!(hint.is_some_and(|hint| hint.contains("windlass baseline")));
    /// ```
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::History(HistoryError::Newer { .. }) => {
                "deploy with the version of windlass that wrote it, or a later one".to_owned()
            }
            Self::History(_) => {
                "restore the table from a backup, or see `windlass history` for what it holds".to_owned()
            }
            Self::NotEmpty { examples } => onto_what_is_there(examples),
            Self::ReadOnly { reason, .. } if reason.contains("mode=ro") => {
                "leave `mode=ro` out of the URL".to_owned()
            }
            Self::ReadOnly { .. } => "deploy as a user who may write to it; where there are replicas, to the primary".to_owned(),
            Self::Edited { names, empty: true, .. } => format!(
                "it was empty when it was applied, so nothing of it ran: `windlass resolve --rolled-back {}`, and deploy again",
                shell_word(&names[0])
            ),
            Self::Edited { names, applied, .. } if names.len() > 1 && names.len() * 2 > *applied => {
                "most of what is applied differs: check the database URL and the migrations folder".to_owned()
            }
            Self::Edited { names, .. } => format!(
                "put the old text back and write a new migration; or take the text as it is: `windlass resolve --accept-edit {}`",
                shell_word(&names[0])
            ),
            Self::Missing { names } => format!(
                "bring the file back; or, once nothing of it stands: `windlass resolve --rolled-back {} --force` \
                (without its file there is nothing to check that against)",
                shell_word(&names[0])
            ),
            Self::Renamed { to, .. } => format!(
                "give it its old name back, or take the new one: `windlass resolve --accept-edit {}`",
                shell_word(to)
            ),
            Self::NothingInCommon { .. } | Self::EmptyProject { .. } => {
                "check the database URL and the migrations folder".to_owned()
            }
            Self::AheadAndPending { .. } => "deploy the release that has them all".to_owned(),
            Self::OutOfOrder { .. } => {
                "give it a later version, or run it as it is: `--out-of-order`".to_owned()
            }
            Self::SharedVersion { .. } => {
                "give each its own version, or leave `--strict-order` out".to_owned()
            }
            Self::Failed { attempt, .. } if attempt.in_flight.is_some() && attempt.sight == Sight::Unknown => {
                ways_out_of_what_began(&attempt.name)
            }
            Self::Failed { attempt, .. } => four_ways_out(&attempt.name),
            Self::UnfinishedElsewhere { attempt, renamed_to: Some(to) } => format!(
                "give `{to}` its old name back: `{0}`; or, once nothing of it stands: \
                `windlass resolve --rolled-back {0} --force`",
                shell_word(&attempt.name)
            ),
            // No resumption ends that, and once it is recorded as applied it is a missing one.
            Self::UnfinishedElsewhere { attempt, .. } => format!(
                "put its file back, or deploy the release that has it; or, once nothing of it stands: \
                `windlass resolve --rolled-back {} --force` (without its file there is nothing to check that against)",
                shell_word(&attempt.name)
            ),
            Self::InDoubt { attempt, in_flight, .. }
                if attempt.state() == State::Failed && in_flight.first == in_flight.last =>
            {
                format!(
                    "look at what it did before it was refused; once that is undone, or the text goes on from there: \
                     `windlass resolve --resume {0}`; if what stands in its place took effect: \
                     `windlass resolve --resume {0} --took-effect`; if the whole migration did: \
                     `windlass resolve --applied {0}`; if nothing of it stands: `windlass resolve --rolled-back {0}`",
                    shell_word(&attempt.name)
                )
            }
            Self::InDoubt { attempt, beside, .. } => format!(
                "{1}look whether it took effect; if it did not: `windlass resolve --resume {0}`; \
                if it did: `windlass resolve --resume {0} --took-effect`; \
                if the whole migration did: `windlass resolve --applied {0}`; if nothing of it stands: `windlass resolve --rolled-back {0}`",
                shell_word(&attempt.name),
                beside.iter().find(|index| index.is_being_built()).map(|index| index.hint() + "; or ").unwrap_or_default()
            ),
            // Built anew it would still be there.
            Self::TakesInvalidIndex { index, unless_there: false, .. } if index.why == Invalidity::Unfinished => {
                index.drop_statement()
            }
            Self::TakesInvalidIndex { index, .. } => index.hint(),
            Self::HeadChanged { attempt } => format!(
                "put back the statements that have run; only those after them may change; or `windlass resolve --rolled-back {}` once nothing of it stands",
                shell_word(&attempt.name)
            ),
            Self::Undone { attempt, .. } => format!(
                "make it again as it was, with all that was undone, and deploy again; or, once nothing of it stands, no row that it \
                changed either: `windlass resolve --rolled-back {}`; or, if it is to stay as it is: `windlass drift accept --reason TEXT`, and \
                deploy again",
                shell_word(&attempt.name)
            ),
            Self::SessionGone { attempt, .. } => format!(
                "let the statements that have not run do without it; or undo what has run, and then `windlass resolve --rolled-back {}`",
                shell_word(&attempt.name)
            ),
            Self::Running { attempt } if attempt.owner_session == Liveness::Unknown => format!(
                "whether its session still lives cannot be told from here; wait for it to end, or, once you know that \
                it is gone: `windlass resolve --resume {}`",
                shell_word(&attempt.name)
            ),
            Self::Running { .. } => "wait for it to end, then deploy again".to_owned(),
            Self::UnknownTarget { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownTarget { .. } => "`windlass status` lists them all".to_owned(),
            Self::Placeholder { .. } => {
                "write what it stands for into the script; windlass has no placeholders, and leaves `${…}` in strings \
                 as it is"
                    .to_owned()
            }
            Self::Unsplittable { source: SplitError::MetaCommand { .. }, .. } => {
                "write what it does as SQL, or take it out; a file that it would read is put in its place".to_owned()
            }
            Self::Unsplittable { source: SplitError::Unterminated { .. }, .. } => {
                "close it where it ends; inside of a string its own quote is written twice".to_owned()
            }
            Self::TransactionRequired { .. } => {
                "move it to a migration of its own, or take `transaction required` away".to_owned()
            }
            Self::InsideExplicitTransaction { .. } => {
                "move it before the BEGIN or after the COMMIT".to_owned()
            }
            Self::NeedsSession { .. } => {
                "deploy by the URL of the server itself, most often the same host with another port; or run it all the \
                 same, with the settings of whatever session the pooler gives: `--allow-pooler`"
                    .to_owned()
            }
            Self::NotOneTransaction { before: Some(before), .. } => format!(
                "leave `--single-transaction` out, or deploy what comes before it first: `--to {before}`"
            ),
            Self::NotOneTransaction { .. } => "leave `--single-transaction` out".to_owned(),
            Self::ChangesHistory { .. } => {
                "take it out; `windlass resolve` writes decisions into the history, and `--history-table` names another"
                    .to_owned()
            }
            Self::TakesHistoryAway { .. } => {
                "take it out: drop or rename what is in it instead; on PostgreSQL the history can stand in a schema of \
                 its own: `--history-table windlass.migrations`"
                    .to_owned()
            }
            Self::NestedBegin { .. } => "take the second BEGIN away, or COMMIT before it".to_owned(),
            Self::UnclosedTransaction { .. } => {
                "add the COMMIT; or go on as if it stood at the end of the file: `--close-open-transaction`"
                    .to_owned()
            }
            Self::CutChangesMeaning { .. } => {
                "split the migration in two, or set it for the session (SET instead of SET LOCAL)".to_owned()
            }
            Self::HoldsForNothing { .. } => {
                "put BEGIN and COMMIT around the statements that it is for, or take the marker away".to_owned()
            }
            Self::ReadsOwnWrites { .. } => {
                "put it directly behind the statement that it tells of; or keep what it would read in a table, or count anew"
                    .to_owned()
            }
            Self::CannotRepeat { .. } => {
                "`-- windlass: repeat` is for an UPDATE, DELETE or INSERT … SELECT that touches some rows with each \
                run and in the end none, like `UPDATE … WHERE id IN (SELECT id … WHERE … LIMIT 5000)`; \
                or take the directive away"
                    .to_owned()
            }
            Self::EndsElsewhere { .. } => {
                "leave the mode out, or let no backslash stand before the quote: `CHAR(92)` is one".to_owned()
            }
            Self::UnsupportedControl { .. } => {
                "take it out: windlass begins and commits the migration itself".to_owned()
            }
            _ => return None,
        };
        Some(hint)
    }
}

/// What a repeated statement has done, behind those that are completed.
fn rows_of_next(attempt: &Attempt) -> String {
    match attempt.touched {
        0 => String::new(),
        rows => format!(" and {rows} rows of statement {}", attempt.completed + 1),
    }
}

/// The same, and what nobody knows of those that were under way.
fn part_of_next(attempt: &Attempt) -> String {
    let begun = attempt.in_flight.map(|in_flight| format!(" and perhaps a part of {}", in_flight.to_text()));
    rows_of_next(attempt) + &begun.unwrap_or_default()
}

/// The ways out of a database that holds something and no history. One whose history has the usual name, while
/// another is asked for, would run every migration again: that is no place for the usual ways.
fn onto_what_is_there(examples: &[String]) -> String {
    let is_history = |example: &&String| example.rsplit('.').next() == Some(DEFAULT_TABLE);
    match examples.iter().find(is_history) {
        Some(history) => format!(
            "a history of windlass stands in it, `{history}`: leave `--history-table` (and `history_table` of \
            windlass.toml) out"
        ),
        None => "check the database URL; to adopt this database as it is: `windlass baseline NAME`; \
            to deploy onto it all the same: `--allow-non-empty`"
            .to_owned(),
    }
}

/// The same where what was refused may have done something before: with another text it would be in doubt.
pub(crate) fn ways_out_of_what_began(name: &str) -> String {
    let name = shell_word(name);
    format!(
        "undo what the statement did before it was refused, if it did anything; once that is done, and the text is mended, or \
         what it met: `windlass resolve --resume {name}`, and deploy again; \
         or, once you finished it by hand: `windlass resolve --applied {name}`; \
         or, once you undid it by hand: `windlass resolve --rolled-back {name}`"
    )
}

/// The ways out of a migration that stands half-done.
pub fn four_ways_out(name: &str) -> String {
    let name = shell_word(name);
    format!(
        "edit the statements that have not run and deploy again; \
        or try the same text again: `windlass resolve --resume {name}`; \
        or, once you finished it by hand: `windlass resolve --applied {name}`; \
        or, once you undid it by hand: `windlass resolve --rolled-back {name}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_command() {
        assert!(four_ways_out("2_half").contains("`windlass resolve --resume 2_half`"));
        let name = "2_it's $(so)";
        for hint in [four_ways_out(name), ways_out_of_what_began(name)] {
            assert!(hint.contains(r"`windlass resolve --resume '2_it'\''s $(so)'`"), "{hint}");
        }
        let names = vec![name.to_owned()];
        let hint = Blocked::Edited { names, applied: 9, empty: false }.hint().expect("a hint");
        assert!(hint.contains(r"--accept-edit '2_it'\''s $(so)'`"), "{hint}");
    }
}
