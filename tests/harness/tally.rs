//! What a matrix of faults came to, for the table at the end of a run.

use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;

/// How a database stands after a fault and the deploys that followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As after a run that nothing disturbed.
    Equal,
    /// A person had to decide; what they were told was true, and what they were advised led to the same end. The shape of
    /// what blocked.
    Blocked(String),
}

/// Counts over the faults of one kind on one database.
#[derive(Debug)]
pub struct Tally {
    target: String,
    fault: &'static str,
    equal: usize,
    blocked: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    /// Begins to count.
    pub fn of(target: &str, fault: &'static str) -> Self {
        Self { target: target.to_owned(), fault, equal: 0, blocked: BTreeMap::new(), wrong: Vec::new() }
    }

    /// Counts one fault, told by `point`.
    pub fn count(&mut self, point: &str, ending: Result<Ending, String>) {
        match ending {
            Ok(Ending::Equal) => self.equal += 1,
            Ok(Ending::Blocked(shape)) => *self.blocked.entry(shape).or_default() += 1,
            Err(why) => {
                eprintln!("WRONG: {} {} {point}: {why}", self.target, self.fault);
                self.wrong.push(format!("{point}: {why}"));
            }
        }
    }

    /// Faults so far.
    pub fn points(&self) -> usize {
        self.equal + self.blocked.values().sum::<usize>() + self.wrong.len()
    }

    /// Writes the counts where the run gathers them.
    ///
    /// # Panics
    /// Where anything was wrong.
    pub fn close(self) {
        let Self { target, fault, equal, blocked, wrong } = &self;
        let line = json!({
            "target": target, "fault": fault, "points": self.points(),
            "equal": equal, "blocked": blocked, "advised": blocked.values().sum::<usize>(), "wrong": wrong.len(),
        });
        println!("{line}");
        if let Some(file) = std::env::var_os("WINDLASS_TEST_TOTALS") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
            // One write, so that lines of tests beside one another do not mix.
            file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
                .expect("a file of totals");
        }
        assert!(
            wrong.is_empty(),
            "{} of {}: {:#?}",
            wrong.len(),
            self.points(),
            &wrong[..wrong.len().min(5)]
        );
    }
}
