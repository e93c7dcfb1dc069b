//! What a run of tests came to, read from its output.

use std::collections::BTreeSet;

/// Counts over every test program of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that did not run because they are marked so.
    pub(crate) ignored: u64,
    seen: BTreeSet<String>,
    watched: Vec<(String, String)>,
}

impl Summary {
    /// A summary that also notes on which of these targets tests of the suite were executed.
    pub(crate) fn watching(targets: impl IntoIterator<Item = String>) -> Self {
        let watched = targets.into_iter().map(|target| (folded(&target), target)).collect();
        Summary { watched, ..Summary::default() }
    }

    /// Takes in a line of output.
    pub(crate) fn read_line(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            for part in counts.split(['.', ';']) {
                self.read_count(part.trim());
            }
        } else if let Some(name) = executed_test(line) {
            // The suite puts the target before a scenario's path; unit tests may hold its name elsewhere.
            let first = folded(name.split("::").next().unwrap_or_default());
            let named = self.watched.iter().filter(|(folded, _)| *folded == first);
            self.seen.extend(named.map(|(_, target)| target.clone()));
        }
    }

    /// The watched targets on which no test ran.
    pub(crate) fn untested(&self) -> Vec<&str> {
        let all = self.watched.iter().map(|(_, target)| target.as_str());
        all.filter(|target| !self.seen.contains(*target)).collect()
    }

    /// The closing line.
    pub(crate) fn closing_line(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    fn read_count(&mut self, part: &str) {
        let Some((number, what)) = part.split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match what {
            "passed" => self.passed += number,
            "failed" => self.failed += number,
            "ignored" => self.ignored += number,
            _ => {}
        }
    }
}

/// The name in a line such as `test scenario::postgres-18 ... ok`, unless the test was passed over.
fn executed_test(line: &str) -> Option<&str> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    (outcome.starts_with("ok") || outcome.starts_with("FAILED")).then_some(name)
}

/// Test names may spell `mariadb-10.11` with underscores.
fn folded(name: &str) -> String {
    name.replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str, targets: &[&str]) -> Summary {
        let mut summary = Summary::watching(targets.iter().map(|target| (*target).to_owned()));
        output.lines().for_each(|line| summary.read_line(line));
        summary
    }

    #[test]
    fn every_program_counts() {
        let summary = read(
            "running 2 tests\n\
             test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.52s\n\
             test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n",
            &[],
        );
        assert_eq!((summary.passed, summary.failed, summary.ignored), (16, 2, 3));
        assert_eq!(summary.closing_line(), "16 passed, 2 failed");
    }

    #[test]
    fn other_lines_count_nothing() {
        let summary = read("5 passed, 1 failed\n  test result: ok. 9 passed\ntest result: unknown\n", &[]);
        assert_eq!(summary, Summary::default());
    }

    #[test]
    fn a_target_without_an_executed_test_is_told() {
        let summary = read(
            "test postgres-18::deploying::a_second_deploy_is_a_no_op ... ok\n\
             test mariadb_10_11::deploying::a_second_deploy_is_a_no_op ... FAILED\n\
             test sql::sqlite::quotes ... ok\n\
             test sqlite::deploying::a_second_deploy_is_a_no_op ... ignored\n",
            &["postgres-18", "mariadb-10.11", "sqlite", "mysql-9.7"],
        );
        assert_eq!(summary.untested(), ["sqlite", "mysql-9.7"]);
    }
}
