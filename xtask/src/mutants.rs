//! `cargo xtask mutants`: faults are planted into a copy of the sources, one at a time; a test has to catch each.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::provision::{Durability, Servers, Target};
use crate::workspace;

/// A planted fault.
struct Mutant {
    name: &'static str,
    file: &'static str,
    /// Texts that stand once in the file, and what stands there instead.
    edits: &'static [(&'static str, &'static str)],
    /// The tests that have to catch it.
    tests: &'static [&'static str],
}

const SIMULATED: &[&str] = &["-p", "windlass-core", "--test", "simulated"];
const MARIADB: &[&str] = &["-p", "windlass-tests", "--test", "suite", "--", "mariadb-11.8::waiting"];
const POSTGRES: &[&str] =
    &["-p", "windlass-postgres", "--test", "driver", "--", "--include-ignored", "history::"];
const DEADLOCK: &[&str] =
    &["-p", "windlass-tests", "--test", "suite", "--", "postgres-18::contending::a_deadlock"];
const RACING: &[&str] =
    &["-p", "windlass-tests", "--test", "suite", "--", "postgres-18::racing::a_concurrent_build"];
const CUTTING: &[&str] = &["-p", "windlass-tests", "--test", "suite", "--", "postgres-18::cutting"];

const READING: &[&str] = &["-p", "windlass-tests", "--test", "suite", "--", "sqlite::reading"];
const SETTING: &[&str] = &["-p", "windlass-tests", "--test", "suite", "--", "postgres-18::reading"];
const LENDING: &[&str] = &["-p", "windlass-tests", "--test", "suite", "--", "mariadb-11.8::lending"];
const INSERTING: &[&str] =
    &["-p", "windlass-tests", "--test", "suite", "--", "mariadb-11.8::reading::behind"];

const BUILD: &str = "crates/core/src/plan/build.rs";
const RECORD: &str = "            open.push(match next {\n                None => record(),";
const COMMIT: &str = "            if transaction {\n                open.push(Step::Commit);\n";

