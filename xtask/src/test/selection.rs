//! What to run, and how tests learn of it.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Error, bail};

use super::Choice;
use crate::provision::Target;

/// What to run.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The databases of the suite.
    pub(crate) choices: Vec<Choice>,
    /// All of the long matrices instead of a sample.
    pub(crate) full: bool,
    /// What the samples are drawn with.
    pub(crate) seed: u64,
    /// Only this part of the long matrices.
    pub(crate) shard: Option<Shard>,
    /// How many tests run at once.
    pub(crate) threads: usize,
    /// Only tests whose name holds this.
    pub(crate) filter: Option<String>,
}

impl Selection {
    /// The databases that it needs.
    pub(super) fn targets(&self) -> Vec<Target> {
        Choice::targets(&self.choices)
    }

    /// The variables through which tests learn of it.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let choices: Vec<String> = self.choices.iter().map(Choice::to_string).collect();
        let mut variables =
            vec![("WINDLASS_TEST_TARGETS", choices.join(",")), ("WINDLASS_TEST_SEED", self.seed.to_string())];
        if self.full {
            variables.push(("WINDLASS_TEST_FULL", "1".to_owned()));
        }
        if let Some(shard) = self.shard {
            variables.push(("WINDLASS_TEST_SHARD", shard.to_string()));
        }
        variables
    }

    /// The variables that a test must not see: those of the choices that were not made.
    pub(super) fn foreign_environment(&self) -> Vec<String> {
        let unmade = [("WINDLASS_TEST_FULL", self.full), ("WINDLASS_TEST_SHARD", self.shard.is_some())];
        let unmade = unmade.into_iter().filter(|(_, made)| !made).map(|(name, _)| name.to_owned());
        let chosen = self.targets();
        let others = Target::all().filter(|target| !chosen.contains(target));
        unmade.chain(others.map(Target::variable)).collect()
    }
}

/// A seed that differs from run to run.
pub(crate) fn random_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Short enough to be typed again.
    (u64::from(now.subsec_nanos()) ^ now.as_secs().wrapping_mul(0x9E37_79B9)) % 1_000_000
}

/// The K-th of N parts, written `K/N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    number: u32,
    count: u32,
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let numbers = text.split_once('/').and_then(|(number, count)| {
            Some(Shard { number: number.parse().ok()?, count: count.parse().ok()? })
        });
        match numbers {
            Some(shard) if (1..=shard.count).contains(&shard.number) => Ok(shard),
            _ => bail!("a shard is written K/N with K from 1 to N, such as 2/8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(targets: &[Target]) -> Selection {
        let choices = targets.iter().copied().map(Choice::native).collect();
        Selection { choices, full: false, seed: 7, shard: None, threads: 8, filter: None }
    }

    #[test]
    fn shards_read_back_and_impossible_ones_are_refused() {
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
        for text in ["0/8", "9/8", "8", "a/b", "1/0", "1/"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn tests_learn_of_every_choice() {
        let mut all = selection(&[Target::Sqlite, Target::Postgres(18)]);
        let plain = [("WINDLASS_TEST_TARGETS", "sqlite,postgres-18"), ("WINDLASS_TEST_SEED", "7")];
        assert_eq!(all.environment(), plain.map(|(name, value)| (name, value.to_owned())));
        (all.full, all.shard) = (true, Some("1/2".parse().unwrap()));
        let rest = [("WINDLASS_TEST_FULL", "1"), ("WINDLASS_TEST_SHARD", "1/2")];
        assert_eq!(all.environment()[2..], rest.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn servers_that_were_not_chosen_are_hidden() {
        let hidden = selection(&[Target::Postgres(18)]).foreign_environment();
        assert!(hidden.contains(&"WINDLASS_TEST_MYSQL_9_7".to_owned()));
        assert!(hidden.contains(&"WINDLASS_TEST_SHARD".to_owned()));
        assert!(!hidden.contains(&"WINDLASS_TEST_POSTGRES_18".to_owned()));
    }
}
