//! History: what the database says happened, an attempt a row.

use crate::migration::{Checksums, Position, StandingDigest, unhex};

/// The format of the history table that this version of windlass writes.
pub const FORMAT: u32 = 1;

/// The history table's name where none is configured.
pub const DEFAULT_TABLE: &str = "_windlass_migrations";

/// Columns that a table has which is a history, whatever its name, on every database.
pub const COLUMNS: [&str; 8] =
    ["claim", "token_checksum", "owner", "epoch", "completed", "in_flight", "applied_by", "digest"];

/// The SQL of whether migrations were applied since the schema was kept with the row `h` of this history table; the row's own
/// may have gone on behind an acceptance.
///
/// ```
/// let sql = windlass_core::history::applied_since_kept("_windlass_migrations");
/// assert!(sql.starts_with("EXISTS (SELECT 1 FROM _windlass_migrations AS later"));
/// ```
pub fn applied_since_kept(history: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {history} AS later WHERE later.finished_at IS NOT NULL AND (later.id > h.id \
         OR later.id = h.id AND h.accepted IS NOT NULL AND later.finished_at > h.snapshot_at))"
    )
}

/// How an attempt came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptKind {
    /// A versioned migration was run.
    Apply,
    /// A repeatable migration was run.
    Repeatable,
    /// Recorded as applied without running.
    Baseline,
    /// A function of the program was run.
    Rust,
}

impl AttemptKind {
    /// The word the table holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Repeatable => "repeatable",
            Self::Baseline => "baseline",
            Self::Rust => "rust",
        }
    }

    /// Reads the table's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Apply, Self::Repeatable, Self::Baseline, Self::Rust]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// One try at one migration: one row of the history.
///
/// Times are the server's, as it prints them (`2026-01-31 12:00:00.123456`, UTC).
///
/// ```
/// use windlass_core::history::Attempt;
///
/// fn line(attempt: &Attempt) -> String {
///     format!("{} {} by {}", attempt.name, attempt.state().as_str(), attempt.applied_by)
/// }
/// # let _ = line;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The row's number; later attempts have larger ones.
    pub id: i64,
    /// How it came to be.
    pub kind: AttemptKind,
    /// The migration's whole name.
    pub name: String,
    /// Of the text that was run.
    pub checksums: Checksums,
    /// Whether the row holds the migration's claim: it does while the attempt stands.
    pub claimed: bool,
    /// The token of the run that owns the attempt.
    pub owner: String,
    /// Whether the owner's session still lives, as far as the server can tell.
    pub owner_session: Liveness,
    /// How often the attempt was taken over.
    pub epoch: u32,
    /// Statements in the script.
    pub statements: u32,
    /// Statements known to have completed.
    pub completed: u32,
    /// Chained checksum of the completed statements: how a changed head is told from a fixed tail.
    pub prefix: Option<String>,
    /// Rows that the repeated statement behind the completed ones has touched so far.
    pub touched: u64,
    /// With more rows touched it is taken for one that never ends; `None` while nobody has counted.
    pub row_limit: Option<u64>,
    /// The statements that were running outside a transaction when the row was last written.
    pub in_flight: Option<InFlight>,
    /// What a look at the objects that those statements name tells of their outcome.
    pub sight: Sight,
    /// When it began.
    pub started_at: String,
    /// When it was recorded as applied.
    pub finished_at: Option<String>,
    /// When it was recorded as rolled back.
    pub rolled_back_at: Option<String>,
    /// The database's words, where it failed.
    pub error: Option<String>,
    /// Who ran it.
    pub applied_by: String,
    /// The version of windlass that ran it.
    pub tool: String,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// What a person decided about it and why, who and when: [`signed`].
    pub resolution: Option<String>,
    /// The standing digest after this row was last written, empty while it runs.
    pub digest: String,
}

/// How a person's word that the schema is right as it is begins, among what was decided about a row. It stands there alone,
/// or behind other decisions and `; `.
pub const ACCEPTED: &str = "schema accepted by ";

/// The same behind another decision.
const ALSO_ACCEPTED: &str = "; schema accepted by ";

/// What is said in each acceptance among what was decided about a row, behind the words that it begins with. A reason that
/// has these words in it is none.
fn acceptances(told: &str) -> impl Iterator<Item = &str> {
    let mut decisions = told.split(ALSO_ACCEPTED);
    let first = decisions.next().and_then(|first| first.strip_prefix(ACCEPTED));
    first.into_iter().chain(decisions)
}

