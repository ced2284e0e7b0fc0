//! Money: what was taken belongs to an order that was kept, once.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::PgPool;

use super::sentences;
use crate::Finding;
use crate::books::{Cross, shown};

/// I4.
pub(super) async fn books_balance(pool: &PgPool, cross: &Cross) -> Result<Finding> {
    let mut finding = Finding::new(
        "I4",
        "captured - refunded = paid orders less returns; the ledger is zero",
    );
    let (mut kept, mut owed): (BTreeMap<&str, i64>, BTreeMap<&str, i64>) = Default::default();
    for (id, payment) in &cross.payments {
        let currency = payment.currency.as_deref().unwrap_or("none");
        *kept.entry(currency).or_default() += payment.net_minor;
        let Some(order) = cross.orders.get(id) else {
            continue;
        };
        let wanted = match order.status.as_str() {
            // A return's money may have left payment before order is told.
            "PAID" | "SHIPPED" | "DELIVERED" => order.kept_minor(),
            "CANCELLED" | "REFUNDED" => (0, 0),
            _ => continue,
        };
        let (least, most) = wanted;
        if !(least..=most).contains(&payment.net_minor) && !order.fresh {
            let (status, net) = (&order.status, payment.net_minor);
            let wanted = if least == most {
                most.to_string()
            } else {
                format!("{least} to {most}")
            };
            finding.violated(format!(
                "{}: {status}, keeps {net} instead of {wanted} {currency}",
                shown(*id)
            ));
        }
    }
    for order in cross.orders.values().filter(|order| order.is_good()) {
        *owed.entry(&order.currency).or_default() += order.kept_minor().1;
    }
    for (currency, amount) in kept {
        finding.figure(format!("kept {currency}"), amount);
    }
    for (currency, amount) in owed {
        finding.figure(format!("of paid orders {currency}"), amount);
    }
    finding.violated_by(unbalanced(pool).await?);
    Ok(finding)
}

async fn unbalanced(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    sentences(
        pool,
        "SELECT format('ledger transaction %s sums to %s %s', txn_id, sum(amount_minor), currency)
         FROM ledger_entry GROUP BY txn_id, currency HAVING sum(amount_minor) <> 0
         UNION ALL
         SELECT format('account %s moved %s %s with kind %s: money went the wrong way', account, amount_minor, currency, kind)
         FROM ledger_entry
         WHERE sign(amount_minor) <> (CASE account WHEN 'provider' THEN 1 ELSE -1 END) * (CASE kind WHEN 'CAPTURE' THEN 1 ELSE -1 END)",
    )
    .await
}

/// I6.
pub(super) async fn moves_once(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new("I6", "at most one capture and one full refund per order");
    for (name, sql) in [
        (
            "captures",
            "SELECT count(DISTINCT txn_id) FROM ledger_entry WHERE kind = 'CAPTURE'",
        ),
        (
            "refunds",
            "SELECT count(DISTINCT txn_id) FROM ledger_entry WHERE kind = 'REFUND'",
        ),
    ] {
        finding.figure(name, crate::rest::count(pool, sql).await?);
    }
    let broken = sentences(
        pool,
        "WITH booked AS (
             SELECT payment_id, count(DISTINCT txn_id) FILTER (WHERE kind = 'CAPTURE') AS captures,
                    coalesce(sum(abs(amount_minor)) FILTER (WHERE kind = 'CAPTURE'), 0) AS captured,
                    coalesce(sum(abs(amount_minor)) FILTER (WHERE kind = 'REFUND'), 0) AS refunded
             FROM ledger_entry WHERE account = 'provider' GROUP BY payment_id
         ), refunds AS (
             SELECT payment_id, coalesce(sum(amount_minor), 0) AS refunded FROM refund
             WHERE status = 'SUCCEEDED' GROUP BY payment_id
         )
         SELECT format('payment %s (%s) of order %s: %s captures, captured %s, refunded %s by the ledger, %s by refunds, %s by itself',
             id, status, order_id, coalesce(captures, 0), coalesce(captured, 0), coalesce(booked.refunded, 0),
             coalesce(refunds.refunded, 0), refunded_minor)
         FROM payment LEFT JOIN booked ON booked.payment_id = id LEFT JOIN refunds ON refunds.payment_id = id
         WHERE coalesce(captures, 0) <> (captured_at IS NOT NULL)::int
            OR coalesce(captured, 0) <> CASE WHEN captured_at IS NULL THEN 0 ELSE amount_minor END
            OR coalesce(booked.refunded, 0) > coalesce(captured, 0)
            OR coalesce(booked.refunded, 0) <> refunded_minor
            OR coalesce(refunds.refunded, 0) <> refunded_minor",
    );
    finding.violated_by(broken.await?);
    Ok(finding)
}
