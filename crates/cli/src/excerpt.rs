//! Excerpt: the lines of a script around a place, and what of them to underline.

use std::ops::Range;
use windlass_core::apply::FailedStatement;
use windlass_core::migration::Migration;
use windlass_core::plan::Place;
use windlass_core::sql::Dialect;

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
        Self::around(migration, span, statement.start)
    }

    /// A place in a script, and the rest of its line.
    pub(crate) fn at(place: &Place, migration: Option<&Migration>) -> Option<Self> {
        let migration = migration?;
        let text = migration.up().text();
        let index = place.line.checked_sub(migration.up().line_in_file(1))? as usize;
        let line: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
        let column = (place.column as usize).saturating_sub(1);
        let at = text[line..].char_indices().nth(column).map_or(text.len(), |(offset, _)| line + offset);
        Self::around(migration, rest_of_line(text, at), line)
    }

    /// Whole lines, from the statement's first one where that is near.
    fn around(migration: &Migration, span: Range<usize>, statement: usize) -> Option<Self> {
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
        let line = u32::try_from(text[..start].matches('\n').count()).ok()? + 1;
        Some(Self {
            file: migration.up().origin().to_owned(),
            first_line: migration.up().line_in_file(line),
            text: shown.trim_end().to_owned(),
            span: span.start - start..span.end - start,
        })
    }
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
        let excerpt = Excerpt::at(&place, Some(&migration)).unwrap();
        assert_eq!((excerpt.first_line, excerpt.text.as_str()), (3, "  BEGIN;"));
        assert_eq!(&excerpt.text[excerpt.span], "BEGIN");
    }

    #[test]
    fn a_place_beyond_the_end_is_no_panic() {
        let migration = migration("SELECT 1");
        for (line, column) in [(0, 0), (1, 99), (9, 9)] {
            let place = Place { file: String::new(), line, column };
            let _ = Excerpt::at(&place, Some(&migration));
        }
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(word("SELECT page > 5", 7), 7..11);
        assert_eq!(word("SELECT )", 7), 7..8);
        assert_eq!(word("über", 0), 0..5);
    }
}
