//! Which events webhook hears. Each is an event type that an endpoint can ask for.

use async_trait::async_trait;
use contracts::{order, payment};
use event_bus::{Handle, HandleError, Message, QueueSpec};
use sqlx::PgConnection;

use crate::app::App;

/// What order tells.
pub const ORDER_EVENTS: QueueSpec = QueueSpec {
    queue: "webhook.order-events",
    bindings: &[
        (order::EXCHANGE, "order.created.v1"),
        (order::EXCHANGE, "order.status_changed.v1"),
    ],
};

/// What payment tells.
pub const PAYMENT_EVENTS: QueueSpec = QueueSpec {
    queue: "webhook.payment-events",
    bindings: &[(payment::EXCHANGE, "refund.completed.v1")],
};

/// The door for events.
pub struct Door(pub App);

#[async_trait]
impl Handle for Door {
    async fn handle(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        self.0.hear(tx, message).await
    }

    async fn after_commit(&self) {
        self.0.wake();
    }
}
