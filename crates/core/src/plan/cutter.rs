//! Where a script is cut: what shares a transaction, what must stand alone, what cannot be parted.

mod committing;

use super::locking::{adds_unchecked, validates};
use super::pieces::{Piece, PieceKind};
use super::units::{Unit, units};
use super::{Blocked, Execute, Place, repeat};
use crate::driver::Ddl;
use crate::migration::TransactionMode;
use crate::sql::classify::{
    Binding, Control, Effect, FROM_DATA, Facts, LOCKED, Modes, Objects, SessionUse, Transaction,
};

/// The pieces of a script, in order.
pub(super) fn cut(
    statements: &[Execute<'_>],
    facts: &[Facts],
    ties: &[(usize, usize)],
    ddl: Ddl,
    wish: Wish,
) -> Result<Vec<Piece>, Blocked> {
    let mut cutter = Cutter { statements, facts, wish, pieces: Vec::new(), open: None };
    match ddl {
        Ddl::Transactional => cutter.cut_transactional(&units(facts, ties))?,
        Ddl::ImplicitCommit => cutter.cut_implicit_commit(&units(facts, ties))?,
    }
    Ok(cutter.pieces)
}

/// How a script is to be cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) mode: TransactionMode,
    /// A new enum value was used before its commit, which the text does not tell: it commits at once.
    pub(super) enum_values_at_once: bool,
    /// A transaction that is open at the end of the file is committed there.
    pub(super) close_open_transaction: bool,
    /// Nothing is cut that need not be.
    pub(super) single_transaction: bool,
}

struct Cutter<'a, 'm> {
    statements: &'a [Execute<'m>],
    facts: &'a [Facts],
    wish: Wish,
    pieces: Vec<Piece>,
    /// The explicit transaction that is open in the file, by the index of its BEGIN.
    open: Option<usize>,
}

impl Cutter<'_, '_> {
    /// PostgreSQL and SQLite: one transaction, cut around what cannot be in it. Nothing that can is in a unit.
    fn cut_transactional(&mut self, units: &[Unit]) -> Result<(), Blocked> {
        let mut fresh = true;
        let mut held = Held::default();
        let mut rebuilding = false;
        for index in 0..self.statements.len() {
            let facts = &self.facts[index];
            let unit = units.iter().find(|unit| (unit.first..=unit.last).contains(&index));
            let goes_on = unit.is_some_and(|unit| unit.first < index);
            held.meets(index, facts);
            if let Some((holder, cut)) = held.broken_at(index, facts) {
                return Err(Blocked::CutChangesMeaning { held: self.place(holder), cut: self.place(cut) });
            }
            match &facts.transaction {
                // Each statement is committed by itself: a savepoint would be none.
                Transaction::Control(Control::Savepoint)
                    if self.wish.mode == TransactionMode::Off && self.open.is_none() && !rebuilding =>
                {
                    return Err(Blocked::HoldsForNothing { place: self.place(index) });
                }
                Transaction::Control(Control::Savepoint) => self.join(index, &mut fresh),
                Transaction::Control(Control::Isolation) if self.comes_before_queries(fresh) => {
                    self.join(index, &mut fresh);
                }
                Transaction::Control(control) => {
                    let control = control.clone();
                    self.control(index, &control)?;
                    if !goes_on {
                        fresh = !matches!(control, Control::Begin(Modes::Isolation(_)));
                    }
                }
                Transaction::Outside(why) => {
                    self.refuse_outside(index, why)?;
                    self.push(if *why == repeat::WHY { PieceKind::Repeat } else { PieceKind::Alone }, index);
                    fresh = true;
                }
                Transaction::Inside if facts.foreign_keys_pragma.is_some() => {
                    self.absorb_alone(index);
                    rebuilding = facts.foreign_keys_pragma == Some(false);
                    fresh |= self.wish.mode == TransactionMode::Off && !goes_on;
                }
                // Rows refer to nothing in the middle of a rebuild: it can only be checked as a whole. Its marker
                // asks for no more than that the PRAGMA takes effect.
                Transaction::Inside
                    if self.wish.mode == TransactionMode::Off
                        && self.open.is_none()
                        && !rebuilding
                        && unit.is_none() =>
                {
                    // The server refuses it by itself; in a transaction of ours it would lock nobody out.
                    if facts.session == SessionUse::Bound(Binding::Transaction(LOCKED)) {
                        return Err(Blocked::HoldsForNothing { place: self.place(index) });
                    }
                    // By itself, and yet with its checkpoint: a crash then hides nothing. Code may commit by itself.
                    // What may be repeated needs no transaction, and the text may not tell that it refuses one.
                    let reads = facts.session == SessionUse::Bound(Binding::Session(FROM_DATA));
                    let known = (reads
                        || matches!(facts.effect, Effect::Schema | Effect::Data | Effect::Query))
                        && facts.objects != Objects::Unknown
                        && !(facts.repeats_harmlessly && facts.effect == Effect::Schema);
                    let kind = match facts.session {
                        SessionUse::Setting => PieceKind::Setting,
                        _ if known => PieceKind::Transaction,
                        _ => PieceKind::Alone,
                    };
                    self.push(kind, index);
                    fresh = true;
                }
                Transaction::Inside => {
                    // What was added without being checked is checked while nobody is kept out.
                    fresh |= self.open.is_none()
                        && self.wish.mode == TransactionMode::Automatic
                        && !self.wish.single_transaction
                        && !held.holds()
                        && validates(self.statements[index].sql)
                        && self.adds_unchecked_before(index);
                    self.join(index, &mut fresh);
                    if self.enum_value_is_used_later(index) && self.open.is_none() {
                        self.refuse_outside(
                            index,
                            "a new enum value cannot be used before its transaction commits",
                        )?;
                        held.cut_behind(index);
                        fresh = true;
                    }
                }
            }
            let is_cut = self.wish.mode == TransactionMode::Off || facts.transaction != Transaction::Inside;
            fresh |= is_cut && unit.is_some_and(|unit| unit.last == index);
        }
        self.refuse_unclosed()
    }

