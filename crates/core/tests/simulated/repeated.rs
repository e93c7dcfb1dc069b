//! A statement that is run again and again is run as often as it takes, whatever cuts it off.

use crate::faults::Case;
use crate::{migrations, mysql, postgres, run, sqlite};
use windlass_core::apply::DeployError;
use windlass_core::plan::Blocked;
use windlass_core::sim::{Fault, Mode, SimDatabase};
use windlass_core::source::Migrations;

#[test]
fn what_never_ends_is_stopped_at_twice_the_rows_that_were_there() {
    let endless = "CREATE TABLE a (n int);\n-- windlass: repeat\nUPDATE a SET r = 1 WHERE n < 999;";
    let mended =
        "CREATE TABLE a (n int);\n-- windlass: repeat at most 60 rows\nUPDATE a SET r = 1 WHERE n < 30;";
    let database = SimDatabase::new();
    let mut driver = database.connect(postgres(), Vec::new());
    let stopped = run(&mut driver, &migrations(&[("1_a.sql", endless)]), "first");
    let Err(DeployError::Statement(failed)) = stopped else { panic!("{stopped:?}") };
    assert_eq!((failed.touched, failed.number, failed.recorded), (21, 2, true));
    assert!(failed.error.message.contains("twice the 10 rows"), "{failed:?}");
    assert!(failed.hint().contains("repeat at most 42 rows"), "{}", failed.hint());
    drop(driver);
    let mut driver = database.connect(postgres(), Vec::new());
    let blocked = run(&mut driver, &migrations(&[("1_a.sql", endless)]), "second");
    let Err(DeployError::Blocked(Blocked::Failed { attempt, .. })) = blocked else { panic!("{blocked:?}") };
    assert_eq!((attempt.completed, attempt.touched, attempt.row_limit), (1, 21, Some(20)));
    run(&mut driver, &migrations(&[("1_a.sql", mended)]), "third").expect("mended, it goes on");
    assert_eq!(database.effects().iter().filter(|effect| effect.contains("n < 30")).count(), 30);
}

#[test]
fn a_goal_counts_the_rows_of_earlier_runs_too() {
    let goal = "-- windlass: repeat until 5 rows\nUPDATE a SET r = 1 WHERE n < 9;";
    let set = migrations(&[("1_a.sql", goal)]);
    for (call, done) in [(15, 2), (usize::MAX, 5)] {
        let database = SimDatabase::new();
        let mut driver = database.connect(postgres(), vec![Fault { call, mode: Mode::DiedBefore }]);
        assert_eq!(run(&mut driver, &set, "first").is_ok(), done == 5);
        assert_eq!(database.effects().len(), done, "{call}");
        drop(driver);
        run(&mut database.connect(postgres(), Vec::new()), &set, "second").expect("it goes on");
        assert_eq!(database.effects().len(), 5, "{call}");
    }
}

#[test]
fn a_goal_is_met_exactly_wherever_a_run_is_cut_off() {
    let goal = "-- windlass: repeat until 5 rows\nUPDATE a SET r = 1 WHERE n < 9;";
    let set = migrations(&[("1_a.sql", goal)]);
    let calls = Case::of(postgres(), set.clone()).calls;
    for (call, mode) in
        (0..calls).flat_map(|call| [Mode::DiedBefore, Mode::DiedAfter].map(|mode| (call, mode)))
    {
        let database = SimDatabase::new();
        let _ = run(&mut database.connect(postgres(), vec![Fault { call, mode }]), &set, "first");
        run(&mut database.connect(postgres(), Vec::new()), &set, "second").expect("it goes on");
        assert_eq!(database.effects().len(), 5, "call {call} {mode:?}");
    }
}

pub(crate) fn shapes() -> Migrations {
    migrations(&[
        (
            "1_first.sql",
            "-- windlass: repeat\nUPDATE a SET r = 1 WHERE n < 3 LIMIT 1;\nALTER TABLE a ADD r int;\n\
             -- windlass: repeat pause 1s\nDELETE FROM b WHERE n < 2;",
        ),
        (
            "2_data.sql",
            "INSERT INTO a VALUES (1);\n-- windlass: repeat\nUPDATE c SET r = 1 WHERE n < 2 ;\nINSERT INTO b VALUES (2);",
        ),
    ])
}

#[test]
fn every_call_fails_in_turn_in_a_repeated_statement() {
    for capabilities in [postgres(), mysql(), sqlite()] {
        let case = Case::of(capabilities, shapes());
        assert_eq!(case.whole.len(), 3 + 1 + 2 + 1 + 2 + 1, "{:?}", case.whole);
        case.every_fault().tell(&format!("{}, repeated", case.product()), 300);
    }
}
