//! SQL tokens: where strings, comments, names and everything else begin and end, per dialect.

mod client;
mod scan;

pub(crate) use client::{DelimiterProblem, delimiter_argument};
pub(crate) use scan::count_newlines;

use super::Dialect;
use super::script::Script;
use scan::{Class, Ending};

/// One token of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its text, as written.
    pub text: &'a str,
    /// The byte offset of its first character in the script.
    pub offset: usize,
}

impl<'a> Token<'a> {
    /// The token is this keyword, in any case.
    pub fn is_word(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// The token is this operator, bracket, comma or dot.
    pub fn is_punctuation(&self, text: &str) -> bool {
        self.kind == TokenKind::Punctuation && self.text == text
    }

    /// The byte offset behind its last character.
    pub fn end(&self) -> usize {
        self.offset + self.text.len()
    }

    /// What a server executes of an executable comment.
    pub fn executed(&self) -> Option<&'a str> {
        let inside = self.text.strip_prefix("/*!").or_else(|| self.text.strip_prefix("/*M!"))?;
        let inside = inside.trim_start_matches(|letter: char| letter.is_ascii_digit());
        (self.kind == TokenKind::ExecutableComment).then(|| inside.trim_end_matches("*/"))
    }
}

/// What a token is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A keyword or an unquoted name.
    Word,
    /// A quoted name, with its quotes.
    QuotedIdentifier,
    /// A string of any kind, with its prefix and quotes: `'a'`, `E'\n'`, `$$…$$`, `x'ff'`.
    String,
    /// A number.
    Number,
    /// An operator, a bracket, a comma, a dot.
    Punctuation,
    /// A semicolon, whether it ends a statement or stands inside a body.
    Semicolon,
    /// A terminator that MySQL's `DELIMITER` has set.
    Terminator,
    /// A parameter or a user variable: `$1`, `?`, `:name`, `@name`.
    Parameter,
    /// A comment that means nothing to the database.
    Comment,
    /// A comment that MySQL or MariaDB executes: `/*! … */`, `/*M! … */`.
    ExecutableComment,
    /// An optimizer hint: `/*+ … */`.
    Hint,
    /// White space.
    Space,
    /// The rows of `COPY … FROM stdin`, with the line `\.` that ends them.
    CopyData,
    /// A line for the client that has no effect on the database: `DELIMITER //`, psql's `\restrict`.
    ClientCommand,
    /// A command of the database's own client that windlass does not have: psql's `\i`.
    MetaCommand,
    /// A string, name or comment that never ends.
    Unterminated,
}

impl TokenKind {
    /// The token is part of a statement: neither space, nor a plain comment, nor for the client.
    pub fn is_significant(self) -> bool {
        !matches!(self, TokenKind::Space | TokenKind::Comment | TokenKind::ClientCommand)
    }
}

/// The tokens of a script, in order. See [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'a>(Script<'a>);

/// The tokens of a script. Nothing is left out: the texts, put together, give the script again.
///
/// Something that never ends becomes one [`TokenKind::Unterminated`] token up to the script's end.
///
/// ```
/// use windlass_core::sql::{Dialect, lexer::{TokenKind, tokens}};
///
/// let kinds: Vec<_> = tokens(Dialect::MySql, "SELECT 1 # one").map(|token| token.kind).collect();
/// assert_eq!(
///     kinds,
///     [TokenKind::Word, TokenKind::Space, TokenKind::Number, TokenKind::Space, TokenKind::Comment]
/// );
/// ```
pub fn tokens(dialect: Dialect, text: &str) -> Tokens<'_> {
    Tokens(Script::new(dialect, text))
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.0.next_token().map(|(token, _)| token)
    }
}

/// What is significant of a statement, what stands in executable comments included.
pub fn executed(dialect: Dialect, statement: &str) -> Vec<Token<'_>> {
    let significant = tokens(dialect, statement).filter(|token| token.kind.is_significant());
    let mut executes = Vec::new();
    for token in significant {
        match token.executed() {
            Some(inside) => executes.extend(executed(dialect, inside)),
            None => executes.push(token),
        }
    }
    executes
}

#[cfg(test)]
thread_local! {
    /// How many tokens this thread has read: the work that planning does, in a unit no machine changes.
    pub(crate) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Reads one token after another. It knows nothing of statements but what it is told:
/// where one starts, and after which one rows of `COPY` follow.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    dialect: Dialect,
    text: &'a str,
    position: usize,
    /// No token of the current statement has been read: the place where client commands stand.
    at_start: bool,
    special: Special<'a>,
}

