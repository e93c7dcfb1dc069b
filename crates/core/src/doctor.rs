//! Doctor: the checklist of a database in production, each item with what is found, why it matters and what to type.

mod known;

use crate::diagnosis::by_hand;
use crate::drift::{self, DriftOptions, DriftPolicy, DriftVerdict};
use crate::driver::{
    Access, Capabilities, Contents, Driver, DriverError, Holder, Inspection, Product, Sessions,
};
use crate::history::{Attempt, HistoryError, State};
use crate::plan::{self, Blocked};
use crate::source::Migrations;
use crate::sql::classify::ObjectName;
use crate::status::{Standing, StatusLine, status};
use std::fmt;
use std::time::Duration;

/// How long a transaction of somebody else's may be open before it is told of, where nobody says otherwise.
pub const LONG: Duration = Duration::from_secs(60);

/// What only the checklist asks a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Tables that stand, of those that were asked for.
    pub tables: Vec<ObjectName>,
    /// Transactions of other sessions in this database, and for how long each has been open; `None` where no server
    /// tells.
    pub transactions: Option<Vec<(Holder, Duration)>>,
    /// What this account may not see, and the statement that lets it.
    pub unseen: Vec<Unseen>,
    /// What the server or the file is besides.
    pub circumstances: Vec<Circumstance>,
    /// Shadow databases on the server that no session is seen to use; `None` where there is no server.
    pub shadows: Option<Vec<String>>,
}

/// What an account may not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What it is.
    pub what: String,
    /// The statement by which an administrator lets it.
    pub grant: String,
}

/// What a server or a file is besides its product and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Circumstance {
    /// One node of a Galera cluster.
    Cluster,
    /// SQLite: the file has a write-ahead log.
    WriteAheadLog,
}

/// How much it matters.
///
/// ```
/// use windlass_core::doctor::Severity;
///
/// assert!(Severity::Problem > Severity::Warning);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It is as it should be.
    Good,
    /// It is worth knowing.
    Note,
    /// It should be seen to.
    Warning,
    /// The next deploy stops at it.
    Problem,
}

impl Severity {
    /// The word for people.
    ///
    /// ```
    /// assert_eq!(windlass_core::doctor::Severity::Problem.as_str(), "problem");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What was looked at.
///
/// ```
/// use windlass_core::doctor::{Check, Finding};
///
/// fn has_drifted(findings: &[Finding]) -> bool {
///     findings.iter().any(|finding| finding.check == Check::Drift)
/// }
/// assert!(!has_drifted(&[]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Whether a deploy has run here, and all is applied.
    Deployed,
    /// Whether a deploy would be refused.
    Blocked,
    /// What stands on a person's word alone.
    Recorded,
    /// Whether others changed the schema.
    Drift,
    /// Indexes that no query uses.
    InvalidIndexes,
    /// Another tool's history.
    OtherHistory,
    /// Who is at work.
    Deployer,
    /// A pooler in between.
    Pooler,
    /// What the account may do.
    Rights,
    /// The server's version, and what it is besides.
    Server,
    /// Transactions that a deploy would wait for.
    Transactions,
    /// Shadow databases that a command left.
    Shadows,
}

impl Check {
    /// The word of `--json`.
    ///
    /// ```
    /// assert_eq!(windlass_core::doctor::Check::InvalidIndexes.as_str(), "invalid_indexes");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Blocked => "blocked",
            Self::Recorded => "recorded",
            Self::Drift => "drift",
            Self::InvalidIndexes => "invalid_indexes",
            Self::OtherHistory => "other_history",
            Self::Deployer => "deployer",
            Self::Pooler => "pooler",
            Self::Rights => "rights",
            Self::Server => "server",
            Self::Transactions => "transactions",
            Self::Shadows => "shadows",
        }
    }
}

/// One item of the checklist.
///
/// ```
/// use windlass_core::doctor::{Finding, Severity};
///
/// fn to_do(findings: &[Finding]) -> Vec<&str> {
///     let findings = findings.iter().filter(|finding| finding.severity > Severity::Note);
///     findings.filter_map(|finding| finding.next.as_deref()).collect()
/// }
/// assert!(to_do(&[]).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// Why it matters; empty where all is well.
    pub why: String,
    /// What to do; the commands are in backquotes.
    pub next: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.why.is_empty() {
            write!(f, ": {}", self.why)?;
        }
        Ok(())
    }
}

