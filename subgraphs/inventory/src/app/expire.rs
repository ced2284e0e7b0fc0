//! Ends what has a time: holds and idempotency keys.

use contracts::EventId;
use contracts::event::EventContext;
use contracts::inventory::ReservationExpired;
use event_bus::OutboxRow;
use service_kit::crash_point;
use sqlx::PgPool;

use super::Error;
use super::transaction::retrying;
use crate::domain::reservation::{Command, Decision, State, decide};
use crate::events;
use crate::store::reservations;

/// Expires up to `limit` due holds in one transaction: units back, ledger, and an event each. Answers how many.
///
/// Several processes may do this at once; each takes holds nobody else has.
pub(crate) async fn expire_due(pool: &PgPool, context: &EventContext, limit: i64) -> Result<usize, Error> {
    retrying(|| attempt(pool, context, limit)).await
}

async fn attempt(pool: &PgPool, context: &EventContext, limit: i64) -> Result<usize, Error> {
    let Decision::Move(change) = decide(Some(State::Held), Command::Expire)? else {
        return Ok(0);
    };
    let mut tx = pool.begin().await?;
    let due = reservations::lock_due(&mut tx, limit).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let heads = reservations::record(&mut tx, &due, &change, None).await?;
    let announcements = heads
        .iter()
        .map(|head| {
            let expired_at = head.expires_at.unwrap_or(context.time);
            let fact = ReservationExpired {
                order_id: head.order_id,
                expired_at,
            };
            events::expired(EventId::generate(), context, head.version, fact)
        })
        .collect::<Result<Vec<OutboxRow>, _>>()?;
    event_bus::enqueue_all(&mut tx, &announcements).await?;
    reservations::move_units(&mut tx, &due, change.units()).await?;
    crash_point!("moving", change.to.as_str(), due[0]);
    tx.commit().await?;
    Ok(due.len())
}
