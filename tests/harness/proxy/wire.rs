//! What goes over the wire: where a client's messages begin and end, and when the server has answered them.

use crate::Family;
use std::sync::{Mutex, PoisonError};

/// What a login agreed upon, as far as reading on depends on it.
#[derive(Debug, Default)]
pub(super) struct Agreed {
    /// MySQL: rows end with an OK packet, and columns with nothing.
    without_eof: bool,
}

/// A client's message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    /// Whether it asks for something; logging in and saying goodbye do not.
    pub(super) is_request: bool,
    /// How many answers the server has given once it has acted on everything up to here.
    pub(super) answers: usize,
}

/// The client's side of a connection.
#[derive(Debug)]
pub(super) struct Requests {
    is_postgres: bool,
    pending: Vec<u8>,
    /// PostgreSQL's first message has no type.
    has_begun: bool,
    answers: usize,
}

impl Requests {
    pub(super) fn of(family: Family) -> Self {
        let is_postgres = family == Family::Postgres;
        Self { is_postgres, pending: Vec::new(), has_begun: false, answers: usize::from(is_postgres) }
    }

    /// Takes bytes in; gives the messages that are whole now.
    pub(super) fn read(&mut self, bytes: &[u8], agreed: &Mutex<Agreed>) -> Vec<Message> {
        self.pending.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(length) = self.length() {
            let bytes: Vec<u8> = self.pending.drain(..length).collect();
            let is_request =
                if self.is_postgres { self.postgres(&bytes) } else { self.mysql(&bytes, agreed) };
            messages.push(Message { bytes, is_request, answers: self.answers });
        }
        messages
    }

    /// Of the first message that is pending, if it is whole.
    fn length(&self) -> Option<usize> {
        let length = match (self.is_postgres, self.has_begun) {
            (true, true) => 1 + be(self.pending.get(1..5)?),
            (true, false) => be(self.pending.get(..4)?),
            (false, _) => 4 + le(self.pending.get(..3)?),
        };
        (self.pending.len() >= length).then_some(length)
    }

    fn postgres(&mut self, message: &[u8]) -> bool {
        if !self.has_begun {
            const START: usize = 196_608;
            // A request for encryption or cancellation comes without a type too.
            self.has_begun = be(&message[4..8]) == START;
            return false;
        }
        // Queries, and the end of a batch, are answered; what is in a batch is not, and counts all the same.
        self.answers += usize::from(matches!(message[0], b'Q' | b'S'));
        !matches!(message[0], b'p' | b'X')
    }

    fn mysql(&mut self, packet: &[u8], agreed: &Mutex<Agreed>) -> bool {
        const DEPRECATE_EOF: usize = 1 << 24;
        const QUIT: u8 = 1;
        if !std::mem::replace(&mut self.has_begun, true) {
            let mut agreed = agreed.lock().unwrap_or_else(PoisonError::into_inner);
            agreed.without_eof = le(&packet[4..8]) & DEPRECATE_EOF != 0;
        }
        // A command begins anew at sequence number 0; the login goes on counting from the greeting.
        let is_request = packet[3] == 0 && packet.get(4) != Some(&QUIT);
        self.answers += usize::from(is_request);
        is_request
    }
}

/// The server's side of a connection.
#[derive(Debug)]
pub(super) struct Answers {
    is_postgres: bool,
    pending: Vec<u8>,
    expects: Expects,
}

/// What comes next from a MySQL server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Login,
    Answer,
    Columns(usize),
    EndOfColumns,
    Rows,
}

impl Answers {
    pub(super) fn of(family: Family) -> Self {
        let is_postgres = family == Family::Postgres;
        Self { is_postgres, pending: Vec::new(), expects: Expects::Login }
    }

    /// Takes bytes in; gives how many requests they bring the last of the answer to.
    pub(super) fn read(&mut self, bytes: &[u8], agreed: &Mutex<Agreed>) -> usize {
        self.pending.extend_from_slice(bytes);
        let without_eof = agreed.lock().unwrap_or_else(PoisonError::into_inner).without_eof;
        let (mut at, mut answered) = (0, 0);
        loop {
            let rest = &self.pending[at..];
            let (head, length) = match self.is_postgres {
                true if rest.len() >= 5 => (0, 1 + be(&rest[1..5])),
                false if rest.len() >= 4 => (4, 4 + le(&rest[..3])),
                _ => break,
            };
            if rest.len() < length {
                break;
            }
            let message = &rest[head..length];
            // Ready for the next query; or for data: then the end of the batch is not answered any more.
            answered += usize::from(match self.is_postgres {
                true => matches!(message[0], b'Z' | b'G'),
                false => self.expects.meet(message, without_eof),
            });
            at += length;
        }
        self.pending.drain(..at);
        answered
    }
}