/// What is written of a decision, before and behind the time of it: `rolled back: dropped it (by ada at 2026-01-31 12:00:00Z)`.
/// Who took the schema as it is stands in the words already. A person's words never read as the next decision.
///
/// ```
/// use windlass_core::history::signed;
///
/// let [decision, end] = signed("rolled back: dropped it", Some("ada"));
/// assert_eq!(format!("{decision}2026-01-31 12:00:00{end}"), "rolled back: dropped it (by ada at 2026-01-31 12:00:00Z)");
/// ```
pub fn signed(decision: &str, by: Option<&str>) -> [String; 2] {
    let by = by.map(|by| format!("by {by} ")).unwrap_or_default();
    let told =
        format!("{decision} ({by}{BEFORE_TIME}").replace(ALSO_ACCEPTED, &ALSO_ACCEPTED.replace(';', ","));
    [told, BEHIND_TIME.to_owned()]
}

/// The time, to the second, that stands at the end of what was written with [`signed`]; of several such decisions, the last.
pub(crate) fn signed_at(told: &str) -> Option<&str> {
    let (told, _) = told.rsplit_once(BEHIND_TIME)?;
    let (_, time) = told.rsplit_once(BEFORE_TIME)?;
    (time.len() == "2026-01-31 12:00:00".len()).then_some(time)
}

const BEFORE_TIME: &str = "at ";
const BEHIND_TIME: &str = "Z)";

/// How the resolution of an attempt begins whose edited text a person took.
pub const ACCEPTED_EDIT: &str = "accepted edit";

/// First and last number (from 1) of statements whose outcome only the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InFlight {
    /// The first one.
    pub first: u32,
    /// The last one, the same where it is a single statement.
    pub last: u32,
}

impl InFlight {
    /// The form the table holds: `3` or `3-5`.
    pub fn to_text(self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{}-{}", self.first, self.last) }
    }

    /// Reads the table's form.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()? })
    }
}

/// What the objects that a statement in flight names tell of its outcome.
///
/// It is only told of a single statement, and of one that shows: it is done whole or not at all, and
/// done it leaves other objects than it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sight {
    /// They are as they were before it was sent: it was not done.
    Untouched,
    /// They are other than they were: it was done.
    Changed,
    /// It was begun and not brought to its end, and this is what it left.
    Remnant(Remnant),
    /// No look can tell, or none was possible.
    #[default]
    Unknown,
}

/// What a statement leaves that works in several transactions of its own and is cut off between them.
///
/// Only what was not there before the statement was sent, and what no session works on, is its remnant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remnant {
    /// An index that is not valid. Once it is dropped, nothing of the statement stands.
    InvalidIndex {
        /// Its schema.
        schema: String,
        /// Its name.
        index: String,
    },
    /// A partition whose detachment is pending. Once it is finished, the statement is done.
    PendingDetach {
        /// The partitioned table's schema.
        schema: String,
        /// The partitioned table.
        table: String,
        /// The partition's schema.
        partition_schema: String,
        /// The partition.
        partition: String,
    },
}

/// Whether a session still lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// The server lists it.
    Alive,
    /// The server would list it, and does not.
    Gone,
    /// The server cannot tell.
    Unknown,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Its owner works on it, or may.
    Running,
    /// Started, neither finished nor failed, and its owner is proven gone.
    Interrupted,
    /// Part of it stands, and a statement was refused.
    Failed,
    /// It stands.
    Applied,
    /// Nothing of it stands.
    RolledBack,
}

impl State {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Applied => "applied",
            Self::RolledBack => "rolled back",
        }
    }
}

impl Attempt {
    /// What became of it.
    ///
    /// ```
    /// use windlass_core::history::{History, State};
    ///
    /// fn failed(history: &History) -> Vec<&str> {
    ///     let failed = history.attempts.iter().filter(|attempt| attempt.state() == State::Failed);
    ///     failed.map(|attempt| attempt.name.as_str()).collect()
    /// }
    /// assert!(failed(&History::default()).is_empty());
    /// ```
    pub fn state(&self) -> State {
        if self.rolled_back_at.is_some() {
            State::RolledBack
        } else if self.finished_at.is_some() {
            State::Applied
        } else if self.error.is_some() {
            State::Failed
        } else if self.owner.is_empty() || self.owner_session == Liveness::Gone {
            // A person who decided to resume took the owner away.
            State::Interrupted
        } else {
            State::Running
        }
    }
}

/// The history table as it was read, oldest row first.
///
/// ```
/// use windlass_core::history::History;
///
/// fn slowest(history: &History) -> Option<&str> {
///     let slowest = history.attempts.iter().max_by_key(|attempt| attempt.duration_ms);
///     slowest.map(|attempt| attempt.name.as_str())
/// }
/// assert_eq!(slowest(&History::default()), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Whether the table stands.
    pub exists: bool,
    /// Its rows by id.
    pub attempts: Vec<Attempt>,
}

