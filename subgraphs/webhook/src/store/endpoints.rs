//! Endpoints.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::WebhookEndpointId;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::text::{event_types, kinds};
use crate::app::Change;
use crate::domain::{Endpoint, EventType};

struct Row {
    id: Uuid,
    url: String,
    description: String,
    event_types: Vec<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<Row> for Endpoint {
    fn from(row: Row) -> Self {
        Self {
            id: WebhookEndpointId::from_uuid(row.id),
            url: row.url,
            description: row.description,
            event_types: event_types(&row.event_types),
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            created_at: row.created_at,
        }
    }
}

/// Writes a new endpoint.
pub(crate) async fn insert(tx: &mut PgConnection, endpoint: &Endpoint) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO endpoint (id, url, description, event_types, created_at) VALUES ($1, $2, $3, $4, $5)",
        endpoint.id.uuid(),
        endpoint.url,
        endpoint.description,
        &kinds(&endpoint.event_types),
        endpoint.created_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Changes what is given. Whoever is switched on, or off by hand, has no reason for being off any more.
pub(crate) async fn update(
    db: impl PgExecutor<'_>,
    id: WebhookEndpointId,
    change: &Change,
) -> Result<Option<Endpoint>, sqlx::Error> {
    let types = change.event_types.as_deref().map(kinds);
    let row = sqlx::query_as!(
        Row,
        "UPDATE endpoint SET url = coalesce($2, url), description = coalesce($3, description),
             event_types = coalesce($4, event_types), enabled = coalesce($5, enabled),
             disabled_reason = CASE WHEN $5 IS NULL THEN disabled_reason END,
             failing_since = CASE WHEN $5 IS NULL THEN failing_since END
         WHERE id = $1
         RETURNING id, url, description, event_types, enabled, disabled_reason, created_at",
        id.uuid(),
        change.url,
        change.description,
        types.as_deref(),
        change.enabled
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Into::into))
}

/// Holds an endpoint until the transaction ends; false if there is none.
pub(crate) async fn lock(tx: &mut PgConnection, id: WebhookEndpointId) -> Result<bool, sqlx::Error> {
    let row = sqlx::query_scalar!("SELECT id FROM endpoint WHERE id = $1 FOR UPDATE", id.uuid());
    Ok(row.fetch_optional(tx).await?.is_some())
}

/// Forgets an endpoint with all that belongs to it. Deliveries go first: whoever keeps an outcome locks in this order.
pub(crate) async fn delete(tx: &mut PgConnection, id: WebhookEndpointId) -> Result<bool, sqlx::Error> {
    sqlx::query!("DELETE FROM delivery WHERE endpoint_id = $1", id.uuid())
        .execute(&mut *tx)
        .await?;
    let done = sqlx::query!("DELETE FROM endpoint WHERE id = $1", id.uuid());
    Ok(done.execute(tx).await?.rows_affected() == 1)
}

/// An endpoint.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    id: WebhookEndpointId,
) -> Result<Option<Endpoint>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, url, description, event_types, enabled, disabled_reason, created_at
         FROM endpoint WHERE id = $1",
        id.uuid()
    );
    Ok(row.fetch_optional(db).await?.map(Into::into))
}

/// A page of endpoints, newest first.
pub(crate) async fn page(
    db: impl PgExecutor<'_>,
    after: Option<WebhookEndpointId>,
    limit: i64,
) -> Result<Vec<Endpoint>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, url, description, event_types, enabled, disabled_reason, created_at
         FROM endpoint WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        after.map(WebhookEndpointId::uuid),
        limit
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(Into::into).collect())
}

/// Who asks for events of this type. None of them goes away before the transaction ends.
pub(crate) async fn wanting(
    tx: &mut PgConnection,
    kind: EventType,
) -> Result<Vec<WebhookEndpointId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM endpoint WHERE enabled AND $1 = ANY (event_types) ORDER BY id FOR KEY SHARE",
        kind.kind()
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(WebhookEndpointId::from_uuid).collect())
}

/// It has taken something.
pub(crate) async fn works(tx: &mut PgConnection, id: WebhookEndpointId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE endpoint SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// It has not taken something.
pub(crate) async fn fails(tx: &mut PgConnection, id: WebhookEndpointId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE endpoint SET failing_since = statement_timestamp() WHERE id = $1 AND failing_since IS NULL",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Switches an endpoint off.
pub(crate) async fn disable(
    tx: &mut PgConnection,
    id: WebhookEndpointId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE endpoint SET enabled = false, disabled_reason = $2 WHERE id = $1 AND enabled",
        id.uuid(),
        reason
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Switches an endpoint off if it has failed for so long; tells whether it did.
pub(crate) async fn give_up(
    tx: &mut PgConnection,
    id: WebhookEndpointId,
    failing: Duration,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE endpoint SET enabled = false, disabled_reason = $3
         WHERE id = $1 AND enabled AND failing_since <= statement_timestamp() - make_interval(secs => $2)",
        id.uuid(),
        failing.as_secs_f64(),
        reason
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many were switched off by us.
pub(crate) async fn disabled(db: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "disabled!" FROM endpoint WHERE disabled_reason IS NOT NULL"#)
        .fetch_one(db)
        .await
}
