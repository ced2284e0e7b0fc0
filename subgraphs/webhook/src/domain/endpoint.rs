//! Where events are sent, and which.

use chrono::{DateTime, Utc};
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use contracts::{EventData, WebhookEndpointId};

/// Most characters of a description.
pub const MAX_DESCRIPTION: usize = 500;

/// Where events are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// The address.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// What it is told.
    pub event_types: Vec<EventType>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why we switched it off.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What an endpoint can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// An order was accepted.
    OrderCreated,
    /// An order went one step on.
    OrderStatusChanged,
    /// Money went back.
    RefundCompleted,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::OrderCreated,
        Self::OrderStatusChanged,
        Self::RefundCompleted,
    ];

    /// As it stands in a body, and as the broker routes it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::OrderCreated => OrderCreated::TYPE,
            Self::OrderStatusChanged => OrderStatusChanged::TYPE,
            Self::RefundCompleted => RefundCompleted::TYPE,
        }
    }

    /// The type of an event, if an endpoint can ask for it.
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.kind() == kind)
    }
}
