//! Whether this process should get traffic, and if not, why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The process's readiness: it is ready once started, while every required component is up and no drain began.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    phase: Phase,
    components: BTreeMap<&'static str, Entry>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Starting,
    Serving,
    Draining,
}

#[derive(Debug)]
struct Entry {
    required: bool,
    fault: Option<String>,
}

/// One thing the service needs or watches; down until its first `up`.
#[derive(Debug, Clone)]
pub struct Component {
    readiness: Readiness,
    name: &'static str,
}

/// What `/readyz` shows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Whether traffic should come.
    pub ready: bool,
    /// `starting`, `serving` or `draining`.
    pub phase: &'static str,
    /// `up`, or why not, by component.
    pub components: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Nothing registered, not yet serving.
    pub fn new() -> Self {
        Self::default()
    }

    /// A component without which this process can't serve: while it is down, `/readyz` answers 503.
    pub fn component(&self, name: &'static str) -> Component {
        self.register(name, true)
    }

    /// A component whose absence is shown but tolerated, such as the broker behind an outbox.
    pub fn observed(&self, name: &'static str) -> Component {
        self.register(name, false)
    }

    /// Start-up is done.
    pub fn serving(&self) {
        let mut inner = self.lock();
        if inner.phase == Phase::Starting {
            inner.phase = Phase::Serving;
        }
    }

    /// The process is going away: never ready again.
    pub fn draining(&self) {
        self.lock().phase = Phase::Draining;
    }

    /// Whether traffic should come now.
    pub fn is_ready(&self) -> bool {
        self.lock().is_ready()
    }

    /// The state of everything.
    pub fn report(&self) -> Report {
        let inner = self.lock();
        let components = inner
            .components
            .iter()
            .map(|(name, entry)| (*name, entry.fault.clone().unwrap_or_else(|| "up".to_owned())));
        let phase = match inner.phase {
            Phase::Starting => "starting",
            Phase::Serving => "serving",
            Phase::Draining => "draining",
        };
        Report {
            ready: inner.is_ready(),
            phase,
            components: components.collect(),
        }
    }

    fn register(&self, name: &'static str, required: bool) -> Component {
        let fault = Some("starting".to_owned());
        self.lock()
            .components
            .entry(name)
            .or_insert(Entry { required, fault });
        Component {
            readiness: self.clone(),
            name,
        }
    }

    fn set(&self, name: &'static str, fault: Option<String>) {
        if let Some(entry) = self.lock().components.get_mut(name) {
            entry.fault = fault;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_ready(&self) -> bool {
        let required_up = self
            .components
            .values()
            .all(|entry| !entry.required || entry.fault.is_none());
        self.phase == Phase::Serving && required_up
    }
}

impl Component {
    /// It works.
    pub fn up(&self) {
        self.readiness.set(self.name, None);
    }

    /// It does not, because of `reason` (shown on the ops listener; no secrets).
    pub fn down(&self, reason: impl Into<String>) {
        self.readiness.set(self.name, Some(reason.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_only_while_serving_with_all_required_components() {
        let readiness = Readiness::new();
        let store = readiness.component("postgres");
        let broker = readiness.observed("rabbitmq");
        readiness.serving();
        assert!(!readiness.is_ready(), "the store has not come up yet");
        store.up();
        assert!(readiness.is_ready(), "an observed component may be down");
        broker.down("connection refused");
        assert!(readiness.is_ready());
        store.down("timeout");
        assert!(!readiness.is_ready());
        let report = readiness.report();
        assert_eq!(report.components["postgres"], "timeout");
        assert_eq!(report.components["rabbitmq"], "connection refused");
        store.up();
        readiness.draining();
        readiness.serving();
        assert!(!readiness.is_ready(), "a drain is final");
    }

    #[test]
    fn registering_twice_keeps_the_state() {
        let readiness = Readiness::new();
        readiness.component("postgres").up();
        let again = readiness.component("postgres");
        readiness.serving();
        assert!(readiness.is_ready());
        again.down("gone");
        assert!(!readiness.is_ready());
    }
}
