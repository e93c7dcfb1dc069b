//! Stored code: triggers and routines, as far as it matters what they may change when they run unseen.

use crate::sql::Dialect;
use crate::sql::classify::tables;
use crate::sql::lexer::{Token, TokenKind, executed};
use std::collections::BTreeSet;

/// A trigger or a routine of MySQL or MariaDB: the names in it, of which its text is not kept.
///
/// ```
/// use windlass_core::driver::StoredCode;
///
/// let trigger = StoredCode::new("Ship", Some("INSERT INTO log VALUES (NEW.id)"), Some("shop"));
/// assert_eq!(trigger.runs_with(), "ship");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    runs_with: String,
    names: BTreeSet<String>,
    reaches_out: bool,
}

impl StoredCode {
    /// What runs with the rows of this table, or is called by this name, in the database that is its own; of a text that is
    /// hidden nothing is known.
    pub fn new(runs_with: &str, text: Option<&str>, own: Option<&str>) -> Self {
        let tokens = text.map(|text| executed(Dialect::MySql, text));
        let names = tokens.iter().flatten().filter_map(name).collect();
        let reaches_out = text.is_none_or(|text| names_another_table(text, own))
            || tokens.is_some_and(|tokens| calls_another(&tokens, own));
        Self { runs_with: runs_with.to_lowercase(), names, reaches_out }
    }

    /// The table or the routine, in small letters.
    pub fn runs_with(&self) -> &str {
        &self.runs_with
    }

    /// All that may be the name of what it changes or calls, in small letters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether it may change what is in another database.
    pub(crate) fn reaches_out(&self) -> bool {
        self.reaches_out
    }
}

fn name(token: &Token<'_>) -> Option<String> {
    let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier);
    is_name.then(|| token.text.trim_matches(['`', '"']).to_lowercase())
}

fn names_another_table(text: &str, own: Option<&str>) -> bool {
    tables(Dialect::MySql, text).iter().any(|table| table.schema.is_some() && table.schema.as_deref() != own)
}

/// `CALL other.p`, `other.f(`.
fn calls_another(tokens: &[Token<'_>], own: Option<&str>) -> bool {
    (0..tokens.len()).any(|at| {
        let [database, dot, _] = &tokens[at..(at + 3).min(tokens.len())] else { return false };
        let is_called = at.checked_sub(1).is_some_and(|before| tokens[before].is_word("CALL"))
            || tokens.get(at + 3).is_some_and(|behind| behind.is_punctuation("("));
        let is_own = || own.is_some_and(|own| name(database) == Some(own.to_lowercase()));
        is_called && dot.is_punctuation(".") && name(database).is_some() && !is_own()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches_out(text: &str) -> bool {
        StoredCode::new("t", Some(text), Some("shop")).reaches_out()
    }

    #[test]
    fn names_are_read_wherever_they_stand() {
        let text = "BEGIN /*!50003 INSERT INTO `Log` */ VALUES ('word'); CALL tell(NEW.n); -- aside\nEND";
        let code = StoredCode::new("T", Some(text), None);
        let names: Vec<_> = code.names().collect();
        for name in ["log", "tell", "n"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.contains(&"word") && !names.contains(&"aside"), "{names:?}");
    }

    #[test]
    fn another_database_is_told_from_an_alias() {
        for text in [
            "INSERT INTO other.t VALUES (1)",
            "BEGIN UPDATE a, other.b SET n = 1; END",
            "CALL other.p",
            "SET NEW.n = other.f(1)",
        ] {
            assert!(reaches_out(text), "{text}");
        }
        for text in [
            "UPDATE t AS a SET a.n = NEW.n WHERE t.n IN (1)",
            "INSERT INTO shop.t SELECT t.n FROM t",
            "CALL shop.p(OLD.n)",
            "SET NEW.n = `shop`.f(1)",
        ] {
            assert!(!reaches_out(text), "{text}");
        }
        assert!(StoredCode::new("t", None, Some("shop")).reaches_out());
    }
}
