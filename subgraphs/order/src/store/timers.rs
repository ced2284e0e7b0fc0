//! Deadlines: one row per open order, taken away when it fires or the order is final.

use contracts::OrderId;
use sqlx::PgConnection;

/// Takes due deadlines out of the table, for the transaction that acts on them.
pub(crate) async fn take_due(conn: &mut PgConnection, limit: i64) -> Result<Vec<OrderId>, sqlx::Error> {
    let due = sqlx::query_scalar!(
        "DELETE FROM saga_timer WHERE kind = 'deadline' AND order_id IN (
             SELECT order_id FROM saga_timer WHERE fire_at <= statement_timestamp()
             ORDER BY fire_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING order_id",
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(due.into_iter().map(OrderId::from_uuid).collect())
}
