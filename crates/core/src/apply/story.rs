//! Story: an error of a deploy as a person reads it in a program's log.

use super::DeployError;
use std::error::Error;
use std::fmt::Write as _;

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
    ///      hint: give each its own version, or leave `--strict-order` out"
    /// );
    /// ```
    pub fn story(&self) -> String {
        let mut story = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            let told = cause.to_string();
            if !story.contains(&told) {
                let _ = write!(story, "\ncaused by: {told}");
            }
            next = cause.source();
        }
        for note in self.notes() {
            let _ = write!(story, "\nnote: {note}");
        }
        if let Some(hint) = self.hint() {
            let _ = write!(story, "\nhint: {hint}");
        }
        story
    }

    /// What stands, and what differs.
    fn notes(&self) -> Vec<String> {
        match self {
            Self::Statement(failed) => failed.what_stands(),
            Self::Drift(drift) => {
                let who = drift.accepted.as_ref().map(|who| format!("it was taken as it was by {who}"));
                drift.differences.iter().map(ToString::to_string).chain(who).collect()
            }
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
            Self::Statement(failed) => failed.hint(),
            Self::Drift(_) => "see `windlass drift`; undo it by hand and deploy again, or take the schema as it is: \
                               `windlass drift accept --reason TEXT`; for this run alone: `--allow-drift`"
                .to_owned(),
            Self::Lost { .. } => "deploy again".to_owned(),
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
