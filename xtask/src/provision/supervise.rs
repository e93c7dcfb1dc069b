//! Child processes that end with this one, however it ends.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
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
    // SAFETY: the closure runs between fork and exec and makes two system calls, prctl and getppid, which
    // are safe there; it neither allocates nor takes a lock. The standard library has changed the user
    // before it runs, which matters because changing the user clears the setting.
    unsafe {
        command.pre_exec(move || bind_to(parent, signal));
    }
}

fn bind_to(parent: Pid, signal: Signal) -> io::Result<()> {
    set_pdeathsig(signal)?;
    // A parent that died before the call above sends nothing any more.
    if getppid() == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(nix::libc::ESRCH)) }
}
