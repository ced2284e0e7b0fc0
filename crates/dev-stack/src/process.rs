//! One child process: started with its log in a file, stopped by its id. Must not know what it runs.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::sys::{self, Signal};

/// Whether a child outlives the process that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Stopped with us, even when we are killed.
    Bound,
    /// Left running; found again by its recorded id.
    Detached,
}

/// A process id with the process's start time, so that a reused id is never taken for ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The id.
    pub pid: u32,
    /// Clock ticks from boot to the start of the process; absent where the system does not tell.
    pub started: Option<u64>,
}

impl ProcessId {
    /// This program.
    pub fn current() -> Self {
        Self::of(std::process::id())
    }

    fn of(pid: u32) -> Self {
        Self {
            pid,
            started: stat(pid).map(|stat| stat.started),
        }
    }

    /// Whether that very process runs now. One that was killed runs until its last thread has gone: so long it holds its
    /// ports, though it is a zombie already.
    pub fn is_running(self) -> bool {
        match (stat(self.pid), self.started) {
            (Some(stat), Some(ours)) => stat.started == ours && (stat.state != 'Z' || stat.threads > 1),
            (None, Some(_)) => false,
            (_, None) => sys::exists(self.pid),
        }
    }

    /// Whether it was killed and its last threads are still going, where `/proc` exists.
    pub(crate) fn is_ending(self) -> bool {
        self.is_running() && stat(self.pid).is_some_and(|stat| stat.state == 'Z')
    }

    /// Whether it was stopped in its tracks ([`Signal::Stop`]), where `/proc` exists.
    pub fn is_frozen(self) -> bool {
        self.is_running() && stat(self.pid).is_some_and(|stat| stat.state == 'T')
    }

    /// Sends a signal, unless the process is gone. Returns when one that freezes or thaws has worked.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        sys::send(self.pid, signal)?;
        match signal {
            Signal::Stop => self.await_frozen(true),
            Signal::Continue => self.await_frozen(false),
            _ => {}
        }
        Ok(())
    }

    /// A signal is delivered a moment after it was sent: when the process next runs.
    fn await_frozen(self, frozen: bool) {
        let begun = Instant::now();
        while self.is_running() && self.is_frozen() != frozen && begun.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Its child processes, where `/proc` exists.
    pub(crate) fn children(self) -> Vec<Self> {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| parent(*pid) == Some(self.pid))
            .map(Self::of)
            .collect()
    }

    /// Resident memory in bytes, where `/proc` exists.
    pub fn resident_bytes(self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Waits for its end; says whether it came.
    pub fn await_end(self, patience: Duration) -> bool {
        wait_until(patience, || !self.is_running())
    }

    /// Asks with `signal`, waits up to `patience`, then kills.
    pub fn stop(self, signal: Signal, patience: Duration) {
        if self.signal(signal).is_ok() && wait_until(patience, || !self.is_running()) {
            return;
        }
        // An error here means that it went by itself in the meantime.
        let _ = self.signal(Signal::Kill);
        wait_until(Duration::from_secs(2), || !self.is_running());
    }
}

/// What the kernel tells about a process.
struct Stat {
    state: char,
    threads: u64,
    /// Clock ticks from boot.
    started: u64,
}

/// Where `/proc` exists.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may itself hold blanks and parentheses.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some(Stat {
        state: fields.next()?.chars().next()?,
        threads: fields.nth(16)?.parse().ok()?,
        started: fields.nth(1)?.parse().ok()?,
    })
}

/// The parent of a process.
fn parent(pid: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Polls `done` until it holds or `patience` has passed; says which.
pub(crate) fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) command: Command,
    pub(crate) log: PathBuf,
    pub(crate) stop_with: Signal,
    pub(crate) lifetime: Lifetime,
}

impl Spec {
    pub(crate) fn new(name: impl Into<String>, program: &Path, log: PathBuf) -> Self {
        Self {
            name: name.into(),
            command: Command::new(program),
            log,
            stop_with: Signal::Term,
            lifetime: Lifetime::Bound,
        }
    }

    /// Runs the child as this user and group.
    pub(crate) fn run_as(&mut self, user: Option<(u32, u32)>) {
        if let Some((uid, gid)) = user {
            self.command.uid(uid).gid(gid);
        }
    }

    pub(crate) fn start(mut self) -> Result<Process> {
        let log = open_log(&self.log)?;
        let errors = log.try_clone().with_context(|| format!("log of {}", self.name))?;
        self.command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let on_death = (self.lifetime == Lifetime::Bound).then_some(self.stop_with);
        sys::before_exec(&mut self.command, on_death);
        let program = self.command.get_program().to_string_lossy().into_owned();
        let child =
            spawn(self.command).with_context(|| format!("{} does not start: {program}", self.name))?;
        let id = ProcessId::of(child.id());
        Ok(Process {
            name: self.name,
            id,
            child: Mutex::new(child),
            log: self.log,
            stop_with: self.stop_with,
            lifetime: self.lifetime,
        })
    }
}

