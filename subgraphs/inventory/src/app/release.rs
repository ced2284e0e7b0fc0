//! Gives back the units an order holds.

use contracts::OrderId;
use contracts::inventory::{ReservationState, ReservationView};
use service_kit::bug;
use sqlx::PgPool;

use super::Error;
use super::transaction::{carry_out, retrying};
use crate::domain::reservation::Command;
use crate::store::reservations;

/// Releases a hold. An order that never reserved gets a tombstone, so that a reservation still on its way is refused
/// when it arrives and can't leak stock.
pub(crate) async fn release(pool: &PgPool, order_id: OrderId) -> Result<ReservationView, Error> {
    retrying(|| attempt(pool, order_id)).await
}

async fn attempt(pool: &PgPool, order_id: OrderId) -> Result<ReservationView, Error> {
    let mut tx = pool.begin().await?;
    let released = ReservationView {
        order_id,
        state: ReservationState::Released,
        expires_at: None,
    };
    if bug!("no_tombstone") && reservations::find(&mut tx, order_id).await?.is_none() {
        return Ok(released);
    }
    if reservations::insert_tombstone(&mut tx, order_id).await? {
        tx.commit().await?;
        return Ok(released);
    }
    carry_out(tx, order_id, |_| Command::Release, None).await
}
