//! A migration made ready for planning: its statements, what each is, and the pieces it is cut into.

use super::cutter::{Wish, cut};
use super::foreign_keys::ForeignKeys;
use super::last_statement::{Ties, ties};
use super::locking::creations;
use super::tables::Tables;
use super::{Blocked, Execute, Options, Place, placeholders, repeat, units};
use crate::directive::{self, directives};
use crate::driver::{Capabilities, Product};
use crate::migration::{Migration, TransactionMode};
use crate::sql::Dialect;
use crate::sql::classify::{
    Binding, Control, Effect, Facts, Modes, ObjectName, SessionUse, Transaction, classify,
};
use crate::sql::modes::misread;
use crate::sql::split::Statement;
use std::collections::HashMap;
use std::time::Duration;

/// A migration made ready for planning: its statements, what each is, and the cut.
pub(super) struct Prepared<'m> {
    pub(super) migration: &'m Migration,
    pub(super) statements: Vec<Execute<'m>>,
    pub(super) facts: Vec<Facts>,
    pub(super) pieces: Vec<Piece>,
    /// Statements, first and last, that the state of their session ties together.
    bound: Vec<(usize, usize)>,
    /// Whether it may leave the session's settings changed.
    pub(super) touches_session: bool,
    pub(super) foreign_keys: ForeignKeys,
    /// How long its strong locks may be waited for, where the script says so.
    pub(super) lock_timeout: Option<Duration>,
    pub(super) dialect: Dialect,
    /// What it creates, and by which statement first.
    pub(super) created: HashMap<ObjectName, usize>,
    pub(super) repeats: Vec<directive::Repeat>,
}

/// Consecutive statements, `first..last` counted from 0, that one commit or one note covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) first: usize,
    pub(super) last: usize,
    /// Those that are sent; transaction control that the segment itself expresses is not.
    pub(super) run: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// All of it commits with its checkpoint, or nothing.
    Transaction,
    /// One statement outside any transaction.
    Alone,
    /// A plain setting: harmless to repeat, replayed on resume.
    Setting,
    /// Statements bound to one another by session state: never resumed in the middle.
    Unit,
    /// One statement that is run again and again, each time in a transaction with its checkpoint.
    Repeat,
}

impl Piece {
    /// The same in two, where it is a transaction that goes on behind so many statements.
    fn parted(self, behind: usize) -> Vec<Self> {
        if self.kind != PieceKind::Transaction || behind <= self.first || behind >= self.last {
            return vec![self];
        }
        let (before, after) = self.run.iter().partition(|index| **index < behind);
        let part = |first, last, run| Self { kind: self.kind, first, last, run };
        vec![part(self.first, behind, before), part(behind, self.last, after)]
    }
}

impl PieceKind {
    /// Whether a crash can hide the outcome, so that the history must say beforehand what is in flight.
    pub(super) fn needs_note(self) -> bool {
        matches!(self, Self::Alone | Self::Unit)
    }
}

impl<'m> Prepared<'m> {
    pub(super) fn new(
        migration: &'m Migration,
        capabilities: &Capabilities,
        options: &Options,
        tables: &mut Tables<'_>,
    ) -> Result<Self, Blocked> {
        let dialect = capabilities.dialect;
        let script = migration.up();
        if dialect == Dialect::MySql
            && let Some(found) = misread(script.text())
        {
            return Err(Blocked::misread(migration, found));
        }
        let statements =
            migration.statements(dialect).map_err(|source| Blocked::unsplittable(migration, source))?;
        let directives =
            directives(dialect, script.text()).map_err(|source| Blocked::directive(migration, source))?;
        let mode =
            if migration.mode() == TransactionMode::Automatic { directives.mode } else { migration.mode() };
        let mut facts: Vec<_> = match migration.is_rust() {
            true => vec![Facts::of_code(mode == TransactionMode::Required)],
            false => statements.iter().map(|s| classify(dialect, s.text(script.text()))).collect(),
        };
        let mut executes = executes(migration, &statements, &facts);
        placeholders::refuse(dialect, &executes)?;
        tables.complete(&executes, &mut facts)?;
        let settled = if dialect == Dialect::MySql { units::settle(&mut facts) } else { Vec::new() };
        let foreign_keys = ForeignKeys::of(&facts, &executes, tables.enforces_foreign_keys())?;
        let rebuilds = foreign_keys == ForeignKeys::LiftedForRebuild;
        repeat::check(dialect, &directives.repeats, &executes, &mut facts, rebuilds)?;
        let Ties { together, mut bound } = match dialect {
            Dialect::MySql => Ties { bound: settled.clone(), together: settled },
            _ => ties(dialect, &executes, &facts)?,
        };
        bound.extend(units::bound_to_code(dialect, &executes, &facts, tables.leaving(script.text())));
        // A rebuild is one transaction, whatever its marker says.
        let mode = match mode {
            TransactionMode::Off if foreign_keys == ForeignKeys::LiftedForRebuild => {
                TransactionMode::Automatic
            }
            mode => mode,
        };
        let wish = Wish {
            mode,
            enum_values_at_once: mode != TransactionMode::Required
                && options.enum_values_at_once.contains(migration.name()),
            close_open_transaction: options.close_open_transaction,
            single_transaction: options.single_transaction,
        };
        let mut pieces = cut(&executes, &facts, &together, capabilities.ddl, wish)?;
        if let Some((_, behind)) = options.cut_behind.as_ref().filter(|(name, _)| name == migration.name()) {
            pieces = pieces.into_iter().flat_map(|piece| piece.parted(*behind as usize)).collect();
        }
        if capabilities.product == Product::Sqlite {
            refuse_no_journal(&executes, &facts)?;
        }

        let may_run_routines = tables.may_run_routines(migration);
        let may_run_triggers = tables.may_run_triggers(script.text());
        let may_run_event_triggers = tables.may_run_event_triggers(script.text());
        let touches = |facts: &Facts| {
            facts.session != SessionUse::None
                || matches!(facts.effect, Effect::Session | Effect::Unknown)
                || may_run_triggers && facts.effect == Effect::Data
                || may_run_event_triggers && facts.effect == Effect::Schema
                || facts.calls_unknown
                || may_run_routines && !facts.evaluates_nothing
        };
        for (execute, facts) in executes.iter_mut().zip(&facts) {
            execute.leaves_session_alone = facts.evaluates_nothing && !touches(facts);
        }
        let mut sent = pieces.iter().flat_map(|piece| &piece.run);
        let touches_session = migration.is_rust()
            || foreign_keys != ForeignKeys::AsTheyAre
            || sent.any(|&index| touches(&facts[index]));

        let created = creations(dialect, &executes, &facts);
        let (lock_timeout, repeats) = (directives.lock_timeout, directives.repeats);
        Ok(Self {
            migration,
            statements: executes,
            facts,
            pieces,
            bound,
            touches_session,
            foreign_keys,
            lock_timeout,
            dialect,
            created,
            repeats,
        })
    }

