//! Status: every migration of the project and of the history, and where each stands.

use crate::diagnosis::{Fate, fate};
use crate::driver::Inspection;
use crate::history::{Attempt, AttemptKind, InFlight, Sight, State};
use crate::migration::{Migration, MigrationKind, Position, hex};
use crate::sql::Dialect;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Where one migration stands.
///
/// ```
/// use windlass_core::status::{Standing, StatusLine};
///
/// fn pending(lines: &[StatusLine]) -> usize {
///     lines.iter().filter(|line| line.standing == Standing::Pending).count()
/// }
/// assert_eq!(pending(&[]), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// In the project, and never tried.
    Pending,
    /// It stands, with the text that the project has.
    Applied,
    /// It stands, with another text than the project has.
    Edited,
    /// A repeatable migration whose text changed since: it runs again with the next deploy.
    Changed,
    /// Part of it stands, and a statement was refused.
    Failed,
    /// Its last try was undone, or left nothing: the next deploy tries again.
    RolledBack,
    /// A run is at work on it.
    Running,
    /// A run began it and is gone.
    Interrupted,
    /// Applied, and not in the project.
    Missing,
    /// Applied, newer than the whole project, which has nothing to run: an older release is looking.
    Ahead,
    /// A repeatable migration that was applied and is no longer in the project: what it made stands.
    Retired,
    /// Applied, and in the project under another name.
    Renamed,
}

impl Standing {
    /// The word for people.
    ///
    /// ```
    /// use windlass_core::status::Standing;
    ///
    /// assert_eq!(Standing::RolledBack.as_str(), "rolled back");
    /// assert_eq!(format!("{:>7}", Standing::Ahead), "  ahead");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Edited => "edited",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
            Self::Retired => "retired",
            Self::Renamed => "renamed",
        }
    }

    /// Whether the database is where the project wants it, as far as this migration goes.
    ///
    /// ```
    /// use windlass_core::status::Standing;
    ///
    /// assert!(Standing::Ahead.is_settled());
    /// assert!(!Standing::Interrupted.is_settled());
    /// ```
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Applied | Self::Ahead | Self::Retired)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One migration, and what the history says of its newest try.
///
/// ```
/// use windlass_core::status::StatusLine;
///
/// fn row(line: &StatusLine) -> String {
///     format!("{:<12}{} {}", line.standing, line.name, line.applied_at().unwrap_or_default())
/// }
/// # let _ = row;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusLine {
    /// The migration's whole name.
    pub name: String,
    /// Where it stands.
    pub standing: Standing,
    /// Its file; `None` where the project does not have it.
    pub file: Option<String>,
    /// The attempt that is told of: the standing one, else the newest.
    pub attempt: Option<Attempt>,
    /// The project's name for it, where only the name changed.
    pub renamed_to: Option<String>,
}

impl StatusLine {
    /// Since when it is applied, by the server's clock.
    ///
    /// ```
    /// use windlass_core::status::StatusLine;
    ///
    /// fn newest(lines: &[StatusLine]) -> Option<&str> {
    ///     lines.iter().filter_map(StatusLine::applied_at).max()
    /// }
    /// assert_eq!(newest(&[]), None);
    /// ```
    pub fn applied_at(&self) -> Option<&str> {
        let attempt = self.attempt.as_ref().filter(|attempt| attempt.state() == State::Applied)?;
        attempt.finished_at.as_deref()
    }

