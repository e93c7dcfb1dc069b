//! `baseline`: records what stands already as applied, without running it.

use super::Context;
use crate::args::Baseline;
use crate::error::Error;
use crate::exit::Exit;
use crate::identity;
use crate::json::Body;
use crate::output::count;
use crate::target::IfMissing;
use windlass_core::apply;

pub(crate) async fn run(context: &Context, args: &Baseline) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let mut session = context.connect(&target, IfMissing::AsTheUrlSays).await?;
    let recorded = apply::baseline(&mut *session.driver, &migrations, &identity::run(), &args.name).await?;
    recorded.iter().for_each(|name| context.output.done("Recorded", name));
    let summary = match recorded.len() {
        0 => "nothing to record: it is all in the history".to_owned(),
        number => format!("{} recorded as applied; nothing was run", count(number, "migration")),
    };
    context.output.done("Finished", &summary);
    Ok((Exit::Done, Body::Baseline { database: session.database, recorded }))
}
