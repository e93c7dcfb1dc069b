//! A proxy between a client and its server: it counts round trips, and cuts the connection where it is told to.

mod wire;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::{DEADLINE, Family};
use wire::{Answers, Requests};

/// Stands between clients and their server. It lives as long as the process.
#[derive(Debug)]
pub struct Proxy {
    server: String,
    own: String,
    wire: Arc<Wire>,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The request never reaches the server, which may still be at work on earlier ones.
    Before,
    /// The server has the request, and the connection is gone while it acts.
    Within,
    /// The server has acted, and its answer never reaches the client. Requests that were sent behind this one
    /// never reach the server.
    After,
}

/// A request, counted from 1 over all connections since the proxy was armed, and a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Which request.
    pub request: usize,
    /// When.
    pub moment: Moment,
}

#[derive(Debug)]
struct Wire {
    /// `None` where nobody looks into what is said.
    family: Option<Family>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    trips: u64,
    requests: usize,
    cut: Option<Cut>,
    was_cut: bool,
    /// The server did not answer a request: no cut is where it was asked for.
    was_kept_waiting: bool,
    /// Nothing is passed on any more.
    is_stalled: bool,
}

impl Proxy {
    /// Starts one that only counts, before the server that a URL names.
    pub fn before(url: &str) -> Self {
        Self::start(url, None)
    }

    /// Starts one that knows the server's protocol. Connections through it must not be encrypted: see [`Self::url`].
    pub fn cutting(url: &str, family: Family) -> Self {
        Self::start(url, Some(family))
    }

    fn start(url: &str, family: Option<Family>) -> Self {
        let server = server_of(url).to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port for the proxy");
        let own = listener.local_addr().expect("the proxy's address").to_string();
        let wire = Arc::new(Wire { family, state: Mutex::default(), changed: Condvar::new() });
        let (to, shared) = (server.clone(), Arc::clone(&wire));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is down refuses whoever comes, and so does its proxy.
                if let Ok(server) = TcpStream::connect(&to) {
                    Connection::new(client, server, Arc::clone(&shared)).carry();
                }
            }
        });
        Self { server, own, wire }
    }

    /// The URL that leads through the proxy, without encryption where the proxy has to read.
    pub fn url(&self, url: &str) -> String {
        let through = url.replacen(&self.server, &self.own, 1);
        let plainly = match self.wire.family {
            None | Some(Family::Sqlite) => return through,
            Some(Family::Postgres) => "sslmode=disable",
            Some(Family::MySql | Family::MariaDb) => "ssl-mode=DISABLED",
        };
        let separator = if through.contains('?') { '&' } else { '?' };
        format!("{through}{separator}{plainly}")
    }

    /// How often a client spoke after the server had, since the proxy began.
    pub fn trips(&self) -> u64 {
        self.wire.state().trips
    }

    /// Counts requests anew, and cuts the connection of this one.
    pub fn arm(&self, cut: Cut) {
        let mut state = self.wire.state();
        (state.requests, state.cut, state.was_cut) = (0, Some(cut), false);
    }

    /// Whether a connection was cut since; from now on none is.
    ///
    /// # Panics
    /// Where the server never answered the request whose answer was to be lost.
    pub fn disarm(&self) -> bool {
        let mut state = self.wire.state();
        assert!(!state.was_kept_waiting, "the server never answered {:?}", state.cut);
        state.cut = None;
        state.was_cut
    }

    /// From now on nothing is passed on, not even that a side has closed its connection: as where a host vanishes.
    pub fn stall(&self) {
        self.wire.state().is_stalled = true;
    }

    /// Requests since the proxy was armed, or began.
    pub fn requests(&self) -> usize {
        self.wire.state().requests
    }
}

