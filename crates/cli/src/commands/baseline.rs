//! `baseline`: records what stands already as applied, without running it.

use super::Context;
use crate::args::Baseline;
use crate::error::Error;
use crate::exit::Exit;
use crate::identity;
use crate::json::Body;
use crate::output::count;
use crate::shadow::{Shadow, WAYS};
use crate::target::IfMissing;
use windlass_core::apply;

const UNCHECKED: &str = "whether the live schema is what these migrations make was not checked";

pub(crate) async fn run(context: &Context, args: &Baseline) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let (driver, run) = (&mut *session.driver, identity::run());
    let shadow = if args.force {
        None
    } else {
        Shadow::open(context, (&target, driver.capabilities()), &args.shadow).await?
    };
    let recorded = match shadow {
        None => {
            let recorded = apply::baseline(driver, &migrations, &run, &args.name, args.force).await?;
            if !args.force && !recorded.is_empty() {
                context.output.note(&format!("{UNCHECKED}: {WAYS}"));
            }
            recorded
        }
        Some(mut shadow) => {
            let drift = context.settings.drift_options();
            let recorded =
                apply::baseline_checked(driver, &mut *shadow.driver, &migrations, &run, &args.name, &drift)
                    .await;
            shadow.close(context).await;
            recorded?
        }
    };
    recorded.iter().for_each(|name| context.output.done("Recorded", name));
    let summary = match recorded.len() {
        0 => "nothing to record: it is all in the history".to_owned(),
        number => format!("{} recorded as applied; nothing was run", count(number, "migration")),
    };
    context.output.done("Finished", &summary);
    Ok((Exit::Done, Body::Baseline { database: session.database, recorded }))
}
