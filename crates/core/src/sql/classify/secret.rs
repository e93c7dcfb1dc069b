//! Whether a text may hold a secret: one rule for statements, bodies, strings and comments alike.
//!
//! SQL that a string or a body holds runs just as well, so the text is read byte by byte and not by
//! its tokens. To call too much a secret only means that it is not shown.

mod forms;

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
    let begins_with = |words: &[&str]| words.iter().any(|word| starts_with_word(skip_space(text), word));
    let sets = begins_with(&["SET", "ALTER"]);
    let writes_rows = begins_with(&["INSERT", "UPDATE", "REPLACE", "MERGE", "COPY", "WITH"]);
    for (at, byte) in text.iter().enumerate() {
        let rest = &text[at..];
        let begins_word = in_word(*byte) && !at.checked_sub(1).is_some_and(|before| in_word(text[before]));
        if begins_word
            && (sets && sets_secret(rest)
                || begins_secret(rest, writes_rows)
                || compares_by_word(text, at)
                || forms::begins_one(rest))
        {
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
            b'd' | b'D' => {
                starts_with(rest, "DBLINK")
                    || begins_word && starts_with_word(rest, "DEFAULT") && declares_secret(text, at, 7)
            }
            b'a' | b'A' => {
                starts_with(rest, "AUTHENTICATION_STRING")
                    || starts_with(rest, "AUTHORIZATION:")
                    || begins_word
                        && starts_with_word(rest, "AS")
                        && (names_secret(text, at) || generates_secret(text, at))
            }
            b'b' | b'B' => bearer(rest),
            b'p' | b'P' | b's' | b'S' => {
                secret_word(text, at, quotes % 2 == 1, double_quotes % 2 == 1)
                    || begins_word && starts_with_word(rest, "PARTITION") && parts_by_secret(text, at)
            }
            b':' => {
                user_information(rest)
                    || maps_secret(text, at)
                    || (quotes % 2 == 1 || double_quotes % 2 == 1) && says_secret(text, at)
                    || rest.get(1) == Some(&b'=') && declares_secret(text, at, 2)
            }
            b'c' | b'C' => begins_word && starts_with_word(rest, "COMMENT") && comments_secret(text, at),
            b'v' | b'V' => begins_word && starts_with_word(rest, "VIEW") && views_secret(rest),
            b'-' => forms::begins_private_key(rest),
            b'<' | b'!' | b'~' => compares_secret(text, at),
            b'=' => {
                assigns_secret(text, at, writes_rows)
                    || compares_secret(text, at)
                    || (quotes % 2 == 1 || double_quotes % 2 == 1) && passes_secret(text, at)
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether a word begins what lists, sets or hides a secret. Most words are told from those by their first letter.
fn begins_secret(rest: &[u8], writes_rows: bool) -> bool {
    match rest.first().map(u8::to_ascii_uppercase) {
        Some(b'S') => configures_secret(rest) || lists_secret(rest, writes_rows),
        Some(b'C') => lists_secret(rest, writes_rows) || encrypts(rest),
        Some(b'I' | b'R') => lists_secret(rest, writes_rows),
        Some(b'D') => encrypts(rest) || restricts_secret(rest),
        Some(b'A' | b'E' | b'H' | b'P') => encrypts(rest),
        _ => false,
    }
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
        [b'"', after @ ..] if in_double_quotes && ends_string(after) => {
            // A table of that name, and its columns, which are in the same quotes.
            if skip_space(after).strip_prefix(b"(").is_some_and(|list| skip_space(list).starts_with(b"\"")) {
                return false;
            }
            after
        }
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

/// How the names of columns end that hold a secret, letters alone.
const SECRET_COLUMNS: [&str; 14] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PWD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "SECRETKEY",
    "PRIVATEKEY",
    "ACCESSKEY",
    "ENCRYPTIONKEY",
    "CREDENTIAL",
    "CREDENTIALS",
];

/// Whether an object is called as what holds a secret.
pub(crate) fn is_called_like_a_secret(name: &str) -> bool {
    is_secret_column(name.as_bytes())
}

/// Whether a text names what is called so, a column or a table of such: what is said of its rows may be a secret then, though
/// the text holds none.
pub(crate) fn names_what_is_secret(text: &str) -> bool {
    text.as_bytes().split(|byte| !in_word(*byte)).any(is_table_of_secrets)
}

/// Whether a column is called as one that holds a secret: `password`, `api_token`, `smtpPassword`, `password_hash`.
fn is_secret_column(name: &[u8]) -> bool {
    const KEPT_AS: [&str; 4] = ["HASH", "DIGEST", "ENCRYPTED", "CRYPT"];
    let letters: Vec<u8> = name.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let kept_as = KEPT_AS.iter().find(|end| ends_with_word(&letters, end));
    let letters = &letters[..letters.len() - kept_as.map_or(0, |end| end.len())];
    let last = name.rsplit(|byte| *byte == b'_').next().unwrap_or_default();
    SECRET_COLUMNS.iter().any(|end| ends_with_word(letters, end))
        || ["PASS", "PW"].iter().any(|word| last.eq_ignore_ascii_case(word.as_bytes()))
}

/// `api_token = '…'` anywhere; in a statement that writes rows whatever the value is made of, since a refusal may
/// quote it.
fn assigns_secret(text: &[u8], at: usize, writes_rows: bool) -> bool {
    let value = &text[at + 1..];
    let value = skip_space(value.strip_prefix(b">").unwrap_or(value));
    is_secret_column(last_name(text[..at].strip_suffix(b":").unwrap_or(&text[..at])))
        && (begins_value(value) || writes_rows && !tells_nothing(value) && !is_told_so(value))
}

fn tells_nothing(value: &[u8]) -> bool {
    ["NULL", "DEFAULT", "TRUE", "FALSE"].iter().any(|word| starts_with_word(value, word))
}

/// `{"api_key": "…"}`, however the quotes are escaped.
fn maps_secret(text: &[u8], at: usize) -> bool {
    let (before, behind) = (&text[..at], &text[at + 1..]);
    let is_cast = before.ends_with(b":") || matches!(behind, [b':' | b'=', ..]);
    !is_cast && begins_value(skip_separators(skip_space(behind))) && is_secret_column(last_name(before))
}

/// `https://host/?token=abc`, `host=a token=abc`: in a string a value needs no quotes of its own.
fn passes_secret(text: &[u8], at: usize) -> bool {
    const SHORTEST: usize = 4;
    let value = text[at + 1..].iter().take_while(|byte| is_token(**byte)).count();
    value >= SHORTEST && !tells_nothing(&text[at + 1..]) && is_secret_column(last_word(&text[..at]))
}

/// The letters, digits and underscores that a text ends with.
fn last_word(text: &[u8]) -> &[u8] {
    &text[text.len() - text.iter().rev().take_while(|byte| in_word(**byte)).count()..]
}

/// `token: hunter2secret` in a string: a secret only where it looks like one, since much is said of tokens.
fn says_secret(text: &[u8], at: usize) -> bool {
    let value = skip_space(&text[at + 1..]);
    let is_told_so = text[..=at].ends_with(DIGEST.trim_end().as_bytes());
    !is_told_so
        && is_secret_column(last_word(&text[..at]))
        && is_unspoken(&value[..value.iter().take_while(|byte| is_token(**byte)).count()])
}

/// `CREATE DOMAIN api_token AS text CHECK (VALUE <> '…')`: what is called `VALUE` there is what the domain is called.
fn restricts_secret(rest: &[u8]) -> bool {
    if !starts_with_word(rest, "DOMAIN") {
        return false;
    }
    let behind = skip_space(&rest["DOMAIN".len()..]);
    let behind = ["IF", "EXISTS"].iter().fold(behind, |behind, word| {
        if starts_with_word(behind, word) { skip_space(&behind[word.len()..]) } else { behind }
    });
    let definition = skip_name(behind);
    let name = last_name(&behind[..behind.len() - definition.len()]);
    is_secret_column(name) && {
        let mut named = Vec::with_capacity(definition.len());
        let mut left = definition;
        while let Some(first) = left.first() {
            let begins_word = !named.last().copied().is_some_and(in_word);
            let is_value = begins_word && starts_with_word(left, "VALUE");
            named.extend_from_slice(if is_value { name } else { std::slice::from_ref(first) });
            left = &left[if is_value { "VALUE".len() } else { 1 }..];
        }
        named != definition && holds_secret(&named)
    }
}

/// `PARTITION BY LIST COLUMNS (token) (PARTITION p VALUES IN ('…'))`: what a column holds in a partition. Where the statement
/// does not name the column, `ALTER TABLE tokens ADD PARTITION (…)`, the table's name tells as it does where rows are written.
fn parts_by_secret(text: &[u8], at: usize) -> bool {
    let behind = skip_space(&text[at + "PARTITION".len()..]);
    let (is_of_secret, bounds) = if starts_with_word(behind, "BY") {
        let method = skip_space(&behind[2..]);
        if !["LIST", "RANGE"].iter().any(|word| starts_with_word(method, word)) {
            return false;
        }
        let columns = skip_space(skip_word(method));
        let columns =
            if starts_with_word(columns, "COLUMNS") { skip_space(skip_word(columns)) } else { columns };
        let bounds = skip_brackets(columns);
        let key = &columns[..columns.len() - bounds.len()];
        (key.split(|byte| !in_word(*byte)).any(is_secret_column), bounds)
    } else {
        let table =
            if starts_with_word(behind, "OF") { skip_space(&behind[2..]) } else { table_before(&text[..at]) };
        (is_table_of_secrets(&table[..table.len() - skip_name(table).len()]), behind)
    };
    is_of_secret
        && (0..bounds.len()).any(|at| {
            starts_with_word(&bounds[at..], "VALUES") && bounds_tell(&bounds[at + "VALUES".len()..])
        })
}

/// `IN ('…', …)`, `LESS THAN ('…')`, `FROM ('…') TO ('…')`: whether one of them tells something.
fn bounds_tell(rest: &[u8]) -> bool {
    const WORDS: [&str; 5] = ["IN", "LESS", "THAN", "FROM", "TO"];
    let rest = skip_space(rest);
    match WORDS.iter().find(|word| starts_with_word(rest, word)) {
        Some(word) => bounds_tell(&rest[word.len()..]),
        None => {
            let behind = skip_brackets(rest);
            let list = &rest[..rest.len() - behind.len()];
            !list.is_empty()
                && ((0..list.len()).any(|at| b"'\"".contains(&list[at]) && tells(&list[at..]))
                    || bounds_tell(behind))
        }
    }
}

/// What stands behind the last `TABLE` of a text.
fn table_before(text: &[u8]) -> &[u8] {
    const NOT_NAMES: [&str; 3] = ["IF", "EXISTS", "ONLY"];
    let Some(at) = text.windows(6).rposition(|six| starts_with_word(six, "TABLE")) else { return &[] };
    let mut behind = skip_space(&text[at + "TABLE".len()..]);
    while let Some(word) = NOT_NAMES.iter().find(|word| starts_with_word(behind, word)) {
        behind = skip_space(&behind[word.len()..]);
    }
    behind
}

/// Whether a table is called as one of secrets: `api_tokens`, `"app"."secret"`.
fn is_table_of_secrets(name: &[u8]) -> bool {
    let table = last_name(name);
    is_secret_column(table.strip_suffix(b"s").or(table.strip_suffix(b"S")).unwrap_or(table))
}

/// Behind brackets and what is in them.
fn skip_brackets(rest: &[u8]) -> &[u8] {
    let mut depth = 0_usize;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return &rest[at + 1..],
            b')' => depth -= 1,
            _ if depth == 0 => return rest,
            _ => {}
        }
    }
    &[]
}

/// `api_token <> '…'`, `'…' = api_token`, `token = ANY (ARRAY['…', …])`: compared with what tells something.
fn compares_secret(text: &[u8], at: usize) -> bool {
    let is_sign = |byte: &u8| b"<>!=~*".contains(byte);
    let (before, rest) = text.split_at(at);
    if before.last().is_some_and(is_sign) {
        return false;
    }
    let behind = skip_space(&rest[rest.iter().take_while(|byte| is_sign(byte)).count()..]);
    is_secret_column(last_name(before)) && lists_telling(behind)
        || string_before(before).is_some_and(tells) && {
            let behind = skip_opening(behind);
            is_secret_column(last_name(&behind[..behind.len() - skip_name(behind).len()]))
        }
}

/// The same by a word: `api_token LIKE '…'`, `token NOT IN ('…', …)`, `token IS DISTINCT FROM '…'`, `token ENUM('…')`. That a comment is
/// one is said as `IS` says it, and a comment is a secret only where it looks like one.
fn compares_by_word(text: &[u8], at: usize) -> bool {
    const WORDS: [&str; 9] = ["LIKE", "ILIKE", "IN", "IS", "GLOB", "REGEXP", "RLIKE", "BETWEEN", "ENUM"];
    // Most words are told from those by their first letter.
    if !b"BEGILR".contains(&text[at].to_ascii_uppercase()) {
        return false;
    }
    let Some(word) = WORDS.iter().find(|word| starts_with_word(&text[at..], word)) else { return false };
    let before = text[..at].trim_ascii_end();
    let before = if ends_with_word(before, "NOT") { &before[..before.len() - 3] } else { before };
    let mut behind = skip_space(&text[at + word.len()..]);
    if *word == "IS"
        && let Some(object) = commented(before)
    {
        return begins_value(behind)
            && looks_secret(behind)
            && object.split(|byte| !in_word(*byte)).any(is_secret_column);
    }
    if !is_secret_column(last_name(before)) {
        return false;
    }
    if *word == "IS" {
        for word in ["NOT", "DISTINCT", "FROM"] {
            behind = if starts_with_word(behind, word) { skip_space(&behind[word.len()..]) } else { behind };
        }
    }
    lists_telling(behind)
}

/// What a comment is put on that this ends with: `COMMENT ON FUNCTION a.set_token(text)`, `COMMENT ON TRIGGER token ON a`.
fn commented(before: &[u8]) -> Option<&[u8]> {
    let statement = before.iter().rposition(|byte| b";'$".contains(byte)).map_or(0, |end| end + 1);
    let statement = &before[statement..];
    let at = statement.windows(7).position(|word| word.eq_ignore_ascii_case(b"COMMENT"))?;
    Some(&statement[at + 7..])
}

/// `password varchar(80) COMMENT '…'`: what is said of a column is a secret only where it looks like one.
fn comments_secret(text: &[u8], at: usize) -> bool {
    let behind = skip_space(&text[at + "COMMENT".len()..]);
    let value = skip_space(behind.strip_prefix(b"=").unwrap_or(behind));
    begins_value(value) && looks_secret(value) && is_of_secret(text, at)
}

/// `api_token text GENERATED ALWAYS AS ('…' || id)`: what a column's values begin with or are put together from. Where a
/// value is looked up, as in a JSON text, the string tells no more than a name.
fn generates_secret(text: &[u8], at: usize) -> bool {
    let Some(expression) = skip_space(&text[at + 2..]).strip_prefix(b"(") else { return false };
    let (mut depth, mut end, mut is_put_together) = (1_usize, 0, false);
    let mut in_string = false;
    while end < expression.len() && depth > 0 {
        let rest = &expression[end..];
        match rest[0] {
            b'\'' => in_string = !in_string,
            b'(' if !in_string => depth += 1,
            b')' if !in_string => depth -= 1,
            b'|' if !in_string && rest.starts_with(b"||") => {
                is_put_together |=
                    tells(skip_opening(&rest[2..])) || string_before(&expression[..end]).is_some_and(tells);
            }
            _ if !in_string && starts_with(rest, "CONCAT") => {
                let arguments = skip_word(rest);
                let close = arguments.iter().position(|byte| *byte == b')').unwrap_or(arguments.len());
                is_put_together |=
                    arguments[..close].split(|byte| *byte == b',').any(|one| tells(skip_opening(one)));
            }
            _ => {}
        }
        end += 1;
    }
    (is_put_together || tells(skip_opening(expression))) && is_of_secret(text, at)
}

/// `api_token text DEFAULT '…'`, `token text[] DEFAULT ARRAY['…']`, `DECLARE password CONSTANT text := '…'`: a string that
/// is not empty, for what is called like a secret.
fn declares_secret(text: &[u8], at: usize, length: usize) -> bool {
    let value = skip_opening(&text[at + length..]);
    let is_empty = matches!(value, [b'\'', b'\'', behind @ ..] if behind.first() != Some(&b'\''));
    !is_empty && begins_value(value) && is_of_secret(text, at)
}

/// Whether what is declared here is called like a secret. The name stands at the begin of what is between commas, or
/// behind words of the statement.
fn is_of_secret(text: &[u8], at: usize) -> bool {
    // So much is looked at of what stands before it.
    const MOST: usize = 1024;
    let first = at.saturating_sub(MOST);
    let (mut end, mut depth) = (at, 0_usize);
    while end > first {
        let byte = text[end - 1];
        match byte {
            b')' => depth += 1,
            b'(' if depth == 0 => return false,
            b'(' => depth -= 1,
            b',' | b';' if depth == 0 => return false,
            // A string, as of another default or of a schedule, tells no name where none is expected.
            b'\'' if depth == 0 => {
                let Some(begin) = text[first..end - 1].iter().rposition(|byte| *byte == b'\'') else {
                    return false;
                };
                let string = first + begin;
                if is_declared(&text[..string]) && is_secret_column(&text[string + 1..end - 1]) {
                    return true;
                }
                end = string;
                continue;
            }
            _ if depth == 0 && in_word(byte) => {
                let word = last_word(&text[..end]);
                if is_secret_column(word) {
                    return true;
                }
                end -= word.len();
                continue;
            }
            _ => {}
        }
        end -= 1;
    }
    false
}

/// Whether what follows a text is the name of a column that is declared, which SQLite takes in single quotes as well.
fn is_declared(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    before.last().is_none_or(|byte| b"(,".contains(byte))
        || ["ADD", "COLUMN"].iter().any(|word| last_word(before).eq_ignore_ascii_case(word.as_bytes()))
}

/// `CREATE VIEW v (id, api_token) AS SELECT id, '…'`: a string that tells something, in a view that has a secret's column.
fn views_secret(rest: &[u8]) -> bool {
    let mut behind = skip_space(&rest["VIEW".len()..]);
    for word in ["IF", "NOT", "EXISTS"] {
        behind = if starts_with_word(behind, word) { skip_space(&behind[word.len()..]) } else { behind };
    }
    let columns = skip_space(skip_name(behind));
    let query = skip_brackets(columns);
    let names = &columns[..columns.len() - query.len()];
    names.split(|byte| !in_word(*byte)).any(is_secret_column)
        && (0..query.len()).any(|at| query[at] == b'\'' && tells(&query[at..]))
}

/// `'…' AS password`, `'…'::text AS token`: a string that tells something, under the name of a secret.
fn names_secret(text: &[u8], at: usize) -> bool {
    let name = skip_space(&text[at + 2..]);
    let name = without_opening(name);
    if !is_secret_column(&name[..name.len() - skip_word(name).len()]) {
        return false;
    }
    string_before(&text[..at]).is_some_and(tells)
}

/// The string that a text ends with, whatever it is cast to.
fn string_before(text: &[u8]) -> Option<&[u8]> {
    let mut value = text.trim_ascii_end();
    if let Some(cast) = value.windows(2).rposition(|two| two == b"::") {
        let kind = &value[cast + 2..];
        if kind.iter().all(|byte| in_word(*byte) || b" .\"()".contains(byte)) {
            value = value[..cast].trim_ascii_end();
        }
    }
    let inside = value.strip_suffix(b"'")?;
    let begin = inside.iter().rposition(|byte| *byte == b'\'').unwrap_or_default();
    Some(&value[begin..])
}

/// Whether a value begins here that tells something: a letter or a digit is in it, and not only that it is not shown.
fn tells(value: &[u8]) -> bool {
    if !begins_value(value) {
        return false;
    }
    let Some(at) = value.iter().position(|byte| b"'\"$".contains(byte)) else { return true };
    let content = &value[at..];
    let quotes = content.iter().take_while(|byte| **byte == content[0]).count();
    let content = &content[quotes..];
    let is_empty = quotes % 2 == 0 && value[at] != b'$' && ends_string(content);
    !is_empty && content.iter().take_while(|byte| **byte != value[at]).any(u8::is_ascii_alphanumeric)
}

/// One value that tells something, or a list with one.
fn lists_telling(mut rest: &[u8]) -> bool {
    for word in ["ANY", "ALL", "SOME"] {
        rest = if starts_with_word(rest, word) { &rest[word.len()..] } else { rest };
    }
    let list = skip_opening(rest);
    let is_list = list.len() < rest.len();
    tells(list)
        || is_list && {
            let end = list.iter().position(|byte| b")]".contains(byte)).unwrap_or(list.len());
            list[..end].split(|byte| *byte == b',').any(|one| tells(skip_opening(one)))
        }
}

/// Behind what a value may be in.
fn skip_opening(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match skip_space(rest) {
            [b'(' | b'[' | b'\\', inside @ ..] => inside,
            behind if ["ARRAY", "BINARY", "ROW"].iter().any(|word| starts_with_word(behind, word)) => {
                skip_word(behind)
            }
            behind => return behind,
        };
    }
}

