//! Comparison: what differs in an object, in words and, line by line, as it was and as it is.

use crate::output::{BAD, DIM, GOOD, count, shown};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;
use windlass_core::schema::{Against, Change, Difference};

/// A value that is longer is told by its lines alone.
const LONG: usize = 60;

/// So many differences are told one by one.
const FEW: usize = 20;

/// Differences as [`told`], the first of them where they are many.
pub(crate) fn first(differences: &[Difference]) -> impl Iterator<Item = String> + '_ {
    let more = differences.len().saturating_sub(FEW);
    let rest = (more > 0).then(|| format!("  and {}: `--json` has all", count(more, "more difference")));
    let one = |difference: &Difference| format!("  {}", told(difference).replace('\n', "\n  "));
    differences.iter().take(FEW).map(one).chain(rest)
}

/// A difference in words, and below it what was and what is, as `diff -u` shows texts.
pub(crate) fn told(difference: &Difference) -> String {
    let is_long = |value: &String| value.contains('\n') || value.chars().count() > LONG;
    let (head, before, now) = match &difference.change {
        Change::Changed(properties) | Change::WorkedOut(properties) => {
            let values = properties.iter().flat_map(|(_, before, now)| before.iter().chain(now));
            let is_told = |(_, before, now): &(String, Option<String>, Option<String>)| before != now;
            let head = if difference.counts() && values.clone().any(is_long) && properties.iter().all(is_told)
            {
                let names: Vec<_> = properties.iter().map(|(name, ..)| name.as_str()).collect();
                let how = match difference.against {
                    Against::Earlier => "changed",
                    _ => "not as it should be",
                };
                format!("{}: {} {how}", difference.key, names.join(", "))
            } else {
                difference.to_string()
            };
            let before = properties.iter().filter_map(|(name, before, _)| Some((name, before.as_ref()?)));
            let now = properties.iter().filter_map(|(name, _, now)| Some((name, now.as_ref()?)));
            (head, written(before), written(now))
        }
        Change::Added(properties) => (difference.to_string(), String::new(), written(properties)),
        Change::Removed(properties) => (difference.to_string(), written(properties), String::new()),
        // A kind of change that this version does not know.
        _ => (difference.to_string(), String::new(), String::new()),
    };
    let (before, now) = in_sql(difference).unwrap_or((before, now));
    let diff = TextDiff::from_lines(&before, &now);
    let mut told = shown(&head.replace('\n', "\\n")).into_owned();
    for (index, group) in diff.grouped_ops(3).iter().enumerate() {
        if index > 0 {
            let _ = write!(told, "\n    {DIM}…{DIM:#}");
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let line = shown(change.value().trim_end_matches(['\n', '\r'])).into_owned();
            let _ = match change.tag() {
                ChangeTag::Delete => write!(told, "\n    {BAD}- {line}{BAD:#}"),
                ChangeTag::Insert => write!(told, "\n    {GOOD}+ {line}{GOOD:#}"),
                ChangeTag::Equal => write!(told, "\n      {DIM}{line}{DIM:#}"),
            };
        }
    }
    told
}

/// As it was and as it is in SQL, where that tells of what differs.
fn in_sql(difference: &Difference) -> Option<(String, String)> {
    let lines = |sql: &Option<String>| sql.as_ref().map(|sql| format!("{sql}\n"));
    let (before, now) = (lines(&difference.before), lines(&difference.now));
    let is_known = match &difference.change {
        Change::Added(_) => now.is_some(),
        Change::Removed(_) => before.is_some(),
        _ => before.is_some() && now.is_some(),
    };
    (is_known && before != now).then(|| (before.unwrap_or_default(), now.unwrap_or_default()))
}

/// Properties, each on a line, or on lines below its name.
fn written<'p>(properties: impl IntoIterator<Item = (&'p String, &'p String)>) -> String {
    let mut text = String::new();
    for (name, value) in properties {
        if value.contains('\n') {
            text.extend([name, ":\n"]);
            value.lines().for_each(|line| text.extend(["  ", line, "\n"]));
        } else {
            text.extend([name, ": ", value, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::schema::{Schema, differences};

    fn lines(earlier: &str, later: &str) -> Vec<String> {
        let [earlier, later] = [earlier, later].map(|text| Schema::parse(text).expect("a schema"));
        let told: Vec<_> = differences(&earlier, &later).iter().map(told).collect();
        let plain = anstream::adapter::strip_str(&told.join("\n")).to_string();
        plain.lines().map(str::to_owned).collect()
    }

    #[test]
    fn short_values_are_told_in_words_too() {
        let earlier = "\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=int";
        let later = "\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=bigint\ncolumn\t\tship\tname\ttype=text";
        assert_eq!(
            lines(earlier, later),
            [
                "column ship.length: type was int, is bigint",
                "    - type: int",
                "    + type: bigint",
                "column ship.name was added",
                "    + type: text",
            ]
        );
    }

    #[test]
    fn long_ones_are_told_by_the_lines_that_differ() {
        let view = |middle: &str| {
            format!("\nview\t\t\tv\tdefinition=SELECT a,\\n b,\\n c,\\n {middle},\\n e\\n FROM t")
        };
        assert_eq!(
            lines(&view("d"), &view("d + 1")),
            [
                "view v: definition changed",
                "        SELECT a,",
                "         b,",
                "         c,",
                "    -    d,",
                "    +    d + 1,",
                "         e",
                "         FROM t",
            ]
        );
    }

    #[test]
    fn what_can_be_written_in_sql_is() {
        let table = "CREATE TABLE ship ( length int NOT NULL , name text )";
        let later = format!(
            "1 SQLite 3\ntable\t\t\tship\tdefinition={table}\ncolumn\t\tship\tname\ttype=text\tdefault='x'"
        );
        let earlier = later.replace(" text )", " text DEFAULT 'x' )").replace("\tdefault='x'", "");
        assert_eq!(
            lines(&earlier, &later),
            [
                "table ship: definition changed",
                "      CREATE TABLE ship (",
                "        length int NOT NULL,",
                "    -   name text DEFAULT 'x'",
                "    +   name text",
                "      )",
                "column ship.name: default is 'x' now",
                "    - \"name\" text",
                "    + \"name\" text DEFAULT 'x'",
            ]
        );
        assert_eq!(lines("1 SQLite 3", &later)[1], "    + CREATE TABLE ship (");
    }

    #[test]
    fn a_terminal_obeys_nothing_of_it() {
        let hostile = lines("\ntable\t\t\tt", "\ntable\t\t\tt\tcomment=\u{1b}[2Jred");
        assert_eq!(hostile[1], "    + comment: \\u{1b}[2Jred");
        let hostile = lines("", "\ntable\t\t\tt\\nview v was added");
        assert_eq!(hostile, ["table t\\nview v was added was added"]);
    }
}
