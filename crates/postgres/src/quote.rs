//! Quoting: names and values between quotes, so that any text is only a name or a value.

/// An identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text value.
///
/// A backslash is escaped, and said to be: a migration may have turned `standard_conforming_strings` off.
/// PostgreSQL's text holds no NUL: it is left out.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('\0', "").replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

/// A text value, or NULL.
pub(crate) fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A name that may be qualified, as people write it: `history`, `app.history`, `"App"."my history"`.
///
/// As in SQL, what is not quoted is folded to lower case.
pub(crate) fn parse_qualified(text: &str) -> (Option<String>, String) {
    let (mut schema, mut part, mut quoted) = (None, String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                part.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted && schema.is_none() => schema = Some(std::mem::take(&mut part)),
            _ if quoted => part.push(character),
            _ => part.extend(character.to_lowercase()),
        }
    }
    (schema.filter(|schema| !schema.is_empty()), part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_names() {
        assert_eq!(identifier("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
        assert_eq!(identifier("\"\""), "\"\"\"\"\"\"");
        assert_eq!(identifier("ä b"), "\"ä b\"");
    }

    #[test]
    fn hostile_values_stay_values() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\'; DROP TABLE b; --"), "E'\\\\''; DROP TABLE b; --'");
        assert_eq!(literal("a\0b"), "'ab'");
        assert_eq!(literal("$$ $1 ?"), "'$$ $1 ?'");
        assert_eq!((optional(None), optional(Some(""))), ("NULL".to_owned(), "''".to_owned()));
    }

    #[test]
    fn qualified_names_are_read_as_sql_reads_them() {
        let read = |text| parse_qualified(text);
        assert_eq!(read("History"), (None, "history".to_owned()));
        assert_eq!(read("App.history"), (Some("app".to_owned()), "history".to_owned()));
        assert_eq!(read("\"A.b\".\"c\"\"d\""), (Some("A.b".to_owned()), "c\"d".to_owned()));
    }
}
