//! Where a token that starts here ends: plain functions over bytes, for every dialect.
//!
//! Long runs (strings, comments, data) are searched with `memchr`. Every place returned is behind an
//! ASCII byte or at the text's end, so it is a character boundary.

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// What a token's first byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Space,
    Letter,
    Digit,
    /// A bracket or comma: always a token of its own.
    Single,
    Semicolon,
    Quote,
    Operator,
    Dollar,
    Colon,
    Dot,
    Bracket,
    Backslash,
    HighByte,
}

static CLASSES: [Class; 256] = classes();
static CONTINUES_WORD: [bool; 256] = word_bytes();

#[inline]
pub(super) fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

#[inline]
pub(super) fn continues_word(byte: u8) -> bool {
    CONTINUES_WORD[usize::from(byte)]
}

const fn classes() -> [Class; 256] {
    let mut table = [Class::Single; 256];
    let mut index = 0;
    while index < 256 {
        table[index] = match index as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b';' => Class::Semicolon,
            b'\'' | b'"' | b'`' => Class::Quote,
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%' | b'^'
            | b'&' | b'|' | b'?' => Class::Operator,
            b'$' => Class::Dollar,
            b':' => Class::Colon,
            b'.' => Class::Dot,
            b'[' => Class::Bracket,
            b'\\' => Class::Backslash,
            0x80..=0xff => Class::HighByte,
            _ => Class::Single,
        };
        index += 1;
    }
    table
}

const fn word_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut index = 0;
    while index < 256 {
        table[index] =
            matches!(index as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..=0xff);
        index += 1;
    }
    table
}

/// Where a quoted thing or a comment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    At(usize),
    /// It is never closed; this is the text's end.
    Never(usize),
}

impl Ending {
    pub(super) fn end(self) -> usize {
        match self {
            Ending::At(end) | Ending::Never(end) => end,
        }
    }
}

#[inline]
fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let mut end = from;
    while end < bytes.len() && belongs(bytes[end]) {
        end += 1;
    }
    end
}

#[inline]
pub(super) fn spaces(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |byte| class(byte) == Class::Space)
}

#[inline]
pub(super) fn word(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, continues_word)
}

pub(super) fn dotted_word(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |byte| continues_word(byte) || byte == b'.')
}

pub(super) fn digits(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |byte| byte.is_ascii_digit())
}

