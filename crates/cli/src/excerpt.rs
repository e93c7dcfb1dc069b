//! Excerpt: the lines of a script around a place, and what of them to underline.

use std::ops::Range;
use windlass_core::apply::FailedStatement;
use windlass_core::migration::Migration;
use windlass_core::plan::Place;
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{classify, may_hold_secret};
use windlass_core::sql::split::split;

/// Lines shown before the underlined one.
const LINES_BEFORE: usize = 3;
/// Lines longer than this are data, and a screen full of them helps nobody.
const LONGEST_LINE: usize = 400;

/// A few whole lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The file.
    pub(crate) file: String,
    /// The line of the file that `text` begins with.
    pub(crate) first_line: u32,
    /// The lines.
    pub(crate) text: String,
    /// What to underline, in bytes of `text`.
    pub(crate) span: Range<usize>,
}

impl Excerpt {
    /// The statement that failed: its offending place, else its first line.
    pub(crate) fn of_failure(
        failed: &FailedStatement,
        migration: Option<&Migration>,
        dialect: Dialect,
    ) -> Option<Self> {
        if failed.sql.is_empty() {
            return None;
        }
        let migration = migration?;
        let text = migration.up().text();
        let statements = migration.statements(dialect).ok()?;
        let statement = statements.get((failed.number as usize).checked_sub(1)?)?;
        let exact = failed.error.position.map(|position| statement.start + position);
        let told_line = failed.error.line.filter(|line| *line > 1).and_then(|line| {
            let lines = text.get(statement.start..statement.end)?.split_inclusive('\n');
            Some(statement.start + lines.take(line as usize - 1).map(str::len).sum::<usize>())
        });
        let span = match (exact, told_line) {
            (Some(at), _) if at < text.len() && text.is_char_boundary(at) => word(text, at),
            (_, Some(at)) => rest_of_line(text, at),
            _ => rest_of_line(text, statement.start),
        };
        Self::around(migration, span, statement.start, dialect)
    }

    /// A place in a script, and the rest of its line.
    pub(crate) fn at(place: &Place, migration: Option<&Migration>, dialect: Dialect) -> Option<Self> {
        let migration = migration?;
        let text = migration.up().text();
        let line = place.line.checked_sub(migration.up().line_in_file(1))? + 1;
        let at = byte_offset(text, (line, place.column));
        let line = byte_offset(text, (line, 1));
        Self::around(migration, rest_of_line(text, at), line, dialect)
    }

    /// Whole lines, from the statement's first one where that is near; none where they may hold a secret.
    fn around(migration: &Migration, span: Range<usize>, statement: usize, dialect: Dialect) -> Option<Self> {
        let text = migration.up().text();
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let mut start = line_start(span.start);
        for _ in 0..LINES_BEFORE {
            if start > line_start(statement.min(span.start)) {
                start = line_start(start - 1);
            }
        }
        let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
        let shown = text.get(start..end)?;
        if shown.lines().any(|line| line.len() > LONGEST_LINE) {
            return None;
        }
        if touches_secret(text, start..end, dialect) {
            return None;
        }
        let line = u32::try_from(text[..start].matches('\n').count()).ok()? + 1;
        Some(Self {
            file: migration.up().origin().to_owned(),
            first_line: migration.up().line_in_file(line),
            text: shown.trim_end().to_owned(),
            span: span.start - start..span.end - start,
        })
    }
}

/// Whether a statement that these lines show a part of, or the comments before it, may hold a secret.
fn touches_secret(text: &str, lines: Range<usize>, dialect: Dialect) -> bool {
    let statements = match split(dialect, text) {
        Ok(statements) => statements,
        Err(error) => return unsplittable_secret(text, byte_offset(text, error.position()), dialect),
    };
    let behind = statements.last().map_or(0, |statement| statement.end);
    let in_statements = statements.iter().any(|statement| {
        let start = statement.leading.start;
        start < lines.end
            && lines.start < statement.end
            && (classify(dialect, statement.text(text)).may_hold_secret
                || may_hold_secret(&text[start..statement.end]))
    });
    in_statements || behind < lines.end && may_hold_secret(&text[behind..]) || may_hold_secret(&text[lines])
}

