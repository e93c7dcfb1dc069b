//! `status`: where every migration stands, and whether a deploy would be blocked.

use super::Context;
use crate::args::Status;
use crate::diagnosis::reason;
use crate::error::{Error, blocked_kind};
use crate::exit::Exit;
use crate::json::{BlockedBody, Body, DatabaseBody, MigrationBody, StatusBody};
use crate::output::{BAD, DIM, GOOD, WARN, elapsed, rows, shown, stand};
use crate::table::{Cell, Row, table};
use crate::target::IfMissing;
use clap::builder::styling::Style;
use std::time::Duration;
use windlass_core::apply;
use windlass_core::drift::{DriftOptions, DriftVerdict, look};
use windlass_core::driver::Driver;
use windlass_core::history::HistoryError;
use windlass_core::migration::Migration;
use windlass_core::plan::{Blocked, Options, plan};
use windlass_core::status::{Standing, StatusLine, status};

pub(crate) async fn run(context: &Context, args: &Status) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let inspection = apply::inspect(&mut *session.driver, migrations.as_slice()).await?;
    let capabilities = session.driver.capabilities().clone();

    let lines = status(migrations.as_slice(), &inspection, capabilities.dialect);
    let mut options = Options::default();
    options.strict_order = context.settings.strict_order;
    let typed = &context.settings.typed;
    let hint = |blocked: &Blocked| blocked.hint().map(|hint| typed.text(&hint));
    let blocked = plan(migrations.as_slice(), &inspection, &capabilities, &options).err();
    let is_untrue = matches!(
        blocked,
        Some(Blocked::History(HistoryError::Inconsistent { .. } | HistoryError::Newer { .. }))
    );
    let drift = drift(&mut *session.driver, migrations.as_slice(), &context.settings.drift_options()).await?;
    let settled = lines.iter().all(|line| line.standing.is_settled()) && !is_untrue;
    let notices: Vec<_> = migrations.notices(capabilities.dialect).iter().map(ToString::to_string).collect();

    context.output.table(&text(&session.database, &lines));
    notices.iter().for_each(|notice| context.output.note(notice));
    if let Some(blocked) = &blocked {
        let hint = hint(blocked)
            .map(|hint| format!("\n      {}", hint.replace("; ", "\n      ")))
            .unwrap_or_default();
        let told = reason(blocked).0;
        let why = std::error::Error::source(blocked).map(ToString::to_string).unwrap_or_default();
        // A message may hold the words of its cause.
        let why = if why.is_empty() || told.contains(&why) { String::new() } else { format!(": {why}") };
        // `wait.sh` heeds these words.
        let in_vain = if args.check && !blocked.may_pass() { "\n      waiting does not help" } else { "" };
        context.output.note(&format!("deploy is blocked: {told}{why}{hint}{in_vain}"));
    }
    match &drift {
        Some(DriftVerdict::Drift(drift)) => {
            context.output.note(&typed.text(&format!("{drift}; `windlass drift` shows it")))
        }
        Some(DriftVerdict::Unknown(why)) => {
            context.output.note(&format!("whether others changed the schema cannot be told: {why}"));
        }
        _ => {}
    }
    let exit = if args.check && !settled { Exit::Unsettled } else { Exit::Done };
    let body = StatusBody {
        database: session.database,
        settled,
        drift: drift.as_ref().map(DriftVerdict::as_str),
        blocked: blocked.map(|blocked| BlockedBody {
            kind: blocked_kind(&blocked),
            message: blocked.to_string(),
            hint: hint(&blocked),
        }),
        migrations: lines.iter().map(MigrationBody::of).collect(),
        notices,
    };
    Ok((exit, Body::Status(body)))
}

/// Whether others changed the schema, where a deploy would look.
async fn drift(
    driver: &mut dyn Driver,
    migrations: &[Migration],
    options: &DriftOptions,
) -> Result<Option<DriftVerdict>, Error> {
    Ok(match options.looks(driver) {
        true => Some(look(driver, migrations, options).await?),
        false => None,
    })
}

fn text(database: &DatabaseBody, lines: &[StatusLine]) -> String {
    let DatabaseBody { url, product, version } = database;
    let head = format!("{} {DIM}({product} {}){DIM:#}", shown(url), shown(version));
    if lines.is_empty() {
        return format!("{head}\n\nno migrations");
    }
    let rows: Vec<_> = lines.iter().map(row).collect();
    format!("{head}\n\n{}\n\n{}", table(&rows), summary(lines))
}

fn row(line: &StatusLine) -> Row {
    let state = Cell::new(line.standing.as_str()).styled(style(line.standing));
    let mut cells = vec![state, Cell::new(line.name.as_str())];
    let mut below = Vec::new();
    if let Some(attempt) = &line.attempt {
        if line.applied_at().is_some() {
            let took = match attempt.duration_ms {
                _ if line.is_baseline() => "baseline".to_owned(),
                Some(ms) => elapsed(Duration::from_millis(ms)),
                None => String::new(),
            };
            cells.extend(
                [line.applied_at().map(to_the_second).unwrap_or_default(), took, attempt.applied_by.clone()]
                    .map(|text| Cell::new(text).styled(DIM)),
            );
        } else if line.standing != Standing::RolledBack {
            below.push(stand(attempt.completed, attempt.statements));
            if attempt.touched > 0 {
                below.push(format!(
                    "statement {} has touched {}",
                    attempt.completed + 1,
                    rows(attempt.touched)
                ));
            }
            below.extend(line.fate_in_flight());
            let (begun, by) = (to_the_second(&attempt.started_at), shown(&attempt.applied_by));
            below.push(format!("begun {begun} by {by}"));
        }
        below.extend(line.error().map(|error| format!("{BAD}{}{BAD:#}", shown(error.trim_end()))));
        let resolution = attempt.resolution.as_ref();
        below.extend(resolution.map(|text| format!("{DIM}resolved: {}{DIM:#}", shown(text))));
    }
    below.extend(line.renamed_to.as_ref().map(|to| format!("in the project: {to}")));
    Row { cells, below }
}

fn style(standing: Standing) -> Style {
    match standing {
        Standing::Applied | Standing::Ahead | Standing::Retired => GOOD,
        Standing::Pending | Standing::Changed | Standing::Running | Standing::RolledBack => WARN,
        _ => BAD,
    }
}

/// `7 applied, 1 pending`: every state that occurs, in the order of first sight.
fn summary(lines: &[StatusLine]) -> String {
    let mut counts: Vec<(Standing, usize)> = Vec::new();
    for line in lines {
        match counts.iter_mut().find(|(standing, _)| *standing == line.standing) {
            Some((_, number)) => *number += 1,
            None => counts.push((line.standing, 1)),
        }
    }
    let told: Vec<_> = counts.iter().map(|(standing, number)| format!("{number} {standing}")).collect();
    told.join(", ")
}

/// A server's time without the fraction, and with its zone.
pub(crate) fn to_the_second(time: &str) -> String {
    format!("{}Z", time.split('.').next().unwrap_or(time))
}
