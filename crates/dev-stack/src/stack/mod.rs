//! The whole system as child processes: stores, keys, services, payment provider and router.
//!
//! `cargo xtask up` runs it for people, `cargo xtask test` and the end-to-end tests for themselves. Blocking, no
//! runtime. Must not know what the services do: it waits for their readiness and no more.

mod backup;
mod environment;
mod hold;
mod launch;
mod links;
mod plan;
mod state;
mod stores;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use backup::restore;
pub use links::{Link, Reroute};
pub use plan::{
    ADMIN_EMAIL, ADMIN_PASSWORD, AUDITOR, EDGE, Hive, MAIL, Page, Plan, Ports, ROUTER, ROUTERS, RouterFiles,
    SANDBOX, STAFF_PATH, STAFF_ROUTER, Stores,
};
pub use state::{Entry, State};

use crate::http;
use crate::process::{Lifetime, Process, ProcessId};
use crate::sys::Signal;

/// Longer than the drain of a service (20 s).
const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// How long the children of a process that was killed have to notice it.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(3);

/// How long the ports of a process that ended may stay taken.
const PORT_PATIENCE: Duration = Duration::from_secs(10);

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Data, keys, logs and the state file.
    pub folder: PathBuf,
    /// Folder of the services' programs, as cargo builds them.
    pub binaries: PathBuf,
    /// The routers; absent to go without them.
    pub router: Option<RouterFiles>,
    /// Wanted port of the router; the next free one when taken, any free one when absent.
    pub router_port: Option<u16>,
    /// Wanted port of the staff's router; likewise.
    pub staff_router_port: Option<u16>,
    /// Wanted port of order's WebSocket; likewise.
    pub websocket_port: Option<u16>,
    /// The shop's page and what serves it; absent to go without one.
    pub page: Option<Page>,
    /// Whether the books are audited again and again.
    pub audited: bool,
    /// How many processes of the order service run.
    pub order_replicas: u8,
    /// Whether the processes outlive this one.
    pub lifetime: Lifetime,
    /// Whether data survives a crash of the machine.
    pub durable: bool,
    /// Variables beyond the usual ones, by process; see [`Settings::extra`].
    pub extra: BTreeMap<String, BTreeMap<String, String>>,
    /// Puts something between the processes; absent: they reach each other directly.
    pub reroute: Option<Reroute>,
}

impl Settings {
    /// Throw-away data, free ports, no router, gone with this process.
    pub fn for_tests(folder: PathBuf, binaries: PathBuf) -> Self {
        Self {
            folder,
            binaries,
            router: None,
            router_port: None,
            staff_router_port: None,
            websocket_port: None,
            page: None,
            audited: false,
            order_replicas: 1,
            lifetime: Lifetime::Bound,
            durable: false,
            extra: BTreeMap::new(),
            reroute: None,
        }
    }

    /// Sets a variable of one process. Of all replicas of a service: call it for each.
    pub fn extra(&mut self, process: &str, name: &str, value: &str) {
        self.extra
            .entry(process.to_owned())
            .or_default()
            .insert(name.to_owned(), value.to_owned());
    }

    /// Names of the service processes and the sandboxes, in the order they are started.
    fn members(&self) -> Vec<String> {
        let replicas = (2..=self.order_replicas).map(|number| format!("order-{number}"));
        [SANDBOX, MAIL]
            .iter()
            .chain(&roster::SERVICES)
            .map(|name| (*name).to_owned())
            .chain(replicas)
            .chain(self.audited.then(|| AUDITOR.to_owned()))
            .collect()
    }
}

/// Hears what is being done. `()` is deaf.
pub trait Progress: Sync {
    /// Something that may take a while begins.
    fn begin(&self, what: &str);
    /// It is done.
    fn end(&self, what: &str);
}

impl Progress for () {
    fn begin(&self, _: &str) {}
    fn end(&self, _: &str) {}
}

/// A running system. Dropping it stops what it started, unless detached.
#[derive(Debug)]
pub struct Stack {
    state: Mutex<State>,
    /// What this process started itself, in that order. Not locked together with the state: whoever locked both in another
    /// order would wait for ever.
    children: Mutex<Vec<Process>>,
    lifetime: Lifetime,
}

impl Stack {
    /// Starts everything and waits until all of it is ready.
    pub fn start(settings: &Settings, progress: &dyn Progress) -> Result<Self> {
        if let Some(state) = State::read(&settings.folder)?
            && let Some(entry) = state.processes.iter().find(|entry| entry.id.is_running())
        {
            bail!(
                "a system already runs in {}: {} is process {}",
                settings.folder.display(),
                entry.name,
                entry.id.pid
            );
        }
        launch::launch(settings, progress)
    }

    /// A system another process started.
    pub fn attach(folder: &Path) -> Result<Option<Self>> {
        let state = State::read(folder)?;
        Ok(state.map(|state| Self {
            state: Mutex::new(state),
            children: Mutex::new(Vec::new()),
            lifetime: Lifetime::Detached,
        }))
    }

    fn new(plan: Plan, lifetime: Lifetime) -> Self {
        let supervisor = (lifetime == Lifetime::Bound).then(ProcessId::current);
        Self {
            state: Mutex::new(State {
                supervisor,
                processes: Vec::new(),
                plan,
            }),
            children: Mutex::new(Vec::new()),
            lifetime,
        }
    }

    /// Addresses and secrets.
    pub fn plan(&self) -> Plan {
        self.lock_state().plan.clone()
    }

    /// What runs, as recorded.
    pub fn state(&self) -> State {
        self.lock_state().clone()
    }

    /// Whether a process answers that it is ready, and what it says.
    pub fn readiness(&self, name: &str) -> Result<Option<http::Answer>> {
        let (address, path) = self.plan().readiness(name)?;
        Ok(http::get(address, path))
    }

