//! Names: how they are written, and which ones a statement mentions.

use crate::sql::Dialect;
use crate::sql::lexer::{self, Token, TokenKind};

/// A schema and a name in it.
pub(super) type Name = (String, String);

/// A name between quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name behind that of its schema.
pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

/// A string.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What a statement mentions by whole names: none in strings, but of those that stand for an object. The server writes every
/// name so that is not its own.
pub(super) fn mentioned(sql: &str) -> Vec<Name> {
    let tokens: Vec<_> = tokens(sql).collect();
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = |by: usize| tokens.get(at + by);
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier if next(1).is_some_and(|dot| dot.text == ".") => {
                let name = next(2).filter(|name| is_name(name));
                names.extend(name.map(|name| (plain(token), plain(name))));
            }
            TokenKind::String => {
                let is_object = next(1).is_some_and(|cast| cast.text == "::")
                    && next(2).is_some_and(|kind| kind.text.starts_with("reg"));
                if is_object {
                    names.extend(mentioned(&token.text.trim_matches('\'').replace("''", "'")));
                }
            }
            _ => {}
        }
    }
    names
}

/// The name of the type that the server makes beside a range.
pub(super) fn multirange(range: &str) -> String {
    match range.contains("range") {
        true => range.replacen("range", "multirange", 1),
        false => format!("{range}_multirange"),
    }
}

fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
}

fn plain(token: &Token<'_>) -> String {
    match token.text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => token.text.to_owned(),
    }
}

/// The tokens that mean something.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    lexer::tokens(Dialect::Postgres, sql).filter(|token| token.kind.is_significant())
}

/// The parts of a list.
pub(super) fn listed(text: &str) -> Vec<&str> {
    super::super::listed(Dialect::Postgres, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_mentioned() {
        let sql = "CREATE VIEW \"a\".\"b\" AS SELECT x.c, 'p.q', '\"a b\".\"s\"\"\"'::regclass FROM d.\"E f\" WHERE $$ g.h $$ = i.j()";
        let names = mentioned(sql);
        let names: Vec<_> = names.iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
        assert_eq!(names, ["a.b", "x.c", "a b.s\"", "d.E f", "i.j"]);
    }

    #[test]
    fn a_list_is_cut_where_its_commas_are() {
        assert_eq!(
            listed("a CHECK ((x IN (1, 2))), b CHECK (',')"),
            ["a CHECK ((x IN (1, 2)))", "b CHECK (',')"]
        );
    }
}
