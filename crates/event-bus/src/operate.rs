//! What operators do with events that were given up: look, repair, replay.

use contracts::EventId;
use sqlx::{PgExecutor, Row};

use crate::inbox::DeadMessage;

/// Lists dead events, oldest first.
pub async fn list_dead(
    executor: impl PgExecutor<'_>,
    consumer: Option<&str>,
    limit: i64,
) -> Result<Vec<DeadMessage>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT consumer, message_id, type, aggregate_id, attempts, received_at, last_error FROM inbox
         WHERE status = 'DEAD' AND ($1::text IS NULL OR consumer = $1) ORDER BY received_at LIMIT $2",
    )
    .bind(consumer)
    .bind(limit)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeadMessage {
                consumer: row.try_get(0)?,
                id: EventId::from_uuid(row.try_get(1)?),
                kind: row.try_get(2)?,
                subject: row.try_get(3)?,
                attempts: row.try_get(4)?,
                received_at: row.try_get(5)?,
                last_error: row.try_get(6)?,
            })
        })
        .collect()
}

/// Gives dead events of a consumer a fresh start: the named ones, or all of them. Answers how many.
pub async fn replay_dead(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    only: Option<&[EventId]>,
) -> Result<u64, sqlx::Error> {
    let ids: Option<Vec<_>> = only.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let done = sqlx::query(
        "UPDATE inbox SET status = 'PENDING', attempts = 0, received_at = statement_timestamp(),
             next_try_at = statement_timestamp()
         WHERE consumer = $1 AND status = 'DEAD' AND ($2::uuid[] IS NULL OR message_id = ANY($2))",
    )
    .bind(consumer)
    .bind(ids)
    .execute(executor)
    .await?;
    Ok(done.rows_affected())
}

/// Makes every published event that the outbox still has unpublished again, the oldest first; answers how many. For a
/// broker that lost what it held: consumers know by an event's id what they have had. A database without an outbox has
/// none.
pub async fn republish(executor: impl PgExecutor<'_>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE outbox SET published_at = NULL, lease_until = NULL, attempts = 0, next_try_at = created_at
         WHERE published_at IS NOT NULL",
    )
    .execute(executor)
    .await;
    match done {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(0),
        done => Ok(done?.rows_affected()),
    }
}

/// How many dead events each consumer has; those without any are left out.
pub async fn dead_by_consumer(executor: impl PgExecutor<'_>) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT consumer, count(*) FROM inbox WHERE status = 'DEAD' GROUP BY consumer ORDER BY consumer",
    )
    .fetch_all(executor)
    .await
}
