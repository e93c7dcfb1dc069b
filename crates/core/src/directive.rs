//! Directives: comments in a script that say how to run it, ours and those of other tools.

mod marker;
mod words;

use crate::migration::TransactionMode;
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind, tokens};
use crate::sql::split::{SplitError, Statement, split};
use std::time::Duration;
use words::Words;

/// What the comments of a script ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directives {
    /// How the script is to be wrapped in transactions.
    pub mode: TransactionMode,
    /// The tool whose own marker turned the transaction off; `None` where it was our directive, or none did.
    pub marker: Option<&'static str>,
    /// How long a statement of the script may wait for a lock.
    pub lock_timeout: Option<Duration>,
    /// The statements to run again and again, in order.
    pub repeats: Vec<Repeat>,
}

/// `-- windlass: repeat` before a statement: run it until it touches no row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeat {
    /// The statement's place in the script, from 0.
    pub statement: usize,
    /// Line of the directive, from 1.
    pub line: u32,
    /// How long to wait between two runs.
    pub pause: Option<Duration>,
    /// The number of rows, over all runs, with which the statement is done although there may be more.
    pub until_rows: Option<u64>,
    /// The number of rows, over all runs, beyond which it is taken for one that never ends; where it is not
    /// given, twice the rows that the statement's largest table has before the first run.
    pub at_most_rows: Option<u64>,
}

/// Why the directives of a script cannot be followed. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectiveError {
    /// A directive that nobody knows.
    #[error(
        "line {line}, column {column}: unknown directive `{found}`; did you mean `{nearest}`?{}",
        all(nearest)
    )]
    Unknown {
        /// Line of the word.
        line: u32,
        /// Column of the word.
        column: u32,
        /// What was written.
        found: String,
        /// The known directive that is nearest; where the word before the colon is wrong, how they begin.
        nearest: &'static str,
    },
    /// Something behind a known directive that it cannot have.
    #[error("line {line}, column {column}: `{directive}` takes {expected}, not `{found}`")]
    InvalidValue {
        /// Line of the word.
        line: u32,
        /// Column of the word.
        column: u32,
        /// The directive.
        directive: &'static str,
        /// What was written; empty where a word is missing.
        found: String,
        /// What can stand there.
        expected: &'static str,
    },
    /// A directive for the whole script behind its first statement.
    #[error("line {line}, column {column}: `{directive}` belongs above the first statement")]
    BehindStatement {
        /// Line of the directive.
        line: u32,
        /// Column of the directive.
        column: u32,
        /// The directive.
        directive: &'static str,
    },
    /// Two directives that cannot both be followed.
    #[error("line {line}, column {column}: `{directive}` contradicts line {other_line}")]
    Contradiction {
        /// Line of the second one.
        line: u32,
        /// Column of the second one.
        column: u32,
        /// The second one.
        directive: &'static str,
        /// Line of the first one.
        other_line: u32,
    },
    /// `repeat` with no statement right behind it.
    #[error("line {line}, column {column}: `repeat` stands before no statement")]
    NothingToRepeat {
        /// Line of the directive.
        line: u32,
        /// Column of the directive.
        column: u32,
    },
    /// The script cannot be split, so that the statement to repeat is not known.
    #[error(transparent)]
    Split(#[from] SplitError),
}

impl DirectiveError {
    /// Line and column, both from 1, of what is wrong.
    pub fn position(&self) -> (u32, u32) {
        match self {
            Self::Unknown { line, column, .. }
            | Self::InvalidValue { line, column, .. }
            | Self::BehindStatement { line, column, .. }
            | Self::Contradiction { line, column, .. }
            | Self::NothingToRepeat { line, column } => (*line, *column),
            Self::Split(error) => error.position(),
        }
    }
}

/// Reads the directives of a script: those for the whole of it from its head (the comments before the
/// first statement), `repeat` from anywhere between statements.
///
/// ```
/// use windlass_core::directive::directives;
/// use windlass_core::migration::TransactionMode;
/// use windlass_core::sql::Dialect;
///
/// let script = "-- windlass: no-transaction\nVACUUM;";
/// assert_eq!(directives(Dialect::Sqlite, script)?.mode, TransactionMode::Off);
///
/// let misspelt = directives(Dialect::Sqlite, "-- windlass: no-transacton\nVACUUM;").unwrap_err();
/// assert!(misspelt.to_string().contains("did you mean `no-transaction`?"));
/// # Ok::<(), windlass_core::directive::DirectiveError>(())
/// ```
///
/// # Errors
/// When a directive is misspelt, in the wrong place, or contradicts another.
pub fn directives(dialect: Dialect, script: &str) -> Result<Directives, DirectiveError> {
    let body = script.trim_start_matches('\u{feff}');
    let mut reader =
        Reader { dialect, script, read: Directives::default(), lines: SetAt::default(), statements: None };
    let mut in_head = true;
    for token in tokens(dialect, body) {
        let offset = token.offset + script.len() - body.len();
        match token.kind {
            TokenKind::Comment => reader.comment(Token { offset, ..token }, in_head)?,
            TokenKind::Space => {}
            _ => in_head = false,
        }
    }
    Ok(reader.read)
}

/// The directives that stand for the whole script, as messages call them.
const NO_TRANSACTION: &str = "no-transaction";
const REQUIRED: &str = "transaction required";
const LOCK_TIMEOUT: &str = "lock-timeout";
const REPEAT: &str = "repeat";
const KNOWN: [&str; 4] = [NO_TRANSACTION, REQUIRED, LOCK_TIMEOUT, REPEAT];

