//! Publishes batches with confirms. One connection, one channel, one batch at a time.
//!
//! An unroutable message is returned and then confirmed all the same, and lapin may hand the returned message to
//! another message's confirm. So a batch is judged as a whole: published is what was acknowledged and whose
//! `message_id` was not among the returned.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::EventId;
use contracts::event::CONTENT_TYPE;
use futures::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use service_kit::{bug, crash_point, trace};
use tokio::sync::Mutex;
use tokio::time::timeout_at;

use crate::OutboxRow;
use crate::link::{Broker, Link, LinkError, reconnect_delay};
use crate::{metrics, topology};

const ROLE: &str = "publish";
/// A batch that isn't confirmed by then is published again.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
const PERSISTENT: u8 = 2;

/// Why nothing can be published now.
#[derive(Debug, thiserror::Error)]
#[error("can't publish: {0}")]
pub struct PublishError(String);

impl PublishError {
    pub(crate) const fn new(reason: String) -> Self {
        Self(reason)
    }
}

/// The publishing side of a service's broker connection; connects when first used and again after a fault.
#[derive(Clone)]
pub struct Publisher {
    broker: Broker,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    failures: u32,
    retry_at: Option<Instant>,
}

struct Live {
    link: Link,
    declared: HashSet<String>,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination<'a> {
    /// A service's exchange, which is declared before.
    Exchange(&'a str),
    /// Where a queue's dead letters go: its consumer has declared it.
    DeadLetters(&'a str),
    /// The queue that the routing key names, by the default exchange.
    Queue,
}

/// A message on its way out.
pub(crate) struct Outgoing<'a> {
    pub(crate) message_id: String,
    pub(crate) to: Destination<'a>,
    pub(crate) routing_key: ShortString,
    pub(crate) mandatory: bool,
    pub(crate) headers: FieldTable,
    pub(crate) payload: &'a [u8],
}

impl<'a> Outgoing<'a> {
    /// An event's message. Its trace header names `publishing`, the span that sends it, if that is traced; the
    /// envelope keeps the cause.
    pub(crate) fn event(row: &'a OutboxRow, publishing: Option<String>) -> Self {
        let stored = |name: &str| row.headers.get(name).and_then(serde_json::Value::as_str);
        let mut headers = FieldTable::default();
        let traceparent = publishing.or_else(|| stored(trace::HEADER).map(str::to_owned));
        let correlation_id = stored("correlationid").map(str::to_owned);
        for (name, value) in [(trace::HEADER, traceparent), ("correlationid", correlation_id)] {
            if let Some(value) = value {
                headers.insert(name.into(), AMQPValue::LongString(value.into()));
            }
        }
        Self {
            message_id: EventId::from_uuid(row.id).to_string(),
            to: Destination::Exchange(&row.exchange),
            routing_key: row.routing_key.as_str().into(),
            mandatory: row.mandatory,
            headers,
            payload: row.payload.as_bytes(),
        }
    }

    fn properties(&self) -> BasicProperties {
        BasicProperties::default()
            .with_message_id(self.message_id.as_str().into())
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_headers(self.headers.clone())
    }
}

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Confirmed, and in a queue if it had to be.
    Published,
    /// No queue is bound for it.
    Unroutable,
    /// The broker refused to store it.
    Refused,
    /// Unknown: the connection broke or the time was up.
    Unknown,
}

impl Publisher {
    pub(crate) fn new(broker: Broker) -> Self {
        Self {
            broker,
            state: Arc::default(),
        }
    }

    /// Shows in readiness that there will be a connection.
    pub(crate) fn starting(&self) {
        self.broker.health.starting(ROLE);
    }

    /// Makes sure that there is a connection; fails at once while the backoff after a fault lasts.
    pub(crate) async fn ready(&self) -> Result<(), PublishError> {
        let mut state = self.state.lock().await;
        self.connected(&mut state).await?;
        Ok(())
    }

