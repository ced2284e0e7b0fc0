//! The inbox worker: applies stored events, each in one transaction with its effect.
//!
//! Fresh events are applied together in one transaction, because that saves commits; when one of them fails, the
//! batch is undone and each is applied alone, so that a bad one holds up nobody.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use service_kit::{Backoff, Host, correlation, crash_point, trace};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::inbox::{self, InboxRow};
use crate::{Message, metrics};

/// Events per transaction: each holds its aggregate's lock until the commit.
const BATCH: i64 = 32;
/// The safety net under the wake-up.
const POLL: Duration = Duration::from_millis(250);
const SAMPLE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);

/// Applies events of one consumer. Everything it does must be in the given transaction.
#[async_trait]
pub trait Handle: Send + Sync {
    /// Applies one event. An event that is of no interest is `Ok`.
    async fn handle(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError>;

    /// Called after a commit of one or more events: the place to wake other workers.
    async fn after_commit(&self) {}
}

/// Why an event was not applied; its transaction is rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// A fault that may pass: tried again with backoff, [`Limits::attempts`] times.
    #[error("{0}")]
    Retry(String),
    /// Not now, such as an order that is not known yet: tried again for [`Limits::park_for`].
    #[error("{0}")]
    Park(String),
    /// Will never work: kept as dead, with an alarm, for an operator to replay.
    #[error("{0}")]
    Dead(String),
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(pg_kit::count_error(error).to_string())
    }
}

/// When an event is given up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tries that end in [`HandleError::Retry`].
    pub attempts: u32,
    /// How long after its arrival an event may be parked.
    pub park_for: Duration,
    /// Waits between tries.
    pub retry: Backoff,
    /// Waits between looks at a parked event.
    pub park: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 25,
            park_for: Duration::from_hours(24),
            retry: Backoff {
                base: Duration::from_millis(200),
                cap: Duration::from_secs(30),
            },
            park: Backoff {
                base: Duration::from_secs(1),
                cap: Duration::from_mins(1),
            },
        }
    }
}

impl Limits {
    /// The wait before the next try; `None`: give up.
    fn next_try(&self, error: &HandleError, attempts: u32, age_s: f64) -> Option<Duration> {
        match error {
            HandleError::Retry(_) => (attempts + 1 < self.attempts).then(|| self.retry.delay(attempts)),
            HandleError::Park(_) => (age_s < self.park_for.as_secs_f64()).then(|| self.park.delay(attempts)),
            HandleError::Dead(_) => None,
        }
    }
}

/// Applies the events of one consumer.
pub struct InboxWorker {
    pool: PgPool,
    consumer: &'static str,
    handler: Arc<dyn Handle>,
    limits: Limits,
    wake: Arc<Notify>,
}

/// Wakes a worker; cheap to clone. Consumers of the same process wake it by themselves.
#[derive(Debug, Clone)]
pub struct InboxHandle(Arc<Notify>);

impl InboxHandle {
    /// Looks for due events now.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Workers of this process by consumer: the queue's consumer finds them as metrics find their registry.
static WORKERS: LazyLock<Mutex<Workers>> = LazyLock::new(Mutex::default);

type Workers = HashMap<&'static str, Vec<Weak<Notify>>>;

/// Wakes the workers of a consumer after its deliveries were stored.
pub(crate) fn wake(consumer: &str) {
    let mut workers = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(workers) = workers.get_mut(consumer) {
        workers.retain(|worker| worker.upgrade().inspect(|worker| worker.notify_one()).is_some());
    }
}

impl InboxWorker {
    /// A worker that a test steps. `consumer` is the queue's name.
    pub fn new(pool: PgPool, consumer: &'static str, handler: Arc<dyn Handle>) -> Self {
        Self {
            pool,
            consumer,
            handler,
            limits: Limits::default(),
            wake: Arc::default(),
        }
    }

    /// With other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts a worker on the host until shutdown.
    pub fn spawn(pool: PgPool, host: &Host, consumer: &'static str, handler: Arc<dyn Handle>) -> InboxHandle {
        Self::new(pool, consumer, handler).start(host)
    }

    /// Starts this worker on the host until shutdown.
    pub fn start(self, host: &Host) -> InboxHandle {
        let handle = InboxHandle(Arc::clone(&self.wake));
        let mut workers = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
        workers
            .entry(self.consumer)
            .or_default()
            .push(Arc::downgrade(&self.wake));
        drop(workers);
        host.spawn("inbox worker", self.run(host.shutdown.clone()));
        handle
    }

