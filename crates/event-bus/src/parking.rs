//! The parking queue of a queue: deliveries that are no events, kept with the reason until an operator decides.

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ErrorKind};

use crate::link::{Broker, Link, LinkError};
use crate::publisher::{Destination, Outcome, Outgoing};
use crate::{PublishError, Publisher};

const REASON: &str = "x-mercato-reason";
const REASON_MAX: usize = 500;

/// Why the parking queue could not be looked at or emptied.
#[derive(Debug, thiserror::Error)]
#[error("parking queue {queue}: {reason}")]
pub struct ParkingError {
    queue: String,
    reason: String,
    missing: bool,
}

impl ParkingError {
    /// Whether there is no such queue: its consumer has never been connected.
    pub const fn is_missing(&self) -> bool {
        self.missing
    }
}

/// A parked message, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    /// The broker's id of the message, if its publisher gave one.
    pub message_id: Option<String>,
    /// Why it was parked.
    pub reason: Option<String>,
    /// The body, as far as it is text.
    pub body: String,
}

/// A delivery on its way to the parking queue.
pub(crate) struct Parked<'d> {
    delivery: &'d Delivery,
    reason: String,
}

impl<'d> Parked<'d> {
    pub(crate) fn new(delivery: &'d Delivery, reason: String) -> Self {
        Self {
            delivery,
            reason: reason.chars().take(REASON_MAX).collect(),
        }
    }
}

/// Publishes to the parking queue, by the dead-letter exchange of the queue: a service may not use the default one.
/// On success every one of them is there.
pub(crate) async fn park(
    publisher: &Publisher,
    queue: &str,
    parked: &[Parked<'_>],
) -> Result<(), PublishError> {
    let batch: Vec<_> = parked
        .iter()
        .enumerate()
        .map(|(index, parked)| {
            tracing::error!(
                queue,
                reason = parked.reason,
                "parked a delivery that is not an event"
            );
            let mut headers = parked.delivery.properties.headers().clone().unwrap_or_default();
            headers.insert(
                REASON.into(),
                AMQPValue::LongString(parked.reason.as_str().into()),
            );
            let own = parked.delivery.properties.message_id().as_ref();
            Outgoing {
                message_id: own.map_or_else(|| format!("parked-{index}"), ToString::to_string),
                to: Destination::DeadLetters(queue),
                routing_key: "".into(),
                mandatory: true,
                headers,
                payload: &parked.delivery.data,
            }
        })
        .collect();
    all_published(&publisher.publish(&batch).await?)
}

fn all_published(outcomes: &[Outcome]) -> Result<(), PublishError> {
    match outcomes.iter().find(|outcome| **outcome != Outcome::Published) {
        None => Ok(()),
        Some(outcome) => Err(PublishError::new(format!("{outcome:?}"))),
    }
}

/// Looks at up to `limit` parked messages and leaves them where they are.
pub(crate) async fn list(
    broker: &Broker,
    queue: &str,
    limit: usize,
) -> Result<Vec<ParkedMessage>, ParkingError> {
    let look = async {
        let link = open(broker).await?;
        let mut seen = Vec::new();
        while seen.len() < limit {
            let Some(delivery) = get(&link.channel, broker, queue).await? else {
                break;
            };
            seen.push(ParkedMessage {
                message_id: delivery.properties.message_id().as_ref().map(ToString::to_string),
                reason: reason(&delivery),
                body: String::from_utf8_lossy(&delivery.data).into_owned(),
            });
        }
        // Nothing was acknowledged: closing puts all back.
        link.close().await;
        Ok::<_, LinkError>(seen)
    };
    look.await.map_err(|error| unreachable(queue, &error))
}

/// Sends up to `limit` parked messages to their queue again, after a repair; answers how many. By the default exchange,
/// as an operator may: nobody else should hear them twice.
pub(crate) async fn replay(
    broker: &Broker,
    publisher: &Publisher,
    queue: &str,
    limit: usize,
) -> Result<usize, ParkingError> {
    let link = open(broker).await.map_err(|error| failed(queue, &error))?;
    let mut replayed = 0;
    while replayed < limit {
        let got = get(&link.channel, broker, queue)
            .await
            .map_err(|error| unreachable(queue, &error))?;
        let Some(delivery) = got else { break };
        let headers = without_reason(&delivery);
        let own = delivery.properties.message_id().as_ref();
        let again = Outgoing {
            message_id: own.map_or_else(|| "replayed".to_owned(), ToString::to_string),
            to: Destination::Queue,
            routing_key: broker.names.of(queue),
            mandatory: true,
            headers,
            payload: &delivery.data,
        };
        let outcomes = publisher
            .publish(&[again])
            .await
            .map_err(|error| failed(queue, &error))?;
        all_published(&outcomes).map_err(|error| failed(queue, &error))?;
        delivery
            .acker
            .ack(BasicAckOptions::default())
            .await
            .map_err(|error| failed(queue, &error))?;
        replayed += 1;
    }
    link.close().await;
    Ok(replayed)
}

/// How many messages are parked.
pub(crate) async fn count(broker: &Broker, queue: &str) -> Result<u32, ParkingError> {
    let look = async {
        let link = open(broker).await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let state = link
            .channel
            .queue_declare(broker.names.parking(queue), options, FieldTable::default())
            .await?;
        let count = state.message_count();
        link.close().await;
        Ok::<_, LinkError>(count)
    };
    look.await.map_err(|error| unreachable(queue, &error))
}

/// A connection for one question; nothing is declared on it.
async fn open(broker: &Broker) -> Result<Link, LinkError> {
    let (link, ()) = broker.open("parking", async |_| Ok(())).await?;
    Ok(link)
}

async fn get(channel: &Channel, broker: &Broker, queue: &str) -> Result<Option<Delivery>, LinkError> {
    let got = channel
        .basic_get(broker.names.parking(queue), BasicGetOptions::default())
        .await?;
    Ok(got.map(|message| message.delivery))
}

fn without_reason(delivery: &Delivery) -> FieldTable {
    let mut kept = FieldTable::default();
    if let Some(headers) = delivery.properties.headers() {
        for (name, value) in headers.inner().iter().filter(|(name, _)| name.as_str() != REASON) {
            kept.insert(name.clone(), value.clone());
        }
    }
    kept
}

fn reason(delivery: &Delivery) -> Option<String> {
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get(REASON)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn failed(queue: &str, error: &dyn std::fmt::Display) -> ParkingError {
    ParkingError {
        queue: queue.to_owned(),
        reason: error.to_string(),
        missing: false,
    }
}

fn unreachable(queue: &str, error: &LinkError) -> ParkingError {
    let missing = match error {
        LinkError::Broker(error) => match error.kind() {
            ErrorKind::ProtocolError(error) => {
                matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
            }
            _ => false,
        },
        _ => false,
    };
    ParkingError {
        missing,
        ..failed(queue, error)
    }
}
