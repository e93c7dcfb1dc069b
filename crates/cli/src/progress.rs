//! Progress: a bar and the running statement on a terminal, plain lines elsewhere; all of it on stderr.

use crate::commands::deploy::AppliedMigration;
use crate::diagnosis::held_by;
use crate::output::{BUSY, Output, Verbosity, count, elapsed, line, shown};
use indicatif::{ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use windlass_core::apply::{Contention, Event, Observer};
use windlass_core::driver::{Capabilities, Product};
use windlass_core::plan::{Execute, Plan, Segment, Step};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// How often the bar is drawn anew while a statement runs.
const TICK: Duration = Duration::from_millis(100);
/// How often a wait is told of in plain lines.
const WAITING_LINES: Duration = Duration::from_secs(10);
/// How often rows are told of in plain lines.
const ROWS_LINES: Duration = Duration::from_secs(5);

/// Tells a person what a deploy does.
pub(crate) struct Progress<'p> {
    output: Output,
    migrations: &'p Migrations,
    /// Which database it is, for people.
    place: &'p str,
    dialect: Dialect,
    product: Product,
    /// A bar is drawn; otherwise lines are printed.
    is_drawn: bool,
    /// The migration that was last told of.
    running: String,
    /// Migrations that share a transaction, each set with whether it was told of.
    groups: Vec<(Vec<String>, bool)>,
    /// Migrations with statements sent, and not applied yet.
    begun: Vec<String>,
    statements: HashMap<String, u32>,
    next_waiting_line: Duration,
    /// When rows were last told of, or their statement began.
    rows_line: Option<Instant>,
    last_waited: Duration,
    has_noticed: bool,
    pub(crate) applied: Vec<AppliedMigration>,
}

impl<'p> Progress<'p> {
    pub(crate) fn new(
        output: Output,
        migrations: &'p Migrations,
        place: &'p str,
        capabilities: &Capabilities,
    ) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_drawn = std::io::stderr().is_terminal() && output.verbosity() == Verbosity::Usual && !is_dumb;
        Self {
            output,
            migrations,
            place,
            dialect: capabilities.dialect,
            product: capabilities.product,
            is_drawn,
            running: String::new(),
            groups: Vec::new(),
            begun: Vec::new(),
            statements: HashMap::new(),
            next_waiting_line: Duration::ZERO,
            rows_line: None,
            last_waited: Duration::ZERO,
            has_noticed: false,
            applied: Vec::new(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.output.bar().finish_and_clear();
        self.output.bar().set_draw_target(ProgressDrawTarget::hidden());
    }

    fn draw(&self, style: ProgressStyle) {
        let bar = self.output.bar();
        bar.set_style(style.with_key("since", since));
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.enable_steady_tick(TICK);
        }
    }

    fn waits(&mut self, text: String, waited: Duration) {
        if waited < self.last_waited {
            // Another wait began.
            self.next_waiting_line = Duration::ZERO;
        }
        self.last_waited = waited;
        if self.is_drawn {
            self.output.bar().set_message(shown(&text).into_owned());
            self.draw(style(&line(self.color(), "Waiting", "{wide_msg}"), "{since:>12}"));
        } else if waited >= self.next_waiting_line {
            self.next_waiting_line = waited + WAITING_LINES;
            self.output.progress("Waiting", &text);
        }
    }

    /// What a run that stopped here has rolled back: what was begun and neither applied nor kept part-way.
    pub(crate) fn rolled_back(&self, part_way: Option<&str>) -> Vec<String> {
        self.begun.iter().filter(|name| Some(name.as_str()) != part_way).cloned().collect()
    }

    fn planned(&mut self, plan: &Plan<'_>) {
        let migrations = plan.migrations().len();
        tracing::info!(migrations, segments = plan.segments.len(), "planned");
        self.running.clear();
        self.begun.clear();
        self.groups = plan.segments.iter().filter_map(group).map(|names| (names, false)).collect();
        if !self.has_noticed {
            self.has_noticed = true;
            self.output.progress("Deploying", &format!("to {}", self.place));
            for notice in self.migrations.notices(self.dialect) {
                self.output.note(&notice.to_string());
            }
        }
        if self.is_drawn {
            let bar = self.output.bar();
            bar.set_length((self.applied.len() + migrations) as u64);
            bar.set_position(self.applied.len() as u64);
            bar.set_prefix("");
            bar.set_message("");
            let head = line(self.color(), "Applying", "[{bar:26}] {pos}/{len} {prefix}");
            self.draw(style(&head, "{since:>12} {wide_msg}").progress_chars("=> "));
        }
    }

    fn starts(&mut self, execute: &Execute<'_>) {
        let name = execute.migration.name();
        tracing::debug!(migration = name, statement = execute.number, of = execute.of, "statement starts");
        if self.running != name {
            name.clone_into(&mut self.running);
            self.statements.insert(name.to_owned(), execute.of);
            self.begun.push(name.to_owned());
            if !self.is_drawn {
                self.tell(name, execute.of);
            }
        }
        if self.is_drawn {
            let bar = self.output.bar();
            let place = format!("{name} {}/{}", execute.number, execute.of);
            // The next run of a repeated statement leaves what is told of it.
            if !bar.prefix().starts_with(&format!("{place},")) {
                bar.reset_elapsed();
                bar.set_prefix(place);
            }
            bar.set_message(shown(&execute.summary(80)).into_owned());
        }
    }