    /// Whether the whole migration commits at once, its history row included.
    pub(super) fn is_one_transaction(&self) -> bool {
        match self.pieces.as_slice() {
            [] => true,
            [piece] => piece.kind == PieceKind::Transaction,
            _ => false,
        }
    }

    /// Whether it means the same when it shares a transaction with others on an empty database.
    pub(super) fn is_groupable(&self) -> bool {
        self.is_one_transaction()
            && self.foreign_keys == ForeignKeys::AsTheyAre
            && self.facts.iter().all(|facts| facts.groupable)
    }

    /// Whether a statement has to come before the first query of its transaction, the claim included.
    pub(super) fn sets_isolation(&self, statement: usize) -> bool {
        matches!(
            self.facts[statement].transaction,
            Transaction::Control(Control::Isolation | Control::Begin(Modes::Isolation(_)))
        )
    }

    /// Who left something in the session, and who needs it, where a session that has run so many statements is gone.
    pub(super) fn parted_at(&self, completed: usize) -> Option<(Place, Place)> {
        let parted = self.bound.iter().find(|&&(first, last)| first < completed && completed <= last)?;
        Some((Place::of(&self.statements[parted.0]), Place::of(&self.statements[parted.1])))
    }

    /// The settings before a statement, which are set again before it runs in a session that knows them not.
    pub(super) fn settings_before(&self, statement: usize) -> impl Iterator<Item = &Execute<'m>> {
        let is_setting = move |index: &usize| self.facts[*index].session == SessionUse::Setting;
        (0..statement).filter(is_setting).map(|index| &self.statements[index])
    }

    /// Whether a rollback would leave the session other than it found it.
    pub(super) fn changes_session(&self, piece: &Piece) -> bool {
        piece.run.iter().any(|&index| self.changes_session_at(index))
    }

    /// The same of one statement.
    pub(super) fn changes_session_at(&self, statement: usize) -> bool {
        let facts = &self.facts[statement];
        match facts.session {
            SessionUse::Setting | SessionUse::Bound(Binding::Session(_)) => true,
            _ => !facts.variables.given.is_empty(),
        }
    }
}

fn executes<'m>(migration: &'m Migration, statements: &[Statement], facts: &[Facts]) -> Vec<Execute<'m>> {
    let script = migration.up();
    let of = u32::try_from(statements.len()).unwrap_or(u32::MAX);
    let numbered = (1..).zip(statements).zip(facts);
    let execute = |((number, statement), facts): ((u32, &Statement), &Facts)| Execute {
        migration,
        number,
        of,
        sql: match facts.transaction {
            Transaction::Control(Control::Begin(Modes::Isolation(sql))) => sql,
            _ => statement.text(script.text()),
        },
        copy_data: statement.copy_data(script.text()),
        line: script.line_in_file(statement.line),
        column: statement.column,
        secret: facts.may_hold_secret,
        leaves_session_alone: false,
    };
    numbered.map(execute).collect()
}

/// SQLite: without its journal nothing can be rolled back, and what a plan promises would be false.
fn refuse_no_journal(statements: &[Execute<'_>], facts: &[Facts]) -> Result<(), Blocked> {
    match facts.iter().position(|facts| facts.gives_rollback_up) {
        Some(index) => Err(Blocked::UnsupportedControl {
            place: Place::of(&statements[index]),
            what: "PRAGMA journal_mode = OFF, after which nothing can be rolled back,".to_owned(),
        }),
        None => Ok(()),
    }
}
