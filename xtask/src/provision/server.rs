//! A running private server: its port, the wait until it answers, and its end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::program::tail;
use super::{processes, supervise};

/// All that is needed to start a server whose data is ready.
pub(crate) struct Launch {
    /// How the server is told to the user: its version and where it comes from.
    pub(crate) description: String,
    /// The start command for a port.
    pub(crate) command: Box<dyn Fn(u16) -> Command + Send>,
    /// The URL of a superuser for a port.
    pub(crate) url: Box<dyn Fn(u16) -> String + Send>,
    /// Where the server writes what it has to say.
    pub(crate) log: PathBuf,
    /// How one knows that the server is the one on its port, and ready.
    pub(crate) ready: Ready,
    /// What ends the server at once.
    pub(crate) stop: Signal,
    /// A folder of the server's programs that run as they stand, where there is one.
    pub(crate) programs: Option<PathBuf>,
}

/// The signs of a server that is ready.
pub(crate) enum Ready {
    /// `postmaster.pid` says so, and a start-up message is answered.
    Postgres { pid_file: PathBuf },
    /// The file with the process id is written once the port is bound, and the server greets.
    Mysql { pid_file: PathBuf },
    /// A server in a container: only its greeting can be seen.
    Greets(fn(u16) -> bool),
}

/// A server; dropping it ends it.
pub(crate) struct Server {
    child: Child,
    port: u16,
    launch: Launch,
}

const ATTEMPTS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(120);

impl Server {
    /// Starts a server. The calling thread must outlive it.
    pub(crate) fn start(launch: Launch) -> Result<Self> {
        let port = free_port()?;
        Ok(Server { child: Self::spawn(&launch, port)?, port, launch })
    }

