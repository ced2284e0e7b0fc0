//! A new order, with everything that belongs to it, in one statement.

use chrono::{DateTime, Utc};
use contracts::{CartId, OrderId};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::saga::{Holder, Job, history, steps};
use super::text::Stored;
use crate::domain::{Discount, Line};
use crate::saga::Effect;

/// An order about to be placed.
#[derive(Debug)]
pub(crate) struct NewOrder<'a> {
    /// The saga after its first input, and the order's facts.
    pub(crate) job: &'a Job,
    /// What the first input asked for.
    pub(crate) effects: &'a [Effect],
    /// What is bought.
    pub(crate) lines: &'a [Line],
    /// What a coupon takes off them.
    pub(crate) discount: Option<&'a Discount>,
    /// The cart it comes from and the version that was ordered.
    pub(crate) cart: (CartId, i32),
    /// When it was placed.
    pub(crate) placed_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct LineRow<'a> {
    line_no: i32,
    variant_id: Uuid,
    product_id: Uuid,
    sku: &'a str,
    name: &'a str,
    unit_price_minor: i64,
    quantity: u32,
}

impl<'a> LineRow<'a> {
    fn new(line: &'a Line) -> Self {
        Self {
            line_no: line.line_no,
            variant_id: line.variant_id.uuid(),
            product_id: line.product_id.uuid(),
            sku: &line.sku,
            name: &line.title,
            unit_price_minor: line.unit_price.amount_minor,
            quantity: line.quantity,
        }
    }
}

/// Writes order, lines, history, saga (leased by `holder`), step log, timer, and the note for the cart.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    holder: &Holder,
    new: &NewOrder<'_>,
) -> Result<(), sqlx::Error> {
    let Job { saga, fence, order } = new.job;
    let lines: Vec<_> = new.lines.iter().map(LineRow::new).collect();
    let history = history(saga.order_id, new.effects);
    let steps = steps(saga, new.effects);
    sqlx::query!(
        r#"WITH placed AS (
               INSERT INTO orders (id, user_id, status, public_status, version, currency, total_minor,
                   payment_method, created_at, coupon_code, discount_minor)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $25, $26)
           ), bought AS (
               INSERT INTO order_line (order_id, line_no, variant_id, product_id, sku, name, unit_price_minor, quantity)
               SELECT $1, line_no, variant_id, product_id, sku, name, unit_price_minor, quantity
               FROM jsonb_to_recordset($10) AS row (line_no integer, variant_id uuid, product_id uuid, sku text,
                   name text, unit_price_minor bigint, quantity integer)
           ), recorded AS (
               INSERT INTO order_history (order_id, version, from_status, to_status, step, public_status, cause, at)
               SELECT $1, version, from_status, to_status, step, public_status, cause, at
               FROM jsonb_to_recordset($11) AS row (version bigint, from_status text, to_status text,
                   step text, public_status text, cause text, at timestamptz)
           ), logged AS (
               INSERT INTO saga_step (order_id, step, kind, status, attempts, started_at)
               SELECT $1, step, kind, status, attempts, clock_timestamp()
               FROM jsonb_to_recordset($12) AS row (step text, kind text, status text, attempts integer)
           ), timed AS (
               INSERT INTO saga_timer (order_id, kind, fire_at) VALUES ($1, 'deadline', $13)
           ), emptying AS (
               INSERT INTO cart_checkout (order_id, cart_id, cart_version) VALUES ($1, $14, $15)
           )
           INSERT INTO saga (order_id, version, step, attempt, payment, stock, next_run_at, lease_owner, lease_until,
               deadline_at, correlation_id, traceparent)
           VALUES ($1, $16, $17, $18, $19, $20, clock_timestamp() + make_interval(secs => $21), $22,
               clock_timestamp() + make_interval(secs => $21), $13, $23, $24)"#,
        saga.order_id.uuid(),
        order.user_id.uuid(),
        saga.state.as_str(),
        saga.state.public(saga.cancel_reason).text(),
        saga.sequence,
        order.total.currency.as_str(),
        order.total.amount_minor,
        order.payment_method,
        new.placed_at,
        Json(&lines) as _,
        Json(&history) as _,
        Json(&steps) as _,
        saga.deadline_at,
        new.cart.0.uuid(),
        new.cart.1,
        fence,
        saga.pending.map(Stored::text),
        i32::try_from(saga.attempt).unwrap_or(1),
        saga.payment.text(),
        saga.stock.text(),
        holder.lease.as_secs_f64(),
        holder.name,
        order.correlation_id,
        order.traceparent,
        new.discount.map(|discount| discount.code.as_str()),
        new.discount.map_or(0, |discount| discount.amount.amount_minor)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes beside the order what an operator said about it.
pub(crate) async fn note_refund(
    conn: &mut PgConnection,
    order: OrderId,
    note: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE orders SET refund_note = $2 WHERE id = $1 AND refund_note IS NULL",
        order.uuid(),
        note
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes who carries the order.
pub(crate) async fn note_shipment(
    conn: &mut PgConnection,
    order: OrderId,
    carrier: Option<&str>,
    tracking_number: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE orders SET carrier = coalesce(carrier, $2), tracking_number = coalesce(tracking_number, $3) WHERE id = $1",
        order.uuid(),
        carrier,
        tracking_number
    )
    .execute(conn)
    .await?;
    Ok(())
}