/// One word as no one would write about something, in quotes.
fn looks_secret(value: &[u8]) -> bool {
    let Some(at) = value.iter().position(|byte| b"'\"".contains(byte)) else { return false };
    let content = &value[at + 1..];
    let content = &content[..content.iter().position(|byte| *byte == value[at]).unwrap_or(content.len())];
    !content.iter().any(u8::is_ascii_whitespace) && is_unspoken(content)
}

/// Of letters and digits, and not short.
fn is_unspoken(word: &[u8]) -> bool {
    const SHORTEST: usize = 8;
    word.len() >= SHORTEST && word.iter().any(u8::is_ascii_alphabetic) && word.iter().any(u8::is_ascii_digit)
}

/// The name at the end of a text, whatever it is in: `"token"`, `(token)::text`.
fn last_name(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_end();
        let word = text.iter().rev().take_while(|byte| in_word(**byte)).count();
        let (before, name) = text.split_at(text.len() - word);
        text = match (before, word) {
            ([before @ .., b':', b':'], 1..) => before,
            (_, 1..) => return name,
            ([before @ .., b'"' | b'`' | b']' | b')' | b'\'' | b'\\'], 0) => before,
            _ => return name,
        };
    }
}

/// `INSERT INTO t (login, password)`, `COPY t (…)`, `SET (…) =`: a list of columns with one that holds a secret. In
/// code it is one where a string is written into them.
fn lists_secret(rest: &[u8], writes_rows: bool) -> bool {
    const MODIFIERS: [&str; 11] = [
        "OR",
        "ABORT",
        "FAIL",
        "IGNORE",
        "REPLACE",
        "ROLLBACK",
        "LOW_PRIORITY",
        "DELAYED",
        "HIGH_PRIORITY",
        "INTO",
        "ONLY",
    ];
    const HEADS: [(&str, bool); 4] = [("INSERT", false), ("REPLACE", true), ("COPY", true), ("SET", false)];
    let Some((head, needs_name)) = HEADS.iter().find(|(head, _)| starts_with_word(rest, head)) else {
        return false;
    };
    let mut behind = skip_space(&rest[head.len()..]);
    while let Some(word) = MODIFIERS.iter().find(|word| starts_with_word(behind, word)) {
        behind = skip_space(&behind[word.len()..]);
    }
    let named = skip_name(behind);
    if *needs_name && named.len() == behind.len() {
        return false;
    }
    if writes_rows
        && matches!(*head, "INSERT" | "REPLACE")
        && is_table_of_secrets(&behind[..behind.len() - named.len()])
        && named.contains(&b'\'')
    {
        return true;
    }
    let mut list = skip_space(named);
    if starts_with_word(list, "AS") {
        list = skip_space(skip_name(skip_space(&list[2..])));
    }
    let Some(list) = list.strip_prefix(b"(") else { return false };
    let end = list.iter().position(|byte| *byte == b')').unwrap_or(list.len());
    let is_secret = |column: &[u8]| {
        let column = skip_space(column);
        let name = without_opening(column);
        is_secret_column(&name[..name.len() - skip_word(name).len()])
    };
    let writes_string = || {
        let values = &list[end..];
        let statement = &values[..values.iter().position(|byte| *byte == b';').unwrap_or(values.len())];
        statement.contains(&b'\'')
    };
    list[..end].split(|byte| *byte == b',').any(is_secret) && (writes_rows || writes_string())
}

