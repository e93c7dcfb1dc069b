//! Whether a text may hold a secret: one rule for statements, bodies, strings and comments alike.
//!
//! SQL that a string or a body holds runs just as well, so the text is read byte by byte and not by
//! its tokens. To call too much a secret only means that it is not shown.

/// Whether the text may hold a password or another secret, wherever in it.
///
/// ```
/// use windlass_core::sql::classify::may_hold_secret;
///
/// assert!(may_hold_secret("DO $$ BEGIN EXECUTE 'CREATE ROLE r PASSWORD ''x'''; END $$"));
/// assert!(!may_hold_secret("CREATE TABLE people (password varchar(80))"));
/// ```
pub fn may_hold_secret(text: &str) -> bool {
    holds_secret(text.as_bytes())
}

/// The same of bytes, which may end in the middle of a character.
pub(super) fn holds_secret(text: &[u8]) -> bool {
    let (mut quotes, mut double_quotes) = (0_usize, 0_usize);
    let sets = ["SET", "ALTER"].iter().any(|word| starts_with_word(skip_space(text), word));
    for (at, byte) in text.iter().enumerate() {
        let rest = &text[at..];
        let begins_word = in_word(*byte) && !at.checked_sub(1).is_some_and(|before| in_word(text[before]));
        if begins_word && (sets && sets_secret(rest) || configures_secret(rest)) {
            return true;
        }
        let found = match byte {
            b'\'' => {
                quotes += 1;
                false
            }
            b'"' => {
                double_quotes += 1;
                false
            }
            b'i' | b'I' => identified(rest),
            b'd' | b'D' => starts_with(rest, "DBLINK"),
            b'a' | b'A' => starts_with(rest, "AUTHENTICATION_STRING") || starts_with(rest, "AUTHORIZATION:"),
            b'b' | b'B' => bearer(rest),
            b'p' | b'P' | b's' | b'S' => secret_word(text, at, quotes % 2 == 1, double_quotes % 2 == 1),
            b':' => user_information(rest),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// `IDENTIFIED BY`, `IDENTIFIED WITH … AS`: what follows may be a password without its quotes, too.
fn identified(rest: &[u8]) -> bool {
    const BEHIND: [&str; 5] = ["BY", "AS", "WITH", "VIA", "USING"];
    starts_with(rest, "IDENTIFIED") && {
        let behind = skip_space(&rest["IDENTIFIED".len()..]);
        BEHIND.iter().any(|word| starts_with_word(behind, word))
    }
}

/// `Bearer …`: what follows is a login.
fn bearer(rest: &[u8]) -> bool {
    const SHORTEST: usize = 7;
    starts_with(rest, "BEARER ")
        && rest["BEARER ".len()..].iter().take_while(|byte| is_token(**byte)).count() >= SHORTEST
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// A word such as `MASTER_PASSWORD`, and behind it what may be its value.
fn secret_word(text: &[u8], at: usize, in_string: bool, in_double_quotes: bool) -> bool {
    const WORDS: [&str; 5] = ["PASSWORD", "SECRET", "PASSWD", "PASSPHRASE", "PWD"];
    let Some(word) = WORDS.iter().find(|word| starts_with(&text[at..], word)) else { return false };
    let behind = skip_word(&text[at + word.len()..]);
    let behind = match behind {
        // The quote that ends a string or a name, not one that begins a value.
        [b'\'', after @ ..] if in_string && ends_string(after) => after,
        [b'"', after @ ..] if in_double_quotes && ends_string(after) => after,
        [b'`', after @ ..] => after,
        _ => behind,
    };
    let behind = skip_space(behind);
    if behind.first() == Some(&b'=') {
        return true;
    }
    if starts_with_word(behind, "FOR") {
        return ends_with_word(&text[..at], "SET");
    }
    begins_value(skip_separators(behind))
}

/// How the names of settings and variables end that hold a secret, besides those that are one anywhere.
const SECRET_ENDS: [&str; 6] = ["KEY", "TOKEN", "PW", "PASS", "CREDENTIAL", "CREDENTIALS"];

/// `SET @pw = '…'`, `ALTER ROLE r SET app.api_key TO '…'`: a string for a name that sounds like a secret's.
fn sets_secret(rest: &[u8]) -> bool {
    let behind = skip_word(rest);
    let name = &rest[..rest.len() - behind.len()];
    let behind = match skip_space(behind.strip_prefix(b"`").unwrap_or(behind)) {
        [b'=', value @ ..] | [b':', b'=', value @ ..] => skip_space(value),
        behind if starts_with_word(behind, "TO") => skip_space(&behind[2..]),
        _ => return false,
    };
    sounds_secret(name) && begins_value(behind)
}

/// `set_config('app.api_key', '…', false)`.
fn configures_secret(rest: &[u8]) -> bool {
    let Some([b'(', arguments @ ..]) = starts_with_word(rest, "SET_CONFIG").then(|| skip_space(&rest[10..]))
    else {
        return false;
    };
    let [b'\'', name @ ..] = skip_space(arguments) else { return false };
    let name = &name[..name.iter().position(|byte| *byte == b'\'').unwrap_or(name.len())];
    const ANYWHERE: [&str; 5] = ["PASSWORD", "SECRET", "PASSWD", "PASSPHRASE", "PWD"];
    sounds_secret(name)
        || (0..name.len()).any(|at| ANYWHERE.iter().any(|word| starts_with(&name[at..], word)))
}

fn sounds_secret(name: &[u8]) -> bool {
    SECRET_ENDS.iter().any(|end| ends_with_word(name, end))
}

/// Whether a quote before this ends a string: a value would follow one that begins it.
fn ends_string(after: &[u8]) -> bool {
    after.first().is_none_or(|byte| byte.is_ascii_whitespace() || b",);:|]}=>-".contains(byte))
}

/// What may stand between the word and its value.
fn skip_separators(mut rest: &[u8]) -> &[u8] {
    const WORDS: [&str; 3] = ["ENCRYPTED", "TO", "AS"];
    const SIGNS: [&str; 5] = [":=", ":", "||", "(", "\\"];
    loop {
        let word = WORDS.iter().find(|word| starts_with_word(rest, word));
        let Some(skipped) = word.or_else(|| SIGNS.iter().find(|sign| starts_with(rest, sign))) else {
            return rest;
        };
        rest = skip_space(&rest[skipped.len()..]);
    }
}

/// A string literal of any dialect, or the place of one in a template.
fn begins_value(rest: &[u8]) -> bool {
    match rest {
        [b'\'' | b'"', ..] => true,
        [b'e' | b'E' | b'n' | b'N' | b'x' | b'X' | b'b' | b'B', b'\'', ..] => true,
        [b'u' | b'U', b'&', b'\'', ..] => true,
        [b'%', b'L' | b'l' | b's' | b'S' | b'1'..=b'9', ..] => true,
        [b'$', tag @ ..] => skip_word(tag).first() == Some(&b'$'),
        // A character set before a string of MySQL.
        [b'_', charset @ ..] => matches!(skip_space(skip_word(charset)), [b'\'' | b'"', ..]),
        _ => false,
    }
}

/// `://user:password@`.
fn user_information(rest: &[u8]) -> bool {
    let Some(authority) = rest.strip_prefix(b"://") else { return false };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"'\"`<>".contains(byte);
    let authority = &authority[..authority.iter().position(ends).unwrap_or(authority.len())];
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else { return false };
    authority[..at].contains(&b':')
}

/// Behind white space and comments; what an executable comment holds is no comment.
fn skip_space(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [space, after @ ..] if space.is_ascii_whitespace() => after,
            [b'/', b'*', b'!', after @ ..] | [b'/', b'*', b'M', b'!', after @ ..] => {
                &after[after.iter().take_while(|byte| byte.is_ascii_digit()).count()..]
            }
            [b'*', b'/', after @ ..] => after,
            [b'/', b'*', comment @ ..] => {
                let end = comment.windows(2).position(|two| two == b"*/");
                end.map_or(&[], |end| &comment[end + 2..])
            }
            [b'-', b'-', comment @ ..] | [b'#', comment @ ..] => {
                let end = comment.iter().position(|byte| *byte == b'\n');
                end.map_or(&[], |end| &comment[end..])
            }
            _ => return rest,
        };
    }
}

fn skip_word(rest: &[u8]) -> &[u8] {
    &rest[rest.iter().take_while(|byte| in_word(**byte)).count()..]
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn starts_with(rest: &[u8], word: &str) -> bool {
    rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn starts_with_word(rest: &[u8], word: &str) -> bool {
    starts_with(rest, word) && !rest.get(word.len()).copied().is_some_and(in_word)
}

fn ends_with_word(before: &[u8], word: &str) -> bool {
    let before = before.trim_ascii_end();
    before.len().checked_sub(word.len()).is_some_and(|at| starts_with(&before[at..], word))
}
