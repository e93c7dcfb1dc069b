//! Values: what a database says of rows, taken out of its words where they or the statement name what is called like a secret.
//!
//! Where the statement names it, its own text holds no secret, so that what is quoted of it may stay; the names of keys and
//! constraints may anyway.

use crate::driver::DatabaseError;
use crate::sql::classify::names_what_is_secret;

/// The error without what may be a secret that a row holds.
pub(super) fn without_values(error: DatabaseError, sql: &str) -> DatabaseError {
    let DatabaseError { message, code, detail, hint, context, .. } = &error;
    // Words without a code are windlass' own, or a function's of the program.
    let Some(code) = code else { return error };
    let said = [Some(message), detail.as_ref(), context.as_ref()];
    let is_named = names_what_is_secret(sql) && !makes_login(sql);
    if !is_named && !makes_login(sql) && !said.into_iter().flatten().any(|words| names_what_is_secret(words))
    {
        return error;
    }
    if is_raised(code, context.as_deref()) {
        let message = "raised by code of the database in words that may hold a secret".to_owned();
        let context = context.as_deref().and_then(of_context);
        return DatabaseError { message, detail: None, hint: None, context, ..error };
    }
    let is_of_names = is_of_names(code);
    // Elsewhere what is quoted of the statement may be the value itself.
    let own_words = if is_named { sql } else { "" };
    DatabaseError {
        message: of_message(message, own_words),
        detail: detail.as_ref().and_then(|detail| match is_of_names {
            true => Some(detail.clone()),
            false => of_key(detail),
        }),
        hint: hint.clone().filter(|_| is_of_names),
        context: context.as_deref().and_then(of_context),
        ..error
    }
}

/// Whether a statement is about an account, with a password in it that a slip keeps from being seen as one.
fn makes_login(sql: &str) -> bool {
    let words: Vec<&str> = sql.split_ascii_whitespace().take(2).collect();
    let is_one = |word: &str, of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one));
    matches!(words[..], [verb, what] if is_one(verb, &["CREATE", "ALTER"]) && is_one(what, &["USER", "ROLE"]))
}

/// Whether code says so in words of its own: `SIGNAL` of MySQL and MariaDB, `RAISE` of PostgreSQL and SQLite.
fn is_raised(code: &str, context: Option<&str>) -> bool {
    const CODES: [&str; 3] = ["1644 ", "P0001", "SQLITE_CONSTRAINT_TRIGGER"];
    CODES.iter().any(|raised| code.starts_with(raised))
        || context.is_some_and(|context| context.lines().any(|line| line.trim_end().ends_with(" RAISE")))
}

/// Whether a code says that the error's detail and hint are about names or sessions: all of PostgreSQL's classes are not that tell
/// of rows, or that a function may have filled; other databases have no detail, and the hints beside theirs are windlass' own.
fn is_of_names(code: &str) -> bool {
    const CLASSES: [&str; 7] = ["0A", "2B", "40", "42", "53", "55", "57"];
    code.contains(' ') || CLASSES.iter().any(|class| code.starts_with(class))
}

/// `Duplicate entry 'hunter2' for key 'u.ux'` becomes `Duplicate entry '…' for key 'u.ux'`.
fn of_message(message: &str, sql: &str) -> String {
    const TAILS: [&str; 2] = [" for key ", " for column "];
    if quotes_names_alone(message, sql) {
        return message.to_owned();
    }
    let is_quote = |c: char| opening(c).is_some() || "»”".contains(c);
    let Some(begin) = message.find(is_quote) else { return message.to_owned() };
    let tail = TAILS.iter().filter_map(|tail| message.rfind(tail)).max().filter(|tail| *tail > begin);
    let behind = tail.map_or_else(
        || {
            let last = message.rfind(is_quote).filter(|last| *last > begin);
            last.map_or("", |last| message[last..].trim_start_matches(is_quote))
        },
        |tail| &message[tail..],
    );
    format!("{}'…'{behind}", &message[..begin])
}

