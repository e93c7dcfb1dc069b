//! Texts as they were written. Of a string in a body the catalogs tell what it means, MariaDB with its quotes doubled and
//! MySQL with nothing escaped at all: where that may be another text, the statement itself is asked for. Pure.

use super::catalog::{Catalog, Part};
use super::cells::Cells;
use super::model::body;
use crate::history::identifier;
use crate::transport::Row;
use windlass_core::sql::Dialect;
use windlass_core::sql::lexer::{Token, TokenKind, tokens};

/// A routine, a trigger or an event whose statement is asked for.
pub(super) struct Asked {
    kind: String,
    table: String,
    name: String,
    told: String,
}

/// Those of a catalog's rows of which another text may have been written than is told.
pub(super) fn asked(catalog: &'static Catalog, rows: &[Row], is_mariadb: bool) -> Vec<Asked> {
    let columns = match catalog.part {
        Part::Routines => ["routine_name", "", "routine_definition"],
        Part::Triggers => ["trigger_name", "event_object_table", "action_statement"],
        Part::Events => ["event_name", "", "event_definition"],
        _ => return Vec::new(),
    };
    let rows = rows.iter().map(|row| Cells { catalog, row });
    let asked = rows.map(|row| {
        let kind = match catalog.part {
            Part::Routines => row.text("routine_type"),
            Part::Triggers => "TRIGGER",
            _ => "EVENT",
        };
        let [name, table, told] = columns.map(|column| row.text(column).to_owned());
        let is_sql = ["", "SQL"].contains(&row.text("external_language"));
        (is_sql, Asked { kind: kind.to_owned(), table, name, told })
    });
    let is_unclear = |(is_sql, asked): &(bool, Asked)| *is_sql && !is_as_written(is_mariadb, &asked.told);
    asked.filter(is_unclear).map(|(_, asked)| asked).collect()
}

/// One message: the texts come in the same character set whatever the session's is, and that is as it was behind it.
pub(super) fn query(database: &str, asked: &[Asked]) -> String {
    let each = asked.iter().map(|Asked { kind, name, .. }| {
        format!("SHOW CREATE {kind} {}.{}", identifier(database), identifier(name))
    });
    let all = std::iter::once(PINNED.to_owned()).chain(each).chain([RESTORED.to_owned()]);
    all.collect::<Vec<_>>().join(";\n")
}

const PINNED: &str = "SET @_windlass_letters = @@character_set_results, character_set_results = utf8mb4";

/// What [`query`] ends with, and what is said where it was cut short.
pub(super) const RESTORED: &str = "SET character_set_results = @_windlass_letters, @_windlass_letters = NULL";

/// What the server answered, as rows: kind, table, name, and the text where it was found.
pub(super) fn rows(asked: Vec<Asked>, answers: impl Iterator<Item = Row>) -> Vec<Row> {
    let each = asked.into_iter().zip(answers).map(|(Asked { kind, table, name, told }, answer)| {
        // An event's time zone stands before it.
        let at = if kind == "EVENT" { 3 } else { 2 };
        let statement = answer.into_iter().nth(at).flatten();
        let text = statement.and_then(|statement| text(&kind, &statement, &told).map(str::to_owned));
        vec![Some(kind.to_lowercase()), Some(table), Some(name), text]
    });
    each.collect()
}

/// Whether a text can only have been written as it is told.
fn is_as_written(is_mariadb: bool, told: &str) -> bool {
    !told.contains('\\') && (is_mariadb || has_plain_strings(told))
}

/// Whether no string may have ended where a quote in it was.
fn has_plain_strings(text: &str) -> bool {
    let all: Vec<_> = tokens(Dialect::MySql, text).collect();
    let is_quoted = |token: &Token<'_>| matches!(token.kind, TokenKind::String | TokenKind::QuotedIdentifier);
    let is_plain = |token: &Token<'_>| {
        let quote = token.text.chars().last().unwrap_or_default();
        token.kind != TokenKind::Unterminated && !(is_quoted(token) && token.text.matches(quote).count() > 2)
    };
    let is_word = |token: &Token<'_>| matches!(token.kind, TokenKind::Word | TokenKind::Number);
    let are_apart = |pair: &[Token<'_>]| match (is_quoted(&pair[0]), is_quoted(&pair[1])) {
        (true, true) => false,
        (true, false) => !is_word(&pair[1]),
        (false, true) => !is_word(&pair[0]) || pair[0].text.starts_with('_'),
        (false, false) => true,
    };
    all.iter().all(is_plain) && all.windows(2).all(are_apart)
}

