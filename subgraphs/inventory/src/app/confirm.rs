//! Sells the units an order holds.

use contracts::OrderId;
use contracts::inventory::ReservationView;
use sqlx::PgPool;

use super::Error;
use super::transaction::{carry_out, retrying};
use crate::domain::Refusal;
use crate::domain::reservation::Command;

/// Confirms a hold. An expired one is held again and confirmed in one step, if there are still enough units: the money
/// is taken by now, so going forward beats giving up.
pub(crate) async fn confirm(pool: &PgPool, order_id: OrderId) -> Result<ReservationView, Error> {
    let settled = retrying(|| async {
        let tx = pool.begin().await?;
        carry_out(tx, order_id, |_| Command::Confirm, None).await
    });
    match settled.await {
        Err(Error::Refused(Refusal::OutOfStock(_))) => Err(Refusal::Gone.into()),
        settled => settled,
    }
}
