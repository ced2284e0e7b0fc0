//! A part of a RabbitMQ for a test.

use service_kit::Secret;

use crate::servers::{amqp_url, unique};

/// A prefix nobody else uses, on a shared RabbitMQ: give it to `Bus::connect_with`. A virtual host per test would
/// need `rabbitmqctl`, which takes seconds. What carries the prefix disappears two minutes after its last use.
pub struct TestAmqp {
    /// The server's address.
    pub url: String,
    /// To stand before every exchange's and queue's name.
    pub prefix: String,
}

impl TestAmqp {
    /// Its address as a configuration takes it.
    pub fn secret(&self) -> Secret {
        Secret::new(self.url.clone())
    }
}

/// Names of its own.
pub async fn amqp() -> TestAmqp {
    TestAmqp {
        url: amqp_url().await,
        prefix: format!("test.{}.", unique()),
    }
}
