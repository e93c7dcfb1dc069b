//! One history on one target: windlass on one database, the plain client on another, and the two compared.

use crate::client::{self, Refused};
use crate::history::{History, Script};
use crate::round::{self, Came, Way};
use harness::{Database, Target, options};
use similar::TextDiff;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use windlass_core::apply::{DeployError, DeployOptions, FailedStatement, Report, Silent, Stop};
use windlass_core::driver::Driver;
use windlass_core::schema::Schema;
use windlass_core::source::Migrations;

/// How many lines of a difference are worth reading.
const LONGEST_DIFF: usize = 40;

/// What a trial came to, in words.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Both ended in the same place: with this schema, which came round these ways.
    Equal(String, Schema, Vec<(Way, Came)>),
    /// Both were refused, at the same place for the same reason.
    BothRefused(String),
    /// They differ, or neither could be tried.
    Failed(String),
}

/// Deploys a history twice, runs it with the plain client, and compares.
pub(crate) async fn run(history: &History, target: &Target) -> Verdict {
    let deployed = Database::create(target).await;
    let plain = Database::create(target).await;
    let verdict = compare(history, &deployed, &plain).await.unwrap_or_else(Verdict::Failed);
    deployed.drop().await;
    plain.drop().await;
    verdict
}

async fn compare(history: &History, deployed: &Database, plain: &Database) -> Result<Verdict, String> {
    let scripts = history.scripts().map_err(|error| format!("{}: {error}", history.dir.display()))?;
    let began = (today(plain).await, now());
    if let Some(before) = history.before() {
        plain.sql(before).await;
        deployed.sql(before).await;
    }
    let by_client = client::run(plain, &scripts)?;
    let migrations = Migrations::from_dir(&history.dir).map_err(|error| told(&error))?;
    same_scripts(&scripts, &migrations)?;
    let by_windlass = deploy(deployed, &migrations, history.before().is_some()).await;
    let span = Span { days: [began.0, today(plain).await], seconds: began.1..=now() };
    match (by_client, by_windlass) {
        (Err(refused), Err(error)) => both_refused(&refused, &error),
        (Ok(()), Err(error)) => {
            Err(format!("windlass fails, and the plain client does not\n{}", story(&error)))
        }
        (Err(refused), Ok(_)) => Err(format!("the plain client fails, and windlass does not\n{refused}")),
        (Ok(()), Ok((report, elapsed))) => {
            let (schema, ways) = round::ways(history, &migrations, deployed, plain).await?;
            let lines = same_databases(plain, deployed, &span)?;
            let words = format!(
                "{} migrations, {} statements, {:.1} s, schema and data equal ({} lines)",
                report.applied.len(),
                grouped(report.applied.iter().map(|applied| applied.statements as usize).sum()),
                elapsed.as_secs_f64(),
                grouped(lines),
            );
            Ok(Verdict::Equal(words, schema, ways))
        }
    }
}

/// The whole history, and then once more: with nothing to do.
async fn deploy(
    database: &Database,
    migrations: &Migrations,
    allow_non_empty: bool,
) -> Result<(Report, Duration), DeployError> {
    let began = Instant::now();
    let mut first = options();
    first.plan.allow_non_empty = allow_non_empty;
    let report = deploy_once(&mut *database.connect().await, migrations, &first).await?;
    let elapsed = began.elapsed();
    assert_eq!(report.applied.len(), migrations.len(), "every migration is applied");
    let again = deploy_once(&mut *database.connect().await, migrations, &options()).await?;
    assert!(again.applied.is_empty(), "the second deploy applied {:?}", again.applied);
    Ok((report, elapsed))
}

async fn deploy_once(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DeployOptions,
) -> Result<Report, DeployError> {
    windlass_core::apply::deploy(driver, migrations, options, &mut Silent, &Stop::new()).await
}

fn same_scripts(scripts: &[Script], migrations: &Migrations) -> Result<(), String> {
    let expected: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
    let found: Vec<&str> = migrations.iter().map(|migration| migration.up().origin()).collect();
    let place = (0..expected.len().max(found.len())).find(|&i| match (expected.get(i), found.get(i)) {
        (Some(expected), Some(found)) => !found.ends_with(expected),
        _ => true,
    });
    match place {
        None if !expected.is_empty() => Ok(()),
        None => Err("there are no migrations".to_owned()),
        Some(i) => Err(format!(
            "migration {} is {:?} by its version, and {:?} as windlass reads the folder",
            i + 1,
            expected.get(i),
            found.get(i)
        )),
    }
}

