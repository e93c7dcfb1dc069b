//! A server of a test's own, which it may kill, or a pooler before one that stands.

use crate::Target;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

/// A server that starts again on its port and data whenever it is killed, and ends with this.
#[derive(Debug)]
pub struct Expendable {
    target: Target,
    desk: BufReader<UnixStream>,
}

impl Expendable {
    /// Starts one like a target's.
    ///
    /// # Panics
    /// Where nobody provides it.
    pub fn like(target: &Target) -> Self {
        Self::start(target, target.server())
    }

    /// Starts a pooler in transaction mode, `pgbouncer-1.18` or another that the provider knows, before a target.
    ///
    /// # Panics
    /// Where nobody provides it.
    pub fn pooler(name: &str, target: &Target) -> Self {
        Self::start(target, &format!("{name} {}", target.url))
    }

    fn start(target: &Target, request: &str) -> Self {
        let socket = std::env::var_os("WINDLASS_TEST_EXPENDABLE")
            .expect("WINDLASS_TEST_EXPENDABLE is not set: run `cargo xtask test`, which provides it");
        let desk = BufReader::new(UnixStream::connect(socket).expect("the socket"));
        let mut server = Self { target: target.clone(), desk };
        server.target.url = server.ask(request);
        server
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Kills it as a crash does, and comes back once it answers again.
    ///
    /// # Panics
    /// Where it does not start again.
    pub fn kill(&mut self) {
        assert_eq!(self.ask("kill"), "ready");
    }

    fn ask(&mut self, request: &str) -> String {
        writeln!(self.desk.get_mut(), "{request}").expect("a request");
        let mut answer = String::new();
        self.desk.read_line(&mut answer).expect("an answer");
        let answer = answer.trim_end();
        assert!(!answer.is_empty() && !answer.starts_with("error"), "{}: {request}: {answer}", self.target);
        answer.to_owned()
    }
}
