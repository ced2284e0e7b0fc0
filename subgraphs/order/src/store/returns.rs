//! Returns: written under the lock of their order's saga, claimed under a lease, saved if nobody else was quicker.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationLine;
use contracts::{Money, OrderId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::text::Stored;
use super::unreadable;
use crate::domain::returns::{MoneyBack, Promise, Return, ReturnView, ReturnedLine, UnitsBack, WantedLine};
use crate::saga::Due;

/// A return with what its calls need to say, held by version.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) state: Return,
    /// The row's version as it was read.
    pub(crate) fence: i64,
    pub(crate) correlation_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

struct Row {
    order_id: Uuid,
    number: i32,
    amount_minor: i64,
    currency: String,
    money: String,
    units: String,
    refund_try: i32,
    version: i64,
    attempt: i32,
    needs_attention: bool,
    last_error: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    correlation_id: Option<String>,
    traceparent: Option<String>,
}

impl Row {
    fn into_held(self) -> Result<Held, sqlx::Error> {
        let state = Return {
            order_id: OrderId::from_uuid(self.order_id),
            number: self.number,
            amount: Money::new(self.amount_minor, self.currency.parse().map_err(unreadable)?),
            money: MoneyBack::read(&self.money)?,
            units: UnitsBack::read(&self.units)?,
            refund_try: self.refund_try,
            attempt: u32::try_from(self.attempt).unwrap_or_default(),
            due: Due::Never,
            needs_attention: self.needs_attention,
            last_error: self.last_error,
            ended_at: self.ended_at,
        };
        Ok(Held {
            state,
            fence: self.version,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
        })
    }
}

/// A return about to be written.
#[derive(Debug)]
pub(crate) struct NewReturn<'a> {
    pub(crate) order: OrderId,
    pub(crate) promise: Promise,
    /// What comes back; empty if it is about money alone.
    pub(crate) lines: &'a [WantedLine],
    pub(crate) note: &'a str,
    pub(crate) correlation_id: Option<&'a str>,
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) at: DateTime<Utc>,
}

/// Writes a return, due at once if there is anything to do, and counts it at its order and lines, whose limits the table
/// guards. The caller holds the saga's lock, so that numbers follow each other.
pub(crate) async fn insert(conn: &mut PgConnection, new: &NewReturn<'_>) -> Result<(), sqlx::Error> {
    let promise = new.promise;
    let done = promise.money == MoneyBack::Nothing && promise.units == UnitsBack::Nothing;
    let line_nos: Vec<i32> = new.lines.iter().map(|line| line.line_no).collect();
    let quantities: Vec<i32> = new.lines.iter().map(|line| line.quantity.cast_signed()).collect();
    let restocks: Vec<bool> = new.lines.iter().map(|line| line.restock).collect();
    let number = sqlx::query_scalar!(
        r#"INSERT INTO order_return (order_id, number, amount_minor, note, money, units, next_run_at, correlation_id,
               traceparent, created_at, ended_at)
           SELECT $1, coalesce(max(number), 0) + 1, $2::bigint, $3::text, $4::text, $5::text,
               CASE WHEN NOT $9::boolean THEN clock_timestamp() END, $6::text, $7::text, $8::timestamptz,
               CASE WHEN $9 THEN $8 END
           FROM order_return WHERE order_id = $1
           RETURNING number"#,
        new.order.uuid(),
        promise.amount_minor,
        new.note,
        promise.money.text(),
        promise.units.text(),
        new.correlation_id,
        new.traceparent,
        new.at,
        done
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!(
        "WITH line AS (
             INSERT INTO order_return_line (order_id, number, line_no, quantity, restock)
             SELECT $1, $2, line_no, quantity, restock
             FROM unnest($3::int[], $4::int[], $5::bool[]) AS line (line_no, quantity, restock)
             RETURNING line_no, quantity
         ), counted AS (
             UPDATE order_line SET returned = returned + line.quantity
             FROM line WHERE order_line.order_id = $1 AND order_line.line_no = line.line_no
         )
         UPDATE orders SET returned_minor = returned_minor + $6 WHERE id = $1",
        new.order.uuid(),
        number,
        &line_nos,
        &quantities,
        &restocks,
        promise.amount_minor
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What stands in the way of refunding all that is left: whether a return is under way, and whether units came back that
/// are not on the shelf.
pub(crate) async fn obstacles(conn: &mut PgConnection, order: OrderId) -> Result<(bool, bool), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM order_return WHERE order_id = $1 AND ended_at IS NULL) AS "under_way!",
                  EXISTS (SELECT FROM order_return_line WHERE order_id = $1 AND NOT restock) AS "kept_off!""#,
        order.uuid()
    )
    .fetch_one(conn)
    .await?;
    Ok((row.under_way, row.kept_off))
}

