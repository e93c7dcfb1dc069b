//! What is worth telling about a set of migrations and is no error.

use crate::migration::Version;
use std::fmt;
use std::path::PathBuf;

/// Something worth telling about a set of migrations. None of it stops a deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Several migrations have one version; they run in the order of their names.
    SharedVersion {
        /// The version, as the first of them writes it.
        version: Version,
        /// Their names, in order.
        names: Vec<String>,
    },
    /// A migration without statements: nothing, or spaces and comments only.
    Empty {
        /// The migration.
        name: String,
    },
    /// A comment that SQLite takes to go on to the end of the script: nothing of what stands in it is run.
    OpenComment {
        /// The script.
        path: PathBuf,
        /// Where the comment begins: the line, from 1.
        line: u32,
        /// And the column, from 1.
        column: u32,
    },
    /// A script that undoes a migration which is not there.
    DownWithoutUp {
        /// The script.
        path: PathBuf,
    },
    /// A script that is not named as this layout's migrations are, older than the newest of them.
    Misnamed {
        /// The script.
        path: PathBuf,
    },
    /// A migration in Rust of which the program that reads the folder has no function.
    InRust {
        /// The file.
        path: PathBuf,
    },
    /// A script where each migration has a folder that is not one of those that a migration has.
    Aside {
        /// The script.
        path: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedVersion { version, names } => {
                write!(f, "{} migrations have version {version}: {}", names.len(), names.join(", "))
            }
            Self::Empty { name } => write!(f, "{name} has no statements"),
            Self::OpenComment { path, line, column } => write!(
                f,
                "{}:{line}:{column}: this comment is never closed: SQLite takes all that follows for a part of it",
                path.display()
            ),
            Self::DownWithoutUp { path } => {
                write!(f, "{} undoes a migration that is not there", path.display())
            }
            Self::Misnamed { path } => write!(
                f,
                "{} is left out: it has one underscore after its version where V<version>__<name>.sql has two",
                path.display()
            ),
            Self::InRust { path } => write!(
                f,
                "{} is left out: a migration in Rust is run by the program that holds its function",
                path.display()
            ),
            Self::Aside { path } => {
                write!(
                    f,
                    "{} is left out: it is no script that a migration of this layout has",
                    path.display()
                )
            }
        }
    }
}
