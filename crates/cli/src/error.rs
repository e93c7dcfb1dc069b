//! Error: everything a command can end with short of what was asked for.

use crate::commands::deploy::{AppliedMigration, Progressed};
use crate::commands::new::NewError;
use crate::config::ConfigError;
use crate::exit::Exit;
use crate::shadow::LocalServerError;
use crate::target::{ConnectFailure, TargetError};
use windlass_core::apply::{DeployError, ResolveFailure, UnlockError};
use windlass_core::driver::DriverError;
use windlass_core::plan::{Blocked, ResolveError};
use windlass_core::source::SourceError;

/// Why a command did not do what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    #[error(transparent)]
    Shadow(#[from] LocalServerError),
    #[error(transparent)]
    Deploy(Box<Undeployed>),
    #[error(transparent)]
    Resolve(#[from] ResolveFailure),
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    #[error("`--end` asks before it ends a session, and there is no terminal to ask on")]
    CannotAsk,
    #[error("the database could not be used")]
    Driver(#[from] DriverError),
    #[error(transparent)]
    New(#[from] NewError),
    #[error("stopped as asked, before anything was run")]
    Interrupted,
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
}

/// A deploy that ended before its end, and what it did until then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Undeployed {
    #[source]
    pub(crate) error: DeployError,
    pub(crate) progressed: Progressed,
}

impl Error {
    /// What was applied before the error.
    pub(crate) fn applied(&self) -> &[AppliedMigration] {
        match self {
            Self::Deploy(undeployed) => &undeployed.progressed.applied,
            _ => &[],
        }
    }

    /// The exit code, and the word of `--json`.
    pub(crate) fn classify(&self) -> (Exit, &'static str) {
        match self {
            Self::Config(_) => (Exit::Usage, "config"),
            Self::Target(_) => (Exit::Usage, "url"),
            Self::Source(_) => (Exit::Project, "project"),
            Self::Connect(_) => (Exit::Unreachable, "connect"),
            Self::Shadow(_) => (Exit::Unreachable, "shadow"),
            Self::Deploy(undeployed) => deploy(&undeployed.error),
            Self::Resolve(failure) => resolve(failure),
            Self::Unlock(error) => unlock(error),
            Self::CannotAsk => (Exit::Usage, "usage"),
            Self::Driver(error) => driver(error),
            Self::New(NewError::NoName { .. }) => (Exit::Usage, "usage"),
            Self::New(_) => (Exit::Project, "project"),
            Self::Interrupted => (Exit::Stopped, "stopped"),
            Self::Runtime(_) => (Exit::Other, "other"),
        }
    }
}

fn deploy(error: &DeployError) -> (Exit, &'static str) {
    match error {
        DeployError::Source(_) => (Exit::Project, "project"),
        DeployError::Blocked(blocked) => self::blocked(blocked),
        DeployError::Drift(_) => (Exit::Drift, "drift"),
        DeployError::Statement(_) => (Exit::Failed, "failed"),
        DeployError::Driver(error) => driver(error),
        DeployError::Lost { .. } => (Exit::Unreachable, "connection_lost"),
        DeployError::LockTimeout { .. } => (Exit::Busy, "lock_timeout"),
        DeployError::Contended(_) => (Exit::Busy, "contended"),
        DeployError::TakenOver { .. } => (Exit::Busy, "taken_over"),
        DeployError::HistoryChanged { .. } => (Exit::Failed, "history_changed"),
        DeployError::ReadOnly(_) => (Exit::Failed, "read_only_transaction"),
        DeployError::Stopped { .. } => (Exit::Stopped, "stopped"),
        _ => (Exit::Other, "other"),
    }
}

/// The word of `--json` for a reason why there is no plan.
pub(crate) fn blocked_kind(blocked: &Blocked) -> &'static str {
    self::blocked(blocked).1
}

/// The code that a deploy ends with for this reason.
pub(crate) fn blocked_exit(blocked: &Blocked) -> Exit {
    self::blocked(blocked).0
}

fn blocked(blocked: &Blocked) -> (Exit, &'static str) {
    match blocked {
        Blocked::History(_) => (Exit::Blocked, "history"),
        Blocked::NotEmpty { .. } => (Exit::Blocked, "not_empty"),
        Blocked::ReadOnly { .. } => (Exit::Blocked, "read_only"),
        Blocked::Edited { .. } => (Exit::Blocked, "edited"),
        Blocked::Missing { .. } => (Exit::Blocked, "missing"),
        Blocked::Renamed { .. } => (Exit::Blocked, "renamed"),
        Blocked::NothingInCommon { .. } => (Exit::Blocked, "nothing_in_common"),
        Blocked::EmptyProject { .. } => (Exit::Blocked, "empty_project"),
        Blocked::AheadAndPending { .. } => (Exit::Blocked, "ahead_and_pending"),
        Blocked::OutOfOrder { .. } => (Exit::Blocked, "out_of_order"),
        Blocked::Failed { .. } => (Exit::Blocked, "failed_before"),
        Blocked::UnfinishedElsewhere { .. } => (Exit::Blocked, "unfinished_elsewhere"),
        Blocked::InDoubt { .. } => (Exit::Blocked, "in_doubt"),
        Blocked::TakesInvalidIndex { .. } => (Exit::Blocked, "invalid_index"),
        Blocked::HeadChanged { .. } => (Exit::Blocked, "head_changed"),
        Blocked::SessionGone { .. } => (Exit::Blocked, "session_gone"),
        Blocked::Undone { .. } => (Exit::Blocked, "undone"),
        Blocked::NeedsSession { .. } => (Exit::Blocked, "needs_session"),
        Blocked::NotOneTransaction { .. } => (Exit::Blocked, "not_one_transaction"),
        Blocked::Running { .. } => (Exit::Busy, "running"),
        Blocked::UnknownTarget { .. } => (Exit::Usage, "unknown_migration"),
        Blocked::SharedVersion { .. } => (Exit::Project, "shared_version"),
        Blocked::Unsplittable { .. }
        | Blocked::EndsElsewhere { .. }
        | Blocked::Placeholder { .. }
        | Blocked::Directive { .. }
        | Blocked::TransactionRequired { .. }
        | Blocked::InsideExplicitTransaction { .. }
        | Blocked::NestedBegin { .. }
        | Blocked::CutChangesMeaning { .. }
        | Blocked::ChangesHistory { .. }
        | Blocked::TakesHistoryAway { .. }
        | Blocked::UnclosedTransaction { .. }
        | Blocked::CannotRepeat { .. }
        | Blocked::ReadsOwnWrites { .. }
        | Blocked::HoldsForNothing { .. }
        | Blocked::UnsupportedControl { .. } => (Exit::Project, "script"),
        _ => (Exit::Blocked, "blocked"),
    }
}

fn resolve(failure: &ResolveFailure) -> (Exit, &'static str) {
    match failure {
        ResolveFailure::Refused(ResolveError::Unknown(blocked)) => self::blocked(blocked),
        ResolveFailure::Refused(ResolveError::History(_)) => (Exit::Blocked, "history"),
        ResolveFailure::Refused(ResolveError::Unsplittable { .. }) => (Exit::Project, "script"),
        ResolveFailure::Refused(ResolveError::ReadOnly(_)) => (Exit::Blocked, "read_only"),
        ResolveFailure::Refused(ResolveError::NoHistory { .. }) => (Exit::Blocked, "no_history"),
        ResolveFailure::Refused(ResolveError::NotInProject { .. }) => (Exit::Blocked, "missing"),
        ResolveFailure::Refused(_) => (Exit::Blocked, "unresolvable"),
        ResolveFailure::Driver(error) => driver(error),
        ResolveFailure::Differs { .. } | ResolveFailure::DiffersFromBaseline { .. } => {
            (Exit::Blocked, "schema_differs")
        }
        ResolveFailure::Unchecked(_) => (Exit::Blocked, "unchecked"),
        ResolveFailure::Locked(_) => (Exit::Busy, "locked"),
        ResolveFailure::Changed(_) => (Exit::Busy, "changed"),
        _ => (Exit::Other, "other"),
    }
}

fn unlock(error: &UnlockError) -> (Exit, &'static str) {
    match error {
        UnlockError::Driver(error) => driver(error),
        UnlockError::Impossible { .. } | UnlockError::StillThere { .. } => (Exit::Busy, "still_held"),
        _ => (Exit::Other, "other"),
    }
}

fn driver(error: &DriverError) -> (Exit, &'static str) {
    match error {
        DriverError::Lost(_) => (Exit::Unreachable, "connection_lost"),
        DriverError::History(_) | DriverError::Ambiguous(_) => (Exit::Blocked, "history"),
        // Whoever only looks at a SQLite file takes no lock, and may meet one.
        DriverError::Refused(error)
            if error.code.as_deref().is_some_and(|code| code.starts_with("SQLITE_BUSY")) =>
        {
            (Exit::Busy, "locked")
        }
        _ => (Exit::Other, "database"),
    }
}
