//! `completions`: a script for a shell.

use super::Context;
use crate::args::{Cli, Completions};
use crate::exit::Exit;
use crate::json::Body;
use clap::CommandFactory;

pub(crate) fn run(context: &Context, args: &Completions) -> (Exit, Body) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "windlass", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    context.output.result(script.trim_end());
    (Exit::Done, Body::Completions { shell: args.shell.to_string(), script })
}