    /// Whether it was recorded without running.
    ///
    /// ```
    /// use windlass_core::status::StatusLine;
    ///
    /// fn never_run_here(lines: &[StatusLine]) -> usize {
    ///     lines.iter().filter(|line| line.is_baseline()).count()
    /// }
    /// assert_eq!(never_run_here(&[]), 0);
    /// ```
    pub fn is_baseline(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.kind == AttemptKind::Baseline)
    }

    /// What the database said, where the try that is told of failed.
    ///
    /// ```
    /// use windlass_core::status::StatusLine;
    ///
    /// fn told(line: &StatusLine) -> String {
    ///     match line.error() {
    ///         Some(error) => format!("{} failed: {error}", line.name),
    ///         None => line.name.clone(),
    ///     }
    /// }
    /// # let _ = told;
    /// ```
    pub fn error(&self) -> Option<&str> {
        self.attempt.as_ref().filter(|_| !self.standing.is_settled())?.error.as_deref()
    }

    /// Statements whose outcome a crash may have hidden.
    ///
    /// ```
    /// use windlass_core::status::StatusLine;
    ///
    /// fn told(line: &StatusLine) -> Option<String> {
    ///     let flight = line.in_flight()?;
    ///     Some(format!("statements {} to {} of {}", flight.first, flight.last, line.name))
    /// }
    /// # let _ = told;
    /// ```
    pub fn in_flight(&self) -> Option<InFlight> {
        self.attempt.as_ref()?.in_flight
    }

    /// What became of those statements, in words.
    ///
    /// ```
    /// use windlass_core::status::StatusLine;
    ///
    /// fn told(line: &StatusLine) -> String {
    ///     let fate = line.fate_in_flight().map(|fate| format!(": {fate}"));
    ///     format!("{} {}{}", line.name, line.standing, fate.unwrap_or_default())
    /// }
    /// # let _ = told;
    /// ```
    pub fn fate_in_flight(&self) -> Option<String> {
        let attempt = self.attempt.as_ref()?;
        let in_flight = attempt.in_flight?;
        let (noun, was) = match in_flight.first == in_flight.last {
            true => ("statement", "was"),
            false => ("statements", "were"),
        };
        let what = match attempt.state() {
            State::Failed => format!("{was} refused"),
            State::Running => "may be under way".to_owned(),
            _ => format!("{was} under way"),
        };
        let became = match (fate(attempt, in_flight.first).0, attempt.state()) {
            (_, State::Running) => "",
            (Fate::Done, State::Failed) => ", and what it makes is there now",
            (Fate::Done, _) => ", and took effect",
            (Fate::NotDone, _) if matches!(attempt.sight, Sight::Remnant(_)) => {
                ", and is not done; it left something"
            }
            (Fate::NotDone, _) => ", and is not done",
            (Fate::Unknown, State::Failed) => ", and what was done before that is not known",
            (Fate::Unknown, _) => ", and whether all of it took effect is not known",
        };
        Some(format!("{noun} {} {what}{became}", in_flight.to_text()))
    }
}

/// Where every migration stands, in order. Judges nothing: a plan says what can be done about it.
pub fn status(migrations: &[Migration], inspection: &Inspection, dialect: Dialect) -> Vec<StatusLine> {
    let attempts = &inspection.history.attempts;
    let standing: HashMap<&str, &Attempt> =
        attempts.iter().filter(|a| a.claimed).map(|a| (a.name.as_str(), a)).collect();
    let newest: HashMap<&str, &Attempt> = attempts.iter().map(|a| (a.name.as_str(), a)).collect();

    let mut lines: Vec<_> = migrations
        .iter()
        .map(|migration| {
            let stands = standing.get(migration.name());
            StatusLine {
                name: migration.name().to_owned(),
                standing: stands_as(
                    migration,
                    stands.copied(),
                    newest.get(migration.name()).copied(),
                    dialect,
                ),
                file: Some(migration.up().origin().to_owned()),
                attempt: stands.or(newest.get(migration.name())).map(|attempt| (*attempt).clone()),
                renamed_to: None,
            }
        })
        .map(|line| of_the_last_try(line, &newest))
        .collect();
    lines.extend(elsewhere(migrations, &standing, &lines, dialect));
    lines.sort_by_cached_key(|line| Position::of(&line.name));
    lines
}

/// A repeatable migration that is to run again, and whose last try left nothing, is told of that one.
fn of_the_last_try(line: StatusLine, newest: &HashMap<&str, &Attempt>) -> StatusLine {
    match newest.get(line.name.as_str()) {
        Some(last) if line.standing == Standing::Changed && last.error.is_some() => {
            let attempt = Some((*last).clone());
            StatusLine { standing: Standing::RolledBack, attempt, ..line }
        }
        _ => line,
    }
}

fn stands_as(
    migration: &Migration,
    standing: Option<&Attempt>,
    newest: Option<&Attempt>,
    dialect: Dialect,
) -> Standing {
    match (standing.map(|attempt| (attempt, attempt.state())), newest) {
        // Of one that stands and holds no claim the history is told not to be trusted: here it is told as it is.
        (None, Some(last)) => unfinished(last.state()),
        (None, None) => Standing::Pending,
        (Some((attempt, State::Applied)), _) if is_same_text(migration, attempt, dialect) => {
            Standing::Applied
        }
        (Some((_, State::Applied)), _) if migration.kind() == MigrationKind::Repeatable => Standing::Changed,
        (Some((_, State::Applied)), _) => Standing::Edited,
        (Some((_, state)), _) => unfinished(state),
    }
}

fn unfinished(state: State) -> Standing {
    match state {
        State::Running => Standing::Running,
        State::Interrupted => Standing::Interrupted,
        State::Failed => Standing::Failed,
        State::RolledBack => Standing::RolledBack,
        State::Applied => Standing::Applied,
    }
}

