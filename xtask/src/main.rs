//! Project tasks: `cargo xtask …`.

mod provision;
mod servers;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use provision::Target;

/// Provisions databases, runs the suite, checks the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start private throwaway database servers and print the variables that name them
    Servers {
        /// Only these targets, such as postgres-18,mysql-9.7
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        on: Vec<Target>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Servers { on } => servers::run(&provision::chosen(&on)).map(|()| ExitCode::SUCCESS),
    }
}
