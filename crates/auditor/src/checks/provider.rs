//! The provider's books against ours: what it took and gave back is what we say.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::books::shown;
use crate::provider::Charge;
use crate::{Expectations, Finding};

/// A payment of ours.
struct Payment {
    order: Uuid,
    status: String,
    captured_minor: i64,
    /// Refunds that succeeded or may have.
    refunded_minor: i64,
    currency: String,
    /// May still be on its way to or from the provider.
    fresh: bool,
}

/// I16.
pub(super) async fn books_agree(pool: &PgPool, expected: &Expectations) -> Result<Finding> {
    let title = "what the provider took and gave back is what our books say";
    let Some(provider) = &expected.provider else {
        return Ok(Finding::unchecked("I16", title, "no provider given"));
    };
    let mut finding = Finding::new("I16", title);
    // The provider first: what it has done by then is in our books now, or on its way.
    let charges = provider.charges().await?;
    let mut payments = ours(pool, expected.grace_s).await?;
    totals(&charges, &mut finding);
    for charge in charges {
        match payments.remove(&charge.payment_intent) {
            Some(payment) if !payment.fresh => compare(&charge, &payment, &mut finding),
            // Given back whole at the provider, as after a restore: nobody has the buyer's money.
            None if charge.captured_minor > charge.refunded_minor => {
                unknown(pool, &charge, expected.grace_s, &mut finding).await?;
            }
            Some(_) | None => {}
        }
    }
    for (reference, payment) in payments {
        if payment.captured_minor > 0 && !payment.fresh {
            finding.violated(format!(
                "{}: {} {} captured as {reference}, which the provider doesn't know",
                shown(payment.order),
                payment.captured_minor,
                payment.currency
            ));
        }
    }
    Ok(finding)
}

fn compare(charge: &Charge, payment: &Payment, finding: &mut Finding) {
    let place = format!(
        "{} ({}, {})",
        shown(payment.order),
        charge.payment_intent,
        payment.status
    );
    if payment.captured_minor != charge.captured_minor {
        finding.violated(format!(
            "{place}: the provider took {}, our books say {}",
            charge.captured_minor, payment.captured_minor
        ));
    }
    if payment.refunded_minor != charge.refunded_minor {
        finding.violated(format!(
            "{place}: the provider gave back {}, our books say {}",
            charge.refunded_minor, payment.refunded_minor
        ));
    }
    if charge.captured_minor > 0 && !payment.currency.eq_ignore_ascii_case(&charge.currency) {
        finding.violated(format!(
            "{place}: the provider took {}, our books say {}",
            charge.currency.to_uppercase(),
            payment.currency
        ));
    }
}

/// Money taken under a reference that no payment has: a second charge, or one whose answer is still on its way.
async fn unknown(pool: &PgPool, charge: &Charge, grace_s: f64, finding: &mut Finding) -> Result<()> {
    let order = charge.order_id.as_deref().unwrap_or("no order");
    let on_its_way: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND status = 'INITIATED' AND psp_ref IS NULL)",
    )
    .bind(order.parse::<contracts::OrderId>().ok().map(contracts::OrderId::uuid))
    .fetch_one(pool)
    .await?;
    if grace_s == 0.0 || !on_its_way {
        finding.violated(format!(
            "{order}: the provider took {} {} as {}, which our books don't know",
            charge.captured_minor, charge.currency, charge.payment_intent
        ));
    }
    Ok(())
}

fn totals(charges: &[Charge], finding: &mut Finding) {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for charge in charges {
        let sum = sums.entry(charge.currency.to_uppercase()).or_default();
        sum.0 += charge.captured_minor;
        sum.1 += charge.refunded_minor;
    }
    finding.count("charges", charges.len());
    for (currency, (taken, given_back)) in sums {
        finding.figure(format!("taken {currency}"), taken);
        finding.figure(format!("given back {currency}"), given_back);
    }
}

/// Our payments by the provider's reference.
async fn ours(pool: &PgPool, grace_s: f64) -> Result<BTreeMap<String, Payment>, sqlx::Error> {
    let rows = sqlx::query(
        "WITH back AS (
             SELECT payment_id, sum(amount_minor) FILTER (WHERE status <> 'FAILED') AS amount,
                    bool_or(status = 'PENDING') AS pending, max(coalesce(ended_at, created_at)) AS at
             FROM refund GROUP BY payment_id
         )
         SELECT psp_ref, order_id, status, CASE WHEN captured_at IS NULL THEN 0 ELSE amount_minor END,
                coalesce(back.amount, 0)::bigint, currency,
                $1 > 0 AND (status = 'INITIATED' OR coalesce(back.pending, false)
                    OR greatest(created_at, captured_at, back.at) > clock_timestamp() - make_interval(secs => $1))
         FROM payment LEFT JOIN back ON back.payment_id = id WHERE psp_ref IS NOT NULL",
    )
    .bind(grace_s)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let payment = Payment {
                order: row.try_get(1)?,
                status: row.try_get(2)?,
                captured_minor: row.try_get(3)?,
                refunded_minor: row.try_get(4)?,
                currency: row.try_get(5)?,
                fresh: row.try_get(6)?,
            };
            Ok((row.try_get(0)?, payment))
        })
        .collect()
}
