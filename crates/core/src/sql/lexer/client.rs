//! What is in a script for the client and not for the server: `DELIMITER`, `COPY` rows, backslash commands.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::{Lexer, Special, TokenKind, scan};
use crate::sql::Dialect;

/// What is wrong with a `DELIMITER` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DelimiterProblem {
    Missing,
    Backslash,
}

const COMMAND: &str = "delimiter";

/// The terminator that a `DELIMITER` command sets.
pub(crate) fn delimiter_argument(command: &str) -> Result<&str, DelimiterProblem> {
    let argument = command.get(COMMAND.len()..).unwrap_or_default().trim();
    let quote = argument.chars().next().filter(|first| matches!(first, '\'' | '"' | '`'));
    let argument = match quote {
        Some(quote) if argument.len() > 1 => argument[1..].trim_end_matches(quote),
        _ => argument,
    };
    match argument {
        "" => Err(DelimiterProblem::Missing),
        _ if argument.contains('\\') => Err(DelimiterProblem::Backslash),
        _ => Ok(argument),
    }
}

/// The rows of `COPY … FROM stdin` that start here, up to the line `\.` or the text's end: the range
/// of the whole, with that line.
pub(super) fn copy_rows(bytes: &[u8], start: usize) -> Range<usize> {
    let mut from = start;
    loop {
        let line = if from == start && bytes[start..].starts_with(b"\\.") {
            start
        } else {
            match memmem::find(&bytes[from..], b"\n\\.") {
                Some(length) => from + length + 1,
                None => return start..bytes.len(),
            }
        };
        let end = line + 2;
        if matches!(&bytes[end..], [] | [b'\n', ..] | [b'\r', b'\n', ..]) || bytes[end..] == *b"\r" {
            return start..end;
        }
        from = end;
    }
}

impl<'a> Lexer<'a> {
    /// MySQL's client knows a few commands by name. `DELIMITER` ends a statement too where it begins
    /// a line and cannot be anything else: a column may have that name.
    pub(super) fn client_word(&mut self, start: usize, end: usize) -> Option<(TokenKind, usize)> {
        let word = &self.text[start..end];
        if self.at_start && word.eq_ignore_ascii_case("source") {
            return Some((TokenKind::MetaCommand, self.line_end(end)));
        }
        if !word.eq_ignore_ascii_case(COMMAND) {
            return None;
        }
        let line = &self.text[end..self.line_end(end)];
        let argument = argument(line);
        let alone = argument.end == line.trim_end().len()
            && !argument.is_empty()
            && !line[argument.clone()].contains(|letter: char| letter.is_alphanumeric());
        if !(self.at_start || alone && self.begins_line(start)) {
            return None;
        }
        let end = end + argument.end;
        match delimiter_argument(&self.text[start..end]) {
            Ok(";") => self.special = Special::Nothing,
            Ok(delimiter) => self.special = Special::Delimiter(delimiter),
            Err(_) => {}
        }
        Some((TokenKind::ClientCommand, end))
    }

    /// A token while another terminator is in force: it is looked for first, and inside every token
    /// but strings, names in quotes and comments.
    pub(super) fn delimited(&mut self, start: usize, first: u8, delimiter: &str) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        if stands_alone(bytes, start, delimiter) {
            return (TokenKind::Terminator, start + delimiter.len());
        }
        let (kind, end) = self.read(start, first);
        let opaque = matches!(
            kind,
            TokenKind::String
                | TokenKind::QuotedIdentifier
                | TokenKind::Comment
                | TokenKind::ExecutableComment
                | TokenKind::Hint
                | TokenKind::ClientCommand
                | TokenKind::Unterminated
        );
        if opaque {
            return (kind, end);
        }
        let mut inside = memmem::find_iter(&bytes[start..end], &delimiter.as_bytes()[..1])
            .map(|length| start + length)
            .filter(|&place| place > start && self.text.is_char_boundary(place));
        match inside.find(|&place| stands_alone(bytes, place, delimiter)) {
            Some(place) => (kind, place),
            None => (kind, end),
        }
    }

    /// Behind `COPY … FROM stdin;` nothing but a comment stands before the rows on the next line.
    pub(super) fn copy_line(&mut self, start: usize, first: u8) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match first {
            b' ' | b'\t' | b'\r' | b'\n' => {
                let newline = memchr(b'\n', &bytes[start..scan::spaces(bytes, start)]);
                let end = newline.map_or(scan::spaces(bytes, start), |length| start + length + 1);
                if newline.is_some() {
                    let rows = self.text[end..].trim().len();
                    self.special = if rows == 0 { Special::Nothing } else { Special::CopyRows };
                }
                (TokenKind::Space, end)
            }
            b'-' if bytes[start..].starts_with(b"--") => (TokenKind::Comment, self.line_end(start)),
            _ => {
                self.special = Special::Nothing;
                self.read(start, first)
            }
        }
    }

    /// A backslash outside of strings is for the client, but MySQL's `\N` is NULL. psql's `\restrict`
    /// and `\unrestrict`, which dumps carry, only limit psql itself.
    pub(super) fn backslash(&mut self, start: usize) -> (TokenKind, usize) {
        let end = self.line_end(start);
        let line = &self.text[start..end];
        let command = line.split_whitespace().next().unwrap_or_default();
        match self.dialect {
            Dialect::Postgres if matches!(command, "\\restrict" | "\\unrestrict") && self.at_start => {
                (TokenKind::ClientCommand, end)
            }
            Dialect::Postgres => (TokenKind::MetaCommand, end),
            Dialect::MySql
                if line[1..].starts_with(|letter: char| letter.is_alphabetic() || letter == '.')
                    && !line.starts_with("\\N") =>
            {
                (TokenKind::MetaCommand, end)
            }
            _ => (TokenKind::Punctuation, start + 1),
        }
    }
}

/// Where the argument of a command stands on the rest of its line.
fn argument(line: &str) -> Range<usize> {
    let start = line.len() - line.trim_start().len();
    let rest = &line[start..];
    let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"' | '`'));
    let quoted = quote.and_then(|quote| rest[1..].find(quote)).map(|length| length + 2);
    let length = quoted.unwrap_or_else(|| rest.find(char::is_whitespace).unwrap_or(rest.len()));
    start..start + length
}

/// The terminator stands here; one that is a word is not part of a longer word.
fn stands_alone(bytes: &[u8], start: usize, delimiter: &str) -> bool {
    let delimiter = delimiter.as_bytes();
    let end = start + delimiter.len();
    let letter = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    bytes[start..].starts_with(delimiter)
        && !(letter(delimiter.first()) && start > 0 && letter(bytes.get(start - 1)))
        && !(letter(delimiter.last()) && letter(bytes.get(end)))
}