/// Why a history cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A later version of windlass wrote it.
    #[error("the history has format {found}; this windlass knows up to {FORMAT}")]
    Newer {
        /// The format of its newest row.
        found: u32,
    },
    /// Rows contradict one another or themselves.
    #[error("history row {id} ({name}): {what}")]
    Inconsistent {
        /// The row.
        id: i64,
        /// The migration it names.
        name: String,
        /// What is wrong with it.
        what: String,
    },
}

impl History {
    /// What is said in each acceptance of the schema, in the order of the rows.
    pub(crate) fn acceptances(&self) -> impl Iterator<Item = &str> {
        self.attempts.iter().filter_map(|row| row.resolution.as_deref()).flat_map(acceptances)
    }

    /// The attempts that stand: applied, running, interrupted or failed; by position of their migration.
    ///
    /// ```
    /// use windlass_core::history::History;
    ///
    /// let names: Vec<_> = History::default().standing().iter().map(|attempt| attempt.name.clone()).collect();
    /// assert!(names.is_empty());
    /// ```
    pub fn standing(&self) -> Vec<&Attempt> {
        let mut standing: Vec<_> = self.attempts.iter().filter(|a| a.claimed).collect();
        standing.sort_by_cached_key(|attempt| Position::of(&attempt.name));
        standing
    }

    /// The digest of the applied migrations, as the newest row should hold it.
    ///
    /// ```
    /// use windlass_core::history::History;
    ///
    /// assert!(History::default().digest().is_some());
    /// ```
    pub fn digest(&self) -> Option<StandingDigest> {
        standing_digest(self.standing().into_iter().filter(|a| a.state() == State::Applied))
    }

    /// Looks for what no windlass writes: the history is then not acted upon.
    ///
    /// ```
    /// use windlass_core::history::History;
    ///
    /// History::default().verify()?;
    /// # Ok::<(), windlass_core::history::HistoryError>(())
    /// ```
    ///
    /// # Errors
    /// Names the first row that cannot be.
    pub fn verify(&self) -> Result<(), HistoryError> {
        let mut claims = std::collections::HashSet::new();
        for attempt in &self.attempts {
            let again = attempt.claimed && !claims.insert(attempt.name.as_str());
            let again = again.then_some("a second attempt at the same migration stands");
            if let Some(what) = attempt.contradiction().or(again) {
                return Err(attempt.inconsistent(what));
            }
        }
        let settled = self
            .attempts
            .iter()
            .all(|a| !matches!(a.state(), State::Running | State::Interrupted | State::Failed));
        if let (true, Some(newest), Some(digest)) = (settled, self.attempts.last(), self.digest())
            && newest.digest != digest.to_hex()
        {
            let what = "its digest does not stand for the rows before it: the table was changed by hand";
            return Err(newest.inconsistent(what));
        }
        Ok(())
    }
}

