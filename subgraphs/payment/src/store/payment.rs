//! Payments.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::payment::PaymentState;
use contracts::{OrderId, PaymentId, UserId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{corrupt, money, one, seconds};
use crate::domain::{Payment, Stage, Terms};

struct Row {
    id: Uuid,
    order_id: Uuid,
    user_id: Option<Uuid>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    method: Option<String>,
    status: String,
    void_requested_at: Option<DateTime<Utc>>,
    psp_ref: Option<String>,
    decline_code: Option<String>,
    captured_at: Option<DateTime<Utc>>,
    refunded_minor: i64,
    version: i64,
    correlation_id: Option<String>,
    traceparent: Option<String>,
    created_at: DateTime<Utc>,
    checks: i32,
}

impl TryFrom<Row> for Payment {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let terms = match (row.user_id, row.amount_minor, row.currency, row.method) {
            (Some(user), Some(amount), Some(currency), Some(method)) => Some(Terms {
                user_id: UserId::from_uuid(user),
                amount: money(amount, &currency)?,
                method,
            }),
            _ => None,
        };
        Ok(Self {
            id: PaymentId::from_uuid(row.id),
            order_id: OrderId::from_uuid(row.order_id),
            terms,
            stage: stage(&row.status, row.void_requested_at.is_some())?,
            psp_ref: row.psp_ref,
            decline_code: row.decline_code,
            captured_at: row.captured_at,
            refunded_minor: row.refunded_minor,
            version: row.version,
            correlation_id: row.correlation_id,
            traceparent: row.traceparent,
            created_at: row.created_at,
            checks: row.checks,
        })
    }
}

fn stage(status: &str, void_requested: bool) -> Result<Stage, sqlx::Error> {
    Ok(match status {
        "INITIATED" if void_requested => Stage::Voiding,
        "INITIATED" => Stage::Initiated,
        "CAPTURED" => Stage::Captured,
        "FAILED" => Stage::Failed,
        "VOIDED" => Stage::Voided,
        "REFUND_PENDING" => Stage::RefundPending,
        "REFUNDED" => Stage::Refunded,
        "PARTIALLY_REFUNDED" => Stage::PartiallyRefunded,
        _ => return Err(corrupt("payment status")),
    })
}

/// The word for a status in the store.
pub(crate) const fn status(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Initiated => "INITIATED",
        PaymentState::Captured => "CAPTURED",
        PaymentState::Failed => "FAILED",
        PaymentState::Voided => "VOIDED",
        PaymentState::RefundPending => "REFUND_PENDING",
        PaymentState::Refunded => "REFUNDED",
        PaymentState::PartiallyRefunded => "PARTIALLY_REFUNDED",
    }
}

fn one_payment(row: Option<Row>) -> Result<Option<Payment>, sqlx::Error> {
    row.map(Payment::try_from).transpose()
}

fn payments(rows: Vec<Row>) -> Result<Vec<Payment>, sqlx::Error> {
    rows.into_iter().map(Payment::try_from).collect()
}

