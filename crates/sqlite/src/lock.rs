//! The lock, and whether the owner of an attempt still lives.
//!
//! SQLite has no advisory lock and lists no sessions. What one transaction does needs neither: `BEGIN IMMEDIATE`
//! lets one writer in, and a dead writer's transaction is rolled back by whoever opens the file next. Only an
//! attempt with statements outside a transaction (`VACUUM` …) leaves a row behind that says "running". For
//! these the row carries the identity of the process, and the operating system is asked whether it lives.
//! That is proof on Linux, for a process of the same boot and the same PID namespace; of any other, nothing
//! is known and nothing is claimed.

use crate::error::{another_writer, is_busy, refused};
use crate::history::{HistoryTable, attempt};
use crate::perform::run_to_end;
use rusqlite::{Connection, Error};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use windlass_core::driver::{DriverError, Holder, Lock};
use windlass_core::history::{Attempt, Liveness};

static NEXT: AtomicU64 = AtomicU64::new(1);
static LIVING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

fn living() -> MutexGuard<'static, BTreeSet<u64>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session as others can recognise it: a driver, in a process, in a PID namespace, since a boot.
#[derive(Debug)]
pub(crate) struct Session {
    number: u64,
    text: Option<String>,
}

impl Session {
    pub(crate) fn begin() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        living().insert(number);
        let text = Process::this().map(|process| process.to_text(number));
        Self { number, text }
    }

    /// What the history keeps of it; nothing where the system does not tell.
    pub(crate) fn as_text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        living().remove(&self.number);
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    boot: String,
    namespace: String,
    pid: u32,
    /// In clock ticks since the boot: a PID is given again, but not with the same start.
    start: String,
}

impl Process {
    fn this() -> Option<Self> {
        let pid = std::process::id();
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        Some(Self {
            boot: std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned(),
            namespace: namespace.to_str()?.to_owned(),
            pid,
            start: start_of(pid)?,
        })
    }

    fn to_text(&self, number: u64) -> String {
        let Self { boot, namespace, pid, start } = self;
        format!("process {pid} start {start} session {number} {namespace} boot {boot}")
    }

    fn parse(text: &str) -> Option<(Self, u64)> {
        let words: Vec<&str> = text.split(' ').collect();
        let ["process", pid, "start", start, "session", number, namespace, "boot", boot] = words[..] else {
            return None;
        };
        let process = Self {
            boot: boot.to_owned(),
            namespace: namespace.to_owned(),
            pid: pid.parse().ok()?,
            start: start.to_owned(),
        };
        Some((process, number.parse().ok()?))
    }
}

/// The 22nd field of `/proc/PID/stat`; the 2nd is in parentheses and may hold anything. Of a process that has ended
/// and waits for its parent, nothing.
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    start_in(&stat).map(str::to_owned)
}

fn start_in(stat: &str) -> Option<&str> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let (state, threads, start) = (fields.first()?, fields.get(17)?, fields.get(19)?);
    // The first thread of a process may have ended before the others.
    let has_ended = matches!(*state, "Z" | "X") && matches!(*threads, "0" | "1");
    Some(if has_ended { "" } else { start })
}

/// Whether the owner of an unfinished attempt lives. An attempt without an owner waits for one, and the session
/// that asks is not running one of its own: it does one thing at a time.
pub(crate) fn liveness(owner: &str, session: Option<&str>, asking: Option<&Session>) -> Liveness {
    let is_asking = session.is_some() && session == asking.and_then(Session::as_text);
    if owner.is_empty() || is_asking {
        return Liveness::Gone;
    }
    let (Some((process, number)), Some(this)) = (session.and_then(Process::parse), Process::this()) else {
        return Liveness::Unknown;
    };
    if (&process.boot, &process.namespace) != (&this.boot, &this.namespace) {
        return Liveness::Unknown;
    }
    if process == this {
        return if living().contains(&number) { Liveness::Alive } else { Liveness::Gone };
    }
    match start_of(process.pid) {
        Some(start) if start == process.start => Liveness::Alive,
        Some(_) => Liveness::Gone,
        None if no_such_process(process.pid) => Liveness::Gone,
        None => Liveness::Unknown,
    }
}

/// `/proc` can be mounted so that it hides other users' processes; a signal that is not sent tells them.
#[cfg(unix)]
fn no_such_process(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn no_such_process(_: u32) -> bool {
    false
}

/// One try: held while another connection writes, and while a living session is in the midst of an attempt.
pub(crate) fn try_lock(
    connection: &Connection,
    table: &HistoryTable,
    session: Option<&Session>,
) -> Result<Lock, DriverError> {
    let wait = read_wait(connection).map_err(|error| refused(&error))?;
    // With no time to wait there may be an application's busy handler, which setting the time would take away.
    if wait == 0 {
        return try_now(connection, table, session);
    }
    set_wait(connection, 0).map_err(|error| refused(&error))?;
    let tried = try_now(connection, table, session);
    set_wait(connection, wait).map_err(|error| refused(&error))?;
    tried
}

fn read_wait(connection: &Connection) -> Result<i64, Error> {
    connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0))
}

