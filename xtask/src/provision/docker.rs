//! A server in a container, where nothing else provides it and docker has a server.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::program::{installed, run};
use super::server::{Launch, Ready, mysql_greets, postgres_answers};
use super::{Site, Target};

/// Prepares a container whose life hangs on its standard input, so that it ends with this process.
pub(super) fn prepare(target: Target, site: &Site) -> Result<Launch> {
    let docker = installed("docker").context("docker is not installed")?;
    run(Command::new(&docker).args(["version", "--format", "{{.Server.Version}}"]))
        .context("has no server")?;
    let image = image(target);
    run(Command::new(&docker).args(["pull", "--quiet", &image]))?;
    let password = site.password.clone();
    let password_of_url = password.clone();
    let postgres = matches!(target, Target::Postgres(_));
    Ok(Launch {
        description: format!("{image}, from docker, without TLS"),
        log: site.folder(target)?.join("log"),
        ready: Ready::Greets(if postgres { postgres_answers } else { mysql_greets }),
        stop: Signal::SIGTERM,
        programs: None,
        url: Box::new(move |port| match postgres {
            true => format!("postgres://postgres:{password_of_url}@127.0.0.1:{port}/postgres"),
            false => format!("mysql://root:{password_of_url}@127.0.0.1:{port}/mysql"),
        }),
        command: Box::new(move |port| {
            let (inside, variable, server) = match target {
                Target::Postgres(_) => (5432, "POSTGRES_PASSWORD", "postgres"),
                Target::Mariadb(..) => (3306, "MYSQL_ROOT_PASSWORD", "mariadbd"),
                _ => (3306, "MYSQL_ROOT_PASSWORD", "mysqld"),
            };
            let mut command = Command::new(&docker);
            command.args([
                "run",
                "--rm",
                "--interactive",
                "--publish",
                &format!("127.0.0.1:{port}:{inside}"),
            ]);
            command.args(["--env", &format!("{variable}={password}"), "--env", "MYSQL_ROOT_HOST=%"]);
            command.args(["--entrypoint", "sh", &image, "-c"]);
            // The container's shell reads until this process is gone, and with the shell the container ends.
            command.arg(format!("docker-entrypoint.sh {server} </dev/null & cat >/dev/null; kill $!"));
            command
        }),
    })
}

fn image(target: Target) -> String {
    target.to_string().replacen('-', ":", 1)
}
