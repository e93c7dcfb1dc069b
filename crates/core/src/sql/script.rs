//! A script read token by token, with the places where its statements end.

use super::Dialect;
use super::bodies::Bodies;
use super::lexer::{Lexer, Token, TokenKind};

/// What a token means for the statement it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// The statement goes on.
    None,
    /// The token is the statement's terminator, or a client command or rows behind its end.
    Ends,
    /// Like [`Boundary::Ends`]; the rows of `COPY … FROM stdin` follow.
    EndsWithRows,
}

/// The lexer and the bodies it must be told of, in step.
#[derive(Clone, Debug)]
pub(crate) struct Script<'a> {
    lexer: Lexer<'a>,
    bodies: Bodies,
}

impl<'a> Script<'a> {
    pub(crate) fn new(dialect: Dialect, text: &'a str) -> Self {
        Script { lexer: Lexer::new(dialect, text), bodies: Bodies::new(dialect) }
    }

    #[inline]
    pub(crate) fn next_token(&mut self) -> Option<(Token<'a>, Boundary)> {
        let token = self.lexer.next_token()?;
        let ends = match token.kind {
            TokenKind::Space | TokenKind::Comment | TokenKind::Hint => false,
            TokenKind::Terminator | TokenKind::ClientCommand | TokenKind::CopyData => true,
            TokenKind::Semicolon => self.bodies.semicolon_ends(self.lexer.delimiter().is_some()),
            _ => {
                self.bodies.observe(&token);
                false
            }
        };
        if !ends {
            return Some((token, Boundary::None));
        }
        let rows = token.kind == TokenKind::Semicolon && self.bodies.wants_rows();
        if rows {
            self.lexer.expect_copy_rows();
        }
        self.bodies.reset();
        self.lexer.start_statement();
        Some((token, if rows { Boundary::EndsWithRows } else { Boundary::Ends }))
    }

    /// What is still open at the script's end, if anything.
    pub(crate) fn open_body(&self) -> Option<&'static str> {
        self.bodies.open()
    }

    /// The statement at the script's end wants rows, and there are none.
    pub(crate) fn wants_rows(&self) -> bool {
        self.bodies.wants_rows()
    }
}
