//! Levels and the ledger.

use contracts::{OrderId, Sku};
use sqlx::PgConnection;

use crate::domain::stock::{Level, Movement, MovementKind};

/// Levels of the SKUs that are known, in one statement.
pub(crate) async fn levels(conn: &mut PgConnection, skus: &[Sku]) -> Result<Vec<(Sku, Level)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT sku, received, available, reserved, sold FROM stock WHERE sku = ANY($1)",
        skus
    )
    .fetch_all(conn)
    .await?;
    let level = |received, available, reserved, sold| Level {
        received,
        available,
        reserved,
        sold,
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.sku,
                level(row.received, row.available, row.reserved, row.sold),
            )
        })
        .collect())
}

/// Adds received units, making the SKU known if need be.
pub(crate) async fn receive(
    conn: &mut PgConnection,
    sku: &str,
    quantity: i32,
    reason: &str,
) -> Result<Level, sqlx::Error> {
    sqlx::query_as!(
        Level,
        "WITH ledger AS (
             INSERT INTO stock_ledger (sku, kind, quantity, reason) VALUES ($1, 'RECEIVE', $2, $3)
         )
         INSERT INTO stock (sku, received, available) VALUES ($1, $2, $2)
         ON CONFLICT (sku) DO UPDATE
         SET received = stock.received + excluded.received, available = stock.available + excluded.available
         RETURNING received, available, reserved, sold",
        sku,
        quantity,
        reason,
    )
    .fetch_one(conn)
    .await
}

/// Takes available units away; `None` when the SKU is unknown or has too few.
pub(crate) async fn withdraw(
    conn: &mut PgConnection,
    sku: &str,
    quantity: i32,
    reason: &str,
) -> Result<Option<Level>, sqlx::Error> {
    sqlx::query_as!(
        Level,
        r#"WITH changed AS (
             UPDATE stock SET received = received - $2, available = available - $2
             WHERE sku = $1 AND available >= $2
             RETURNING sku, received, available, reserved, sold
         ), ledger AS (
             INSERT INTO stock_ledger (sku, kind, quantity, reason)
             SELECT sku, 'ADJUST', -$2::int, $3 FROM changed
         )
         SELECT received, available, reserved, sold FROM changed"#,
        sku,
        quantity,
        reason,
    )
    .fetch_optional(conn)
    .await
}

/// Sees to it that at least so many units of each SKU were ever received; answers how many SKUs had fewer.
///
/// `skus` must be in order and each once, so that two imports lock in the same order.
pub(crate) async fn receive_at_least(
    conn: &mut PgConnection,
    skus: &[Sku],
    quantities: &[i32],
    reason: &str,
) -> Result<usize, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock (sku) SELECT sku FROM unnest($1::text[]) AS wanted (sku) ON CONFLICT (sku) DO NOTHING",
        skus,
    )
    .execute(&mut *conn)
    .await?;
    let raised = sqlx::query_scalar!(
        "WITH wanted AS (
             SELECT * FROM unnest($1::text[], $2::int[]) AS wanted (sku, quantity)
         ), locked AS MATERIALIZED (
             SELECT stock.sku, wanted.quantity, wanted.quantity - stock.received AS missing
             FROM stock JOIN wanted ON wanted.sku = stock.sku
             ORDER BY stock.sku FOR UPDATE OF stock
         ), raised AS (
             UPDATE stock SET received = stock.received + locked.missing, available = stock.available + locked.missing
             FROM locked WHERE stock.sku = locked.sku AND locked.missing > 0
             RETURNING stock.sku, locked.missing
         )
         INSERT INTO stock_ledger (sku, kind, quantity, reason)
         SELECT sku, 'RECEIVE', missing, $3 FROM raised
         RETURNING id",
        skus,
        quantities,
        reason,
    )
    .fetch_all(conn)
    .await?;
    Ok(raised.len())
}

/// The newest movements of a SKU, older than `before`.
pub(crate) async fn movements(
    conn: &mut PgConnection,
    sku: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Movement>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, sku, kind, quantity, order_id, reason, at FROM stock_ledger
         WHERE sku = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        sku,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = MovementKind::parse(&row.kind)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown movement {}", row.kind).into()))?;
            Ok(Movement {
                id: row.id,
                sku: row.sku,
                kind,
                quantity: row.quantity,
                order_id: row.order_id.map(OrderId::from_uuid),
                reason: row.reason,
                at: row.at,
            })
        })
        .collect()
}