    async fn run(self, shutdown: CancellationToken) {
        let mut sampled_at: Option<Instant> = None;
        while !shutdown.is_cancelled() {
            if sampled_at.is_none_or(|at| at.elapsed() >= SAMPLE) {
                sampled_at = Some(Instant::now());
                self.sample().await;
            }
            match self.pass(None).await.map_err(pg_kit::count_error) {
                Ok(0) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                        () = shutdown.cancelled() => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(consumer = self.consumer, %error, "the worker can't use the inbox");
                    shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
    }

    /// One pass over what is due; answers how many events were tried, whatever came of it.
    pub async fn step(&self) -> usize {
        self.stepped(None).await
    }

    /// One pass as if it were `now`, instead of waiting for a backoff.
    pub async fn step_at(&self, now: DateTime<Utc>) -> usize {
        self.stepped(Some(now)).await
    }

    async fn stepped(&self, now: Option<DateTime<Utc>>) -> usize {
        self.pass(now)
            .await
            .map_err(pg_kit::count_error)
            .unwrap_or_else(|error| {
                tracing::error!(consumer = self.consumer, %error, "a step failed");
                0
            })
    }

    async fn pass(&self, now: Option<DateTime<Utc>>) -> Result<usize, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let rows = inbox::claim(&mut *tx, self.consumer, BATCH, now).await?;
        let (mut fresh, again): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.attempts == 0);
        // Each holds its aggregate's lock until the commit: everybody takes such locks in one order, or two batches
        // wait for each other.
        fresh.sort_by(|one, other| one.aggregate_id.cmp(&other.aggregate_id));
        if fresh.is_empty() {
            tx.rollback().await?;
        } else if self.apply_all(&mut tx, &fresh).await {
            let ids: Vec<_> = fresh.iter().map(|row| row.id).collect();
            self.commit(tx, &ids).await?;
        } else {
            tx.rollback().await?;
            self.apply_each(&fresh, now).await?;
        }
        self.apply_each(&again, now).await?;
        Ok(rows.len())
    }

    /// Applies rows in the one transaction; false as soon as one fails.
    async fn apply_all(&self, tx: &mut PgConnection, rows: &[&InboxRow]) -> bool {
        for row in rows {
            if self.apply(tx, row).await.is_err() {
                return false;
            }
        }
        true
    }

    async fn apply_each(&self, rows: &[&InboxRow], now: Option<DateTime<Utc>>) -> Result<(), sqlx::Error> {
        for row in rows {
            self.apply_alone(row, now).await?;
        }
        Ok(())
    }

    async fn apply_alone(&self, row: &InboxRow, now: Option<DateTime<Utc>>) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        if !inbox::claim_one(&mut *tx, self.consumer, row.id).await? {
            return tx.rollback().await;
        }
        match self.apply(&mut tx, row).await {
            Ok(()) => self.commit(tx, &[row.id]).await,
            Err(error) => {
                tx.rollback().await?;
                self.postpone(row, &error, now).await
            }
        }
    }

    async fn commit(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        ids: &[Uuid],
    ) -> Result<(), sqlx::Error> {
        inbox::mark_done(&mut *tx, self.consumer, ids).await?;
        crash_point!("applied", self.consumer);
        tx.commit().await?;
        metrics::handled(self.consumer, "done", ids.len() as u64);
        self.handler.after_commit().await;
        Ok(())
    }

    /// Applies one event under its cause's trace and correlation id.
    async fn apply(&self, tx: &mut PgConnection, row: &InboxRow) -> Result<(), HandleError> {
        let attempts = u32::try_from(row.attempts).unwrap_or_default();
        let message = Message::from_value(row.payload.clone(), attempts)
            .map_err(|error| HandleError::Dead(error.to_string()))?;
        let span = tracing::info_span!(
            "event",
            otel.kind = "consumer",
            otel.name = format!("process {}", message.kind),
            otel.status_code = tracing::field::Empty,
            consumer = self.consumer,
            kind = message.kind,
            event = %message.id,
            subject = message.subject
        );
        trace::with_parent(&span, message.traceparent.as_deref());
        let correlation_id = message.correlation_id.clone().unwrap_or_else(correlation::new_id);
        let work = AssertUnwindSafe(self.handler.handle(tx, &message))
            .catch_unwind()
            .instrument(span.clone());
        let outcome = correlation::scope(correlation_id, work)
            .await
            .unwrap_or_else(|_| Err(HandleError::Retry("the handler panicked".to_owned())));
        if outcome.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        outcome
    }

    async fn postpone(
        &self,
        row: &InboxRow,
        error: &HandleError,
        now: Option<DateTime<Utc>>,
    ) -> Result<(), sqlx::Error> {
        let attempts = u32::try_from(row.attempts).unwrap_or_default();
        let delay = self.limits.next_try(error, attempts, row.age_s);
        let text = error.to_string();
        inbox::mark_failed(&self.pool, self.consumer, row.id, delay, now, &text).await?;
        match delay {
            None => {
                tracing::error!(consumer = self.consumer, event = %row.id, attempts, error = text, "gave up an event");
                metrics::handled(self.consumer, "dead", 1);
            }
            Some(delay) => {
                tracing::warn!(consumer = self.consumer, event = %row.id, attempts, ?delay, error = text, "postponed an event");
                metrics::handled(self.consumer, "postponed", 1);
            }
        }
        Ok(())
    }

    async fn sample(&self) {
        let backlog = inbox::backlog(&self.pool, self.consumer).await;
        if let Ok((pending, dead, age_s)) = backlog.map_err(pg_kit::count_error) {
            metrics::inbox(self.consumer, pending, dead, age_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_up_after_its_limits() {
        let limits = Limits {
            attempts: 3,
            ..Limits::default()
        };
        let (retry, park) = (
            HandleError::Retry(String::new()),
            HandleError::Park(String::new()),
        );
        assert!(limits.next_try(&retry, 1, 1e9).is_some());
        assert!(limits.next_try(&retry, 2, 0.0).is_none());
        assert!(limits.next_try(&park, 1_000, 86_399.0).is_some());
        assert!(limits.next_try(&park, 0, 86_400.0).is_none());
        assert!(
            limits
                .next_try(&HandleError::Dead(String::new()), 0, 0.0)
                .is_none()
        );
    }
}
