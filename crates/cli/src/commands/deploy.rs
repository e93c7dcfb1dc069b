//! `deploy`: brings the database to the end of the migrations, or tells the plan.

use super::{Context, Session};
use crate::args::Deploy;
use crate::error::{Error, Undeployed};
use crate::exit::Exit;
use crate::identity;
use crate::json::{AppliedBody, Body, DatabaseBody, DeployBody, DryRunBody, PlanBody, milliseconds};
use crate::output::{count, elapsed};
use crate::progress::Progress;
use crate::signals::{self, Signals};
use crate::target::{IfMissing, Target};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use windlass_core::apply::{self, DeployError, DeployOptions, Report, Stop};
use windlass_core::drift;
use windlass_core::driver::Product;
use windlass_core::migration::{Migration, MigrationKind};
use windlass_core::plan::{Options, Outlook, Plan, Remark};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// A migration that this run applied.
#[derive(Clone, Debug)]
pub(crate) struct AppliedMigration {
    pub(crate) name: String,
    pub(crate) statements: u32,
    pub(crate) elapsed: Duration,
}

/// What a run had at hand and did, for whoever tells of its end.
#[derive(Clone, Debug)]
pub(crate) struct Progressed {
    pub(crate) migrations: Migrations,
    pub(crate) dialect: Dialect,
    pub(crate) applied: Vec<AppliedMigration>,
    /// What a request to stop rolled back.
    pub(crate) rolled_back: Vec<String>,
}

impl Progressed {
    pub(crate) fn migration(&self, name: &str) -> Option<&Migration> {
        self.migrations.get(name)
    }

    /// The migration whose script is in this file.
    pub(crate) fn by_origin(&self, file: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.up().origin() == file)
    }
}

pub(crate) async fn run(context: &Context, args: &Deploy) -> Result<(Exit, Body), Error> {
    let (target, migrations) = if args.dry_run { context.read()? } else { context.read_scripts()? };
    let options = options(context, args);
    if migrations.is_empty() {
        context.output.warning(&empty(context));
    }
    // What no database needs to be asked for.
    if let Err(blocked) = options.plan.check_target(migrations.as_slice()) {
        return Err(refused(blocked.into(), &migrations, target.dialect()));
    }
    if args.dry_run {
        return match context.connect(&target, IfMissing::Leave).await {
            Err(Error::Connect(failure)) if failure.is_missing && migrations.is_empty() => {
                Ok(nothing_at_all(context, &failure.place, true))
            }
            // It writes nothing, and so creates nothing: what would be made is empty.
            Err(Error::Connect(failure)) if failure.is_missing && args.create_database => {
                let (other, name) = target.stand_in();
                let Ok(mut session) = context.connect(&other, IfMissing::Create).await else {
                    return Err(Error::Connect(failure));
                };
                let outlook = apply::dry_run_of_new(&mut *session.driver, &name, &migrations, &options).await;
                let dialect = session.driver.capabilities().dialect;
                let outlook = outlook.map_err(|error| refused(error, &migrations, dialect))?;
                Ok(told(context, session.database, &migrations, &outlook))
            }
            session => dry_run(context, session?, migrations, &options).await,
        };
    }
    let if_missing = match args.create_database {
        _ if migrations.is_empty() => IfMissing::Leave,
        true => IfMissing::Create,
        false => IfMissing::AsTheUrlSays,
    };
    if if_missing == IfMissing::AsTheUrlSays && target.is_missing_file() {
        refuse_before_it_is_made(context, &target, &migrations, &options).await?;
    }
    let stop = Stop::new();
    let (asked, mut interrupted) = oneshot::channel();
    let signals = Signals::listen().map_err(Error::Runtime)?;
    let watch = tokio::spawn(signals::watch(signals, stop.clone(), context.output.clone(), asked));
    let session = tokio::select! {
        session = open(context, &target, if_missing, &migrations, &options) => match session {
            Err(Error::Connect(failure)) if failure.is_missing && migrations.is_empty() => {
                watch.abort();
                return Ok(nothing_at_all(context, &failure.place, false));
            }
            session => session?,
        },
        Ok(()) = &mut interrupted => return Err(Error::Interrupted),
    };
    let result = deploy(context, session, migrations, &options, &stop).await;
    watch.abort();
    result
}

