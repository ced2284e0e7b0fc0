//! Which events order hears, and what it does with them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use contracts::{OrderId, inventory, payment};
use event_bus::{Handle, HandleError, Message, QueueSpec};
use sqlx::PgConnection;

use crate::app::App;
use crate::store::saga::Job;

/// What payment tells.
pub const PAYMENT_EVENTS: QueueSpec = QueueSpec {
    queue: "order.payment-events",
    bindings: &[
        (payment::EXCHANGE, "payment.succeeded.v1"),
        (payment::EXCHANGE, "payment.failed.v1"),
        (payment::EXCHANGE, "refund.completed.v1"),
    ],
};

/// What inventory tells.
pub const INVENTORY_EVENTS: QueueSpec = QueueSpec {
    queue: "order.inventory-events",
    bindings: &[(inventory::EXCHANGE, "reservation.expired.v1")],
};

/// Whose events a door lets in.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Of payment.
    Payment,
    /// Of inventory.
    Inventory,
}

/// The door for events: each becomes an input of a saga, in the transaction of its inbox row.
pub struct Door {
    app: App,
    source: Source,
    /// Sagas to go on with once the transaction is committed.
    after: Mutex<HashMap<OrderId, Job>>,
}

impl Door {
    /// A door for one source.
    pub fn new(app: App, source: Source) -> Self {
        Self {
            app,
            source,
            after: Mutex::default(),
        }
    }

    fn after(&self) -> std::sync::MutexGuard<'_, HashMap<OrderId, Job>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Handle for Door {
    async fn handle(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        let taken = match self.source {
            Source::Payment => self.app.apply_payment_event(tx, message).await,
            Source::Inventory => self.app.apply_inventory_event(tx, message).await,
        };
        match taken {
            Ok(Some(job)) => {
                self.after().insert(job.saga.order_id, job);
            }
            Ok(None) => {}
            // The transaction of the whole batch is undone.
            Err(error) => {
                self.after().clear();
                return Err(error);
            }
        }
        Ok(())
    }

    async fn after_commit(&self) {
        let jobs: Vec<_> = self.after().drain().map(|(_, job)| job).collect();
        self.app.go_on(jobs);
    }
}