impl Wire {
    /// Ends here, with the sockets open, where nothing is passed on any more.
    fn pass(&self) {
        while self.state().is_stalled {
            thread::park();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host and port in a URL.
fn server_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// One client's connection.
struct Connection {
    client: TcpStream,
    server: TcpStream,
    wire: Arc<Wire>,
    /// What this connection's two directions know of one another.
    talk: Arc<Mutex<Talk>>,
}

#[derive(Debug)]
struct Talk {
    /// A trip begins with what the client says first, and with what it says after the server spoke.
    server_spoke: bool,
    /// How many requests the server has answered.
    answered: usize,
    /// Answers are held back from now on: the connection is about to be cut.
    is_held: bool,
    is_over: bool,
}

impl Connection {
    fn new(client: TcpStream, server: TcpStream, wire: Arc<Wire>) -> Self {
        let no_delay = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        no_delay.expect("sockets without delay");
        let talk = Talk { server_spoke: true, answered: 0, is_held: false, is_over: false };
        Self { client, server, wire, talk: Arc::new(Mutex::new(talk)) }
    }

    fn carry(self) {
        let down = Self {
            client: self.client.try_clone().expect("a socket"),
            server: self.server.try_clone().expect("a socket"),
            wire: Arc::clone(&self.wire),
            talk: Arc::clone(&self.talk),
        };
        let requests = self.wire.family.map(Requests::of);
        let answers = self.wire.family.map(Answers::of);
        // Both directions of one protocol share what the login agreed upon.
        let agreed = Arc::new(Mutex::new(wire::Agreed::default()));
        let theirs = Arc::clone(&agreed);
        thread::spawn(move || self.carry_up(requests, &agreed));
        thread::spawn(move || down.carry_down(answers, &theirs));
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_up(mut self, mut requests: Option<Requests>, agreed: &Mutex<wire::Agreed>) {
        let mut buffer = vec![0; 256 * 1024];
        'reading: while let Ok(length @ 1..) = self.client.read(&mut buffer) {
            self.wire.pass();
            if std::mem::take(&mut self.talk().server_spoke) {
                self.wire.state().trips += 1;
            }
            let Some(requests) = &mut requests else {
                if self.server.write_all(&buffer[..length]).is_err() {
                    break;
                }
                continue;
            };
            for message in requests.read(&buffer[..length], agreed) {
                let moment = if message.is_request { self.meet() } else { None };
                if moment == Some(Moment::Before) {
                    break 'reading;
                }
                self.talk().is_held |= moment == Some(Moment::After);
                if self.server.write_all(&message.bytes).is_err() {
                    break 'reading;
                }
                match moment {
                    Some(Moment::After) => {
                        self.wait_until_answered(message.answers);
                        break 'reading;
                    }
                    Some(_) => break 'reading,
                    None => {}
                }
            }
        }
        self.end();
    }

    /// Counts a request; the moment at which its connection is to be cut, if it is this one's.
    fn meet(&self) -> Option<Moment> {
        let mut state = self.wire.state();
        state.requests += 1;
        let cut = state.cut.filter(|cut| cut.request == state.requests && !state.was_cut)?;
        state.was_cut = true;
        Some(cut.moment)
    }

    fn wait_until_answered(&self, answers: usize) {
        let began = Instant::now();
        let mut state = self.wire.state();
        loop {
            let talk = self.talk();
            if talk.answered >= answers || talk.is_over {
                return;
            }
            drop(talk);
            if began.elapsed() >= DEADLINE {
                state.was_kept_waiting = true;
                return;
            }
            (state, _) =
                self.wire.changed.wait_timeout(state, DEADLINE).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn carry_down(mut self, mut answers: Option<Answers>, agreed: &Mutex<wire::Agreed>) {
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(length @ 1..) = self.server.read(&mut buffer) {
            self.wire.pass();
            // Noted before it is passed on: an answer to it is always seen later.
            let is_held = {
                let _order = self.wire.state();
                let mut talk = self.talk();
                talk.server_spoke = true;
                if let Some(answers) = &mut answers {
                    talk.answered += answers.read(&buffer[..length], agreed);
                }
                self.wire.changed.notify_all();
                talk.is_held
            };
            if !is_held && self.client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        self.end();
    }

    /// Ends both sides at once.
    fn end(&self) {
        self.wire.pass();
        let _order = self.wire.state();
        self.talk().is_over = true;
        self.wire.changed.notify_all();
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_read_from_the_url() {
        assert_eq!(server_of("postgres://postgres:p@127.0.0.1:5432/shop?sslmode=disable"), "127.0.0.1:5432");
        assert_eq!(server_of("mysql://127.0.0.1:3306"), "127.0.0.1:3306");
    }

    #[test]
    fn a_question_and_its_answer_are_one_trip() {
        let echo = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("test://{}/", echo.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = echo.accept().unwrap();
            let mut byte = [0; 2];
            while stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte[..1]).unwrap();
            }
        });
        let proxy = Proxy::before(&url);
        let mut client = TcpStream::connect(server_of(&proxy.url(&url))).unwrap();
        for asked in 1..=3 {
            client.write_all(b"ab").unwrap();
            client.read_exact(&mut [0]).unwrap();
            assert_eq!(proxy.trips(), asked);
        }
    }
}