/// Opens the database, and creates it where that was asked for.
async fn open(
    context: &Context,
    target: &Target,
    if_missing: IfMissing,
    migrations: &Migrations,
    options: &DeployOptions,
) -> Result<Session, Error> {
    let first = if if_missing == IfMissing::Create { IfMissing::Leave } else { if_missing };
    match context.connect(target, first).await {
        Err(Error::Connect(failure)) if failure.is_missing && if_missing == IfMissing::Create => {
            refuse_before_it_is_made(context, target, migrations, options).await?;
            let session = context.connect(target, IfMissing::Create).await?;
            Ok(Session { is_new: true, ..session })
        }
        session => session,
    }
}

/// What is refused in an empty database is refused before there is one.
async fn refuse_before_it_is_made(
    context: &Context,
    target: &Target,
    migrations: &Migrations,
    options: &DeployOptions,
) -> Result<(), Error> {
    let (other, name) = target.stand_in();
    // Whoever may not look at another database may still create this one.
    let Ok(mut session) = context.connect(&other, IfMissing::Create).await else { return Ok(()) };
    let outlook = apply::dry_run_of_new(&mut *session.driver, &name, migrations, options).await;
    match outlook {
        Err(DeployError::Driver(_)) | Ok(_) => Ok(()),
        Err(error) => Err(refused(error, migrations, target.dialect())),
    }
}

fn refused(error: DeployError, migrations: &Migrations, dialect: Dialect) -> Error {
    Error::Deploy(Box::new(undeployed(error, migrations, dialect)))
}

fn empty(context: &Context) -> String {
    format!("there are no migrations in {}", context.settings.dir.display())
}

/// No migration, and no database either: none is created for nothing.
fn nothing_at_all(context: &Context, place: &str, dry_run: bool) -> (Exit, Body) {
    let missing = format!("{place} is not there, and was not created");
    context.output.note(&missing);
    let remarks = vec![empty(context), missing];
    if dry_run {
        context.output.progress("Dry run", "nothing to do");
        let plan = PlanBody::of(&Plan::default());
        return (Exit::Done, Body::DryRun(DryRunBody { database: None, dry_run, plan, remarks }));
    }
    context.output.done("Finished", "nothing to do");
    let (applied, waited_ms) = (Vec::new(), None);
    let body = DeployBody { database: None, dry_run, applied, waited_ms, duration_ms: 0, remarks };
    (Exit::Done, Body::Deploy(body))
}

fn options(context: &Context, args: &Deploy) -> DeployOptions {
    let mut options = DeployOptions::new(identity::run());
    options.plan.to.clone_from(&args.to);
    options.plan.out_of_order = args.out_of_order;
    options.plan.strict_order = args.strict_order || context.settings.strict_order;
    options.plan.allow_non_empty = args.allow_non_empty;
    options.plan.single_transaction = args.single_transaction;
    options.plan.close_open_transaction = args.close_open_transaction;
    options.plan.allow_pooler = args.allow_pooler;
    if let Some(wait) = args.lock_wait.or(context.settings.lock_wait) {
        options.lock_wait = wait;
    }
    options.plan.waits.lock_timeout = args.lock_timeout.or(context.settings.lock_timeout);
    options.plan.waits.concurrent_wait = args.concurrent_wait.or(context.settings.concurrent_wait);
    options.drift = context.settings.drift_options();
    options.drift.grants |= args.grants;
    match args.drift {
        _ if args.allow_drift => options.drift.policy = drift::DriftPolicy::Warn,
        Some(policy) => options.drift.policy = policy.into(),
        None => {}
    }
    if let Some(tries) = args.lock_tries.or(context.settings.lock_tries) {
        options.lock_tries = tries;
    }
    options
}

async fn deploy(
    context: &Context,
    mut session: Session,
    migrations: Migrations,
    options: &DeployOptions,
    stop: &Stop,
) -> Result<(Exit, Body), Error> {
    let began = Instant::now();
    let (dialect, product) = (session.driver.capabilities().dialect, session.driver.capabilities().product);
    let mut progress = Progress::new(
        context.output.clone(),
        &migrations,
        &session.database.url,
        session.driver.capabilities(),
    );
    let result = apply::deploy(&mut *session.driver, &migrations, options, &mut progress, stop).await;
    progress.end();
    let applied = std::mem::take(&mut progress.applied);
    match result {
        Ok(report) => {
            let summary = summary(&report, &migrations, &options.plan, (product, began.elapsed()));
            context.output.done("Finished", &summary);
            let body = DeployBody {
                database: Some(session.database),
                dry_run: false,
                applied: applied.iter().map(AppliedBody::of).collect(),
                waited_ms: report.waited.map(milliseconds),
                duration_ms: milliseconds(began.elapsed()),
                remarks: remarks(context, &migrations, &report.remarks),
            };
            Ok((Exit::Done, Body::Deploy(body)))
        }
        Err(error) => {
            let rolled_back = match &error {
                DeployError::Stopped { part_way, .. } => progress.rolled_back(part_way.as_deref()),
                _ => Vec::new(),
            };
            if session.is_new && applied.is_empty() {
                context
                    .output
                    .note("the database was created for this run, and stands without any migration");
            }
            let mut undeployed = undeployed(error, &migrations, dialect);
            undeployed.progressed.applied = applied;
            undeployed.progressed.rolled_back = rolled_back;
            Err(Error::Deploy(Box::new(undeployed)))
        }
    }
}

