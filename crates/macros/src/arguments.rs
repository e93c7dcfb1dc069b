//! Arguments: the dialect, which a driver crate gives, and the folder, which a person writes.

use proc_macro::{Span, TokenStream, TokenTree};
use windlass_core::sql::Dialect;

/// The folder where none is given.
const USUAL_FOLDER: &str = "migrations";

pub(crate) struct Arguments {
    pub(crate) dialect: Dialect,
    pub(crate) folder: String,
    /// Whether several migrations with one version are refused.
    pub(crate) strict_order: bool,
    /// What an error points at.
    pub(crate) span: Span,
}

impl Arguments {
    pub(crate) fn parse(input: TokenStream) -> Result<Self, (Span, String)> {
        let mut tokens = input.into_iter();
        let dialect = match tokens.next().map(|token| token.to_string()).as_deref() {
            Some("postgres") => Dialect::Postgres,
            Some("mysql") => Dialect::MySql,
            Some("sqlite") => Dialect::Sqlite,
            _ => {
                return Err((
                    Span::call_site(),
                    "use `migrations!` of the crate of your database".to_owned(),
                ));
            }
        };
        let Some(first) = tokens.next() else {
            let (folder, span) = (USUAL_FOLDER.to_owned(), Span::call_site());
            return Ok(Self { dialect, folder, strict_order: false, span });
        };
        let span = first.span();
        let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        let rest: Vec<_> = tokens.filter(|token| !is_end(token)).map(|token| token.to_string()).collect();
        let rest: Vec<_> = rest.iter().map(String::as_str).collect();
        match (folder(&first), &rest[..]) {
            (Some(folder), []) => Ok(Self { dialect, folder, strict_order: false, span }),
            (Some(folder), ["strict_order"]) => Ok(Self { dialect, folder, strict_order: true, span }),
            _ => {
                let words = "the folder is one string, and one word may follow it: \
                    `migrations!(\"migrations\")`, `migrations!(\"migrations\", strict_order)`";
                Err((span, words.to_owned()))
            }
        }
    }
}

/// The value of a string literal.
fn folder(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => unquote(&literal.to_string()),
        // A literal that another macro passed on stands in a group without brackets.
        TokenTree::Group(group) => match group.stream().into_iter().collect::<Vec<_>>().as_slice() {
            [only] => folder(only),
            _ => None,
        },
        _ => None,
    }
}

fn unquote(text: &str) -> Option<String> {
    if let Some(raw) = text.strip_prefix('r') {
        let inner = raw.trim_start_matches('#');
        let hashes = raw.len() - inner.len();
        let end = inner.len().checked_sub(hashes)?;
        return inner.get(..end)?.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next()? {
                escaped @ ('\\' | '"' | '\'') => escaped,
                // No path is written with other escapes.
                _ => return None,
            },
            character => character,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn strings_are_read_as_the_compiler_reads_them() {
        assert_eq!(unquote(r#""db/migrations""#).as_deref(), Some("db/migrations"));
        assert_eq!(unquote(r#""db\\migrations""#).as_deref(), Some(r"db\migrations"));
        assert_eq!(unquote(r##"r#"db\migrations"#"##).as_deref(), Some(r"db\migrations"));
        assert_eq!(unquote(r#"r"x""#).as_deref(), Some("x"));
        for wrong in ["7", "b\"x\"", "'x'", r#""a\nb""#, "\"", "r"] {
            assert_eq!(unquote(wrong), None, "{wrong}");
        }
    }
}
