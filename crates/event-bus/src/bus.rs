//! A service's connection to the broker, as a service starts it.

use std::sync::Arc;

use service_kit::{Host, Secret};
use sqlx::PgPool;

use crate::consumer::Consumer;
use crate::link::{self, Broker};
use crate::parking::{self, ParkedMessage, ParkingError};
use crate::{Publisher, QueueSpec, RelayHandle, Tap, metrics, relay, tap};

/// The broker, for one service; cheap to clone. Making it never fails: what runs on it connects, and connects
/// again, by itself. Readiness shows it as `rabbitmq`.
#[derive(Clone)]
pub struct Bus {
    broker: Broker,
    publisher: Publisher,
    host: Host,
}

impl Bus {
    /// The broker at `url`.
    pub fn connect(url: &Secret, host: &Host) -> Self {
        Self::connect_with(url, host, "")
    }

    /// The same with a prefix before every name on the broker, so that tests don't meet. Prefixed queues disappear
    /// after two minutes without use.
    pub fn connect_with(url: &Secret, host: &Host, prefix: &str) -> Self {
        let broker = Broker::new(url, host, prefix);
        let publisher = Publisher::new(broker.clone());
        Self {
            broker,
            publisher,
            host: host.clone(),
        }
    }

    /// Publishes the outbox of `pool` until shutdown. `types` are all it may hold: each is counted from zero, so that
    /// a board tells "none yet" from "not measured".
    pub fn run_relay(&self, pool: PgPool, types: &[&str]) -> RelayHandle {
        metrics::publishes(types);
        relay::spawn(pool, self.publisher.clone(), &self.host)
    }

    /// Declares a queue and stores what it delivers in the inbox of `pool` until shutdown; then wakes the
    /// [`crate::InboxWorker`] of that queue's name.
    pub fn run_consumer(&self, pool: PgPool, spec: QueueSpec) {
        let consumer = Arc::new(Consumer {
            broker: self.broker.clone(),
            publisher: self.publisher.clone(),
            pool,
            spec,
            shutdown: self.host.shutdown.clone(),
        });
        let role = Consumer::role(&spec);
        self.broker.health.starting(&role);
        let shutdown = self.host.shutdown.clone();
        let sessions = move || Arc::clone(&consumer).session();
        self.host.spawn(
            "event consumer",
            link::supervise(self.broker.clone(), role, shutdown, sessions),
        );
    }

    /// Hears events as they pass, for subscriptions; see [`Tap`].
    pub fn tap(&self, exchange: &'static str, routing_key: &'static str) -> Tap {
        tap::spawn(self.broker.clone(), &self.host, exchange, routing_key)
    }

    /// The publishing side, for tests that step the relay with [`crate::relay_once`].
    pub const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Looks at up to `limit` parked messages of a queue.
    pub async fn list_parked(&self, queue: &str, limit: usize) -> Result<Vec<ParkedMessage>, ParkingError> {
        parking::list(&self.broker, queue, limit).await
    }

    /// Sends up to `limit` parked messages to their queue again; answers how many.
    pub async fn replay_parked(&self, queue: &str, limit: usize) -> Result<usize, ParkingError> {
        parking::replay(&self.broker, &self.publisher, queue, limit).await
    }

    /// How many messages of a queue are parked.
    pub async fn count_parked(&self, queue: &str) -> Result<u32, ParkingError> {
        parking::count(&self.broker, queue).await
    }
}
