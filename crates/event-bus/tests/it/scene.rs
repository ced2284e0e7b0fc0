//! A service with an outbox, an inbox and a handler that can be told to fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contracts::inventory::ReservationExpired;
use contracts::{Event, EventId, OrderId};
use event_bus::{Bus, Handle, HandleError, Message, QueueSpec};
use service_kit::Host;
use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};
use test_kit::{TestAmqp, TestDb};

static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");

pub(crate) const QUEUE: &str = "order.inventory-events";
pub(crate) const SPEC: QueueSpec = QueueSpec {
    queue: QUEUE,
    bindings: &[("inventory.events", "reservation.expired.v1")],
};

pub(crate) struct Scene {
    pub(crate) db: TestDb,
    pub(crate) amqp: TestAmqp,
    pub(crate) host: Host,
    pub(crate) bus: Bus,
}

pub(crate) async fn database() -> TestDb {
    test_kit::postgres(&MIGRATOR).await
}

impl Scene {
    pub(crate) async fn new() -> Self {
        // Shown for failing tests, as `RUST_LOG` asks.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer()
            .try_init();
        let (db, amqp) = (database().await, test_kit::amqp().await);
        let host = Host::for_test("event-bus-test");
        let bus = Bus::connect_with(&amqp.secret(), &host, &amqp.prefix);
        Self { db, amqp, host, bus }
    }

    /// Starts the consumer and waits until its queue is there.
    pub(crate) async fn consume(&self) {
        self.bus.run_consumer(self.db.pool.clone(), SPEC);
        eventually("the consumer is up", async || {
            self.host
                .readiness
                .report()
                .components
                .get("rabbitmq")
                .is_some_and(|state| state == "up")
        })
        .await;
    }

    pub(crate) async fn stored(&self) -> i64 {
        count(&self.db.pool, "SELECT count(*) FROM inbox").await
    }

    pub(crate) async fn unpublished(&self) -> i64 {
        count(
            &self.db.pool,
            "SELECT count(*) FROM outbox WHERE published_at IS NULL",
        )
        .await
    }

    /// Ends the service as SIGTERM would.
    pub(crate) async fn stop(&self) {
        self.host.shutdown.cancel();
        self.host.tasks.close();
        tokio::time::timeout(Duration::from_secs(10), self.host.tasks.wait())
            .await
            .unwrap();
    }
}

pub(crate) async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// Waits for something that another process does; fails after 20 s.
pub(crate) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never happened: {what}");
}

pub(crate) fn event() -> Event<ReservationExpired> {
    versions(1).remove(0)
}

/// Events of one aggregate, from version 1.
pub(crate) fn versions(count: i64) -> Vec<Event<ReservationExpired>> {
    let host = Host::for_test("inventory");
    let context = event_bus::context("inventory", &host.clock);
    let data = ReservationExpired {
        order_id: OrderId::generate(),
        expired_at: host.clock.now(),
    };
    (1..=count)
        .map(|version| Event::new(EventId::generate(), &context, version, data.clone()))
        .collect()
}

pub(crate) async fn enqueue(pool: &PgPool, event: &Event<ReservationExpired>) {
    let mut tx = pool.begin().await.unwrap();
    event_bus::enqueue(&mut tx, event).await.unwrap();
    tx.commit().await.unwrap();
}

/// Puts an event into the inbox as the consumer would.
pub(crate) async fn receive(pool: &PgPool, event: &Event<ReservationExpired>) {
    sqlx::query(
        "INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(QUEUE)
    .bind(event.id.uuid())
    .bind(&event.kind)
    .bind(&event.subject)
    .bind(serde_json::to_value(event).unwrap())
    .execute(pool)
    .await
    .unwrap();
}

/// Writes one row per event, unless told to fail for it; it fails only after writing.
#[derive(Default)]
pub(crate) struct Recorder {
    failures: Mutex<HashMap<EventId, HandleError>>,
    pub(crate) seen: Mutex<Vec<(EventId, Option<String>)>>,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn fail(&self, event: EventId, error: HandleError) {
        self.failures.lock().unwrap().insert(event, error);
    }

    pub(crate) fn heal(&self) {
        self.failures.lock().unwrap().clear();
    }
}

#[async_trait]
impl Handle for Recorder {
    async fn handle(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        sqlx::query("INSERT INTO effect (event, kind) VALUES ($1, $2)")
            .bind(message.id.uuid())
            .bind(&message.kind)
            .execute(tx)
            .await?;
        self.seen
            .lock()
            .unwrap()
            .push((message.id, service_kit::correlation::current()));
        let failure = self.failures.lock().unwrap().get(&message.id).cloned();
        assert_ne!(failure, Some(HandleError::Dead("panic".to_owned())), "as told");
        failure.map_or(Ok(()), Err)
    }
}
