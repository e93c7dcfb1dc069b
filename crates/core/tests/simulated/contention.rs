//! What others hold is tried again, so many times, and nothing is done twice.

use crate::faults::Case;
use crate::{functions, migrations, mysql, mysql_shapes, postgres, ready, repeated, shapes, sqlite};
use windlass_core::apply::{DeployError, Event, Observer, Silent};
use windlass_core::driver::Driver;
use windlass_core::migration::TransactionMode;
use windlass_core::sim::{Fault, Mode, SimDatabase};

/// Whether the call that fails is a statement that may have worked before it waited.
fn may_have_worked(error: &DeployError) -> bool {
    match error {
        DeployError::Statement(failed) => {
            ["held by others", "deadlock"].iter().any(|words| failed.error.message.contains(words))
        }
        DeployError::Contended(contention) => contention.statement.contains("CONCURRENTLY"),
        _ => false,
    }
}

#[test]
fn what_others_hold_is_tried_again_and_nothing_is_done_twice() {
    let cases = [
        Case::of(postgres(), shapes()),
        Case::of(mysql(), mysql_shapes()),
        Case::of(postgres(), functions::shapes(TransactionMode::Automatic)),
        Case::of(sqlite(), functions::shapes(TransactionMode::Automatic)),
        Case::of(mysql(), functions::shapes(TransactionMode::Required)),
        Case::of(postgres(), repeated::shapes()),
        Case::of(mysql(), repeated::shapes()),
        Case::of(sqlite(), repeated::shapes()),
    ];
    let modes = [Mode::Busy, Mode::GaveWay];
    for (case, mode) in cases.iter().flat_map(|case| modes.map(|mode| (case, mode))) {
        let (mut went_on, mut not) = (0, 0);
        for call in 0..case.calls {
            let told = format!("{:?} call {call} {mode:?}", case.product());
            let database = SimDatabase::new();
            let mut driver = case.connect(&database, vec![Fault { call, mode }]);
            let mut seen = Seen::default();
            let result = case.run_with(&mut driver, "busy", 3, &mut seen);
            assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
            let _ = ready(driver.unlock());
            drop(driver);
            match result {
                Ok(()) if seen.contended == 1 => {
                    went_on += 1;
                    assert_eq!(database.effects(), case.whole, "{told}");
                }
                Ok(()) => {
                    assert_eq!(call, case.calls - 1, "{told}: only giving the lock back may fail unnoticed")
                }
                // What reads the history waits for nobody.
                Err(DeployError::Driver(_)) => {}
                Err(error) => {
                    assert!(may_have_worked(&error), "{told}: {error:?}");
                    not += 1;
                }
            }
            case.judge(&database, &told);
        }
        assert!(went_on > 20 && not < went_on / 4, "{:?}: {went_on} {not}", case.product());
    }
}

#[test]
fn tries_that_are_used_up_block_no_later_deploy() {
    for case in [Case::of(postgres(), shapes()), Case::of(mysql(), mysql_shapes())] {
        let mut given_up = 0;
        for call in 0..case.calls {
            let told = format!("{:?} call {call} busy through all tries", case.product());
            let database = SimDatabase::new();
            let mut driver = case.connect(&database, vec![Fault { call, mode: Mode::Busy }]);
            let result = case.run_with(&mut driver, "busy", 1, &mut Silent);
            assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
            let _ = ready(driver.unlock());
            drop(driver);
            if let Err(DeployError::Contended(contention)) = result {
                given_up += 1;
                assert_eq!(
                    (contention.tries, contention.holder.session.as_deref()),
                    (1, Some("7")),
                    "{told}"
                );
                assert!(database.attempts().iter().all(|attempt| attempt.error.is_none()), "{told}");
                let is_doubtful = is_doubtful(&database);
                let blocked = case.judge(&database, &told);
                let own_write = contention.number == 0 || !contention.statement.is_empty();
                assert!(own_write && !blocked || is_doubtful, "{told}: the next deploy is blocked");
            }
        }
        assert!(given_up > 20, "{:?}: {given_up}", case.product());
    }
}

/// A checkpoint that could not be written leaves what ran before it in doubt where no look tells.
fn is_doubtful(database: &SimDatabase) -> bool {
    database.attempts().iter().any(|attempt| attempt.in_flight.is_some())
}

#[test]
fn pauses_follow_one_another_until_the_tries_are_used_up() {
    let case = Case::of(postgres(), migrations(&[("1_a.sql", "ALTER TABLE a ADD n int")]));
    let database = SimDatabase::new();
    let faults = (0..case.calls * 9).filter(|call| *call >= 3).map(|call| Fault { call, mode: Mode::Busy });
    let mut driver = case.connect(&database, faults.collect());
    let mut seen = Seen::default();
    let result = case.run_with(&mut driver, "busy", 4, &mut seen);
    let Err(DeployError::Contended(contention)) = result else { panic!("{result:?}") };
    assert_eq!((contention.tries, contention.of_tries, seen.contended), (4, 4, 3));
    assert_eq!(contention.statement, "ALTER TABLE a ADD n int");
    assert_eq!(database.attempts(), []);
}

#[derive(Default)]
struct Seen {
    contended: usize,
}

impl Observer for Seen {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Contended { contention, .. } = event {
            self.contended += 1;
            let who = contention.holder.who.as_deref().unwrap_or_default();
            assert!(contention.holder.session.as_deref() == Some("7") || who.contains("deadlock"), "{who}");
        }
    }
}