fn both_refused(refused: &Refused, error: &DeployError) -> Result<Verdict, String> {
    let DeployError::Statement(failed) = error else {
        return Err(format!("both fail, for different reasons\n{refused}\n{}", story(error)));
    };
    match failed.place.file.ends_with(&refused.script) && same_reason(refused, failed) {
        true => Ok(Verdict::BothRefused(refused.to_string())),
        false => Err(format!("both fail, for different reasons\n{refused}\n{}", story(error))),
    }
}

fn same_reason(refused: &Refused, failed: &FailedStatement) -> bool {
    match (&refused.code, &failed.error.code) {
        (Some(expected), Some(found)) => {
            found.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| word == expected)
        }
        (None, _) => refused.message.contains(&failed.error.message),
        (Some(_), None) => false,
    }
}

/// Compares schema and data; gives the number of lines that write them down.
fn same_databases(plain: &Database, deployed: &Database, span: &Span) -> Result<usize, String> {
    let expected = rows_sorted(&span.leave_out(&client::dump(plain)?));
    let found = rows_sorted(&span.leave_out(&client::dump(deployed)?));
    if found.contains("_windlass") {
        return Err("the history table is in the dump".to_owned());
    }
    if expected == found {
        return Ok(expected.lines().count());
    }
    let diff = TextDiff::from_lines(&expected, &found);
    let diff = diff.unified_diff().header("plain client", "windlass").to_string();
    let shown = diff.lines().take(LONGEST_DIFF).fold(String::new(), |text, line| text + "\n" + line);
    Err(format!("the databases differ by {} lines of diff{shown}", grouped(diff.lines().count())))
}

/// PostgreSQL dumps rows as they lie in the file, which depends on how transactions were cut.
fn rows_sorted(dump: &str) -> String {
    let mut lines: Vec<&str> = dump.lines().collect();
    let mut begin = None;
    for place in 0..lines.len() {
        match begin {
            None if lines[place].starts_with("COPY ") && lines[place].ends_with(" FROM stdin;") => {
                begin = Some(place + 1);
            }
            Some(first) if lines[place] == "\\." => {
                lines[first..place].sort_unstable();
                begin = None;
            }
            _ => {}
        }
    }
    lines.join("\n") + "\n"
}

/// When both sides ran: rows hold the moment they were written.
#[derive(Debug)]
struct Span {
    days: [String; 2],
    seconds: RangeInclusive<u64>,
}

impl Span {
    /// The text with the moments of the span left out, as dates with times and as seconds since 1970.
    fn leave_out(&self, text: &str) -> String {
        let text = self.days.iter().fold(text.to_owned(), |text, day| {
            let is_time = |letter: char| letter.is_ascii_digit() || " T:.+Z".contains(letter);
            let mut pieces = text.split(day.as_str());
            let first = pieces.next().unwrap_or_default().to_owned();
            pieces.fold(first, |text, piece| text + "NOW" + piece.trim_start_matches(is_time))
        });
        let numbers_apart = text.split_inclusive(|letter: char| !letter.is_ascii_digit());
        numbers_apart.fold(String::new(), |text, piece| {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let seconds = piece.get(..10.min(digits)).and_then(|seconds| seconds.parse().ok());
            match seconds.is_some_and(|seconds| digits >= 10 && self.seconds.contains(&seconds)) {
                true => text + "NOW" + &piece[digits..],
                false => text + piece,
            }
        })
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn today(database: &Database) -> String {
    database.value("SELECT CURRENT_DATE").await
}

fn story(error: &DeployError) -> String {
    match error {
        DeployError::Statement(failed) => {
            format!(
                "windlass: {}: statement {} of {}: {}\n{}",
                failed.place, failed.number, failed.of, failed.error, failed.sql
            )
        }
        _ => format!("windlass: {}", told(error)),
    }
}

fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A number as people read it: `1,234`.
fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.script, self.message)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_moments_of_the_run_are_left_out() {
        let days = ["2026-11-22".to_owned(), "2026-11-23".to_owned()];
        let span = Span { days, seconds: 1_795_386_222..=1_795_386_230 };
        let rows = "(1,'2026-11-22 21:07:03.123+00','2020-01-01 10:00:00')\n2\t2026-11-23 00:00:01\tx";
        assert_eq!(span.leave_out(rows), "(1,'NOW','2020-01-01 10:00:00')\n2\tNOW\tx");
        assert_eq!(span.leave_out("(1795386225000,1795386221,17953)"), "(NOW,1795386221,17953)");
    }

    #[test]
    fn rows_are_sorted_and_nothing_else_is() {
        let dump = "z\na\nCOPY t (n) FROM stdin;\n2\n1\n\\.\nc\nb\n";
        assert_eq!(rows_sorted(dump), "z\na\nCOPY t (n) FROM stdin;\n1\n2\n\\.\nc\nb\n");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([7, 1_234, 1_000_007].map(grouped), ["7", "1,234", "1,000,007"]);
    }
}