/// The known directives, behind a message that asks whether one of them was meant.
fn all(nearest: &str) -> String {
    if KNOWN.contains(&nearest) { format!(" There are `{}`", KNOWN.join("`, `")) } else { String::new() }
}

struct Reader<'s> {
    dialect: Dialect,
    script: &'s str,
    read: Directives,
    lines: SetAt,
    /// Split when the first `repeat` asks which statement it stands before.
    statements: Option<Vec<Statement>>,
}

/// The lines on which settings were made, to name them where another contradicts.
#[derive(Default)]
struct SetAt {
    mode: Option<u32>,
    lock_timeout: Option<u32>,
}

impl<'s> Reader<'s> {
    fn comment(&mut self, token: Token<'s>, in_head: bool) -> Result<(), DirectiveError> {
        if let Some(words) = words::directive(self.script, &token)? {
            return self.directive(words, in_head, token.offset);
        }
        if let Some(tool) = marker::no_transaction(token.text, in_head, self.is_first(&token)) {
            let line = Words::new(self.script, token.offset, "").position().0;
            self.set_mode(TransactionMode::Off, (line, 1), NO_TRANSACTION)?;
            self.read.marker = self.read.marker.or(Some(tool));
        }
        Ok(())
    }

    fn is_first(&self, token: &Token<'_>) -> bool {
        self.script[..token.offset].trim_start_matches('\u{feff}').is_empty()
    }

    fn directive(
        &mut self,
        mut words: Words<'s>,
        in_head: bool,
        offset: usize,
    ) -> Result<(), DirectiveError> {
        let position = words.position();
        let whole = words.rest();
        let directive = match (words.next(), words.rest()) {
            (Some("no-transaction"), _) => NO_TRANSACTION,
            (Some("transaction"), rest) if rest.split_whitespace().next() == Some("required") => {
                words.next();
                REQUIRED
            }
            (Some("lock-timeout"), _) => LOCK_TIMEOUT,
            (Some("repeat"), _) => REPEAT,
            (first, _) => return Err(unknown(position, whole, first.unwrap_or_default())),
        };
        let (line, column) = position;
        if !in_head && directive != REPEAT {
            return Err(DirectiveError::BehindStatement { line, column, directive });
        }
        match directive {
            NO_TRANSACTION => self.set_mode(TransactionMode::Off, position, directive)?,
            REQUIRED => self.set_mode(TransactionMode::Required, position, directive)?,
            LOCK_TIMEOUT => self.set_lock_timeout(words.duration(directive)?, position)?,
            _ => self.repeat(&mut words, position, offset)?,
        }
        words.end(directive)
    }

    fn set_mode(
        &mut self,
        mode: TransactionMode,
        (line, column): (u32, u32),
        directive: &'static str,
    ) -> Result<(), DirectiveError> {
        match self.lines.mode {
            Some(other_line) if self.read.mode != mode => {
                Err(DirectiveError::Contradiction { line, column, directive, other_line })
            }
            _ => {
                self.read.mode = mode;
                self.lines.mode = Some(line);
                Ok(())
            }
        }
    }

    fn set_lock_timeout(
        &mut self,
        timeout: Duration,
        (line, column): (u32, u32),
    ) -> Result<(), DirectiveError> {
        let directive = LOCK_TIMEOUT;
        match self.lines.lock_timeout {
            Some(other_line) if self.read.lock_timeout != Some(timeout) => {
                Err(DirectiveError::Contradiction { line, column, directive, other_line })
            }
            _ => {
                self.read.lock_timeout = Some(timeout);
                self.lines.lock_timeout = Some(line);
                Ok(())
            }
        }
    }

    fn repeat(
        &mut self,
        words: &mut Words<'s>,
        (line, column): (u32, u32),
        offset: usize,
    ) -> Result<(), DirectiveError> {
        let statements = match self.statements.take() {
            Some(statements) => statements,
            None => split(self.dialect, self.script)?,
        };
        let statement = statements.iter().position(|statement| statement.leading.contains(&offset));
        self.statements = Some(statements);
        let statement = statement.ok_or(DirectiveError::NothingToRepeat { line, column })?;
        if let Some(other) = self.read.repeats.last().filter(|other| other.statement == statement) {
            let (directive, other_line) = (REPEAT, other.line);
            return Err(DirectiveError::Contradiction { line, column, directive, other_line });
        }
        let mut repeat = Repeat { statement, line, pause: None, until_rows: None, at_most_rows: None };
        words.repeat_options(REPEAT, &mut repeat)?;
        self.read.repeats.push(repeat);
        Ok(())
    }
}

fn unknown((line, column): (u32, u32), whole: &str, first: &str) -> DirectiveError {
    let wrong = |known: &&str| {
        let known_first = known.split(' ').next().unwrap_or_default();
        distance(whole, known).min(distance(first, known_first))
    };
    let nearest = KNOWN.into_iter().min_by_key(wrong).unwrap_or(NO_TRANSACTION);
    DirectiveError::Unknown { line, column, found: whole.to_owned(), nearest }
}

/// The known word nearest to `found`, and how many letters are wrong.
pub(crate) fn nearest<'k>(found: &str, known: impl IntoIterator<Item = &'k str>) -> Option<(&'k str, usize)> {
    known.into_iter().map(|word| (word, distance(found, word))).min_by_key(|(_, distance)| *distance)
}

/// How many letters to insert, leave out or replace to make one word of the other.
fn distance(found: &str, known: &str) -> usize {
    let known: Vec<char> = known.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (i, letter) in found.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in known.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[known.len()]
}
