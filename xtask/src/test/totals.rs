//! The totals of the fault matrices: what each fault on each database came to, as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The variable that names the file where tests write what their matrices came to, a line each.
pub(super) const VARIABLE: &str = "WINDLASS_TEST_TOTALS";

/// What the faults of one kind on one database came to.
#[derive(Debug, Default, Deserialize)]
struct Line {
    target: String,
    fault: String,
    points: usize,
    equal: usize,
    /// By the shape that blocked.
    blocked: BTreeMap<String, usize>,
    /// Of those, how many came to the same end by what they were advised to do.
    advised: usize,
    wrong: usize,
}

/// All of a run.
#[derive(Debug, Default)]
pub(super) struct Totals(Vec<Line>);

impl Totals {
    /// Reads the file; one that is not there holds nothing.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        Ok(Self(lines.with_context(|| format!("{} holds no totals", file.display()))?))
    }

    /// Whether no matrix ran.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<&Line> = self.0.iter().collect();
        lines.sort_by(|a, b| (&a.target, &a.fault).cmp(&(&b.target, &b.fault)));
        let mut row = |cells: [String; 7]| {
            let [target, fault, points, equal, blocked, advised, wrong] = cells;
            writeln!(
                formatter,
                "{target:<14} {fault:<28} {points:>7} {equal:>7} {blocked:>14} {advised:>15} {wrong:>6}"
            )
        };
        let head = ["database", "fault", "points", "equal", "blocked, truly", "advice followed", "wrong"];
        row(head.map(str::to_owned))?;
        let mut sums = [0; 5];
        let mut shapes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in lines {
            let blocked = line.blocked.values().sum();
            let counts = [line.points, line.equal, blocked, line.advised, line.wrong];
            row(cells(&line.target, &line.fault, counts))?;
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            for (shape, count) in &line.blocked {
                *shapes.entry((&line.target, shape)).or_default() += count;
            }
        }
        row(cells("all", "", sums))?;
        for ((target, shape), count) in shapes {
            writeln!(formatter, "blocked: {target}: {shape}: {count}")?;
        }
        Ok(())
    }
}

/// A row. Of what blocked, it is told how often the advice was right.
fn cells(target: &str, fault: &str, counts: [usize; 5]) -> [String; 7] {
    let [points, equal, blocked, advised, wrong] = counts;
    let followed = format!("{advised}/{blocked}");
    let [points, equal, blocked, wrong] = [points, equal, blocked, wrong].map(|count| count.to_string());
    [target.to_owned(), fault.to_owned(), points, equal, blocked, followed, wrong]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_and_shapes_are_listed() {
        let line = |target: &str, wrong: usize| {
            let blocked = r#"{"9_call statement 1 in doubt":2}"#;
            format!(
                r#"{{"target":"{target}","fault":"cut","points":9,"equal":6,"blocked":{blocked},"advised":2,"wrong":{wrong}}}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("totals");
        assert!(Totals::read(&file).unwrap().is_empty());
        fs::write(&file, format!("{}\n{}\n", line("sqlite", 0), line("mysql-9.7", 1))).unwrap();
        let told = Totals::read(&file).unwrap().to_string();
        assert!(
            told.contains(
                "mysql-9.7      cut                                9       6              2             2/2      1"
            ),
            "{told}"
        );
        assert!(
            told.contains(
                "all                                              18      12              4             4/4      1"
            ),
            "{told}"
        );
        assert!(told.ends_with("blocked: sqlite: 9_call statement 1 in doubt: 2\n"), "{told}");
        fs::write(&file, "nonsense").unwrap();
        assert!(Totals::read(&file).is_err());
    }
}
