//! Whose order is whose, as far as events have told.

use contracts::{OrderId, UserId};
use sqlx::PgConnection;

/// Remembers the buyer of an order; who is known stays.
pub(crate) async fn remember(
    tx: &mut PgConnection,
    order: OrderId,
    buyer: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO known_order (order_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        order.uuid(),
        buyer.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The buyer of an order, if an event has named them.
pub(crate) async fn buyer(tx: &mut PgConnection, order: OrderId) -> Result<Option<UserId>, sqlx::Error> {
    let user = sqlx::query_scalar!(
        "SELECT user_id FROM known_order WHERE order_id = $1",
        order.uuid()
    )
    .fetch_optional(tx)
    .await?;
    Ok(user.map(UserId::from_uuid))
}
