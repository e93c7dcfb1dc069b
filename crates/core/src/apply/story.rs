//! Story: an error of a deploy as a person reads it in a program's log.

use super::DeployError;
use crate::application::{Verdict, WaitError};
use crate::driver::Product;
use std::error::Error;
use std::fmt::Write as _;

/// What hints say in the words of the command, and what a program calls for it; the longer of two comes first.
const CALLS: [(&str, &str); 17] = [
    ("--allow-drift", "Deploy::on_drift(DriftPolicy::Warn)"),
    ("--allow-non-empty", "Deploy::allow_non_empty(true)"),
    ("--allow-pooler", "Deploy::allow_pooler(true)"),
    ("--close-open-transaction", "Deploy::close_open_transaction(true)"),
    ("--history-table", "Options::history_table"),
    ("--lock-wait", "Deploy::lock_wait"),
    ("--out-of-order", "Deploy::out_of_order(true)"),
    ("--single-transaction", "Deploy::single_transaction(true)"),
    ("--strict-order", "Deploy::strict_order(true)"),
    ("--to", "Deploy::target"),
    ("windlass baseline", "baseline"),
    ("windlass drift accept", "accept_drift"),
    ("windlass drift", "drift"),
    ("windlass history", "history"),
    ("windlass resolve", "resolve"),
    ("windlass status", "status"),
    ("windlass unlock", "end_lock_holder"),
];

/// Those that a hint says, each once.
fn calls(hint: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let spans: Vec<_> = hint.split('`').skip(1).step_by(2).collect();
    let mut found: Vec<_> = spans.into_iter().filter_map(call).collect();
    found.dedup();
    found.into_iter()
}

fn call(span: &str) -> Option<(&'static str, &'static str)> {
    let is_said =
        |said: &str| span.strip_prefix(said).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    CALLS.into_iter().find(|(said, _)| is_said(said))
}

/// What went wrong and why, what to know besides, and what to do next.
fn story(error: &dyn Error, notes: &[String], hint: Option<String>) -> String {
    let mut story = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !story.contains(&told) {
            let _ = write!(story, "\ncaused by: {told}");
        }
        next = cause.source();
    }
    for note in notes {
        let _ = write!(story, "\nnote: {note}");
    }
    if let Some(hint) = hint {
        let _ = write!(story, "\nhint: {hint}");
        let calls: Vec<_> = calls(&hint).map(|(said, call)| format!("`{call}` is `{said}`")).collect();
        if !calls.is_empty() {
            let _ = write!(story, "\nin a program: {}", calls.join(", "));
        }
    }
    story
}

impl WaitError {
    /// All of it, in lines: where the database is and why waiting ended, and what to do next.
    ///
    /// ```
    /// use windlass_core::application::{Verdict, WaitError};
    ///
    /// let verdict = Verdict::Behind { pending: vec!["2_crews".to_owned()] };
    /// let told = WaitError::TimedOut { verdict, waited: std::time::Duration::from_secs(60) }.story();
    /// assert_eq!(
    ///     told,
    ///     "the database is behind by 2_crews, after 60s\n\
    ///      hint: deploy, or wait longer where a deploy is at work: `windlass status` tells\n\
    ///      in a program: `status` is `windlass status`"
    /// );
    /// ```
    pub fn story(&self) -> String {
        story(self, &[], self.hint())
    }

    /// What to do next, in commands.
    ///
    /// ```
    /// use windlass_core::application::{Verdict, WaitError};
    ///
    /// let verdict = Verdict::Behind { pending: vec!["2_crews".to_owned()] };
    /// let late = WaitError::TimedOut { verdict, waited: std::time::Duration::from_secs(60) };
    /// assert!(late.hint().is_some_and(|hint| hint.starts_with("deploy, or wait longer")));
    /// ```
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TimedOut { .. } => {
                "deploy, or wait longer where a deploy is at work: `windlass status` tells".to_owned()
            }
            Self::Hopeless { verdict: Verdict::Different { .. } } => {
                "start the release that was deployed, or put the migrations back as they were applied: see `windlass status`"
                    .to_owned()
            }
            Self::Hopeless { .. } => "a person has to look: see `windlass status`".to_owned(),
            Self::Blocked(blocked) => return blocked.hint(),
            Self::Verify(_) => return None,
        };
        Some(hint)
    }
}

impl DeployError {
    /// All of it, in lines: what went wrong and why, what stands, and what to do next.
    ///
    /// ```
    /// use windlass_core::apply::DeployError;
    /// use windlass_core::plan::Blocked;
    ///
    /// let blocked = Blocked::SharedVersion { version: "2".to_owned(), names: vec!["2_a".to_owned(), "2_b".to_owned()] };
    /// assert_eq!(
    ///     DeployError::from(blocked).story(),
    ///     "the deploy is blocked: nothing was run\n\
    ///      caused by: version 2 is used by 2_a, 2_b\n\
    ///      hint: give each its own version, or leave `--strict-order` out\n\
    ///      in a program: `Deploy::strict_order(true)` is `--strict-order`"
    /// );
    /// ```
    pub fn story(&self) -> String {
        story(self, &self.notes(), self.hint())
    }