/// What makes the next token differ from the usual. Rare, so that the usual pays one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special<'a> {
    Nothing,
    /// MySQL: a terminator other than the semicolon is in force.
    Delimiter(&'a str),
    /// PostgreSQL: on the rest of the line of `COPY … FROM stdin;`, before the rows.
    CopyLine,
    /// PostgreSQL: the rows start here.
    CopyRows,
    /// PostgreSQL: behind an `E'…'` string, which a string on the next line continues, escapes and all.
    AfterEscapeString {
        newline: bool,
    },
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(dialect: Dialect, text: &'a str) -> Self {
        Lexer { dialect, text, position: 0, at_start: true, special: Special::Nothing }
    }

    /// The next token begins a statement.
    pub(crate) fn start_statement(&mut self) {
        self.at_start = true;
    }

    /// The rows of `COPY … FROM stdin` begin on the next line.
    pub(crate) fn expect_copy_rows(&mut self) {
        self.special = Special::CopyLine;
    }

    pub(crate) fn delimiter(&self) -> Option<&'a str> {
        match self.special {
            Special::Delimiter(delimiter) => Some(delimiter),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn next_token(&mut self) -> Option<Token<'a>> {
        #[cfg(test)]
        READ.with(|read| read.set(read.get() + 1));
        let start = self.position;
        let first = *self.text.as_bytes().get(start)?;
        let (kind, end) = match self.special {
            Special::Nothing => self.read(start, first),
            _ => self.read_special(start, first),
        };
        self.position = end;
        self.at_start &= matches!(
            kind,
            TokenKind::Space | TokenKind::Comment | TokenKind::Hint | TokenKind::ClientCommand
        );
        Some(Token { kind, text: &self.text[start..end], offset: start })
    }

    #[inline]
    fn read(&mut self, start: usize, first: u8) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match scan::class(first) {
            Class::Space => (TokenKind::Space, scan::spaces(bytes, start + 1)),
            Class::Letter => self.word(start, first),
            Class::Digit if self.dialect == Dialect::MySql => match scan::name_behind_digits(bytes, start) {
                Some(end) => (TokenKind::Word, end),
                None => (TokenKind::Number, scan::number(bytes, start)),
            },
            Class::Digit => (TokenKind::Number, scan::number(bytes, start)),
            Class::Single => (TokenKind::Punctuation, start + 1),
            Class::Semicolon => (TokenKind::Semicolon, start + 1),
            Class::Quote => self.quoted(start, first),
            Class::Operator => self.operator(start, first),
            Class::Dollar => self.dollar(start),
            Class::Colon => self.colon(start),
            Class::Dot => self.dot(start),
            Class::Bracket => self.bracket(start),
            Class::Backslash => self.backslash(start),
            Class::HighByte => self.high_byte(start),
        }
    }

    #[cold]
    fn read_special(&mut self, start: usize, first: u8) -> (TokenKind, usize) {
        match self.special {
            Special::Nothing => self.read(start, first),
            Special::Delimiter(delimiter) => self.delimited(start, first, delimiter),
            Special::CopyLine => self.copy_line(start, first),
            Special::CopyRows => {
                self.special = Special::Nothing;
                (TokenKind::CopyData, client::copy_rows(self.text.as_bytes(), start).end)
            }
            Special::AfterEscapeString { newline } => self.after_escape_string(start, first, newline),
        }
    }

    fn word(&mut self, start: usize, first: u8) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        let end = scan::word(bytes, start + 1);
        match bytes.get(end) {
            Some(b'\'' | b'&') if end == start + 1 => {
                if let Some(prefixed) = self.prefixed(start, first) {
                    return prefixed;
                }
            }
            _ if self.dialect == Dialect::MySql => {
                if let Some(command) = self.client_word(start, end) {
                    return command;
                }
            }
            _ => {}
        }
        (TokenKind::Word, end)
    }

    /// `E'…'`, `b'…'`, `x'…'`, `U&'…'`, `U&"…"` and MySQL's `n'…'`: a letter that belongs to what follows.
    fn prefixed(&mut self, start: usize, letter: u8) -> Option<(TokenKind, usize)> {
        let bytes = self.text.as_bytes();
        let postgres = self.dialect == Dialect::Postgres;
        let (kind, ending) = match (letter.to_ascii_lowercase(), bytes[start + 1], bytes.get(start + 2)) {
            (b'e', b'\'', _) if postgres => return Some(self.escape_string(start + 2)),
            (b'x', b'\'', _) => (TokenKind::String, scan::quoted(bytes, start + 2, b'\'')),
            (b'b', b'\'', _) if postgres => (TokenKind::String, scan::quoted(bytes, start + 2, b'\'')),
            (b'b' | b'n', b'\'', _) if self.dialect == Dialect::MySql => {
                (TokenKind::String, scan::escaped(bytes, start + 2, b'\''))
            }
            (b'u', b'&', Some(b'\'')) if postgres => {
                (TokenKind::String, scan::quoted(bytes, start + 3, b'\''))
            }
            (b'u', b'&', Some(b'"')) if postgres => {
                (TokenKind::QuotedIdentifier, scan::quoted(bytes, start + 3, b'"'))
            }
            _ => return None,
        };
        Some(closed(kind, ending))
    }

    fn escape_string(&mut self, inside: usize) -> (TokenKind, usize) {
        self.special = Special::AfterEscapeString { newline: false };
        closed(TokenKind::String, scan::escaped(self.text.as_bytes(), inside, b'\''))
    }

    fn quoted(&mut self, start: usize, quote: u8) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match (self.dialect, quote) {
            (Dialect::Postgres, b'`') => (TokenKind::Punctuation, self.postgres_operator(start)),
            (_, b'`') => closed(TokenKind::QuotedIdentifier, scan::quoted(bytes, start + 1, b'`')),
            (Dialect::MySql, _) => closed(TokenKind::String, scan::escaped(bytes, start + 1, quote)),
            (_, b'"') => closed(TokenKind::QuotedIdentifier, scan::quoted(bytes, start + 1, b'"')),
            _ => closed(TokenKind::String, scan::quoted(bytes, start + 1, b'\'')),
        }
    }

    fn operator(&mut self, start: usize, first: u8) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match (first, bytes.get(start + 1)) {
            (b'-', Some(b'-')) if self.starts_line_comment(start) => {
                (TokenKind::Comment, self.line_end(start + 2))
            }
            (b'#', _) if self.dialect == Dialect::MySql => (TokenKind::Comment, self.line_end(start + 1)),
            (b'/', Some(b'*')) => self.block_comment(start),
            (b'@', _) if self.dialect == Dialect::MySql => self.variable(start),
            (b'@' | b'?' | b'#', _) if self.dialect == Dialect::Sqlite => {
                (TokenKind::Parameter, scan::word(bytes, start + 1))
            }
            (b'?', _) if self.dialect == Dialect::MySql => (TokenKind::Parameter, start + 1),
            _ if self.dialect == Dialect::Postgres => (TokenKind::Punctuation, self.postgres_operator(start)),
            _ => (TokenKind::Punctuation, start + scan::operator(&bytes[start..])),
        }
    }

    fn postgres_operator(&self, start: usize) -> usize {
        start + scan::postgres_operator(&self.text.as_bytes()[start..])
    }

    /// MySQL wants space behind the dashes; its client takes them for a comment without it too where
    /// a statement would begin.
    fn starts_line_comment(&self, start: usize) -> bool {
        let bytes = self.text.as_bytes();
        self.dialect != Dialect::MySql
            || bytes.get(start + 2).is_none_or(|&byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
            || self.at_start
    }

    /// Only white space stands before this place on its line.
    fn begins_line(&self, start: usize) -> bool {
        let before = self.text.as_bytes()[..start].iter().rev();
        before.take_while(|byte| **byte != b'\n').all(u8::is_ascii_whitespace)
    }

    /// PostgreSQL ends a comment at a lone carriage return too.
    fn line_end(&self, from: usize) -> usize {
        let rest = &self.text.as_bytes()[from..];
        let length = match self.dialect {
            Dialect::Postgres => memchr::memchr2(b'\n', b'\r', rest),
            _ => memchr::memchr(b'\n', rest),
        };
        length.map_or(self.text.len(), |length| {
            let end = from + length;
            // The carriage return of a CRLF belongs to the line's end, not to the comment.
            if end > from && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
        })
    }

    fn block_comment(&mut self, start: usize) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        let after = &bytes[start + 2..];
        match self.dialect {
            Dialect::Postgres => {
                let kind = if after.starts_with(b"+") { TokenKind::Hint } else { TokenKind::Comment };
                closed(kind, scan::nested_comment(bytes, start + 2))
            }
            Dialect::MySql if after.starts_with(b"!") || after.starts_with(b"M!") => {
                closed(TokenKind::ExecutableComment, scan::executable_comment(bytes, start + 2))
            }
            Dialect::MySql if after.starts_with(b"+") && !self.at_start => {
                closed(TokenKind::Hint, scan::comment(bytes, start + 2))
            }
            Dialect::MySql => closed(TokenKind::Comment, scan::comment(bytes, start + 2)),
            // SQLite takes the end of the text for the end of the comment.
            Dialect::Sqlite => (TokenKind::Comment, scan::comment(bytes, start + 2).end()),
        }
    }

    fn variable(&mut self, start: usize) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        let name = start + 1 + usize::from(bytes.get(start + 1) == Some(&b'@'));
        match bytes.get(name) {
            Some(&quote @ (b'\'' | b'"')) => {
                closed(TokenKind::Parameter, scan::escaped(bytes, name + 1, quote))
            }
            Some(b'`') => closed(TokenKind::Parameter, scan::quoted(bytes, name + 1, b'`')),
            _ => {
                let end = scan::dotted_word(bytes, name);
                (if end == name { TokenKind::Punctuation } else { TokenKind::Parameter }, end)
            }
        }
    }

    fn dollar(&mut self, start: usize) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match self.dialect {
            Dialect::Postgres => match scan::dollar_quoted(bytes, start) {
                Some(ending) => closed(TokenKind::String, ending),
                None if bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => {
                    (TokenKind::Parameter, scan::digits(bytes, start + 1))
                }
                None => (TokenKind::Punctuation, start + 1),
            },
            Dialect::MySql => (TokenKind::Word, scan::word(bytes, start + 1)),
            Dialect::Sqlite => (TokenKind::Parameter, scan::word(bytes, start + 1)),
        }
    }

    fn colon(&mut self, start: usize) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        match bytes.get(start + 1) {
            Some(b':' | b'=') => (TokenKind::Punctuation, start + 2),
            Some(&byte) if self.dialect == Dialect::Sqlite && scan::continues_word(byte) => {
                (TokenKind::Parameter, scan::word(bytes, start + 1))
            }
            _ => (TokenKind::Punctuation, start + 1),
        }
    }

    fn dot(&mut self, start: usize) -> (TokenKind, usize) {
        let bytes = self.text.as_bytes();
        let behind_name = !self.at_start && scan::continues_word(bytes[start - 1]);
        match bytes.get(start + 1) {
            Some(b'.') => (TokenKind::Punctuation, start + 2),
            Some(b'0'..=b'9') if !behind_name => (TokenKind::Number, scan::number(bytes, start)),
            Some(byte) if self.dialect == Dialect::Sqlite && self.at_start && byte.is_ascii_alphabetic() => {
                (TokenKind::MetaCommand, self.line_end(start))
            }
            _ => (TokenKind::Punctuation, start + 1),
        }
    }

    fn bracket(&mut self, start: usize) -> (TokenKind, usize) {
        match self.dialect {
            Dialect::Sqlite => {
                let end = memchr::memchr(b']', &self.text.as_bytes()[start..]);
                end.map_or((TokenKind::Unterminated, self.text.len()), |length| {
                    (TokenKind::QuotedIdentifier, start + length + 1)
                })
            }
            _ => (TokenKind::Punctuation, start + 1),
        }
    }

    /// White space that only Unicode knows separates statements; elsewhere the database decides.
    #[cold]
    fn high_byte(&mut self, start: usize) -> (TokenKind, usize) {
        let rest = &self.text[start..];
        let invisible = |letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}');
        let space = rest.find(|letter| !invisible(letter)).unwrap_or(rest.len());
        if self.at_start && space > 0 {
            return (TokenKind::Space, start + space);
        }
        (TokenKind::Word, scan::word(self.text.as_bytes(), start + 1))
    }

    fn after_escape_string(&mut self, start: usize, first: u8, newline: bool) -> (TokenKind, usize) {
        self.special = Special::Nothing;
        if first == b'\'' && newline {
            return self.escape_string(start + 1);
        }
        let (kind, end) = self.read(start, first);
        if matches!(kind, TokenKind::Space | TokenKind::Comment) {
            let newline = newline || self.text.as_bytes()[start..end].contains(&b'\n');
            self.special = Special::AfterEscapeString { newline };
        }
        (kind, end)
    }
}

/// The token's kind and end, or the news that it has none.
fn closed(kind: TokenKind, ending: Ending) -> (TokenKind, usize) {
    match ending {
        Ending::At(end) => (kind, end),
        Ending::Never(end) => (TokenKind::Unterminated, end),
    }
}
