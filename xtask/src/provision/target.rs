//! The databases that the suite runs on, and their names.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, bail};

/// A database of a given version, such as `postgres-18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    /// PostgreSQL of this major version.
    Postgres(u8),
    /// MariaDB of this release series.
    Mariadb(u8, u8),
    /// MySQL, as Debian's unstable suite carries it: 9.7 when this was written.
    Mysql(u8, u8),
    /// SQLite, which is linked in and needs no server.
    Sqlite,
}

impl Target {
    /// What runs unless `--on` says otherwise.
    pub(crate) const DEFAULT: [Target; 6] = [
        Target::Postgres(14),
        Target::Postgres(18),
        Target::Mariadb(10, 11),
        Target::Mariadb(11, 8),
        Target::Mysql(9, 7),
        Target::Sqlite,
    ];

    const ON_REQUEST: [Target; 3] = [Target::Postgres(15), Target::Postgres(16), Target::Postgres(17)];

    /// The variable that names a server the user provides, such as `WINDLASS_TEST_POSTGRES_18`.
    pub(crate) fn variable(self) -> String {
        format!("WINDLASS_TEST_{}", self.to_string().to_uppercase().replace(['-', '.'], "_"))
    }

    /// Every target there is.
    pub(crate) fn all() -> impl Iterator<Item = Target> {
        Self::DEFAULT.into_iter().chain(Self::ON_REQUEST)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Postgres(major) => write!(formatter, "postgres-{major}"),
            Target::Mariadb(major, minor) => write!(formatter, "mariadb-{major}.{minor}"),
            Target::Mysql(major, minor) => write!(formatter, "mysql-{major}.{minor}"),
            Target::Sqlite => formatter.write_str("sqlite"),
        }
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match Target::all().find(|target| target.to_string() == name) {
            Some(target) => Ok(target),
            None => {
                let known: Vec<String> = Target::all().map(|target| target.to_string()).collect();
                bail!("unknown target {name}; known are {}", known.join(", "))
            }
        }
    }
}

/// The targets that `--on` names, each once, or the default ones.
pub(crate) fn chosen(on: &[Target]) -> Vec<Target> {
    let mut targets = if on.is_empty() { Target::DEFAULT.to_vec() } else { on.to_vec() };
    let mut seen = std::collections::HashSet::new();
    targets.retain(|target| seen.insert(*target));
    targets
}

/// Targets as a comma-separated list, the form in which the suite reads them.
pub(crate) fn list(targets: &[Target]) -> String {
    targets.iter().map(Target::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for target in Target::all() {
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = "mysql-5.7".parse::<Target>().unwrap_err().to_string();
        assert!(message.contains("mysql-5.7") && message.contains("mariadb-10.11"), "{message}");
    }

    #[test]
    fn variables_hold_only_letters_digits_and_underscores() {
        assert_eq!(Target::Mariadb(10, 11).variable(), "WINDLASS_TEST_MARIADB_10_11");
        assert_eq!(Target::Postgres(18).variable(), "WINDLASS_TEST_POSTGRES_18");
    }

    #[test]
    fn a_target_named_twice_runs_once() {
        assert_eq!(chosen(&[Target::Sqlite, Target::Postgres(18), Target::Sqlite]).len(), 2);
        assert_eq!(list(&chosen(&[Target::Sqlite, Target::Postgres(18)])), "sqlite,postgres-18");
        assert_eq!(chosen(&[]).len(), 6);
    }
}
