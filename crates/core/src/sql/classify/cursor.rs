//! Reads the first tokens of a statement as its grammar has them.

use super::ObjectName;
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind};

/// A place among a statement's tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'s, 'a> {
    dialect: Dialect,
    tokens: &'s [Token<'a>],
}

impl<'s, 'a> Cursor<'s, 'a> {
    pub(super) fn new(dialect: Dialect, tokens: &'s [Token<'a>]) -> Self {
        Cursor { dialect, tokens }
    }

    pub(super) fn peek(&self) -> Option<&'s Token<'a>> {
        self.tokens.first()
    }

    pub(super) fn next(&mut self) -> Option<&'s Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    pub(super) fn rest(&self) -> &'s [Token<'a>] {
        self.tokens
    }

    pub(super) fn at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether the next words are these; nothing is read.
    pub(super) fn sees(&self, words: &str) -> bool {
        let mut tokens = self.tokens.iter();
        words.split(' ').all(|word| tokens.next().is_some_and(|token| token.is_word(word)))
    }

    /// Reads these words if they are next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let sees = self.sees(words);
        if sees {
            self.tokens = &self.tokens[words.split(' ').count()..];
        }
        sees
    }

    /// Reads one of these words, or phrases, if it is next.
    pub(super) fn eat_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|words| self.eat(words))
    }

    /// Reads any number of these words, in any order.
    pub(super) fn skip(&mut self, choices: &[&str]) {
        while self.eat_any(choices) {}
    }

    pub(super) fn eat_punctuation(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_punctuation(text));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// One of these words is somewhere in the rest.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        self.tokens.iter().any(|token| words.iter().any(|word| token.is_word(word)))
    }

    /// This phrase is somewhere in the rest.
    pub(super) fn has_phrase(&self, words: &str) -> bool {
        self.after(words).is_some()
    }

    /// The place behind the first such phrase in the rest.
    pub(super) fn after(&self, words: &str) -> Option<Self> {
        (0..self.tokens.len()).find_map(|index| {
            let mut cursor = Cursor { dialect: self.dialect, tokens: &self.tokens[index..] };
            cursor.eat(words).then_some(cursor)
        })
    }

    /// The parts of a name: `a`, `a.b`, `a.b.c`.
    pub(super) fn parts(&mut self) -> Vec<String> {
        let mut parts = Vec::new();
        while let Some(part) = self.peek().and_then(|token| identifier(self.dialect, token)) {
            parts.push(part);
            self.next();
            if !self.eat_punctuation(".") {
                break;
            }
        }
        parts
    }

    pub(super) fn name(&mut self) -> Option<ObjectName> {
        object_name(self.parts())
    }

    /// One name, as a list of objects.
    pub(super) fn one_name(&mut self) -> Vec<ObjectName> {
        self.name().into_iter().collect()
    }

    /// Names with commas between.
    pub(super) fn names(&mut self) -> Vec<ObjectName> {
        let mut names = Vec::new();
        loop {
            self.eat("ONLY");
            let Some(name) = self.name() else { return names };
            names.push(name);
            self.eat_punctuation("*");
            if !self.eat_punctuation(",") {
                return names;
            }
        }
    }
}

pub(super) fn object_name(mut parts: Vec<String>) -> Option<ObjectName> {
    let name = parts.pop()?;
    Some(ObjectName { schema: parts.pop(), name })
}

/// A token as a name, folded and cut as the dialect does it.
pub(super) fn identifier(dialect: Dialect, token: &Token<'_>) -> Option<String> {
    let text = token.text;
    let name = match token.kind {
        // PostgreSQL folds what is not quoted, for SQLite case never matters: that of English letters.
        TokenKind::Word if dialect != Dialect::MySql => text.to_ascii_lowercase(),
        TokenKind::Word => text.to_owned(),
        TokenKind::QuotedIdentifier => {
            let escaped = text.strip_prefix(['u', 'U']).and_then(|text| text.strip_prefix('&'));
            let quoted = escaped.unwrap_or(text);
            let close = quoted.chars().last()?;
            let inside = quoted.get(1..quoted.len().checked_sub(1)?)?;
            let name = inside.replace(&format!("{close}{close}"), &close.to_string());
            match (dialect, escaped) {
                (Dialect::Sqlite, _) => name.to_ascii_lowercase(),
                (Dialect::Postgres, Some(_)) => unescaped(&name),
                _ => name,
            }
        }
        // SQLite takes strings for names, and MySQL does with ANSI_QUOTES.
        TokenKind::String if dialect != Dialect::Postgres => {
            let name = text.get(1..text.len().checked_sub(1)?)?.to_owned();
            if dialect == Dialect::Sqlite { name.to_ascii_lowercase() } else { name }
        }
        _ => return None,
    };
    Some(if dialect == Dialect::Postgres { cut(name) } else { name })
}

/// PostgreSQL, "Lexical Structure": of a longer name no more than this is kept, in whole letters.
const LONGEST: usize = 63;

fn cut(mut name: String) -> String {
    let end = (0..=LONGEST.min(name.len())).rev().find(|at| name.is_char_boundary(*at));
    name.truncate(end.unwrap_or_default());
    name
}

/// What `U&"d\0061t\+000061"` says, with the backslash that is usual; what cannot be read stays.
fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (from, digits) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let code = rest.get(from..from + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => {
                plain.push(letter);
                rest = &rest[from + digits..];
            }
            None => {
                plain.push('\\');
                rest = rest.strip_prefix('\\').unwrap_or(rest);
            }
        }
    }
    plain + rest
}

/// The text of a plain string, without its quotes.
pub(super) fn string_value(token: &Token<'_>) -> Option<String> {
    let inside = token.text.strip_prefix(['e', 'E']).unwrap_or(token.text);
    let inside = inside.strip_prefix('\'')?.strip_suffix('\'')?;
    (token.kind == TokenKind::String).then(|| inside.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::tokens;

    #[test]
    fn a_name_is_read_as_the_database_keeps_it() {
        let long = format!("{}ö{}", "n".repeat(62), "m".repeat(9));
        for (dialect, text, name) in [
            (Dialect::Postgres, "ТАБЛИЦА_A", "ТАБЛИЦА_a"),
            (Dialect::Postgres, r#""A""b""#, r#"A"b"#),
            (Dialect::Postgres, r#"U&"d\0061t\+000061\\""#, r"data\"),
            (Dialect::Postgres, r#"U&"\00""#, r"\00"),
            (Dialect::Postgres, &long, &"n".repeat(62)),
            (Dialect::MySql, "Éa", "Éa"),
            (Dialect::MySql, &long, &long),
            (Dialect::Sqlite, "[É A]", "É a"),
        ] {
            let token = tokens(dialect, text).next().expect("a token");
            assert_eq!(identifier(dialect, &token).as_deref(), Some(name), "{text}");
        }
    }
}
