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
        let mut row = |cells: [String; 6]| {
            let [target, fault, points, equal, blocked, wrong] = cells;
            writeln!(formatter, "{target:<14} {fault:<28} {points:>7} {equal:>7} {blocked:>14} {wrong:>6}")
        };
        row(["database", "fault", "points", "equal", "blocked, truly", "wrong"].map(str::to_owned))?;
        let mut sums = [0; 4];
        let mut shapes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in lines {
            let blocked = line.blocked.values().sum();
            let counts = [line.points, line.equal, blocked, line.wrong];
            let [points, equal, blocked, wrong] = counts.map(|count| count.to_string());
            row([line.target.clone(), line.fault.clone(), points, equal, blocked, wrong])?;
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            for (shape, count) in &line.blocked {
                *shapes.entry((&line.target, shape)).or_default() += count;
            }
        }
        let [points, equal, blocked, wrong] = sums.map(|sum| sum.to_string());
        row(["all".to_owned(), String::new(), points, equal, blocked, wrong])?;
        for ((target, shape), count) in shapes {
            writeln!(formatter, "blocked: {target}: {shape}: {count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_and_shapes_are_listed() {
        let line = |target: &str, wrong: usize| {
            let blocked = r#"{"9_call statement 1 in doubt":2}"#;
            format!(
                r#"{{"target":"{target}","fault":"cut","points":9,"equal":6,"blocked":{blocked},"wrong":{wrong}}}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("totals");
        assert!(Totals::read(&file).unwrap().is_empty());
        fs::write(&file, format!("{}\n{}\n", line("sqlite", 0), line("mysql-9.7", 1))).unwrap();
        let told = Totals::read(&file).unwrap().to_string();
        assert!(
            told.contains(
                "mysql-9.7      cut                                9       6              2      1"
            ),
            "{told}"
        );
        assert!(
            told.contains(
                "all                                              18      12              4      1"
            ),
            "{told}"
        );
        assert!(told.ends_with("blocked: sqlite: 9_call statement 1 in doubt: 2\n"), "{told}");
        fs::write(&file, "nonsense").unwrap();
        assert!(Totals::read(&file).is_err());
    }
}