/// Whether all that is quoted is a name, or stands in the statement.
fn quotes_names_alone(message: &str, sql: &str) -> bool {
    if let Some((before, _)) = message.rsplit_once("' at line ")
        && let Some((_, near)) = before.split_once("near '")
    {
        return sql.contains(near);
    }
    let mut at = 0;
    while let Some((start, quote, end_quote)) =
        message[at..].char_indices().find_map(|(start, c)| opening(c).map(|end| (at + start, c, end)))
    {
        let inside = start + quote.len_utf8();
        let (before, rest) = (&message[..start], &message[inside..]);
        if before.ends_with(char::is_alphanumeric) {
            // The apostrophe of `doesn't` quotes nothing.
            if quote == '\'' && rest.starts_with("t ") {
                at = inside;
                continue;
            }
            return false;
        }
        let ends = |end: usize| !rest[end + end_quote.len_utf8()..].starts_with(char::is_alphanumeric);
        let Some((end, _)) = rest.match_indices(end_quote).find(|(end, _)| ends(*end)) else { return false };
        let content = &rest[..end];
        if quote != '`' && !is_introduced(before) && !is_clause(content) && !stands_in(content, sql) {
            return false;
        }
        at = inside + end + end_quote.len_utf8();
    }
    true
}

fn opening(c: char) -> Option<char> {
    match c {
        '\'' | '"' | '`' => Some(c),
        '«' => Some('»'),
        '“' => Some('”'),
        _ => None,
    }
}

