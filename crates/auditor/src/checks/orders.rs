//! Orders: they end, in time, by a legal path, in agreement with stock and payment, and leave nothing over.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::PgPool;
use sqlx::Row;
use uuid::Uuid;

use crate::books::{Cross, Order, shown};
use crate::rest::count;
use crate::{Books, Expectations, Finding};

/// After the deadline and the reservation's margin, an order has this long to end.
const GRACE_AFTER_DEADLINE_S: f64 = 60.0;

/// Every legal step, repeated here by hand: the auditor shares no code with the service.
const EDGES: [(&str, &str); 31] = [
    ("CREATED", "RESERVING"),
    ("CREATED", "CANCELLING"),
    ("RESERVING", "RESERVED"),
    ("RESERVING", "CANCELLING"),
    ("RESERVING", "REFUNDING"),
    ("RESERVED", "PAYING"),
    ("RESERVED", "CONFIRMING"),
    ("RESERVED", "CANCELLING"),
    ("PAYING", "PAYMENT_PENDING"),
    ("PAYING", "CONFIRMING"),
    ("PAYING", "CANCELLING"),
    ("PAYMENT_PENDING", "CONFIRMING"),
    ("PAYMENT_PENDING", "CANCELLING"),
    ("CONFIRMING", "PAID"),
    ("CONFIRMING", "REFUNDING"),
    ("PAID", "SHIPPED"),
    ("PAID", "REFUNDING"),
    ("SHIPPED", "DELIVERED"),
    ("SHIPPED", "REFUNDING"),
    ("DELIVERED", "REFUNDING"),
    ("CANCELLED", "REFUNDING"),
    ("CANCELLING", "CANCELLED"),
    ("CANCELLING", "REFUNDING"),
    ("REFUNDING", "REFUNDED"),
    // Steps that are shown and leave the order where it is.
    ("RESERVING", "RESERVING"),
    ("PAYING", "PAYING"),
    ("PAYMENT_PENDING", "PAYMENT_PENDING"),
    ("CONFIRMING", "CONFIRMING"),
    ("CANCELLING", "CANCELLING"),
    ("REFUNDING", "REFUNDING"),
    ("", "CREATED"),
];

/// I5.
pub(super) async fn end_in_time(pool: &PgPool, expected: &Expectations) -> Result<Finding> {
    let mut finding = Finding::new("I5", "every order ends within its deadline, the margin and 60 s");
    finding.figure("orders", count(pool, "SELECT count(*) FROM orders").await?);
    finding.figure(
        "open",
        count(pool, "SELECT count(*) FROM orders WHERE terminal_at IS NULL").await?,
    );
    let late = sqlx::query(
        "SELECT orders.id, orders.status, extract(epoch FROM clock_timestamp() - due.at)::bigint
         FROM orders JOIN saga ON saga.order_id = orders.id
         CROSS JOIN LATERAL (
             SELECT greatest(saga.deadline_at, max(at)) + make_interval(secs => $1) AS at
             FROM order_history WHERE order_history.order_id = orders.id) AS due
         WHERE terminal_at IS NULL AND due.at < clock_timestamp()",
    )
    .bind(expected.margin_s + GRACE_AFTER_DEADLINE_S)
    .fetch_all(pool)
    .await?;
    for row in late {
        let (id, status, by_s): (Uuid, String, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        finding.violated(format!("{}: {status}, overdue by {by_s} s", shown(id)));
    }
    Ok(finding)
}

/// I7.
pub(super) fn agree_with_their_neighbours(cross: &Cross) -> Finding {
    let mut finding = Finding::new("I7", "orders, payments and reservations say the same");
    let mut by_status: BTreeMap<&str, i64> = BTreeMap::new();
    for (id, order) in &cross.orders {
        *by_status.entry(&order.status).or_default() += 1;
        if order.fresh {
            continue;
        }
        for fault in faults(cross, *id, order) {
            finding.violated(format!("{}: {}, but {fault}", shown(*id), order.status));
        }
    }
    for (status, orders) in by_status {
        finding.figure(status, orders);
    }
    for id in cross.payments.keys().filter(|id| !cross.orders.contains_key(id)) {
        finding.violated(format!("{}: a payment without an order", shown(*id)));
    }
    for (id, lines) in &cross.reserved {
        let live = lines
            .iter()
            .any(|line| matches!(line.state.as_str(), "HELD" | "CONFIRMED"));
        if live && !cross.orders.contains_key(id) {
            finding.violated(format!("{}: reserved units without an order", shown(*id)));
        }
    }
    finding
}

fn faults(cross: &Cross, id: Uuid, order: &Order) -> Vec<String> {
    let payment = cross.payments.get(&id);
    let paid = payment.map_or("NONE", |payment| payment.status.as_str());
    let (held, confirmed) = (units(cross, id, "HELD"), units(cross, id, "CONFIRMED"));
    let mut faults = Vec::new();
    match order.status.as_str() {
        "CANCELLED" => {
            if !matches!(paid, "NONE" | "FAILED" | "VOIDED") {
                faults.push(format!("the payment is {paid}"));
            }
            if !held.is_empty() || !confirmed.is_empty() {
                faults.push(format!("units are held {held:?} or sold {confirmed:?}"));
            }
        }
        "PAID" | "SHIPPED" | "DELIVERED" => {
            let returned = order.returned_minor + order.promised_minor > 0;
            let may = paid == "CAPTURED"
                || returned && matches!(paid, "REFUND_PENDING" | "PARTIALLY_REFUNDED" | "REFUNDED");
            if !may {
                faults.push(format!("the payment is {paid}"));
            }
            let amount =
                payment.and_then(|payment| Some((payment.amount_minor?, payment.currency.as_deref()?)));
            if amount != Some((order.total_minor, order.currency.as_str())) {
                let (total, currency) = (order.total_minor, &order.currency);
                faults.push(format!("paid {amount:?} instead of {total} {currency}"));
            }
            // Units may be on the shelf before order is told.
            let sold = [order.sold(false), order.sold(true)];
            if !sold.contains(&confirmed) || !held.is_empty() {
                faults.push(format!("{confirmed:?} sold and {held:?} held of {:?}", sold[0]));
            }
        }
        "REFUNDED" => {
            if paid != "REFUNDED" {
                faults.push(format!("the payment is {paid}"));
            }
            if !held.is_empty() {
                faults.push(format!("units are held {held:?}"));
            }
        }
        _ => {}
    }
    faults
}

fn units(cross: &Cross, id: Uuid, state: &str) -> BTreeMap<String, i64> {
    let lines = cross.reserved.get(&id).into_iter().flatten();
    lines
        .filter(|line| line.state == state && line.units > 0)
        .map(|line| (line.sku.clone(), line.units))
        .collect()
}

/// I8.
pub(super) async fn history_is_a_path(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new("I8", "each history is a path in the graph, versions without gaps");
    finding.figure("steps", count(pool, "SELECT count(*) FROM order_history").await?);
    let (from, to): (Vec<&str>, Vec<&str>) = EDGES.into_iter().unzip();
    let broken = sqlx::query(
        "WITH step AS (
             SELECT order_id, version, from_status, to_status, lag(to_status) OVER path AS before,
                    coalesce(lag(version) OVER path, 0) AS version_before, lead(version) OVER path IS NULL AS is_last
             FROM order_history WINDOW path AS (PARTITION BY order_id ORDER BY version)
         ), edge AS (SELECT * FROM unnest($1::text[], $2::text[]) AS edge (f, t))
         SELECT orders.id, CASE
             WHEN step.order_id IS NULL THEN 'has no history'
             WHEN step.version <> version_before + 1 THEN format('version %s follows %s', step.version, version_before)
             WHEN from_status IS DISTINCT FROM before THEN format('version %s leaves %s, but the order was %s', step.version, from_status, before)
             WHEN NOT EXISTS (SELECT FROM edge WHERE f = coalesce(from_status, '') AND t = to_status) THEN
                 format('version %s leads from %s to %s', step.version, coalesce(from_status, 'nothing'), to_status)
             WHEN is_last AND (to_status, step.version) IS DISTINCT FROM (orders.status, orders.version) THEN
                 format('ends as %s at version %s, but the order is %s at %s', to_status, step.version, orders.status, orders.version)
         END AS fault
         FROM orders LEFT JOIN step ON step.order_id = orders.id",
    )
    .bind(&from)
    .bind(&to)
    .fetch_all(pool)
    .await?;
    for row in broken {
        if let Some(fault) = row.try_get::<Option<String>, _>(1)? {
            finding.violated(format!("{}: {fault}", shown(row.try_get(0)?)));
        }
    }
    Ok(finding)
}

