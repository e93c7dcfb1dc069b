//! What the database works out when an object is made, `DEFAULT 'today'`, say: the same text makes another each time, so
//! that two replays differ and nobody did anything. Pure.

use crate::migration::Migration;
use crate::schema::{Change, Difference, Key};
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind, tokens};
use std::collections::BTreeSet;

/// PostgreSQL: what a literal of a date or a time may say; it is worked out when the statement is read.
const MOMENTS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// What may stand in the bounds of a partition (PostgreSQL), which are worked out as well, and in the schedule of an event
/// (MySQL and MariaDB).
const CALLS: [&str; 9] = [
    "now",
    "current_date",
    "current_timestamp",
    "current_time",
    "localtimestamp",
    "localtime",
    "clock_timestamp",
    "statement_timestamp",
    "nextval",
];

/// The statements of migrations that have something worked out.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkedOut {
    all: Vec<Evaluating>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Evaluating {
    /// Its words and names, in lower case.
    words: BTreeSet<String>,
    /// Those between the commas that what is worked out stands between.
    near: BTreeSet<String>,
    /// Whether numbers, too, may be what came of it.
    numbers: bool,
}

impl WorkedOut {
    pub(crate) fn of<'m>(migrations: impl IntoIterator<Item = &'m Migration>, dialect: Dialect) -> Self {
        let texts = migrations.into_iter().flat_map(|migration| {
            let statements = migration.statements(dialect).unwrap_or_default();
            statements.into_iter().map(|statement| statement.text(migration.up().text()))
        });
        Self { all: texts.flat_map(|text| evaluating(dialect, text)).collect() }
    }

    /// The differences, each that is about nothing else told as what it is.
    pub(crate) fn told(&self, mut differences: Vec<Difference>) -> Vec<Difference> {
        for Difference { key, change, .. } in &mut differences {
            match change {
                Change::Changed(properties) if self.explains(key, properties) => {
                    *change = Change::WorkedOut(std::mem::take(properties));
                }
                _ => {}
            }
        }
        differences
    }

    fn explains(&self, key: &Key, properties: &[(String, Option<String>, Option<String>)]) -> bool {
        let (name, table) = (key.name.to_lowercase(), key.table.to_lowercase());
        let is_about = |it: &Evaluating| match key.kind.as_str() {
            "column" => it.words.contains(&table) && it.near.contains(&name),
            _ => it.words.contains(&name) || !table.is_empty() && it.words.contains(&table),
        };
        let is_one = |it: &Evaluating| {
            properties.iter().all(|(property, before, now)| match (before, now) {
                // Of two that are not shown nobody knows in what they differ.
                (Some(before), Some(now)) if before != now => {
                    let numbers = it.numbers && property == "partition";
                    property != "type" && without_moments(before, numbers) == without_moments(now, numbers)
                }
                _ => false,
            })
        };
        self.all.iter().any(|it| is_about(it) && is_one(it))
    }
}

/// A piece of a statement for each thing in it that is worked out.
fn evaluating(dialect: Dialect, text: &str) -> Vec<Evaluating> {
    let all: Vec<Token<'_>> = tokens(dialect, text).filter(|token| token.kind.is_significant()).collect();
    let has = |word: &str| all.iter().any(|token| token.is_word(word));
    let calls = match dialect {
        Dialect::Postgres => has("PARTITION"),
        // The first start of an event is the moment in which it is made, where nothing is said of it.
        Dialect::MySql => has("EVENT") && has("SCHEDULE"),
        Dialect::Sqlite => return Vec::new(),
    };
    let is_moment = |token: &Token<'_>| {
        let content = || token.text.trim_matches('\'').trim().to_lowercase();
        dialect == Dialect::Postgres
            && token.kind == TokenKind::String
            && MOMENTS.iter().any(|moment| content().starts_with(moment))
    };
    let is_call = |token: &Token<'_>| calls && CALLS.iter().any(|call| token.is_word(call));
    let words: BTreeSet<String> = all.iter().filter_map(word).collect();
    let pieces = all.split(|token| token.is_punctuation(","));
    let is_event = calls && dialect == Dialect::MySql;
    let worked_out =
        pieces.filter(|piece| is_event || piece.iter().any(|token| is_moment(token) || is_call(token)));
    let one = |piece: &[Token<'_>]| Evaluating {
        words: words.clone(),
        near: piece.iter().filter_map(word).collect(),
        numbers: calls && dialect == Dialect::Postgres,
    };
    worked_out.map(one).collect()
}

