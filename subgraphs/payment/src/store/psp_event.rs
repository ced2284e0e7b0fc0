//! Events of the provider that were dealt with.

use chrono::{DateTime, Utc};
use contracts::PaymentId;
use sqlx::{PgConnection, PgPool};

/// Notes an event, in the transaction of its effect; false if it was dealt with before.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: &str,
    kind: &str,
    at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query!(
        "INSERT INTO psp_event (psp_event_id, kind, outcome, received_at) VALUES ($1, $2, 'seen', $3)
         ON CONFLICT (psp_event_id) DO NOTHING",
        id,
        kind,
        at,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Notes what became of it.
pub(crate) async fn conclude(
    conn: &mut PgConnection,
    id: &str,
    payment: Option<PaymentId>,
    outcome: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE psp_event SET payment_id = $2, outcome = $3 WHERE psp_event_id = $1",
        id,
        payment.map(PaymentId::uuid),
        outcome,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a batch of events received before `before`; returns how many.
pub(crate) async fn prune(pool: &PgPool, before: DateTime<Utc>, limit: i64) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM psp_event WHERE psp_event_id IN (
             SELECT psp_event_id FROM psp_event WHERE received_at < $1 ORDER BY received_at LIMIT $2
             FOR UPDATE SKIP LOCKED)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected())
}
