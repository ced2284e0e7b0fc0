//! What the broker keeps of messages that were no events.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};

/// Queues of order, each fed by the outbox of one service.
pub(crate) const PAYMENT_EVENTS: &str = "order.payment-events";
pub(crate) const INVENTORY_EVENTS: &str = "order.inventory-events";

const PATIENCE: Duration = Duration::from_mins(1);

/// Where the broker is.
#[derive(Clone)]
pub struct Broker {
    /// Its address, with an account that may read the parking queues.
    pub url: String,
    /// Stands before every queue's name; empty but in tests.
    pub prefix: String,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker(***, {:?})", self.prefix)
    }
}

impl Broker {
    /// How many different messages are parked; they stay where they are. A consumer parks at least once: cut off
    /// between parking a message and acknowledging it, it parks the same one again.
    pub(crate) async fn count_parked(&self) -> Result<i64> {
        let count = async {
            let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
            let mut count = 0;
            for queue in roster::QUEUES {
                let name = format!("{}{queue}.parked", self.prefix);
                let parked = names(&connection.create_channel().await?, &name).await;
                count += parked.with_context(|| name)?.len();
            }
            // All is counted, however it ends: a channel of it may be closing already, which is an error to lapin.
            connection.close(200, "done".into()).await.ok();
            anyhow::Ok(i64::try_from(count)?)
        };
        let counted = tokio::time::timeout(PATIENCE, count).await;
        counted.context("the broker does not answer").flatten()
    }
}

/// What tells one parked message from another: the id its publisher gave it, or else its body.
async fn names(channel: &Channel, queue: &str) -> Result<BTreeSet<Vec<u8>>> {
    let mut names = BTreeSet::new();
    let mut last = None;
    loop {
        let got = match channel.basic_get(queue.into(), BasicGetOptions::default()).await {
            Ok(got) => got,
            // Its consumer has never been connected.
            Err(error) if is_missing(&error) => return Ok(names),
            Err(error) => return Err(error.into()),
        };
        let Some(delivery) = got.map(|message| message.delivery) else {
            break;
        };
        let id = delivery.properties.message_id().as_ref();
        names.insert(id.map_or_else(|| delivery.data.clone(), |id| id.as_str().as_bytes().to_vec()));
        last = Some(delivery);
    }
    if let Some(last) = last {
        let all_back = BasicNackOptions {
            multiple: true,
            requeue: true,
        };
        last.acker.nack(all_back).await?;
    }
    Ok(names)
}

fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(reason)
        if *reason.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}
