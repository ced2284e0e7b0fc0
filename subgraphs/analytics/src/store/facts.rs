//! What was heard, kept for good.

use contracts::{EventId, OrderId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::unreadable;
use crate::domain::Fact;

/// Keeps a fact; false if it is known, under whatever event's id.
pub(crate) async fn keep(
    tx: &mut PgConnection,
    event: EventId,
    kind: &str,
    fact: &Fact,
    time: chrono::DateTime<chrono::Utc>,
    payload: &Value,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO fact (order_id, type, version, event_id, at, payload) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (order_id, type, version) DO NOTHING",
        fact.order.uuid(),
        kind,
        fact.version,
        event.uuid(),
        time,
        payload
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many facts there are.
pub(crate) async fn count(tx: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM fact"#)
        .fetch_one(tx)
        .await
}

/// The next orders with facts, after `after`.
pub(crate) async fn next_orders(
    tx: &mut PgConnection,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT DISTINCT order_id FROM fact WHERE order_id > $1 ORDER BY order_id LIMIT $2",
        after.map_or(Uuid::nil(), OrderId::uuid),
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(OrderId::from_uuid).collect())
}

/// All facts of these orders.
pub(crate) async fn of_orders(tx: &mut PgConnection, orders: &[OrderId]) -> Result<Vec<Fact>, sqlx::Error> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT type, version, at, payload FROM fact WHERE order_id = ANY($1)",
        &ids
    )
    .fetch_all(tx)
    .await?;
    let facts = rows.into_iter().map(|row| {
        let fact = Fact::read(&row.r#type, row.version, row.at, &row.payload).map_err(unreadable)?;
        fact.ok_or_else(|| unreadable(format!("{} is not known here", row.r#type)))
    });
    facts.collect()
}
