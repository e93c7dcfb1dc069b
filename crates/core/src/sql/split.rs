//! A script's statements: where each begins and ends.

use std::ops::Range;

use super::Dialect;
use super::lexer::{DelimiterProblem, Token, TokenKind, count_newlines, delimiter_argument, tokens};
use super::script::{Boundary, Script};

/// Where a statement stands in its script.
///
/// It starts at its first token (space and comments before it are not part of it, executable
/// comments and hints are) and ends before its terminator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
    /// Line of its first character, from 1.
    pub line: u32,
    /// Column of its first character, from 1, counted in characters.
    pub column: u32,
    /// Byte range of everything since the statement before it: comments, space, client commands.
    pub leading: Range<usize>,
    /// Byte range of the rows that follow `COPY … FROM stdin`, without the line `\.`.
    pub copy_data: Option<Range<usize>>,
}

impl Statement {
    /// The statement's text, a part of the script it was split from.
    pub fn text<'s>(&self, script: &'s str) -> &'s str {
        script.get(self.start..self.end).unwrap_or_default()
    }

    /// The rows that follow `COPY … FROM stdin`.
    pub fn copy_data<'s>(&self, script: &'s str) -> Option<&'s str> {
        self.copy_data.clone().map(|range| script.get(range).unwrap_or_default())
    }
}

/// Why a script cannot be split into statements.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Something is opened and never closed.
    #[error("{what} that starts at line {line}, column {column} is never closed")]
    Unterminated {
        /// What is open, with its article: "a string".
        what: &'static str,
        /// Line where it starts, from 1.
        line: u32,
        /// Column where it starts, from 1.
        column: u32,
    },
    /// A command for a client program stands where SQL is expected.
    #[error("line {line} holds `{command}`, a command of the database's own client, which is not SQL")]
    MetaCommand {
        /// Line of the command, from 1.
        line: u32,
        /// Column of the command, from 1.
        column: u32,
        /// The command as written, without its arguments.
        command: String,
    },
    /// A NUL character stands in a statement.
    #[error(
        "line {line}, column {column} holds a NUL character, which no statement can carry to the database"
    )]
    Nul {
        /// Line of the character, from 1.
        line: u32,
        /// Column of the character, from 1.
        column: u32,
    },
    /// `COPY … FROM stdin` is not followed by its rows.
    #[error("`COPY … FROM stdin` at line {line} is not followed by its rows")]
    CopyWithoutData {
        /// Line of the statement, from 1.
        line: u32,
        /// Column of the statement, from 1.
        column: u32,
    },
    /// `DELIMITER` names no usable terminator.
    #[error("`DELIMITER` at line {line} {problem}")]
    InvalidDelimiter {
        /// Line of the command, from 1.
        line: u32,
        /// Column of the command, from 1.
        column: u32,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl SplitError {
    /// Line and column, both from 1, of what is wrong.
    pub fn position(&self) -> (u32, u32) {
        match *self {
            SplitError::Unterminated { line, column, .. }
            | SplitError::Nul { line, column }
            | SplitError::MetaCommand { line, column, .. }
            | SplitError::CopyWithoutData { line, column }
            | SplitError::InvalidDelimiter { line, column, .. } => (line, column),
        }
    }
}

/// The statements of a script, in order. Empty statements are left out.
///
/// # Errors
/// When something never ends, or a line is for a client program and not for the database.
///
/// ```
/// use windlass_core::sql::{Dialect, split::split};
///
/// let script = "CREATE TABLE ship (id int); -- the first\nINSERT INTO ship VALUES (1);";
/// let statements = split(Dialect::Postgres, script)?;
/// assert_eq!(statements[1].text(script), "INSERT INTO ship VALUES (1)");
/// assert_eq!((statements[1].line, statements[1].column), (2, 1));
/// # Ok::<(), windlass_core::sql::split::SplitError>(())
/// ```
pub fn split(dialect: Dialect, script: &str) -> Result<Vec<Statement>, SplitError> {
    let mut splitter = Splitter {
        locator: Locator::new(script),
        statements: Vec::new(),
        leading: 0,
        open: None,
        waits_for_rows: false,
    };
    let mut reader = Script::new(dialect, script);
    while let Some((token, boundary)) = reader.next_token() {
        splitter.token(&token, boundary)?;
    }
    let statements = splitter.finish(reader.open_body(), reader.wants_rows())?;
    match first_nul(dialect, script, &statements) {
        Some((line, column)) => Err(SplitError::Nul { line, column }),
        None => Ok(statements),
    }
}

/// Where a statement holds a NUL that it cannot: PostgreSQL's protocol and SQLite take it for the end of the
/// text, and MySQL reads it inside of strings and comments alone.
fn first_nul(dialect: Dialect, script: &str, statements: &[Statement]) -> Option<(u32, u32)> {
    let first = memchr::memchr(0, script.as_bytes())?;
    let after = statements.partition_point(|statement| statement.end <= first);
    let offset = statements[after..].iter().find_map(|statement| {
        let text = statement.text(script);
        let within = match dialect {
            Dialect::MySql => {
                let bare = |token: &Token<'_>| !matches!(token.kind, TokenKind::String | TokenKind::Comment);
                let holding = tokens(dialect, text).find(|token| bare(token) && token.text.contains('\0'))?;
                holding.offset + holding.text.find('\0')?
            }
            Dialect::Postgres | Dialect::Sqlite => text.find('\0')?,
        };
        Some(statement.start + within)
    })?;
    Some(Locator::new(script).locate(offset))
}

struct Splitter<'a> {
    locator: Locator<'a>,
    statements: Vec<Statement>,
    /// Where the statement before ended, with its terminator.
    leading: usize,
    /// The statement that is being read.
    open: Option<Open>,
    /// The last statement is `COPY … FROM stdin`.
    waits_for_rows: bool,
}