/// Writes a new payment, to be looked after `recheck` from now; false if its order has one.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    payment: &Payment,
    recheck: Option<Duration>,
) -> Result<bool, sqlx::Error> {
    let terms = payment.terms.as_ref();
    let written = sqlx::query!(
        "INSERT INTO payment (id, order_id, user_id, amount_minor, currency, method, status, version, created_at,
                              correlation_id, traceparent, next_check_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $12,
                 clock_timestamp() + make_interval(secs => $10::double precision))
         ON CONFLICT (order_id) DO NOTHING",
        payment.id.uuid(),
        payment.order_id.uuid(),
        terms.map(|terms| terms.user_id.uuid()),
        terms.map(|terms| terms.amount.amount_minor),
        terms.map(|terms| terms.amount.currency.as_str()),
        terms.map(|terms| terms.method.as_str()),
        status(payment.stage.public()),
        payment.version,
        payment.created_at,
        seconds(recheck),
        payment.correlation_id,
        payment.traceparent,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Writes what changes in a payment's life. The caller holds its lock.
pub(crate) async fn save(
    conn: &mut PgConnection,
    payment: &Payment,
    recheck: Option<Duration>,
) -> Result<(), sqlx::Error> {
    let written = sqlx::query!(
        "UPDATE payment SET status = $2, psp_ref = $3, decline_code = $4, captured_at = $5, refunded_minor = $6,
                version = $7, checks = $8,
                void_requested_at = CASE WHEN $9::boolean THEN coalesce(void_requested_at, clock_timestamp())
                                         ELSE void_requested_at END,
                next_check_at = clock_timestamp() + make_interval(secs => $10::double precision)
         WHERE id = $1",
        payment.id.uuid(),
        status(payment.stage.public()),
        payment.psp_ref,
        payment.decline_code,
        payment.captured_at,
        payment.refunded_minor,
        payment.version,
        payment.checks,
        payment.stage == Stage::Voiding,
        seconds(recheck),
    )
    .execute(conn)
    .await?;
    one(&written)
}

/// Puts the next look at an undecided payment to `after` from now.
pub(crate) async fn postpone(pool: &PgPool, id: PaymentId, after: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE payment SET next_check_at = clock_timestamp() + make_interval(secs => $2::double precision)
         WHERE id = $1 AND next_check_at IS NOT NULL",
        id.uuid(),
        after.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The payment of an order.
pub(crate) async fn find_by_order(pool: &PgPool, order: OrderId) -> Result<Option<Payment>, sqlx::Error> {
    Ok(find_by_orders(pool, &[order.uuid()]).await?.pop())
}

/// The payments of some orders.
pub(crate) async fn find_by_orders(pool: &PgPool, orders: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment WHERE order_id = ANY($1)",
        orders,
    )
    .fetch_all(pool)
    .await?;
    payments(rows)
}

/// Some payments.
pub(crate) async fn find_by_ids(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment WHERE id = ANY($1)",
        ids,
    )
    .fetch_all(pool)
    .await?;
    payments(rows)
}

/// Locks the payment of an order until the transaction ends.
pub(crate) async fn lock_by_order(
    conn: &mut PgConnection,
    order: OrderId,
) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment WHERE order_id = $1 FOR UPDATE",
        order.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    one_payment(row)
}

/// Locks a payment until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment WHERE id = $1 FOR UPDATE",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    one_payment(row)
}

/// Locks the payment with a reference of the provider until the transaction ends.
pub(crate) async fn lock_by_ref(
    conn: &mut PgConnection,
    psp_ref: &str,
) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment WHERE psp_ref = $1 FOR UPDATE",
        psp_ref,
    )
    .fetch_optional(conn)
    .await?;
    one_payment(row)
}

/// Claims payments that should be looked at, for `lease`; each claim counts as a check.
pub(crate) async fn claim_due(
    pool: &PgPool,
    limit: i64,
    lease: Duration,
) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE payment SET checks = checks + 1,
                next_check_at = clock_timestamp() + make_interval(secs => $2::double precision)
         WHERE id IN (SELECT id FROM payment WHERE next_check_at <= clock_timestamp()
                      ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks",
        limit,
        lease.as_secs_f64(),
    )
    .fetch_all(pool)
    .await?;
    payments(rows)
}

/// Payments newest first, after `after`; tombstones are left out.
pub(crate) async fn page(
    pool: &PgPool,
    limit: i64,
    after: Option<Uuid>,
    state: Option<PaymentState>,
) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, amount_minor, currency, method, status, void_requested_at, psp_ref,
                decline_code, captured_at, refunded_minor, version, correlation_id, traceparent, created_at,
                checks
         FROM payment
         WHERE amount_minor IS NOT NULL AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3)
         ORDER BY id DESC LIMIT $1",
        limit,
        after,
        state.map(status),
    )
    .fetch_all(pool)
    .await?;
    payments(rows)
}
