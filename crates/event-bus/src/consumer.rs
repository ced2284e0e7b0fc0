//! Store and acknowledge: a delivery is acknowledged once it is committed to the inbox, and not before.
//!
//! While PostgreSQL is down the deliveries stay unacknowledged and the prefetch limit holds back the rest; nothing
//! is rejected, so delivery limits and redelivery storms don't matter.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{FutureExt, try_join_all};
use futures::stream::StreamExt;
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use service_kit::{Backoff, bug, crash_point};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::inbox;
use crate::link::{Broker, LinkError};
use crate::message::Message;
use crate::parking::{self, Parked};
use crate::{Publisher, QueueSpec, metrics, topology, worker};

const PREFETCH: u16 = 100;
const STORE_RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(3),
};

/// A queue being consumed.
pub(crate) struct Consumer {
    pub(crate) broker: Broker,
    pub(crate) publisher: Publisher,
    pub(crate) pool: PgPool,
    pub(crate) spec: QueueSpec,
    pub(crate) shutdown: CancellationToken,
}

impl Consumer {
    pub(crate) fn role(spec: &QueueSpec) -> String {
        format!("consume {}", spec.queue)
    }

    /// Connects and consumes until a fault (an error) or shutdown.
    pub(crate) async fn session(self: Arc<Self>) -> Result<(), LinkError> {
        let role = Self::role(&self.spec);
        let subscribe = async |channel: &Channel| {
            topology::declare_queue(channel, &self.broker.names, &self.spec).await?;
            channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
            let queue = self.broker.names.of(self.spec.queue);
            let options = BasicConsumeOptions::default();
            channel
                .basic_consume(queue, "".into(), options, FieldTable::default())
                .await
        };
        let (link, mut deliveries) = self.broker.open(&role, subscribe).await?;
        self.broker.health.up(&role);
        loop {
            let first = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {
                    // Unacknowledged deliveries go back to the queue with the connection.
                    link.close().await;
                    return Ok(());
                }
                first = deliveries.next() => first.ok_or(LinkError::Cancelled)??,
            };
            let mut batch = vec![first];
            // All that is ready, so that one commit covers it.
            while batch.len() < usize::from(PREFETCH) {
                match deliveries.next().now_or_never() {
                    Some(Some(delivery)) => batch.push(delivery?),
                    Some(None) | None => break,
                }
            }
            self.take(&batch).await?;
        }
    }

    async fn take(&self, batch: &[Delivery]) -> Result<(), LinkError> {
        let mut messages = Vec::with_capacity(batch.len());
        let mut parked = Vec::new();
        // Each ends when the batch is stored and acknowledged.
        let mut receiving = Vec::with_capacity(batch.len());
        for delivery in batch {
            match Message::delivered(delivery) {
                Ok(mut message) => {
                    receiving.push(message.received(self.spec.queue));
                    messages.push(message);
                }
                Err(error) => parked.push(Parked::new(delivery, error.to_string())),
            }
        }
        let early = bug!("ack_before_commit");
        if early {
            try_join_all(batch.iter().map(acknowledge)).await?;
            // Until the broker has it: a crash must not undo the bug.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        crash_point!("delivered", self.spec.queue);
        parked.extend(self.store(batch, messages).await?);
        self.park(&parked).await?;
        crash_point!("stored", self.spec.queue);
        if !early {
            try_join_all(batch.iter().map(acknowledge)).await?;
        }
        drop(receiving);
        worker::wake(self.spec.queue);
        Ok(())
    }

    /// Stores until it succeeds; answers what PostgreSQL will never take.
    async fn store<'d>(
        &self,
        batch: &'d [Delivery],
        messages: Vec<Message>,
    ) -> Result<Vec<Parked<'d>>, LinkError> {
        let mut attempt = 0;
        loop {
            let stored = inbox::store(&self.pool, self.spec.queue, &messages).await;
            let error = match stored.map_err(pg_kit::count_error) {
                Ok(new) => {
                    let count = messages.len() as u64;
                    metrics::consumed(self.spec.queue, "stored", new);
                    metrics::consumed(self.spec.queue, "duplicate", count.saturating_sub(new));
                    return Ok(Vec::new());
                }
                Err(error) => error,
            };
            if is_about_the_data(&error) {
                return self.store_singly(batch, messages).await;
            }
            tracing::warn!(queue = self.spec.queue, %error, "deliveries wait for the inbox");
            self.pause(attempt).await?;
            attempt += 1;
        }
    }

    /// One of the messages offends PostgreSQL: finds out which.
    async fn store_singly<'d>(
        &self,
        batch: &'d [Delivery],
        messages: Vec<Message>,
    ) -> Result<Vec<Parked<'d>>, LinkError> {
        let mut parked = Vec::new();
        for message in messages {
            let one = std::slice::from_ref(&message);
            let mut attempt = 0;
            while let Err(error) = inbox::store(&self.pool, self.spec.queue, one)
                .await
                .map_err(pg_kit::count_error)
            {
                if is_about_the_data(&error) {
                    let same = |delivery: &&Delivery| {
                        Message::decode(&delivery.data).is_ok_and(|other| other.id == message.id)
                    };
                    let deliveries = batch.iter().filter(same);
                    parked.extend(deliveries.map(|delivery| Parked::new(delivery, error.to_string())));
                    break;
                }
                self.pause(attempt).await?;
                attempt += 1;
            }
        }
        Ok(parked)
    }

    async fn park(&self, parked: &[Parked<'_>]) -> Result<(), LinkError> {
        let mut attempt = 0;
        while !parked.is_empty() {
            match parking::park(&self.publisher, self.spec.queue, parked).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(queue = self.spec.queue, %error, "poison waits to be parked"),
            }
            self.pause(attempt).await?;
            attempt += 1;
        }
        metrics::consumed(self.spec.queue, "parked", parked.len() as u64);
        Ok(())
    }

    /// Waits, or gives the deliveries back at shutdown.
    async fn pause(&self, attempt: u32) -> Result<(), LinkError> {
        let wait = tokio::time::sleep(STORE_RETRY.delay(attempt));
        self.shutdown
            .run_until_cancelled(wait)
            .await
            .ok_or(LinkError::Cancelled)
    }
}

async fn acknowledge(delivery: &Delivery) -> Result<(), LinkError> {
    if delivery.acker.ack(BasicAckOptions::default()).await? {
        Ok(())
    } else {
        Err(LinkError::StaleDelivery)
    }
}

/// SQLSTATE class 22 (data exception) or 54 (too large): repeating won't help.
fn is_about_the_data(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("54"))
}
