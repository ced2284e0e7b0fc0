//! The worker that ends holds whose time is over. Tests step it; the process lets it run.

use std::time::Duration;

use pg_kit::idempotency;
use service_kit::{Backoff, Host};

use crate::App;
use crate::app::Error;
use crate::app::expire::expire_due;

/// Holds expired in one transaction: enough to keep up, few enough to let go of the stock rows soon.
const BATCH: i64 = 50;
const FORGET_EVERY: Duration = Duration::from_hours(1);
const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(500),
    cap: Duration::from_secs(30),
};

/// Ends holds whose time is over.
#[derive(Clone)]
pub struct Sweeper {
    app: App,
}

impl Sweeper {
    /// A sweeper over an app's stores.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Expires every hold that is due now; answers how many.
    pub async fn step(&self) -> anyhow::Result<usize> {
        Ok(self.sweep().await?)
    }

    async fn sweep(&self) -> Result<usize, Error> {
        let mut expired = 0;
        loop {
            let context = event_bus::context("inventory", &self.app.clock);
            let batch = expire_due(&self.app.workers, &context, BATCH).await?;
            if batch > 0 {
                self.app.announce();
            }
            expired += batch;
            if batch < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(expired);
            }
        }
    }

    /// Forgets old idempotency keys every hour until the host stops.
    pub(crate) async fn forget_keys(self, host: Host) {
        let every = tokio::time::sleep(FORGET_EVERY);
        tokio::pin!(every);
        while host.shutdown.run_until_cancelled(&mut every).await.is_some() {
            let forgotten = idempotency::forget(&self.app.workers).await;
            match forgotten.map_err(pg_kit::count_error) {
                Ok(count) => tracing::debug!(count, "forgot idempotency keys"),
                Err(error) => tracing::warn!(%error, "keys were not forgotten"),
            }
            every.as_mut().reset(tokio::time::Instant::now() + FORGET_EVERY);
        }
    }

    /// Steps every `period` until the host stops.
    pub(crate) async fn run(self, host: Host, period: Duration) {
        let expired = service_kit::metrics::counter(
            "inventory_reservations_expired_total",
            "Holds that ended by themselves.",
            &[],
        );
        let mut failures = 0;
        loop {
            let wait = match self.sweep().await {
                Ok(count) => {
                    failures = 0;
                    expired.with_label_values::<&str>(&[]).inc_by(count as u64);
                    period
                }
                Err(error) => {
                    tracing::warn!(error = ?anyhow::Error::from(error), failures, "holds were not swept");
                    failures += 1;
                    BACKOFF.delay(failures).max(period)
                }
            };
            tokio::select! {
                () = host.shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
