//! Messages the broker should not have had: copies of events that were published before, and poison.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use contracts::event::CONTENT_TYPE;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use rand::Rng;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::evidence::Evidence;
use crate::world::World;

/// Share of events that are delivered again within five seconds.
const SOON: f64 = 0.2;
/// Share of events that are delivered again when their order is long final.
const LATE: f64 = 0.05;
/// Later than the deadline of any order.
const LATE_AFTER: Duration = Duration::from_secs(30);
const PERSISTENT: u8 = 2;
/// For connecting and publishing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sorts of poison, and whether the broker parks it (it can't be read) or order keeps it as dead or waiting.
pub(crate) const SORTS: u32 = 5;

/// An event as it was published.
#[derive(Debug, Clone)]
struct Copy {
    id: Uuid,
    exchange: String,
    routing_key: String,
    payload: String,
    aggregate: String,
    version: i64,
}

/// A copy on its way, and when it is due.
struct Due {
    at: Instant,
    late: bool,
    copy: Copy,
}

/// A connection that is made again when it breaks.
struct Publisher {
    url: String,
    channel: Option<(Connection, Channel)>,
}

impl Publisher {
    fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            channel: None,
        }
    }

    async fn publish(&mut self, copy: &Copy) -> Result<()> {
        // All of it, the handshake too: a broker that has just been broken may never answer.
        let outcome = tokio::time::timeout(PATIENCE, self.try_publish(copy)).await;
        let outcome = outcome.context("no confirm").flatten();
        if outcome.is_err() {
            self.channel = None;
        }
        outcome
    }

    async fn try_publish(&mut self, copy: &Copy) -> Result<()> {
        let (_, channel) = match &mut self.channel {
            Some(open) => open,
            closed => {
                let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
                let channel = connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                closed.insert((connection, channel))
            }
        };
        let properties = BasicProperties::default()
            .with_message_id(copy.id.to_string().into())
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT);
        let (exchange, key) = (copy.exchange.as_str().into(), copy.routing_key.as_str().into());
        let options = BasicPublishOptions::default();
        let published = channel.basic_publish(exchange, key, options, copy.payload.as_bytes(), properties);
        published.await?.await?;
        Ok(())
    }
}

/// Publishes copies of events until told to stop.
pub(crate) async fn duplicate(world: Arc<World>, evidence: Evidence, stop: CancellationToken) {
    let mut publisher = Publisher::new(&world.plan.stores.amqp);
    let mut seen: HashSet<Uuid> = HashSet::new();
    let mut newest: std::collections::HashMap<String, i64> = std::collections::HashMap::new();
    let mut due: Vec<Due> = Vec::new();
    while !stop.is_cancelled() {
        for pool in [&world.books.payment, &world.books.inventory] {
            // While PostgreSQL is away there is nothing to copy.
            for copy in recent(pool).await.unwrap_or_default() {
                if seen.insert(copy.id) {
                    let version = newest.entry(copy.aggregate.clone()).or_default();
                    *version = copy.version.max(*version);
                    due.extend(plan(copy));
                }
            }
        }
        let now = Instant::now();
        for again in due.extract_if(.., |again| again.at <= now) {
            if publisher.publish(&again.copy).await.is_ok() {
                let overtaken = newest
                    .get(&again.copy.aggregate)
                    .is_some_and(|newest| *newest > again.copy.version);
                evidence.add("events delivered again", 1);
                evidence.add("events delivered again after the end", u64::from(again.late));
                evidence.add("events out of order", u64::from(overtaken));
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// When copies of an event are due, if any.
fn plan(copy: Copy) -> Option<Due> {
    let mut rng = rand::rng();
    let draw: f64 = rng.random();
    let (late, wait) = if draw < SOON {
        (false, Duration::from_secs_f64(rng.random_range(0.0..5.0)))
    } else if draw < SOON + LATE {
        (true, LATE_AFTER)
    } else {
        return None;
    };
    let at = Instant::now() + wait;
    Some(Due { at, late, copy })
}

async fn recent(pool: &PgPool) -> Result<Vec<Copy>> {
    let rows = sqlx::query(
        "SELECT id, exchange, routing_key, payload::text, aggregate_id, aggregate_version FROM outbox
         WHERE mandatory AND published_at > clock_timestamp() - interval '15 seconds'",
    )
    .fetch_all(pool)
    .await?;
    let copy = |row: &sqlx::postgres::PgRow| {
        Ok(Copy {
            id: row.try_get(0)?,
            exchange: row.try_get(1)?,
            routing_key: row.try_get(2)?,
            payload: row.try_get(3)?,
            aggregate: row.try_get(4)?,
            version: row.try_get(5)?,
        })
    };
    rows.iter().map(copy).collect()
}

/// Delivers the last events of payment and inventory once more, all orders being final; answers how many.
pub(crate) async fn repeat_the_last(world: &World, most: i64) -> Result<u64> {
    let mut publisher = Publisher::new(&world.plan.stores.amqp);
    let mut sent = 0;
    for pool in [&world.books.payment, &world.books.inventory] {
        let rows = sqlx::query(
            "SELECT id, exchange, routing_key, payload::text FROM outbox
             WHERE mandatory AND published_at IS NOT NULL ORDER BY published_at DESC LIMIT $1",
        )
        .bind(most)
        .fetch_all(pool)
        .await?;
        for row in &rows {
            let copy = Copy {
                id: row.try_get(0)?,
                exchange: row.try_get(1)?,
                routing_key: row.try_get(2)?,
                payload: row.try_get(3)?,
                aggregate: String::new(),
                version: 0,
            };
            publisher.publish(&copy).await?;
            sent += 1;
        }
    }
    Ok(sent)
}

/// Publishes `each` messages of every sort of poison; answers how many.
pub(crate) async fn poison(world: &World, each: u32) -> Result<u64> {
    let mut publisher = Publisher::new(&world.plan.stores.amqp);
    let mut sent = 0;
    for _ in 0..each {
        for sort in 0..SORTS {
            let copy = Copy {
                id: Uuid::now_v7(),
                exchange: "payment.events".to_owned(),
                routing_key: "payment.succeeded.v1".to_owned(),
                payload: body(sort),
                aggregate: String::new(),
                version: 0,
            };
            // The broker may be coming back from an earlier fault.
            let mut tries = 0;
            while let Err(error) = publisher.publish(&copy).await {
                tries += 1;
                anyhow::ensure!(tries < 40, "poison could not be published: {error:#}");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            sent += 1;
        }
    }
    Ok(sent)
}

fn body(sort: u32) -> String {
    match sort {
        0 => "{ this is not JSON".to_owned(),
        1 => "x".repeat(1024 * 1024),
        2 => event("payment.exploded.v1").to_string(),
        3 => event("payment.succeeded.v9").to_string(),
        // An order that nobody has placed.
        _ => event("payment.succeeded.v1").to_string(),
    }
}

fn event(kind: &str) -> Value {
    let order = contracts::OrderId::generate().to_string();
    let id = contracts::EventId::generate().to_string();
    json!({
        "specversion": "1.0", "id": id, "type": kind, "source": "/mercato/payment", "subject": order,
        "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json", "aggregateversion": 2,
        "data": { "order_id": order, "payment_id": contracts::PaymentId::generate().to_string(),
            "amount": { "amount_minor": 1250, "currency": "USD" }, "captured_at": "2026-01-01T00:00:00Z", "late": false },
    })
}
