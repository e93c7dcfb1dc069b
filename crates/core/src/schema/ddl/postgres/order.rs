//! Order: each statement behind those that make what it mentions, and else by what it does.

use super::names::{Name, mentioned, multirange};
use crate::schema::Key;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// What a statement does, in the order in which they go where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Schema,
    Extension,
    Collation,
    Type,
    Function,
    Aggregate,
    Sequence,
    Table,
    Column,
    Constraint,
    Index,
    View,
    Statistics,
    ForeignKey,
    /// Behind the indexes and constraints of both, of which those that are alike become one.
    Partition,
    Rule,
    Trigger,
    Policy,
    Setting,
    Publication,
    Comment,
    /// Behind all that it would be told of.
    EventTrigger,
    EventTriggerSetting,
}

/// A statement.
#[derive(Debug)]
pub(super) struct Piece {
    rank: Rank,
    pub(super) key: Key,
    pub(super) sql: String,
}

impl Piece {
    pub(super) fn new(rank: Rank, key: &Key, sql: String) -> Self {
        Self { rank, key: key.clone(), sql }
    }

    /// Whether it makes something that others mention.
    fn makes(&self) -> bool {
        use Rank::{Aggregate, Collation, Function, Sequence, Table, Type, View};
        matches!(self.rank, Aggregate | Collation | Function | Sequence | Table | Type | View)
    }

    /// The names that others mention it by: a function's is without its parameters, and a range has a type beside it.
    fn names(&self) -> Vec<Name> {
        let Key { schema, name, kind, .. } = &self.key;
        let name = match &**kind {
            "function" | "procedure" | "aggregate" => name.rsplit_once('(').map_or(&**name, |(name, _)| name),
            _ => name,
        };
        let mut names = vec![(schema.clone(), name.to_owned())];
        if kind == "range" {
            names.push((schema.clone(), multirange(name)));
        }
        names
    }
}

/// Those that mention one another in a circle go by their rank.
pub(super) fn in_order(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut makers: HashMap<Name, Vec<usize>> = HashMap::new();
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.makes()) {
        for name in piece.names() {
            makers.entry(name).or_default().push(at);
        }
    }
    let mut waits_for = vec![0_usize; pieces.len()];
    let mut awaited_by: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    for (at, piece) in pieces.iter().enumerate() {
        let own = if piece.makes() { piece.names() } else { Vec::new() };
        let mentioned: BTreeSet<Name> =
            mentioned(&piece.sql).into_iter().filter(|name| !own.contains(name)).collect();
        for maker in mentioned.iter().filter_map(|name| makers.get(name)).flatten() {
            waits_for[at] += 1;
            awaited_by[*maker].push(at);
        }
    }
    let mut left: BTreeSet<(Rank, usize)> =
        pieces.iter().enumerate().map(|(at, piece)| (piece.rank, at)).collect();
    let mut ready: BinaryHeap<Reverse<(Rank, usize)>> =
        left.iter().filter(|(_, at)| waits_for[*at] == 0).copied().map(Reverse).collect();
    let mut order = Vec::with_capacity(pieces.len());
    while let Some(next) = ready.pop().map(|Reverse(next)| next).or_else(|| left.first().copied()) {
        if !left.remove(&next) {
            continue;
        }
        order.push(next.1);
        for waiting in std::mem::take(&mut awaited_by[next.1]) {
            waits_for[waiting] -= 1;
            if waits_for[waiting] == 0 {
                ready.push(Reverse((pieces[waiting].rank, waiting)));
            }
        }
    }
    let mut pieces: Vec<Option<Piece>> = pieces.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| pieces[at].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pieces: &[(Rank, &str, &str, &str)]) -> Vec<String> {
        let piece = |(rank, kind, name, sql): &(Rank, &str, &str, &str)| {
            let key = Key {
                schema: "s".to_owned(),
                kind: (*kind).to_owned(),
                name: (*name).to_owned(),
                ..Key::default()
            };
            Piece::new(*rank, &key, (*sql).to_owned())
        };
        in_order(pieces.iter().map(piece).collect()).into_iter().map(|piece| piece.key.name).collect()
    }

    #[test]
    fn what_is_mentioned_comes_first() {
        let found = order(&[
            (Rank::View, "view", "a", "SELECT s.f(n) FROM s.b"),
            (Rank::View, "view", "b", "SELECT s.t.n FROM s.t"),
            (Rank::Function, "function", "f(s.t)", "FUNCTION s.f(s.t)"),
            (Rank::Function, "function", "f(int)", "FUNCTION s.f(int)"),
            (Rank::Table, "table", "t", "TABLE s.t"),
        ]);
        assert_eq!(found, ["f(int)", "t", "f(s.t)", "b", "a"]);
    }

    #[test]
    fn a_circle_is_broken() {
        let found = order(&[
            (Rank::Table, "table", "t", "TABLE s.t (s.f())"),
            (Rank::Function, "function", "f(s.t)", "FUNCTION s.f(s.t)"),
            (Rank::View, "view", "v", "SELECT 1"),
        ]);
        assert_eq!(found, ["v", "f(s.t)", "t"]);
    }
}
