//! Leftovers: temporary tables, user variables and a role of a migration. The server lists none, so they are
//! noted as the statements go by, and taken away where the session is not begun anew: an application's is not.

use crate::history::identifier;
use std::collections::BTreeSet;
use windlass_core::sql::Dialect;
use windlass_core::sql::lexer::{Token, TokenKind, executed};

/// Names of this driver's own variables.
const OWN: &str = "@_windlass";

/// What keeps statements out of the binary log.
const LOGGING: &str = "sql_log_bin";

/// A statement is searched up to here: behind it there is data.
const SEARCHED_BYTES: usize = 64 * 1024;

/// What a migration may have left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leftovers {
    /// As they are written in a statement.
    temporary_tables: BTreeSet<String>,
    variables: BTreeSet<String>,
    /// The last statement that set a role.
    role: Option<String>,
    /// It says what the binary log holds.
    logging: bool,
}

impl Leftovers {
    /// Notes what a statement may leave.
    pub(crate) fn follow(&mut self, sql: &str) {
        let end = (0..=sql.len().min(SEARCHED_BYTES)).rfind(|&at| sql.is_char_boundary(at));
        let sql = &sql[..end.unwrap_or_default()];
        let tokens = executed(Dialect::MySql, sql);
        let names_logging = |token: &Token<'_>| {
            token.kind != TokenKind::String && token.text.to_ascii_lowercase().ends_with(LOGGING)
        };
        self.logging |=
            tokens.first().is_some_and(|token| token.is_word("SET")) && tokens.iter().any(names_logging);
        self.temporary_tables.extend(temporary_table(&tokens));
        if tokens.len() > 2 && tokens[0].is_word("SET") && tokens[1].is_word("ROLE") {
            self.role = Some(sql.to_owned());
        }
        // The body of a routine or a trigger is not run now.
        if tokens.first().is_some_and(|token| token.is_word("CREATE"))
            && !tokens.iter().take(5).any(|token| token.is_word("TABLE"))
        {
            return;
        }
        for (index, token) in tokens.iter().enumerate() {
            // `'root'@'localhost'` is an account.
            let of_account =
                index > 0 && tokens[index - 1].offset + tokens[index - 1].text.len() == token.offset;
            let is_variable =
                token.text.starts_with('@') && !token.text.starts_with("@@") && token.text.len() > 1;
            if is_variable && !of_account && !token.text.starts_with(OWN) {
                self.variables.insert(token.text.to_owned());
            }
        }
    }

    /// What goes before and after a write of our own, for which the migration's role may have no right.
    pub(crate) fn around_own_write(&self, role: &str) -> Option<[String; 2]> {
        self.role.clone().map(|theirs| [format!("SET ROLE {role}"), theirs])
    }

    /// The statement that puts back the role that the session came with.
    pub(crate) fn role_put_back(&self, role: &str) -> Option<String> {
        self.role.as_ref().map(|_| format!("SET ROLE {role}"))
    }

    /// What is left once a migration's settings are put back in its middle.
    pub(crate) fn rewound(&self) -> Self {
        Self { logging: self.logging, ..Self::default() }
    }

    /// Whether writes of our own may have been kept out of the binary log.
    pub(crate) fn logging(&self) -> bool {
        self.logging
    }

    pub(crate) fn temporary_tables(self) -> BTreeSet<String> {
        self.temporary_tables
    }

    /// The statements that take the rest away, but for tables of these names.
    pub(crate) fn taken_away(&self, theirs: &BTreeSet<String>) -> Vec<String> {
        let tables = self
            .temporary_tables
            .difference(theirs)
            .map(|name| format!("DROP TEMPORARY TABLE IF EXISTS {name}"));
        let variables =
            self.variables.iter().map(|name| format!("{name} = NULL")).collect::<Vec<_>>().join(", ");
        tables.chain((!variables.is_empty()).then(|| format!("SET {variables}"))).collect()
    }
}

/// The name behind `CREATE TEMPORARY TABLE`.
fn temporary_table(tokens: &[Token<'_>]) -> Option<String> {
    let mut tokens = tokens.iter();
    if !tokens.next()?.is_word("CREATE") {
        return None;
    }
    let mut second = tokens.next()?;
    if second.is_word("OR") {
        second = tokens.nth(1)?;
    }
    if !second.is_word("TEMPORARY") || !tokens.next()?.is_word("TABLE") {
        return None;
    }
    let mut first = tokens.next()?;
    if first.is_word("IF") {
        first = tokens.nth(2)?;
    }
    let mut name = part(first)?;
    if tokens.next().is_some_and(|token| token.is_punctuation(".")) {
        name += &format!(".{}", part(tokens.next()?)?);
    }
    Some(name)
}

fn part(token: &Token<'_>) -> Option<String> {
    match token.kind {
        TokenKind::Word => Some(identifier(token.text)),
        TokenKind::QuotedIdentifier => Some(token.text.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let mut leftovers = Leftovers::default();
        leftovers.follow(sql);
        let left = leftovers.role_put_back("NONE").into_iter().chain(leftovers.taken_away(&BTreeSet::new()));
        assert_eq!(left.collect::<Vec<_>>(), expected, "{sql}");
    }

    #[test]
    fn what_is_left_is_noted_by_tokens() {
        check("CREATE TABLE t (a int)", &[]);
        check("CREATE TEMPORARY TABLE t (a int)", &["DROP TEMPORARY TABLE IF EXISTS `t`"]);
        check("create /* x */ temporary table `a b`.c like d", &["DROP TEMPORARY TABLE IF EXISTS `a b`.`c`"]);
        check("CREATE OR REPLACE TEMPORARY TABLE t (a int)", &["DROP TEMPORARY TABLE IF EXISTS `t`"]);
        check("CREATE TEMPORARY TABLE IF NOT EXISTS t (a int)", &["DROP TEMPORARY TABLE IF EXISTS `t`"]);
        check("/*!40000 CREATE TEMPORARY TABLE t (a int) */", &["DROP TEMPORARY TABLE IF EXISTS `t`"]);
        check("CREATE /*!40000 TEMPORARY */ TABLE t (a int)", &["DROP TEMPORARY TABLE IF EXISTS `t`"]);
        check("/*!40101 SET @OLD=@@a, @@b = 1 */", &["SET @OLD = NULL"]);
        check("SELECT @a := 1, @`b c`, @@sql_mode, '@d' INTO @a -- @e", &["SET @`b c` = NULL, @a = NULL"]);
        check("GRANT SELECT ON t TO 'root'@'localhost', root@localhost", &[]);
        check("SET @_windlass_zone = 1", &[]);
        check("/* as */ set role reader", &["SET ROLE NONE"]);
        check("SET DEFAULT ROLE reader TO root", &[]);
        check("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1", &[]);
    }
}
