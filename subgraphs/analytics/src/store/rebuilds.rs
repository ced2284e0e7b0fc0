//! When the sums were made again.

use contracts::UserId;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::rebuild::{Rebuild, State};

/// Records that one begins. One that never ended did so with its process.
pub(crate) async fn begin(
    db: impl PgExecutor<'_>,
    id: Uuid,
    by: UserId,
    reason: &str,
) -> Result<Rebuild, sqlx::Error> {
    let started_at = sqlx::query_scalar!(
        r#"WITH lost AS (
               UPDATE rebuild SET ended_at = statement_timestamp(), failure = 'its process ended'
               WHERE ended_at IS NULL
           )
           INSERT INTO rebuild (id, asked_by, reason) VALUES ($1, $2, $3) RETURNING started_at"#,
        id,
        by.uuid(),
        reason
    )
    .fetch_one(db)
    .await?;
    Ok(Rebuild {
        id,
        started_at,
        state: State::Running,
    })
}

/// Records the end, in the transaction of the sums.
pub(crate) async fn end(tx: &mut PgConnection, id: Uuid, facts: i64, orders: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rebuild SET ended_at = clock_timestamp(), facts = $2, orders = $3 WHERE id = $1",
        id,
        facts,
        orders
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that it came to nothing.
pub(crate) async fn fail(db: impl PgExecutor<'_>, id: Uuid, why: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rebuild SET ended_at = statement_timestamp(), failure = $2 WHERE id = $1 AND ended_at IS NULL",
        id,
        why.replace('\0', "\u{fffd}")
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The last one.
pub(crate) async fn last(db: impl PgExecutor<'_>) -> Result<Option<Rebuild>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT id, started_at, ended_at, facts, orders, failure FROM rebuild ORDER BY started_at DESC LIMIT 1"
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Rebuild {
        id: row.id,
        started_at: row.started_at,
        state: match (row.ended_at, row.failure) {
            (None, _) => State::Running,
            (Some(at), Some(why)) => State::Failed { at, why },
            (Some(at), None) => State::Done {
                at,
                facts: row.facts.unwrap_or_default(),
                orders: row.orders.unwrap_or_default(),
            },
        },
    }))
}
