//! Repeat: a statement that is run again and again, each time in a transaction of its own with its checkpoint.

use super::locking::spoken;
use super::pieces::Prepared;
use super::{Blocked, Execute, Place, Segment, Step, WaitLimit};
use crate::directive;
use crate::history::{Attempt, State};
use crate::sql::Dialect;
use crate::sql::classify::{Binding, Facts, ObjectName, SessionUse, Transaction, tables};
use crate::sql::lexer::{TokenKind, tokens};
use std::fmt;
use std::time::Duration;

/// Why a repeated statement cannot be in the migration's own transaction.
pub(super) const WHY: &str = "`repeat` runs it in transactions of its own";

/// A statement that is run until it touches no row.
#[derive(Clone, Debug)]
pub struct Repeat<'m> {
    /// The statement.
    pub execute: Execute<'m>,
    /// The attempt's epoch.
    pub epoch: u32,
    /// How long to wait between two runs, with no transaction open.
    pub pause: Option<Duration>,
    /// The number of rows, over all runs, with which it is done although there may be more.
    pub until_rows: Option<u64>,
    /// With how many rows it is taken for one that never ends.
    pub limit: RowLimit,
    /// How long each run waits for a lock that it needs to begin.
    pub wait: Option<WaitLimit>,
    /// Rows that it touched before a crash or a failure cut it short.
    pub touched: u64,
}

/// With how many rows touched, over all runs, a statement is taken for one that never ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowLimit {
    /// More than so many.
    Rows(u64),
    /// More than twice the rows of the largest of these tables, counted before the first run.
    TwiceTheRowsOf(Vec<ObjectName>),
}

impl<'m> Repeat<'m> {
    /// One run: the statement, and in the same transaction the count of what it touched.
    pub fn run(&self, row_limit: u64) -> Segment<'m> {
        let count = Step::CountRows { name: self.execute.migration.name(), epoch: self.epoch, row_limit };
        let run = [Step::Begin, Step::Execute(self.execute.clone()), count, Step::Commit];
        Segment { steps: self.wait.map(Step::LimitWaits).into_iter().chain(run).collect() }
    }
}

impl fmt::Display for Repeat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Execute { migration, number, of, .. } = self.execute;
        write!(f, "repeat {} {number}/{of} until it touches no row", migration.name())?;
        if let Some(rows) = self.until_rows {
            write!(f, " or has touched {rows} rows")?;
        }
        if let Some(pause) = self.pause {
            write!(f, ", with a pause of {}", spoken(pause))?;
        }
        if let Some(WaitLimit::Locks(time)) = self.wait {
            write!(f, ", waiting up to {} for its lock", spoken(time))?;
        }
        if self.touched > 0 {
            write!(f, ", {} rows so far", self.touched)?;
        }
        write!(f, ": {}", self.execute.summary(100))
    }
}

impl<'m> Prepared<'m> {
    /// The step of a statement, counted from 0, that is repeated, going on from what an attempt did of it.
    pub(super) fn repeated(
        &self,
        statement: usize,
        epoch: u32,
        wait: Option<WaitLimit>,
        so_far: Option<&Attempt>,
    ) -> Option<Step<'m>> {
        let directive = self.repeats.iter().find(|repeat| repeat.statement == statement)?;
        let execute = self.statements[statement].clone();
        // Who mended a statement, or said to try it again, has it counted anew.
        let kept = so_far.filter(|attempt| attempt.state() != State::Failed).and_then(|a| a.row_limit);
        let limit = match directive.at_most_rows.or(kept) {
            Some(rows) => RowLimit::Rows(rows),
            None => RowLimit::TwiceTheRowsOf(tables(self.dialect, execute.sql)),
        };
        Some(Step::Repeat(Box::new(Repeat {
            execute,
            epoch,
            pause: directive.pause,
            until_rows: directive.until_rows,
            limit,
            wait,
            touched: so_far.map_or(0, |attempt| attempt.touched),
        })))
    }
}

