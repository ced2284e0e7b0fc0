//! Names and declarations on the broker: topic exchanges, quorum queues, and a parking queue behind a dead-letter
//! exchange for each.
//!
//! The broker's definitions name all of it (`crates/dev-stack/src/topology.json`, the same in a deployment). A service
//! declares again what is its own, and of that only what can never change: names and `x-queue-type`. Dead-lettering,
//! delivery limit and lengths are the broker's policies, because a queue's arguments can't be changed later. What is
//! another service's it may not declare: whoever may declare may delete.

use lapin::Channel;
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// A queue of one (service, purpose), and what it hears.
#[derive(Debug, Clone, Copy)]
pub struct QueueSpec {
    /// Such as `order.payment-events`; also the consumer's name in the inbox.
    pub queue: &'static str,
    /// Pairs of exchange and routing key.
    pub bindings: &'static [(&'static str, &'static str)],
}

/// Turns names into those on the broker: tests share a broker, each under its own prefix.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    service: &'static str,
    prefix: String,
}

impl Names {
    pub(crate) fn new(service: &'static str, prefix: &str) -> Self {
        Self {
            service,
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn of(&self, name: &str) -> ShortString {
        format!("{}{name}", self.prefix).into()
    }

    pub(crate) fn parking(&self, queue: &str) -> ShortString {
        format!("{}{queue}.parked", self.prefix).into()
    }

    pub(crate) fn dead_letters(&self, queue: &str) -> ShortString {
        format!("{}{queue}.dlx", self.prefix).into()
    }

    /// Whether the service declares it. With a prefix everything: nothing defines what is a test's.
    fn declares(&self, exchange: &str) -> bool {
        let own = exchange.strip_prefix(self.service);
        self.temporary() || own.is_some_and(|rest| rest.starts_with('.'))
    }

    /// What carries a prefix goes away by itself.
    fn temporary(&self) -> bool {
        !self.prefix.is_empty()
    }
}

/// Milliseconds after which an unused queue of a test disappears.
const TEST_QUEUE_EXPIRES_MS: u32 = 120_000;

/// Declares the service's own exchange, and makes sure that there is another's.
pub(crate) async fn declare_exchange(channel: &Channel, names: &Names, exchange: &str) -> lapin::Result<()> {
    let passive = !names.declares(exchange);
    declare(channel, names, names.of(exchange), ExchangeKind::Topic, passive).await
}

async fn declare(
    channel: &Channel,
    names: &Names,
    name: ShortString,
    kind: ExchangeKind,
    passive: bool,
) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        passive,
        durable: true,
        auto_delete: names.temporary(),
        ..Default::default()
    };
    channel
        .exchange_declare(name, kind, options, FieldTable::default())
        .await
}

/// Declares a queue with its parking queue, and binds both.
pub(crate) async fn declare_queue(channel: &Channel, names: &Names, spec: &QueueSpec) -> lapin::Result<()> {
    let dead_letters = names.dead_letters(spec.queue);
    declare(channel, names, dead_letters.clone(), ExchangeKind::Fanout, false).await?;
    declare_quorum(channel, names, names.parking(spec.queue)).await?;
    bind(channel, names.parking(spec.queue), dead_letters, "").await?;
    declare_quorum(channel, names, names.of(spec.queue)).await?;
    for (exchange, routing_key) in spec.bindings {
        declare_exchange(channel, names, exchange).await?;
        bind(channel, names.of(spec.queue), names.of(exchange), routing_key).await?;
    }
    Ok(())
}

async fn declare_quorum(channel: &Channel, names: &Names, queue: ShortString) -> lapin::Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    if names.temporary() {
        arguments.insert("x-expires".into(), AMQPValue::LongUInt(TEST_QUEUE_EXPIRES_MS));
    }
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel.queue_declare(queue, options, arguments).await?;
    Ok(())
}

/// Declares a queue that lives and dies with this connection.
pub(crate) async fn declare_own(
    channel: &Channel,
    names: &Names,
    exchange: &str,
    routing_key: &str,
) -> lapin::Result<ShortString> {
    declare_exchange(channel, names, exchange).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..Default::default()
    };
    let queue = channel
        .queue_declare("".into(), options, FieldTable::default())
        .await?
        .name()
        .clone();
    bind(channel, queue.clone(), names.of(exchange), routing_key).await?;
    Ok(queue)
}

async fn bind(
    channel: &Channel,
    queue: ShortString,
    exchange: ShortString,
    routing_key: &str,
) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(
            queue,
            exchange,
            routing_key.into(),
            options,
            FieldTable::default(),
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_declares_its_own_and_a_test_everything() {
        let (order, test) = (Names::new("order", ""), Names::new("order", "test.1."));
        for (exchange, own) in [
            ("order.events", true),
            ("payment.events", false),
            ("orders.events", false),
            ("order", false),
        ] {
            assert_eq!(order.declares(exchange), own, "{exchange}");
            assert!(test.declares(exchange), "{exchange}");
        }
    }
}