/// `crypt('…', …)`, `pgp_sym_encrypt(x, '…')`: what is hidden, or what it is hidden with, stands there as a string.
fn encrypts(rest: &[u8]) -> bool {
    const FUNCTIONS: [&str; 8] = [
        "CRYPT",
        "PGP_SYM_ENCRYPT",
        "PGP_SYM_DECRYPT",
        "ENCRYPT",
        "DECRYPT",
        "AES_ENCRYPT",
        "AES_DECRYPT",
        "HMAC",
    ];
    let Some(function) = FUNCTIONS.iter().find(|function| starts_with_word(rest, function)) else {
        return false;
    };
    let Some([b'(', arguments @ ..]) = rest.get(function.len()..).map(skip_space) else { return false };
    let end = arguments.iter().position(|byte| *byte == b')').unwrap_or(arguments.len());
    begins_value(skip_space(arguments))
        || arguments[..end]
            .split(|byte| *byte == b',')
            .skip(1)
            .any(|argument| begins_value(skip_space(argument)))
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

/// What stands in place of a text that may hold a secret: where it was kept for comparing, a digest and a bracket behind it.
pub(crate) const DIGEST: &str = "(may hold a secret: ";

/// And where it was to be shown.
pub(crate) const NOT_SHOWN: &str = "(not shown: it may hold a secret)";

/// Whether a string says only that it stands in place of another.
fn is_told_so(rest: &[u8]) -> bool {
    let text = rest.strip_prefix(b"'").unwrap_or(rest);
    [DIGEST, NOT_SHOWN].iter().any(|begin| text.starts_with(begin.as_bytes()))
}

/// A string literal of any dialect, or the place of one in a template.
fn begins_value(rest: &[u8]) -> bool {
    match rest {
        _ if is_told_so(rest) => false,
        [b'\'' | b'"', ..] => true,
        [b'e' | b'E' | b'n' | b'N' | b'x' | b'X' | b'b' | b'B', b'\'', ..] => true,
        [b'u' | b'U', b'&', b'\'', ..] => true,
        [b'%', b'L' | b'l' | b's' | b'S' | b'1'..=b'9', ..] => true,
        [b'$', tag @ ..] => skip_word(tag).first() == Some(&b'$'),
        // A character set before a string of MySQL, whose catalog writes `_utf8mb4\'x\'`.
        [b'_', charset @ ..] => {
            let behind = skip_space(skip_word(charset));
            matches!(behind.strip_prefix(b"\\").unwrap_or(behind), [b'\'' | b'"', ..])
        }
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

/// Behind a name, with what it is in: `app.users`, `"app"."users"`.
fn skip_name(mut rest: &[u8]) -> &[u8] {
    loop {
        let behind = match rest {
            [quote @ (b'"' | b'`'), name @ ..] => {
                name.iter().position(|byte| byte == quote).map_or(&[][..], |end| &name[end + 1..])
            }
            [b'[', name @ ..] => {
                name.iter().position(|byte| *byte == b']').map_or(&[][..], |end| &name[end + 1..])
            }
            _ => &rest[rest.iter().take_while(|byte| in_word(**byte) || !byte.is_ascii()).count()..],
        };
        match behind {
            [b'.', next @ ..] if behind.len() < rest.len() => rest = next,
            _ => return behind,
        }
    }
}

/// Behind what a name may be quoted with; SQLite takes single quotes as well.
fn without_opening(name: &[u8]) -> &[u8] {
    match name {
        [b'"' | b'`' | b'[' | b'\'', name @ ..] => name,
        _ => name,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_secret_s_column_or_table_is_told_from_what_does_not() {
        for names in [
            "CREATE UNIQUE INDEX ux ON u (token)",
            "ALTER TABLE \"app\".\"api_tokens\" ADD UNIQUE (a)",
            "DELETE FROM u WHERE `smtpPassword` IS NULL",
            "DO $$ BEGIN DELETE FROM u WHERE api_token IS NULL; END $$",
            "CREATE TABLE t (secret text)",
        ] {
            assert!(names_what_is_secret(names) && !may_hold_secret(names), "{names}");
        }
        for other in
            ["CREATE UNIQUE INDEX ux ON u (name)", "UPDATE u SET tokenized = 1, password_since = now()"]
        {
            assert!(!names_what_is_secret(other), "{other}");
        }
    }
}
