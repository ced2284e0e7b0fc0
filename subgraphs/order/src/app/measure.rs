//! Metrics of orders and sagas.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::IntCounterVec;
use service_kit::metrics;

use super::App;
use super::steer::Plan;
use crate::domain::State;
use crate::saga::Action;
use crate::store;

const EVERY: Duration = Duration::from_secs(5);

impl App {
    pub(super) async fn measure_forever(self) {
        exist();
        let never = tokio::sync::Notify::new();
        loop {
            if let Err(error) = self.measure().await.map_err(pg_kit::count_error) {
                tracing::debug!(%error, "can't measure");
            }
            if !self.pause(&never, EVERY).await {
                return;
            }
        }
    }

    async fn measure(&self) -> Result<(), sqlx::Error> {
        let open = metrics::gauge("orders_open", "Orders that are not final, by state.", &["state"]);
        let counts = store::figures::open_by_state(&self.workers).await?;
        for state in State::ALL.into_iter().filter(|state| !state.is_final()) {
            let count = counts.iter().find(|count| count.status == state.as_str());
            open.with_label_values(&[state.as_str()])
                .set(count.map_or(0, |count| count.orders));
        }
        let (oldest_s, attention) = store::figures::health(&self.workers).await?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of an order's age")]
        metrics::gauge(
            "order_oldest_open_seconds",
            "Age of the oldest order that is not final.",
            &[],
        )
        .with_label_values::<&str>(&[])
        .set(oldest_s as i64);
        metrics::gauge(
            "orders_needing_attention",
            "Orders at which a person should look.",
            &[],
        )
        .with_label_values::<&str>(&[])
        .set(attention);
        Ok(())
    }
}

/// Counts an order that came to rest, and how long it took.
pub(super) fn settled(plan: &Plan, now: DateTime<Utc>) {
    let saga = &plan.job.saga;
    if saga.settled_at.is_none()
        || !plan
            .effects
            .iter()
            .any(|effect| matches!(effect, crate::saga::Effect::Record(_)))
    {
        return;
    }
    // The id is a UUIDv7: it tells when the order was placed.
    let Some((seconds, nanos)) = saga.order_id.uuid().get_timestamp().map(|time| time.to_unix()) else {
        return;
    };
    let placed = DateTime::from_timestamp(i64::try_from(seconds).unwrap_or_default(), nanos).unwrap_or(now);
    let took = (now - placed).to_std().unwrap_or_default();
    let seconds = metrics::histogram(
        "order_time_to_final_seconds",
        "From placing an order to its rest.",
        &["state"],
    );
    let (trace, state) = (plan.traceparent.as_deref(), saga.state.as_str());
    metrics::observe_for(trace, &seconds, &[state], took.as_secs_f64());
}

/// Counts a call without an answer.
pub(super) fn retry(action: Action) {
    retries(action).inc();
}

fn retries(action: Action) -> prometheus::IntCounter {
    metrics::counter(
        "saga_retries_total",
        "Calls of sagas that got no answer.",
        &["step"],
    )
    .with_label_values(&[action.as_str()])
}

/// Counts sagas that were taken over or came back after a pause.
pub(super) fn claimed(sagas: usize) {
    plain(CLAIMED).inc_by(sagas as u64);
}

/// Counts an answer that came too late to be saved.
pub(super) fn lost() {
    plain(LOST).inc();
}

/// Counts a call for a person.
pub(super) fn alarm() {
    plain(ALARMS).inc();
}

/// A counter without labels: its name and what it counts.
type Plain = (&'static str, &'static str);

const CLAIMED: Plain = (
    "saga_claimed_total",
    "Sagas claimed because they were due or left behind.",
);
const LOST: Plain = (
    "saga_lost_answers_total",
    "Answers dropped because somebody else was quicker.",
);
const ALARMS: Plain = ("saga_alarms_total", "Contradictions found in orders.");

/// What has not happened yet is told as zero: a rate needs a value before its first one.
fn exist() {
    for counter in [CLAIMED, LOST, ALARMS] {
        plain(counter).inc_by(0);
    }
    for action in Action::ALL {
        retries(action).inc_by(0);
    }
}

fn plain((name, help): Plain) -> prometheus::IntCounter {
    let counter: IntCounterVec = metrics::counter(name, help, &[]);
    counter.with_label_values::<&str>(&[])
}
