//! Metrics of mails.

use std::time::Duration;

use service_kit::metrics;

use super::App;
use crate::domain::Verdict;
use crate::store;

const EVERY: Duration = Duration::from_secs(5);

impl App {
    pub(super) async fn measure_forever(self) {
        for outcome in ["sent", "again", "dead"] {
            counter().with_label_values(&[outcome]);
        }
        loop {
            if let Err(error) = self.measure().await.map_err(pg_kit::count_error) {
                tracing::debug!(%error, "can't measure");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.host.shutdown.cancelled() => return,
            }
        }
    }

    async fn measure(&self) -> Result<(), sqlx::Error> {
        let backlog = store::mails::backlog(&self.workers).await?;
        let mails = metrics::gauge("notification_mails", "Mails not sent, by state.", &["state"]);
        mails.with_label_values(&["pending"]).set(backlog.pending);
        mails.with_label_values(&["dead"]).set(backlog.dead);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a mail's age")]
        metrics::gauge(
            "notification_oldest_mail_seconds",
            "Age of the oldest mail that waits to be sent.",
            &[],
        )
        .with_label_values::<&str>(&[])
        .set(backlog.oldest_s as i64);
        Ok(())
    }
}

fn counter() -> prometheus::IntCounterVec {
    metrics::counter(
        "notification_mail_tries_total",
        "Tries to send a mail, by what became of them.",
        &["outcome"],
    )
}

/// Counts what became of a try.
pub(super) fn tried(verdict: &Verdict) {
    let outcome = match verdict {
        Verdict::Sent => "sent",
        Verdict::Again { .. } => "again",
        Verdict::Dead { .. } => "dead",
    };
    counter().with_label_values(&[outcome]).inc();
}
