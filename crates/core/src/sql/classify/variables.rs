//! User variables of MySQL and MariaDB: which a statement mentions, and whether a SET is the same every time.

use super::functions::is_settled;
use crate::sql::lexer::{Token, TokenKind};

/// What a statement does with user variables. Names are in small letters and without their quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    /// All that it mentions.
    pub(crate) mentioned: Vec<String>,
    /// Those that it gives a value.
    pub(crate) given: Vec<String>,
    /// A SET whose values follow from its text, from settings and from other variables: it can be replayed.
    pub(crate) is_settled: bool,
    /// It gives settings of the session a value.
    pub(crate) sets_settings: bool,
}

/// The name of a user variable, as one is named: `@a`, `` @`a` ``, `@'a'`.
pub(super) fn user_variable(token: &Token<'_>) -> Option<String> {
    let name = token.text.strip_prefix('@').filter(|name| !name.starts_with('@'))?;
    let is_variable = token.kind == TokenKind::Parameter;
    is_variable.then(|| name.trim_matches(['`', '\'', '"']).to_lowercase())
}

/// The name of a setting that is read, without its scope: `@@sql_mode`, `@@session.sql_mode`. A server's own
/// setting is none of the session's.
pub(super) fn setting(token: &Token<'_>) -> Option<String> {
    let name = token.text.strip_prefix("@@")?.to_ascii_lowercase();
    match name.split_once('.') {
        None => Some(name),
        Some(("session" | "local", name)) => Some(name.trim_matches('`').to_owned()),
        Some(_) => None,
    }
}

/// What a SET does, by what stands behind the word.
pub(super) fn of_set(tokens: &[Token<'_>]) -> Variables {
    let mut variables = Variables { is_settled: true, ..Variables::default() };
    for assignment in assignments(tokens) {
        let equals = assignment.iter().position(|token| is_equals(token));
        let (target, value) = assignment.split_at(equals.unwrap_or(0));
        match target.first().and_then(user_variable) {
            Some(name) => variables.given.push(name),
            None => variables.sets_settings = true,
        }
        variables.is_settled &= value.get(1..).is_none_or(is_the_same_every_time);
    }
    variables
}

fn is_equals(token: &Token<'_>) -> bool {
    token.is_punctuation("=") || token.is_punctuation(":=")
}

/// Between the commas outside any parenthesis.
fn assignments<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is_punctuation(",")
    })
}

/// Whether an expression depends on nothing but its text, settings of the session and user variables of MySQL.
pub(super) fn is_the_same_every_time(value: &[Token<'_>]) -> bool {
    const CHANGING: [&str; 18] = [
        "SELECT",
        "TABLE",
        "VALUES",
        "EXISTS",
        "WITH",
        "NEXT",
        "PREVIOUS",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_USER",
        "CURRENT_ROLE",
        "SESSION_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "UTC_DATE",
        "UTC_TIME",
        "UTC_TIMESTAMP",
    ];
    /// What the server, or an earlier statement, made of them.
    const CHANGING_SETTINGS: [&str; 13] = [
        "timestamp",
        "identity",
        "insert_id",
        "last_insert_id",
        "warning_count",
        "error_count",
        "rand_seed1",
        "rand_seed2",
        "in_transaction",
        "last_gtid",
        "gtid_next",
        "pseudo_thread_id",
        "proxy_user",
    ];
    let next = |index: usize| value.get(index + 1);
    value.iter().enumerate().all(|(index, token)| match token.kind {
        TokenKind::Word => {
            let is_call = next(index).is_some_and(|next| next.is_punctuation("("));
            !CHANGING.iter().any(|word| token.is_word(word)) && (!is_call || is_settled(token.text))
        }
        TokenKind::Parameter if token.text.starts_with("@@") => {
            setting(token).is_some_and(|name| !CHANGING_SETTINGS.contains(&name.as_str()))
        }
        _ => !token.is_punctuation(":="),
    })
}
