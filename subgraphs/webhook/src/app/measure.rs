//! Metrics of deliveries.

use std::time::Duration;

use service_kit::metrics;

use super::App;
use crate::domain::Verdict;
use crate::store;

const EVERY: Duration = Duration::from_secs(5);

impl App {
    pub(super) async fn measure_forever(self) {
        for outcome in ["delivered", "again", "dead", "gone"] {
            counter().with_label_values(&[outcome]);
        }
        loop {
            if let Err(error) = self.measure().await.map_err(pg_kit::count_error) {
                tracing::debug!(%error, "can't measure");
            }
            if !self.pause(EVERY).await {
                return;
            }
        }
    }

    async fn measure(&self) -> Result<(), sqlx::Error> {
        let backlog = store::deliveries::backlog(&self.workers).await?;
        let deliveries = metrics::gauge("webhook_deliveries", "Deliveries not made, by state.", &["state"]);
        deliveries.with_label_values(&["pending"]).set(backlog.pending);
        deliveries.with_label_values(&["dead"]).set(backlog.dead);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a delivery's age")]
        metrics::gauge(
            "webhook_oldest_due_seconds",
            "How long the delivery that is due longest has been due.",
            &[],
        )
        .with_label_values::<&str>(&[])
        .set(backlog.oldest_due_s as i64);
        metrics::gauge(
            "webhook_endpoints_disabled",
            "Endpoints that were switched off because they failed or wanted nothing any more.",
            &[],
        )
        .with_label_values::<&str>(&[])
        .set(store::endpoints::disabled(&self.workers).await?);
        Ok(())
    }
}

fn counter() -> prometheus::IntCounterVec {
    metrics::counter(
        "webhook_tries_total",
        "Tries to deliver an event, by what became of them.",
        &["outcome"],
    )
}

/// Counts what became of a try.
pub(super) fn tried(verdict: &Verdict) {
    let outcome = match verdict {
        Verdict::Delivered { .. } => "delivered",
        Verdict::Again { .. } => "again",
        Verdict::Dead { .. } => "dead",
        Verdict::Gone { .. } => "gone",
    };
    counter().with_label_values(&[outcome]).inc();
}