impl Attempt {
    /// Whether it neither stands nor is undone.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.claimed && self.state() != State::Applied
    }

    /// What a statement of it left that was refused or cut off, as long as it is to go on.
    pub(crate) fn remnant(&self) -> Option<&Remnant> {
        match &self.sight {
            Sight::Remnant(remnant) if self.is_unfinished() => Some(remnant),
            _ => None,
        }
    }

    /// The statements under way, where no look tells that they did nothing, or what they left.
    pub(crate) fn may_have_begun(&self) -> Option<InFlight> {
        self.in_flight.filter(|_| matches!(self.sight, Sight::Changed | Sight::Unknown))
    }

    /// How many statements are done, or were under way.
    pub(crate) fn begun(&self) -> u32 {
        self.in_flight.map_or(0, |in_flight| in_flight.last).max(self.completed)
    }

    /// Whether a person took the schema as it was when this was the newest row.
    pub(crate) fn is_accepted(&self) -> bool {
        self.resolution.as_ref().is_some_and(|told| acceptances(told).next().is_some())
    }

    /// Whether what became of it is a person's word: recorded as applied without a run of it, or settled afterwards.
    pub(crate) fn is_decided(&self) -> bool {
        let is_said = |told: &String| ["applied", "rolled back"].iter().any(|word| told.starts_with(word));
        self.kind == AttemptKind::Baseline || self.resolution.as_ref().is_some_and(is_said)
    }

    pub(crate) fn inconsistent(&self, what: &str) -> HistoryError {
        HistoryError::Inconsistent { id: self.id, name: self.name.clone(), what: what.to_owned() }
    }

    /// What of the row contradicts the rest of it, as no windlass leaves it.
    fn contradiction(&self) -> Option<&'static str> {
        let is_rolled_back = self.rolled_back_at.is_some();
        let is_applied = self.state() == State::Applied;
        // A repeatable migration's earlier run gives its claim to the next one.
        let gave_way = self.kind == AttemptKind::Repeatable && is_applied;
        let tells_of_some = self.prefix.as_ref().is_some_and(|prefix| !prefix.is_empty());
        let in_flight_exists = |flight: InFlight| {
            self.completed < flight.first && flight.first <= flight.last && flight.last <= self.statements
        };
        let checks = [
            (self.name.is_empty(), "it names no migration"),
            (self.claimed && is_rolled_back, "it is rolled back and yet holds its claim"),
            (!self.claimed && !is_rolled_back && !gave_way, "it stands and yet holds no claim"),
            (self.epoch == 0, "no run has ever owned it"),
            (self.completed > self.statements, "more statements completed than there are"),
            (is_applied && self.error.is_some(), "it is applied and yet tells of an error"),
            (is_applied && self.in_flight.is_some(), "it is applied and yet has a statement in flight"),
            (
                !is_rolled_back && !self.in_flight.is_none_or(in_flight_exists),
                "the statements in flight are none of those that had yet to run",
            ),
            (
                self.completed == 0 && tells_of_some,
                "no statement completed, and yet it holds the checksum of some that did",
            ),
            (
                self.completed > 0 && !is_applied && !is_rolled_back && !tells_of_some,
                "statements completed, and yet it holds no checksum of them",
            ),
            (unhex(&self.checksums.raw).is_none(), "its checksum is not one"),
        ];
        checks.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what))
    }

    /// Whether a row of this name with this claim holds it, for drivers that read one.
    ///
    /// ```
    /// use windlass_core::history::Attempt;
    ///
    /// assert_eq!(Attempt::holds("1_ships", Some("1_ships")), Ok(true));
    /// assert!(Attempt::holds("1_ships", Some("2_crews")).is_err());
    /// ```
    ///
    /// # Errors
    /// When the claim is another migration's: what would be refused to a second attempt is not told by it.
    pub fn holds(name: &str, claim: Option<&str>) -> Result<bool, String> {
        match claim {
            None => Ok(false),
            Some(claim) if claim == name => Ok(true),
            Some(claim) => Err(format!("it is an attempt at `{name}` and holds the claim of `{claim}`")),
        }
    }
}

/// The digest of attempts given by position; `None` when one holds no checksum.
pub fn standing_digest<'a>(attempts: impl IntoIterator<Item = &'a Attempt>) -> Option<StandingDigest> {
    attempts.into_iter().try_fold(StandingDigest::empty(), |digest, attempt| {
        Some(digest.and(&attempt.name, &unhex(&attempt.checksums.raw)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(decision: &str, by: Option<&str>) -> String {
        signed(decision, by).join("2026-01-31 12:00:00")
    }

    #[test]
    fn only_an_acceptance_is_one() {
        let count = |told: &str| acceptances(told).count();
        for reason in [
            "schema accepted by ada",
            "the schema accepted by all",
            "x (by ada at 2026-01-31 12:00:00Z); schema accepted by ada: fine",
        ] {
            let undone = written(&format!("rolled back: {reason}"), Some("ada"));
            assert_eq!(count(&undone), 0, "{undone}");
            let taken = written(&format!("{ACCEPTED}ada: {reason}"), None);
            assert_eq!(count(&taken), 1, "{taken}");
            let both = format!("{undone}; {taken}; {}", written(&format!("{ACCEPTED}bob: fine"), None));
            assert_eq!(count(&both), 2, "{both}");
            assert!(acceptances(&both).next().is_some_and(|told| told.starts_with("ada: ")), "{both}");
        }
        // Before decisions told who and when.
        assert_eq!(count("applied: by hand; schema accepted by ada: fine"), 1);
        assert_eq!(count("schema accepted by ada: fine"), 1);
    }

    #[test]
    fn when_a_decision_was_made_is_read_as_it_was_written() {
        let written = |decision: &str, by: Option<&str>, time: &str| {
            let [decision, end] = signed(decision, by);
            format!("{decision}{time}{end}")
        };
        let (time, later) = ("2026-01-31 12:00:00", "2026-02-01 00:00:00");
        for decision in ["schema accepted by ada: ours", "applied: begun (at noon Z) at last", ""] {
            for by in [None, Some("ada"), Some("a (at b")] {
                let told = written(decision, by, time);
                assert_eq!(signed_at(&told), Some(time), "{told}");
                assert_eq!(signed_at(&format!("{told}; ")), Some(time));
                assert_eq!(signed_at(&format!("{told}; {}", written(decision, by, later))), Some(later));
            }
        }
        for other in ["", "by hand, at last", "at Z)", "kept (at noonZ)"] {
            assert_eq!(signed_at(other), None, "{other}");
        }
    }
}