fn word(token: &Token<'_>) -> Option<String> {
    match token.kind {
        TokenKind::Word => Some(token.text.to_lowercase()),
        TokenKind::QuotedIdentifier => Some(token.text.trim_matches(['"', '`']).to_lowercase()),
        _ => None,
    }
}

/// The value with one sign in place of each moment: what begins with a year or an hour and goes on as dates and times do;
/// of each number too, where those may be meant.
fn without_moments(value: &str, numbers: bool) -> String {
    let mut plain = String::new();
    let mut rest = value;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !(c.is_ascii_digit() || "-:.+ ".contains(c))).unwrap_or(from.len());
        let run = from[..end].trim_end();
        let is_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_moment = run.len() >= 8 && run.contains(['-', ':']);
        plain.push_str(before);
        plain.push_str(if !is_name && (is_moment || numbers) { "…" } else { run });
        rest = &from[run.len()..];
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::Script;
    use crate::schema::{Schema, differences};

    fn told(dialect: Dialect, script: &'static str, replayed: &str, live: &str) -> Vec<String> {
        let migration = Migration::new("1_a", Script::new("1_a.sql", script));
        let [replayed, live] = [replayed, live].map(|text| Schema::parse(&format!("\n{text}")).unwrap());
        let all = WorkedOut::of([&migration], dialect).told(differences(&replayed, &live));
        all.iter()
            .map(|difference| format!("{}{difference}", if difference.counts() { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn what_was_worked_out_is_told_as_that() {
        let table =
            "CREATE TABLE t (id int DEFAULT 7, d date DEFAULT 'today', at timestamptz DEFAULT 'NOW');";
        let column = |name: &str, value: &str| format!("column\tpublic\tt\t{name}\tdefault={value}");
        let told = |before: &str, now: &str| told(Dialect::Postgres, table, before, now);
        assert_eq!(
            told(&column("d", "'2026-11-01'::date"), &column("d", "'2026-11-28'::date")),
            [
                "column public.t.d: default is worked out when it is made, to '2026-11-01'::date in the replay \
                 and '2026-11-28'::date here"
            ]
        );
        let moments =
            ["'2026-11-01 10:00:00.12+00'::timestamptz", "'2026-11-28 11:00:00.123456+00'::timestamptz"];
        assert!(told(&column("at", moments[0]), &column("at", moments[1]))[0].contains("worked out"));
        // Another column's is no moment, nor another object's, nor another expression.
        for (before, now) in [
            (column("id", "7"), column("id", "8")),
            (column("id", "'2026-11-01'::date"), column("id", "'2026-11-28'::date")),
            (column("d", "'2026-11-01'::date"), column("d", "('2026-11-28'::date + 1)")),
            (column("d", "'2026-11-01'::date"), String::new()),
        ] {
            assert!(told(&before, &now)[0].starts_with('!'), "{before} {now}");
        }
        let plain = "CREATE TABLE t (d date DEFAULT '2026-11-01');";
        let by_hand =
            self::told(Dialect::Postgres, plain, &column("d", "'2026-11-01'"), &column("d", "'2026-11-28'"));
        assert!(by_hand[0].starts_with('!'), "{by_hand:?}");
    }

    #[test]
    fn bounds_and_schedules_are_worked_out_as_well() {
        let bounds = "CREATE TABLE p PARTITION OF t FOR VALUES FROM (nextval('s')) TO (9000);";
        let part = |from: &str| format!("table\tpublic\t\tp\tpartition=FOR VALUES FROM ({from}) TO (9000)");
        let seen = told(Dialect::Postgres, bounds, &part("4"), &part("12"));
        assert!(seen[0].contains("partition is worked out"), "{seen:?}");
        let event = "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;";
        let starts = |at: &str| format!("event\t\t\te\tevery=1 DAY\tstarts={at}");
        let seen =
            told(Dialect::MySql, event, &starts("2026-11-01 10:00:00"), &starts("2026-11-28 11:00:00"));
        assert!(seen[0].contains("starts is worked out"), "{seen:?}");
        let every = |n: u8| format!("event\t\t\te\tevery={n} DAY");
        assert!(told(Dialect::MySql, event, &every(1), &every(2))[0].starts_with('!'));
    }
}
