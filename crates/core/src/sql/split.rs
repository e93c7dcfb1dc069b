//! A script's statements: where each begins and ends.

use std::ops::Range;

use super::Dialect;

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
    /// Byte range of the comments and space since the statement before it.
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
pub fn split(_dialect: Dialect, _script: &str) -> Result<Vec<Statement>, SplitError> {
    Ok(Vec::new())
}
