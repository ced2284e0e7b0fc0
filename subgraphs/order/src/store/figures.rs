//! Figures for metrics, over the open orders only, so that they stay cheap.

use sqlx::PgExecutor;

/// How many open orders are in a state.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) status: String,
    pub(crate) orders: i64,
}

/// Open orders by state.
pub(crate) async fn open_by_state(db: impl PgExecutor<'_>) -> Result<Vec<Count>, sqlx::Error> {
    sqlx::query_as!(
        Count,
        r#"SELECT status, count(*) AS "orders!" FROM orders WHERE terminal_at IS NULL GROUP BY status"#
    )
    .fetch_all(db)
    .await
}

/// Seconds since the oldest open order was placed, and how many sagas and returns need a person.
pub(crate) async fn health(db: impl PgExecutor<'_>) -> Result<(f64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(created_at)), 0)::float8
                   FROM orders WHERE terminal_at IS NULL) AS "oldest_s!",
                  (SELECT count(*) FROM saga WHERE attention IS NOT NULL)
                      + (SELECT count(*) FROM order_return WHERE needs_attention) AS "attention!""#
    )
    .fetch_one(db)
    .await?;
    Ok((row.oldest_s, row.attention))
}