impl Finding {
    fn new(check: Check, severity: Severity, what: impl Into<String>) -> Self {
        Self { check, severity, what: what.into(), why: String::new(), next: None }
    }

    fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// Goes through the checklist. Each check is told of, also where all is well. Writes nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn examine(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &plan::Options,
    drift: &DriftOptions,
    long: Duration,
) -> Result<Vec<Finding>, DriverError> {
    let inspection = crate::apply::inspect(driver, migrations.as_slice()).await?;
    let drift = match drift.policy {
        DriftPolicy::Off => None,
        _ if inspection.history.exists => Some(drift::look(driver, migrations.as_slice(), drift).await?),
        _ => Some(DriftVerdict::NeverKept),
    };
    let holder = driver.lock_holder().await?;
    let tables: Vec<&str> = known::HISTORIES.iter().map(|(table, _)| *table).collect();
    let survey = driver.survey(&tables).await?;
    let seen = Seen { inspection, drift, holder, survey, long };
    Ok(findings(migrations, &seen, options, driver.capabilities()))
}

/// All that was read.
struct Seen {
    inspection: Inspection,
    /// `None` where nobody is to look.
    drift: Option<DriftVerdict>,
    holder: Option<Holder>,
    survey: Survey,
    /// From when on a transaction is told of.
    long: Duration,
}

/// The checklist, from what was read.
fn findings(
    migrations: &Migrations,
    seen: &Seen,
    options: &plan::Options,
    capabilities: &Capabilities,
) -> Vec<Finding> {
    let lines = status(migrations.as_slice(), &seen.inspection, capabilities.dialect);
    let blocked = plan::plan(migrations.as_slice(), &seen.inspection, capabilities, options).err();
    let mut found = vec![deployed(&lines, &seen.inspection, blocked.is_some())];
    found.push(refused(&lines, blocked.as_ref()));
    found.extend(recorded(&seen.inspection));
    found.push(drifted(seen.drift.as_ref(), &seen.inspection));
    // Only there an index can be anything else, and a pooler is found.
    let has_both = capabilities.product == Product::PostgreSql;
    if has_both {
        found.extend(indexes(&seen.inspection));
    }
    found.extend(other_histories(&seen.survey, &seen.inspection));
    found.push(deployer(seen.holder.as_ref()));
    if has_both {
        found.push(pooler(capabilities.sessions));
    }
    found.extend(rights(&seen.survey, &seen.inspection));
    found.extend(server(capabilities, &seen.survey));
    if let Some(open) = &seen.survey.transactions {
        found.extend(transactions(open, &seen.survey.unseen, seen.long));
    }
    if let Some(left) = &seen.survey.shadows {
        found.extend(shadows(left));
    }
    found
}

fn deployed(lines: &[StatusLine], inspection: &Inspection, is_blocked: bool) -> Finding {
    let finding = |severity, what: String| Finding::new(Check::Deployed, severity, what);
    match &inspection.contents {
        Contents::Holds(examples) if !inspection.history.exists => {
            return finding(Severity::Problem, format!("it holds {} and no history", examples.join(", ")))
                .because("windlass cannot know which migrations it has, and a deploy would run all of them")
                // Which that is nobody can guess: a wrong word here would pass for the truth from then on.
                .next(
                    "check the database URL; where it is right, record what it has: `windlass baseline NAME`, with the last \
                     migration that stands in it for NAME; `--shadow local` has that checked first (SQLite: always)",
                );
        }
        _ => {}
    }
    let applied = lines.iter().filter(|line| line.standing.is_settled());
    let newest =
        applied.clone().filter_map(|line| Some((line.applied_at()?, line))).max_by_key(|(at, _)| *at);
    let waiting: Vec<&str> = lines
        .iter()
        .filter(|line| matches!(line.standing, Standing::Pending | Standing::Changed | Standing::RolledBack))
        .map(|line| line.name.as_str())
        .collect();
    match (newest, waiting.first()) {
        (_, Some(first)) => {
            let what = match inspection.history.attempts.is_empty() {
                true => "no deploy has run here".to_owned(),
                false => format!(
                    "{} not applied, from {first} on",
                    counted(waiting.len(), "migration is", "migrations are")
                ),
            };
            finding(Severity::Warning, what).because("the database is not where the program expects it").next(
                match is_blocked {
                    true => "see to what is in its way, which is told below; then `windlass deploy`",
                    false => "`windlass deploy`",
                },
            )
        }
        (Some((at, line)), None) => {
            let at = at.split('.').next().unwrap_or(at);
            let what = format!(
                "{} applied, the last at {at}Z: {}",
                counted(applied.count(), "migration", "migrations"),
                line.name
            );
            finding(Severity::Good, what)
        }
        (None, None) if lines.is_empty() => finding(Severity::Note, "there are no migrations".to_owned()),
        (None, None) => {
            let told = few(lines.iter().map(|line| format!("{} is {}", line.name, line.standing)));
            finding(Severity::Note, format!("no migration is applied as it is in the project: {told}"))
        }
    }
}

