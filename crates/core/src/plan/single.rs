//! All that is pending in one transaction, where the database can; and why not, where it cannot. What is more than one
//! transaction is refused through a pooler, too.

use super::build::{Builder, Work, length};
use super::foreign_keys::{ForeignKeys, rebuild};
use super::locking::Limiter;
use super::pieces::{PieceKind, Prepared};
use super::state::Resumed;
use super::{Blocked, Place, Record, Segment, Step};
use crate::driver::Ddl;
use crate::sql::classify::{ATTACHED, Binding, Effect, SessionUse, Transaction};

/// Refuses what cannot be in one transaction with the rest, naming the migration and the line.
pub(super) fn refuse_apart(
    resumed: Option<&Resumed<'_, '_>>,
    pending: &[Work<'_>],
    ddl: Ddl,
) -> Result<(), Blocked> {
    if let Some(Resumed { prepared, completed, .. }) = resumed {
        let place = prepared.statements.get(*completed).map(Place::of);
        let name = prepared.migration.name().to_owned();
        let why = "part of it is committed, and it goes on from there".to_owned();
        return Err(Blocked::NotOneTransaction { name, place, why, before: None });
    }
    let shares = pending.len() > 1;
    for (index, work) in pending.iter().enumerate() {
        let prepared = &work.prepared;
        let apart = stands_apart(prepared, ddl)
            .or_else(|| shares.then(|| reaches_others(prepared, ddl)).flatten())
            .or_else(|| uses_value_of(&pending[..index], prepared));
        if let Some((statement, why)) = apart {
            return Err(Blocked::NotOneTransaction {
                name: work.migration.name().to_owned(),
                place: prepared.statements.get(statement).map(Place::of),
                why,
                before: index.checked_sub(1).map(|before| pending[before].migration.name().to_owned()),
            });
        }
    }
    Ok(())
}

/// Refuses what is more than one transaction where each may be in another session: the lock of its session, its settings
/// and the proof that it is gone would all be another's.
pub(super) fn refuse_without_session(
    resumed: Option<&Resumed<'_, '_>>,
    pending: &[Work<'_>],
    ddl: Ddl,
) -> Result<(), Blocked> {
    let resumed = resumed.map(|resumed| &resumed.prepared);
    for prepared in resumed.into_iter().chain(pending.iter().map(|work| &work.prepared)) {
        if let Some((statement, why)) = stands_apart(prepared, ddl) {
            return Err(Blocked::NeedsSession {
                name: prepared.migration.name().to_owned(),
                place: prepared.statements.get(statement).map(Place::of),
                why,
            });
        }
    }
    Ok(())
}

/// The first statement that is not in the migration's one transaction.
fn stands_apart(prepared: &Prepared<'_>, ddl: Ddl) -> Option<(usize, String)> {
    if prepared.is_one_transaction() {
        return None;
    }
    let within = prepared.pieces.first().is_some_and(|piece| piece.kind == PieceKind::Transaction);
    let piece = prepared.pieces.get(usize::from(within))?;
    let statement = *piece.run.first()?;
    let facts = &prepared.facts[statement];
    let adds_value = statement > 0 && prepared.facts[statement - 1].enum_value.is_some();
    let why = match &facts.transaction {
        Transaction::Outside(why) => why,
        _ if facts.kept_by_rollback => {
            "a rollback would not undo it: a table that it or a trigger changes knows no transactions"
        }
        _ if ddl == Ddl::ImplicitCommit && (facts.implicit_commit || facts.effect == Effect::Schema) => {
            "it commits whatever transaction is open"
        }
        _ if piece.kind == PieceKind::Transaction && adds_value => {
            "a new enum value cannot be used before its transaction commits"
        }
        _ if piece.kind == PieceKind::Transaction => "the file commits before it",
        _ => "it runs by itself",
    };
    Some((statement, why.to_owned()))
}

/// What holds for a transaction, and so for all that share it.
fn reaches_others(prepared: &Prepared<'_>, ddl: Ddl) -> Option<(usize, String)> {
    let statements = 0..prepared.statements.len();
    if let Some(statement) = statements.clone().find(|&statement| prepared.sets_isolation(statement)) {
        return Some((statement, "its isolation level would be that of the others too".to_owned()));
    }
    // There settings are put back by statements that would end the transaction.
    let changes = |statement: &usize| prepared.changes_session_at(*statement) && ddl == Ddl::ImplicitCommit;
    if let Some(statement) = statements.clone().find(changes) {
        return Some((
            statement,
            "what it changes of its session would be changed for the others too".to_owned(),
        ));
    }
    let attached = SessionUse::Bound(Binding::Session(ATTACHED));
    let attaches = |statement: &usize| prepared.facts[*statement].session == attached;
    if let Some(statement) = statements.clone().find(attaches) {
        return Some((statement, "what it attaches would be attached for the others too".to_owned()));
    }
    let asks = |statement: &usize| prepared.facts[*statement].foreign_keys_pragma.is_some();
    let asks = match prepared.foreign_keys {
        ForeignKeys::AsTheyAre => None,
        ForeignKeys::LiftedForRebuild => rebuild(&prepared.facts),
        _ => statements.clone().find(asks),
    };
    asks.map(|statement| (statement, "what it asks of foreign keys would hold for the others too".to_owned()))
}

/// A value that an earlier one adds to an enum can be used after its commit only.
fn uses_value_of(earlier: &[Work<'_>], prepared: &Prepared<'_>) -> Option<(usize, String)> {
    let labels =
        earlier.iter().flat_map(|work| work.prepared.facts.iter()).filter_map(|f| f.enum_value.as_ref());
    let mut uses = labels.filter_map(|label| {
        let holds = |statement: &usize| prepared.statements[*statement].sql.contains(label.as_str());
        Some(((0..prepared.statements.len()).find(holds)?, label))
    });
    let (statement, label) = uses.next()?;
    Some((statement, format!("the new enum value `{label}` cannot be used before its transaction commits")))
}

impl<'m> Builder<'_, 'm> {
    /// All of them between one BEGIN and one COMMIT, each with its claim and its record.
    pub(super) fn single(&mut self, works: &[Work<'m>]) {
        let mut steps = Vec::new();
        let mut limit = None;
        let mut leaves_settings = false;
        for (index, work) in works.iter().enumerate() {
            let prepared = &work.prepared;
            let mut limiter = Limiter::new(prepared, 0, self.capabilities, self.options).after(limit);
            if index == 0 {
                steps.extend(limiter.before_begin());
                steps.push(Step::Begin);
                self.create_history(&mut steps);
            }
            steps.push(Step::Claim(vec![super::build::claim(work, self.capabilities, None)]));
            for &statement in prepared.pieces.iter().flat_map(|piece| &piece.run) {
                steps.extend(limiter.before(statement));
                steps.push(Step::Execute(prepared.statements[statement].clone()));
            }
            let name = work.migration.name();
            let digest = self.standing.add(name, work.migration.raw_checksum());
            let completed = length(prepared.statements.len());
            steps.push(Step::Record(vec![Record { name, epoch: 1, completed, digest, decision: None }]));
            if prepared.touches_session && index + 1 < works.len() {
                steps.push(Step::RestoreSettings);
            }
            leaves_settings |= prepared.touches_session || limiter.leaves_a_setting();
            limit = limiter.limit_now();
        }
        steps.push(Step::Commit);
        if leaves_settings {
            steps.push(Step::RestoreSettings);
        }
        self.segments.push(Segment { steps });
    }
}
