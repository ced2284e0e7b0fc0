//! The inbox table: events stored before they are acknowledged, and applied in one transaction with their effect.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::EventId;
use service_kit::bug;
use sqlx::{PgExecutor, Row};
use uuid::Uuid;

use crate::Message;

/// A stored event as the worker claims it.
#[derive(Debug)]
pub(crate) struct InboxRow {
    pub(crate) id: Uuid,
    pub(crate) attempts: i32,
    pub(crate) age_s: f64,
    pub(crate) aggregate_id: String,
    pub(crate) payload: serde_json::Value,
}

/// Stores a batch; answers how many were new.
pub(crate) async fn store(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    messages: &[Message],
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload)
         SELECT $1, id, type, aggregate_id, payload::json
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS event (id, type, aggregate_id, payload)
         ON CONFLICT DO NOTHING",
    )
    .bind(consumer)
    .bind(messages.iter().map(inbox_id).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.kind.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.subject.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.body.to_string()).collect::<Vec<_>>())
    .execute(executor)
    .await?;
    Ok(done.rows_affected())
}

/// What makes two deliveries the same event.
fn inbox_id(message: &Message) -> Uuid {
    if bug!("no_inbox") {
        return EventId::generate().uuid();
    }
    message.id.uuid()
}

/// Locks due rows of a consumer for the transaction. `now` replaces the database's clock in tests.
pub(crate) async fn claim(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    limit: i64,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<InboxRow>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT message_id, attempts,
                extract(epoch FROM coalesce($3, statement_timestamp()) - received_at)::float8, aggregate_id, payload
         FROM inbox
         WHERE consumer = $1 AND status = 'PENDING' AND next_try_at <= coalesce($3, statement_timestamp())
         ORDER BY next_try_at LIMIT $2
         FOR UPDATE SKIP LOCKED",
    )
    .bind(consumer)
    .bind(limit)
    .bind(now)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(InboxRow {
                id: row.try_get(0)?,
                attempts: row.try_get(1)?,
                age_s: row.try_get(2)?,
                aggregate_id: row.try_get(3)?,
                payload: row.try_get(4)?,
            })
        })
        .collect()
}

/// Locks one row of a consumer, unless another worker holds it or has finished it.
pub(crate) async fn claim_one(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    id: Uuid,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(
        "SELECT 1 FROM inbox WHERE consumer = $1 AND message_id = $2 AND status = 'PENDING' FOR UPDATE SKIP LOCKED",
    )
    .bind(consumer)
    .bind(id)
    .fetch_optional(executor)
    .await?;
    Ok(row.is_some())
}

/// Marks rows as applied, in the transaction of their effect.
pub(crate) async fn mark_done(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE inbox SET status = 'DONE', attempts = attempts + 1, done_at = clock_timestamp(), last_error = NULL
         WHERE consumer = $1 AND message_id = ANY($2)",
    )
    .bind(consumer)
    .bind(ids)
    .execute(executor)
    .await?;
    Ok(())
}

/// Counts a failure and plans the next try, or none (`delay` absent: dead).
pub(crate) async fn mark_failed(
    executor: impl PgExecutor<'_>,
    consumer: &str,
    id: Uuid,
    delay: Option<Duration>,
    now: Option<DateTime<Utc>>,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE inbox SET attempts = attempts + 1, last_error = $5,
             status = CASE WHEN $3::float8 IS NULL THEN 'DEAD' ELSE 'PENDING' END,
             next_try_at = coalesce($4, clock_timestamp()) + make_interval(secs => coalesce($3, 0))
         WHERE consumer = $1 AND message_id = $2 AND status = 'PENDING'",
    )
    .bind(consumer)
    .bind(id)
    .bind(delay.map(|delay| delay.as_secs_f64()))
    .bind(now)
    .bind(error.replace('\0', "\u{fffd}"))
    .execute(executor)
    .await?;
    Ok(())
}

/// Makes every pending row of a consumer due now, whatever its backoff: what an operator does after a repair, and
/// a test instead of waiting.
pub async fn make_due(executor: impl PgExecutor<'_>, consumer: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE inbox SET next_try_at = statement_timestamp() WHERE consumer = $1 AND status = 'PENDING'",
    )
    .bind(consumer)
    .execute(executor)
    .await?;
    Ok(done.rows_affected())
}

/// An event that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadMessage {
    /// Its consumer.
    pub consumer: String,
    /// The event's id.
    pub id: EventId,
    /// Its type.
    pub kind: String,
    /// Id of the aggregate.
    pub subject: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Why it was given up.
    pub last_error: Option<String>,
}

/// Pending rows, dead rows, and the age in seconds of the oldest pending one.
pub(crate) async fn backlog(
    executor: impl PgExecutor<'_>,
    consumer: &str,
) -> Result<(i64, i64, f64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM inbox WHERE consumer = $1 AND status = 'PENDING'),
                (SELECT count(*) FROM inbox WHERE consumer = $1 AND status = 'DEAD'),
                (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(received_at)), 0)::float8
                 FROM inbox WHERE consumer = $1 AND status = 'PENDING')",
    )
    .bind(consumer)
    .fetch_one(executor)
    .await
}
