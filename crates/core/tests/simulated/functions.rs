//! Migrations that are functions of the program, in a transaction and outside of any.

use crate::faults::Case;
use crate::{migrations, mysql, postgres, sqlite};
use windlass_core::migration::{Migration, TransactionMode};
use windlass_core::source::Migrations;

/// Functions between scripts. `within` is how the drivers of the database add one that runs in a transaction.
pub(crate) fn shapes(within: TransactionMode) -> Migrations {
    let functions = [
        Migration::in_rust("2_within", 1).with_mode(within),
        Migration::in_rust("3_outside", 1).with_mode(TransactionMode::Off),
        Migration::in_rust("5_last", 7).with_mode(within),
    ];
    migrations(&[
        ("1_create.sql", "CREATE TABLE a (n int);"),
        ("4_data.sql", "INSERT INTO a VALUES (1); UPDATE a SET n = n + 1;"),
        ("R__view.sql", "CREATE VIEW v AS SELECT 1;"),
    ])
    .with_rust(&functions)
    .expect("a set with functions")
}

#[test]
fn every_call_fails_in_turn_in_functions_of_the_program() {
    let cases = [
        (postgres(), TransactionMode::Automatic),
        (sqlite(), TransactionMode::Automatic),
        (mysql(), TransactionMode::Required),
    ];
    for (capabilities, within) in cases {
        let case = Case::of(capabilities, shapes(within));
        assert_eq!(case.whole.len(), 1 + 2 + 2 + 2 + 2 + 1, "{:?}", case.whole);
        let totals = case.every_fault();
        totals.tell(&format!("{}, functions", case.product()), 300);
        assert!(
            totals.blocked > 0,
            "a function outside of a transaction is for a person to settle: {totals:?}"
        );
    }
}
