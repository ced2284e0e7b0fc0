//! The use cases, one verb a file. The only place that opens transactions and calls the provider.
//!
//! The provider is never called inside a transaction: what is wanted is committed first, then it is asked, then what
//! it said is recorded. A crash in between leaves a row that [`recover`] takes up with the same idempotency key.

mod alarm;
mod drive;
mod read;
mod record;
mod record_refund;
mod recover;
mod refund;
mod start;
mod void;
mod webhook;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use contracts::Problem;
use event_bus::RelayHandle;
use service_kit::{Clock, Host, Secret, correlation, trace};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::clients::stripe::Stripe;
use crate::domain::Payment;

pub use alarm::Alarm;
pub use webhook::WebhookError;

/// For how long whoever began to drive a payment has it for itself; longer than a call of the provider.
const LEASE: Duration = Duration::from_secs(15);

/// Why a use case gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A definite no.
    #[error(transparent)]
    Refused(#[from] Problem),
    /// The provider has not decided, or could not be asked: ask again.
    #[error("undecided: {0}")]
    Undecided(String),
    /// The database did not do its part; nothing is known to have changed.
    #[error("payment store: {0}")]
    Store(#[source] sqlx::Error),
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}

/// Pools: requests and workers apart, so that neither starves the other.
#[derive(Debug, Clone)]
pub struct Pools {
    /// For REST, GraphQL and webhooks.
    pub requests: PgPool,
    /// For recovery.
    pub workers: PgPool,
}

/// What the use cases do besides what the code says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Signs the provider's webhooks.
    pub webhook_secret: Secret,
    /// How long an answer waits for the provider before it says "undecided"; below the callers' time-out.
    pub patience: Duration,
}

/// The payment service; cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) pools: Pools,
    pub(crate) clock: Clock,
    stripe: Stripe,
    settings: Arc<Settings>,
    tasks: TaskTracker,
    relay: RelayHandle,
    due: Arc<Notify>,
}

impl App {
    /// Puts the parts together.
    pub fn new(pools: Pools, stripe: Stripe, relay: RelayHandle, settings: Settings, host: &Host) -> Self {
        Self {
            pools,
            clock: host.clock.clone(),
            stripe,
            settings: Arc::new(settings),
            tasks: host.tasks.clone(),
            relay,
            due: Arc::new(Notify::new()),
        }
    }

    /// The same, on the workers' connections.
    fn for_workers(&self) -> Self {
        let workers = self.pools.workers.clone();
        Self {
            pools: Pools {
                requests: workers.clone(),
                workers,
            },
            ..self.clone()
        }
    }

    /// Runs what nobody waits for as a part of the request that started the payment: under its correlation id, and in
    /// `span`, which joins its trace.
    async fn on_behalf_of<F: Future>(&self, payment: &Payment, span: Span, work: F) -> F::Output {
        let caller = Span::current();
        trace::with_parent(&span, payment.traceparent.as_deref());
        trace::link(&span, &caller);
        let id = payment.correlation_id.clone().unwrap_or_else(correlation::new_id);
        correlation::scope(id, work.instrument(span)).await
    }

    /// Runs to the end even if nobody waits for it any more: a dropped request must not cut a transaction.
    pub(crate) async fn finish<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, AppError>> + Send + 'static,
    {
        let span = Span::current();
        let correlation = correlation::current().unwrap_or_else(correlation::new_id);
        let work = correlation::scope(correlation, work.instrument(span));
        self.tasks
            .spawn(work)
            .await
            .map_err(|error| AppError::Undecided(error.to_string()))?
    }

    /// The same, but waits no longer than patience allows; `None` if it goes on without us.
    async fn finish_in_time<T, F>(&self, work: F) -> Option<Result<T, AppError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, AppError>> + Send + 'static,
    {
        tokio::time::timeout(self.settings.patience, self.finish(work))
            .await
            .ok()
    }
}
