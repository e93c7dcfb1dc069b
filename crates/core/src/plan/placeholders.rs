//! Placeholders that another tool would fill in: outside of strings `${name}` is no SQL of any database.

use super::{Blocked, Execute, Place};
use crate::sql::Dialect;
use crate::sql::lexer::{TokenKind, tokens};
use crate::sql::split::position;
use memchr::memmem;

/// What begins one.
const OPENING: &str = "${";

/// Refuses the first one, before anything runs.
pub(super) fn refuse(dialect: Dialect, statements: &[Execute<'_>]) -> Result<(), Blocked> {
    let found = statements.iter().find_map(|execute| Some((execute, placeholder(dialect, execute.sql)?)));
    let Some((execute, at)) = found else { return Ok(()) };
    let (line, column) = position(execute.sql, at);
    let mut place = Place::of(execute);
    place.column = if line == 1 { place.column + column - 1 } else { column };
    place.line += line - 1;
    let rest = &execute.sql[at..];
    let end = rest.find('}').map_or(OPENING.len(), |end| end + 1);
    Err(Blocked::Placeholder { place, placeholder: rest[..end].to_owned() })
}

/// Where one begins that is not in a string, a comment or a quoted name.
fn placeholder(dialect: Dialect, sql: &str) -> Option<usize> {
    let mut candidates = memmem::find_iter(sql.as_bytes(), OPENING).peekable();
    candidates.peek()?;
    let written = |kind| {
        matches!(kind, TokenKind::Word | TokenKind::Punctuation | TokenKind::Parameter | TokenKind::Number)
    };
    let plain: Vec<_> = tokens(dialect, sql)
        .filter(|token| written(token.kind))
        .map(|token| token.offset..token.end())
        .collect();
    candidates.find(|at| plain.iter().any(|token| token.contains(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_strings_and_comments_is_data() {
        for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
            let found = |sql| placeholder(dialect, sql);
            assert_eq!(found("CREATE TABLE ${schema}.a (n int)"), Some(13), "{dialect:?}");
            assert_eq!(found("INSERT INTO a VALUES ('x'), (${n})"), Some(29), "{dialect:?}");
            assert_eq!(found("CREATE TABLE a${x} (n int)"), Some(14), "{dialect:?}");
            assert_eq!(found("INSERT INTO a VALUES ('${n}') -- ${n}\n/* ${n} */"), None, "{dialect:?}");
        }
        assert_eq!(placeholder(Dialect::Postgres, "DO $${}$$"), None);
        assert_eq!(placeholder(Dialect::Postgres, "SELECT \"${a}\", $x${}$x$, $1"), None);
        assert_eq!(placeholder(Dialect::MySql, "SELECT `${a}`"), None);
    }
}