/// Appends, so that the log of a process that was restarted stays whole.
fn open_log(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| path.display().to_string())
}

type Job = (Command, mpsc::Sender<io::Result<Child>>);

/// Spawns from one thread that lives as long as this process: the kernel takes the end of the spawning
/// *thread* for the death of the parent, and tests spawn from threads that end.
fn spawn(command: Command) -> Result<Child> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in jobs {
                // The asker waits for this answer: it cannot be gone.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (answer, child) = mpsc::channel();
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, answer))
        .map_err(|_| anyhow!("the spawning thread has ended"))?;
    Ok(child.recv()??)
}

/// A running child. Dropping it stops it, unless it is [`Lifetime::Detached`].
#[derive(Debug)]
pub struct Process {
    name: String,
    id: ProcessId,
    child: Mutex<Child>,
    log: PathBuf,
    stop_with: Signal,
    lifetime: Lifetime,
}

impl Process {
    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The signal that ends it in good order.
    pub fn stop_signal(&self) -> Signal {
        self.stop_with
    }

    /// How it ended, or nothing while it runs. Also reaps it.
    pub fn exit(&self) -> Option<std::process::ExitStatus> {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
            .ok()
            .flatten()
    }

    /// Stops it in good order, and by force after `patience`.
    pub fn stop(&self, patience: Duration) {
        if self.exit().is_some() {
            return;
        }
        let asked = sys::send(self.id.pid, self.stop_with).is_ok();
        if !(asked && wait_until(patience, || self.exit().is_some())) {
            self.kill();
        }
    }

    /// Kills it at once, as a crash would.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Both fail only when it is gone already.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Waits until `ready` holds. Fails when the process ends first or `patience` runs out, with the log's end.
    pub(crate) fn await_ready(&self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let mut ended = None;
        let done = wait_until(patience, || {
            ended = self.exit();
            ended.is_some() || ready()
        });
        match (ended, done) {
            (None, true) => Ok(()),
            (Some(status), _) => Err(anyhow!("{} ended with {status}\n{}", self.name, self.log_tail())),
            (None, false) => Err(anyhow!(
                "{} is not ready after {patience:?}\n{}",
                self.name,
                self.log_tail()
            )),
        }
    }

    /// The last lines of the log, for error messages.
    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        format!("--- end of {} ---\n{tail}", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Bound {
            self.stop(Duration::from_secs(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path, lifetime: Lifetime) -> Process {
        let mut spec = Spec::new("sleeper", Path::new("/bin/sh"), folder.join("sleeper.log"));
        spec.command.args(["-c", "echo started; exec sleep 60"]);
        spec.lifetime = lifetime;
        spec.start().unwrap()
    }

    #[test]
    fn stops_by_id_and_keeps_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path(), Lifetime::Bound);
        let log = folder.path().join("sleeper.log");
        assert!(wait_until(Duration::from_secs(5), || std::fs::read_to_string(
            &log
        )
        .unwrap()
            == "started\n"));
        assert!(process.id().is_running());
        process.stop(Duration::from_secs(5));
        assert!(!process.id().is_running());
    }

    #[test]
    fn survives_the_thread_that_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let process = thread::spawn(move || sleeper(&path, Lifetime::Bound))
            .join()
            .unwrap();
        assert!(!wait_until(Duration::from_millis(200), || !process
            .id()
            .is_running()));
    }

    #[test]
    fn a_reused_id_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path(), Lifetime::Bound);
        let other = ProcessId {
            started: process.id().started.map(|ticks| ticks + 1),
            ..process.id()
        };
        assert!(!other.is_running());
        other.stop(Signal::Kill, Duration::from_secs(1));
        assert!(
            process.id().is_running(),
            "a process that only shares the id was left alone"
        );
    }

    #[test]
    fn knows_its_children_and_its_memory() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path(), Lifetime::Bound);
        assert!(ProcessId::current().children().contains(&process.id()));
        assert!(process.id().children().is_empty());
        assert!(ProcessId::current().resident_bytes().unwrap() > 100_000);
    }

    #[test]
    fn an_early_end_shows_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = Spec::new("failing", Path::new("/bin/sh"), folder.path().join("failing.log"));
        spec.command.args(["-c", "echo no such folder; exit 3"]);
        let process = spec.start().unwrap();
        let error = process
            .await_ready(Duration::from_secs(5), || false)
            .unwrap_err()
            .to_string();
        assert!(error.contains("no such folder"), "{error}");
    }
}
