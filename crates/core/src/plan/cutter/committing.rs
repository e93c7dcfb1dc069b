//! Where a script is cut whose definitions commit by themselves: MySQL and MariaDB.

use super::{Blocked, Cutter};
use crate::migration::TransactionMode;
use crate::plan::pieces::PieceKind;
use crate::plan::repeat;
use crate::plan::units::{Unit, apart};
use crate::sql::classify::{Control, Effect, Objects, SessionUse, Transaction};

impl Cutter<'_, '_> {
    /// DDL commits by itself; data statements share a transaction with their checkpoint.
    pub(super) fn cut_implicit_commit(&mut self, units: &[Unit]) -> Result<(), Blocked> {
        let mut fresh = true;
        let mut index = 0;
        while index < self.statements.len() {
            let unit = units.iter().find(|unit| (unit.first..=unit.last).contains(&index));
            if let Some(unit) = unit.filter(|unit| unit.first == index) {
                self.refuse_repeat_within(*unit)?;
                if !unit.is_atomic {
                    self.as_written(*unit)?;
                    (fresh, index) = (true, unit.last + 1);
                    continue;
                }
                fresh |= self.is_apart(*unit);
            }
            self.one(index, unit.is_some(), &mut fresh)?;
            fresh |= unit.is_some_and(|unit| unit.last == index && self.is_apart(*unit));
            index += 1;
        }
        self.refuse_unclosed()
    }

    /// A statement by itself, or among others of a unit that one transaction holds.
    fn one(&mut self, index: usize, in_unit: bool, fresh: &mut bool) -> Result<(), Blocked> {
        let facts = &self.facts[index];
        let is_required = self.wish.mode == TransactionMode::Required;
        match &facts.transaction {
            Transaction::Outside(why) if *why == repeat::WHY => {
                self.refuse_outside(index, why)?;
                self.push(PieceKind::Repeat, index);
                *fresh = true;
            }
            // Every statement of ours is committed by itself, so a change of autocommit means nothing here.
            Transaction::Control(Control::Autocommit) => self.absorb_alone(index),
            Transaction::Control(Control::Savepoint) => self.join(index, fresh),
            Transaction::Control(Control::Isolation) if in_unit && self.comes_before_queries(*fresh) => {
                self.join(index, fresh);
            }
            Transaction::Control(control) => {
                self.control(index, &control.clone())?;
                *fresh |= !in_unit;
            }
            _ if in_unit => self.join(index, fresh),
            // In the file's own transaction a setting parts nothing.
            _ if facts.session == SessionUse::Setting && (is_required || self.open.is_some()) => {
                self.join(index, fresh);
            }
            _ => {
                let data = matches!(facts.effect, Effect::Data | Effect::Query)
                    && !facts.implicit_commit
                    && !facts.kept_by_rollback;
                if data && facts.session == SessionUse::None && facts.objects != Objects::Unknown {
                    // By itself, where that is asked for, and yet with its checkpoint: a crash then hides nothing.
                    let alone = self.wish.mode == TransactionMode::Off && self.open.is_none();
                    *fresh |= alone;
                    self.join(index, fresh);
                    *fresh |= alone;
                } else {
                    if is_required {
                        self.refuse_outside(index, apart(facts).unwrap_or("it cannot be rolled back"))?;
                    }
                    let setting = facts.session == SessionUse::Setting;
                    self.push(if setting { PieceKind::Setting } else { PieceKind::Alone }, index);
                    *fresh = true;
                }
            }
        }
        Ok(())
    }

    /// Whether a unit has a transaction of its own, instead of one with what stands around it.
    fn is_apart(&self, unit: Unit) -> bool {
        let facts = &self.facts[unit.first..=unit.last];
        let isolates = facts.iter().any(|f| f.transaction == Transaction::Control(Control::Isolation));
        isolates && self.wish.mode != TransactionMode::Required || self.wish.mode == TransactionMode::Off
    }

    /// No transaction of ours could hold it: it is sent as the file has it, the file's own transactions included.
    fn as_written(&mut self, unit: Unit) -> Result<(), Blocked> {
        let within = unit.first..=unit.last;
        if self.wish.mode == TransactionMode::Required {
            let first = within.clone().find_map(|index| Some((index, apart(&self.facts[index])?)));
            let (index, why) = first.unwrap_or((unit.first, "session state ties it to others"));
            self.refuse_outside(index, why)?;
        }
        for index in within {
            match self.facts[index].transaction.clone() {
                Transaction::Control(Control::Begin(modes)) => self.check_begin(index, modes)?,
                Transaction::Control(Control::Commit) => self.open = None,
                Transaction::Control(Control::Savepoint | Control::Isolation | Control::Autocommit) => {}
                Transaction::Control(control) => self.control(index, &control)?,
                _ => {}
            }
        }
        self.push_all(PieceKind::Unit, unit.first, unit.last);
        Ok(())
    }

    /// Statements that are tied together are never resumed in their middle.
    fn refuse_repeat_within(&self, Unit { first, last, .. }: Unit) -> Result<(), Blocked> {
        let repeated = |index: &usize| self.facts[*index].transaction == Transaction::Outside(repeat::WHY);
        match (first..=last).find(repeated) {
            Some(index) => Err(Blocked::CannotRepeat {
                place: self.place(index),
                why: format!(
                    "it stands among statements that session state ties together, from {} to {}",
                    self.place(first),
                    self.place(last)
                ),
            }),
            None => Ok(()),
        }
    }
}
