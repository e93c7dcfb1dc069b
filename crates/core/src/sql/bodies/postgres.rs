//! PostgreSQL: `BEGIN ATOMIC … END`, the actions of `CREATE RULE`, and `COPY … FROM stdin`.

use super::is_any;
use crate::sql::lexer::{Token, TokenKind};

#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    state: State,
    /// How many parentheses are open.
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No token yet.
    #[default]
    Start,
    /// Every semicolon ends the statement.
    Plain,
    /// Behind `CREATE` or `CREATE OR REPLACE`.
    Create,
    /// In the head of a function or procedure.
    Routine,
    /// Behind its `BEGIN`, which is a body's if `ATOMIC` follows.
    Begin,
    /// In a body, where a statement of its own may begin, or the `END`.
    AtomicStart,
    /// In a body's statement.
    Atomic,
    /// In `CREATE RULE`: semicolons in parentheses separate its actions.
    Rule,
    Copy,
    /// Behind the `FROM` of `COPY`.
    CopyFrom,
    CopyFromStdin,
}

impl Body {
    #[inline]
    pub(super) fn observe(&mut self, token: &Token<'_>) {
        if self.state != State::Plain {
            self.advance(token);
        }
    }

    #[inline]
    pub(super) fn semicolon_ends(&mut self) -> bool {
        match self.state {
            State::AtomicStart | State::Atomic => {
                self.state = State::AtomicStart;
                false
            }
            State::Rule => self.depth == 0,
            _ => true,
        }
    }

    pub(super) fn wants_rows(&self) -> bool {
        self.state == State::CopyFromStdin
    }

    pub(super) fn open(&self) -> Option<&'static str> {
        match self.state {
            State::AtomicStart | State::Atomic => Some("a `BEGIN ATOMIC` body"),
            State::Rule if self.depth > 0 => Some("the parenthesis of a `CREATE RULE`"),
            _ => None,
        }
    }

    #[cold]
    fn advance(&mut self, token: &Token<'_>) {
        match token.kind {
            TokenKind::Punctuation if token.text == "(" => self.depth += 1,
            TokenKind::Punctuation if token.text == ")" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.state = match self.state {
            State::Start if token.is_word("CREATE") => State::Create,
            State::Start if token.is_word("COPY") => State::Copy,
            State::Create if is_any(token, &["OR", "REPLACE"]) => State::Create,
            State::Create if is_any(token, &["FUNCTION", "PROCEDURE"]) => State::Routine,
            State::Create if token.is_word("RULE") => State::Rule,
            State::Routine if self.depth == 0 && token.is_word("BEGIN") => State::Begin,
            State::Begin if token.is_word("ATOMIC") => State::AtomicStart,
            State::Begin => State::Routine,
            // The grammar wants a semicolon before this END, and never has one before that of a CASE.
            State::AtomicStart if token.is_word("END") => State::Plain,
            State::AtomicStart | State::Atomic => State::Atomic,
            State::Copy if self.depth == 0 && token.is_word("FROM") => State::CopyFrom,
            State::CopyFrom if is_any(token, &["STDIN", "STDOUT"]) => State::CopyFromStdin,
            State::CopyFrom => State::Copy,
            unchanged @ (State::Routine | State::Rule | State::Copy | State::CopyFromStdin) => unchanged,
            State::Start | State::Plain | State::Create => State::Plain,
        };
    }
}