/// What stands in the history and not in the project.
fn elsewhere(
    migrations: &[Migration],
    standing: &HashMap<&str, &Attempt>,
    project: &[StatusLine],
    dialect: Dialect,
) -> Vec<StatusLine> {
    let known: HashSet<&str> = migrations.iter().map(Migration::name).collect();
    let missing: Vec<&Attempt> =
        standing.values().copied().filter(|attempt| !known.contains(attempt.name.as_str())).collect();
    let last = migrations.iter().rfind(|m| m.kind() == MigrationKind::Versioned);
    let newer = |a: &&Attempt| last.is_some_and(|last| Position::of(&a.name) > Position::of(last.name()));
    let is_retired = |a: &Attempt| a.kind == AttemptKind::Repeatable && a.state() == State::Applied;
    let is_ahead = project.iter().all(|line| line.standing.is_settled())
        && missing.iter().filter(|attempt| !is_retired(attempt)).all(newer);
    let new_name = |attempt: &Attempt| {
        let untried = migrations.iter().filter(|m| !standing.contains_key(m.name()));
        untried.into_iter().find(|m| is_same_text(m, attempt, dialect)).map(|m| m.name().to_owned())
    };
    let line = |attempt: &Attempt| {
        let renamed_to = new_name(attempt);
        let standing = match attempt.state() {
            State::Applied if renamed_to.is_some() => Standing::Renamed,
            State::Applied if is_retired(attempt) => Standing::Retired,
            State::Applied if is_ahead => Standing::Ahead,
            State::Applied => Standing::Missing,
            state => unfinished(state),
        };
        StatusLine {
            name: attempt.name.clone(),
            standing,
            file: None,
            attempt: Some(attempt.clone()),
            renamed_to,
        }
    };
    missing.into_iter().map(line).collect()
}

