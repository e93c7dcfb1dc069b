//! `drift`: what others changed in the schema since the last deploy, and to take it as it is.

use super::Context;
use super::status::to_the_second;
use crate::args::{Drift, DriftCommand};
use crate::comparison::told;
use crate::error::Error;
use crate::exit::Exit;
use crate::identity;
use crate::json::{Body, DifferenceBody, DriftBody};
use crate::output::count;
use crate::target::IfMissing;
use windlass_core::apply;
use windlass_core::drift::{DriftVerdict, look};

pub(crate) async fn run(context: &Context, args: &Drift) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let mut options = context.settings.drift_options();
    options.grants |= args.grants;
    if let Some(DriftCommand::Accept { reason }) = &args.command {
        apply::accept_drift(&mut *session.driver, &identity::run(), reason, options.grants).await?;
        context.output.done("Accepted", "the schema as it is; deploys compare with it from now on");
        let body = Body::DriftAccept { database: session.database, reason: reason.clone() };
        return Ok((Exit::Done, body));
    }
    let verdict = look(&mut *session.driver, migrations.as_slice(), &options).await?;
    let mut body = DriftBody {
        database: session.database,
        state: verdict.as_str(),
        why: None,
        migration: None,
        at: None,
        accepted: None,
        differences: Vec::new(),
    };
    let exit = match verdict {
        DriftVerdict::Drift(drift) => {
            drift.differences.iter().for_each(|difference| context.output.table(&told(difference)));
            let differ = count(drift.differences.len(), "object");
            let (migration, at) = (&drift.migration, to_the_second(&drift.at));
            let since = match &drift.accepted {
                None if drift.is_decided => {
                    format!("{differ} changed since {migration} was recorded at {at}")
                }
                None => format!("{differ} changed since the deploy of {migration} at {at}"),
                Some(who) => format!("{differ} changed since the schema was accepted at {at} by {who}"),
            };
            context.output.progress("Drift", &since);
            if let Some((before, now)) = &drift.servers {
                context.output.note(&format!("the schema was kept by {before}, and read by {now} now"));
            }
            if let Some(touched) = &drift.touched {
                context.output.note(&format!("besides, {touched}"));
            }
            if let Some(why) = &drift.unseen {
                context.output.note(&format!("there may be more: {why}"));
            }
            body.accepted = drift.accepted;
            body.why = drift.unseen;
            (body.migration, body.at) = (Some(drift.migration), Some(drift.at));
            body.differences = drift.differences.iter().map(DifferenceBody::of).collect();
            Exit::Drift
        }
        DriftVerdict::Touched(touched) => {
            touched.differences.iter().for_each(|difference| context.output.table(&told(difference)));
            context.output.done("Finished", &format!("no drift that is known: {touched}"));
            body.why = Some(touched.to_string());
            body.differences = touched.differences.iter().map(DifferenceBody::of).collect();
            Exit::Done
        }
        DriftVerdict::NeverKept => {
            let note = "nobody has kept the schema yet: there is nothing to compare with";
            context.output.note(note);
            Exit::Done
        }
        DriftVerdict::Unknown(why) => {
            context.output.note(&format!("whether others changed the schema cannot be told: {why}"));
            body.why = Some(why);
            Exit::Other
        }
        _ => {
            context.output.done("Finished", "no drift: the schema is as it was kept");
            Exit::Done
        }
    };
    Ok((exit, Body::Drift(body)))
}