fn set_wait(connection: &Connection, milliseconds: i64) -> Result<(), Error> {
    run_to_end(connection, &format!("PRAGMA busy_timeout = {milliseconds}"))
}

fn try_now(
    connection: &Connection,
    table: &HistoryTable,
    session: Option<&Session>,
) -> Result<Lock, DriverError> {
    let wrote = run_to_end(connection, "BEGIN IMMEDIATE");
    let writer = match &wrote {
        Ok(()) => None,
        Err(error) if is_busy(error) => Some(another_writer()),
        Err(error) => return Err(refused(error)),
    };
    let runner = running(connection, table, session);
    if wrote.is_ok() {
        run_to_end(connection, "ROLLBACK").map_err(|error| refused(&error))?;
    }
    // Who cannot read because of the writer still knows that there is one.
    match (runner, writer) {
        (Ok(Some(holder)), _) | (_, Some(holder)) => Ok(Lock::Held(holder)),
        (Ok(None), None) => Ok(Lock::Acquired),
        (Err(error), None) => Err(error),
    }
}

fn running(
    connection: &Connection,
    table: &HistoryTable,
    asking: Option<&Session>,
) -> Result<Option<Holder>, DriverError> {
    let unfinished = "claim IS NOT NULL AND finished_at IS NULL AND error IS NULL";
    let holders = table.attempts(connection, unfinished, |row| {
        let session: Option<String> = row.get("session").unwrap_or_default();
        // A row that cannot be read is told by whoever reads the history.
        let attempt = attempt(row, asking).ok().filter(|attempt| attempt.owner_session == Liveness::Alive);
        Ok(attempt.map(|attempt| holder(&attempt, session.as_deref())))
    })?;
    Ok(holders.into_iter().flatten().next())
}

fn holder(attempt: &Attempt, session: Option<&str>) -> Holder {
    let process = session.and_then(Process::parse).map(|(process, _)| format!("process {}", process.pid));
    Holder {
        session: process,
        who: Some(attempt.applied_by.clone()),
        since: Some(attempt.started_at.clone()),
        running: Some(attempt.name.clone()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_until_its_driver_is_dropped() {
        let session = Session::begin();
        let text = session.as_text().unwrap().to_owned();
        assert_eq!(liveness("a", Some(&text), None), Liveness::Alive);
        assert_eq!(liveness("a", Some(&text), Some(&Session::begin())), Liveness::Alive);
        assert_eq!(liveness("a", Some(&text), Some(&session)), Liveness::Gone, "it asks, so it runs nothing");
        drop(session);
        assert_eq!(liveness("a", Some(&text), None), Liveness::Gone);
    }

    #[test]
    fn a_process_has_ended_with_its_last_thread() {
        let stat = |state: &str, threads: u32| {
            let fields = "1 1 1 0 -1 4194304 1 1 0 0 1 1 0 0 20 0";
            start_in(&format!("7 (a) Z (b) {state} {fields} {threads} 0 5417 1 1"))
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(["R", "S", "T"].map(|state| stat(state, 1)), ["5417"; 3]);
        assert_eq!([stat("Z", 1), stat("X", 0), stat("Z", 2)], ["", "", "5417"]);
    }

    #[test]
    fn the_system_knows_which_process_lives() {
        let this = Process::this().unwrap();
        let text = |pid, start: &str, boot: &str| {
            let (start, boot) = (start.to_owned(), boot.to_owned());
            Process { pid, start, boot, namespace: this.namespace.clone() }.to_text(1)
        };
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let (pid, start) = (child.id(), start_of(child.id()).unwrap());
        assert_eq!(liveness("a", Some(&text(pid, &start, &this.boot)), None), Liveness::Alive);
        assert_eq!(
            liveness("a", Some(&text(pid, "1", &this.boot)), None),
            Liveness::Gone,
            "the PID was given again"
        );
        assert_eq!(
            liveness("a", Some(&text(pid, &start, "another")), None),
            Liveness::Unknown,
            "another machine"
        );
        child.kill().unwrap();
        rustix::process::waitid(
            rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        )
        .unwrap();
        assert_eq!(
            liveness("a", Some(&text(pid, &start, &this.boot)), None),
            Liveness::Gone,
            "not yet reaped"
        );
        child.wait().unwrap();
        assert_eq!(liveness("a", Some(&text(pid, &start, &this.boot)), None), Liveness::Gone);
        assert_eq!(liveness("", Some("anything"), None), Liveness::Gone, "nobody owns it");
        assert_eq!(liveness("a", None, None), Liveness::Unknown);
    }
}