/// Where statements end is not known: a secret anywhere in the script may reach these lines.
fn unsplittable_secret(text: &str, wrong: usize, dialect: Dialect) -> bool {
    let before = split(dialect, &text[..wrong]).unwrap_or_default();
    let open = before.last().map_or(0, |statement| statement.start);
    may_hold_secret(text) || classify(dialect, text[open..].trim_start()).may_hold_secret
}

/// The byte at a line and a column, both from 1; the text's end where there is no such place.
fn byte_offset(text: &str, (line, column): (u32, u32)) -> usize {
    let before = (line as usize).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let column = (column as usize).saturating_sub(1);
    text[start..].char_indices().nth(column).map_or(text.len(), |(offset, _)| start + offset)
}

/// The word at a place, or the one character that stands there.
fn word(text: &str, at: usize) -> Range<usize> {
    let in_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let length: usize = text[at..].chars().take_while(in_word).map(char::len_utf8).sum();
    let one = text[at..].chars().next().map_or(0, char::len_utf8);
    at..at + length.max(one)
}

fn rest_of_line(text: &str, at: usize) -> Range<usize> {
    let line = text[at..].lines().next().unwrap_or("");
    at..at + line.trim_end().trim_end_matches(';').len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::migration::Script;

    fn migration(text: &'static str) -> Migration {
        Migration::new("1_a", Script::new("m/1_a.sql", text))
    }

    #[test]
    fn a_place_becomes_lines_and_a_span() {
        let migration = migration("-- one\nSELECT 1;\n  BEGIN;\n");
        let place = Place { file: "m/1_a.sql".to_owned(), line: 3, column: 3 };
        let excerpt = Excerpt::at(&place, Some(&migration), Dialect::Sqlite).unwrap();
        assert_eq!((excerpt.first_line, excerpt.text.as_str()), (3, "  BEGIN;"));
        assert_eq!(&excerpt.text[excerpt.span], "BEGIN");
    }

    #[test]
    fn a_place_beyond_the_end_is_no_panic() {
        let migration = migration("SELECT 1");
        for (line, column) in [(0, 0), (1, 99), (9, 9)] {
            let place = Place { file: String::new(), line, column };
            let _ = Excerpt::at(&place, Some(&migration), Dialect::Sqlite);
        }
    }

    #[test]
    fn no_line_with_a_part_of_a_secret_is_shown() {
        let shown = |dialect, text: &'static str, line| {
            let place = Place { file: String::new(), line, column: 1 };
            Excerpt::at(&place, Some(&migration(text)), dialect).map(|excerpt| excerpt.text)
        };
        let text = "SELECT 1;\nCREATE USER u IDENTIFIED BY\n'hunter2'; SELECT 2;\nSELECT 3;\n";
        let lines = [1, 2, 3, 4].map(|line| shown(Dialect::MySql, text, line));
        assert_eq!(lines, [Some("SELECT 1;".to_owned()), None, None, Some("SELECT 3;".to_owned())]);
        let commented = "SELECT 1;\n/* ALTER ROLE r PASSWORD\n'hunter2' */ SELECT 2;\nSELECT 3; -- postgres://u:hunter2@h\n";
        for line in 2..=4 {
            assert_eq!(shown(Dialect::Postgres, commented, line), None);
        }
        let attached = "SELECT 1;\nATTACH 'a' AS b KEY\n'hunter2';\nSELECT 2;";
        assert_eq!(shown(Dialect::Sqlite, attached, 3), None);
    }

    #[test]
    fn a_script_that_cannot_be_split_shows_no_secret() {
        let shown = |dialect, text: &'static str, line| {
            let place = Place { file: String::new(), line, column: 1 };
            Excerpt::at(&place, Some(&migration(text)), dialect).map(|excerpt| excerpt.text)
        };
        assert_eq!(shown(Dialect::Postgres, "SELECT 1;\nCREATE ROLE r PASSWORD\n'hunter2;", 3), None);
        assert_eq!(shown(Dialect::Sqlite, "SELECT 1;\nATTACH 'a' AS b KEY\n'hunter2;", 3), None);
        assert_eq!(shown(Dialect::Sqlite, "SELECT 1; ATTACH 'a' AS b KEY 'hunter2;", 1), None);
        assert_eq!(shown(Dialect::Sqlite, "SELECT 1;\nSELECT 'open;", 2).as_deref(), Some("SELECT 'open;"));
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(word("SELECT page > 5", 7), 7..11);
        assert_eq!(word("SELECT )", 7), 7..8);
        assert_eq!(word("über", 0), 0..5);
    }
}