/// I14.
pub(super) async fn nothing_is_left_over(books: &Books, expected: &Expectations) -> Result<Finding> {
    let mut finding = Finding::new(
        "I14",
        "no unended step, lease, idle transaction or call for attention",
    );
    let left = sqlx::query(
        "SELECT order_id, format('%s was started and never ended', step)
         FROM saga_step JOIN orders ON orders.id = order_id
         WHERE saga_step.status = 'STARTED' AND (terminal_at IS NOT NULL OR $1 = 0)
         UNION ALL
         SELECT order_id, format('leased by %s until %s', lease_owner, lease_until)
         FROM saga JOIN orders ON orders.id = order_id
         WHERE lease_until IS NOT NULL
           AND (terminal_at IS NOT NULL OR $1 = 0 OR lease_until < clock_timestamp() - make_interval(secs => $1))
         UNION ALL
         SELECT order_id, format('needs attention: %s', last_error) FROM saga WHERE needs_attention
         UNION ALL
         SELECT order_id, format('return %s was asked for %s ago and is not done: %s', number,
                    date_trunc('second', clock_timestamp() - created_at), coalesce(last_error, 'no reason given'))
         FROM order_return
         WHERE ended_at IS NULL
           AND (needs_attention OR $1 = 0 OR changed_at < clock_timestamp() - make_interval(secs => $1))
         UNION ALL
         SELECT order_id, format('its %s timer is late', kind) FROM saga_timer
         WHERE fire_at < clock_timestamp() - make_interval(secs => greatest($1, 5))",
    )
    .bind(expected.grace_s)
    .fetch_all(&books.order)
    .await?;
    for row in left {
        finding.violated(format!(
            "{}: {}",
            shown(row.try_get(0)?),
            row.try_get::<String, _>(1)?
        ));
    }
    for (name, pool) in books.each() {
        let idle: Vec<String> = sqlx::query_scalar(
            "SELECT format('%s (process %s) idles in a transaction for %s', application_name, pid, clock_timestamp() - state_change)
             FROM pg_stat_activity
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'
               AND state_change < clock_timestamp() - make_interval(secs => $1)",
        )
        .bind(expected.idle_s)
        .fetch_all(pool)
        .await?;
        finding.violated_by(idle.iter().map(|row| format!("{name}: {row}")).collect());
    }
    Ok(finding)
}
