//! MySQL and MariaDB: the compound bodies of procedures, functions, triggers and events, and
//! MariaDB's compound statements outside of them.

use super::is_any;
use crate::sql::lexer::{Token, TokenKind};

#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    state: State,
    /// The blocks that are open, outermost first.
    blocks: Vec<Block>,
    /// How many parentheses are open.
    depth: u32,
    /// The token before was this.
    previous: Previous,
    /// In a `DECLARE … HANDLER`, whose statement follows the conditions without a mark of its own.
    handler: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No token yet.
    #[default]
    Start,
    /// Every semicolon ends the statement.
    Plain,
    /// Only the terminator that `DELIMITER` has set ends the statement.
    Opaque,
    /// Behind `CREATE`, up to the word that says what is created.
    Create,
    /// Behind `ALTER`.
    Alter,
    /// Behind a `BEGIN` at the start.
    Begin,
    /// Behind a name at the start, which is a label if a colon follows.
    Label,
    /// In the head of an event, up to its `DO`.
    Event,
    /// In the head of a trigger, up to its `FOR EACH ROW`.
    Trigger,
    /// In the head of a procedure or function, before its parameters end.
    Parameters,
    /// In the head of a procedure or function, behind its parameters.
    Characteristics,
    /// In a body, where a statement may begin.
    AtStatement,
    /// In a body's statement.
    InStatement,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Previous {
    #[default]
    Other,
    Dot,
    Equals,
    /// Any other operator, bracket or comma.
    Punctuation,
    Begin,
    End,
    /// `FOLLOWS` or `PRECEDES`: the name of a trigger comes next.
    Order,
    /// A word behind which another belongs to it: `CHARACTER SET`, `RETURNS SET (…)`.
    Type,
    /// The `EACH` of `FOR EACH ROW`.
    Each,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Begin,
    If,
    CaseStatement,
    CaseExpression,
    /// `LOOP`, `WHILE`, `FOR`.
    Loop,
    Repeat,
}

impl Body {
    /// Like a new one, with the memory of the old.
    pub(super) fn reset(&mut self) {
        self.blocks.clear();
        *self = Body { blocks: std::mem::take(&mut self.blocks), ..Body::default() };
    }

    #[inline]
    pub(super) fn observe(&mut self, token: &Token<'_>) {
        if self.state != State::Plain {
            self.advance(token);
        }
    }

    #[inline]
    pub(super) fn semicolon_ends(&mut self, other_delimiter: bool) -> bool {
        if self.state == State::Plain {
            return true;
        }
        if self.blocks.is_empty() {
            return !(other_delimiter && self.state == State::Opaque);
        }
        // Parentheses hold no statement: one that is open here is a mistake the server will tell.
        self.depth = 0;
        self.handler = false;
        self.state = State::AtStatement;
        self.previous = Previous::Other;
        false
    }

