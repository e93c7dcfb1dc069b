//! What the suite runs on: a database, over its native client or over sqlx.

use std::fmt;
use std::str::FromStr;

use anyhow::Error;

use crate::provision::Target;

/// What the name of a database ends with where the suite speaks to it over sqlx.
const OVER_SQLX: &str = "+sqlx";

/// A database, and how the suite speaks to it: `postgres-18`, or `postgres-18+sqlx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Choice {
    /// The database.
    pub(crate) target: Target,
    over_sqlx: bool,
}

impl Choice {
    const OVER_SQLX: [Target; 3] = [Target::Postgres(18), Target::Mysql(9, 7), Target::Sqlite];

    /// Over the native client.
    pub(crate) fn native(target: Target) -> Self {
        Self { target, over_sqlx: false }
    }

    /// Those that are named, each once, or the default ones.
    pub(crate) fn chosen(on: &[Choice]) -> Vec<Choice> {
        let over_sqlx = Self::OVER_SQLX.map(|target| Self { target, over_sqlx: true });
        let mut choices = match on {
            [] => Target::DEFAULT.map(Self::native).into_iter().chain(over_sqlx).collect(),
            on => on.to_vec(),
        };
        let mut seen = std::collections::HashSet::new();
        choices.retain(|choice| seen.insert(*choice));
        choices
    }

    /// The databases that these need, each once.
    pub(crate) fn targets(choices: &[Choice]) -> Vec<Target> {
        let mut targets: Vec<Target> = choices.iter().map(|choice| choice.target).collect();
        let mut seen = std::collections::HashSet::new();
        targets.retain(|target| seen.insert(*target));
        targets
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.target, if self.over_sqlx { OVER_SQLX } else { "" })
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let server = name.strip_suffix(OVER_SQLX);
        Ok(Self { target: server.unwrap_or(name).parse()?, over_sqlx: server.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_each_is_chosen_once() {
        let all = Choice::chosen(&[]);
        for choice in &all {
            assert_eq!(choice.to_string().parse::<Choice>().unwrap(), *choice);
        }
        assert_eq!((all.len(), Choice::targets(&all).len()), (9, 6));
        assert!("postgres-7+sqlx".parse::<Choice>().is_err() && "sqlite+odbc".parse::<Choice>().is_err());
        let twice = ["sqlite", "sqlite+sqlx", "sqlite+sqlx"].map(|name| name.parse().unwrap());
        assert_eq!(Choice::chosen(&twice).len(), 2);
    }
}
