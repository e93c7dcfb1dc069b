//! Child processes that end with this one, however it ends.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpid, getppid};

/// Starts `command` in its own process group; the kernel sends it `signal` when this *thread* ends.
///
/// So a server must be started from a thread that lives as long as the server is wanted.
pub(crate) fn spawn_bound(command: &mut Command, signal: Signal) -> io::Result<Child> {
    command.process_group(0);
    bind(command, signal);
    command.spawn()
}

/// Makes the kernel send `signal` to the future child when the thread that starts it ends.
pub(crate) fn bind(command: &mut Command, signal: Signal) {
    let parent = getpid();
    // SAFETY: the closure runs between fork and exec and makes three system calls, prctl, getppid and
    // sigprocmask, which are safe there; it neither allocates nor takes a lock. The standard library has changed the user
    // before it runs, which matters because changing the user clears the setting.
    unsafe {
        command.pre_exec(move || bind_to(parent, signal));
    }
}

fn bind_to(parent: Pid, signal: Signal) -> io::Result<()> {
    // This process may keep signals for a thread of its own; its children meet them as usual.
    SigSet::empty().thread_set_mask()?;
    set_pdeathsig(signal)?;
    // A parent that died before the call above sends nothing any more.
    if getppid() == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(nix::libc::ESRCH)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn blocked_in_child(prepare: impl Fn(&mut Command)) -> String {
        let mut command = Command::new("grep");
        command.args(["SigBlk", "/proc/self/status"]).stdout(Stdio::piped());
        prepare(&mut command);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().last().unwrap().to_owned()
    }

    #[test]
    fn children_meet_the_signals_that_this_process_holds_back() {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGTERM);
        signals.thread_block().unwrap();
        assert_ne!(blocked_in_child(|_| {}), "0000000000000000");
        assert_eq!(blocked_in_child(|command| bind(command, Signal::SIGKILL)), "0000000000000000");
        signals.thread_unblock().unwrap();
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let starter =
            std::thread::spawn(|| spawn_bound(Command::new("sleep").arg("600"), Signal::SIGKILL).unwrap());
        let mut child = starter.join().unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
