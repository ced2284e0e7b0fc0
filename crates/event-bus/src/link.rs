//! One connection with one channel, and the loop that rebuilds both after any fault.
//!
//! Nothing is ever recovered in place: lapin's own recovery can leave a consumer waiting for ever, and a channel
//! error is final. Each role (publish, each consumer, each tap) has a connection of its own, because a broker that
//! blocks publishers blocks their whole connection.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use service_kit::{Backoff, Component, Host, Secret};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::metrics;
use crate::topology::Names;

const HEARTBEAT_S: u16 = 10;
/// Bytes. lapin keeps 64 frames of the agreed size for each connection, and touches them: with the broker's 128 KiB that
/// is 8 MiB. An event is smaller than one frame of this size; a larger one is sent in several.
const FRAME_MAX: u32 = 16 * 1024;
/// For a connection, and again for what its role declares on it. A broker that has just come back may leave a question
/// unanswered while its queues elect their leaders; whoever waits for that answer waits for ever.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
const RECONNECT: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(5),
};
/// A session that lasted this long was a good one: its end starts the backoff afresh.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// Why a connection is not, or no longer, of use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the broker's address is not an AMQP URL: {0}")]
    Address(String),
    #[error("no answer from the broker within {} s", OPEN_TIMEOUT.as_secs())]
    Timeout,
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    #[error("the broker cancelled the consumer")]
    Cancelled,
    #[error("the delivery's channel is gone")]
    StaleDelivery,
}

/// A connection and its channel; dropping it closes both.
pub(crate) struct Link {
    connection: Connection,
    pub(crate) channel: Channel,
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    pub(crate) async fn close(self) {
        farewell(&self.connection).await;
    }
}

/// Where the broker is, what it is called there, and how the roles fare.
#[derive(Clone)]
pub(crate) struct Broker {
    uri: Result<AMQPUri, String>,
    service: &'static str,
    pub(crate) names: Names,
    pub(crate) health: Health,
}

impl Broker {
    pub(crate) fn new(url: &Secret, host: &Host, prefix: &str) -> Self {
        let uri = url.expose().parse::<AMQPUri>().map(|mut uri| {
            uri.query.heartbeat = Some(HEARTBEAT_S);
            uri.query.frame_max = Some(FRAME_MAX);
            uri
        });
        Self {
            uri,
            service: host.service,
            names: Names::new(host.service, prefix),
            health: Health {
                component: host.readiness.observed("rabbitmq"),
                down: Arc::default(),
            },
        }
    }

    /// Opens a connection that is named after the service and the role, and prepares it. Each in limited time.
    pub(crate) async fn open<T>(
        &self,
        role: &str,
        prepare: impl AsyncFnOnce(&Channel) -> lapin::Result<T>,
    ) -> Result<(Link, T), LinkError> {
        let uri = self.uri.clone().map_err(LinkError::Address)?;
        let name = format!("{} {role}", self.service);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = in_time(Connection::connect_uri(uri, properties)).await?;
        let prepared = in_time(async {
            let channel = connection.create_channel().await?;
            let prepared = prepare(&channel).await?;
            Ok((channel, prepared))
        });
        match prepared.await {
            Ok((channel, prepared)) => Ok((Link { connection, channel }, prepared)),
            Err(error) => {
                // lapin keeps a connection for as long as it waits for an answer on it. Dropped alone, it would live
                // on, and a consumer that the broker has taken after all would be sent what nobody reads.
                farewell(&connection).await;
                Err(error)
            }
        }
    }
}

async fn in_time<T>(work: impl Future<Output = lapin::Result<T>>) -> Result<T, LinkError> {
    let done = timeout(OPEN_TIMEOUT, work).await;
    Ok(done.map_err(|_| LinkError::Timeout)??)
}

async fn farewell(connection: &Connection) {
    // Whether the broker hears it doesn't matter.
    let _ = timeout(Duration::from_secs(1), connection.close(200, "bye".into())).await;
}

/// Folds the roles' states into the one readiness component `rabbitmq`: shown, but no reason to refuse traffic,
/// because events wait in the outbox.
#[derive(Clone)]
pub(crate) struct Health {
    component: Component,
    down: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Health {
    /// A role has been given out and is not connected yet.
    pub(crate) fn starting(&self, role: &str) {
        self.down(role, &"connecting");
    }

    pub(crate) fn up(&self, role: &str) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.remove(role);
        self.report(&down);
    }

    pub(crate) fn down(&self, role: &str, reason: &dyn std::fmt::Display) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.insert(role.to_owned(), reason.to_string());
        self.report(&down);
    }

    fn report(&self, down: &BTreeMap<String, String>) {
        match down.iter().next() {
            None => self.component.up(),
            Some((role, reason)) => self.component.down(format!("{role}: {reason}")),
        }
    }
}

/// How long a role waits before it connects again.
pub(crate) fn reconnect_delay(attempt: u32) -> Duration {
    RECONNECT.delay(attempt)
}

/// Runs sessions of a role one after the other until shutdown: each connects, works, and ends with an error.
pub(crate) async fn supervise<F, Fut>(broker: Broker, role: String, shutdown: CancellationToken, session: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<(), LinkError>>,
{
    let mut attempt = 0;
    while !shutdown.is_cancelled() {
        let begun = Instant::now();
        let Err(error) = session().await else { continue };
        if begun.elapsed() > GOOD_SESSION {
            attempt = 0;
        }
        tracing::warn!(role, attempt, %error, "lost the broker");
        broker.health.down(&role, &error);
        metrics::reconnects(&role);
        shutdown
            .run_until_cancelled(tokio::time::sleep(reconnect_delay(attempt)))
            .await;
        attempt += 1;
    }
}
