//! Failure: a refused statement, with everything a person needs to go on.

use crate::diagnosis::shell_word;
use crate::driver::{Cause, DatabaseError, Holder};
use crate::plan::{Execute, Place};

mod values;

/// A statement that the database refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedStatement {
    /// The migration.
    pub migration: String,
    /// Where the statement begins.
    pub place: Place,
    /// Its number, from 1; where the commit was refused, that of the last one before it.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Its text; empty where it may hold a secret.
    pub sql: String,
    /// What the database said.
    pub error: DatabaseError,
    /// What of the migration stands.
    pub stands: Stands,
    /// Rows that its earlier runs touched, where it is repeated: those stand.
    pub touched: u64,
    /// Whether the failure could be written into the history.
    pub recorded: bool,
    /// Where not the statement was refused, but the commit behind it, as by a deferred constraint: the migrations whose
    /// transaction that was, any of which may have done what it refused.
    pub commit_of: Vec<String>,
}

/// What of a failed migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stands {
    /// Nothing: it was rolled back.
    Nothing,
    /// The first statements.
    Part {
        /// How many.
        completed: u32,
    },
    /// The first statements, and perhaps part of what comes after them: of statements that belong together, or of
    /// one that a refusal does not undo.
    PartOfUnit {
        /// How many stand for sure.
        completed: u32,
    },
}

impl std::fmt::Display for FailedStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.commit_of.as_slice() {
            [] => write!(f, "at {}", self.offending_place()),
            [_] => write!(f, "at the COMMIT behind {}", self.place),
            several => write!(f, "at the one COMMIT of {}", several.join(", ")),
        }
    }
}

impl std::error::Error for FailedStatement {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl FailedStatement {
    pub(super) fn new(execute: &Execute<'_>, error: DatabaseError, stands: Stands) -> Self {
        let error = match execute.secret {
            true => error.without_quotations(),
            false => values::without_values(error, execute.sql),
        };
        Self {
            migration: execute.migration.name().to_owned(),
            place: Place::of(execute),
            number: execute.number,
            of: execute.of,
            sql: if execute.secret { String::new() } else { execute.sql.to_owned() },
            error,
            stands,
            touched: 0,
            recorded: true,
            commit_of: Vec::new(),
        }
    }

    /// What was refused, as a part of its migration: `statement 2 of 3`, or the commit.
    ///
    /// ```
    /// use windlass_core::apply::DeployError;
    ///
    /// fn told(error: &DeployError) -> Option<String> {
    ///     let DeployError::Statement(failed) = error else { return None };
    ///     Some(format!("{}: {}", failed.part(), failed.error))
    /// }
    /// # let _ = told;
    /// ```
    pub fn part(&self) -> String {
        match self.commit_of.as_slice() {
            [] => format!("statement {} of {}", self.number, self.of),
            [_] if self.number < self.of => {
                format!("the COMMIT behind statement {} of {}", self.number, self.of)
            }
            [_] => "its COMMIT".to_owned(),
            several => format!("the one COMMIT of {}", several.join(", ")),
        }
    }

    /// The place in the file that the database points at, where it gives a position; else the statement's.
    pub fn offending_place(&self) -> Place {
        let mut place = self.place.clone();
        let offset = self.error.position.filter(|&offset| self.sql.is_char_boundary(offset));
        if let Some(before) = offset.and_then(|offset| self.sql.get(..offset)) {
            let (lines, last) = (before.matches('\n').count(), before.rsplit('\n').next().unwrap_or(""));
            let width = u32::try_from(last.chars().count()).unwrap_or(0);
            place.line += u32::try_from(lines).unwrap_or(0);
            place.column = if lines == 0 { place.column + width } else { width + 1 };
        } else if let Some(line) = self.error.line.filter(|&line| line > 1) {
            (place.line, place.column) = (place.line + line - 1, 1);
        }
        place
    }

    /// What was rolled back and what stands, in lines.
    pub fn what_stands(&self) -> Vec<String> {
        let Self { migration, number, of, touched, .. } = self;
        let stand = |completed: u32| {
            let is_one = completed == 1 || (completed == 0 && *of == 1);
            let verb = if is_one { "stands" } else { "stand" };
            let statements = if *of == 1 { "statement" } else { "statements" };
            format!("of `{migration}`, {completed} of {of} {statements} {verb}")
        };
        let mut told = Vec::new();
        if self.sql.is_empty() {
            told.push("the statement is not shown: it may hold a secret".to_owned());
        }
        told.push(match self.stands {
            Stands::Nothing if self.commit_of.len() > 1 => {
                format!("{} were rolled back: nothing of them stands", self.commit_of.join(", "))
            }
            Stands::Nothing => format!("`{migration}` was rolled back: nothing of it stands"),
            Stands::Part { completed } => stand(completed),
            Stands::PartOfUnit { completed: 0 } => {
                format!("{}, or perhaps a part of what was begun", stand(0))
            }
            Stands::PartOfUnit { completed } => {
                format!("{}, and perhaps a part of what came after", stand(completed))
            }
        });
        if *touched > 0 {
            let rows = if *touched == 1 { "row" } else { "rows" };
            told.push(format!("earlier runs of statement {number} touched {touched} {rows}, and stand"));
        }
        if !self.recorded {
            told.push("the failure could not be written into the history".to_owned());
        }
        told
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        if let Some(hint) = self.error.code.as_deref().and_then(|code| self.about_the_transaction(code)) {
            return hint;
        }
        if self.error.code.as_deref().is_some_and(says_full) {
            return "make room on the database's disk and deploy again".to_owned();
        }
        if self.error.code.is_none()
            && let Some(hint) = &self.error.hint
        {
            return hint.clone();
        }
        match self.stands {
            Stands::Nothing if self.commit_of.len() > 1 => {
                "any of them may have done what was refused: mend it and deploy \
                again; to be told which, leave `--single-transaction` out"
                    .to_owned()
            }
            Stands::Nothing if says_there_already(&self.error) => format!(
                "mend {} and deploy again; or, where the database has all that it makes: `windlass resolve --applied {}`; \
                 or all up to some migration: `windlass baseline NAME`",
                self.place.file,
                shell_word(&self.migration)
            ),
            Stands::Nothing => format!("mend {} and deploy again", self.place.file),
            Stands::Part { .. } => crate::plan::four_ways_out(&self.migration),
            Stands::PartOfUnit { .. } => crate::plan::ways_out_of_what_began(&self.migration),
        }
    }