/// The list.
const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the history row is written outside its transaction",
        file: BUILD,
        edits: &[
            (COMMIT, "            if transaction {\n"),
            (
                RECORD,
                "            if transaction {\n                open.push(Step::Commit);\n            }\n            open.push(match next {\n                None => record(),",
            ),
        ],
        tests: SIMULATED,
    },
    Mutant {
        name: "the checkpoint is written before the statement",
        file: BUILD,
        edits: &[(
            COMMIT,
            "            if !transaction && open.len() > 1 {\n                let last = open.len() - 1;\n                open.swap(last, last - 1);\n            }\n            if transaction {\n                open.push(Step::Commit);\n",
        )],
        tests: SIMULATED,
    },
    Mutant {
        name: "the claim is written behind the statements",
        file: BUILD,
        edits: &[
            (
                "            open.extend(first.into_iter().map(execute));\n            if let Some(opening) = opening.take() {\n                self.create_history(&mut open);\n                open.push(opening);\n            }\n",
                "            open.extend(first.into_iter().map(execute));\n",
            ),
            (
                RECORD,
                "            if let Some(opening) = opening.take() {\n                self.create_history(&mut open);\n                open.push(opening);\n            }\n            open.push(match next {\n                None => record(),",
            ),
        ],
        tests: SIMULATED,
    },
    Mutant {
        name: "a checkpoint does not say what is in flight next",
        file: BUILD,
        edits: &[(
            "                    in_flight: in_flight(next),\n                    watched: watched(self.capabilities, prepared, next),\n                },\n            });",
            "                    in_flight: None,\n                    watched: watched(self.capabilities, prepared, next),\n                },\n            });",
        )],
        tests: SIMULATED,
    },
    Mutant {
        name: "a resumed attempt begins at its first statement",
        file: BUILD,
        edits: &[(
            "self.run(prepared, Some(opening), completed, attempt.epoch + 1, so_far);",
            "self.run(prepared, Some(opening), 0, attempt.epoch + 1, so_far);",
        )],
        tests: SIMULATED,
    },
    Mutant {
        name: "settings are not replayed where an attempt is resumed",
        file: BUILD,
        edits: &[(
            "        if !steps.is_empty() {\n            self.segments.push(Segment { steps });",
            "        if steps.len() > 99 {\n            self.segments.push(Segment { steps });",
        )],
        tests: CUTTING,
    },
    Mutant {
        name: "the rows of a repeated statement are counted behind its commit",
        file: "crates/core/src/plan/repeat.rs",
        edits: &[(
            "Step::Execute(self.execute.clone()), count, Step::Commit]",
            "Step::Execute(self.execute.clone()), Step::Commit, count]",
        )],
        tests: SIMULATED,
    },
    Mutant {
        name: "the answer of GET_LOCK is swallowed",
        file: "crates/mysql/src/lock.rs",
        edits: &[(
            "false => Ok(Lock::Held(self.holder(field(1)).await?)),",
            "false => self.holder(field(1)).await.map(|_| Lock::Acquired),",
        )],
        tests: MARIADB,
    },
    Mutant {
        name: "a take-over and the writes after it are not fenced",
        file: "crates/postgres/src/history.rs",
        edits: &[(
            "AND owner {EQUALS} {owner} AND epoch {EQUALS} {epoch} AND finished_at IS NULL\"\n",
            "AND (owner {EQUALS} {owner} OR true) AND (epoch {EQUALS} {epoch} OR true)\"\n",
        )],
        tests: POSTGRES,
    },
    Mutant {
        name: "a deadlock is taken for a failure",
        file: "crates/postgres/src/perform.rs",
        edits: &[("[code::DEADLOCK, code::NOT_SERIALIZABLE].contains(&code)", "code == \"no code\"")],
        tests: DEADLOCK,
    },
    Mutant {
        name: "a function that failed on SQLite is taken for one that did nothing",
        file: "crates/core/src/plan/outcome.rs",
        edits: &[("    if execute.migration.is_rust() {", "    if execute.migration.is_rust() && false {")],
        tests: SIMULATED,
    },
    Mutant {
        name: "the lock is waited for inside a statement",
        file: "crates/postgres/src/lock.rs",
        edits: &[("THEN pg_try_advisory_lock({key}) END", "THEN pg_advisory_lock({key}) IS NOT NULL END")],
        tests: RACING,
    },
    Mutant {
        name: "a statement is parted from the one whose rows it counts",
        file: "crates/core/src/plan/cutter.rs",
        edits: &[(
            "cutter.cut_transactional(&units(facts, ties))?",
            "cutter.cut_transactional(&units(facts, &[]))?",
        )],
        tests: READING,
    },
    Mutant {
        name: "what went with a session is not missed in the next",
        file: "crates/core/src/plan/pieces.rs",
        edits: &[(
            "self.bound.iter().find(|&&(first, last)| first < completed && completed <= last)?",
            "self.bound.iter().find(|&&(first, last)| first < completed && completed < last.min(0))?",
        )],
        tests: READING,
    },
    Mutant {
        name: "a setting that came from rows is had again from other rows",
        file: "crates/core/src/sql/classify/postgres.rs",
        edits: &[(
            "None if sketch.setting => facts.bound(FROM_DATA),",
            "None if sketch.setting => facts.session(SessionUse::Setting),",
        )],
        tests: SETTING,
    },
    Mutant {
        name: "a read on an application's connection leaves its transaction open",
        file: "crates/mysql/src/borrowed.rs",
        edits: &[("const END: &str = \"ROLLBACK AND NO CHAIN NO RELEASE\";", "const END: &str = \"DO 0\";")],
        tests: LENDING,
    },
    Mutant {
        name: "a script that inserts nothing reads windlass's own row",
        file: "crates/mysql/src/message.rs",
        edits: &[("Cow::Borrowed(\"DO LAST_INSERT_ID(0)\")", "Cow::Borrowed(\"DO 0\")")],
        tests: INSERTING,
    },
    Mutant {
        name: "what a trigger left in its session is not missed in the next",
        file: "crates/core/src/plan/tables.rs",
        edits: &[("by_rows && facts.effect == Effect::Data", "by_rows && facts.effect == Effect::Session")],
        tests: SETTING,
    },
    Mutant {
        name: "the lock is leaked",
        file: "crates/core/src/apply.rs",
        edits: &[(
            "    let _ = driver.unlock().await;\n    let mut report = result?;",
            "    let mut report = result?;",
        )],
        tests: SIMULATED,
    },
];

