//! `unlock`: who holds the lock, and the end of that session for whoever asks for it.

use super::Context;
use crate::args::Unlock;
use crate::diagnosis::held_by;
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{Body, HolderBody, UnlockBody};
use crate::output::Output;
use crate::target::{IfMissing, Target};
use std::io::IsTerminal;
use windlass_core::apply;
use windlass_core::driver::Holder;

/// What becomes of the work of a session that is ended.
const AFTERWARDS: &str = "what it is at is undone, or found out by the next deploy";

pub(crate) async fn run(context: &Context, args: &Unlock) -> Result<(Exit, Body), Error> {
    let (target, output) = (Target::of(&context.settings)?, &context.output);
    let may_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if args.end && !args.yes && !may_ask {
        return Err(Error::CannotAsk);
    }
    let mut session = context.connect(&target, IfMissing::Leave).await?;
    let holder = session.driver.lock_holder().await?;
    let mut body = UnlockBody { database: session.database, holder: None, ended: false };
    let Some(holder) = holder else {
        output.result("nobody holds the lock");
        return Ok((Exit::Done, Body::Unlock(body)));
    };
    body.holder = Some(HolderBody::of(&holder));
    output.result(&told(&holder));
    if !args.end {
        output.note(&match target.is_sqlite() {
            true => "that process is ended by the means of its system; its lock goes with it".to_owned(),
            false => context
                .settings
                .typed
                .text(&format!("`windlass unlock --end` ends that session: {AFTERWARDS}")),
        });
        return Ok((Exit::Busy, Body::Unlock(body)));
    }
    if !args.yes && !is_wanted(output) {
        output.progress("Left", "it is as it was");
        return Ok((Exit::Busy, Body::Unlock(body)));
    }
    body.ended = apply::end_lock_holder(&mut *session.driver, &holder).await?;
    match body.ended {
        true => output.done("Ended", &format!("{}: {AFTERWARDS}", held_by(&name_of(&holder)))),
        false => output.done("Finished", "it had given the lock back by itself"),
    }
    Ok((Exit::Done, Body::Unlock(body)))
}

/// A line for all that the server tells.
fn told(holder: &Holder) -> String {
    let unknown = "another connection".to_owned();
    let who = holder.who.as_ref().or(holder.session.is_none().then_some(&unknown));
    let lines = [
        ("session", &holder.session.as_ref()),
        ("who", &who),
        ("since", &holder.since.as_ref()),
        ("running", &holder.running.as_ref()),
    ];
    let lines = lines.into_iter().filter_map(|(key, text)| Some(format!("{key:<8} {}", text.as_ref()?)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Who it is, without what it is at.
fn name_of(holder: &Holder) -> Holder {
    Holder { session: holder.session.clone(), who: holder.who.clone(), ..Holder::default() }
}

/// Asks whoever sits at the terminal.
fn is_wanted(output: &Output) -> bool {
    output.ask(&format!("End this session? {AFTERWARDS} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}
