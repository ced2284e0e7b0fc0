//! The outbox relay: claims unpublished rows, publishes them with confirms, marks what was confirmed.
//!
//! A row is marked only after its confirm, so a crash in between publishes it twice; consumers' inboxes absorb
//! that. Each turn settles the last batch and claims the next in one commit, and batches grow with the load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service_kit::{Host, bug, crash_point, trace};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::outbox::{self, OutboxRow, Settled};
use crate::publisher::{Outcome, Outgoing};
use crate::{PublishError, Publisher, metrics};

/// Outstanding confirms.
const WINDOW: i64 = 200;
/// The safety net under [`RelayHandle::wake`].
const POLL: Duration = Duration::from_millis(250);
/// Longer than the confirm time-out: a row is claimed anew only when its relay has died.
const LEASE: Duration = Duration::from_secs(12);
const SAMPLE: Duration = Duration::from_secs(5);
/// After an error of the database.
const PAUSE: Duration = Duration::from_millis(500);

/// Wakes the relay; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RelayHandle(Arc<Notify>);

impl RelayHandle {
    /// Call it after the commit of a transaction that enqueued events.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Why a turn of the relay failed; its rows stay unpublished.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The outbox can't be read or written.
    #[error("outbox: {0}")]
    Store(#[source] sqlx::Error),
    /// The broker is away.
    #[error(transparent)]
    Broker(#[from] PublishError),
}

impl From<sqlx::Error> for RelayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}

/// Publishes all that is due now and answers how many events were confirmed. For tests and for a last flush.
pub async fn relay_once(pool: &PgPool, publisher: &Publisher) -> Result<usize, RelayError> {
    let mut settled = Settled::default();
    let mut published = 0;
    loop {
        publisher.ready().await?;
        let rows = outbox::settle_and_claim(pool, &settled, WINDOW, LEASE).await?;
        if rows.is_empty() {
            return Ok(published);
        }
        settled = publish(publisher, &rows).await;
        published += settled.published.len();
        if !settled.unsent.is_empty() {
            outbox::settle_and_claim(pool, &settled, 0, LEASE).await?;
            return Ok(published);
        }
    }
}

/// Publishes claimed rows and sorts them by outcome.
async fn publish(publisher: &Publisher, rows: &[OutboxRow]) -> Settled {
    // Each ends with the batch's confirms, under the trace of what caused its event.
    let spans: Vec<_> = rows.iter().map(span_of).collect();
    let batch: Vec<_> = rows
        .iter()
        .zip(&spans)
        .map(|(row, span)| Outgoing::event(row, trace::traceparent_of(span)))
        .collect();
    crash_point!("claimed", rows[0].aggregate_id);
    let outcomes = match publisher.publish(&batch).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tracing::warn!(%error, "events wait for the broker");
            vec![Outcome::Unknown; rows.len()]
        }
    };
    crash_point!("confirmed", rows[0].aggregate_id);
    let mut settled = Settled::default();
    for ((row, span), outcome) in rows.iter().zip(&spans).zip(outcomes) {
        let (list, label) = match outcome {
            Outcome::Published => (&mut settled.published, "published"),
            Outcome::Unroutable => (&mut settled.refused, "unroutable"),
            Outcome::Refused => (&mut settled.refused, "refused"),
            Outcome::Unknown => (&mut settled.unsent, "unknown"),
        };
        list.push(row.id);
        span.record("outcome", label);
        if outcome != Outcome::Published {
            span.record("otel.status_code", "ERROR");
        }
        metrics::published(&row.routing_key, label);
        if matches!(outcome, Outcome::Unroutable | Outcome::Refused) {
            tracing::warn!(event = %row.id, kind = row.routing_key, exchange = row.exchange, label, "not published");
        }
    }
    settled
}

fn span_of(row: &OutboxRow) -> tracing::Span {
    let span = tracing::info_span!(
        "publish",
        otel.kind = "producer",
        otel.name = format!("publish {}", row.routing_key),
        otel.status_code = tracing::field::Empty,
        messaging.system = "rabbitmq",
        messaging.destination.name = row.exchange,
        messaging.message.id = %row.id,
        subject = row.aggregate_id,
        outcome = tracing::field::Empty,
    );
    let cause = row.headers.get(trace::HEADER).and_then(serde_json::Value::as_str);
    trace::with_parent(&span, cause);
    span
}

/// Runs the relay on the host until shutdown.
pub(crate) fn spawn(pool: PgPool, publisher: Publisher, host: &Host) -> RelayHandle {
    publisher.starting();
    let handle = RelayHandle::default();
    let relay = Relay {
        pool,
        publisher,
        wake: Arc::clone(&handle.0),
        shutdown: host.shutdown.clone(),
        sampled_at: None,
    };
    host.spawn("outbox relay", relay.run());
    handle
}

struct Relay {
    pool: PgPool,
    publisher: Publisher,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
    sampled_at: Option<Instant>,
}

impl Relay {
    async fn run(mut self) {
        let mut settled = Settled::default();
        while !self.shutdown.is_cancelled() {
            self.sample().await;
            match self.turn(&settled).await.map_err(pg_kit::count_error) {
                Ok(next) if next.is_empty() => {
                    settled = next;
                    self.idle().await;
                }
                Ok(next) => settled = next,
                // What was confirmed stays in `settled` and is marked when the database is back.
                Err(error) => {
                    tracing::warn!(%error, "the relay can't use the outbox");
                    self.shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
        self.finish(settled).await;
    }

    /// Settles the last batch, claims the next if the broker is there, and publishes it.
    async fn turn(&self, settled: &Settled) -> Result<Settled, sqlx::Error> {
        let limit = match self.publisher.ready().await {
            Ok(()) => WINDOW,
            Err(_) if settled.is_empty() => return Ok(Settled::default()),
            Err(_) => 0,
        };
        let rows = outbox::settle_and_claim(&self.pool, settled, limit, LEASE).await?;
        if rows.is_empty() {
            return Ok(Settled::default());
        }
        if bug!("marked_before_confirm") {
            let published = rows.iter().map(|row| row.id).collect();
            let marked = Settled {
                published,
                ..Settled::default()
            };
            outbox::settle_and_claim(&self.pool, &marked, 0, LEASE).await?;
        }
        Ok(publish(&self.publisher, &rows).await)
    }

    async fn idle(&self) {
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    /// Marks the last batch and publishes what the drained requests left; another replica would take the rest.
    async fn finish(self, settled: Settled) {
        let last = async {
            outbox::settle_and_claim(&self.pool, &settled, 0, LEASE).await?;
            relay_once(&self.pool, &self.publisher).await
        };
        match tokio::time::timeout(Duration::from_secs(3), last).await {
            Ok(Ok(count)) => tracing::debug!(count, "flushed the outbox"),
            Ok(Err(error)) => tracing::warn!(%error, "left events in the outbox"),
            Err(_) => tracing::warn!("left events in the outbox: no time"),
        }
        self.publisher.close().await;
    }

    async fn sample(&mut self) {
        if self.sampled_at.is_some_and(|at| at.elapsed() < SAMPLE) {
            return;
        }
        self.sampled_at = Some(Instant::now());
        let backlog = outbox::backlog(&self.pool).await;
        if let Ok((unpublished, age_s)) = backlog.map_err(pg_kit::count_error) {
            metrics::outbox(unpublished, age_s);
        }
    }
}