    /// Waits until the server answers; one that lost its port to another program starts on the next.
    pub(crate) fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 1..ATTEMPTS {
            match self.watch_start()? {
                true => return self.refuse_errors_in_log(),
                false => {
                    self.port = free_port()?;
                    self.child = Self::spawn(&self.launch, self.port)?;
                }
            }
        }
        bail!("found no free port in {ATTEMPTS} attempts: {}", self.log_tail())
    }

    /// The URL of a superuser.
    pub(crate) fn url(&self) -> String {
        (self.launch.url)(self.port)
    }

    /// The folder of its programs.
    pub(crate) fn programs(&self) -> Option<&Path> {
        self.launch.programs.as_deref()
    }

    /// What runs, and where it comes from.
    pub(crate) fn description(&self) -> &str {
        &self.launch.description
    }

    /// Kills the server and all its processes, as a crash does, and starts it again on the same port and data.
    pub(crate) fn kill_and_start(&mut self) -> Result<()> {
        if matches!(self.launch.ready, Ready::Greets(_)) {
            bail!("a server in a container cannot be killed from here");
        }
        processes::kill_tree(&mut self.child)?;
        self.child = Self::spawn(&self.launch, self.port)?;
        match self.watch_start()? {
            true => Ok(()),
            false => bail!("its port was taken meanwhile: {}", self.log_tail()),
        }
    }

    fn spawn(launch: &Launch, port: u16) -> Result<Child> {
        let log = File::create(&launch.log).context("cannot create the server's log")?;
        let mut command = (launch.command)(port);
        // The pipe closes with this process, which ends what runs in a container.
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        supervise::spawn_bound(&mut command, launch.stop)
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
    }

    /// True once ready, false if the port was taken.
    fn watch_start(&mut self) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        while !self.launch.ready.holds(self.port) {
            if let Some(status) = self.child.try_wait()? {
                if self.log().to_lowercase().contains("address already in use") {
                    return Ok(false);
                }
                eprintln!("{}", self.log());
                bail!("the server ended with {status}, its log stands above: {}", self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("the server was not ready after {} s: {}", PATIENCE.as_secs(), self.log_tail());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(true)
    }

    /// A failed statement of an init file is only a line in the log. A server that was killed tells there of what it
    /// clears away, too.
    fn refuse_errors_in_log(&self) -> Result<()> {
        let log = self.log();
        match log.lines().find(|line| line.contains("[ERROR]")) {
            Some(line) => bail!("the server started with an error: {line}"),
            None => Ok(()),
        }
    }

    fn log(&self) -> String {
        let bytes = fs::read(&self.launch.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_tail(&self) -> String {
        tail(&self.log())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).expect("process ids fit an i32");
        // An error means that the server is gone already.
        let _ = kill(Pid::from_raw(id), self.launch.stop);
        let _ = self.child.wait();
    }
}

impl Ready {
    fn holds(&self, port: u16) -> bool {
        match self {
            Ready::Postgres { pid_file } => {
                fs::read_to_string(pid_file).is_ok_and(|text| text.contains("ready"))
                    && postgres_answers(port)
            }
            Ready::Mysql { pid_file } => pid_file.is_file() && mysql_greets(port),
            Ready::Greets(probe) => probe(port),
        }
    }
}

/// Whether a start-up message is answered with a request for a password.
pub(crate) fn postgres_answers(port: u16) -> bool {
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 8).expect("a short message");
    let mut message = Vec::from(length.to_be_bytes());
    message.extend(196_608_u32.to_be_bytes());
    message.extend(parameters);
    exchange::<1>(port, &message).is_some_and(|answer| answer == *b"R")
}

/// Whether a server greets as MySQL and MariaDB do: protocol 10 after a header of four bytes.
pub(crate) fn mysql_greets(port: u16) -> bool {
    exchange::<5>(port, &[]).is_some_and(|greeting| greeting[4] == 10)
}

fn exchange<const LENGTH: usize>(port: u16, message: &[u8]) -> Option<[u8; LENGTH]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(message).ok()?;
    let mut answer = [0; LENGTH];
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

const PORTS: std::ops::RangeInclusive<u16> = 20_000..=31_999;
static LAST_PORT: AtomicU16 = AtomicU16::new(0);

/// A port that is free now and that this process has not given before: below the ephemeral range.
pub(crate) fn free_port() -> Result<u16> {
    // Processes begin at different places, so that two of them seldom meet.
    let span = PORTS.end() - PORTS.start() + 1;
    let begin =
        u16::try_from(std::process::id().wrapping_mul(61) % u32::from(span)).expect("within the span");
    for _ in 0..span {
        let step = LAST_PORT.fetch_add(1, Ordering::Relaxed) % span;
        let port = PORTS.start() + (begin + step) % span;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start(), PORTS.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(folder: &std::path::Path, script: &'static str) -> Launch {
        Launch {
            description: "a script".to_owned(),
            command: Box::new(move |port| {
                let mut command = Command::new("sh");
                command.args(["-c", script, "sh", &port.to_string()]);
                command
            }),
            url: Box::new(|port| format!("test://127.0.0.1:{port}")),
            log: folder.join("log"),
            ready: Ready::Greets(|_| false),
            stop: Signal::SIGKILL,
            programs: None,
        }
    }

    #[test]
    fn ports_are_in_their_range_and_never_given_twice() {
        let first = free_port().unwrap();
        let second = free_port().unwrap();
        assert_ne!(first, second);
        assert!(PORTS.contains(&first) && PORTS.contains(&second));
    }

    #[test]
    fn a_server_that_ends_early_is_told_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(launch(folder.path(), "echo no such table; exit 3")).unwrap();
        let message = server.wait_until_ready().unwrap_err().to_string();
        assert!(message.contains("exit status: 3") && message.contains("no such table"), "{message}");
    }

    #[test]
    fn a_taken_port_leads_to_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(launch(folder.path(), "echo Address already in use; exit 1")).unwrap();
        let first = server.port;
        let message = server.wait_until_ready().unwrap_err().to_string();
        assert!(message.contains("no free port in 5 attempts"), "{message}");
        assert_ne!(server.port, first);
    }

    #[test]
    fn a_killed_server_takes_its_processes_with_it_and_starts_again_on_its_port() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let ready = Ready::Postgres { pid_file: pid_file.clone() };
        let script = "sleep 600 & wait";
        let mut server = Server::start(Launch { ready, ..launch(folder.path(), script) }).unwrap();
        let (first, port) = (server.child.id(), server.port);
        let is_up = |id| !processes::below(id).is_empty();
        while !is_up(first) {
            sleep(Duration::from_millis(5));
        }
        let child = processes::below(first)[0];
        // Nothing answers on the port, so that the start does not come to an end by itself.
        processes::kill_tree(&mut server.child).unwrap();
        assert!(!processes::lives(child));
        server.child = Server::spawn(&server.launch, port).unwrap();
        assert_ne!(server.child.id(), first);
        processes::kill_tree(&mut server.child).unwrap();
    }

    #[test]
    fn dropping_a_server_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(launch(folder.path(), "exec sleep 600")).unwrap();
        let id = Pid::from_raw(i32::try_from(server.child.id()).unwrap());
        assert!(kill(id, None).is_ok());
        drop(server);
        assert!(kill(id, None).is_err());
    }
}
