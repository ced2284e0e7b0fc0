//! Which events analytics hears. What each counts for is in [`crate::domain`].

use async_trait::async_trait;
use contracts::{order, payment};
use event_bus::{Handle, HandleError, Message, QueueSpec};
use sqlx::PgConnection;

use crate::app;

/// What order tells.
pub const ORDER_EVENTS: QueueSpec = QueueSpec {
    queue: "analytics.order-events",
    bindings: &[
        (order::EXCHANGE, "order.created.v1"),
        (order::EXCHANGE, "order.status_changed.v1"),
    ],
};

/// What payment tells.
pub const PAYMENT_EVENTS: QueueSpec = QueueSpec {
    queue: "analytics.payment-events",
    bindings: &[(payment::EXCHANGE, "refund.completed.v1")],
};

/// The door for events.
#[derive(Debug, Clone, Copy)]
pub struct Door;

#[async_trait]
impl Handle for Door {
    async fn handle(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        app::hear(tx, message).await
    }
}
