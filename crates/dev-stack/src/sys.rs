//! Signals by process id, and what a child does between fork and exec.
//!
//! The only unsafe code of the workspace: the standard library offers neither.
#![expect(unsafe_code, reason = "libc calls the standard library does not offer")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A signal this crate sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Ask to stop (SIGTERM).
    Term,
    /// Interrupt (SIGINT); PostgreSQL's fast shutdown.
    Int,
    /// Quit (SIGQUIT); PostgreSQL's immediate shutdown, from which it recovers as from a crash.
    Quit,
    /// Kill (SIGKILL); nothing is flushed.
    Kill,
    /// Freeze (SIGSTOP), as a machine that hangs would.
    Stop,
    /// Go on after [`Signal::Stop`] (SIGCONT).
    Continue,
}

impl Signal {
    fn number(self) -> libc::c_int {
        match self {
            Self::Term => libc::SIGTERM,
            Self::Int => libc::SIGINT,
            Self::Quit => libc::SIGQUIT,
            Self::Kill => libc::SIGKILL,
            Self::Stop => libc::SIGSTOP,
            Self::Continue => libc::SIGCONT,
        }
    }
}

/// Sends a signal to one process.
pub(crate) fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = target(pid)?;
    // SAFETY: kill() takes two integers and touches no memory of ours.
    if unsafe { libc::kill(pid, signal.number()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether a process with this id exists (a zombie counts).
pub(crate) fn exists(pid: u32) -> bool {
    let Ok(pid) = target(pid) else { return false };
    // SAFETY: signal 0 only asks.
    unsafe { libc::kill(pid, 0) == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM) }
}

/// Zero and negative ids name groups and "everybody": refuse them.
fn target(pid: u32) -> io::Result<libc::pid_t> {
    match libc::pid_t::try_from(pid) {
        Ok(pid) if pid > 1 => Ok(pid),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{pid} is no process of ours"),
        )),
    }
}

/// Whether this program runs as root.
pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid() cannot fail and has no arguments.
    unsafe { libc::geteuid() == 0 }
}

/// Puts the child into a session of its own, so that the terminal's Ctrl-C reaches only us, and lets the
/// kernel send it `on_death` when the thread that spawned it ends.
pub(crate) fn before_exec(command: &mut Command, on_death: Option<Signal>) {
    let parent = std::process::id();
    let hook = move || {
        // SAFETY: setsid(), prctl() and getppid() are async-signal-safe and touch no memory of ours.
        unsafe {
            libc::setsid();
            #[cfg(target_os = "linux")]
            if let Some(signal) = on_death {
                libc::prctl(libc::PR_SET_PDEATHSIG, signal.number());
                // The parent may have died before the call above took effect.
                if u32::try_from(libc::getppid()) != Ok(parent) {
                    libc::_exit(1);
                }
            }
        }
        let _ = (parent, on_death);
        Ok(())
    };
    // SAFETY: the hook allocates nothing and calls only async-signal-safe functions.
    unsafe { command.pre_exec(hook) };
}

static STOP_REQUESTS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_stop_request(_: libc::c_int) {
    STOP_REQUESTS.fetch_add(1, Ordering::SeqCst);
}

/// Ctrl-C, SIGTERM and SIGHUP, counted from [`StopRequests::listen`] on instead of ending this process.
#[derive(Debug, Clone, Copy)]
pub struct StopRequests(());

impl StopRequests {
    /// Takes the three signals over for the rest of this process.
    pub fn listen() -> Self {
        let handler = count_stop_request as extern "C" fn(libc::c_int) as libc::sighandler_t;
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the handler only adds to an atomic, which is async-signal-safe.
            unsafe { libc::signal(signal, handler) };
        }
        Self(())
    }

    /// How often a stop was asked for.
    pub fn count(self) -> usize {
        STOP_REQUESTS.load(Ordering::SeqCst)
    }
}
