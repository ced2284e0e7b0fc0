//! New holds of several orders in one transaction: the statements of `reservations`, for many at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::inventory::ReservationLine;
use contracts::{OrderId, Sku};
use sqlx::PgConnection;

/// A hold to be made.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) order_id: OrderId,
    pub(crate) hash: &'a [u8],
    pub(crate) ttl_s: f64,
    /// By SKU, each once.
    pub(crate) lines: &'a [ReservationLine],
}

/// Writes heads and lines of the orders that have no head yet (after waiting for whoever is writing one), and answers
/// which and until when they hold. Writes no ledger and moves no units yet.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    asked: &[Asked<'_>],
) -> Result<HashMap<OrderId, DateTime<Utc>>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = asked.iter().map(|asked| asked.order_id.uuid()).collect();
    let hashes: Vec<Vec<u8>> = asked.iter().map(|asked| asked.hash.to_vec()).collect();
    let ttls: Vec<f64> = asked.iter().map(|asked| asked.ttl_s).collect();
    let (mut orders, mut skus, mut quantities) = (Vec::new(), Vec::new(), Vec::new());
    for asked in asked {
        for line in asked.lines {
            orders.push(asked.order_id.uuid());
            skus.push(line.sku.clone());
            quantities.push(line.quantity.cast_signed());
        }
    }
    let rows = sqlx::query!(
        r#"WITH head AS (
               INSERT INTO reservation_head (order_id, state, request_hash, expires_at)
               SELECT order_id, 'HELD', request_hash, clock_timestamp() + make_interval(secs => ttl_s)
               FROM unnest($1::uuid[], $2::bytea[], $3::float8[]) AS asked (order_id, request_hash, ttl_s)
               ORDER BY order_id
               ON CONFLICT (order_id) DO NOTHING
               RETURNING order_id, expires_at
           ), line AS (
               INSERT INTO reservation (order_id, sku, qty, state, expires_at)
               SELECT head.order_id, wanted.sku, wanted.qty, 'HELD', head.expires_at
               FROM unnest($4::uuid[], $5::text[], $6::int[]) AS wanted (order_id, sku, qty)
               JOIN head ON head.order_id = wanted.order_id
           )
           SELECT order_id, expires_at AS "expires_at!" FROM head"#,
        &ids,
        &hashes,
        &ttls,
        &orders,
        &skus,
        &quantities,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (OrderId::from_uuid(row.order_id), row.expires_at))
        .collect())
}

/// Locks the stock these holds want, in the order of their SKUs, and answers what is available.
pub(crate) async fn lock_stock(
    conn: &mut PgConnection,
    asked: &[&Asked<'_>],
) -> Result<HashMap<Sku, i32>, sqlx::Error> {
    let mut skus: Vec<Sku> = asked
        .iter()
        .flat_map(|asked| asked.lines.iter().map(|line| line.sku.clone()))
        .collect();
    skus.sort_unstable();
    skus.dedup();
    let rows = sqlx::query!(
        "SELECT sku, available FROM stock WHERE sku = ANY($1) ORDER BY sku FOR UPDATE",
        &skus,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.available)).collect())
}

/// Takes back what [`insert`] wrote for orders that are refused: nothing of them stays.
pub(crate) async fn take_back(conn: &mut PgConnection, refused: &[OrderId]) -> Result<(), sqlx::Error> {
    let ids: Vec<uuid::Uuid> = refused.iter().map(|id| id.uuid()).collect();
    sqlx::query!("DELETE FROM reservation WHERE order_id = ANY($1)", &ids)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM reservation_head WHERE order_id = ANY($1)", &ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves the units of these orders' lines from available to reserved and writes the ledger; the stock is locked and
/// known to be enough, and the table refuses anything less. The last statement before the commit.
pub(crate) async fn take_units(conn: &mut PgConnection, granted: &[OrderId]) -> Result<(), sqlx::Error> {
    let ids: Vec<uuid::Uuid> = granted.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "WITH line AS (
             SELECT order_id, sku, qty FROM reservation WHERE order_id = ANY($1)
         ), ledger AS (
             INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt)
             SELECT sku, 'HOLD', qty, order_id, 1 FROM line
         )
         UPDATE stock SET available = available - taken.qty, reserved = reserved + taken.qty
         FROM (SELECT sku, sum(qty)::int AS qty FROM line GROUP BY sku) AS taken
         WHERE stock.sku = taken.sku",
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}
