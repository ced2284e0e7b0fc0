//! Deliveries: written with their cause, claimed under a lease, their outcome kept by whoever claimed them last.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{EventId, OrderId, WebhookDeliveryId, WebhookEndpointId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::{Delivery, DeliveryState, Verdict};

struct Row {
    id: Uuid,
    endpoint_id: Uuid,
    event_id: Uuid,
    kind: String,
    order_id: Option<Uuid>,
    state: String,
    attempts: i32,
    next_try_at: DateTime<Utc>,
    last_status: Option<i32>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_delivery(self) -> Result<Delivery, sqlx::Error> {
        Ok(Delivery {
            id: WebhookDeliveryId::from_uuid(self.id),
            endpoint: WebhookEndpointId::from_uuid(self.endpoint_id),
            event: EventId::from_uuid(self.event_id),
            kind: self.kind,
            order: self.order_id.map(OrderId::from_uuid),
            state: DeliveryState::read(&self.state)?,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            next_try_at: self.next_try_at,
            last_status: self.last_status.and_then(|status| status.try_into().ok()),
            last_error: self.last_error,
            created_at: self.created_at,
            ended_at: self.ended_at,
        })
    }
}

/// A page of an endpoint's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slice {
    pub(crate) after: Option<WebhookDeliveryId>,
    pub(crate) state: Option<DeliveryState>,
    pub(crate) limit: i64,
}

/// What caused a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) event: EventId,
    pub(crate) correlation_id: Option<&'a str>,
    pub(crate) traceparent: Option<&'a str>,
}

/// A delivery that is ours until its lease ends.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) id: WebhookDeliveryId,
    pub(crate) endpoint: WebhookEndpointId,
    pub(crate) url: String,
    pub(crate) kind: String,
    pub(crate) body: String,
    pub(crate) attempts: u32,
    /// Whoever claims it after us has a higher one.
    claim: i64,
    pub(crate) correlation_id: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// Writes deliveries that are due at once, one for each endpoint; a repeat of the event adds none.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    cause: Cause<'_>,
    deliveries: &[(WebhookDeliveryId, WebhookEndpointId)],
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (ids, endpoints): (Vec<Uuid>, Vec<Uuid>) = deliveries
        .iter()
        .map(|(id, endpoint)| (id.uuid(), endpoint.uuid()))
        .unzip();
    sqlx::query!(
        "INSERT INTO delivery (id, endpoint_id, event_id, created_at, correlation_id, traceparent)
         SELECT fresh.id, fresh.endpoint_id, $3, $4, $5, $6
         FROM unnest($1::uuid[], $2::uuid[]) AS fresh (id, endpoint_id)
         ON CONFLICT (endpoint_id, event_id) DO NOTHING",
        &ids,
        &endpoints,
        cause.event.uuid(),
        at,
        cause.correlation_id,
        cause.traceparent
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Claims deliveries that are due and that nobody has, the longest due first, and of each endpoint no more than leaves
/// `per_endpoint` in flight. Each claim begins a try.
///
/// Two claims at the same moment don't see each other, so an endpoint may have twice as many for a moment.
pub(crate) async fn claim(
    db: impl PgExecutor<'_>,
    limit: i64,
    per_endpoint: i64,
    lease: Duration,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows = sqlx::query!(
        "WITH due AS (
             SELECT waiting.id FROM endpoint
             CROSS JOIN LATERAL (
                 SELECT id, next_try_at FROM delivery
                 WHERE endpoint_id = endpoint.id AND state = 'PENDING' AND next_try_at <= statement_timestamp()
                   AND (lease_until IS NULL OR lease_until < statement_timestamp())
                 ORDER BY next_try_at
                 LIMIT greatest(0, $2::bigint - (
                     SELECT count(*) FROM delivery AS busy
                     WHERE busy.endpoint_id = endpoint.id AND busy.lease_until >= statement_timestamp()))
                 FOR UPDATE SKIP LOCKED
             ) AS waiting
             WHERE endpoint.enabled
             ORDER BY waiting.next_try_at LIMIT $1
         )
         UPDATE delivery SET lease_until = statement_timestamp() + make_interval(secs => $3), claims = claims + 1,
             attempts = attempts + 1
         FROM due, endpoint, payload
         WHERE delivery.id = due.id AND endpoint.id = delivery.endpoint_id AND payload.event_id = delivery.event_id
         RETURNING delivery.id, delivery.endpoint_id, endpoint.url, payload.type AS kind, payload.body,
             delivery.attempts, delivery.claims, delivery.correlation_id, delivery.traceparent",
        limit,
        per_endpoint,
        lease.as_secs_f64()
    )
    .fetch_all(db)
    .await?;
    let claimed = rows.into_iter().map(|row| Claimed {
        id: WebhookDeliveryId::from_uuid(row.id),
        endpoint: WebhookEndpointId::from_uuid(row.endpoint_id),
        url: row.url,
        kind: row.kind,
        body: row.body,
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        claim: row.claims,
        correlation_id: row.correlation_id,
        traceparent: row.traceparent,
    });
    Ok(claimed.collect())
}