    /// Kills a process at once, as a crash would.
    pub fn kill(&self, name: &str) -> Result<()> {
        let id = self.id(name)?;
        // A store's own children end by themselves when it is gone, and must have before it starts again.
        let children = id.children();
        id.signal(Signal::Kill).with_context(|| format!("kill {name}"))?;
        self.reap(name, Duration::from_secs(5));
        for child in children {
            if !child.await_end(ORPHAN_PATIENCE) {
                child.stop(Signal::Kill, ORPHAN_PATIENCE);
            }
        }
        Ok(())
    }

    /// Waits for the end of a process that was sent a signal to end by; says whether it came.
    pub fn await_end(&self, name: &str, patience: Duration) -> Result<bool> {
        self.reap(name, patience);
        Ok(!self.id(name)?.is_running())
    }

    /// Stops a process in good order, and by force after 25 seconds.
    pub fn stop(&self, name: &str) -> Result<()> {
        let entry = self.entry(name)?;
        entry
            .id
            .signal(entry.stop_with)
            .with_context(|| format!("stop {name}"))?;
        self.reap(name, STOP_PATIENCE);
        entry.id.stop(entry.stop_with, Duration::ZERO);
        Ok(())
    }

    /// Sends any signal: [`Signal::Stop`] freezes a process, [`Signal::Continue`] thaws it.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        self.id(name)?
            .signal(signal)
            .with_context(|| format!("signal {name}"))
    }

    /// Changes a variable of a process from its next start on, or takes it away.
    pub fn set_variable(&self, process: &str, name: &str, value: Option<&str>) -> Result<()> {
        let mut state = self.lock_state();
        let extra = state.plan.extra.entry(process.to_owned()).or_default();
        match value {
            Some(value) => extra.insert(name.to_owned(), value.to_owned()),
            None => extra.remove(name),
        };
        state.write()
    }

    /// Starts a process again on the ports it had, a store with its data, and waits until it is ready. A process that is
    /// on its way out is waited for, and so are its ports.
    pub fn start_again(&self, name: &str) -> Result<()> {
        let id = self.id(name)?;
        if id.is_running() && !(id.is_ending() && id.await_end(ORPHAN_PATIENCE)) {
            bail!("{name} is running");
        }
        self.await_ports(name)?;
        if stores::STORES.contains(&name) {
            return self.adopt(stores::start_again(&self.plan(), name, self.lifetime)?);
        }
        let process = launch::start_member(&self.plan(), name, self.lifetime)?;
        let ready = launch::await_member(&self.plan(), &process);
        self.adopt(process)?;
        ready
    }

    /// Processes this one started that have ended without being asked to, with how; without those that are held.
    pub fn ended(&self) -> Vec<(String, std::process::ExitStatus)> {
        let exits = |child: &Process| Some((child.name().to_owned(), child.exit()?));
        let mut ended: Vec<_> = self.lock_children().iter().filter_map(exits).collect();
        // Asks for the state: see `children`.
        ended.retain(|(name, _)| !self.is_held(name));
        ended
    }

    /// Stops everything, the newest first, and removes the state file. Data stays.
    pub fn stop_all(&self, progress: &dyn Progress) {
        let entries = self.lock_state().processes.clone();
        // Services drain at the same time; the stores they drain into go afterwards.
        let (stores, members): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|entry| stores::STORES.contains(&entry.name.as_str()));
        progress.begin("stopping");
        for group in [members, stores.into_iter().rev().collect()] {
            for entry in &group {
                // An error means that it is gone. One that was frozen hears nothing until it goes on.
                let _ = entry.id.signal(entry.stop_with);
                let _ = entry.id.signal(Signal::Continue);
            }
            for entry in &group {
                self.reap(&entry.name, STOP_PATIENCE);
                entry.id.stop(entry.stop_with, Duration::ZERO);
            }
        }
        self.lock_children().clear();
        // Absent when the start failed early.
        let _ = std::fs::remove_file(State::file(&self.plan().folder));
        progress.end("stopping");
    }

    fn await_ports(&self, name: &str) -> Result<()> {
        let plan = self.plan();
        let ports = if stores::STORES.contains(&name) {
            stores::listens(&plan, name)?
        } else {
            environment::listens(&plan, name)?
        };
        crate::ports::await_free(&ports, PORT_PATIENCE).with_context(|| format!("{name} can't start"))
    }

    fn entry(&self, name: &str) -> Result<Entry> {
        self.lock_state()
            .entry(name)
            .cloned()
            .with_context(|| format!("there is no process called {name}"))
    }

    fn id(&self, name: &str) -> Result<ProcessId> {
        Ok(self.entry(name)?.id)
    }

    /// Takes a started process in, in place of an older one of that name.
    fn adopt(&self, process: Process) -> Result<()> {
        {
            let mut state = self.lock_state();
            state.record(Entry::of(&process));
            state.write()?;
        }
        let mut children = self.lock_children();
        children.retain(|child| child.name() != process.name());
        children.push(process);
        Ok(())
    }

    /// Waits for the end of a process that was told to end; a child is also reaped.
    fn reap(&self, name: &str, patience: Duration) {
        let Ok(id) = self.id(name) else { return };
        crate::process::wait_until(patience, || {
            let children = self.lock_children();
            let child = children.iter().find(|child| child.name() == name);
            // A killed process is a zombie while its last threads still hold its ports: only its status is the end.
            child.map_or_else(|| !id.is_running(), |child| child.exit().is_some())
        });
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_children(&self) -> MutexGuard<'_, Vec<Process>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Bound {
            self.stop_all(&());
        }
    }
}
