//! Every driver call fails in turn, and the recovery's calls too; the next deploys are judged on a live session.

use crate::{options, ready};
use windlass_core::apply::{DeployError, DeployOptions, Observer, Silent, Stop, deploy, diagnose, resolve};
use windlass_core::diagnosis::{Action, Choice};
use windlass_core::driver::{Capabilities, Driver, Product};
use windlass_core::history::{InFlight, State};
use windlass_core::plan::{Blocked, Resolution};
use windlass_core::sim::{Fault, Mode, SimDatabase, SimDriver};
use windlass_core::source::Migrations;

const DEADLY: [Mode; 4] = [Mode::Refused, Mode::DiedBefore, Mode::DiedWithin, Mode::DiedAfter];

/// Migrations on a database that can do so much, and what the uninterrupted run of them comes to.
pub(crate) struct Case {
    capabilities: Capabilities,
    migrations: Migrations,
    options: DeployOptions,
    /// What it leaves.
    pub(crate) whole: Vec<String>,
    /// How many calls it makes.
    pub(crate) calls: usize,
}

impl Case {
    pub(crate) fn of(capabilities: Capabilities, migrations: Migrations) -> Self {
        Self::with(capabilities, migrations, options("first"))
    }

    /// All of it in one transaction.
    pub(crate) fn in_one_transaction(capabilities: Capabilities, migrations: Migrations) -> Self {
        let mut options = options("first");
        options.plan.single_transaction = true;
        Self::with(capabilities, migrations, options)
    }

    fn with(capabilities: Capabilities, migrations: Migrations, options: DeployOptions) -> Self {
        let mut case = Self { capabilities, migrations, options, whole: Vec::new(), calls: 0 };
        let database = SimDatabase::new();
        let mut driver = case.connect(&database, Vec::new());
        case.run(&mut driver, "whole").expect("an uninterrupted deploy");
        case.calls = driver.calls();
        drop(driver);
        case.whole = database.effects();
        case
    }

    pub(crate) fn product(&self) -> Product {
        self.capabilities.product
    }

    pub(crate) fn connect(&self, database: &SimDatabase, faults: Vec<Fault>) -> SimDriver {
        database.connect(self.capabilities.clone(), faults)
    }

    pub(crate) fn run(&self, driver: &mut SimDriver, owner: &str) -> Result<(), DeployError> {
        self.run_with(driver, owner, 10, &mut Silent)
    }

    pub(crate) fn run_with(
        &self,
        driver: &mut SimDriver,
        owner: &str,
        tries: u32,
        observer: &mut dyn Observer,
    ) -> Result<(), DeployError> {
        let mut options = self.options.clone();
        options.run.owner = owner.to_owned();
        options.lock_tries = tries;
        ready(deploy(driver, &self.migrations, &options, observer, &Stop::new())).map(|_| ())
    }

    /// After a fault the next deploys must end in the uninterrupted run's state, or block with a true diagnosis.
    pub(crate) fn judge(&self, database: &SimDatabase, told: &str) -> bool {
        let whole = &self.whole;
        assert!(!database.is_locked(), "{told}: the lock is left");
        let mut driver = self.connect(database, Vec::new());
        let result = self.run(&mut driver, "next");
        assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
        drop(driver);
        let effects = database.effects();
        match result {
            Ok(()) => {
                self.is_whole(database, told);
                false
            }
            Err(DeployError::Blocked(Blocked::InDoubt { attempt, in_flight, .. })) => {
                assert!(
                    whole.starts_with(&effects),
                    "{told}: blocked, and something ran twice or out of turn: {effects:#?}"
                );
                assert!(in_flight.first > attempt.completed, "{told}: what completed is not in doubt");
                self.follow(database, told);
                true
            }
            Err(DeployError::Blocked(Blocked::Failed { attempt, .. })) => {
                assert!(attempt.error.is_some(), "{told}: failed without the database's words");
                assert!(
                    whole.starts_with(&effects),
                    "{told}: blocked, and something ran twice or out of turn: {effects:#?}"
                );
                self.follow(database, told);
                true
            }
            Err(error) => panic!("{told}: {error:?}"),
        }
    }

