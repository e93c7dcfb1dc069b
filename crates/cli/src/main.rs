//! The `windlass` command: parses, runs, and says how it went.

mod args;
mod commands;
mod comparison;
mod config;
mod diagnosis;
mod error;
mod excerpt;
mod exit;
mod identity;
mod json;
mod logging;
mod output;
#[cfg(test)]
mod pages;
mod progress;
mod render;
mod shadow;
mod signals;
mod table;
mod target;
mod typed;

use args::{Cli, Color};
use clap::Parser;
use config::{Secret, Settings};
use diagnosis::Diagnosis;
use error::Error;
use exit::Exit;
use json::Document;
use output::{BAD, BOLD, Output, Verbosity};
use std::process::ExitCode;
use typed::Typed;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(&cli).into(),
        Err(error) => refuse(error).into(),
    }
}

fn run(cli: &Cli) -> Exit {
    match cli.global.color {
        // In a CI job colours are taken to be wanted, whatever the terminal; one that is dumb says otherwise.
        Color::Auto if std::env::var_os("TERM").is_some_and(|term| term == "dumb") => {
            anstream::ColorChoice::Never.write_global();
        }
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::AlwaysAnsi.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    logging::begin(cli.global.verbose);
    let verbosity = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Usual,
        (false, _) => Verbosity::Log,
    };
    let output = Output::new(cli.global.json, verbosity);
    let command = cli.command.name();
    let (mut url, mut typed) = (None, Typed::of(&cli.global));
    let answered = Settings::resolve(&cli.global).map_err(Error::from).and_then(|settings| {
        url.clone_from(&settings.database_url);
        typed.clone_from(&settings.typed);
        commands::run(&cli.command, settings, &output)
    });
    let exit = match answered {
        Ok((exit, body)) => {
            output.document(&Document::answer(command, exit, body));
            exit
        }
        Err(error) => {
            let diagnosis = Diagnosis::of(&error, url.as_ref(), &typed);
            output.error(&render::render(&diagnosis));
            output.document(&Document::error(command, &diagnosis, error.applied()));
            diagnosis.exit
        }
    };
    match output.lost() {
        Some(error) => unwritten(&output, &error, exit),
        None => exit,
    }
}

/// What was asked for has reached nobody: that is no success.
fn unwritten(output: &Output, error: &std::io::Error, exit: Exit) -> Exit {
    output.error(&format!(
        "{BAD}error{BAD:#}{BOLD}: stdout cannot be written to{BOLD:#}\n{}",
        render::entry("caused by", &error.to_string())
    ));
    if exit == Exit::Done { Exit::Other } else { exit }
}

/// A command line that cannot be understood, or one that asks for help.
fn refuse(error: clap::Error) -> Exit {
    let error = args::with_tip(error);
    if !error.use_stderr() {
        let output = Output::new(false, Verbosity::Usual);
        return match error.print() {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                unwritten(&output, &error, Exit::Done)
            }
            _ => Exit::Done,
        };
    }
    // A URL given in the wrong place is quoted by the parser, password and all.
    let arguments = || std::env::args_os().filter_map(|argument| argument.into_string().ok());
    let clean = |text: String| {
        arguments().fold(text, |text, argument| target::redact(&text, Some(&Secret::new(argument))))
    };
    anstream::eprint!("{}", clean(error.render().ansi().to_string()));
    let output = Output::new(arguments().any(|argument| argument == "--json"), Verbosity::Usual);
    output.document(&Document::usage(&clean(error.render().to_string())));
    Exit::Usage
}