fn refused(lines: &[StatusLine], blocked: Option<&Blocked>) -> Finding {
    let problem = |what: String| {
        Finding::new(Check::Blocked, Severity::Problem, what)
            .because("the next deploy is refused, and runs nothing")
    };
    match blocked {
        // Told of as what has not been deployed yet, and as a missing right.
        None | Some(Blocked::NotEmpty { .. } | Blocked::ReadOnly { .. }) => {}
        Some(blocked) => {
            let cause = match blocked {
                Blocked::History(HistoryError::Inconsistent { .. } | HistoryError::Newer { .. }) => {
                    std::error::Error::source(blocked).map(|source| format!(": {source}")).unwrap_or_default()
                }
                _ => String::new(),
            };
            let finding = problem(format!("{blocked}{cause}"));
            return match blocked.hint() {
                Some(hint) => finding.next(hint),
                None => finding,
            };
        }
    }
    if let Some(line) = lines.iter().find(|line| line.standing == Standing::Interrupted) {
        return Finding::new(Check::Blocked, Severity::Warning, format!("{} was interrupted", line.name))
            .because("part of it may stand")
            .next("`windlass deploy` goes on with it");
    }
    let failed = |line: &&StatusLine| line.standing == Standing::RolledBack && line.error().is_some();
    match lines.iter().find(failed) {
        Some(line) => {
            let what = format!("{} failed, and was rolled back", line.name);
            Finding::new(Check::Blocked, Severity::Warning, what)
                .because("the next deploy runs it again, and fails again unless something has changed")
                .next("`windlass diagnose` tells what was refused")
        }
        None => Finding::new(Check::Blocked, Severity::Good, "nothing has failed and waits for a decision"),
    }
}