    pub(super) fn open(&self) -> Option<&'static str> {
        (!self.blocks.is_empty()).then_some("a compound statement's body")
    }

    #[cold]
    fn advance(&mut self, token: &Token<'_>) {
        match token.kind {
            TokenKind::Punctuation if token.text == "(" => self.depth += 1,
            TokenKind::Punctuation if token.text == ")" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.state = match self.state {
            State::Start => self.first(token),
            State::Create => self.created(token),
            State::Alter if token.is_word("EVENT") => State::Event,
            State::Alter => self.created(token),
            State::Begin if token.is_word("NOT") => {
                self.blocks.push(Block::Begin);
                State::AtStatement
            }
            State::Label if token.text == ":" => State::AtStatement,
            State::Begin | State::Label => State::Plain,
            State::Event if self.depth == 0 && token.is_word("DO") => State::AtStatement,
            State::Trigger if self.previous == Previous::Each && token.is_word("ROW") => State::AtStatement,
            State::Parameters if self.depth == 0 && token.text == ")" => State::Characteristics,
            State::Characteristics if self.depth == 0 => self.characteristic(token),
            State::AtStatement | State::InStatement if self.depth == 0 => self.statement(token),
            unchanged => unchanged,
        };
        self.previous = Previous::of(token);
    }

    fn first(&mut self, token: &Token<'_>) -> State {
        match token.kind {
            // A dump hides a whole `CREATE TRIGGER` in pieces of these, between delimiters of its own.
            TokenKind::ExecutableComment => State::Opaque,
            TokenKind::Word if token.is_word("CREATE") => State::Create,
            TokenKind::Word if token.is_word("ALTER") => State::Alter,
            TokenKind::Word if token.is_word("BEGIN") => State::Begin,
            TokenKind::Word if self.opens(token) => self.statement_start(token),
            TokenKind::Word | TokenKind::QuotedIdentifier => State::Label,
            _ => State::Plain,
        }
    }

    fn created(&mut self, token: &Token<'_>) -> State {
        let of_definer = matches!(self.previous, Previous::Equals | Previous::Dot);
        if token.kind != TokenKind::Word || of_definer {
            return self.state;
        }
        match token.text.to_ascii_uppercase().as_str() {
            "PROCEDURE" | "FUNCTION" if self.state == State::Create => State::Parameters,
            "TRIGGER" => State::Trigger,
            "EVENT" => State::Event,
            "PACKAGE" => State::Opaque,
            "OR" | "REPLACE" | "DEFINER" | "AGGREGATE" => self.state,
            _ => State::Plain,
        }
    }

    /// A word between a routine's parameters and its body, or the body's first.
    fn characteristic(&mut self, token: &Token<'_>) -> State {
        const STATEMENTS: [&str; 14] = [
            "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "CALL", "RETURN", "WITH", "SET", "DO", "DROP",
            "ALTER", "TRUNCATE", "DECLARE",
        ];
        let part_of_type = matches!(self.previous, Previous::Type | Previous::Dot);
        match token.kind {
            TokenKind::Punctuation if token.text == ":" => State::AtStatement,
            TokenKind::Word if part_of_type => State::Characteristics,
            TokenKind::Word if token.is_word("BEGIN") || self.opens(token) => self.statement_start(token),
            TokenKind::Word if is_any(token, &STATEMENTS) => State::InStatement,
            TokenKind::Word if is_any(token, &["AS", "IS", "SONAME"]) => State::Opaque,
            _ => State::Characteristics,
        }
    }

    fn statement(&mut self, token: &Token<'_>) -> State {
        if self.previous == Previous::Order {
            return State::AtStatement;
        }
        if token.text == ":" {
            return State::AtStatement;
        }
        let named = self.previous == Previous::Dot;
        let tail = self.previous == Previous::End && self.opens(token);
        if token.kind != TokenKind::Word || named || tail {
            return if tail { State::InStatement } else { self.beside(token) };
        }
        if token.is_word("END") {
            return self.end();
        }
        if self.state == State::AtStatement {
            return self.statement_start(token);
        }
        let after_conditions = !matches!(self.previous, Previous::Punctuation | Previous::Equals);
        if self.handler && after_conditions && is_any(token, &["BEGIN", "IF", "LOOP", "WHILE", "REPEAT"]) {
            self.handler = false;
            return self.statement_start(token);
        }
        self.word_inside(token)
    }

    /// A token that is no keyword, where a statement may begin or not.
    fn beside(&self, token: &Token<'_>) -> State {
        // What a dump or a hint puts before a statement is not its beginning.
        match token.kind {
            TokenKind::ExecutableComment => self.state,
            _ => State::InStatement,
        }
    }

    /// The first word of a statement in a body.
    fn statement_start(&mut self, token: &Token<'_>) -> State {
        let (block, next) = match token.text.to_ascii_uppercase().as_str() {
            "BEGIN" => (Block::Begin, State::AtStatement),
            "IF" => (Block::If, State::InStatement),
            "CASE" => (Block::CaseStatement, State::InStatement),
            "LOOP" => (Block::Loop, State::AtStatement),
            "WHILE" | "FOR" => (Block::Loop, State::InStatement),
            "REPEAT" => (Block::Repeat, State::AtStatement),
            "NOT" if self.previous == Previous::Begin => return State::AtStatement,
            "ATOMIC" | "ELSE" | "FOLLOWS" | "PRECEDES" => return State::AtStatement,
            _ => return State::InStatement,
        };
        self.blocks.push(block);
        next
    }

    fn word_inside(&mut self, token: &Token<'_>) -> State {
        let block = self.blocks.last().copied();
        match token.text.to_ascii_uppercase().as_str() {
            "CASE" => {
                self.blocks.push(Block::CaseExpression);
                State::InStatement
            }
            "THEN" | "ELSE" if matches!(block, Some(Block::If | Block::CaseStatement)) => State::AtStatement,
            "DO" if block == Some(Block::Loop) => State::AtStatement,
            "HANDLER" => {
                self.handler = true;
                State::InStatement
            }
            // The handler's statement has begun, and is none that a block opens.
            "SET" | "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "CALL" | "SIGNAL" => {
                self.handler = false;
                State::InStatement
            }
            _ => State::InStatement,
        }
    }

    /// An `END` closes an expression or `REPEAT … UNTIL` anywhere, a block only where a statement
    /// would begin: elsewhere it is a name.
    fn end(&mut self) -> State {
        let closes = match self.blocks.last() {
            Some(Block::CaseExpression | Block::Repeat) => true,
            Some(_) => self.state == State::AtStatement,
            None => false,
        };
        if closes {
            self.blocks.pop();
        }
        State::InStatement
    }

    fn opens(&self, token: &Token<'_>) -> bool {
        is_any(token, &["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"])
    }
}

impl Previous {
    fn of(token: &Token<'_>) -> Previous {
        match token.kind {
            TokenKind::Punctuation => match token.text {
                "." => Previous::Dot,
                "=" => Previous::Equals,
                _ => Previous::Punctuation,
            },
            TokenKind::Word if token.is_word("BEGIN") => Previous::Begin,
            TokenKind::Word if token.is_word("END") => Previous::End,
            TokenKind::Word if is_any(token, &["FOLLOWS", "PRECEDES"]) => Previous::Order,
            TokenKind::Word if token.is_word("EACH") => Previous::Each,
            TokenKind::Word if is_any(token, &["RETURNS", "CHARACTER", "COMMENT"]) => Previous::Type,
            _ => Previous::Other,
        }
    }
}
