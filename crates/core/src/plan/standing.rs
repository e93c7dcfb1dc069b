//! Standing: the applied migrations in their order, and the digest that stands for them.

use crate::history::{Attempt, State};
use crate::migration::{Position, StandingDigest, unhex};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) struct Standing {
    applied: BTreeMap<Position, (String, [u8; 32])>,
    digest: StandingDigest,
}

impl Standing {
    pub(crate) fn of<'a>(attempts: impl IntoIterator<Item = &'a Attempt>) -> Self {
        let mut standing = Self { applied: BTreeMap::new(), digest: StandingDigest::empty() };
        for attempt in attempts.into_iter().filter(|a| a.claimed && a.state() == State::Applied) {
            let raw = unhex(&attempt.checksums.raw).unwrap_or_default();
            standing.applied.insert(Position::of(&attempt.name), (attempt.name.clone(), raw));
        }
        standing.digest = standing.compute();
        standing
    }

    /// The digest with this migration standing too. Constant time where it comes after all others.
    pub(crate) fn add(&mut self, name: &str, raw: &[u8; 32]) -> String {
        let position = Position::of(name);
        let is_last = self.applied.last_key_value().is_none_or(|(last, _)| *last < position);
        self.applied.insert(position, (name.to_owned(), *raw));
        self.digest = if is_last { self.digest.and(name, raw) } else { self.compute() };
        self.digest.to_hex()
    }

    /// The digest without this migration.
    pub(crate) fn remove(&mut self, name: &str) -> String {
        self.applied.remove(&Position::of(name));
        self.digest = self.compute();
        self.digest.to_hex()
    }

    pub(crate) fn digest(&self) -> String {
        self.digest.to_hex()
    }

    fn compute(&self) -> StandingDigest {
        self.applied.values().fold(StandingDigest::empty(), |digest, (name, raw)| digest.and(name, raw))
    }
}
