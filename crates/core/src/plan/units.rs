//! Units: what the state of a session ties together where every statement of ours commits (MySQL and MariaDB).
//!
//! A variable that only settled SETs have given its value is a setting like any other: it is replayed, and who
//! reads it is free. Everything else that lives in the session binds those who use it to the one who made it.

use super::Execute;
use crate::sql::Dialect;
use crate::sql::classify::{
    ATTACHED, Binding, Control, Definition, Effect, FROM_DATA, Facts, IDENTITY, NEXT_STATEMENT, ObjectName,
    Objects, SESSION, SessionUse, TEMPORARY, Transaction, VARIABLES,
};
use crate::sql::lexer::{Token, TokenKind, tokens};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Statements that are never parted, `first..=last` counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) first: usize,
    pub(super) last: usize,
    /// A transaction holds all of it. Otherwise it is sent as the file has it.
    pub(super) is_atomic: bool,
}

/// The first and the last of statements that belong together.
pub(super) type Tie = (usize, usize);

/// Completes what the text told of each statement by what the ones before it did, and gives what is tied.
pub(super) fn settle(facts: &mut [Facts]) -> Vec<Tie> {
    let mut ties = variables(facts);
    ties.extend(temporary_tables(facts));
    ties.extend(read_of_the_last_statement(facts));
    ties.extend(for_the_next_statement(facts));
    ties.extend(locked_tables(facts));
    ties.extend(others(facts));
    // What code does in the file's own transaction is part of it.
    let runs_code = |&(begin, end): &Tie| facts[begin..=end].iter().any(runs_code);
    ties.extend(transactions(facts).into_iter().filter(runs_code));
    ties
}

/// What lives in the session elsewhere: on PostgreSQL and SQLite it ties nothing into a unit, but who needs it cannot go on
/// in another session.
pub(super) fn bound_to_session(facts: &[Facts]) -> Vec<Tie> {
    let mut ties = Vec::new();
    let mut kinds: BTreeMap<&str, Tie> = BTreeMap::new();
    for (index, made) in facts.iter().enumerate() {
        match made.session {
            SessionUse::Bound(Binding::Session(TEMPORARY)) => ties.extend(uses_of_temporary(facts, index)),
            // Whatever follows may name what is attached.
            SessionUse::Bound(Binding::Session(ATTACHED)) if !kinds.contains_key(ATTACHED) => {
                let last = facts.iter().rposition(|later| later.session == made.session);
                let is_detached = last.is_some_and(|last| last > index);
                ties.push((index, if is_detached { last.unwrap_or(index) } else { facts.len() - 1 }));
                kinds.insert(ATTACHED, (index, index));
            }
            // It holds for all that follows.
            SessionUse::Bound(Binding::Session(FROM_DATA)) => ties.push((index, facts.len() - 1)),
            SessionUse::Bound(Binding::Session(SESSION)) => {}
            SessionUse::Bound(Binding::Session(why)) => kinds.entry(why).or_insert((index, index)).1 = index,
            _ => {}
        }
    }
    ties.extend(kinds.into_values());
    ties
}