/// Refuses what cannot be repeated, and takes the rest out of the migration's own transaction.
pub(super) fn check(
    dialect: Dialect,
    repeats: &[directive::Repeat],
    statements: &[Execute<'_>],
    facts: &mut [Facts],
    rebuilds: bool,
) -> Result<(), Blocked> {
    let rebuilds = rebuilds || facts.iter().any(|facts| facts.foreign_keys_pragma.is_some());
    for repeat in repeats {
        let (Some(execute), Some(facts)) =
            (statements.get(repeat.statement), facts.get_mut(repeat.statement))
        else {
            continue;
        };
        let why = match refusal(dialect, execute.sql, facts) {
            None if rebuilds => Some("foreign keys are suspended or enforced for the whole file".to_owned()),
            why => why,
        };
        if let Some(why) = why {
            return Err(Blocked::CannotRepeat { place: Place::of(execute), why });
        }
        facts.transaction = Transaction::Outside(WHY);
        facts.groupable = false;
    }
    Ok(())
}

/// Why a statement cannot be repeated.
fn refusal(dialect: Dialect, sql: &str, facts: &Facts) -> Option<String> {
    let outline = Outline::of(dialect, sql);
    if let Some(why) = outline.refusal(dialect) {
        return Some(why.to_owned());
    }
    match facts.session {
        SessionUse::None => None,
        SessionUse::Bound(
            Binding::Session(why) | Binding::Transaction(why) | Binding::LastStatement(why),
        ) => Some(format!("{why}, and a run that goes on has another")),
        _ => Some("it changes the session".to_owned()),
    }
}

/// A statement's verb, and which words stand behind it outside any parenthesis.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outline {
    verb: String,
    has_where: bool,
    /// It, or a part of it, reads rows to insert.
    has_select: bool,
    has_returning: bool,
}

impl Outline {
    fn of(dialect: Dialect, sql: &str) -> Self {
        const VERBS: [&str; 8] =
            ["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "SELECT", "VALUES", "TABLE"];
        let mut outline = Self::default();
        let mut depth = 0_usize;
        let mut tokens = tokens(dialect, sql).filter(|token| token.kind.is_significant()).peekable();
        // Behind a WITH the verb comes after its queries, which stand in parentheses.
        let has_with = tokens.peek().is_some_and(|token| token.is_word("WITH"));
        for token in tokens {
            match (token.kind, token.text) {
                (TokenKind::Punctuation, "(") => depth += 1,
                (TokenKind::Punctuation, ")") => depth = depth.saturating_sub(1),
                (TokenKind::Word, word) if outline.verb.is_empty() => {
                    let is_verb = depth == 0 && VERBS.iter().any(|verb| token.is_word(verb));
                    if is_verb || !has_with {
                        outline.verb = word.to_ascii_uppercase();
                    }
                }
                (TokenKind::Word, _) => {
                    outline.has_select |= token.is_word("SELECT") || token.is_word("TABLE");
                    outline.has_where |= depth == 0 && token.is_word("WHERE");
                    outline.has_returning |= depth == 0 && token.is_word("RETURNING");
                }
                _ => {}
            }
        }
        outline
    }

    fn refusal(&self, dialect: Dialect) -> Option<&'static str> {
        match self.verb.as_str() {
            "UPDATE" | "DELETE" if !self.has_where => {
                Some("without WHERE it does not leave out the rows that are done")
            }
            "INSERT" | "REPLACE" if !self.has_select => Some("it inserts the same rows with every run"),
            // MariaDB tells of such a statement's rows only what it returns.
            _ if self.has_returning && dialect == Dialect::MySql => {
                Some("with RETURNING the server does not tell how many rows it touches")
            }
            "UPDATE" | "DELETE" | "INSERT" | "REPLACE" | "MERGE" => None,
            "SELECT" | "VALUES" | "TABLE" => Some(
                "it reads: only of an INSERT, UPDATE, DELETE or MERGE as its outermost part are the rows counted",
            ),
            _ => Some("it is no INSERT, UPDATE, DELETE or MERGE"),
        }
    }
}