    /// Publishes a batch and waits for its confirms; the answers are in the batch's order.
    pub(crate) async fn publish(&self, batch: &[Outgoing<'_>]) -> Result<Vec<Outcome>, PublishError> {
        let mut state = self.state.lock().await;
        let live = self.connected(&mut state).await?;
        let sent = send(live, &self.broker, batch).await;
        if let Some(error) = sent.error {
            self.broken(&mut state, &error);
        }
        Ok(sent.outcomes)
    }

    pub(crate) async fn close(&self) {
        if let Some(live) = self.state.lock().await.live.take() {
            live.link.close().await;
        }
    }

    async fn connected<'s>(&self, state: &'s mut State) -> Result<&'s mut Live, PublishError> {
        if state.live.as_ref().is_some_and(|live| !live.link.is_up()) {
            self.broken(state, &"connection lost");
        }
        if state.live.is_none() {
            if state.retry_at.is_some_and(|at| Instant::now() < at) {
                return Err(PublishError("waiting to connect again".to_owned()));
            }
            match self.open().await {
                Ok(live) => {
                    state.live = Some(live);
                    state.failures = 0;
                    self.broker.health.up(ROLE);
                }
                Err(error) => {
                    self.broken(state, &error);
                    return Err(PublishError(error.to_string()));
                }
            }
        }
        state
            .live
            .as_mut()
            .ok_or_else(|| PublishError("no connection".to_owned()))
    }

    async fn open(&self) -> Result<Live, LinkError> {
        let confirm = async |channel: &Channel| channel.confirm_select(ConfirmSelectOptions::default()).await;
        let (link, ()) = self.broker.open(ROLE, confirm).await?;
        Ok(Live {
            link,
            declared: HashSet::new(),
        })
    }

    fn broken(&self, state: &mut State, reason: &dyn std::fmt::Display) {
        tracing::warn!(role = ROLE, attempt = state.failures, error = %reason, "lost the broker");
        state.live = None;
        state.retry_at = Some(Instant::now() + reconnect_delay(state.failures));
        state.failures += 1;
        self.broker.health.down(ROLE, reason);
        metrics::reconnects(ROLE);
    }
}

struct Sent {
    outcomes: Vec<Outcome>,
    error: Option<String>,
}

impl Sent {
    fn nothing(batch: &[Outgoing<'_>], error: String) -> Self {
        Self {
            outcomes: vec![Outcome::Unknown; batch.len()],
            error: Some(error),
        }
    }
}

async fn send(live: &mut Live, broker: &Broker, batch: &[Outgoing<'_>]) -> Sent {
    let deadline = tokio::time::Instant::now() + CONFIRM_TIMEOUT;
    let mut error = None;
    let confirms = match timeout_at(deadline, hand_over(live, broker, batch)).await {
        Ok(Ok(confirms)) => confirms,
        Ok(Err(fault)) => return Sent::nothing(batch, fault.to_string()),
        Err(_) => return Sent::nothing(batch, "publishing timed out".to_owned()),
    };
    crash_point!("published", batch[0].routing_key);
    let mut confirmations = Vec::with_capacity(batch.len());
    for confirm in confirms {
        let confirmation = match confirm {
            Ok(confirm) => timeout_at(deadline, confirm).await,
            Err(fault) => Ok(Err(fault)),
        };
        confirmations.push(match confirmation {
            Ok(Ok(confirmation)) => Some(confirmation),
            Ok(Err(fault)) => {
                error.get_or_insert_with(|| fault.to_string());
                None
            }
            Err(_) => {
                error.get_or_insert_with(|| "a confirm timed out".to_owned());
                None
            }
        });
    }
    Sent {
        outcomes: judge(batch, &confirmations),
        error,
    }
}

/// Hands the whole batch to the connection's thread before it waits for any of it: one wake-up and one write
/// instead of one for each message.
async fn hand_over(
    live: &mut Live,
    broker: &Broker,
    batch: &[Outgoing<'_>],
) -> Result<Vec<Result<PublisherConfirm, lapin::Error>>, lapin::Error> {
    let channel = &live.link.channel;
    for message in batch {
        let Destination::Exchange(exchange) = message.to else {
            continue;
        };
        if !live.declared.contains(exchange) {
            topology::declare_exchange(channel, &broker.names, exchange).await?;
            live.declared.insert(exchange.to_owned());
        }
    }
    Ok(join_all(batch.iter().map(|message| {
        let exchange = match message.to {
            Destination::Exchange(exchange) => broker.names.of(exchange),
            Destination::DeadLetters(queue) => broker.names.dead_letters(queue),
            Destination::Queue => "".into(),
        };
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            immediate: false,
        };
        channel.basic_publish(
            exchange,
            message.routing_key.clone(),
            options,
            message.payload,
            message.properties(),
        )
    }))
    .await)
}

fn judge(batch: &[Outgoing<'_>], confirmations: &[Option<Confirmation>]) -> Vec<Outcome> {
    let returned: HashSet<&str> = confirmations
        .iter()
        .filter_map(|confirmation| match confirmation {
            Some(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) => message
                .delivery
                .properties
                .message_id()
                .as_ref()
                .map(ShortString::as_str),
            _ => None,
        })
        .collect();
    batch
        .iter()
        .zip(confirmations)
        .map(|(message, confirmation)| match confirmation {
            _ if returned.contains(message.message_id.as_str()) && !bug!("unroutable_published") => {
                Outcome::Unroutable
            }
            Some(Confirmation::Ack(_)) => Outcome::Published,
            Some(Confirmation::Nack(_)) => Outcome::Refused,
            Some(Confirmation::NotRequested) | None => Outcome::Unknown,
        })
        .collect()
}
