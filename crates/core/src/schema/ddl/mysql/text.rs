//! Names, strings, accounts and expressions as MySQL and MariaDB read them. Pure.

use super::super::Product;
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind, tokens};

pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string under a mode in which a backslash escapes.
pub(super) fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A string under this mode.
pub(super) fn string_under(mode: &str, text: &str) -> String {
    match mode.split(',').any(|mode| mode == "NO_BACKSLASH_ESCAPES") {
        true => format!("'{}'", text.replace('\'', "''")),
        false => string(text),
    }
}

/// `ada@localhost`, as both products tell it: a role of MariaDB's has no host.
pub(super) fn account(product: Product, definer: &str) -> String {
    match definer.rsplit_once('@') {
        Some((role, "")) if product == Product::MariaDb => identifier(role),
        Some((user, host)) => format!("{}@{}", identifier(user), identifier(host)),
        None => identifier(definer),
    }
}

/// The character set that a collation is of.
pub(super) fn character_set(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// The parts of a list.
pub(super) fn parts(list: &str) -> Vec<&str> {
    super::super::listed(Dialect::MySql, list)
}

/// An expression as it was written: MySQL escapes it like a string, and takes each of its bytes for a letter.
pub(super) fn expression(product: Product, told: &str) -> String {
    if product == Product::MariaDb {
        return told.to_owned();
    }
    let told = unescaped(told);
    let is_of_bytes = !told.is_ascii() && told.chars().all(|letter| u32::from(letter) < 0x100);
    if !is_of_bytes {
        return told;
    }
    let mut before = "";
    let pieces = tokens(Dialect::MySql, &told).map(|token| {
        let introducer = std::mem::replace(&mut before, token.text);
        piece(introducer, &token)
    });
    pieces.collect()
}

/// Of an expression whose letters are bytes. One of a string in another character set has no letter here: its bytes are
/// told by their numbers.
fn piece(introducer: &str, token: &Token<'_>) -> String {
    let bytes: Vec<u8> =
        token.text.chars().filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    let is_foreign = token.kind == TokenKind::String
        && introducer.starts_with('_')
        && !introducer.to_ascii_lowercase().starts_with("_utf8")
        && !bytes.is_ascii();
    match String::from_utf8(bytes) {
        Ok(text) if !is_foreign => text,
        _ if token.kind == TokenKind::String => {
            let inside = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
            let numbers = unescaped(inside)
                .chars()
                .map(|letter| format!("{:02X}", u32::from(letter)))
                .collect::<String>();
            format!(" 0x{numbers}")
        }
        _ => token.text.to_owned(),
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('0') => '\0',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('Z') => '\x1a',
                Some(letter) => letter,
                None => '\\',
            },
            letter => letter,
        });
    }
    plain
}

/// The columns of an index, MySQL's expressions among them: `` `a`(5), (lower(`b`)) DESC ``.
pub(super) fn index_columns(product: Product, told: &str) -> String {
    let (mut written, mut rest) = (String::with_capacity(told.len()), told);
    while !rest.is_empty() {
        let found = if rest.starts_with('(') { behind_expression(product, rest) } else { None };
        let (part, end) = found.unwrap_or_else(|| {
            let end = behind_name(rest);
            (rest[..end].to_owned(), end)
        });
        written.push_str(&part);
        rest = &rest[end..];
        let end = rest.find(", ").map_or(rest.len(), |at| at + 2);
        written.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    written
}

/// An expression with its brackets, and where it ends.
fn behind_expression(product: Product, told: &str) -> Option<(String, usize)> {
    let ends = told.match_indices(')').map(|(at, _)| at + 1);
    let mut ends = ends.filter(|end| {
        let rest = &told[*end..];
        rest.is_empty() || rest.starts_with(", ") || rest.starts_with(" DESC")
    });
    ends.find_map(|end| {
        let written = expression(product, &told[..end]);
        is_whole(&written).then_some((written, end))
    })
}

/// Whether every bracket and string that begins ends.
fn is_whole(text: &str) -> bool {
    let mut depth = 0_usize;
    for token in tokens(Dialect::MySql, text) {
        match token.text {
            _ if token.kind == TokenKind::Unterminated => return false,
            "(" => depth += 1,
            ")" => depth = depth.wrapping_sub(1),
            _ => {}
        }
    }
    depth == 0
}

fn behind_name(told: &str) -> usize {
    tokens(Dialect::MySql, told).next().map_or(told.len(), |name| name.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_as_they_were_written() {
        for (told, written) in [
            (r"concat(`b`,_utf8mb4\'it\\\'s \\\\ )\')", r"concat(`b`,_utf8mb4'it\'s \\ )')"),
            ("(`Ã¼` <> _utf8mb4\\'Ã¼â\u{82}¬\\')", "(`ü` <> _utf8mb4'ü€')"),
            (r"concat(`a`,_latin1\'é\')", "concat(`a`,_latin1 0xE9)"),
            (r"concat(`a`,_latin1\'e\')", "concat(`a`,_latin1'e')"),
        ] {
            assert_eq!(expression(Product::MySql, told), written);
            assert_eq!(expression(Product::MariaDb, told), told);
        }
    }

    #[test]
    fn an_index_has_columns_and_expressions() {
        for (told, written) in [
            ("`a`(5), `b` DESC", "`a`(5), `b` DESC"),
            (r"`it's \`, `k,k`", r"`it's \`, `k,k`"),
            (
                r"(concat(`b`,_utf8mb4\'it\\\'s ), \')) DESC, `a\`",
                r"(concat(`b`,_utf8mb4'it\'s ), ')) DESC, `a\`",
            ),
        ] {
            assert_eq!(index_columns(Product::MySql, told), written);
        }
    }

    #[test]
    fn accounts_have_a_host_and_roles_have_none() {
        assert_eq!(account(Product::MySql, "a@b@%"), "`a@b`@`%`");
        assert_eq!(account(Product::MySql, "ada@"), "`ada`@``");
        assert_eq!(account(Product::MariaDb, "keeper@"), "`keeper`");
    }

    #[test]
    fn a_list_is_taken_apart_at_its_own_commas() {
        assert_eq!(parts("`a,b` int, OUT c decimal(5,2)"), ["`a,b` int", "OUT c decimal(5,2)"]);
    }
}