    fn control(&mut self, index: usize, control: &Control) -> Result<(), Blocked> {
        match control {
            Control::Begin(modes) => self.begin(index, *modes),
            Control::Commit => {
                self.open = None;
                self.absorb_alone(index);
                Ok(())
            }
            Control::Rollback => Err(self.unsupported(index, "a rollback inside a migration")),
            Control::Isolation => {
                Err(self.unsupported(index, "an isolation level that does not come first in its transaction"))
            }
            _ => Err(self.unsupported(index, "this kind of transaction control")),
        }
    }

    fn begin(&mut self, index: usize, modes: Modes) -> Result<(), Blocked> {
        self.check_begin(index, modes)?;
        match modes {
            // It is sent as the SET TRANSACTION that means the same, first in the transaction that begins here.
            Modes::Isolation(_) => self.push(PieceKind::Transaction, index),
            _ => self.absorb_alone(index),
        }
        Ok(())
    }

    fn check_begin(&mut self, index: usize, modes: Modes) -> Result<(), Blocked> {
        if let Some(first) = self.open.replace(index) {
            return Err(Blocked::NestedBegin { first: self.place(first), second: self.place(index) });
        }
        match modes {
            Modes::Plain | Modes::Isolation(_) => Ok(()),
            Modes::ReadOnly => Err(self.unsupported(index, "a transaction that only reads")),
            Modes::Other => Err(self.unsupported(index, "a transaction with options of its own")),
        }
    }

    /// Whether the transaction that the next statement joins has nothing but settings so far.
    fn comes_before_queries(&self, fresh: bool) -> bool {
        let is_wrapped = self.wish.mode != TransactionMode::Off || self.open.is_some();
        let run = self.pieces.last().map_or(&[][..], |piece| &piece.run);
        is_wrapped && (fresh || run.iter().all(|&index| self.facts[index].effect == Effect::Session))
    }

    /// A statement that the segments themselves express: counted with the piece before it, never sent.
    fn absorb_alone(&mut self, index: usize) {
        match self.pieces.last_mut() {
            Some(piece) => piece.last = index + 1,
            None => self.pieces.push(Piece {
                kind: PieceKind::Transaction,
                first: index,
                last: index + 1,
                run: vec![],
            }),
        }
    }

    /// Puts a statement into the transaction before it, unless a cut was made there.
    fn join(&mut self, index: usize, fresh: &mut bool) {
        let only_absorbed = |piece: &Piece| piece.kind == PieceKind::Transaction && piece.run.is_empty();
        match self.pieces.last_mut() {
            Some(piece) if piece.kind == PieceKind::Transaction && (!*fresh || only_absorbed(piece)) => {
                piece.last = index + 1;
                piece.run.push(index);
            }
            _ => self.push(PieceKind::Transaction, index),
        }
        *fresh = false;
    }

