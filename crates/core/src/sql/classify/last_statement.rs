//! What a statement may leave to those who ask for it: the rows it added, the sequence it moved.

use super::sketch::Sketch;
use crate::sql::Dialect;
use crate::sql::lexer::{Token, tokens};

/// Whether a statement adds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adds {
    Nothing,
    /// As many as it finds, or none where they stand already.
    Perhaps,
    Certainly,
}

/// Whether a statement adds rows, by its text.
pub(crate) fn adds(dialect: Dialect, statement: &str) -> Adds {
    let sketch = Sketch::new(dialect, statement);
    let cursor = sketch.cursor();
    let inserts = cursor.sees("INSERT") || cursor.sees("REPLACE");
    let may = cursor.sees("MERGE") || cursor.sees("COPY") || cursor.sees("WITH") && sketch.writes;
    match () {
        () if inserts && cursor.has(&["VALUES"]) && !cursor.has(&["SELECT", "IGNORE", "CONFLICT"]) => {
            Adds::Certainly
        }
        () if inserts || may => Adds::Perhaps,
        () => Adds::Nothing,
    }
}

/// Whether a statement calls a function of this name itself.
pub(crate) fn calls(dialect: Dialect, statement: &str, function: &str) -> bool {
    let significant: Vec<Token<'_>> =
        tokens(dialect, statement).filter(|token| token.kind.is_significant()).collect();
    significant.windows(2).any(|pair| pair[0].is_word(function) && pair[1].is_punctuation("("))
}