/// The end of a name that begins with a digit, as MySQL and MariaDB have them: `2fa_tokens`, and not `1e5`, `0x1F`, `0b10`
/// (MySQL 8.4 Reference Manual, 11.2 Schema Object Names).
pub(super) fn name_behind_digits(bytes: &[u8], start: usize) -> Option<usize> {
    let end = word(bytes, start);
    let (text, digits) = (&bytes[start..end], digits(bytes, start) - start);
    let rest = &text[digits..];
    let are = |rest: &[u8], is_one: fn(&u8) -> bool| !rest.is_empty() && rest.iter().all(is_one);
    let is_exponent = match rest {
        [b'e' | b'E'] => {
            matches!(bytes.get(end), Some(b'+' | b'-')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
        }
        [b'e' | b'E', rest @ ..] => are(rest, u8::is_ascii_digit),
        _ => false,
    };
    let is_number = match text {
        [b'0', b'x' | b'X', rest @ ..] if are(rest, u8::is_ascii_hexdigit) => true,
        [b'0', b'b' | b'B', rest @ ..] if are(rest, |byte| matches!(byte, b'0' | b'1')) => true,
        _ => rest.is_empty() || is_exponent,
    };
    (!is_number).then_some(end)
}

/// A number, a sign behind its exponent's `e` included. Letters stuck to it belong to it: no
/// database reads `1abc` as two things, and MySQL reads it as a name.
#[inline]
pub(super) fn number(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() {
        let byte = bytes[end];
        let range = byte == b'.' && bytes.get(end + 1) == Some(&b'.');
        let exponent = matches!(byte, b'+' | b'-')
            && matches!(bytes[end - 1], b'e' | b'E')
            && !matches!(bytes.get(start + 1), Some(b'x' | b'X'))
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(continues_word(byte) || byte == b'.' && !range || exponent && end > start) {
            break;
        }
        end += 1;
    }
    end
}

/// The end of something whose closing quote is written twice to mean itself.
#[inline]
pub(super) fn quoted(bytes: &[u8], mut from: usize, quote: u8) -> Ending {
    while let Some(length) = memchr(quote, &bytes[from..]) {
        let end = from + length + 1;
        if bytes.get(end) != Some(&quote) {
            return Ending::At(end);
        }
        from = end + 1;
    }
    Ending::Never(bytes.len())
}

/// Like [`quoted`], where a backslash also takes the meaning from what follows it.
#[inline]
pub(super) fn escaped(bytes: &[u8], mut from: usize, quote: u8) -> Ending {
    while let Some(length) = bytes.get(from..).and_then(|rest| memchr2(quote, b'\\', rest)) {
        let end = from + length + 1;
        if bytes[end - 1] == quote && bytes.get(end) != Some(&quote) {
            return Ending::At(end);
        }
        from = end + 1;
    }
    Ending::Never(bytes.len())
}

/// The end of `$tag$ … $tag$`, or `None` where no such string starts.
pub(super) fn dollar_quoted(bytes: &[u8], start: usize) -> Option<Ending> {
    let tag = run(bytes, start + 1, |byte| byte != b'$' && continues_word(byte));
    let starts_with_digit = bytes.get(start + 1).is_some_and(u8::is_ascii_digit);
    if starts_with_digit || bytes.get(tag) != Some(&b'$') {
        return None;
    }
    let delimiter = &bytes[start..=tag];
    let body = tag + 1;
    Some(match memmem::find(&bytes[body..], delimiter) {
        Some(length) => Ending::At(body + length + delimiter.len()),
        None => Ending::Never(bytes.len()),
    })
}

pub(super) fn comment(bytes: &[u8], from: usize) -> Ending {
    match memmem::find(&bytes[from..], b"*/") {
        Some(length) => Ending::At(from + length + 2),
        None => Ending::Never(bytes.len()),
    }
}

/// PostgreSQL: a comment inside a comment has its own end.
pub(super) fn nested_comment(bytes: &[u8], mut from: usize) -> Ending {
    let mut depth = 1;
    while let Some(length) = memchr2(b'*', b'/', &bytes[from..]) {
        let at = from + length;
        from = at + 1;
        match (bytes[at], bytes.get(at + 1)) {
            (b'*', Some(b'/')) => {
                depth -= 1;
                from += 1;
            }
            (b'/', Some(b'*')) => {
                depth += 1;
                from += 1;
            }
            _ => {}
        }
        if depth == 0 {
            return Ending::At(from);
        }
    }
    Ending::Never(bytes.len())
}

/// MySQL: what is inside is SQL, with strings and comments of its own.
pub(super) fn executable_comment(bytes: &[u8], mut from: usize) -> Ending {
    while from < bytes.len() {
        from = match (bytes[from], bytes.get(from + 1)) {
            (b'*', Some(b'/')) => return Ending::At(from + 2),
            (b'/', Some(b'*')) => comment(bytes, from + 2).end(),
            (quote @ (b'\'' | b'"'), _) => escaped(bytes, from + 1, quote).end(),
            (b'`', _) => quoted(bytes, from + 1, b'`').end(),
            _ => from + 1,
        };
    }
    Ending::Never(bytes.len())
}

/// The length of the operator here, for MySQL and SQLite: the longest that either knows.
pub(super) fn operator(bytes: &[u8]) -> usize {
    const LONG: [&[u8]; 2] = [b"<=>", b"->>"];
    const SHORT: [&[u8]; 11] = [b"<=", b">=", b"<>", b"!=", b"==", b"||", b"&&", b"<<", b">>", b"->", b":="];
    if LONG.iter().any(|operator| bytes.starts_with(operator)) {
        3
    } else if SHORT.iter().any(|operator| bytes.starts_with(operator)) {
        2
    } else {
        1
    }
}

/// The length of the operator here, by PostgreSQL's rule: as long as can be, up to a comment, but it
/// ends in a sign only when it holds a character that no arithmetic operator has.
pub(super) fn postgres_operator(bytes: &[u8]) -> usize {
    let run = run(bytes, 0, |byte| class(byte) == Class::Operator || byte == b'`');
    let comment = memmem::find(&bytes[..run], b"--").into_iter().chain(memmem::find(&bytes[..run], b"/*"));
    let mut length = comment.min().unwrap_or(run).max(1);
    let special = |byte: &u8| b"~!@#%^&|`?".contains(byte);
    while length > 1 && matches!(bytes[length - 1], b'+' | b'-') && !bytes[..length - 1].iter().any(special) {
        length -= 1;
    }
    length
}

/// How many line ends a part of the text has.
pub(crate) fn count_newlines(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}
