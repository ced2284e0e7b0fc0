//! Carts still to be told that they were ordered.

use contracts::{CartId, OrderId};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A cart to be told.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    pub(crate) order: OrderId,
    pub(crate) cart: CartId,
    pub(crate) version: i32,
    /// Of the request that ordered it, as is the trace.
    pub(crate) correlation_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// Claims carts to tell; whoever dies on it is followed by another after a pause that grows with the tries. After
/// `max_attempts` a cart is left as it is.
pub(crate) async fn claim(
    db: impl PgExecutor<'_>,
    limit: i64,
    max_attempts: i32,
) -> Result<Vec<Ordered>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH due AS (
               SELECT order_id FROM cart_checkout WHERE next_try_at <= statement_timestamp()
               ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED
           ), given_up AS (
               DELETE FROM cart_checkout USING due
               WHERE cart_checkout.order_id = due.order_id AND attempts >= $2
           )
           UPDATE cart_checkout SET attempts = attempts + 1,
               next_try_at = statement_timestamp() + make_interval(secs => least(5 * power(2, attempts), 600))
           FROM due LEFT JOIN saga USING (order_id)
           WHERE cart_checkout.order_id = due.order_id AND attempts < $2
           RETURNING cart_checkout.order_id, cart_id, cart_version, correlation_id, traceparent"#,
        limit,
        max_attempts
    )
    .fetch_all(db)
    .await?;
    let ordered = rows.into_iter().map(|row| Ordered {
        order: OrderId::from_uuid(row.order_id),
        cart: CartId::from_uuid(row.cart_id),
        version: row.cart_version,
        correlation_id: row.correlation_id,
        traceparent: row.traceparent,
    });
    Ok(ordered.collect())
}

/// Forgets carts that were told.
pub(crate) async fn done(db: impl PgExecutor<'_>, orders: &[OrderId]) -> Result<(), sqlx::Error> {
    let orders: Vec<Uuid> = orders.iter().map(|order| order.uuid()).collect();
    sqlx::query!("DELETE FROM cart_checkout WHERE order_id = ANY($1)", &orders)
        .execute(db)
        .await?;
    Ok(())
}