/// Leases due returns and counts the try: committed before the calls are made.
pub(crate) async fn claim(
    db: impl PgExecutor<'_>,
    limit: i64,
    lease: Duration,
) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"WITH due AS (
               SELECT order_id, number FROM order_return WHERE next_run_at <= statement_timestamp()
               ORDER BY next_run_at LIMIT $1 FOR UPDATE SKIP LOCKED
           )
           UPDATE order_return AS r SET version = r.version + 1, attempt = attempt + 1,
               next_run_at = clock_timestamp() + make_interval(secs => $2)
           FROM due, orders o
           WHERE r.order_id = due.order_id AND r.number = due.number AND o.id = r.order_id
           RETURNING r.order_id, r.number, amount_minor, o.currency, money, units, refund_try, r.version, attempt,
               needs_attention, last_error, ended_at, correlation_id, traceparent"#,
        limit,
        lease.as_secs_f64()
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(Row::into_held)
    .collect()
}

/// Locks the returns of an order that are not done, or the one of this number whatever it is.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    order: OrderId,
    number: Option<i32>,
) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"SELECT order_id, r.number, amount_minor, currency, money, units, refund_try, r.version, attempt,
                  needs_attention, last_error, ended_at, correlation_id, traceparent
           FROM order_return r JOIN orders o ON o.id = order_id
           WHERE order_id = $1 AND (r.number = $2 OR $2 IS NULL AND ended_at IS NULL)
           ORDER BY r.number FOR NO KEY UPDATE OF r"#,
        order.uuid(),
        number
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Row::into_held)
    .collect()
}

/// Saves a return that is to run again after `wait`, if it is to run at all; false if somebody else was quicker.
pub(crate) async fn save(
    conn: &mut PgConnection,
    held: &Held,
    wait: Option<Duration>,
) -> Result<bool, sqlx::Error> {
    let state = &held.state;
    let saved = sqlx::query!(
        "UPDATE order_return SET version = version + 1, money = $4, units = $5, refund_try = $6, attempt = $7,
             next_run_at = clock_timestamp() + make_interval(secs => $8), needs_attention = $9, last_error = $10,
             ended_at = $11, changed_at = clock_timestamp()
         WHERE order_id = $1 AND number = $2 AND version = $3",
        state.order_id.uuid(),
        state.number,
        held.fence,
        state.money.text(),
        state.units.text(),
        state.refund_try,
        i32::try_from(state.attempt).unwrap_or(i32::MAX),
        wait.map(|wait| wait.as_secs_f64()),
        state.needs_attention,
        state.last_error,
        state.ended_at
    )
    .execute(conn)
    .await?;
    Ok(saved.rows_affected() == 1)
}

/// What of a return goes back on the shelf, by SKU.
pub(crate) async fn shelf_of(
    db: impl PgExecutor<'_>,
    order: OrderId,
    number: i32,
) -> Result<Vec<ReservationLine>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT sku, r.quantity FROM order_return_line r JOIN order_line USING (order_id, line_no)
         WHERE order_id = $1 AND number = $2 AND restock ORDER BY line_no",
        order.uuid(),
        number
    )
    .fetch_all(db)
    .await?;
    let line = |(sku, quantity): (String, i32)| ReservationLine {
        sku,
        quantity: quantity.cast_unsigned(),
    };
    Ok(rows
        .into_iter()
        .map(|row| line((row.sku, row.quantity)))
        .collect())
}

/// The returns of orders with their lines, oldest first.
pub(crate) async fn of_orders(
    db: impl PgExecutor<'_>,
    ids: &[OrderId],
) -> Result<Vec<(OrderId, ReturnView)>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT r.order_id, r.number, r.amount_minor, o.currency, r.note, r.money, r.units, r.refund_try, r.attempt,
                  r.needs_attention, r.last_error, r.created_at, r.ended_at, l.line_no AS "line_no?",
                  l.quantity AS "quantity?", l.restock AS "restock?", b.sku AS "sku?", b.name AS "name?"
           FROM order_return r JOIN orders o ON o.id = r.order_id
           LEFT JOIN order_return_line l ON l.order_id = r.order_id AND l.number = r.number
           LEFT JOIN order_line b ON b.order_id = l.order_id AND b.line_no = l.line_no
           WHERE r.order_id = ANY($1) ORDER BY r.order_id, r.number, l.line_no"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    let mut returns: Vec<(OrderId, ReturnView)> = Vec::new();
    for row in rows {
        let order_id = OrderId::from_uuid(row.order_id);
        let known = returns
            .last()
            .is_some_and(|(order, last)| (*order, last.state.number) == (order_id, row.number));
        if !known {
            let state = Return {
                order_id,
                number: row.number,
                amount: Money::new(row.amount_minor, row.currency.parse().map_err(unreadable)?),
                money: MoneyBack::read(&row.money)?,
                units: UnitsBack::read(&row.units)?,
                refund_try: row.refund_try,
                attempt: u32::try_from(row.attempt).unwrap_or_default(),
                due: Due::Never,
                needs_attention: row.needs_attention,
                last_error: row.last_error,
                ended_at: row.ended_at,
            };
            let view = ReturnView {
                state,
                note: row.note,
                lines: Vec::new(),
                created_at: row.created_at,
            };
            returns.push((order_id, view));
        }
        let line = (row.line_no, row.quantity, row.restock, row.sku, row.name);
        if let ((Some(line_no), Some(quantity), Some(restock), Some(sku), Some(title)), Some((_, view))) =
            (line, returns.last_mut())
        {
            view.lines.push(ReturnedLine {
                line_no,
                title,
                sku,
                quantity: quantity.cast_unsigned(),
                restock,
            });
        }
    }
    Ok(returns)
}
