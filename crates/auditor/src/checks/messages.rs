//! Events: published, received, applied, or given up for a reason we gave.

use anyhow::Result;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::{SNAPSHOT, sentences};
use crate::books::shown;
use crate::broker::{INVENTORY_EVENTS, PAYMENT_EVENTS};
use crate::rest::count;
use crate::{Books, Expectations, Finding};

/// I9.
pub(super) async fn arrived(books: &Books, expected: &Expectations) -> Result<Finding> {
    let mut finding = Finding::new("I9", "every event is published, and in its consumer's inbox");
    for (name, pool) in books.each() {
        let waiting: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM outbox WHERE published_at IS NULL
             AND created_at <= clock_timestamp() - make_interval(secs => $1)",
        )
        .bind(expected.grace_s)
        .fetch_all(pool)
        .await?;
        finding.figure(
            format!("in {name}'s outbox"),
            count(pool, "SELECT count(*) FROM outbox").await?,
        );
        finding.violated_by(
            waiting
                .iter()
                .map(|id| format!("{name}: event {id} is not published"))
                .collect(),
        );
    }
    for (name, pool, consumer) in [
        ("payment", &books.payment, PAYMENT_EVENTS),
        ("inventory", &books.inventory, INVENTORY_EVENTS),
    ] {
        let sent: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM outbox WHERE mandatory
             AND published_at <= clock_timestamp() - make_interval(secs => $1)",
        )
        .bind(expected.grace_s)
        .fetch_all(pool)
        .await?;
        let missing: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM unnest($1::uuid[]) AS sent (id)
             WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer = $2 AND message_id = id)",
        )
        .bind(&sent)
        .bind(consumer)
        .fetch_all(&books.order)
        .await?;
        finding.count(&format!("sent by {name}"), sent.len());
        let lost = missing
            .iter()
            .map(|id| format!("{name}: event {id} never reached {consumer}"));
        finding.violated_by(lost.collect());
    }
    Ok(finding)
}

/// I10.
pub(super) async fn given_up_is_poison(books: &Books, expected: &Expectations) -> Result<Finding> {
    let mut finding = Finding::new("I10", "dead and parked messages = poison injected");
    let dead = count(&books.order, "SELECT count(*) FROM inbox WHERE status = 'DEAD'").await?;
    // An event of an unknown order waits up to a day before it is given up.
    let waiting = count(
        &books.order,
        "SELECT count(*) FROM inbox WHERE status = 'PENDING' AND attempts > 2 AND next_try_at > clock_timestamp()",
    )
    .await?;
    finding.figure("dead", dead);
    finding.figure("waiting", waiting);
    let mut total = dead + waiting;
    match &expected.broker {
        Some(broker) => {
            let parked = broker.count_parked().await?;
            finding.figure("parked", parked);
            total += parked;
        }
        None => finding
            .notes
            .push("parked messages were not counted: no broker given".to_owned()),
    }
    finding.figure("injected", expected.poison);
    if total != expected.poison {
        finding.violated(format!(
            "{total} messages were given up, {} were poison",
            expected.poison
        ));
        let which = "SELECT format('%s %s of %s is %s after %s tries: %s', type, message_id, aggregate_id, status, attempts, last_error)
                     FROM inbox WHERE status = 'DEAD' OR (status = 'PENDING' AND attempts > 2) ORDER BY received_at LIMIT 20";
        finding.notes.extend(sentences(&books.order, which).await?);
    }
    Ok(finding)
}

/// I13, as far as the databases tell: what subscribers are told is each version once.
pub(super) async fn every_version_announced(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new(
        "I13",
        "each version of an order is announced once, the last one too",
    );
    // Steps and announcements of one moment: between two looks an order goes on.
    let mut moment = pool.begin_with(SNAPSHOT).await?;
    let versions = sqlx::query(
        "SELECT aggregate_id, aggregate_version FROM outbox WHERE routing_key = 'order.status_changed.v1'",
    )
    .fetch_all(&mut *moment)
    .await?;
    finding.count("announced", versions.len());
    let mut told = std::collections::HashSet::new();
    for row in versions {
        told.insert((row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?));
    }
    // Older announcements may have been pruned, unless the first step was taken when the first one left. Steps have
    // their time from a service and announcements from the database: a minute is more than their clocks differ.
    let steps = sqlx::query(
        "SELECT order_id, version, to_status FROM order_history
         CROSS JOIN (SELECT coalesce(min(created_at) FILTER (WHERE published_at IS NOT NULL), min(created_at)) AS first
                     FROM outbox WHERE routing_key = 'order.status_changed.v1') AS kept
         CROSS JOIN (SELECT min(at) AS first FROM order_history) AS step
         WHERE at > kept.first + interval '1 minute' OR step.first > kept.first - interval '1 minute'",
    )
    .fetch_all(&mut *moment)
    .await?;
    moment.rollback().await?;
    for row in steps {
        let (order, version, status) = (
            shown(row.try_get(0)?),
            row.try_get(1)?,
            row.try_get::<String, _>(2)?,
        );
        if !told.contains(&(order.clone(), version)) {
            finding.violated(format!(
                "{order}: version {version} ({status}) was never announced"
            ));
        }
    }
    Ok(finding)
}
