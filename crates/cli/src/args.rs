//! The command line.

use clap::error::{ContextKind, ContextValue};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Database migrations that are right every time.
///
/// Brings a PostgreSQL, MySQL, MariaDB or SQLite database to the end of a folder of SQL migrations.
/// It can be run again at any moment.
#[derive(Debug, Parser)]
#[command(name = "windlass", version, max_term_width = 100, after_long_help = crate::exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The database: postgres://…, mysql://…, mariadb://…, sqlite:app.db [env: DATABASE_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "database_url_file")]
    pub(crate) database_url: Option<String>,

    /// A file that holds the database URL, so that no process list shows it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) database_url_file: Option<PathBuf>,

    /// The folder of migrations [env: WINDLASS_DIR] [default: migrations]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// The configuration file [default: windlass.toml, where it is there]
    ///
    /// Its keys: database_url (${NAME} in it is filled in from the environment), database_url_file,
    /// shadow_database_url, dir, history_table, lock_wait, lock_timeout, lock_tries,
    /// concurrent_wait, strict_order, drift, drift_ignore, drift_grants. Paths are told from the file's folder.
    /// The command line comes before the environment, and that before the file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The name of the history table [default: _windlass_migrations]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) history_table: Option<String>,

    /// Answer with one JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say nothing but errors, and what was asked for
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Tell more of what happens; twice for every statement
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colours; `auto` heeds NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring the database to the end of the migrations
    Deploy(Deploy),
    /// Tell where every migration stands
    Status(Status),
    /// Begin a new migration: create its file, in the layout of the folder
    New(New),
    /// Tell what is true after a failed or interrupted deploy, and what is right to do
    Diagnose(Diagnose),
    /// Write a decision about one migration into the history
    Resolve(Resolve),
    /// Record everything up to a migration as applied, without running it
    Baseline(Baseline),
    /// Show what others changed in the schema since the last deploy
    Drift(Drift),
    /// Go through the checklist of a database in production: what is wrong with it, why that matters, what to type
    Doctor(Doctor),
    /// Show every attempt that the history holds
    History,
    /// Show who holds the lock that keeps two deploys apart, and end that session when asked
    Unlock(Unlock),
    /// Print a script that completes commands in a shell
    ///
    /// bash: windlass completions bash > ~/.local/share/bash-completion/completions/windlass;
    /// zsh: windlass completions zsh > a folder of $fpath, as _windlass;
    /// fish: windlass completions fish > ~/.config/fish/completions/windlass.fish.
    /// Make the folder first where there is none: mkdir -p.
    Completions(Completions),
}

impl Command {
    /// The word it is called by.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Deploy(_) => "deploy",
            Self::Status(_) => "status",
            Self::New(_) => "new",
            Self::Diagnose(_) => "diagnose",
            Self::Resolve(_) => "resolve",
            Self::Baseline(_) => "baseline",
            Self::Doctor(_) => "doctor",
            Self::Drift(_) => "drift",
            Self::History => "history",
            Self::Unlock(_) => "unlock",
            Self::Completions(_) => "completions",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// Print the plan and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Stop after this migration: its name, or its version
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,

    /// How long to wait for another deployer [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_wait: Option<Duration>,

    /// How long a transaction waits for locks that keep others out; 0 for ever [default: 5s]
    ///
    /// All such locks of one transaction together: whoever comes later waits behind it. A migration's own
    /// `-- windlass: lock-timeout` comes before it.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_timeout: Option<Duration>,

    /// How often to try a transaction whose locks others hold [default: 10]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) lock_tries: Option<u32>,

    /// How long CREATE INDEX CONCURRENTLY and its like wait for others; 0 for ever [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) concurrent_wait: Option<Duration>,

    /// Refuse several migrations with one version
    #[arg(long)]
    pub(crate) strict_order: bool,

    /// Run pending migrations that are older than applied ones, whatever they touch
    #[arg(long)]
    pub(crate) out_of_order: bool,

    /// Deploy onto a database that has objects and no history
    #[arg(long)]
    pub(crate) allow_non_empty: bool,

    /// All that is pending in one transaction, or nothing of it
    ///
    /// Refused, with the migration and the line, where the database cannot.
    #[arg(long)]
    pub(crate) single_transaction: bool,

    /// Commit at the end of a file what a BEGIN in it left open
    #[arg(long)]
    pub(crate) close_open_transaction: bool,

    /// Run through a pooler, too, what is more than one transaction (PostgreSQL)
    ///
    /// Without it such a migration is refused where a pooler stands before the database: settings would be those of
    /// whatever session it gives, and after a crash a person has to say that the session is gone.
    #[arg(long)]
    pub(crate) allow_pooler: bool,

    /// Create the database where it is missing
    #[arg(long)]
    pub(crate) create_database: bool,

    /// What to do where others changed the schema since the last deploy [default: stop]
    #[arg(long, value_name = "POLICY", value_enum)]
    pub(crate) drift: Option<DriftPolicy>,

    /// Go on, this once, although others changed the schema: the same as `--drift warn`. What they changed counts as
    /// part of the schema from then on
    #[arg(long, conflicts_with = "drift")]
    pub(crate) allow_drift: bool,

    /// Look at what roles may do, too, and write it down with the schema
    #[arg(long)]
    pub(crate) grants: bool,
}

/// What to do where others changed the schema since the last deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DriftPolicy {
    /// Run nothing
    Stop,
    /// Run nothing where a pending migration names what was changed; else tell
    Related,
    /// Tell, and go on
    Warn,
    /// Do not look, and do not keep the schema either
    Off,
}