    fn is_whole(&self, database: &SimDatabase, told: &str) {
        assert_eq!(database.effects(), self.whole, "{told}: the effects differ from the uninterrupted run's");
        assert_eq!(database.remnants(), [""; 0], "{told}: an index that is not valid is left");
        let standing: Vec<_> = database.attempts().into_iter().filter(|a| a.claimed).collect();
        assert_eq!(standing.len(), self.migrations.len(), "{told}");
        assert!(standing.iter().all(|a| a.state() == State::Applied), "{told}: {standing:#?}");
        assert!(standing.iter().all(|a| a.touched == 0), "{told}: rows of nothing: {standing:#?}");
    }

    /// What a person does: they ask what is true, look where they are told to, and run what is advised for what they find.
    fn follow(&self, database: &SimDatabase, told: &str) {
        let mut driver = self.connect(database, Vec::new());
        let before = (database.effects(), database.attempts());
        let diagnosis = ready(diagnose(&mut driver, None, &self.migrations, &self.options)).expect(told);
        drop(driver);
        assert_eq!((database.effects(), database.attempts()), before, "{told}: a diagnosis wrote something");
        let attempt = &diagnosis.examined.as_ref().expect(told).attempt;
        let found = attempt.in_flight.map(|in_flight| self.look(database, &attempt.name, in_flight));
        let is_meant = |choice: &&Choice| match found {
            Some(what) if diagnosis.advice.action == Action::Decide => choice.when.contains(what),
            _ => choice.when.contains("not the text is wrong"),
        };
        let choice = diagnosis.advice.choices.iter().find(is_meant);
        let choice = choice.unwrap_or_else(|| panic!("{told}: {found:?}: {:#?}", diagnosis.advice));
        choice.commands.iter().for_each(|command| self.command(database, command, told));
        self.is_whole(database, told);
    }