    /// What stands, and what differs.
    fn notes(&self) -> Vec<String> {
        match self {
            Self::Statement(failed) | Self::ReadOnly(failed) => failed.what_stands(),
            Self::Drift(drift) => drift.differences.iter().map(ToString::to_string).collect(),
            Self::HistoryChanged { name, rolled_back: true } => {
                vec![format!("`{name}` was rolled back: nothing of it stands")]
            }
            Self::HistoryChanged { .. } => {
                vec!["what it has done stands, and nothing tells how far it came".to_owned()]
            }
            Self::Lost { .. } => vec!["whether it took effect is found out by the next deploy".to_owned()],
            Self::Stopped { part_way: Some(name), .. } => {
                vec![format!(
                    "`{name}` stands part-way; the next deploy goes on after its last completed statement"
                )]
            }
            _ => Vec::new(),
        }
    }

    /// What to do next, in commands.
    ///
    /// ```
    /// use windlass_core::apply::DeployError;
    ///
    /// fn report(error: &DeployError) {
    ///     eprintln!("{error}");
    ///     if let Some(hint) = error.hint() {
    ///         eprintln!("hint: {hint}");
    ///     }
    /// }
    /// # let _ = report;
    /// ```
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Blocked(blocked) => return blocked.hint(),
            Self::Statement(failed) | Self::ReadOnly(failed) => failed.hint(),
            Self::Drift(_) => "see `windlass drift`; undo it by hand and deploy again, or take the schema as it is: \
                               `windlass drift accept --reason TEXT`; for this run alone: `--allow-drift`"
                .to_owned(),
            Self::Lost { .. } => "deploy again".to_owned(),
            Self::LockTimeout { product: Product::Sqlite, .. } => {
                "wait for it to end and deploy again; or wait longer: `--lock-wait 10m`; where it is not to go on: that \
                 process is ended by the means of its system, and its lock goes with it"
                    .to_owned()
            }
            Self::LockTimeout { .. } => {
                "wait for it to end and deploy again; or wait longer: `--lock-wait 10m`; where it is not to go on: \
                 `windlass unlock --end` ends that session"
                    .to_owned()
            }
            Self::TakenOver { .. } => {
                "see `windlass status`; deploy again once the other run has ended".to_owned()
            }
            Self::HistoryChanged { name, .. } => format!(
                "leave the history table out of what `{name}` does to every table, and deploy again; or let the history \
                 stand where that does not reach: `--history-table`"
            ),
            Self::Stopped { .. } => "deploy again to go on".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Holder;
    use crate::plan::Blocked;
    use std::time::Duration;

    /// Whatever hints come to say: each flag and command in their sources is one that a program has a call for.
    #[test]
    fn a_program_has_a_call_for_all_that_hints_say() {
        let sources =
            [include_str!("story.rs"), include_str!("failure.rs"), include_str!("../plan/blocked.rs")];
        let code = sources.into_iter().flat_map(|source| {
            source
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
        });
        let mut said: Vec<_> = code
            .flat_map(|line| line.split('`').skip(1))
            .filter(|span| {
                span.starts_with("windlass ") || span.starts_with("--") && !span.starts_with("-- ")
            })
            .collect();
        said.retain(|span| call(span).is_none());
        assert_eq!(said, [""; 0]);
    }

    #[test]
    fn only_a_server_can_end_a_session() {
        let hint = |product| {
            let (holder, waited) = (Holder::default(), Duration::from_secs(60));
            DeployError::LockTimeout { holder, waited, product }.hint().unwrap_or_default()
        };
        assert!(hint(Product::PostgreSql).contains("`windlass unlock --end` ends that session"));
        let file = hint(Product::Sqlite);
        assert!(file.contains("by the means of its system") && !file.contains("unlock"), "{file}");
    }

    #[test]
    fn each_call_is_told_once() {
        let blocked = Blocked::NotEmpty { examples: vec!["ships".to_owned()] };
        let story = DeployError::from(blocked).story();
        let told = "in a program: `baseline` is `windlass baseline`, `Deploy::allow_non_empty(true)` is `--allow-non-empty`";
        assert_eq!(story.lines().last(), Some(told));
        assert_eq!(
            call("windlass drift accept --reason TEXT"),
            Some(("windlass drift accept", "accept_drift"))
        );
        assert_eq!(call("--to-and-fro"), None);
        assert_eq!(calls("`windlass resolve --resume a`; or `windlass resolve --applied a`").count(), 1);
    }
}