    /// Rows of a repeated statement: at the bar with each run, in lines now and then and at its end.
    fn rows_touched(&mut self, execute: &Execute<'_>, rows: u64, is_done: bool) {
        let Execute { migration, number, of, .. } = execute;
        let name = migration.name();
        tracing::debug!(migration = name, statement = number, rows, is_done, "rows touched");
        let told = crate::output::rows(rows);
        if self.is_drawn {
            self.output.bar().set_prefix(format!("{name} {number}/{of}, {told} so far"));
        } else if is_done {
            self.output.progress("Repeated", &format!("{name} {number}/{of}: {told}"));
        } else if self.rows_line.get_or_insert_with(Instant::now).elapsed() >= ROWS_LINES {
            self.rows_line = Some(Instant::now());
            self.output.progress("Repeating", &format!("{name} {number}/{of}: {told} so far"));
        }
        if is_done {
            self.rows_line = None;
        }
    }

    /// One line a transaction, whose migrations stand or fall together.
    fn tell(&mut self, name: &str, statements: u32) {
        let group = self.groups.iter_mut().find(|(names, _)| names.iter().any(|other| other == name));
        let what = match group {
            Some((_, true)) => return,
            Some((names, is_told)) => {
                *is_told = true;
                format!("{} in one transaction", count(names.len(), "migration"))
            }
            None => format!("{name} ({})", count(statements as usize, "statement")),
        };
        self.output.progress("Applying", &what);
    }

    fn apart(&self, names: &[String]) {
        tracing::info!(?names, "run again by themselves: their common transaction failed");
        let what = match names {
            [name] => format!("after a rollback: {name} failed, and runs by itself now"),
            _ => format!("after a rollback: {} run one by one now", count(names.len(), "migration")),
        };
        self.output.progress("Retrying", &what);
    }

    fn enum_value_used(&self, name: &str) {
        tracing::info!(name, "rolled back: it uses a new enum value, which is committed first now");
        let what = format!("after a rollback: {name} uses a new enum value, which is committed first now");
        self.output.progress("Retrying", &what);
    }

    fn contended(&mut self, contention: &Contention, pause: Duration) {
        let Contention { migration, tries, of_tries, holder, .. } = contention;
        tracing::info!(migration, tries, ?holder, "others held what it needs: it is tried again");
        // It is told of once more where it starts again.
        self.running.clear();
        self.begun.retain(|begun| begun != migration);
        let text = format!(
            "{migration} in {} ({} of {of_tries}): in its way is {}",
            elapsed(pause),
            tries + 1,
            held_by(holder)
        );
        self.output.progress("Retrying", &text);
    }

    fn applied(&mut self, name: &str, took: Duration) {
        self.begun.retain(|begun| begun != name);
        let statements = self.statements.get(name).copied().unwrap_or_else(|| self.length(name));
        self.applied.push(AppliedMigration { name: name.to_owned(), statements, elapsed: took });
        if self.is_drawn {
            self.output.bar().set_position(self.applied.len() as u64);
        }
        let what = format!("{name} ({}, {})", count(statements as usize, "statement"), elapsed(took));
        self.output.done("Applied", &what);
    }

    /// How many statements a migration has of which none was sent: what was left of it was taken out.
    fn length(&self, name: &str) -> u32 {
        let statements =
            self.migrations.get(name).and_then(|migration| migration.statements(self.dialect).ok());
        u32::try_from(statements.map_or(0, |statements| statements.len())).unwrap_or(u32::MAX)
    }

    fn color(&self) -> clap::builder::styling::Style {
        match anstream::AutoStream::choice(&std::io::stderr()) {
            anstream::ColorChoice::Never => clap::builder::styling::Style::new(),
            _ => BUSY,
        }
    }
}

impl Observer for Progress<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::UpToDate => tracing::info!("the newest row of the history says that nothing is to do"),
            Event::Waiting { holder, waited } => {
                self.waits(format!("for {}: {}", self.product.rival(), held_by(holder)), waited);
            }
            Event::WaitsForOther { holder, waited, .. } => {
                self.waits(format!("for another session: {}", held_by(holder)), waited);
            }
            Event::Contended { contention, pause } => self.contended(contention, pause),
            Event::Remark(remark) => self.output.note(&remark.to_string()),
            Event::Planned(plan) => self.planned(plan),
            Event::StatementStarts(execute) => self.starts(execute),
            Event::StatementEnds(execute) => {
                tracing::debug!(
                    migration = execute.migration.name(),
                    statement = execute.number,
                    "statement done"
                );
            }
            Event::RowsTouched { execute, rows, is_done } => self.rows_touched(execute, rows, is_done),
            Event::Applied { name, elapsed } => self.applied(name, elapsed),
            Event::Apart { names } => self.apart(names),
            Event::EnumValueUsed { name } => self.enum_value_used(name),
            _ => {}
        }
    }
}

/// The migrations that a segment claims together, where they are several.
fn group(segment: &Segment<'_>) -> Option<Vec<String>> {
    segment.steps.iter().find_map(|step| match step {
        Step::Claim(claims) if claims.len() > 1 => {
            Some(claims.iter().map(|claim| claim.name.to_owned()).collect())
        }
        _ => None,
    })
}

/// Two lines: what goes on, and the statement that runs with the time it takes.
fn style(head: &str, below: &str) -> ProgressStyle {
    let template = format!("{head}\n{below}");
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Nothing for what is quick: only a wait is worth a number.
fn since(state: &ProgressState, text: &mut dyn Write) {
    if state.elapsed() >= Duration::from_secs(1) {
        let _ = write!(text, "{} s", state.elapsed().as_secs());
    }
}
