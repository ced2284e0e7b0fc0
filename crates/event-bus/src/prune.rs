//! Deletes what nobody needs any more, in small batches, so that no lock is held for long.

use std::time::Duration;

use pg_kit::in_batches;
use service_kit::{Clock, Host};
use sqlx::PgPool;
use uuid::Uuid;

const EVERY: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

/// How long finished rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Published outbox rows.
    pub outbox: Duration,
    /// Applied inbox rows: as long as a repeat of the event could still arrive. Money events: 30 days.
    pub inbox: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            outbox: 3 * DAY,
            inbox: 30 * DAY,
        }
    }
}

/// How many rows a pass deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Of the outbox.
    pub outbox: u64,
    /// Of the inbox.
    pub inbox: u64,
}

/// Prunes every five minutes until shutdown. A service may lack one of the tables.
pub fn run_pruner(pool: PgPool, host: &Host, retention: Retention) {
    let (clock, shutdown) = (host.clock.clone(), host.shutdown.clone());
    host.spawn("event pruner", async move {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_some()
        {
            match prune(&pool, &clock, retention).await {
                Ok(pruned) => tracing::debug!(pruned.outbox, pruned.inbox, "pruned events"),
                Err(error) => {
                    let error = pg_kit::count_error(error);
                    tracing::warn!(%error, "could not prune events");
                }
            }
        }
    });
}

/// One pass over both tables; a table the service doesn't have counts as empty.
pub async fn prune(pool: &PgPool, clock: &Clock, retention: Retention) -> Result<Pruned, sqlx::Error> {
    Ok(Pruned {
        outbox: absent_is_empty(prune_outbox(pool, ids_older_than(clock, retention.outbox)).await)?,
        inbox: absent_is_empty(prune_inbox(pool, ids_older_than(clock, retention.inbox)).await)?,
    })
}

async fn prune_outbox(pool: &PgPool, before: Uuid) -> Result<u64, sqlx::Error> {
    in_batches(|limit| async move {
        let deleted = sqlx::query(
            "DELETE FROM outbox WHERE id IN (
                 SELECT id FROM outbox WHERE id < $1 AND published_at IS NOT NULL ORDER BY id LIMIT $2
                 FOR UPDATE SKIP LOCKED)",
        );
        let deleted = deleted.bind(before).bind(limit).execute(pool).await?;
        Ok(deleted.rows_affected())
    })
    .await
}

async fn prune_inbox(pool: &PgPool, before: Uuid) -> Result<u64, sqlx::Error> {
    // Walks the distinct consumers by index, then each consumer's ids by index.
    let consumers: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE name AS (
             (SELECT consumer FROM inbox ORDER BY consumer LIMIT 1)
             UNION ALL
             SELECT (SELECT consumer FROM inbox WHERE consumer > name.consumer ORDER BY consumer LIMIT 1)
             FROM name WHERE name.consumer IS NOT NULL
         ) SELECT consumer FROM name WHERE consumer IS NOT NULL",
    )
    .fetch_all(pool)
    .await?;
    let mut total = 0;
    for consumer in &consumers {
        total += prune_consumer(pool, consumer, before).await?;
    }
    Ok(total)
}

async fn prune_consumer(pool: &PgPool, consumer: &str, before: Uuid) -> Result<u64, sqlx::Error> {
    in_batches(|limit| async move {
        let deleted = sqlx::query(
            "DELETE FROM inbox WHERE consumer = $1 AND message_id IN (
                 SELECT message_id FROM inbox WHERE consumer = $1 AND message_id < $2 AND status = 'DONE'
                 ORDER BY message_id LIMIT $3 FOR UPDATE SKIP LOCKED)",
        );
        let deleted = deleted.bind(consumer).bind(before).bind(limit);
        Ok(deleted.execute(pool).await?.rows_affected())
    })
    .await
}

fn absent_is_empty(result: Result<u64, sqlx::Error>) -> Result<u64, sqlx::Error> {
    match result {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(0),
        other => other,
    }
}

/// The smallest UUIDv7 of the instant `age` ago: ids are ordered by time, so those below it are older.
pub fn ids_older_than(clock: &Clock, age: Duration) -> Uuid {
    let millis = clock.now().timestamp_millis().unsigned_abs();
    let cut = u128::from(millis).saturating_sub(age.as_millis());
    Uuid::from_u128(cut << 80)
}
