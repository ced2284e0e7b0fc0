//! An event on its way to an endpoint.

use chrono::{DateTime, Utc};
use contracts::{EventId, OrderId, WebhookDeliveryId, WebhookEndpointId};

/// An event on its way to an endpoint, or there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook-id of each of its tries.
    pub id: WebhookDeliveryId,
    /// Where it goes.
    pub endpoint: WebhookEndpointId,
    /// The event it tells.
    pub event: EventId,
    /// The type in its body.
    pub kind: String,
    /// The order it is about; none for a test.
    pub order: Option<OrderId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries that it had.
    pub attempts: u32,
    /// When it is tried next.
    pub next_try_at: DateTime<Utc>,
    /// What the last try was answered with.
    pub last_status: Option<u16>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be sent, or to be tried again.
    Pending,
    /// The endpoint has taken it.
    Delivered,
    /// Given up; a person may send it again.
    Dead,
}