/// What may leave a temporary table in its session unsaid, with the last statement that may name it.
pub(super) fn bound_to_code(
    dialect: Dialect,
    statements: &[Execute<'_>],
    facts: &[Facts],
    leaving: impl Fn(&Facts) -> bool,
) -> Option<Tie> {
    let code = facts.iter().position(leaving)?;
    let names_tables = |&index: &usize| match &facts[index].objects {
        Objects::Known(names) => !names.is_empty() && !is_about_else(dialect, statements[index].sql),
        Objects::Unknown => true,
    };
    (code + 1..facts.len()).rfind(names_tables).map(|last| (code, last))
}

/// Whether a statement creates a table, or speaks of code and not of tables.
fn is_about_else(dialect: Dialect, sql: &str) -> bool {
    let mut words = tokens(dialect, sql).filter(|token| token.kind == TokenKind::Word);
    let is_any = |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
    let creates = words.next().filter(|first| is_any(first, &["CREATE", "ALTER", "DROP"]));
    let creates = creates.map(|first| first.is_word("CREATE"));
    creates.is_some_and(|creates| {
        let kind =
            words.take(6).find(|word| is_any(word, &["TABLE", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"]));
        kind.is_some_and(|kind| !kind.is_word("TABLE") || creates)
    })
}

/// From the creation of a temporary object to the last statement that names it, or runs code that may.
fn uses_of_temporary(facts: &[Facts], created: usize) -> Option<Tie> {
    let Objects::Known(names) = &facts[created].objects else { return Some((created, facts.len() - 1)) };
    let name = names.first()?.name.to_lowercase();
    let is_named = |facts: &Facts| match &facts.objects {
        Objects::Known(names) => names.iter().any(|other| other.name.to_lowercase() == name),
        Objects::Unknown => true,
    };
    let behind = facts.iter().enumerate().skip(created + 1);
    let dropped = behind
        .clone()
        .find(|(_, facts)| facts.definition == Some(Definition::Drop) && is_named(facts))
        .map(|(index, _)| index);
    let used = behind.filter(|(index, _)| dropped.is_none_or(|dropped| *index <= dropped));
    used.rev().find(|(_, facts)| is_named(facts)).map(|(index, _)| (created, index))
}

/// The units that ties make, each with the whole of the file's own transactions that it touches.
pub(super) fn units(facts: &[Facts], ties: &[Tie]) -> Vec<Unit> {
    let transactions = transactions(facts);
    let mut units = merge_overlapping(ties.to_vec());
    loop {
        let overlaps = |&&(first, last): &&Tie| units.iter().any(|unit| first <= unit.1 && unit.0 <= last);
        let wider: Vec<Tie> =
            units.iter().copied().chain(transactions.iter().filter(overlaps).copied()).collect();
        let wider = merge_overlapping(wider);
        if wider == units {
            break;
        }
        units = wider;
    }
    let unit = |(first, last)| Unit { first, last, is_atomic: is_atomic(&facts[first..=last]) };
    units.into_iter().map(unit).collect()
}

/// The first statement that a transaction cannot hold, and why.
pub(super) fn apart(facts: &Facts) -> Option<&'static str> {
    let is_control = matches!(facts.transaction, Transaction::Control(_));
    let binding = match facts.session {
        SessionUse::Bound(Binding::Session(why)) => Some(why),
        _ => None,
    };
    if is_control {
        None
    } else if facts.implicit_commit {
        Some("it commits implicitly")
    } else if facts.kept_by_rollback {
        Some("a rollback would not undo it: a table that it or a trigger changes knows no transactions")
    } else if facts.effect == Effect::Unknown || facts.objects == Objects::Unknown {
        Some("what it runs is not known, and may commit")
    } else if facts.effect == Effect::Server {
        Some("a rollback would not undo it")
    } else {
        binding.filter(|why| ![TEMPORARY, VARIABLES, NEXT_STATEMENT, SESSION].contains(why))
    }
}

fn is_atomic(facts: &[Facts]) -> bool {
    facts.iter().all(|facts| apart(facts).is_none()) && isolates_all(facts)
}

/// Whether an isolation level, where one is set, is that of all there is.
fn isolates_all(facts: &[Facts]) -> bool {
    let isolation = Transaction::Control(Control::Isolation);
    let Some(level) = facts.iter().position(|facts| facts.transaction == isolation) else { return true };
    let works = |facts: &&Facts| facts.effect != Effect::Session;
    let behind = &facts[level + 1..];
    let transactions = transactions(behind);
    let is_one = match transactions.as_slice() {
        // Without a transaction of the file's own it is that of the next statement.
        [] => behind.iter().filter(works).count() <= 1,
        [(begin, end)] => !behind[..*begin].iter().chain(&behind[*end..]).any(|facts| works(&facts)),
        _ => false,
    };
    is_one
        && !facts[..level].iter().any(|facts| works(&facts))
        && behind.iter().all(|f| f.transaction != isolation)
}

/// The transactions of the file itself, with their BEGIN and their COMMIT.
fn transactions(facts: &[Facts]) -> Vec<Tie> {
    let mut transactions = Vec::new();
    let mut open = None;
    for (index, facts) in facts.iter().enumerate() {
        match facts.transaction {
            Transaction::Control(Control::Begin(_)) => open = open.or(Some(index)),
            Transaction::Control(Control::Commit | Control::Rollback) => {
                transactions.extend(open.take().map(|begin| (begin, index)));
            }
            _ => {}
        }
    }
    transactions.extend(open.map(|begin| (begin, facts.len() - 1)));
    transactions
}

/// What is known of user variables at a place in a script.
#[derive(Debug, Default)]
struct Variables {
    /// Where the last SET stands that gave it a value which can be had again.
    settled: HashMap<String, usize>,
    /// Where it was given a value which cannot.
    from_data: HashMap<String, usize>,
    /// Where code ran of which nothing is known.
    code: Vec<usize>,
}

impl Variables {
    /// The statement that the value of a variable is bound to.
    fn origin(&self, name: &str) -> Option<usize> {
        let settled = self.settled.get(name);
        let code = self.code.iter().find(|code| settled.is_none_or(|settled| *code > settled));
        self.from_data.get(name).into_iter().chain(code).min().copied()
    }
}

fn variables(facts: &mut [Facts]) -> Vec<Tie> {
    let mut ties = Vec::new();
    let mut known = Variables::default();
    let last = facts.len().saturating_sub(1);
    for (index, facts) in facts.iter_mut().enumerate() {
        let used = &facts.variables;
        let origins = used.mentioned.iter().filter(|name| !used.given.contains(name) || !used.is_settled);
        let origin = origins.filter_map(|name| known.origin(name)).min();
        ties.extend(origin.map(|origin| (origin, index)));
        let is_settled = used.is_settled && origin.is_none();
        if used.sets_settings && !is_settled {
            // What cannot be replayed holds for all that follows.
            ties.push((index, last));
        }
        for name in &used.given {
            if is_settled {
                known.from_data.remove(name);
                known.settled.insert(name.clone(), index);
            } else {
                known.from_data.insert(name.clone(), index);
            }
        }
        let is_tied = origin.is_some() || !used.given.is_empty() && !is_settled;
        match facts.session {
            SessionUse::Setting if is_tied => facts.session = SessionUse::Bound(Binding::Session(VARIABLES)),
            SessionUse::Bound(Binding::Session(VARIABLES)) if !is_tied && !facts.variables.sets_settings => {
                facts.session = SessionUse::None;
            }
            _ => {}
        }
        if runs_code(facts) {
            // It may read what a variable holds, and change it.
            ties.extend(known.from_data.values().min().map(|&origin| (origin, index)));
            known.code.push(index);
        } else if facts.effect == Effect::Data {
            // So may a trigger read it.
            ties.extend(known.from_data.values().min().map(|&origin| (origin, index)));
        }
    }
    ties
}

/// Code of which nothing is known.
pub(super) fn runs_code(facts: &Facts) -> bool {
    facts.effect == Effect::Unknown || facts.effect == Effect::Data && facts.objects == Objects::Unknown
}

/// From its creation to the last statement that names it, or runs code that may.
fn temporary_tables(facts: &mut [Facts]) -> Vec<Tie> {
    const TIED: SessionUse = SessionUse::Bound(Binding::Session(TEMPORARY));
    let mut live: BTreeMap<ObjectName, usize> = BTreeMap::new();
    // The first code of which nothing is known, and what is named since.
    let (mut code, mut used) = (None, BTreeSet::new());
    let mut ties = Vec::new();
    for (index, facts) in facts.iter_mut().enumerate() {
        let names: Vec<ObjectName> = match &facts.objects {
            Objects::Known(names) => names.iter().map(in_small_letters).collect(),
            Objects::Unknown => Vec::new(),
        };
        let drops = facts.definition == Some(Definition::Drop);
        // One that nothing in the file creates was made by code that ran before.
        let is_used = !facts.repeats_harmlessly || names.iter().any(|name| used.contains(name));
        let by_code = code.filter(|_| drops && facts.session == TIED && is_used);
        let named = names.iter().filter_map(|name| live.get(name).copied().or(by_code)).min();
        let created = if runs_code(facts) { live.values().min().copied() } else { named };
        if let Some(created) = created {
            ties.push((created, index));
        }
        if drops {
            live.retain(|name, _| !names.contains(name));
        } else if facts.session == TIED {
            live.extend(names.first().map(|name| (name.clone(), index)));
        }
        if named.is_some() && facts.session == SessionUse::None {
            facts.session = TIED;
        }
        code = code.or(runs_code(facts).then_some(index));
        used.extend(names.into_iter().filter(|_| code.is_some()));
    }
    ties
}

fn in_small_letters(name: &ObjectName) -> ObjectName {
    let schema = name.schema.as_ref().map(|schema| schema.to_lowercase());
    ObjectName { schema, name: name.name.to_lowercase() }
}

/// LAST_INSERT_ID() and its like, with the rows before it that it may tell of.
fn read_of_the_last_statement(facts: &[Facts]) -> Vec<Tie> {
    let rows = |index: &usize| facts[*index].effect == Effect::Data && !facts[*index].implicit_commit;
    let changes = |index: &usize| rows(index) || runs_code(&facts[*index]);
    let shares = |index: &usize| rows(index) && !runs_code(&facts[*index]);
    let mut ties = Vec::new();
    for (index, reader) in facts.iter().enumerate() {
        let SessionUse::Bound(Binding::LastStatement(why)) = reader.session else { continue };
        // An identity outlives what changes no rows. Of those that do, the text does not tell which one made it.
        let made = (0..index).rev().find(changes);
        let first = made.map(|made| (0..made).rev().take_while(shares).last().unwrap_or(made));
        let before = index.checked_sub(1).filter(|_| why != IDENTITY);
        ties.extend(first.into_iter().chain(before).min().map(|first| (first, index)));
    }
    ties
}

/// `SET insert_id = …`, with the statement it is for.
fn for_the_next_statement(facts: &[Facts]) -> Vec<Tie> {
    let sets = |index: &usize| facts[*index].session == SessionUse::Bound(Binding::Session(NEXT_STATEMENT));
    let next = |index: usize| (index..facts.len()).find(|&next| facts[next].effect != Effect::Session);
    let held = (0..facts.len()).filter(sets).map(|index| (index, next(index).unwrap_or(index)));
    // SET TRANSACTION holds for the transaction that begins behind it.
    let isolation = |index: &usize| facts[*index].transaction == Transaction::Control(Control::Isolation);
    let isolated = (0..facts.len()).filter(isolation).map(|index| (index, next(index).unwrap_or(index)));
    held.chain(isolated).collect()
}

fn locked_tables(facts: &[Facts]) -> Vec<Tie> {
    let mut ties = Vec::new();
    let mut locked = None;
    for (index, facts) in facts.iter().enumerate() {
        match facts.session {
            SessionUse::LockTables => locked = locked.or(Some(index)),
            SessionUse::UnlockTables => ties.extend(locked.take().map(|first| (first, index))),
            _ => {}
        }
    }
    // Locks that are never released hold to the end of the file.
    ties.extend(locked.map(|first| (first, facts.len() - 1)));
    ties
}

/// Advisory locks, prepared statements, handlers: from the first that uses them to the last.
fn others(facts: &[Facts]) -> Vec<Tie> {
    let mut kinds: BTreeMap<&str, Tie> = BTreeMap::new();
    let mut ties = Vec::new();
    for (index, facts) in facts.iter().enumerate() {
        match facts.session {
            SessionUse::Bound(Binding::Session(VARIABLES | TEMPORARY | NEXT_STATEMENT | SESSION)) => {
                ties.push((index, index))
            }
            SessionUse::Bound(Binding::Session(why)) => kinds.entry(why).or_insert((index, index)).1 = index,
            SessionUse::Bound(_) => ties.push((index, index)),
            _ => {}
        }
    }
    ties.extend(kinds.into_values());
    ties
}

fn merge_overlapping(mut units: Vec<Tie>) -> Vec<Tie> {
    units.sort_unstable();
    let mut merged: Vec<Tie> = Vec::new();
    for (first, last) in units {
        match merged.last_mut() {
            Some(previous) if first <= previous.1 => previous.1 = previous.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}