pub(crate) fn is_same_text(migration: &Migration, attempt: &Attempt, dialect: Dialect) -> bool {
    hex(migration.raw_checksum()) == attempt.checksums.raw
        || migration.checksums(dialect).is_ok_and(|now| now.tokens == attempt.checksums.tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Access, Contents, Surroundings};
    use crate::history::{History, Liveness};
    use crate::migration::Script;

    const DIALECT: Dialect = Dialect::Sqlite;

    fn migration(name: &str, sql: &str) -> Migration {
        Migration::new(name.to_owned(), Script::new(format!("{name}.sql"), sql.to_owned()))
    }

    fn applied(id: i64, name: &str, sql: &str) -> Attempt {
        Attempt {
            id,
            kind: AttemptKind::Apply,
            name: name.to_owned(),
            checksums: migration(name, sql).checksums(DIALECT).unwrap(),
            claimed: true,
            owner: "someone".to_owned(),
            owner_session: Liveness::Alive,
            epoch: 1,
            statements: 1,
            completed: 1,
            prefix: None,
            touched: 0,
            row_limit: None,
            in_flight: None,
            sight: crate::history::Sight::Unknown,
            started_at: "2026-01-31 12:00:00".to_owned(),
            finished_at: Some("2026-01-31 12:00:01".to_owned()),
            rolled_back_at: None,
            error: None,
            applied_by: "ann@laptop".to_owned(),
            tool: "windlass 0.1.0".to_owned(),
            duration_ms: Some(1000),
            resolution: None,
            digest: String::new(),
        }
    }

    fn told(migrations: &[Migration], attempts: Vec<Attempt>) -> Vec<String> {
        let history = History { exists: true, attempts };
        let inspection = Inspection {
            history,
            contents: Contents::Empty,
            access: Access::Writable,
            surroundings: Surroundings::default(),
        };
        let lines = status(migrations, &inspection, DIALECT);
        lines.iter().map(|line| format!("{} {}", line.name, line.standing)).collect()
    }

    #[test]
    fn the_project_alone_is_pending() {
        assert_eq!(told(&[migration("1_a", "SELECT 1;")], vec![]), ["1_a pending"]);
    }

    #[test]
    fn texts_are_compared_by_their_tokens() {
        let project = [
            migration("1_a", "SELECT 1;"),
            migration("2_b", "SELECT  2; -- two"),
            migration("3_c", "SELECT 33;"),
            migration("R__v", "SELECT 'new';"),
        ];
        let history = vec![
            applied(1, "1_a", "SELECT 1;"),
            applied(2, "2_b", "SELECT 2;"),
            applied(3, "3_c", "SELECT 3;"),
            applied(4, "R__v", "SELECT 'old';"),
        ];
        assert_eq!(told(&project, history), ["1_a applied", "2_b applied", "3_c edited", "R__v changed"]);
    }

    #[test]
    fn a_try_that_left_nothing_is_told_with_its_error() {
        let mut failed = applied(1, "1_a", "SELECT 1;");
        failed.claimed = false;
        failed.finished_at = None;
        failed.rolled_back_at = Some("2026-01-31 12:00:02".to_owned());
        failed.error = Some("no such table".to_owned());
        let history = History { exists: true, attempts: vec![failed] };
        let inspection = Inspection {
            history,
            contents: Contents::Empty,
            access: Access::Writable,
            surroundings: Surroundings::default(),
        };
        let lines = status(&[migration("1_a", "SELECT 1;")], &inspection, DIALECT);
        assert_eq!(lines[0].standing, Standing::RolledBack);
        assert_eq!(lines[0].error(), Some("no such table"));
        assert_eq!(lines[0].applied_at(), None);
    }

    #[test]
    fn a_row_whose_claim_somebody_took_away_is_told_as_it_stands() {
        let mut attempt = applied(1, "1_a", "SELECT 1;");
        attempt.claimed = false;
        assert_eq!(told(&[migration("1_a", "SELECT 1;")], vec![attempt]), ["1_a applied"]);
    }

    #[test]
    fn unfinished_tries_keep_their_state() {
        let unfinished = |change: fn(&mut Attempt)| {
            let mut attempt = applied(1, "1_a", "SELECT 1;");
            attempt.finished_at = None;
            change(&mut attempt);
            told(&[migration("1_a", "SELECT 1;")], vec![attempt])
        };
        assert_eq!(unfinished(|_| {}), ["1_a running"]);
        assert_eq!(unfinished(|attempt| attempt.owner_session = Liveness::Gone), ["1_a interrupted"]);
        assert_eq!(unfinished(|attempt| attempt.error = Some("no".to_owned())), ["1_a failed"]);
    }

    #[test]
    fn what_only_the_history_has_is_missing_ahead_or_renamed() {
        let history = || vec![applied(1, "1_a", "SELECT 1;"), applied(2, "2_b", "SELECT 2;")];
        assert_eq!(told(&[migration("1_a", "SELECT 1;")], history()), ["1_a applied", "2_b ahead"]);
        assert_eq!(told(&[migration("2_b", "SELECT 2;")], history()), ["1_a missing", "2_b applied"]);
        let renamed = [migration("1_a", "SELECT 1;"), migration("2_bb", "SELECT 2;")];
        assert_eq!(told(&renamed, history()), ["1_a applied", "2_b renamed", "2_bb pending"]);
        let new_work = [migration("1_a", "SELECT 1;"), migration("3_c", "SELECT 3;")];
        assert_eq!(told(&new_work, history()), ["1_a applied", "2_b missing", "3_c pending"]);
    }

    #[test]
    fn a_repeatable_migration_that_is_gone_is_retired() {
        let mut repeatable = applied(2, "R__v", "SELECT 1;");
        repeatable.kind = AttemptKind::Repeatable;
        let history = || vec![applied(1, "1_a", "SELECT 1;"), repeatable.clone()];
        assert_eq!(told(&[migration("1_a", "SELECT 1;")], history()), ["1_a applied", "R__v retired"]);
        let new_work = [migration("1_a", "SELECT 1;"), migration("3_c", "SELECT 3;")];
        assert_eq!(told(&new_work, history()), ["1_a applied", "3_c pending", "R__v retired"]);
    }

    #[test]
    fn a_repeatable_migration_that_failed_again_is_told_with_its_error() {
        let mut failed = applied(2, "R__v", "SELECT 2;");
        (failed.claimed, failed.finished_at) = (false, None);
        failed.rolled_back_at = Some("2026-01-31 12:00:02".to_owned());
        failed.error = Some("no such table".to_owned());
        let history = History { exists: true, attempts: vec![applied(1, "R__v", "SELECT 1;"), failed] };
        let inspection = Inspection {
            history,
            contents: Contents::Empty,
            access: Access::Writable,
            surroundings: Surroundings::default(),
        };
        let lines = status(&[migration("R__v", "SELECT 2;")], &inspection, DIALECT);
        assert_eq!((lines[0].standing, lines[0].error()), (Standing::RolledBack, Some("no such table")));
        let lines = status(&[migration("R__v", "SELECT 1;")], &inspection, DIALECT);
        assert_eq!((lines[0].standing, lines[0].error()), (Standing::Applied, None));
    }

    #[test]
    fn the_standing_attempt_is_told_before_a_newer_one() {
        let mut undone = applied(2, "1_a", "SELECT 1;");
        undone.claimed = false;
        undone.rolled_back_at = Some("2026-01-31 12:00:02".to_owned());
        let history = vec![applied(1, "1_a", "SELECT 1;"), undone];
        assert_eq!(told(&[migration("1_a", "SELECT 1;")], history), ["1_a applied"]);
    }
}