/// Those that a person recorded as applied: a checklist replays nothing, so that it cannot tell whether they stand.
fn recorded(inspection: &Inspection) -> Option<Finding> {
    let stands = |attempt: &&&Attempt| attempt.state() == State::Applied;
    let names: Vec<String> =
        by_hand(inspection).iter().filter(stands).map(|attempt| attempt.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    let verb = if names.len() == 1 { "stands" } else { "stand" };
    let what = format!("{} {verb} on a person's word", few(names.into_iter()));
    Some(
        Finding::new(Check::Recorded, Severity::Note, what)
            .because("whether the schema is what the migrations make is not looked at here")
            .next("`windlass diagnose` holds it against that, on a shadow database"),
    )
}

fn drifted(verdict: Option<&DriftVerdict>, inspection: &Inspection) -> Finding {
    let finding = |severity, what: String| Finding::new(Check::Drift, severity, what);
    let Some(verdict) = verdict else {
        return finding(
            Severity::Note,
            "whether others changed the schema is not looked at: `drift` is `off`".to_owned(),
        )
        .because("a change made by hand goes unnoticed");
    };
    match verdict {
        DriftVerdict::Drift(drift) => {
            let changed = few(drift.differences.iter().map(|one| one.key.to_string()));
            finding(Severity::Problem, format!("others changed {changed}"))
                .because("a deploy that has something to run stops before it runs anything")
                .next("`windlass drift` shows it; undo it, or take it as it is: `windlass drift accept --reason WHY`")
        }
        DriftVerdict::None => finding(Severity::Good, "the schema is as it was kept".to_owned()),
        DriftVerdict::Touched(touched) => finding(Severity::Note, touched.to_string())
            .because("what those made of them, and what others may have, is not told apart")
            .next("`windlass drift` shows them; `windlass diagnose` holds them against what the migrations make"),
        DriftVerdict::Unknown(why) => {
            finding(Severity::Warning, format!("whether others changed the schema cannot be told: {why}"))
                .because("a change made by hand goes unnoticed")
        }
        DriftVerdict::NeverKept if inspection.history.exists => {
            let finding = finding(Severity::Note, "nobody has kept the schema yet".to_owned())
                .because("there is nothing to compare the live one with");
            // What is half done is nothing to compare with later.
            let is_settled =
                |attempt: &Attempt| matches!(attempt.state(), State::Applied | State::RolledBack);
            match inspection.history.attempts.iter().all(is_settled) {
                true => finding.next("take it as it is: `windlass drift accept --reason WHY`"),
                false => finding.next("the deploy that comes to its end writes it down"),
            }
        }
        DriftVerdict::NeverKept => {
            finding(Severity::Good, "there is no schema yet that others could have changed".to_owned())
        }
    }
}

fn indexes(inspection: &Inspection) -> Vec<Finding> {
    let found: Vec<Finding> = inspection
        .invalid_indexes()
        .iter()
        .map(|index| {
            let severity = if index.is_being_built() { Severity::Note } else { Severity::Warning };
            Finding::new(Check::InvalidIndexes, severity, index.to_string())
                .because("no query uses it, and a unique one lets through what it should refuse")
                .next(index.hint())
        })
        .collect();
    match found.is_empty() {
        true => vec![Finding::new(Check::InvalidIndexes, Severity::Good, "every index is valid")],
        false => found,
    }
}

fn other_histories(survey: &Survey, inspection: &Inspection) -> Vec<Finding> {
    let tool = |table: &ObjectName| {
        known::HISTORIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&table.name)).map(|(_, tool)| tool)
    };
    let found: Vec<Finding> = survey
        .tables
        .iter()
        .filter_map(|table| {
            let place =
                table.schema.iter().chain([&table.name]).map(String::as_str).collect::<Vec<_>>().join(".");
            let what = format!("{place} is a history of {}", tool(table)?);
            Some(match inspection.history.exists {
                true => Finding::new(Check::OtherHistory, Severity::Note, what)
                    .because("two tools that both migrate one database do not know of one another")
                    .next("let only one of them run; the old history may stay as it is"),
                false => Finding::new(Check::OtherHistory, Severity::Warning, what)
                    .because("the migrations it names have run here already")
                    .next("record them: `windlass baseline NAME`, with the last of them for NAME"),
            })
        })
        .collect();
    match found.is_empty() {
        true => vec![Finding::new(Check::OtherHistory, Severity::Good, "no other tool has a history here")],
        false => found,
    }
}

fn deployer(holder: Option<&Holder>) -> Finding {
    match holder {
        None => Finding::new(Check::Deployer, Severity::Good, "no deploy is at work"),
        Some(holder) => {
            Finding::new(Check::Deployer, Severity::Note, format!("a deploy is at work: {}", told(holder)))
                .because("another one waits for it")
                .next("wait for it to end; one that hangs: `windlass unlock`")
        }
    }
}

fn pooler(sessions: Sessions) -> Finding {
    match sessions {
        Sessions::Own => Finding::new(Check::Pooler, Severity::Good, "the connection is a session of its own"),
        Sessions::Pooled => Finding::new(Check::Pooler, Severity::Warning, "the connection goes through a pooler")
            .because("each transaction may get another session: a migration that needs more than one transaction is refused")
            .next("deploy by the URL of the server itself"),
    }
}