impl Expects {
    /// Whether the packet is the last one of an answer.
    fn meet(&mut self, packet: &[u8], without_eof: bool) -> bool {
        const OK: u8 = 0x00;
        const FILE: u8 = 0xFB;
        const EOF: u8 = 0xFE;
        const ERROR: u8 = 0xFF;
        let Some(&first) = packet.first() else { return false };
        let is_last = match (*self, first) {
            (Self::Login, OK) => {
                *self = Self::Answer;
                return false;
            }
            (Self::Login, _) => return false,
            (_, ERROR) => true,
            (Self::Answer, OK) => !has_more(&packet[1..]),
            (Self::Answer, FILE) => return false,
            (Self::Answer, _) => {
                *self = Self::Columns(number(packet).0);
                return false;
            }
            (Self::Columns(1), _) => {
                *self = if without_eof { Self::Rows } else { Self::EndOfColumns };
                return false;
            }
            (Self::Columns(left), _) => {
                *self = Self::Columns(left - 1);
                return false;
            }
            (Self::EndOfColumns, _) => {
                *self = Self::Rows;
                return false;
            }
            (Self::Rows, EOF) if without_eof => !has_more(&packet[1..]),
            (Self::Rows, EOF) if packet.len() < 9 => packet[3] & MORE == 0,
            (Self::Rows, _) => return false,
        };
        *self = Self::Answer;
        is_last
    }
}

/// In a status: another statement's answer follows.
const MORE: u8 = 0x08;

/// Behind the first byte of an OK packet stand two numbers, and then the status.
fn has_more(ok: &[u8]) -> bool {
    let (_, first) = number(ok);
    let (_, second) = number(&ok[first..]);
    ok.get(first + second).is_some_and(|status| status & MORE != 0)
}

/// A number in MySQL's form, and how many bytes it takes.
fn number(bytes: &[u8]) -> (usize, usize) {
    match bytes {
        [0xFC, rest @ ..] => (le(&rest[..2]), 3),
        [0xFD, rest @ ..] => (le(&rest[..3]), 4),
        [0xFE, rest @ ..] => (le(&rest[..8]), 9),
        [small, ..] => (usize::from(*small), 1),
        [] => (0, 0),
    }
}

fn be(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn le(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    fn packet(sequence: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&length[..3], &[sequence], body].concat()
    }

    #[test]
    fn postgres_queries_count_and_the_login_does_not() {
        let agreed = Mutex::new(Agreed::default());
        let mut requests = Requests::of(Family::Postgres);
        let start = [&16_u32.to_be_bytes()[..], &196_608_u32.to_be_bytes(), b"user\0\0\0\0"].concat();
        let said = [start, message(b'p', b"pw"), message(b'Q', b"BEGIN\0"), message(b'Q', b"SELECT 1\0")];
        let said = said.concat();
        // Whatever stretches the bytes come in.
        let mut messages = requests.read(&said[..20], &agreed);
        messages.extend(requests.read(&said[20..], &agreed));
        let counted: Vec<_> = messages.iter().map(|m| (m.is_request, m.answers)).collect();
        assert_eq!(counted, [(false, 1), (false, 1), (true, 2), (true, 3)]);
        let mut answers = Answers::of(Family::Postgres);
        let said = [message(b'Z', b"I"), message(b'C', b"BEGIN\0"), message(b'Z', b"T")].concat();
        assert_eq!(answers.read(&said[..8], &agreed) + answers.read(&said[8..], &agreed), 2);
    }

    #[test]
    fn a_mysql_message_of_many_statements_is_answered_once() {
        let agreed = Mutex::new(Agreed::default());
        let mut requests = Requests::of(Family::MySql);
        let login = packet(1, &[0, 0, 0, 1, 0, 0]);
        let said = [login, packet(0, b"\x03SELECT 1; SELECT 2"), packet(0, b"\x01")].concat();
        let counted: Vec<_> =
            requests.read(&said, &agreed).iter().map(|m| (m.is_request, m.answers)).collect();
        assert_eq!(counted, [(false, 0), (true, 1), (false, 1)]);
        let mut answers = Answers::of(Family::MySql);
        let rows = |status: u8| {
            let end = [0xFE, 0, 0, status, 0, 0, 0];
            [packet(1, &[1]), packet(2, b"column"), packet(3, b"\x011"), packet(4, &end)].concat()
        };
        let said =
            [packet(2, &[0, 0, 0, 2, 0, 0, 0]), rows(MORE), packet(5, &[0, 1, 0, 2, 0, 0, 0])].concat();
        assert_eq!(answers.read(&said, &agreed), 1);
        assert_eq!(answers.read(&rows(2), &agreed), 1);
        assert_eq!(answers.read(&packet(1, b"\xffno"), &agreed), 1);
    }
}