/// Keeps what became of a claimed delivery; false if somebody else has claimed it since, who then decides, or if it is
/// gone.
pub(crate) async fn settle(
    tx: &mut PgConnection,
    claimed: &Claimed,
    verdict: &Verdict,
) -> Result<bool, sqlx::Error> {
    let (state, after, status, reason) = match verdict {
        Verdict::Delivered { status } => (DeliveryState::Delivered, Duration::ZERO, Some(*status), None),
        Verdict::Again {
            after,
            status,
            reason,
        } => (DeliveryState::Pending, *after, *status, Some(reason.as_str())),
        Verdict::Dead { status, reason } => (
            DeliveryState::Dead,
            Duration::ZERO,
            *status,
            Some(reason.as_str()),
        ),
        Verdict::Gone { reason } => (
            DeliveryState::Dead,
            Duration::ZERO,
            Some(410),
            Some(reason.as_str()),
        ),
    };
    let done = sqlx::query!(
        "UPDATE delivery SET state = $3, last_status = $5, last_error = $6, lease_until = NULL,
             next_try_at = statement_timestamp() + make_interval(secs => $4),
             ended_at = CASE WHEN $3 <> 'PENDING' THEN statement_timestamp() END
         WHERE id = $1 AND claims = $2 AND state = 'PENDING'",
        claimed.id.uuid(),
        claimed.claim,
        state.text(),
        after.as_secs_f64(),
        status.map(i32::from),
        reason
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a delivery that has ended due again, as if it had never been tried; false if it has not ended.
pub(crate) async fn revive(tx: &mut PgConnection, id: WebhookDeliveryId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE delivery SET state = 'PENDING', attempts = 0, next_try_at = statement_timestamp(), ended_at = NULL
         WHERE id = $1 AND state <> 'PENDING'",
        id.uuid()
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A delivery.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    id: WebhookDeliveryId,
) -> Result<Option<Delivery>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT id, endpoint_id, event_id, payload.type AS kind, payload.order_id, state, attempts, next_try_at,
             last_status, last_error, delivery.created_at, ended_at
         FROM delivery JOIN payload USING (event_id) WHERE id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?
    .map(Row::into_delivery)
    .transpose()
}

/// A page of each endpoint's deliveries, newest first; endpoints without any are left out.
pub(crate) async fn of_endpoints(
    db: impl PgExecutor<'_>,
    endpoints: &[WebhookEndpointId],
    slice: Slice,
) -> Result<HashMap<WebhookEndpointId, Vec<Delivery>>, sqlx::Error> {
    let ids: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id AS "id!", d.endpoint_id AS "endpoint_id!", d.event_id AS "event_id!", p.type AS "kind!",
                  p.order_id AS "order_id?", d.state AS "state!", d.attempts AS "attempts!",
                  d.next_try_at AS "next_try_at!", d.last_status, d.last_error, d.created_at AS "created_at!",
                  d.ended_at
           FROM unnest($1::uuid[]) AS asked (id)
           CROSS JOIN LATERAL (
               SELECT * FROM delivery
               WHERE endpoint_id = asked.id AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR state = $3)
               ORDER BY id DESC LIMIT $4
           ) AS d
           JOIN payload AS p ON p.event_id = d.event_id
           ORDER BY d.endpoint_id, d.id DESC"#,
        &ids,
        slice.after.map(WebhookDeliveryId::uuid),
        slice.state.map(DeliveryState::text),
        slice.limit
    )
    .fetch_all(db)
    .await?;
    let mut pages: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        let delivery = row.into_delivery()?;
        pages.entry(delivery.endpoint).or_default().push(delivery);
    }
    Ok(pages)
}

/// Forgets at most `limit` old deliveries that have ended, or that wait for an endpoint that is switched off; tells how
/// many went.
pub(crate) async fn prune(db: impl PgExecutor<'_>, keep: Duration, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM delivery WHERE id IN (
             SELECT delivery.id FROM delivery JOIN endpoint ON endpoint.id = endpoint_id
             WHERE delivery.created_at < statement_timestamp() - make_interval(secs => $1)
               AND (state <> 'PENDING' OR NOT enabled) AND lease_until IS NULL
             LIMIT $2 FOR UPDATE OF delivery SKIP LOCKED)",
        keep.as_secs_f64(),
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// How deliveries stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backlog {
    /// To be sent.
    pub(crate) pending: i64,
    /// Given up.
    pub(crate) dead: i64,
    /// How long the one that is due longest has been.
    pub(crate) oldest_due_s: f64,
}

/// Counts what waits and what was given up. What waits for an endpoint that is switched off is not due.
pub(crate) async fn backlog(db: impl PgExecutor<'_>) -> Result<Backlog, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE state = 'PENDING') AS "pending!",
                  count(*) FILTER (WHERE state = 'DEAD') AS "dead!",
                  greatest(0, coalesce(extract(epoch FROM statement_timestamp() - min(next_try_at)
                      FILTER (WHERE state = 'PENDING' AND enabled)), 0))::float8 AS "oldest_due_s!"
           FROM delivery JOIN endpoint ON endpoint.id = endpoint_id WHERE state <> 'DELIVERED'"#
    )
    .fetch_one(db)
    .await?;
    Ok(Backlog {
        pending: row.pending,
        dead: row.dead,
        oldest_due_s: row.oldest_due_s,
    })
}