fn rights(survey: &Survey, inspection: &Inspection) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Access::ReadOnly(why) = &inspection.access {
        found.push(
            Finding::new(
                Check::Rights,
                Severity::Problem,
                format!("the database cannot be written to: {why}"),
            )
            .because("the next deploy is refused, and runs nothing")
            .next("deploy as a user who may write to it; where there are replicas, to the primary"),
        );
    }
    found.extend(survey.unseen.iter().map(|Unseen { what, grant }| {
        Finding::new(Check::Rights, Severity::Note, format!("this account may not see {what}"))
            .because("a deploy that has to wait cannot always say for whom")
            .next(format!("`{grant}`"))
    }));
    if found.is_empty() {
        let what = match survey.transactions {
            Some(_) => "this account may write, and see who is in its way",
            None => "it can be written to",
        };
        found.push(Finding::new(Check::Rights, Severity::Good, what));
    }
    found
}

fn server(capabilities: &Capabilities, survey: &Survey) -> Vec<Finding> {
    let Capabilities { product, version, .. } = capabilities;
    let mut found: Vec<Finding> = known::troubles(*product, version, &survey.circumstances)
        .map(|trouble| {
            Finding::new(Check::Server, Severity::Warning, format!("{product} {version} {}", trouble.what))
                .because(trouble.why)
                .next(trouble.next)
        })
        .collect();
    if survey.circumstances.contains(&Circumstance::Cluster) {
        found.push(
            Finding::new(Check::Server, Severity::Note, "the server is one node of a Galera cluster")
                .because("the lock of a deploy holds on its own node only; that no migration runs twice rests on the history alone")
                .next("let all deploys connect to the same node"),
        );
    }
    if found.is_empty() {
        found.push(Finding::new(
            Check::Server,
            Severity::Good,
            format!("nothing is known against {product} {version}"),
        ));
    }
    found
}

fn transactions(open: &[(Holder, Duration)], unseen: &[Unseen], long: Duration) -> Vec<Finding> {
    let found: Vec<Finding> = open
        .iter()
        .filter(|(_, open)| *open >= long)
        .map(|(holder, open)| {
            let what = format!("a transaction has been open for {} s: {}", open.as_secs(), told(holder));
            Finding::new(Check::Transactions, Severity::Warning, what)
                .because("a migration of a table that it has touched waits for its end, and whoever comes after waits too")
                .next("wait for its end before you deploy, or end it")
        })
        .collect();
    match found.is_empty() {
        true if unseen.is_empty() => {
            let what = format!("no transaction has been open for {} s or more", long.as_secs());
            vec![Finding::new(Check::Transactions, Severity::Good, what)]
        }
        true => {
            let what = format!(
                "no transaction that this account may see has been open for {} s or more",
                long.as_secs()
            );
            vec![
                Finding::new(Check::Transactions, Severity::Note, what)
                    .because("others may be open, and in the way"),
            ]
        }
        false => found,
    }
}

/// Whose they are nobody can know: one that another command is about to use has no session yet, or none any more.
fn shadows(left: &[String]) -> Vec<Finding> {
    let found: Vec<Finding> = left
        .iter()
        .map(|name| {
            let what =
                format!("the shadow database {name} is on the server, and no session is seen to use it");
            Finding::new(Check::Shadows, Severity::Note, what)
                .because("a command that was killed may have left it, with all that its migrations made")
                .next(format!("`DROP DATABASE {name}`, unless a windlass command is at work on this server"))
        })
        .collect();
    match found.is_empty() {
        true => {
            vec![Finding::new(Check::Shadows, Severity::Good, "no shadow database was left on the server")]
        }
        false => found,
    }
}

/// The first of several, and how many more there are.
fn few(mut all: impl ExactSizeIterator<Item = String>) -> String {
    let first: Vec<_> = all.by_ref().take(3).collect();
    match all.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Who it is, in a line.
fn told(holder: &Holder) -> String {
    let session = holder.session.as_ref().map(|session| format!("session {session}"));
    let since = holder.since.as_ref().map(|since| format!("since {since}Z"));
    let running = holder.running.as_ref().map(|running| format!("running {running}"));
    let parts: Vec<String> = [session, holder.who.clone(), since, running].into_iter().flatten().collect();
    if parts.is_empty() { "nobody knows whose".to_owned() } else { parts.join(", ") }
}