/// The body in its statement: it begins like what is told of it.
fn text<'s>(kind: &str, statement: &'s str, told: &str) -> Option<&'s str> {
    let beginning = told.split(['\'', '"', '`', '\\']).next().filter(|beginning| !beginning.is_empty())?;
    let all: Vec<_> = tokens(Dialect::MySql, statement).collect();
    let behind = match kind {
        "TRIGGER" => behind_words(&all, &["FOR", "EACH", "ROW"])?,
        "EVENT" => behind_words(&all, &["DO"])?,
        _ => behind_header(&all)?,
    };
    // Comments in front of it are told by some servers.
    let first = (behind..all.len()).find(|at| all[*at].kind.is_significant())?;
    let mut places = all[behind..=first].iter().map(|token| token.offset);
    let at = places.find(|at| statement[*at..].starts_with(beginning))?;
    Some(body(&statement[at..]))
}

/// Which token stands behind the first that are these words.
fn behind_words(all: &[Token<'_>], words: &[&str]) -> Option<usize> {
    let significant: Vec<_> = (0..all.len()).filter(|at| all[*at].kind.is_significant()).collect();
    let are = |places: &&[usize]| places.iter().zip(words).all(|(at, word)| all[*at].is_word(word));
    significant.windows(words.len()).find(are)?.last().map(|at| at + 1)
}

/// Which token of a routine's stands first in a line of its own: the server moves in what is told before it, and
/// parameters stand in brackets.
fn behind_header(all: &[Token<'_>]) -> Option<usize> {
    let (mut depth, mut is_behind) = (0_usize, false);
    for (at, token) in all.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                is_behind |= depth == 0;
            }
            space if token.kind == TokenKind::Space && is_behind && depth == 0 && space.ends_with('\n') => {
                return Some(at + 1);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_may_have_been_written_otherwise_is_noticed() {
        assert!(is_as_written(false, "begin return concat(_latin1'a', \"b\", ''); end -- it is"));
        assert!(is_as_written(true, "select 'it''s'"));
        assert!(!is_as_written(true, r"select 'a\b'"));
        for told in [
            r"select 'a\b'",
            "select 'it's'",
            "select 'it''s'",
            "select 'say 'hi''",
            "select 'a'', x, '''",
            "select \"it's\" \"a\"b\"",
        ] {
            assert!(!is_as_written(false, told), "{told}");
        }
    }

    #[test]
    fn a_body_is_found_in_its_statement() {
        let function = "CREATE DEFINER=`root`@`%` FUNCTION `f(`(n int /* ) */ , e enum('a\n','b')) RETURNS varchar(30) CHARSET \
                        utf8mb4\n    DETERMINISTIC\n    COMMENT 'it''s\\n x'\nbegin return concat(n,'it''s'); end";
        assert_eq!(
            text("FUNCTION", function, "begin return concat(n,'it's'); end"),
            Some("begin return concat(n,'it''s'); end")
        );
        let trigger = "CREATE DEFINER=`a`@`b` trigger tr before insert on t /* for each row */ for /* */ each row /* x */ set @a = 'it''s';";
        assert_eq!(text("TRIGGER", trigger, "set @a = 'it's'"), Some("set @a = 'it''s'"));
        assert_eq!(text("TRIGGER", trigger, "/* x */ set @a = 'it's'"), Some("/* x */ set @a = 'it''s'"));
        let event = "CREATE EVENT `do` ON SCHEDULE EVERY 1 DAY COMMENT 'do ''x' DO select 'it''s'";
        assert_eq!(text("EVENT", event, "select 'it's'"), Some("select 'it''s'"));
        assert_eq!(text("EVENT", event, "set 'it's'"), None);
    }
}
