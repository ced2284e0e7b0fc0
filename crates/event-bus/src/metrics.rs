//! What this crate counts. Labels are names of code (roles, queues, types), never ids.

use prometheus::IntCounterVec;
use service_kit::metrics::{counter, gauge};

/// Prometheus counts whole things.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an age in seconds fits, and a fraction is of no interest"
)]
const fn whole(seconds: f64) -> i64 {
    seconds as i64
}

pub(crate) fn reconnects(role: &str) {
    counter(
        "mercato_broker_reconnects_total",
        "Broker connections lost.",
        &["role"],
    )
    .with_label_values(&[role])
    .inc();
}

fn publications() -> IntCounterVec {
    counter(
        "mercato_events_published_total",
        "Events handed to the broker, by outcome.",
        &["type", "outcome"],
    )
}

/// From now on there is a figure for each type, and be it zero.
pub(crate) fn publishes(types: &[&str]) {
    for kind in types {
        publications().with_label_values(&[kind, "published"]);
    }
}

pub(crate) fn published(kind: &str, outcome: &str) {
    publications().with_label_values(&[kind, outcome]).inc();
}

pub(crate) fn consumed(queue: &str, outcome: &str, count: u64) {
    counter(
        "mercato_events_consumed_total",
        "Deliveries taken off a queue, by outcome.",
        &["queue", "outcome"],
    )
    .with_label_values(&[queue, outcome])
    .inc_by(count);
}

pub(crate) fn handled(consumer: &str, outcome: &str, count: u64) {
    counter(
        "mercato_events_handled_total",
        "Events applied, by outcome.",
        &["consumer", "outcome"],
    )
    .with_label_values(&[consumer, outcome])
    .inc_by(count);
}

pub(crate) fn outbox(unpublished: i64, oldest_age_s: f64) {
    let none: [&str; 0] = [];
    gauge(
        "mercato_outbox_unpublished",
        "Events that wait to be published.",
        &[],
    )
    .with_label_values(&none)
    .set(unpublished);
    gauge(
        "mercato_outbox_oldest_age_seconds",
        "Age of the oldest unpublished event.",
        &[],
    )
    .with_label_values(&none)
    .set(whole(oldest_age_s));
}

pub(crate) fn inbox(consumer: &str, pending: i64, dead: i64, oldest_age_s: f64) {
    gauge(
        "mercato_inbox_pending",
        "Events that wait to be applied.",
        &["consumer"],
    )
    .with_label_values(&[consumer])
    .set(pending);
    gauge(
        "mercato_inbox_dead",
        "Events given up; an operator must look.",
        &["consumer"],
    )
    .with_label_values(&[consumer])
    .set(dead);
    gauge(
        "mercato_inbox_oldest_age_seconds",
        "Age of the oldest pending event.",
        &["consumer"],
    )
    .with_label_values(&[consumer])
    .set(whole(oldest_age_s));
}
