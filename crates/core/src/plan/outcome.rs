//! What an interrupted or refused statement may leave, and what a look at its objects tells.

use super::Execute;
use crate::driver::{Capabilities, Product};
use crate::sql::classify::{Effect, Facts, Objects, Transaction, classify};

/// Whether the objects that a statement names look otherwise once it is done, and it is done whole or not at all.
pub(super) fn shows(capabilities: &Capabilities, facts: &Facts, sql: &str) -> bool {
    if capabilities.product == Product::PostgreSql {
        return shows_on_postgres(facts);
    }
    let words = leading_words(sql, 40);
    let first = words.first().map_or("", String::as_str);
    let has = |word: &str| words.iter().any(|w| w == word);
    let Objects::Known(names) = &facts.objects else { return false };
    if facts.effect != Effect::Schema || names.is_empty() || names.iter().any(|name| name.schema.is_some()) {
        return false;
    }
    match (capabilities.product, first) {
        // A DROP of several objects is not atomic there.
        (Product::MariaDb, "DROP") => !sql.contains(','),
        // CREATE OR REPLACE is not atomic there either.
        (Product::MariaDb, "CREATE") if has("REPLACE") => false,
        (_, "CREATE") => {
            !has("SELECT") || ["VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"].into_iter().any(has)
        }
        // These move rows, and leave the definitions as they were.
        (_, "ALTER") => !["EXCHANGE", "TRUNCATE", "DISCARD", "IMPORT"].into_iter().any(has),
        (_, "DROP" | "RENAME") => true,
        _ => false,
    }
}

/// What can be in a transaction needs no look there. A name may have a schema: an object is found by it.
///
/// These are not done at once, but what they leave when they are cut off is known for what it is.
fn shows_on_postgres(facts: &Facts) -> bool {
    const SHOWING: [&str; 3] =
        ["CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY", "ALTER TABLE … DETACH"];
    let Transaction::Outside(why) = facts.transaction else { return false };
    matches!(&facts.objects, Objects::Known(names) if !names.is_empty())
        && SHOWING.iter().any(|showing| why.starts_with(showing))
}

/// Whether running a statement again changes nothing that its first run did not.
pub(super) fn repeats_harmlessly(execute: &Execute<'_>) -> bool {
    let words = leading_words(execute.sql, 40);
    let has = |word: &str| words.iter().any(|w| w == word);
    match words.first().map_or("", String::as_str) {
        "VACUUM" | "ANALYZE" | "ANALYSE" | "OPTIMIZE" | "CHECK" | "REPAIR" | "FLUSH" | "GRANT" | "REVOKE"
        | "SET" | "COMMENT" | "PRAGMA" | "REFRESH" | "REINDEX" => true,
        // An index whose build was cut short stands, and is invalid: IF NOT EXISTS would leave it so.
        "CREATE" if has("CONCURRENTLY") => false,
        "CREATE" | "DROP" if has("SELECT") => false,
        "CREATE" | "DROP" => words.iter().take(4).any(|word| word == "IF") && has("EXISTS"),
        _ => false,
    }
}

/// The first words of a statement, in capitals.
pub(super) fn leading_words(sql: &str, most: usize) -> Vec<String> {
    let words = sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).take(most).map(str::to_ascii_uppercase).collect()
}

/// Whether a refusal of this statement, outside a transaction, is known to leave nothing of it behind.
pub(crate) fn refusal_leaves_nothing(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    let facts = classify(capabilities.dialect, execute.sql);
    let known = facts.effect != Effect::Unknown && facts.objects != Objects::Unknown;
    match capabilities.product {
        // Code that a DO or CALL runs may have committed before it failed.
        Product::PostgreSql => known && !builds_concurrently(&facts),
        // Atomic DDL since MySQL 8.0.
        Product::MySql => known && (facts.effect == Effect::Schema || facts.effect == Effect::Session),
        // Crash-safe DDL since MariaDB 10.6, of one object at a time and without OR REPLACE.
        Product::MariaDb => {
            let one = matches!(&facts.objects, Objects::Known(names) if names.len() <= 1);
            let replaces = leading_words(execute.sql, 3).iter().any(|word| word == "REPLACE");
            let drops = leading_words(execute.sql, 1).iter().any(|word| word == "DROP");
            let atomic = (one || !drops) && !replaces;
            known && (facts.effect == Effect::Session || (facts.effect == Effect::Schema && atomic))
        }
        Product::Sqlite => true,
    }
}

/// Whether a refusal of this statement, outside a transaction, leaves something that is known for what it is.
pub(crate) fn refusal_leaves_remnant(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    let facts = classify(capabilities.dialect, execute.sql);
    capabilities.product == Product::PostgreSql && builds_concurrently(&facts)
}

/// A concurrent build that fails leaves an invalid index behind.
fn builds_concurrently(facts: &Facts) -> bool {
    matches!(facts.transaction, Transaction::Outside(why) if why.contains("CONCURRENTLY"))
}
