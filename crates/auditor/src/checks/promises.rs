//! What clients were told.

use std::collections::HashMap;

use anyhow::Result;
use contracts::OrderId;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::{Expectations, Finding};

/// The operation that makes orders, as order stores it.
const CREATE: &str = "createOrder";

/// I11.
pub(super) async fn one_key_one_order(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new("I11", "one idempotency key, one order, one answer");
    let keys = sqlx::query("SELECT principal, key, response FROM idempotency_key WHERE operation = $1")
        .bind(CREATE)
        .fetch_all(pool)
        .await?;
    finding.count("keys", keys.len());
    let mut owners: HashMap<OrderId, String> = HashMap::new();
    let mut answered = Vec::new();
    for row in keys {
        let (principal, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let name = format!("key {key} of {principal}");
        let answer: Option<serde_json::Value> = row.try_get(2)?;
        match answer.and_then(|answer| serde_json::from_value::<OrderId>(answer).ok()) {
            None => finding.violated(format!("{name} has no answer")),
            Some(order) => {
                answered.push((order.uuid(), name.clone()));
                if let Some(other) = owners.insert(order, name.clone()) {
                    finding.violated(format!("{order} belongs to {name} and to {other}"));
                }
            }
        }
    }
    let ids: Vec<Uuid> = answered.iter().map(|(id, _)| *id).collect();
    let missing = absent(pool, &ids).await?;
    for (id, name) in answered.iter().filter(|(id, _)| missing.contains(id)) {
        finding.violated(format!(
            "{name} was answered with {}, which doesn't exist",
            OrderId::from_uuid(*id)
        ));
    }
    Ok(finding)
}

/// I12.
pub(super) async fn acknowledged_exist(pool: &PgPool, expected: &Expectations) -> Result<Finding> {
    let title = "every acknowledged checkout exists";
    if expected.acknowledged.is_empty() {
        return Ok(Finding::unchecked(
            "I12",
            title,
            "no list of acknowledged orders given",
        ));
    }
    let mut finding = Finding::new("I12", title);
    finding.count("acknowledged", expected.acknowledged.len());
    let ids: Vec<Uuid> = expected.acknowledged.iter().map(|id| id.uuid()).collect();
    for id in absent(pool, &ids).await? {
        finding.violated(format!(
            "{} was acknowledged and doesn't exist",
            OrderId::from_uuid(id)
        ));
    }
    Ok(finding)
}

async fn absent(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT id FROM unnest($1::uuid[]) AS told (id) WHERE NOT EXISTS (SELECT FROM orders WHERE orders.id = told.id)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await
}
