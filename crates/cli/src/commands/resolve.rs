//! `resolve`: a person's decision about one migration, written into the history.

use super::Context;
use crate::args::Resolve;
use crate::error::Error;
use crate::exit::Exit;
use crate::identity;
use crate::json::Body;
use crate::shadow::{Shadow, WAYS};
use crate::target::IfMissing;
use windlass_core::apply::{self, Proof};
use windlass_core::migration::Migration;
use windlass_core::plan::Resolution;

const UNCHECKED: &str = "whether the live schema bears it out was not checked";

const NOTHING_TO_SEE: &str = "the migration changes no definition, so the live schema could not tell whether it ran: that is your word alone";

const BUT_FOR_ROWS: &str =
    "the live schema bears it out; whether the rows are as you say, no schema tells: that is your word alone";

pub(crate) async fn run(context: &Context, args: &Resolve) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let (resolution, word) = decision(args);
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let run = identity::run();
    let (driver, name, reason) = (&mut *session.driver, args.name.as_str(), args.reason.as_str());
    let is_about_text = resolution == Resolution::AcceptEdit;
    let shadow = if args.force || is_about_text {
        None
    } else {
        Shadow::open(context, (&target, driver.capabilities()), &args.shadow).await?
    };
    let check = match shadow {
        None => {
            apply::resolve(driver, &migrations, &run, (resolution, name), reason, args.force).await?;
            (!args.force && !is_about_text).then(|| format!("{UNCHECKED}: {WAYS}"))
        }
        Some(mut shadow) => {
            let (decision, drift) = ((resolution, name), context.settings.drift_options());
            let replayed = &mut *shadow.driver;
            let checked =
                apply::resolve_checked(driver, replayed, &migrations, &run, decision, reason, &drift).await;
            shadow.close(context).await;
            match checked? {
                Proof::NothingToSee => Some(NOTHING_TO_SEE.to_owned()),
                Proof::BornOutButForRows => Some(BUT_FOR_ROWS.to_owned()),
                _ => None,
            }
        }
    };
    if let Some(note) = check {
        context.output.note(&note);
    }
    let means = |migration: &Migration| {
        migration.name() == args.name || migration.version().is_some_and(|v| v.as_str() == args.name)
    };
    let told = consequence(resolution, migrations.iter().any(means));
    context.output.done("Resolved", &format!("{}: {told}", args.name));
    let body = Body::Resolve { database: session.database, migration: args.name.clone(), resolution: word };
    Ok((Exit::Done, body))
}

fn decision(args: &Resolve) -> (Resolution, &'static str) {
    if args.applied {
        (Resolution::Applied, "applied")
    } else if args.rolled_back {
        (Resolution::RolledBack, "rolled_back")
    } else if args.took_effect {
        (Resolution::TookEffect, "took_effect")
    } else if args.resume {
        (Resolution::Resume, "resume")
    } else {
        (Resolution::AcceptEdit, "accept_edit")
    }
}

/// What is true from now on.
fn consequence(resolution: Resolution, is_in_project: bool) -> &'static str {
    match (resolution, is_in_project) {
        (Resolution::Applied, true) => "the whole of it stands",
        (Resolution::Applied, false) => "the whole of it stands; it is not in the project",
        (Resolution::RolledBack, true) => "nothing of it stands; the next deploy runs it from its beginning",
        (Resolution::RolledBack, false) => {
            "nothing of it stands; it is not in the project, so no deploy runs it"
        }
        (Resolution::TookEffect, _) => {
            "what was under way or was refused has taken effect; the next deploy goes on after it"
        }
        (Resolution::Resume, true) => "the next deploy goes on after its last completed statement",
        (Resolution::Resume, false) => {
            "once it is in the project again, a deploy goes on after its last completed statement"
        }
        _ => {
            "its name and its text in the project are the ones that count; nothing was run: `windlass diagnose` tells what the \
             schema lacks of it"
        }
    }
}
