//! Exit codes: what a script can tell from the process alone. `docs/exit-codes.md` describes them.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything asked for is done.
    Done = 0,
    /// Something that has no code of its own.
    Other = 1,
    /// The command line, the configuration or the URL cannot be understood.
    Usage = 2,
    /// There is no plan: history and project do not fit, or the database is not the right one.
    Blocked = 3,
    /// A statement of a migration was refused.
    Failed = 4,
    /// Another deployer is at work, or another session holds what a migration needs, for longer than the wait.
    Busy = 5,
    /// The database cannot be reached.
    Unreachable = 6,
    /// The migrations themselves cannot be read or planned.
    Project = 7,
    /// `status --check` found something that is not applied as it is, or `doctor` something that should be seen to.
    Unsettled = 8,
    /// A signal asked to stop, and the run did, leaving a true state.
    Stopped = 9,
    /// Others changed the schema since the last deploy.
    Drift = 10,
}

/// The lines of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done, or nothing to do
  1  an error without a code of its own
  2  the command line, the configuration or the URL cannot be understood
  3  blocked: history and project do not fit, or this is the wrong database; nothing was run
  4  a migration failed
  5  another deployer is at work, or another session holds the locks that a migration needs
  6  the database cannot be reached
  7  the migrations cannot be read or planned
  8  `status --check` or `doctor` found something pending or wrong
  9  stopped by a signal, at a moment when nothing was under way
 10  others changed the schema since the last deploy; nothing was run";

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_documentation_tell_every_code() {
        let document = include_str!("../../../docs/exit-codes.md");
        for code in 0..=Exit::Drift.code() {
            assert!(HELP.contains(&format!("\n {code:>2}  ")), "{code} is not in the help");
            assert!(document.contains(&format!("| {code} |")), "{code} is not in docs/exit-codes.md");
        }
    }
}