    /// Whether statements in doubt took effect. What a part of them did is taken back.
    fn look(&self, database: &SimDatabase, name: &str, in_flight: InFlight) -> &'static str {
        let migration = self.migrations.get(name).expect("a migration");
        let statements = migration.statements(self.capabilities.dialect).expect("statements");
        let doubted = &statements[in_flight.first as usize - 1..in_flight.last as usize];
        let texts: Vec<_> = doubted.iter().map(|statement| statement.text(migration.up().text())).collect();
        let among = |effects: &[String]| effects.iter().filter(|e| texts.contains(&e.as_str())).count();
        let done = among(&database.effects());
        if done > 0 && done == among(&self.whole) {
            return "all";
        }
        texts.iter().for_each(|text| database.take_back(text));
        if done > 0 { "part" } else { "nothing" }
    }

    /// Runs a command as it is typed.
    fn command(&self, database: &SimDatabase, command: &str, told: &str) {
        let told = format!("{told}, then {command}");
        let mut driver = self.connect(database, Vec::new());
        // Where nothing could be held against a decision, it is insisted on; here nothing holds it against anything.
        let insisted = command.strip_suffix(" --force").unwrap_or(command);
        let resolution = match insisted.split(' ').collect::<Vec<_>>()[..] {
            ["windlass", "deploy"] => return self.run(&mut driver, "last").expect(&told),
            ["windlass", "resolve", "--resume", name] => (Resolution::Resume, name),
            ["windlass", "resolve", "--resume", "--took-effect", name] => (Resolution::TookEffect, name),
            ["windlass", "resolve", "--applied", name] => (Resolution::Applied, name),
            ["windlass", "resolve", "--rolled-back", name] => (Resolution::RolledBack, name),
            _ => panic!("{told}: no such command"),
        };
        let who = options("person").run;
        ready(resolve(&mut driver, &self.migrations, &who, resolution, "", false)).expect(&told);
    }

    pub(crate) fn every_fault(&self) -> Totals {
        let mut totals = Totals::default();
        for call in (0..self.calls).filter(|call| is_of_this_shard(*call)) {
            for mode in DEADLY {
                let told = format!("{:?} call {call} {mode:?}", self.product());
                let database = SimDatabase::new();
                let mut driver = self.connect(&database, vec![Fault { call, mode }]);
                let result = self.run(&mut driver, "first");
                assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
                // Only where giving it back is what failed does the lock go with the session.
                let is_left = database.is_locked() && call + 1 != driver.calls();
                assert!(!is_left, "{told}: a session that lives keeps the lock");
                let _ = ready(driver.unlock());
                drop(driver);
                if matches!(mode, Mode::DiedBefore | Mode::DiedWithin) && result.is_ok() {
                    assert_eq!(call, self.calls - 1, "{told}: only giving the lock back may fail unnoticed");
                }
                totals.count(self.judge(&database, &told));
                if call % sample() == 0 {
                    self.second_faults(call, mode, &mut totals);
                }
            }
        }
        totals
    }

    /// The recovery of a fault meets a fault of its own.
    fn second_faults(&self, call: usize, mode: Mode, totals: &mut Totals) {
        for second in 0.. {
            let mut calls = 0;
            for second_mode in DEADLY {
                let told =
                    format!("{:?} call {call} {mode:?}, then {second} {second_mode:?}", self.product());
                let database = SimDatabase::new();
                let mut driver = self.connect(&database, vec![Fault { call, mode }]);
                let _ = self.run(&mut driver, "first");
                drop(driver);
                let mut driver = self.connect(&database, vec![Fault { call: second, mode: second_mode }]);
                let _ = self.run(&mut driver, "second");
                calls = driver.calls();
                drop(driver);
                totals.count(self.judge(&database, &told));
            }
            if second >= calls {
                break;
            }
        }
    }
}

/// Every so many first faults meet a second one: all of them with `WINDLASS_TEST_FULL`.
fn sample() -> usize {
    if std::env::var_os("WINDLASS_TEST_FULL").is_some() { 1 } else { 45 }
}

/// Whether the first faults of this number are of the part that `WINDLASS_TEST_SHARD` asks for.
fn is_of_this_shard(number: usize) -> bool {
    let (part, parts) = shard();
    number % parts == part - 1
}

fn shard() -> (usize, usize) {
    let shard = std::env::var("WINDLASS_TEST_SHARD").unwrap_or_else(|_| "1/1".to_owned());
    let (part, parts) = shard.split_once('/').expect("a shard is K/N");
    (part.parse().expect("a shard"), parts.parse().expect("shards"))
}

#[derive(Default, Debug)]
pub(crate) struct Totals {
    points: usize,
    pub(crate) blocked: usize,
}

impl Totals {
    /// Prints them, and writes them where the run gathers its totals.
    ///
    /// # Panics
    /// Where there are fewer points than a whole run has at least.
    pub(crate) fn tell(&self, shapes: &str, at_least: usize) {
        let Self { points, blocked } = self;
        assert!(*points >= at_least / shard().1, "{shapes}: {self:?}");
        println!("{shapes}: {self:?}");
        let Some(file) = std::env::var_os("WINDLASS_TEST_TOTALS") else { return };
        let equal = points - blocked;
        let advised = blocked;
        let blocked = format!(r#"{{"in doubt, or failed as refused":{blocked}}}"#);
        let line = format!(
            r#"{{"target":"simulated","fault":"{shapes}","points":{points},"equal":{equal},"blocked":{blocked},"advised":{advised},"wrong":0}}"#
        );
        let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // One write, so that lines of tests beside one another do not mix.
        let written =
            file.and_then(|mut file| std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes()));
        written.expect("a file of totals");
    }

    fn count(&mut self, blocked: bool) {
        self.points += 1;
        self.blocked += usize::from(blocked);
    }
}
