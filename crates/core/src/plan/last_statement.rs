//! Who reads what the session did last (`changes()`, `last_insert_rowid()`, `currval()` …), where definitions are in
//! transactions: SQLite and PostgreSQL.

use super::units::{Tie, bound_to_session};
use super::{Blocked, Execute, Place};
use crate::sql::Dialect;
use crate::sql::classify::{Adds, Binding, Effect, Facts, Objects, SessionUse, Transaction, adds, calls};

/// Statements, each with the one that needs what it left in its session.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// They share a transaction: what windlass writes between them would be what is read.
    pub(super) together: Vec<Tie>,
    /// They are not gone on with in another session.
    pub(super) bound: Vec<Tie>,
}

/// What ties the statements of a script together.
pub(super) fn ties(dialect: Dialect, statements: &[Execute<'_>], facts: &[Facts]) -> Result<Ties, Blocked> {
    let mut ties = Ties { together: Vec::new(), bound: bound_to_session(facts) };
    let script = Script { dialect, statements, facts };
    for (index, reader) in facts.iter().enumerate() {
        match reader.session {
            SessionUse::Bound(Binding::LastStatement(_)) if dialect == Dialect::Postgres => {
                ties.bound.extend(script.sequence_read_by(index)?);
            }
            // What a mere query reads goes nowhere.
            SessionUse::Bound(Binding::LastStatement(_)) if reader.effect != Effect::Query => {
                script.rows_read_by(index, &mut ties)?;
            }
            _ => {}
        }
    }
    Ok(ties)
}

struct Script<'s, 'm> {
    dialect: Dialect,
    statements: &'s [Execute<'m>],
    facts: &'s [Facts],
}

impl Script<'_, '_> {
    /// SQLite. The history's row is inserted before the first statement, and changed behind every transaction.
    fn rows_read_by(&self, reader: usize, ties: &mut Ties) -> Result<(), Blocked> {
        let calls = |function| calls(self.dialect, self.statements[reader].sql, function);
        if calls("total_changes") {
            return Err(self.own(reader, "total_changes() counts what windlass writes, too".to_owned()));
        }
        if calls("changes") {
            let made = (0..reader).rfind(|&earlier| self.facts[earlier].effect == Effect::Data);
            let made = made.ok_or_else(|| self.nothing_before(reader))?;
            if let Some(cut) = self.cut_between(made, reader) {
                let (made, cut) = (self.place(made), self.place(cut));
                let why =
                    format!("it reads what {made} changed, and behind {cut} that is windlass's own row");
                return Err(self.own(reader, why));
            }
            ties.together.push((made, reader));
            ties.bound.push((made, reader));
        }
        if calls("last_insert_rowid") {
            let made = self.inserted_before(reader).ok_or_else(|| self.nothing_before(reader))?;
            if self.cut_between(made, reader).is_none() {
                ties.together.push((made, reader));
            }
            ties.bound.push((made, reader));
        }
        Ok(())
    }

    /// PostgreSQL. The history's row moves a sequence of its own before the first statement.
    fn sequence_read_by(&self, reader: usize) -> Result<Option<Tie>, Blocked> {
        let moves = |&earlier: &usize| {
            let facts = &self.facts[earlier];
            adds(self.dialect, self.statements[earlier].sql) != Adds::Nothing
                || facts.effect == Effect::Unknown
                || facts.effect == Effect::Data && facts.objects == Objects::Unknown
        };
        let is_named = |&earlier: &usize| match &self.facts[earlier].objects {
            Objects::Known(names) => {
                let sql = self.statements[reader].sql;
                names.iter().any(|table| {
                    sql.contains(&format!("{}_", table.name)) || sql.contains(&format!("{}'", table.name))
                })
            }
            Objects::Unknown => false,
        };
        let mut before = (0..reader).filter(moves);
        if calls(self.dialect, self.statements[reader].sql, "lastval") {
            let made = before.next_back().ok_or_else(|| self.nothing_before(reader))?;
            return Ok(Some((made, reader)));
        }
        // A sequence is named for its table, most often.
        let named = before.clone().rfind(is_named);
        Ok(named.or_else(|| before.next()).map(|made| (made, reader)))
    }

    /// The last statement that is sure to have inserted a row, or the first of those that may have.
    fn inserted_before(&self, reader: usize) -> Option<usize> {
        let mut first = None;
        for earlier in (0..reader).rev() {
            match adds(self.dialect, self.statements[earlier].sql) {
                Adds::Nothing => {}
                Adds::Perhaps => first = Some(earlier),
                Adds::Certainly => return Some(earlier),
            }
        }
        first
    }

    fn cut_between(&self, made: usize, reader: usize) -> Option<usize> {
        (made..=reader).find(|&index| matches!(self.facts[index].transaction, Transaction::Outside(_)))
    }

    fn nothing_before(&self, reader: usize) -> Blocked {
        self.own(
            reader,
            "it reads what was done last, and no statement before it does such a thing".to_owned(),
        )
    }

    fn own(&self, reader: usize, why: String) -> Blocked {
        Blocked::ReadsOwnWrites { place: self.place(reader), why }
    }

    fn place(&self, index: usize) -> Place {
        Place::of(&self.statements[index])
    }
}
