//! The outbox table: rows written with their cause, claimed by the relay under a lease, marked when confirmed.

use std::time::Duration;

use contracts::{Event, EventData};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor, Row};
use uuid::Uuid;

/// An event that waits to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// The event's id.
    pub id: Uuid,
    /// Id of the aggregate.
    pub aggregate_id: String,
    /// Version of the aggregate after the event.
    pub aggregate_version: i64,
    /// The owner's exchange.
    pub exchange: String,
    /// The event's type.
    pub routing_key: String,
    /// False for announcements that may have no listener; otherwise unroutable means not published.
    pub mandatory: bool,
    /// `traceparent` and `correlationid`, which also travel as AMQP headers.
    pub headers: serde_json::Value,
    /// The envelope, as JSON text.
    pub payload: String,
}

impl OutboxRow {
    /// The row of an event.
    pub fn from_event<T: EventData>(event: &Event<T>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: event.id.uuid(),
            aggregate_id: event.subject.clone(),
            aggregate_version: event.aggregateversion,
            exchange: T::EXCHANGE.to_owned(),
            routing_key: event.kind.clone(),
            mandatory: T::MANDATORY,
            headers: json!({ "traceparent": event.traceparent, "correlationid": event.correlationid }),
            payload: serde_json::to_string(event)?,
        })
    }
}

/// Writes one event in the caller's transaction. Wake the relay after the commit.
pub async fn enqueue<T: EventData>(conn: &mut PgConnection, event: &Event<T>) -> Result<(), sqlx::Error> {
    let row = OutboxRow::from_event(event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    enqueue_all(conn, &[row]).await
}

/// Writes several events in one statement. A second event of the same aggregate, version and type is an error
/// (23505): the caller's version is stale.
pub async fn enqueue_all(conn: &mut PgConnection, rows: &[OutboxRow]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO outbox (id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers, payload)
         SELECT id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers::json, payload::json
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bool[], $7::text[], $8::text[])
              AS event (id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers, payload)",
    )
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |row| row.aggregate_id.as_str()))
    .bind(column(rows, |row| row.aggregate_version))
    .bind(column(rows, |row| row.exchange.as_str()))
    .bind(column(rows, |row| row.routing_key.as_str()))
    .bind(column(rows, |row| row.mandatory))
    .bind(column(rows, |row| row.headers.to_string()))
    .bind(column(rows, |row| row.payload.as_str()))
    .execute(conn)
    .await?;
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// What became of the rows of a batch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Confirmed and routed.
    pub(crate) published: Vec<Uuid>,
    /// Unroutable or refused: tried again after a backoff.
    pub(crate) refused: Vec<Uuid>,
    /// The connection broke: tried again at once when it is back.
    pub(crate) unsent: Vec<Uuid>,
}

impl Settled {
    pub(crate) fn is_empty(&self) -> bool {
        self.published.is_empty() && self.refused.is_empty() && self.unsent.is_empty()
    }
}

/// Settles the last batch and claims the next, in one statement and one commit.
pub(crate) async fn settle_and_claim(
    executor: impl PgExecutor<'_>,
    settled: &Settled,
    limit: i64,
    lease: Duration,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    // The sub-statements share one snapshot, so `due` must leave out what the others change.
    let rows = sqlx::query(
        "WITH published AS (
             UPDATE outbox SET published_at = statement_timestamp(), lease_until = NULL
             WHERE id = ANY($1) AND published_at IS NULL
         ), refused AS (
             UPDATE outbox SET lease_until = NULL, next_try_at = statement_timestamp()
                 + make_interval(secs => least(power(2, least(attempts, 10)) * 0.25, 30) * (0.5 + random() / 2))
             WHERE id = ANY($2) AND published_at IS NULL
         ), unsent AS (
             UPDATE outbox SET lease_until = NULL WHERE id = ANY($3) AND published_at IS NULL
         ), due AS (
             SELECT id FROM outbox
             WHERE published_at IS NULL AND next_try_at <= statement_timestamp()
               AND (lease_until IS NULL OR lease_until < statement_timestamp())
               AND id <> ALL($1) AND id <> ALL($2) AND id <> ALL($3)
             ORDER BY next_try_at, aggregate_version LIMIT $4
             FOR UPDATE SKIP LOCKED
         )
         UPDATE outbox SET lease_until = statement_timestamp() + make_interval(secs => $5), attempts = attempts + 1
         FROM due WHERE outbox.id = due.id
         RETURNING outbox.id, aggregate_id, aggregate_version, exchange, routing_key, mandatory, headers, payload::text",
    )
    .bind(&settled.published)
    .bind(&settled.refused)
    .bind(&settled.unsent)
    .bind(limit)
    .bind(lease.as_secs_f64())
    .fetch_all(executor)
    .await?;
    let mut rows: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
    // `RETURNING` has no order. Consumers need none, but live listeners hear an aggregate's steps as they came.
    rows.sort_by_key(|row| row.aggregate_version);
    Ok(rows)
}

fn read(row: &sqlx::postgres::PgRow) -> Result<OutboxRow, sqlx::Error> {
    Ok(OutboxRow {
        id: row.try_get(0)?,
        aggregate_id: row.try_get(1)?,
        aggregate_version: row.try_get(2)?,
        exchange: row.try_get(3)?,
        routing_key: row.try_get(4)?,
        mandatory: row.try_get(5)?,
        headers: row.try_get(6)?,
        payload: row.try_get(7)?,
    })
}

/// How many rows wait, and how long the oldest has waited in seconds.
pub(crate) async fn backlog(executor: impl PgExecutor<'_>) -> Result<(i64, f64), sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(created_at)), 0)::float8
         FROM outbox WHERE published_at IS NULL",
    )
    .fetch_one(executor)
    .await
}
