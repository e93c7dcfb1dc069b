//! Partitions of MySQL and MariaDB. Pure.
//!
//! In which order they are is told by what they hold, and of those by hash by their names.

use super::super::{Product, property};
use super::text::{identifier, parts, string};
use super::{Unwritable, parts_of};
use crate::schema::{Key, Properties, Schema};

/// How a table is partitioned; nothing where it is not.
pub(super) fn clause(
    schema: &Schema,
    product: Product,
    key: &Key,
    table: &Properties,
) -> Result<String, Unwritable> {
    let Some(by) = property(table, "partitioned by") else { return Ok(String::new()) };
    if by.starts_with("SYSTEM_TIME") {
        return Err("its server does not tell how long its partitions are filled");
    }
    let mut all: Vec<_> = parts_of(schema, &key.name, "partition").collect();
    all.sort_by_cached_key(|(key, properties)| (bounds(by, properties), by_number(&key.name)));
    let mut lines = Vec::with_capacity(all.len());
    for (partition, properties) in all {
        let mut subs: Vec<_> = parts_of(schema, &key.name, "subpartition")
            .filter(|(_, sub)| property(sub, "of") == Some(&partition.name))
            .collect();
        subs.sort_by_cached_key(|(sub, _)| by_number(&sub.name));
        let mut line = self::partition(product, by, partition, properties)?;
        if !subs.is_empty() {
            let subs: Vec<_> =
                subs.into_iter().map(|(sub, properties)| subpartition(sub, properties)).collect();
            line.push_str(&format!(" ({})", subs.join(", ")));
        }
        lines.push(line);
    }
    let sub_by =
        property(table, "subpartitioned by").map(|by| format!("\nSUBPARTITION BY {by}")).unwrap_or_default();
    Ok(format!("PARTITION BY {by}{sub_by} (\n  {}\n)", lines.join(",\n  ")))
}

/// A partition's line, without what is part of it.
pub(super) fn partition(
    product: Product,
    by: &str,
    key: &Key,
    properties: &Properties,
) -> Result<String, Unwritable> {
    let mut text = format!("PARTITION {}", identifier(&key.name));
    match property(properties, "values") {
        None => {}
        Some(values) if by.starts_with("RANGE") => text.push_str(&format!(" VALUES LESS THAN ({values})")),
        Some("MAXVALUE") => text.push_str(" DEFAULT"),
        Some("0") if product == Product::MariaDb && by.starts_with("LIST (") => {
            return Err("its server tells the same of one for 0 and of one for all else");
        }
        Some(values) => text.push_str(&format!(" VALUES IN ({values})")),
    }
    text.push_str(&rest(properties));
    Ok(text)
}

pub(super) fn subpartition(key: &Key, properties: &Properties) -> String {
    format!("SUBPARTITION {}{}", identifier(&key.name), rest(properties))
}

fn rest(properties: &Properties) -> String {
    let tablespace =
        property(properties, "tablespace").map(|name| format!(" TABLESPACE = {}", identifier(name)));
    let comment = property(properties, "comment").map(|comment| format!(" COMMENT = {}", string(comment)));
    [tablespace, comment].into_iter().flatten().collect()
}

/// A value below which rows go into a partition.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Null,
    Number(i128),
    /// Without regard to case first: most collations have none.
    Text(String, String),
    Greatest,
}

fn bounds(by: &str, partition: &Properties) -> Vec<Bound> {
    if !by.starts_with("RANGE") {
        return Vec::new();
    }
    let values = property(partition, "values").unwrap_or_default();
    let bound = |value: &str| match (value, value.parse()) {
        ("MAXVALUE", _) => Bound::Greatest,
        ("NULL", _) => Bound::Null,
        (_, Ok(number)) => Bound::Number(number),
        (text, _) => Bound::Text(text.to_lowercase(), text.to_owned()),
    };
    parts(values).into_iter().map(bound).collect()
}

/// `p10` comes behind `p9`.
fn by_number(name: &str) -> (&str, usize, &str) {
    let (word, digits) = name.split_at(name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len());
    (word, digits.trim_start_matches('0').len(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_in_the_order_of_their_bounds() {
        let in_order = |by: &str, values: [&str; 3]| {
            let all = values.map(|values| bounds(by, &[("values".to_owned(), values.to_owned())].into()));
            all.is_sorted()
        };
        assert!(in_order("RANGE (`a`)", ["-1", "10", "MAXVALUE"]));
        assert!(!in_order("RANGE (`a`)", ["10", "9", "MAXVALUE"]));
        assert!(in_order(
            "RANGE COLUMNS (`a`,`b`)",
            ["'a','2020-01-01'", "'B','2019-01-01'", "MAXVALUE,MAXVALUE"]
        ));
        assert!(by_number("p9") < by_number("p10") && by_number("p10") < by_number("q1"));
    }
}
