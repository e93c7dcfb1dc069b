//! What an interrupted or refused statement may leave, and what a look at its objects tells.

use super::Execute;
use crate::driver::{Capabilities, DatabaseError, Product};
use crate::sql::Dialect;
use crate::sql::classify::{Concurrently, Definition, Effect, Facts, Objects, classify, replaces_table};

/// Whether the objects that a statement names look otherwise once it is done, and it is done whole or not at all.
pub(super) fn shows(capabilities: &Capabilities, facts: &Facts) -> bool {
    if capabilities.product == Product::PostgreSql {
        return shows_on_postgres(facts);
    }
    let Objects::Known(names) = &facts.objects else { return false };
    if facts.effect != Effect::Schema || names.is_empty() || names.iter().any(|name| name.schema.is_some()) {
        return false;
    }
    match (capabilities.product, facts.definition) {
        // A DROP of several objects is not atomic there.
        (Product::MariaDb, Some(Definition::Drop)) => names.len() == 1,
        // CREATE OR REPLACE is not atomic there either.
        (Product::MariaDb, Some(Definition::Replace)) => false,
        (
            _,
            Some(
                Definition::Create
                | Definition::Replace
                | Definition::Alter
                | Definition::Drop
                | Definition::Rename,
            ),
        ) => true,
        _ => false,
    }
}

/// What can be in a transaction needs no look there. A name may have a schema: an object is found by it.
///
/// These are not done at once, but what they leave when they are cut off is known for what it is.
fn shows_on_postgres(facts: &Facts) -> bool {
    use Concurrently::{CreateIndex, DetachPartition, DropIndex};
    matches!(&facts.objects, Objects::Known(names) if !names.is_empty())
        && matches!(facts.concurrently, Some(CreateIndex | DropIndex | DetachPartition))
}

/// Whether a refusal of this statement, outside a transaction, is known to leave nothing of it behind.
pub(crate) fn refusal_leaves_nothing(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    if execute.migration.is_rust() {
        // It may have done one thing, and failed at the next.
        return false;
    }
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
            let atomic = match facts.definition {
                // What is no table is replaced whole, or is as it was.
                Some(Definition::Replace | Definition::Refill) => {
                    !replaces_table(capabilities.dialect, execute.sql)
                }
                Some(Definition::Drop) => one,
                _ => true,
            };
            known && (facts.effect == Effect::Session || (facts.effect == Effect::Schema && atomic))
        }
        Product::Sqlite => true,
    }
}

/// Whether a definition was refused before the server began with it: its text is none. Code may have such a text run behind
/// others.
pub(crate) fn is_never_begun(
    capabilities: &Capabilities,
    execute: &Execute<'_>,
    error: &DatabaseError,
) -> bool {
    /// ER_PARSE_ERROR of MySQL and MariaDB.
    const PARSE_ERROR: &str = "1064 ";
    capabilities.dialect == Dialect::MySql
        && error.code.as_deref().is_some_and(|code| code.starts_with(PARSE_ERROR))
        && !execute.migration.is_rust()
        && classify(capabilities.dialect, execute.sql).effect == Effect::Schema
}

/// Whether it adds a value to an enum, which cannot be used before its commit.
pub(crate) fn adds_enum_value(dialect: Dialect, execute: &Execute<'_>) -> bool {
    classify(dialect, execute.sql).enum_value.is_some()
}

/// Whether a refusal of this statement, outside a transaction, leaves something that is known for what it is.
pub(crate) fn refusal_leaves_remnant(capabilities: &Capabilities, execute: &Execute<'_>) -> bool {
    let facts = classify(capabilities.dialect, execute.sql);
    capabilities.product == Product::PostgreSql && builds_concurrently(&facts)
}

/// What works in several transactions leaves what the first of them did: an invalid index, a pending detachment.
fn builds_concurrently(facts: &Facts) -> bool {
    facts.concurrently.is_some()
}