#[derive(Clone, Copy)]
struct Open {
    start: usize,
    end: usize,
    /// It holds more than hints.
    real: bool,
}

impl Splitter<'_> {
    #[inline]
    fn token(&mut self, token: &Token<'_>, boundary: Boundary) -> Result<(), SplitError> {
        match token.kind {
            TokenKind::Space | TokenKind::Comment => return Ok(()),
            _ if self.waits_for_rows && token.kind != TokenKind::CopyData => {
                return Err(self.copy_without_data());
            }
            TokenKind::Unterminated => {
                let (line, column) = self.locator.locate(token.offset);
                return Err(SplitError::Unterminated { what: unterminated(token.text), line, column });
            }
            TokenKind::MetaCommand => return Err(self.meta_command(token)),
            TokenKind::CopyData => self.rows(token),
            TokenKind::ClientCommand => {
                self.close(token.end());
                self.client_command(token)?;
            }
            _ if boundary != Boundary::None => {
                self.close(token.end());
                self.waits_for_rows = boundary == Boundary::EndsWithRows;
            }
            kind => {
                let real = kind != TokenKind::Hint;
                let open = self.open.get_or_insert(Open { start: token.offset, end: 0, real });
                open.end = token.end();
                open.real |= real;
            }
        }
        Ok(())
    }

    /// The statement that is being read, if any, is complete.
    fn close(&mut self, next: usize) {
        let Some(Open { start, end, real: true }) = self.open.take() else { return };
        let (line, column) = self.locator.locate(start);
        let leading = std::mem::replace(&mut self.leading, next)..start;
        self.statements.push(Statement { start, end, line, column, leading, copy_data: None });
    }

    fn rows(&mut self, token: &Token<'_>) {
        let lines = token.text.strip_suffix('\r').unwrap_or(token.text);
        let rows = lines.strip_suffix("\\.").filter(|rows| rows.is_empty() || rows.ends_with('\n'));
        let length = rows.unwrap_or(token.text).len();
        if let Some(statement) = self.statements.last_mut() {
            statement.copy_data = Some(token.offset..token.offset + length);
        }
        self.leading = token.end();
        self.waits_for_rows = false;
    }

    fn finish(
        mut self,
        open_body: Option<&'static str>,
        wants_rows: bool,
    ) -> Result<Vec<Statement>, SplitError> {
        let open = self.open;
        self.close(self.leading);
        if let (Some(what), Some(open)) = (open_body, open) {
            let (line, column) = self.locator.locate(open.start);
            return Err(SplitError::Unterminated { what, line, column });
        }
        if self.waits_for_rows || wants_rows {
            return Err(self.copy_without_data());
        }
        Ok(self.statements)
    }

    fn copy_without_data(&self) -> SplitError {
        let (line, column) = self.statements.last().map_or((1, 1), |copy| (copy.line, copy.column));
        SplitError::CopyWithoutData { line, column }
    }

    fn meta_command(&mut self, token: &Token<'_>) -> SplitError {
        let (line, column) = self.locator.locate(token.offset);
        let command = token.text.split_whitespace().next().unwrap_or_default().to_owned();
        SplitError::MetaCommand { line, column, command }
    }

    fn client_command(&mut self, token: &Token<'_>) -> Result<(), SplitError> {
        if token.text.starts_with('\\') {
            return Ok(());
        }
        let problem = match delimiter_argument(token.text) {
            Ok(_) => return Ok(()),
            Err(DelimiterProblem::Missing) => "names no delimiter",
            Err(DelimiterProblem::Backslash) => "cannot name one with a backslash",
        };
        let (line, column) = self.locator.locate(token.offset);
        Err(SplitError::InvalidDelimiter { line, column, problem })
    }
}

/// What it is that never ends, told by how it begins.
fn unterminated(text: &str) -> &'static str {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(b'/') => "a comment",
        Some(b'"' | b'`' | b'[') => "a quoted name or string",
        Some(b'$') => "a dollar-quoted string",
        Some(b'u' | b'U') if text[1..].starts_with("&\"") => "a quoted name",
        Some(b'@') => "a quoted variable",
        _ => "a string",
    }
}

/// Line and column, both from 1, of a place in a script.
pub(crate) fn position(script: &str, offset: usize) -> (u32, u32) {
    Locator::new(script).locate(offset)
}

/// Tells line and column of ever later places, reading the script once.
struct Locator<'a> {
    script: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Locator<'a> {
    fn new(script: &'a str) -> Self {
        // A byte order mark is no character of the first line.
        let offset = if script.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Locator { script, offset, line: 1, column: 1 }
    }

    fn locate(&mut self, offset: usize) -> (u32, u32) {
        if let Some(between) = self.script.get(self.offset..offset) {
            self.line += count_newlines(between.as_bytes()) as u32;
            let tail = match memchr::memrchr(b'\n', between.as_bytes()) {
                Some(newline) => {
                    self.column = 1;
                    &between[newline + 1..]
                }
                None => between,
            };
            self.column += tail.chars().count() as u32;
            self.offset = offset;
        }
        (self.line, self.column)
    }
}
