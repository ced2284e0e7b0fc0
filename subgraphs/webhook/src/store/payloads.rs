//! Bodies, one for each event.

use std::time::Duration;

use contracts::{EventId, OrderId};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::telling::Telling;

/// Writes what an event tells; a repeat changes nothing.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    event: EventId,
    telling: &Telling,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO payload (event_id, type, order_id, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (event_id) DO NOTHING",
        event.uuid(),
        telling.kind,
        telling.order.map(OrderId::uuid),
        telling.body
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets at most `limit` old bodies that no delivery needs; tells how many went.
pub(crate) async fn prune(db: impl PgExecutor<'_>, keep: Duration, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM payload WHERE event_id IN (
             SELECT event_id FROM payload AS old
             WHERE created_at < statement_timestamp() - make_interval(secs => $1)
               AND NOT EXISTS (SELECT FROM delivery WHERE delivery.event_id = old.event_id)
             LIMIT $2 FOR UPDATE SKIP LOCKED)",
        keep.as_secs_f64(),
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