    fn push(&mut self, kind: PieceKind, index: usize) {
        self.push_all(kind, index, index);
    }

    fn push_all(&mut self, kind: PieceKind, first: usize, last: usize) {
        // A leading piece that holds nothing but absorbed control becomes part of what follows it.
        let leading = self.pieces.pop_if(|piece| piece.run.is_empty());
        let begin = leading.map_or(first, |piece| piece.first);
        self.pieces.push(Piece { kind, first: begin, last: last + 1, run: (first..=last).collect() });
    }

    /// Whether the transaction that this statement would join adds a constraint as NOT VALID.
    fn adds_unchecked_before(&self, index: usize) -> bool {
        let piece = self.pieces.last().filter(|piece| piece.kind == PieceKind::Transaction);
        let run = piece.map_or(&[][..], |piece| &piece.run);
        run.iter().any(|&earlier| earlier < index && adds_unchecked(self.statements[earlier].sql))
    }

    /// Cut when the new label, or code that may hold it, appears later in the file (PostgreSQL, ALTER TYPE).
    fn enum_value_is_used_later(&self, index: usize) -> bool {
        let Some(label) = &self.facts[index].enum_value else { return false };
        let is_last = index + 1 == self.statements.len();
        self.wish.enum_values_at_once && !is_last
            || (index + 1..self.statements.len()).any(|later| {
                self.facts[later].effect == Effect::Unknown
                    || self.statements[later].sql.contains(label.as_str())
            })
    }

    fn refuse_outside(&self, index: usize, why: &str) -> Result<(), Blocked> {
        if self.wish.mode == TransactionMode::Required {
            return Err(Blocked::TransactionRequired { place: self.place(index), why: why.to_owned() });
        }
        match self.open {
            Some(begin) => Err(Blocked::InsideExplicitTransaction {
                begin: self.place(begin),
                place: self.place(index),
                why: why.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn refuse_unclosed(&self) -> Result<(), Blocked> {
        match self.open {
            Some(begin) if !self.wish.close_open_transaction => {
                let end = self.statements.len() - 1;
                Err(Blocked::UnclosedTransaction { begin: self.place(begin), end: self.place(end) })
            }
            _ => Ok(()),
        }
    }

    fn unsupported(&self, index: usize, what: &str) -> Blocked {
        Blocked::UnsupportedControl { place: self.place(index), what: what.to_owned() }
    }

    fn place(&self, index: usize) -> Place {
        Place::of(&self.statements[index])
    }
}

/// SET LOCAL, LOCK TABLE and their like, which a cut would end.
fn holds_until_commit(facts: &Facts) -> bool {
    matches!(facts.session, SessionUse::Bound(Binding::Transaction(_)))
}

/// What holds until its transaction ends, and the cut that would end it earlier than the script says.
#[derive(Default)]
struct Held {
    holder: Option<usize>,
    /// It is a LOCK TABLE, which by itself, statement by statement, would be an error.
    is_lock: bool,
    /// The holder, and the statement that cannot be in its transaction.
    broken: Option<(usize, usize)>,
}

impl Held {
    /// Whether anything holds that a cut would end.
    fn holds(&self) -> bool {
        self.holder.is_some()
    }

    fn meets(&mut self, index: usize, facts: &Facts) {
        match &facts.transaction {
            Transaction::Control(Control::Savepoint | Control::Isolation) => {}
            Transaction::Control(_) => *self = Self::default(),
            // Directly in front of the cut a setting holds for nothing, as in a script run statement by statement.
            Transaction::Outside(_) => {
                let is_lock = std::mem::take(&mut self.is_lock);
                let holder = self.holder.take().filter(|&holder| is_lock || holder + 1 < index);
                self.broken = holder.map(|holder| (holder, index));
            }
            Transaction::Inside if self.holder.is_none() && holds_until_commit(facts) => {
                self.holder = Some(index);
                self.is_lock = facts.session == SessionUse::Bound(Binding::Transaction(LOCKED));
            }
            Transaction::Inside => {}
        }
    }

    /// The transaction ends behind this statement.
    fn cut_behind(&mut self, index: usize) {
        self.broken = self.holder.take().filter(|&holder| holder < index).map(|holder| (holder, index));
    }

    fn broken_at(&self, index: usize, facts: &Facts) -> Option<(usize, usize)> {
        self.broken.filter(|&(_, cut)| cut < index && facts.transaction == Transaction::Inside)
    }
}
