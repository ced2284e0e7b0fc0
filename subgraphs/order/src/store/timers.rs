//! Deadlines: one row per open order, taken away when it fires or the order is final.

use contracts::OrderId;
use sqlx::PgConnection;

/// Takes due deadlines out of the table, for the transaction that acts on them. Locks their sagas first, as everybody
/// does who changes an order, so that a saga that ends at the same moment can't be waited for in a circle; one that
/// is busy has its turn the next time.
pub(crate) async fn take_due(conn: &mut PgConnection, limit: i64) -> Result<Vec<OrderId>, sqlx::Error> {
    let due = sqlx::query_scalar!(
        "WITH due AS (
             SELECT s.order_id FROM saga_timer t JOIN saga s USING (order_id)
             WHERE t.kind = 'deadline' AND t.fire_at <= statement_timestamp()
             ORDER BY t.fire_at LIMIT $1 FOR UPDATE OF s SKIP LOCKED)
         DELETE FROM saga_timer USING due
         WHERE saga_timer.order_id = due.order_id AND saga_timer.kind = 'deadline'
         RETURNING saga_timer.order_id",
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(due.into_iter().map(OrderId::from_uuid).collect())
}
