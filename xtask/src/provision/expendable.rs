//! Servers of a test's own, which it may kill, and poolers: one for each connection to a socket, ended with it.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::server::Server;
use super::{Durability, Site, Target, pgbouncer, prepare};

/// The variable that names the socket.
const VARIABLE: &str = "WINDLASS_TEST_EXPENDABLE";

/// Where tests ask for such servers. A client writes the target's name, or a pooler's and the URL of the server behind
/// it, and reads its URL; for each line `kill` that it writes then, the server is killed and started again, and `ready`
/// is the answer.
pub(crate) struct Desk {
    listener: UnixListener,
    folder: TempDir,
    served: Arc<Mutex<Vec<Served>>>,
}

struct Served {
    client: UnixStream,
    thread: JoinHandle<Result<()>>,
}

/// Ends the servers that are left, and waits until their data is gone.
impl Drop for Desk {
    fn drop(&mut self) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        for Served { client, thread } in served.drain(..) {
            // An error means that the client is gone already.
            let _ = client.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Takes a place; requests wait until [`Desk::serve`].
    pub(crate) fn open() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for a socket")?;
        let listener = UnixListener::bind(folder.path().join("desk"))?;
        Ok(Self { listener, folder, served: Arc::default() })
    }

    /// What tests learn of it by.
    pub(crate) fn variable(&self) -> (String, String) {
        (VARIABLE.to_owned(), self.folder.path().join("desk").to_string_lossy().into_owned())
    }

    /// Serves requests from now on, as long as this process lives.
    pub(crate) fn serve(&self) -> Result<()> {
        let (listener, served) = (self.listener.try_clone()?, Arc::clone(&self.served));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(theirs) = client.try_clone() else { continue };
                // The kernel ends the server with this thread.
                let thread = thread::spawn(move || {
                    let attended = attend(&theirs);
                    let _ = theirs.shutdown(Shutdown::Both);
                    attended
                });
                served.lock().unwrap_or_else(PoisonError::into_inner).push(Served { client, thread });
            }
        });
        Ok(())
    }
}

fn attend(client: &UnixStream) -> Result<()> {
    let mut requests = BufReader::new(client.try_clone()?).lines();
    let answer = |line: Result<String>| -> Result<()> {
        let line = line.unwrap_or_else(|error| format!("error: {error:#}").replace('\n', "; "));
        Ok(writeln!(&mut &*client, "{line}")?)
    };
    let name = requests.next().context("no request")??;
    let mut expendable = match Expendable::start(&name) {
        Ok(expendable) => expendable,
        Err(error) => return answer(Err(error)),
    };
    answer(Ok(expendable.server.url()))?;
    for request in requests {
        answer(match request?.as_str() {
            "kill" => expendable.server.kill_and_start().map(|()| "ready".to_owned()),
            other => Err(anyhow::anyhow!("{other}: no such request")),
        })?;
    }
    Ok(())
}

/// The server ends before what its data stands in.
struct Expendable {
    server: Server,
    _site: Site,
}

impl Expendable {
    fn start(request: &str) -> Result<Self> {
        let (site, launch) = match request.split_once(' ') {
            Some((name, behind)) if name.starts_with(pgbouncer::NAME) => {
                let site = Site::open(Durability::Restartable)?;
                let launch = pgbouncer::prepare(name, behind, &site)?;
                (site, launch)
            }
            _ => {
                let target: Target = request.parse()?;
                if target == Target::Sqlite {
                    bail!("SQLite has no server");
                }
                let site = Site::open(Durability::Restartable)?;
                let launch = prepare(target, &site)?;
                (site, launch)
            }
        };
        let mut server = Server::start(launch)?;
        server.wait_until_ready()?;
        Ok(Self { server, _site: site })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_a_server_is_refused_in_one_line() {
        let desk = Desk::open().unwrap();
        desk.serve().unwrap();
        for name in ["sqlite", "oracle-23"] {
            let mut client = UnixStream::connect(desk.variable().1).unwrap();
            writeln!(client, "{name}").unwrap();
            let answers: Vec<_> = BufReader::new(client).lines().map(Result::unwrap).collect();
            assert!(answers.len() == 1 && answers[0].starts_with("error: "), "{answers:?}");
        }
    }
}