impl From<DriftPolicy> for windlass_core::drift::DriftPolicy {
    fn from(policy: DriftPolicy) -> Self {
        match policy {
            DriftPolicy::Stop => Self::Stop,
            DriftPolicy::Related => Self::Related,
            DriftPolicy::Warn => Self::Warn,
            DriftPolicy::Off => Self::Off,
        }
    }
}

/// `windlass drift`, which writes nothing, and what to do about it.
#[derive(Args, Debug)]
pub(crate) struct Drift {
    #[command(subcommand)]
    pub(crate) command: Option<DriftCommand>,

    /// Look at what roles may do, too
    #[arg(long, global = true)]
    pub(crate) grants: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DriftCommand {
    /// Take the schema as it is: from now on that is what a deploy compares with
    Accept {
        /// Why, for the history
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// End with code 8 unless everything is applied as it is
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Debug)]
pub(crate) struct New {
    /// What it does, in a few words: `add email to users`
    #[arg(required = true, num_args = 1..)]
    pub(crate) name: Vec<String>,

    /// With a script that undoes it
    #[arg(long, conflicts_with = "repeatable")]
    pub(crate) down: bool,

    /// One that runs again whenever its statements changed: a view, a function
    #[arg(long)]
    pub(crate) repeatable: bool,
}

/// `windlass diagnose`, which writes nothing to the database, and ends with 0 or with the code that a deploy would.
#[derive(Args, Debug)]
pub(crate) struct Diagnose {
    #[command(flatten)]
    pub(crate) shadow: Shadow,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("decision").required(true).args(["applied", "rolled_back", "resume", "accept_edit"]))]
pub(crate) struct Resolve {
    /// The whole migration stands, however that came about
    #[arg(long)]
    pub(crate) applied: bool,

    /// Nothing of it stands
    #[arg(long)]
    pub(crate) rolled_back: bool,

    /// Go on after the last completed statement: what was under way did not take effect
    #[arg(long)]
    pub(crate) resume: bool,

    /// With `--resume`: what was under way, or was refused, has taken effect by now, all of it, and is not run again
    #[arg(long, requires = "resume")]
    pub(crate) took_effect: bool,

    /// The text (or the name) in the project is right for what was applied
    #[arg(long)]
    pub(crate) accept_edit: bool,

    /// The migration: its whole name, or its version
    pub(crate) name: String,

    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,

    /// Write it down although the live schema speaks against it, or cannot be looked at
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) shadow: Shadow,
}

/// Where migrations may be replayed, to learn what schema they make.
///
/// SQLite does it in memory.
#[derive(Args, Debug)]
#[command(next_help_heading = "Shadow database")]
pub(crate) struct Shadow {
    /// A server of the same kind and version, where a database is created, used and dropped [env: SHADOW_DATABASE_URL]
    #[arg(long, value_name = "URL", conflicts_with = "shadow")]
    pub(crate) shadow_database_url: Option<String>,

    /// Where else the migrations may be replayed on a database of their own
    #[arg(long, value_name = "WHERE", value_enum)]
    pub(crate) shadow: Option<ShadowPlace>,

    /// The folder of the programs for `--shadow local`, where they stand in no usual place
    #[arg(long, value_name = "DIR", env = "WINDLASS_SHADOW_PROGRAMS")]
    pub(crate) shadow_programs: Option<PathBuf>,
}

/// Where a shadow database may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShadowPlace {
    /// On a throwaway server of the same version, of the programs that are installed here
    Local,
    /// Beside the database itself, on its server
    SameServer,
}

#[derive(Args, Debug)]
pub(crate) struct Baseline {
    /// The last migration that stands already: its name, or its version
    pub(crate) name: String,

    /// Record them although the live schema is another, or cannot be looked at
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) shadow: Shadow,
}

/// `windlass unlock`, which by itself writes nothing and ends with code 5 while the lock is held.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Tell of other sessions' transactions that have been open for so long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) open_for: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct Unlock {
    /// End the session that holds it; asks first
    #[arg(long)]
    pub(crate) end: bool,

    /// Do not ask
    #[arg(long, short, requires = "end")]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// What other tools call it, and what to do here.
const ELSEWHERE: [(&[&str], &str); 7] = [
    (&["migrate", "up", "apply", "run"], "`windlass deploy` runs the migrations that are pending"),
    (&["info", "list"], "`windlass status` tells where every migration stands"),
    (
        &["validate", "verify", "check"],
        "`windlass status --check` ends with code 8 unless everything is applied as it is",
    ),
    (
        &["repair", "force", "fix"],
        "`windlass resolve` writes a decision about one migration into the history",
    ),
    (
        &["release-lock", "releaselocks", "release-locks", "force-unlock", "listLocks", "list-locks"],
        "`windlass unlock` shows who holds the lock, and ends that session with `--end`",
    ),
    (
        &["down", "undo", "revert", "rollback", "redo", "reset"],
        "windlass does not run down scripts yet: undo with a new migration (`windlass new NAME`) and deploy it",
    ),
    (
        &["push", "dev", "diff", "generate", "create", "add"],
        "windlass does not write the SQL yet: `windlass new NAME` begins a migration, and you write it",
    ),
];

/// A command that other tools have is answered with what it is called here.
pub(crate) fn with_tip(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let tip = ELSEWHERE.iter().find_map(|(words, tip)| words.contains(&word.as_str()).then_some(*tip));
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        // A word that only looks alike is no help beside what is meant.
        error.remove(ContextKind::SuggestedSubcommand);
    }
    error
}

/// Reads `60s`, `2m`, `500ms`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => humantime::parse_duration(text).map_err(|_| "write it like 60s, 2m or 500ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1m 500ms"), Ok(Duration::from_millis(60_500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("soon").is_err());
        assert!(duration("-1s").is_err());
    }
}
