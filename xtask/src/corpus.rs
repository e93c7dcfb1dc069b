//! `cargo xtask corpus`: whole histories deployed, and held against what the databases' own clients make of them.

use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::provision::{Durability, Servers, Target, Tool, client_tool, list, spawn_bound};
use crate::{signals, workspace};

/// Provides databases and client programs, and runs the comparison over the histories below `dir`.
pub(crate) fn run(dir: &Path, targets: &[Target], names: &[String]) -> Result<ExitCode> {
    let dir = dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))?;
    let tools = tools_of(targets)?;
    let servers = Servers::start(targets, Durability::Throwaway)?;
    let mut command = workspace::cargo()?;
    command
        .args(["run", "--quiet", "--package", "windlass-tests", "--bin", "corpus", "--"])
        .arg(dir)
        .args(names);
    command.stdin(Stdio::null());
    command.envs(servers.environment()).envs(tools).env("WINDLASS_TEST_TARGETS", list(targets));
    let mut corpus = spawn_bound(&mut command, Signal::SIGTERM).context("cannot start cargo")?;
    let group = Pid::from_raw(i32::try_from(corpus.id())?);
    // Ended by its own process group, it lets this process go on to end the servers.
    signals::forward(move |_| {
        let _ = killpg(group, Signal::SIGKILL);
    })?;
    Ok(if corpus.wait()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The variables that name the client programs of these targets, with a word of the command on each line.
fn tools_of(targets: &[Target]) -> Result<Vec<(String, String)>> {
    let mut tools: Vec<(&str, Tool)> = targets.iter().copied().flat_map(clients).collect();
    tools.sort_by_key(|(name, _)| *name);
    tools.dedup_by_key(|(name, _)| *name);
    tools.into_iter().map(|(name, tool)| Ok((format!("WINDLASS_TEST_TOOL_{name}"), words(tool)?))).collect()
}

fn clients(target: Target) -> Vec<(&'static str, Tool)> {
    match target {
        Target::Postgres(_) => vec![("PSQL", Tool::Psql), ("PG_DUMP", Tool::PgDump)],
        Target::Mysql(..) => vec![("MYSQL", Tool::Mysql), ("MYSQLDUMP", Tool::Mysqldump)],
        Target::Mariadb(..) => vec![("MARIADB", Tool::Mariadb), ("MARIADB_DUMP", Tool::MariadbDump)],
        Target::Sqlite => vec![("SQLITE3", Tool::Sqlite3)],
    }
}

fn words(tool: Tool) -> Result<String> {
    let command = client_tool(tool)?.command();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    Ok(words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_target_has_a_shell_and_a_dump() {
        for target in Target::DEFAULT {
            let names: Vec<&str> = clients(target).into_iter().map(|(name, _)| name).collect();
            assert!(names.len() == 2 || target == Target::Sqlite, "{target}: {names:?}");
        }
    }
}