    /// What a transaction was in the way of, and what the migration itself has set.
    fn about_the_transaction(&self, code: &str) -> Option<String> {
        let file = &self.place.file;
        if is_read_only(code) {
            return Some(read_only(file));
        }
        if is_out_of_time(code) && !self.error.message.contains("user request") {
            return Some(format!(
                "no other session was in its way: the time that a statement may take was over, which the migration, or a \
                 function or trigger that it calls, has set; leave that out of what {file} does, or set a longer one, and deploy \
                 again"
            ));
        }
        let directive = format!("put `-- windlass: no-transaction` at the head of {file}");
        match code {
            // invalid_transaction_termination: a procedure or DO block that commits.
            "2D000" => Some(format!("it commits by itself, which a transaction forbids: {directive}")),
            // active_sql_transaction: the text does not tell, such as REINDEX of what turns out to have partitions.
            "25001" => Some(format!("it cannot be in a transaction: {directive}")),
            // unsafe_new_enum_value_usage
            "55P04" => Some(format!(
                "a new enum value can be used once it is committed: use it in a migration after {file}, or {directive}"
            )),
            _ => None,
        }
    }
}

/// Whether a code says that the transaction, not the database, is read-only: that one is refused before anything runs
/// (PostgreSQL, MySQL, SQLite).
pub(super) fn is_read_only(code: &str) -> bool {
    ["25006", "1792 ", "SQLITE_READONLY (8)"].iter().any(|known| code.starts_with(known))
}

/// What to do about that.
fn read_only(file: &str) -> String {
    format!(
        "it has made its own transaction read-only, or a function or trigger that it calls has (`SET TRANSACTION READ ONLY`, \
         `transaction_read_only`, `PRAGMA query_only`): leave that out of what {file} does, and deploy again"
    )
}

/// Whether a code says that a statement took longer than its session lets it (PostgreSQL, MySQL, MariaDB).
pub(super) fn is_out_of_time(code: &str) -> bool {
    ["57014", "3024 ", "1969 "].iter().any(|known| code.starts_with(known))
}

/// Whether what a statement makes is there (PostgreSQL, MySQL, SQLite).
fn says_there_already(error: &DatabaseError) -> bool {
    const CODES: [&str; 8] = ["42P06", "42P07", "42701", "42710", "42723", "1050 ", "1060 ", "1061 "];
    let code = error.code.as_deref().unwrap_or_default();
    let says = |words: &str| code.starts_with("SQLITE_ERROR") && error.message.contains(words);
    CODES.iter().any(|known| code.starts_with(known))
        || says("already exists")
        || says("duplicate column name")
}

/// Whether a code says that a disk or a file is full (PostgreSQL, MySQL, SQLite).
fn says_full(code: &str) -> bool {
    ["53100", "1021 ", "1114 ", "SQLITE_FULL"].iter().any(|full| code.starts_with(full))
}

/// Who holds something, in a line of words.
pub(super) fn holder_told(holder: &Holder) -> String {
    let mut told = match (&holder.who, &holder.session) {
        (Some(who), Some(session)) => format!("{who} ({session})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "another session".to_owned(),
    };
    told.extend(holder.since.iter().map(|since| format!(" since {since}")));
    told.extend(holder.running.iter().map(|running| format!(", running {running}")));
    told
}

/// A cause in a line of words.
pub(super) fn told(cause: &Cause) -> String {
    match cause {
        Cause::Refused(error) | Cause::GaveWay(error) => error.to_string(),
        Cause::Lost(message) => message.clone(),
        Cause::ClaimTaken => "another run holds the claim".to_owned(),
        Cause::Fenced => "another run took the attempt over".to_owned(),
        Cause::Stopped => "asked to stop".to_owned(),
        Cause::Busy(holder) => format!("others hold what it needs: {}", holder_told(holder)),
        Cause::ForeignKeys(rows) => format!("rows without the row they refer to: {}", rows.join("; ")),
    }
}