/// Whether a word stands in front of a quotation behind which databases quote names.
fn is_introduced(before: &str) -> bool {
    const WORDS: [&str; 6] = ["constraint", "index", "column", "relation", "table", "key"];
    let before = before.trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// What MySQL calls the parts of a statement.
fn is_clause(content: &str) -> bool {
    content == "field list" || content.ends_with(" clause") || content.ends_with(" statement")
}

/// Whether these very words stand in a statement.
fn stands_in(content: &str, sql: &str) -> bool {
    let (content, sql) = (content.to_ascii_lowercase(), sql.to_ascii_lowercase());
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(&content)
        .any(|(at, _)| !sql[..at].ends_with(in_word) && !sql[at + content.len()..].starts_with(in_word))
}

/// `Key (token)=(hunter2) is duplicated.` becomes `Key (token)=(…) is duplicated.`
fn of_key(detail: &str) -> Option<String> {
    const BETWEEN: &str = ")=(";
    let values = detail.starts_with("Key (").then(|| detail.find(BETWEEN))?? + BETWEEN.len();
    let end = detail.rfind(')').filter(|end| *end >= values)?;
    Some(format!("{}…{}", &detail[..values], &detail[end..]))
}

/// Its lines that tell places and names; those that hold a query or a row of data are left out.
fn of_context(context: &str) -> Option<String> {
    const BEGINS: [&str; 5] = ["PL/pgSQL function ", "SQL function ", "table ", "column ", "constraint "];
    let told = |line: &&str| BEGINS.iter().any(|begin| line.starts_with(begin));
    let lines = context.lines().filter(told).collect::<Vec<_>>().join("\n");
    Some(lines).filter(|lines| !lines.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: &str, code: &str, message: &str) -> String {
        let error = DatabaseError {
            message: message.to_owned(),
            code: Some(code.to_owned()),
            ..DatabaseError::default()
        };
        without_values(error, sql).message
    }

    #[test]
    fn a_row_s_value_is_taken_out_and_names_stay() {
        let index = "CREATE UNIQUE INDEX ux ON u (token)";
        let modify = "ALTER TABLE u MODIFY token INT";
        let update = "UPDATE u SET token = lower(token)";
        for (sql, code, message, expected) in [
            (
                index,
                "1062 (23000)",
                "Duplicate entry 'sup3rS' for key 'u.ux'",
                "Duplicate entry '…' for key 'u.ux'",
            ),
            (
                index,
                "1062 (23000)",
                "Duplicate entry 'u' sup3rS' for key 'ux'",
                "Duplicate entry '…' for key 'ux'",
            ),
            (
                modify,
                "1366 (HY000)",
                "Incorrect integer value: 'sup3rS' for column `shop`.`u`.`token` at row 1",
                "Incorrect integer value: '…' for column `shop`.`u`.`token` at row 1",
            ),
            (
                modify,
                "1292 (22007)",
                "Truncated incorrect INTEGER value: 'sup3rS'",
                "Truncated incorrect INTEGER value: '…'",
            ),
            (
                "ALTER TABLE u ALTER token TYPE int USING token::int",
                "22P02",
                "invalid input syntax for type integer: \"sup3rS\"",
                "invalid input syntax for type integer: '…'",
            ),
            (
                update,
                "22P02",
                "invalid input syntax for type integer: \"sup\"3rS\"",
                "invalid input syntax for type integer: '…'",
            ),
            // The statement does not name it, and the error does.
            (
                "INSERT INTO u SELECT * FROM v",
                "1366 (HY000)",
                "Incorrect integer value: 'sup3rS' for column 'token' at row 1",
                "Incorrect integer value: '…' for column 'token' at row 1",
            ),
            // Then what is quoted may be the statement's.
            (
                "INSERT INTO u VALUES (2, 'sup3rS')",
                "1062 (23000)",
                "Duplicate entry 'sup3rS' for key 'u.token'",
                "Duplicate entry '…' for key 'u.token'",
            ),
            (
                "CREATE USER app IDENTIFED BY 'sup3rS'",
                "1064 (42000)",
                "right syntax to use near 'IDENTIFED BY 'sup3rS'' at line 1",
                "right syntax to use near '…' at line 1",
            ),
            (
                update,
                "1644 (45000)",
                "bad sup3rS",
                "raised by code of the database in words that may hold a secret",
            ),
            (update, "P0001", "bad sup3rS", "raised by code of the database in words that may hold a secret"),
        ] {
            assert_eq!(told(sql, code, message), expected);
        }
        for (sql, code, message) in [
            ("UPDATE u SET n = 1", "1644 (45000)", "no more of them"),
            (index, "23505", "could not create unique index \"ux\""),
            (update, "23505", "duplicate key value violates unique constraint \"u_token_key\""),
            (update, "1054 (42S22)", "Unknown column 'token' in 'field list'"),
            (modify, "1146 (42S02)", "Table 'shop.u' doesn't exist"),
            (modify, "1064 (42000)", "right syntax to use near 'MODIFY token INT' at line 1"),
            (update, "42601", "syntax error at or near \"lower\""),
            (
                update,
                "1452 (23000)",
                "a foreign key constraint fails (`shop`.`c`, CONSTRAINT `c_ibfk_1` FOREIGN KEY (`n`))",
            ),
            // Nothing here is called like a secret.
            ("CREATE UNIQUE INDEX ux ON u (name)", "1062 (23000)", "Duplicate entry 'ann' for key 'u.ux'"),
        ] {
            assert_eq!(told(sql, code, message), message);
        }
    }

    #[test]
    fn of_details_and_contexts_names_and_places_stay() {
        let error = |code: &str, detail: &str, context: &str| {
            let error = DatabaseError {
                code: Some(code.to_owned()),
                detail: Some(detail.to_owned()),
                context: Some(context.to_owned()),
                ..DatabaseError::default()
            };
            let error = without_values(error, "ALTER TABLE u ADD UNIQUE (token)");
            (error.detail.unwrap_or_default(), error.context.unwrap_or_default())
        };
        let place = "PL/pgSQL function f() line 3 at SQL statement";
        assert_eq!(
            error("23505", "Key (token)=(sup)3rS) is duplicated.", "table u, constraint c"),
            ("Key (token)=(…) is duplicated.".to_owned(), "table u, constraint c".to_owned())
        );
        assert_eq!(
            error("23514", "Failing row contains (1, sup3rS).", "SQL statement \"SELECT 'sup3rS'\""),
            (String::new(), String::new())
        );
        // With whatever code a function raises it.
        assert_eq!(
            error("42P01", "sup3rS", "PL/pgSQL function f() line 1 at RAISE"),
            (String::new(), "PL/pgSQL function f() line 1 at RAISE".to_owned())
        );
        let depends = "view v depends on column token of table u";
        assert_eq!(
            error("2BP01", depends, &format!("JSON data, line 1: sup3rS\n{place}")),
            (depends.to_owned(), place.to_owned())
        );
    }
}
