//! Checksums that survive re-indenting: a digest over tokens instead of bytes.
//!
//! Version `t1`, for each statement in order: what counts, each part as its length in bytes (eight
//! bytes, little-endian) and its text, then a length of zero. What counts is
//! - every token but white space and comments; CRLF inside of one is LF;
//! - hints and MySQL's executable comments;
//! - windlass's directives, as `windlass:` and their words, one space between;
//! - one `\n` between two PostgreSQL strings on different lines, which the server joins;
//! - one space between a MySQL function and its parenthesis, for those functions that are another
//!   thing with a space behind the name;
//! - the rows of `COPY … FROM stdin`.
//!
//! A change here that changes any value is a new version: the old one stays, and golden values in the
//! tests hold it.

use sha2::{Digest, Sha256};

use super::Dialect;
use super::lexer::{Lexer, Token, TokenKind, count_newlines, tokens};
use super::split::{SplitError, Statement, split};

/// The token checksum of a whole script, `t1:` and 64 hexadecimal digits.
///
/// # Errors
/// When the script cannot be split into statements.
///
/// ```
/// use windlass_core::sql::{Dialect, checksum::token_checksum};
///
/// let short = token_checksum(Dialect::Sqlite, "CREATE TABLE ship (id int)")?;
/// let long = token_checksum(Dialect::Sqlite, "CREATE TABLE ship (\r\n  id int -- number\r\n);\r\n")?;
/// assert_eq!(short, long);
/// # Ok::<(), windlass_core::sql::split::SplitError>(())
/// ```
pub fn token_checksum(dialect: Dialect, script: &str) -> Result<String, SplitError> {
    Ok(statements_checksum(dialect, script, &split(dialect, script)?))
}

/// The token checksum of some of a script's statements: of all, it is that of the script; of the
/// first few, it tells whether the part that has run was edited.
pub fn statements_checksum(dialect: Dialect, script: &str, statements: &[Statement]) -> String {
    let mut digest = TokenDigest::new(dialect);
    for statement in statements {
        digest.directives(script.get(statement.leading.clone()).unwrap_or_default());
        digest.statement(statement.text(script), statement.copy_data(script));
    }
    digest.finish()
}

/// The token checksum of one statement, by the same algorithm.
pub fn statement_checksum(dialect: Dialect, statement: &str) -> String {
    let mut digest = TokenDigest::new(dialect);
    digest.statement(statement, None);
    digest.finish()
}

struct TokenDigest {
    dialect: Dialect,
    hash: Sha256,
    /// Short parts are put together here: hashing each alone would cost more than reading it.
    buffer: Vec<u8>,
}

const BUFFER: usize = 16 * 1024;

impl TokenDigest {
    fn new(dialect: Dialect) -> Self {
        TokenDigest { dialect, hash: Sha256::new(), buffer: Vec::with_capacity(BUFFER) }
    }

    fn finish(mut self) -> String {
        self.flush();
        let digest = self.hash.finalize();
        let mut text = String::from("t1:");
        for byte in digest {
            text.push(hexadecimal(byte >> 4));
            text.push(hexadecimal(byte & 15));
        }
        text
    }

    /// The directives between two statements.
    fn directives(&mut self, leading: &str) {
        for token in tokens(self.dialect, leading) {
            self.directive(&token);
        }
    }

    fn statement(&mut self, text: &str, copy_data: Option<&str>) {
        let mut lexer = Lexer::new(self.dialect, text);
        let mut gap = Gap::default();
        while let Some(token) = lexer.next_token() {
            match token.kind {
                TokenKind::Space | TokenKind::Comment => {
                    gap.widen(&token);
                    self.directive(&token);
                }
                TokenKind::ClientCommand => {}
                _ => {
                    if let Some(meaning) = gap.meaning(self.dialect, &token) {
                        self.part(meaning);
                    }
                    self.part(token.text);
                    gap = Gap::behind(token);
                }
            }
        }
        if let Some(rows) = copy_data {
            self.part(rows);
        }
        self.length(0);
    }

    fn directive(&mut self, token: &Token<'_>) {
        if token.kind != TokenKind::Comment {
            return;
        }
        let line = token.text.strip_prefix("--").or_else(|| token.text.strip_prefix('#'));
        let Some(words) = line.and_then(|line| line.trim_start().strip_prefix("windlass:")) else { return };
        let words: Vec<&str> = words.split_whitespace().collect();
        self.part(&format!("windlass: {}", words.join(" ")));
    }

    #[inline]
    fn part(&mut self, text: &str) {
        if text.len() > BUFFER / 2 || text.contains('\r') {
            return self.long_part(text);
        }
        self.length(text.len());
        self.buffer.extend_from_slice(text.as_bytes());
    }

    #[cold]
    fn long_part(&mut self, text: &str) {
        let pieces = || text.split("\r\n");
        let lines = pieces().count();
        self.length(text.len() + 1 - lines);
        for (index, piece) in pieces().enumerate() {
            if index > 0 {
                self.buffer.push(b'\n');
            }
            self.flush();
            self.hash.update(piece.as_bytes());
        }
    }

    #[inline]
    fn length(&mut self, length: usize) {
        if self.buffer.len() > BUFFER / 2 - 8 {
            self.flush();
        }
        self.buffer.extend_from_slice(&(length as u64).to_le_bytes());
    }

    fn flush(&mut self) {
        self.hash.update(&self.buffer);
        self.buffer.clear();
    }
}

fn hexadecimal(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 })
}

/// The space between two tokens.
#[derive(Default)]
struct Gap<'a> {
    before: Option<Token<'a>>,
    any: bool,
    newline: bool,
}

impl<'a> Gap<'a> {
    fn behind(token: Token<'a>) -> Self {
        Gap { before: Some(token), any: false, newline: false }
    }

    fn widen(&mut self, token: &Token<'_>) {
        self.any = true;
        // Only between strings does it matter, so only there is it looked for.
        if self.before.is_some_and(|before| before.kind == TokenKind::String) {
            self.newline |= count_newlines(token.text.as_bytes()) > 0;
        }
    }

    /// What stands for the space where it has a meaning.
    fn meaning(&self, dialect: Dialect, after: &Token<'_>) -> Option<&'static str> {
        let before = self.before.as_ref().filter(|_| self.any)?;
        match dialect {
            Dialect::Postgres if before.kind == TokenKind::String && after.kind == TokenKind::String => {
                self.newline.then_some("\n")
            }
            Dialect::MySql if before.kind == TokenKind::Word && after.text == "(" => {
                names_function_only_before_parenthesis(before.text).then_some(" ")
            }
            _ => None,
        }
    }
}

/// With a space before the parenthesis, MySQL reads these as the names of stored functions.
fn names_function_only_before_parenthesis(word: &str) -> bool {
    const FUNCTIONS: [&str; 32] = [
        "ADDDATE",
        "BIT_AND",
        "BIT_OR",
        "BIT_XOR",
        "CAST",
        "COUNT",
        "CURDATE",
        "CURTIME",
        "DATE_ADD",
        "DATE_SUB",
        "EXTRACT",
        "GROUP_CONCAT",
        "MAX",
        "MID",
        "MIN",
        "NOW",
        "POSITION",
        "SESSION_USER",
        "STD",
        "STDDEV",
        "STDDEV_POP",
        "STDDEV_SAMP",
        "SUBDATE",
        "SUBSTR",
        "SUBSTRING",
        "SUM",
        "SYSDATE",
        "SYSTEM_USER",
        "TRIM",
        "VARIANCE",
        "VAR_POP",
        "VAR_SAMP",
    ];
    FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(word))
}
