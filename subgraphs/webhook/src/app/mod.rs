//! What webhook does, one verb a file. The only place that opens transactions, and that calls endpoints, which is never
//! done inside one.

mod create_endpoint;
mod delete_endpoint;
mod hear;
mod measure;
mod once;
mod prune;
mod read;
mod redeliver;
mod rotate_secret;
mod send;
mod send_test;
mod update_endpoint;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::{Clock, Host, correlation};
use sqlx::PgPool;
use tokio::sync::Notify;
use tracing::Instrument;

use crate::clients::Sender;
use crate::domain::address::{self, AddressFault};
use crate::vault::{Vault, VaultError};

pub(crate) use crate::store::deliveries::Slice;
pub(crate) use create_endpoint::NewEndpoint;
pub(crate) use once::{Once, Request};
pub(crate) use redeliver::Redelivered;
pub(crate) use rotate_secret::Told;
pub(crate) use update_endpoint::Change;

/// How events are sent.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How long one try may take.
    pub patience: Duration,
    /// How long a claimed delivery belongs to whoever claimed it. Longer than `patience`.
    pub lease: Duration,
    /// Tries at the same time, in this process.
    pub in_flight: usize,
    /// Tries of one endpoint at the same time, over all processes.
    pub per_endpoint: i64,
    /// How long an endpoint may fail without an exception before it is switched off.
    pub failing: Duration,
    /// How long an old secret signs beside a new one.
    pub overlap: Duration,
    /// How long payloads and ended deliveries are kept.
    pub keep: Duration,
    /// The safety net under the wake-ups.
    pub poll: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(15),
            lease: Duration::from_mins(1),
            in_flight: 32,
            per_endpoint: 4,
            failing: Duration::from_hours(5 * 24),
            overlap: Duration::from_hours(24),
            keep: Duration::from_hours(30 * 24),
            poll: Duration::from_millis(500),
        }
    }
}

/// What a use case can fail with, besides refusing.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The webhook database.
    #[error("the webhook database failed")]
    Store(#[source] sqlx::Error),
    /// A secret can't be sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A body that makes no JSON.
    #[error("a body makes no JSON")]
    Body(#[from] serde_json::Error),
    /// The process stops.
    #[error("the process stops")]
    Stopping,
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}

/// What the application works with.
pub struct Parts {
    /// Connections that answer callers.
    pub requests: PgPool,
    /// Connections of the workers.
    pub workers: PgPool,
    /// Posts to endpoints.
    pub sender: Sender,
    /// Seals secrets.
    pub vault: Vault,
    /// How events are sent.
    pub policy: Policy,
}

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the use cases share.
pub struct Inner {
    requests: PgPool,
    workers: PgPool,
    sender: Sender,
    vault: Vault,
    policy: Policy,
    clock: Clock,
    host: Host,
    due: Notify,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// An application whose background work stands still until [`App::run_workers`], or is stepped.
    pub fn new(parts: Parts, host: &Host) -> Self {
        Self(Arc::new(Inner {
            requests: parts.requests,
            workers: parts.workers,
            sender: parts.sender,
            vault: parts.vault,
            policy: parts.policy,
            clock: host.clock.clone(),
            host: host.clone(),
            due: Notify::new(),
        }))
    }

    /// Starts what runs in the background until the host stops.
    pub fn run_workers(&self) {
        self.host.spawn("webhook sender", self.clone().send_forever());
        self.host.spawn("webhook metrics", self.clone().measure_forever());
        self.host.spawn("webhook pruner", self.clone().prune_forever());
    }

    /// Connections of the workers, for the workers of other crates.
    pub fn workers_pool(&self) -> &PgPool {
        &self.0.workers
    }

    /// The address of an endpoint as it is kept, if it may be one.
    pub(crate) fn checked_url(&self, text: &str) -> Result<String, AddressFault> {
        address::checked(text, self.sender.reach()).map(Into::into)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// There is something to send.
    pub(crate) fn wake(&self) {
        self.due.notify_one();
    }

    /// Runs a transaction to its end even if nobody waits for it any more: a request that was given up must not leave
    /// one open on its connection.
    async fn finish<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, AppError>> + Send + 'static,
    {
        let id = correlation::current().unwrap_or_else(correlation::new_id);
        let work = correlation::scope(id, work.in_current_span());
        match self.host.tasks.spawn(work).await {
            Ok(done) => done,
            Err(_) => Err(AppError::Stopping),
        }
    }

    /// Waits until there may be something to do; false when the process stops.
    async fn pause(&self, at_most: Duration) -> bool {
        let stop = &self.host.shutdown;
        stop.run_until_cancelled(tokio::time::sleep(at_most))
            .await
            .is_some()
    }
}
