//! Takes sold units back after a refund.

use contracts::OrderId;
use contracts::inventory::ReservationView;
use sqlx::PgPool;

use super::Error;
use super::transaction::{carry_out, retrying};
use crate::domain::reservation::Command;

/// Puts the units of a confirmed reservation back on the shelf.
pub(crate) async fn restock(pool: &PgPool, order_id: OrderId) -> Result<ReservationView, Error> {
    retrying(|| async {
        let tx = pool.begin().await?;
        carry_out(tx, order_id, |_| Command::Restock, None).await
    })
    .await
}
