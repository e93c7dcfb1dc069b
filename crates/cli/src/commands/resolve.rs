//! `resolve`: a person's decision about one migration, written into the history.

use super::Context;
use crate::args::Resolve;
use crate::error::Error;
use crate::exit::Exit;
use crate::identity;
use crate::json::Body;
use windlass_core::apply;
use windlass_core::plan::Resolution;

pub(crate) async fn run(context: &Context, args: &Resolve) -> Result<(Exit, Body), Error> {
    let (target, migrations) = context.read()?;
    let (resolution, word, told) = decision(args);
    let mut session = context.connect(&target, false).await?;
    let run = identity::run();
    apply::resolve(&mut *session.driver, &migrations, &run, resolution, &args.name, &args.reason).await?;
    context.output.done("Resolved", &format!("{}: {told}", args.name));
    let body = Body::Resolve { database: session.database, migration: args.name.clone(), resolution: word };
    Ok((Exit::Done, body))
}

fn decision(args: &Resolve) -> (Resolution, &'static str, &'static str) {
    if args.applied {
        (Resolution::Applied, "applied", "the whole of it stands")
    } else if args.rolled_back {
        (
            Resolution::RolledBack,
            "rolled_back",
            "nothing of it stands; the next deploy runs it from its beginning",
        )
    } else if args.resume {
        (Resolution::Resume, "resume", "the next deploy goes on after its last completed statement")
    } else {
        (Resolution::AcceptEdit, "accept_edit", "its text in the project is the one that counts")
    }
}