/// What a deploy would do, or why it would be refused.
async fn outlook<'m>(
    session: &mut Session,
    migrations: &'m Migrations,
    options: &DeployOptions,
) -> Result<Outlook<'m>, Error> {
    let dialect = session.driver.capabilities().dialect;
    let outlook = apply::dry_run(&mut *session.driver, migrations, options).await;
    outlook.map_err(|error| refused(error, migrations, dialect))
}

async fn dry_run(
    context: &Context,
    mut session: Session,
    migrations: Migrations,
    options: &DeployOptions,
) -> Result<(Exit, Body), Error> {
    let outlook = outlook(&mut session, &migrations, options).await?;
    Ok(told(context, session.database, &migrations, &outlook))
}

/// Tells what a deploy would do.
fn told(
    context: &Context,
    database: DatabaseBody,
    migrations: &Migrations,
    outlook: &Outlook<'_>,
) -> (Exit, Body) {
    for remark in &outlook.remarks {
        context.output.note(&remark.to_string());
    }
    let pending = outlook.plan.migrations().len();
    if outlook.plan.is_empty() {
        context.output.progress("Dry run", "nothing to do");
    } else {
        context.output.result(outlook.plan.to_string().trim_end());
        context.output.progress(
            "Dry run",
            &format!(
                "{} would be applied to {}; nothing was written",
                count(pending, "migration"),
                database.url
            ),
        );
    }
    let body = DryRunBody {
        database: Some(database),
        dry_run: true,
        plan: PlanBody::of(&outlook.plan),
        remarks: remarks(context, migrations, &outlook.remarks),
    };
    (Exit::Done, Body::DryRun(body))
}

fn remarks(context: &Context, migrations: &Migrations, remarks: &[Remark]) -> Vec<String> {
    let empty = migrations.is_empty().then(|| empty(context));
    empty.into_iter().chain(remarks.iter().map(ToString::to_string)).collect()
}

fn undeployed(error: DeployError, migrations: &Migrations, dialect: Dialect) -> Undeployed {
    let migrations = migrations.clone();
    let progressed = Progressed { migrations, dialect, applied: Vec::new(), rolled_back: Vec::new() };
    Undeployed { error, progressed }
}

/// The last line: what was done, and where the database is now.
fn summary(
    report: &Report,
    migrations: &Migrations,
    options: &Options,
    (product, took): (Product, Duration),
) -> String {
    let is_ahead = report.remarks.iter().any(|remark| matches!(remark, Remark::Ahead { .. }));
    let versioned = || migrations.iter().filter(|migration| migration.kind() == MigrationKind::Versioned);
    let last = match &options.to {
        Some(to) => versioned().find(|m| m.name() == to || m.version().is_some_and(|v| v.as_str() == to)),
        None => versioned().next_back(),
    };
    let at = match last {
        // What is applied may be further on.
        Some(last) if !is_ahead && options.to.is_some() && report.applied.is_empty() => {
            format!(", up to {}", last.name())
        }
        Some(last) if !is_ahead => format!(", at {}", last.name()),
        _ => String::new(),
    };
    let waited = report.waited.map(|waited| format!("waited {} for {}", elapsed(waited), product.rival()));
    match (report.applied.len(), waited) {
        (0, None) => format!("nothing to do{at}"),
        (0, Some(waited)) => format!("nothing to do: {waited} and found it done{at}"),
        (number, waited) => {
            let waited = waited.map(|waited| format!(", {waited}")).unwrap_or_default();
            format!("{} in {}{at}{waited}", count(number, "migration"), elapsed(took))
        }
    }
}
