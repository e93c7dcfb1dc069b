//! A TCP proxy that counts round trips on the wire, whatever a driver believes to do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Stands between a client and its server. It lives as long as the process.
#[derive(Debug)]
pub(crate) struct Proxy {
    server: String,
    own: String,
    trips: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts one before the server that a URL names.
    pub(crate) fn before(url: &str) -> Self {
        let server = server_of(url).to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port for the proxy");
        let own = listener.local_addr().expect("the proxy's address").to_string();
        let trips = Arc::new(AtomicU64::new(0));
        let (to, counted) = (server.clone(), Arc::clone(&trips));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&to).expect("the server behind the proxy");
                carry(client, server, Arc::clone(&counted));
            }
        });
        Self { server, own, trips }
    }

    /// The URL that leads through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(&self.server, &self.own, 1)
    }

    /// How often the client spoke after the server had, since the proxy began.
    pub(crate) fn trips(&self) -> u64 {
        self.trips.load(Ordering::SeqCst)
    }
}

/// The host and port in a URL.
fn server_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn carry(client: TcpStream, server: TcpStream, trips: Arc<AtomicU64>) {
    let no_delay = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    no_delay.expect("sockets without delay");
    // A trip begins with what the client says first, and with what it says after the server spoke.
    let server_spoke = Arc::new(AtomicBool::new(true));
    let (from, to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let spoke = Arc::clone(&server_spoke);
    thread::spawn(move || {
        pass(from, to, || {
            if spoke.swap(false, Ordering::SeqCst) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
        });
    });
    thread::spawn(move || pass(server, client, || server_spoke.store(true, Ordering::SeqCst)));
}

/// Notes what came before it is passed on: an answer to it is always seen later.
fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut()) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        note();
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
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
