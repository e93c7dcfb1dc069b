//! SQLite: the body of `CREATE TRIGGER`.

use super::is_any;
use crate::sql::lexer::Token;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Body {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// Every semicolon ends the statement.
    Plain,
    Explain,
    Create,
    /// In a trigger's head.
    Trigger,
    /// In a statement of the body.
    Inside,
    /// Behind a semicolon of the body.
    Semicolon,
    /// Behind the `END` after such a semicolon. No other `END` closes a body: the name may be used for
    /// columns, and `CASE … END` stands before no semicolon of its own.
    End,
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
            State::Inside | State::Semicolon => {
                self.state = State::Semicolon;
                false
            }
            _ => true,
        }
    }

    pub(super) fn open(&self) -> Option<&'static str> {
        matches!(self.state, State::Inside | State::Semicolon).then_some("a trigger's body")
    }

    #[cold]
    fn advance(&mut self, token: &Token<'_>) {
        self.state = match self.state {
            State::Start if token.is_word("EXPLAIN") => State::Explain,
            State::Explain if is_any(token, &["QUERY", "PLAN"]) => State::Explain,
            State::Start | State::Explain if token.is_word("CREATE") => State::Create,
            State::Create if is_any(token, &["TEMP", "TEMPORARY"]) => State::Create,
            State::Create if token.is_word("TRIGGER") => State::Trigger,
            State::Trigger if token.is_word("BEGIN") => State::Inside,
            State::Trigger => State::Trigger,
            State::Semicolon if token.is_word("END") => State::End,
            State::Inside | State::Semicolon | State::End => State::Inside,
            State::Start | State::Plain | State::Explain | State::Create => State::Plain,
        };
    }
}
