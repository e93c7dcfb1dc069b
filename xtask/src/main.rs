//! Project tasks: `cargo xtask …`.

mod api;
mod bench;
mod check;
mod corpus;
mod features;
mod msrv;
mod mutants;
mod provision;
mod servers;
mod signals;
mod sizes;
mod summary;
mod test;
mod workspace;

use std::path::PathBuf;
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
    /// Run every test, with the databases they need
    Test {
        /// Only these databases, such as sqlite,postgres-18, or postgres-18+sqlx for a session over sqlx
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        on: Vec<test::Choice>,
        /// Run all of the long fault and property matrices instead of a sample
        #[arg(long)]
        full: bool,
        /// What the samples of the long matrices are drawn with; random by default
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Only the K-th of N parts of the long matrices
        #[arg(long, value_name = "K/N")]
        shard: Option<test::Shard>,
        /// How many tests run at once; most of them wait for a server
        #[arg(long, value_name = "N", env = "RUST_TEST_THREADS", default_value_t = test::THREADS)]
        test_threads: usize,
        /// Only tests whose name holds this
        filter: Option<String>,
    },
    /// Check formatting, lints, documentation, dependencies and text
    Check,
    /// Write the page that lists all public items of the library crates, docs/api.md
    Api,
    /// Compile every set of the library crates' features, print how many packages each is made of, and run what the suite
    /// leaves out: TLS through the system's library, the oldest compiler
    Features {
        /// On this toolchain of rustup's, such as the oldest that is promised to do
        #[arg(long, value_name = "NAME")]
        toolchain: Option<String>,
    },
    /// Check that the library crates compile with the oldest compiler that is promised to do
    Msrv,
    /// Measure minimal programs with embedded migrations beside those with other libraries: crates, cold build, size
    Sizes {
        /// Only these databases: sqlite, postgres, mysql
        #[arg(long, value_delimiter = ',', value_name = "NAMES")]
        on: Vec<String>,
        /// Only count crates: nothing is built
        #[arg(long)]
        counts: bool,
    },
    /// Start private throwaway database servers and print the variables that name them
    Servers {
        /// Only these targets, such as postgres-18,mysql-9.7
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        on: Vec<Target>,
    },
    /// Print how each database's own client program is called
    Tools,
    /// Deploy every history below a folder, and compare with what the databases' own clients make of it
    Corpus {
        /// Only these databases, such as sqlite,postgres-18
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        on: Vec<Target>,
        /// The folder whose folders are histories, named for their database: -pg-, -my- or -sq-
        dir: PathBuf,
        /// Only these histories
        names: Vec<String>,
    },
    /// Plant faults into a copy of the sources, one at a time, and name the test that catches each
    Mutants {
        /// Only those whose name holds this
        filter: Option<String>,
    },
    /// Measure windlass beside the least that can be right, on durable databases, and print the ratios
    Bench {
        /// Only these databases, such as sqlite,postgres-18
        #[arg(long, value_delimiter = ',', value_name = "TARGETS")]
        on: Vec<Target>,
        /// Only these parts: a up to date, b onto an empty database, c onto history, d splitting, e memory
        parts: Vec<String>,
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
        Task::Test { on, full, seed, shard, test_threads, filter } => test::run(&test::Selection {
            choices: test::Choice::chosen(&on),
            full,
            seed: seed.unwrap_or_else(test::random_seed),
            shard,
            threads: test_threads,
            filter,
        }),
        Task::Mutants { filter } => mutants::run(filter.as_deref()),
        Task::Bench { on, parts } => bench::run(&on, &parts),
        Task::Tools => tools(),
        Task::Check => check::run(),
        Task::Api => api::write(),
        Task::Features { toolchain } => features::run(toolchain.as_deref()),
        Task::Msrv => msrv::run(),
        Task::Sizes { on, counts } => sizes::run(&on, counts),
        Task::Corpus { on, dir, names } => corpus::run(&dir, &provision::chosen(&on), &names),
        Task::Servers { on } => servers::run(&provision::chosen(&on)).map(|()| ExitCode::SUCCESS),
    }
}

fn tools() -> Result<ExitCode> {
    for tool in provision::Tool::ALL {
        let program = provision::client_tool(tool)?;
        println!("{}\n  {}", program.line(), program.version()?);
    }
    Ok(ExitCode::SUCCESS)
}
