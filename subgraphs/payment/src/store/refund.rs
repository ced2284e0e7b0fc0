//! Refunds.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{PaymentId, RefundId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{corrupt, money, one, seconds};
use crate::domain::{Refund, RefundStage};

struct Row {
    id: Uuid,
    payment_id: Uuid,
    reason: String,
    amount_minor: i64,
    currency: String,
    status: String,
    psp_ref: Option<String>,
    created_at: DateTime<Utc>,
    checks: i32,
}

impl TryFrom<Row> for Refund {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: RefundId::from_uuid(row.id),
            payment_id: PaymentId::from_uuid(row.payment_id),
            reason: row.reason,
            amount: money(row.amount_minor, &row.currency)?,
            stage: match row.status.as_str() {
                "PENDING" => RefundStage::Pending,
                "SUCCEEDED" => RefundStage::Succeeded,
                "FAILED" => RefundStage::Failed,
                _ => return Err(corrupt("refund status")),
            },
            psp_ref: row.psp_ref,
            created_at: row.created_at,
            checks: row.checks,
        })
    }
}

const fn status(stage: RefundStage) -> &'static str {
    match stage {
        RefundStage::Pending => "PENDING",
        RefundStage::Succeeded => "SUCCEEDED",
        RefundStage::Failed => "FAILED",
    }
}

fn refunds(rows: Vec<Row>) -> Result<Vec<Refund>, sqlx::Error> {
    rows.into_iter().map(Refund::try_from).collect()
}

/// Writes a new refund, to be looked after `recheck` from now. The caller holds its payment's lock.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    refund: &Refund,
    recheck: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO refund (id, payment_id, reason, amount_minor, currency, status, created_at, next_check_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7,
                 clock_timestamp() + make_interval(secs => $8::double precision))",
        refund.id.uuid(),
        refund.payment_id.uuid(),
        refund.reason,
        refund.amount.amount_minor,
        refund.amount.currency.as_str(),
        status(refund.stage),
        refund.created_at,
        recheck.as_secs_f64(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what changes in a refund's life. The caller holds its payment's lock.
pub(crate) async fn save(
    conn: &mut PgConnection,
    refund: &Refund,
    failure: Option<&str>,
    ended_at: Option<DateTime<Utc>>,
    recheck: Option<Duration>,
) -> Result<(), sqlx::Error> {
    let written = sqlx::query!(
        "UPDATE refund SET status = $2, psp_ref = $3, failure = $4, ended_at = $5, checks = $6,
                next_check_at = clock_timestamp() + make_interval(secs => $7::double precision)
         WHERE id = $1",
        refund.id.uuid(),
        status(refund.stage),
        refund.psp_ref,
        failure,
        ended_at,
        refund.checks,
        seconds(recheck),
    )
    .execute(conn)
    .await?;
    one(&written)
}

/// Puts the next look at a pending refund to `after` from now.
pub(crate) async fn postpone(pool: &PgPool, id: RefundId, after: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE refund SET next_check_at = clock_timestamp() + make_interval(secs => $2::double precision)
         WHERE id = $1 AND next_check_at IS NOT NULL",
        id.uuid(),
        after.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// All refunds of some payments, oldest first.
pub(crate) async fn find_by_payments(pool: &PgPool, payments: &[Uuid]) -> Result<Vec<Refund>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, payment_id, reason, amount_minor, currency, status, psp_ref, created_at, checks
         FROM refund WHERE payment_id = ANY($1) ORDER BY id",
        payments,
    )
    .fetch_all(pool)
    .await?;
    refunds(rows)
}

/// All refunds of a payment, oldest first. The caller holds the payment's lock.
pub(crate) async fn of_payment(
    conn: &mut PgConnection,
    payment: PaymentId,
) -> Result<Vec<Refund>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, payment_id, reason, amount_minor, currency, status, psp_ref, created_at, checks
         FROM refund WHERE payment_id = $1 ORDER BY id",
        payment.uuid(),
    )
    .fetch_all(conn)
    .await?;
    refunds(rows)
}

/// Claims pending refunds that should be looked at, for `lease`; each claim counts as a check.
pub(crate) async fn claim_due(
    pool: &PgPool,
    limit: i64,
    lease: Duration,
) -> Result<Vec<Refund>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE refund SET checks = checks + 1,
                next_check_at = clock_timestamp() + make_interval(secs => $2::double precision)
         WHERE id IN (SELECT id FROM refund WHERE next_check_at <= clock_timestamp()
                      ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id, payment_id, reason, amount_minor, currency, status, psp_ref, created_at, checks",
        limit,
        lease.as_secs_f64(),
    )
    .fetch_all(pool)
    .await?;
    refunds(rows)
}
