//! Counts the SQL statements that run on this thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// Counts until dropped. A test runs on one thread, with everything it spawns.
#[derive(Debug)]
pub struct Statements {
    count: Arc<AtomicUsize>,
    _guard: DefaultGuard,
}

impl Statements {
    /// Starts to count.
    pub fn counted() -> Self {
        watch_statements();
        let count = Arc::new(AtomicUsize::new(0));
        let guard = tracing::subscriber::set_default(Counter(count.clone()));
        tracing::callsite::rebuild_interest_cache();
        Self { count, _guard: guard }
    }

    /// Statements since the last call.
    pub fn taken(&self) -> usize {
        self.count.swap(0, Ordering::SeqCst)
    }
}

/// Keeps sqlx's statements visible to a test's own subscriber. A callsite that nobody wants is switched off for the
/// whole process, and tests that end at the same time would switch off each other's: so one subscriber stays.
pub fn watch_statements() {
    static STAYS: Once = Once::new();
    // An error means that a test installed a global one of its own, which stays as well.
    STAYS.call_once(|| drop(tracing::subscriber::set_global_default(Counter(Arc::default()))));
}

struct Counter(Arc<AtomicUsize>);

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