/// Plants each of them (or those whose name holds `filter`), and says which test caught it.
pub(crate) fn run(filter: Option<&str>) -> Result<ExitCode> {
    let servers = Servers::start(&[Target::Mariadb(11, 8), Target::Postgres(18)], Durability::Throwaway)?;
    let scratch = Scratch::make()?;
    let mut survivors = 0;
    let mut table = Vec::new();
    let chosen = MUTANTS.iter().filter(|mutant| filter.is_none_or(|filter| mutant.name.contains(filter)));
    for mutant in chosen {
        let caught = scratch.catch(mutant, &servers)?;
        survivors += usize::from(caught.is_none());
        let by = caught.unwrap_or_else(|| "NOT CAUGHT".to_owned());
        eprintln!("{}: {by}", mutant.name);
        table.push(format!("{:<62} {by}", mutant.name));
    }
    println!("{:<62} caught by", "planted fault");
    table.iter().for_each(|line| println!("{line}"));
    println!("{} planted, {survivors} not caught", table.len());
    Ok(if survivors == 0 && !table.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A copy of the sources, built beside the real one.
struct Scratch {
    tree: PathBuf,
    target: PathBuf,
}

impl Scratch {
    fn make() -> Result<Self> {
        let root = workspace::root()?;
        let folder = workspace::target_folder()?.join("mutants");
        let scratch = Self { tree: folder.join("tree"), target: folder.join("target") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "-co", "--exclude-standard"])
            .current_dir(&root)
            .output()?;
        ensure!(listed.status.success(), "git cannot list the sources");
        let listed = String::from_utf8(listed.stdout)?;
        let names: HashSet<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
        for name in &names {
            scratch.copy(&root, name)?;
        }
        scratch.clear(&scratch.tree, &names)?;
        Ok(scratch)
    }

    /// Takes away what an earlier copy had and the sources have no more.
    fn clear(&self, folder: &Path, names: &HashSet<&str>) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.clear(&path, names)?;
            } else if path.strip_prefix(&self.tree)?.to_str().is_none_or(|name| !names.contains(name)) {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Only what differs, so that nothing is built anew without need.
    fn copy(&self, root: &Path, name: &str) -> Result<()> {
        let (from, to) = (root.join(name), self.tree.join(name));
        let Ok(bytes) = fs::read(&from) else { return Ok(()) };
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
        fs::write(&to, bytes).with_context(|| format!("cannot write {}", to.display()))
    }

    /// The first test that fails with the fault.
    fn catch(&self, mutant: &Mutant, servers: &Servers) -> Result<Option<String>> {
        let file = self.tree.join(mutant.file);
        let sound = fs::read_to_string(&file).with_context(|| format!("no {}", mutant.file))?;
        let planted = plant(&sound, mutant)?;
        fs::write(&file, planted)?;
        let output = self.test(mutant, servers);
        fs::write(&file, sound)?;
        let (success, output) = output?;
        if !success && !output.contains("test result:") {
            bail!("{}: the tests do not build with it:\n{output}", mutant.name);
        }
        Ok(if success { None } else { Some(failed_test(&output).context("no failed test is named")?) })
    }

    fn test(&self, mutant: &Mutant, servers: &Servers) -> Result<(bool, String)> {
        let mut command = workspace::cargo()?;
        command.arg("test").args(mutant.tests).current_dir(&self.tree);
        command.env("CARGO_TARGET_DIR", &self.target).envs(servers.environment());
        command.env("WINDLASS_TEST_TARGETS", "sqlite,mariadb-11.8,postgres-18");
        command.env_remove("RUSTFLAGS").env("RUST_BACKTRACE", "0");
        let output = command.output().context("cargo cannot be started")?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }
}

/// The text with the fault in it.
fn plant(sound: &str, mutant: &Mutant) -> Result<String> {
    mutant.edits.iter().try_fold(sound.to_owned(), |text, (from, to)| {
        let times = text.matches(from).count();
        ensure!(times == 1, "{}: {from:?} stands {times} times in {}", mutant.name, mutant.file);
        Ok(text.replacen(from, to, 1))
    })
}

/// The first in `test NAME ... FAILED`.
fn failed_test(output: &str) -> Option<String> {
    let name = |line: &str| {
        let name = line.strip_prefix("test ")?.split_once(" ... FAILED")?.0;
        Some(name.trim().to_owned())
    };
    output.lines().find_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_be_planted_in_the_sources_as_they_are() {
        let root = workspace::root().unwrap();
        for mutant in MUTANTS {
            let sound = fs::read_to_string(root.join(mutant.file)).unwrap();
            assert_ne!(plant(&sound, mutant).unwrap(), sound);
        }
    }

    #[test]
    fn the_test_that_failed_is_named() {
        let output = "test a::b ... ok\ntest c::d   ... FAILED\ntest result: FAILED. 1 passed";
        assert_eq!(failed_test(output).as_deref(), Some("c::d"));
        assert_eq!(failed_test("test a ... ok"), None);
    }
}
