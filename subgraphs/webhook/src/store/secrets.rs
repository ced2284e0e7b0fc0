//! Secrets, sealed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::WebhookEndpointId;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// A secret that still signs.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) id: Uuid,
    pub(crate) endpoint: WebhookEndpointId,
    /// The secret as only the vault can read it.
    pub(crate) bytes: Vec<u8>,
}

/// Writes a secret that stays until it is replaced.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    id: Uuid,
    endpoint: WebhookEndpointId,
    sealed: &[u8],
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO secret (id, endpoint_id, sealed, created_at) VALUES ($1, $2, $3, $4)",
        id,
        endpoint.uuid(),
        sealed,
        at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets the endpoint's secret sign for so long yet.
pub(crate) async fn expire(
    tx: &mut PgConnection,
    endpoint: WebhookEndpointId,
    overlap: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE secret SET expires_at = statement_timestamp() + make_interval(secs => $2)
         WHERE endpoint_id = $1 AND expires_at IS NULL",
        endpoint.uuid(),
        overlap.as_secs_f64()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A secret, unless it has expired.
pub(crate) async fn find(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT sealed FROM secret
         WHERE id = $1 AND (expires_at IS NULL OR expires_at > statement_timestamp())",
        id
    )
    .fetch_optional(db)
    .await
}

/// What each endpoint signs with, newest first.
pub(crate) async fn of_endpoints(
    db: impl PgExecutor<'_>,
    endpoints: &[WebhookEndpointId],
) -> Result<Vec<Sealed>, sqlx::Error> {
    let ids: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT id, endpoint_id, sealed FROM secret
         WHERE endpoint_id = ANY ($1) AND (expires_at IS NULL OR expires_at > statement_timestamp())
         ORDER BY id DESC",
        &ids
    )
    .fetch_all(db)
    .await?;
    let secrets = rows.into_iter().map(|row| Sealed {
        id: row.id,
        endpoint: WebhookEndpointId::from_uuid(row.endpoint_id),
        bytes: row.sealed,
    });
    Ok(secrets.collect())
}

/// Forgets what has expired.
pub(crate) async fn prune(db: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM secret WHERE expires_at <= statement_timestamp()")
        .execute(db)
        .await?;
    Ok(())
}
