//! Modes of MySQL and MariaDB by which quotes end elsewhere: scripts are read by the rules without them.

use super::Dialect;
use super::lexer::{Token, TokenKind, executed};
use super::script::{Boundary, Script};

/// The modes that change what a script's quotes and backslashes mean, those that imply one of them included. A name
/// that is part of another stands behind it.
pub const LEXICAL_MODES: [&str; 8] =
    ["NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "POSTGRESQL", "ORACLE", "MAXDB", "MSSQL", "ANSI", "DB2"];

/// A string or a name that the server would read to another end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) mode: &'static str,
    /// Where the statement begins that sets the mode, and where what is quoted does.
    pub(crate) set: usize,
    pub(crate) quoted: usize,
}

/// The first of a script. Up to there both read the same.
pub(crate) fn misread(script: &str) -> Option<Misread> {
    if !mentions_modes(script.as_bytes()) {
        return None;
    }
    let mut reader = Script::new(Dialect::MySql, script);
    let (mut start, mut mode) = (None, None);
    while let Some((token, boundary)) = reader.next_token() {
        if boundary != Boundary::None {
            let statement = start.take().map(|start| (start, &script[start..token.offset]));
            mode = statement.map_or(mode, |(start, statement)| mode_after(statement, start, mode));
        } else if token.kind.is_significant() {
            start.get_or_insert(token.offset);
            if let Some((mode, set)) = mode.filter(|(mode, _)| ends_elsewhere(&token, mode)) {
                return Some(Misread { mode, set, quoted: token.offset });
            }
        }
    }
    None
}

fn mentions_modes(script: &[u8]) -> bool {
    let is_name =
        |at: usize| script.get(at + 1..at + 7).is_some_and(|rest| rest.eq_ignore_ascii_case(b"l_mode"));
    memchr::memchr2_iter(b'q', b'Q', script).any(is_name)
}

/// The mode that holds behind a statement, with the place of the statement that set it.
fn mode_after(
    statement: &str,
    start: usize,
    before: Option<(&'static str, usize)>,
) -> Option<(&'static str, usize)> {
    if !mentions_modes(statement.as_bytes()) {
        return before;
    }
    let tokens = executed(Dialect::MySql, statement);
    let is = |index: usize, word: &str| {
        tokens.get(index).is_some_and(|token| token.text.eq_ignore_ascii_case(word))
    };
    let is_of_server = ["GLOBAL", "PERSIST", "PERSIST_ONLY"].iter().any(|scope| is(1, scope));
    let is_target = |index: &usize| {
        let name = tokens[*index].text.trim_start_matches('@').to_ascii_lowercase();
        matches!(name.as_str(), "sql_mode" | "session.sql_mode" | "local.sql_mode")
            && (is(index + 1, "=") || is(index + 1, ":="))
    };
    let target = (0..tokens.len()).find(is_target).filter(|_| is(0, "SET") && !is_of_server);
    let Some(target) = target else { return before };
    // What takes modes out names them too.
    let value = if is(target + 2, "REPLACE") { &[] } else { &tokens[target + 2..] };
    let named: Vec<_> = value.iter().flat_map(|token| words(token.text)).collect();
    let is_named = |mode: &&'static str| named.iter().any(|word| word.eq_ignore_ascii_case(mode));
    LEXICAL_MODES.into_iter().find(is_named).map(|mode| (mode, start))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}

/// Whether what is quoted ends elsewhere where a backslash is a letter as any other.
fn ends_elsewhere(token: &Token<'_>, mode: &str) -> bool {
    let is_open = token.kind == TokenKind::Unterminated;
    let quotes: &[char] = if mode == "NO_BACKSLASH_ESCAPES" { &['\'', '"'] } else { &['"'] };
    let is_quoted = is_open || matches!(token.kind, TokenKind::String | TokenKind::QuotedIdentifier);
    let start = token.text.find(['\'', '"', '`']).filter(|_| is_quoted && token.text.contains('\\'));
    let Some(quote) =
        start.and_then(|start| token.text[start..].chars().next()).filter(|quote| quotes.contains(quote))
    else {
        return false;
    };
    let mut rest = &token.text[start.unwrap_or_default() + 1..];
    while let Some(end) = rest.find(quote) {
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(behind) => rest = behind,
            None => return !rest.is_empty() || is_open,
        }
    }
    !is_open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: Option<(&'static str, &str)>) {
        let found = misread(script).map(|found| (found.mode, &script[found.quoted..]));
        assert_eq!(found, expected, "{script}");
    }

    #[test]
    fn what_ends_elsewhere_is_found() {
        let backslash = "NO_BACKSLASH_ESCAPES";
        check(
            r"SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT 'C:\'; SELECT 2",
            Some((backslash, r"'C:\'; SELECT 2")),
        );
        check(
            r"set session Sql_Mode = concat(@@sql_mode, ',no_backslash_escapes'); SELECT 'C:\'); DROP TABLE a; -- '",
            Some((backslash, r"'C:\'); DROP TABLE a; -- '")),
        );
        check(
            "/*!40101 SET @OLD=@@sql_mode, SQL_MODE='ANSI' */; SELECT 'a\\'', 1, \"b\\\"\"",
            Some(("ANSI", "\"b\\\"\"")),
        );
        check("SET sql_mode = ORACLE; SELECT \"a\\\"", Some(("ORACLE", "\"a\\\"")));
    }

    #[test]
    fn what_does_not_is_left_alone() {
        check(r"SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT 'C:\dir', '\\', '%\_%', 'it''s'", None);
        check(r"SET sql_mode='NO_BACKSLASH_ESCAPES'; SET sql_mode=@old; SELECT 'C:\''", None);
        check(r"SET sql_mode='ANSI_QUOTES'; SELECT 'C:\''", None);
        check(r"SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; SELECT 'C:\''", None);
        check(r"SET GLOBAL sql_mode='NO_BACKSLASH_ESCAPES'; SELECT 'C:\''", None);
        check(r"SET sql_mode=REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''); SELECT 'C:\''", None);
        check(
            r"CREATE PROCEDURE p() BEGIN SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT 'C:\''; END; SELECT 'C:\''",
            None,
        );
        check(r"SET @m='NO_BACKSLASH_ESCAPES', @n=@@sql_mode; SELECT 'C:\''", None);
    }
}
