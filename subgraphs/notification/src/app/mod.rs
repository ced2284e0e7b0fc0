//! What notification does, one verb a file. The only place that opens transactions, and that calls auth and the mail
//! server, which is never done inside one.

mod forget;
mod mark_read;
mod measure;
mod read;
mod retry_mail;
mod send_mails;
mod set_preference;
mod tell;
mod watch;
mod watch_unread;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use event_bus::{RelayHandle, Tap};
use futures::TryFutureExt;
use service_kit::{Backoff, Clock, Host, correlation};
use sqlx::PgPool;
use tokio::sync::Notify;
use tracing::Instrument;

use crate::clients::{Auth, Mailer};

pub(crate) use crate::store::notifications::Slice;
pub use forget::Forgotten;
pub(crate) use mark_read::Marked;
pub(crate) use retry_mail::Retried;

/// How mails are sent.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Tries before a mail is given up.
    pub tries: u32,
    /// Waits between tries.
    pub backoff: Backoff,
    /// How long claimed mails belong to whoever claimed them. Longer than `patience` and a call of auth.
    pub lease: Duration,
    /// How long one mail may take to be handed over.
    pub patience: Duration,
    /// Mails claimed, and handed over, at a time.
    pub batch: i64,
    /// The safety net under the wake-ups.
    pub poll: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            tries: 16,
            backoff: Backoff {
                base: Duration::from_secs(10),
                cap: Duration::from_hours(1),
            },
            lease: Duration::from_mins(1),
            patience: Duration::from_secs(30),
            batch: 8,
            poll: Duration::from_millis(500),
        }
    }
}

/// What a use case can fail with, besides refusing.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The notification database.
    #[error("the notification database failed")]
    Store(#[source] sqlx::Error),
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
    /// Knows addresses.
    pub auth: Auth,
    /// Hands mails over.
    pub mailer: Mailer,
    /// Publishes the outbox.
    pub relay: RelayHandle,
    /// Hears every replica's notifications.
    pub told: Tap,
    /// How mails are sent.
    pub policy: Policy,
}

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the use cases share.
pub struct Inner {
    requests: PgPool,
    workers: PgPool,
    auth: Auth,
    mailer: Mailer,
    relay: RelayHandle,
    told: Tap,
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
            auth: parts.auth,
            mailer: parts.mailer,
            relay: parts.relay,
            told: parts.told,
            policy: parts.policy,
            clock: host.clock.clone(),
            host: host.clone(),
            due: Notify::new(),
        }))
    }

    /// Starts what runs in the background until the host stops.
    pub fn run_workers(&self) {
        self.host.spawn("mail sender", self.clone().send_mails_forever());
        self.host.spawn("forgetter", self.clone().forget_forever());
        self.host.spawn("mail metrics", self.clone().measure_forever());
    }

    /// Connections of the workers, for the workers of other crates.
    pub fn workers_pool(&self) -> &PgPool {
        &self.0.workers
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// There is something to publish or to send.
    pub(crate) fn wake(&self) {
        self.relay.wake();
        self.due.notify_one();
    }

    /// Runs a transaction to its end even if nobody waits for it any more: a request that was given up must not leave
    /// one open on its connection.
    async fn finish<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let id = correlation::current().unwrap_or_else(correlation::new_id);
        // Counted where it happened: another task does not know its statement.
        let work = work.map_err(pg_kit::count_error).in_current_span();
        let work = correlation::scope(id, work);
        match self.host.tasks.spawn(work).await {
            Ok(done) => done.map_err(AppError::Store),
            Err(_) => Err(AppError::Stopping),
        }
    }
}
