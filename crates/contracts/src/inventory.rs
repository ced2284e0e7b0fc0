//! What inventory answers and publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{EventData, OrderId, Sku};

/// Exchange of inventory's events.
pub const EXCHANGE: &str = "inventory.events";

/// Body of `PUT /reservations/{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveStock {
    /// What to hold; each SKU once.
    pub lines: Vec<ReservationLine>,
    /// Seconds until the hold expires by itself.
    pub ttl_s: u32,
}

/// Body of `PUT /reservations/{order_id}/returns/{number}`: sold units that are on the shelf again. Order and number are
/// the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnStock {
    /// What came back; each SKU once.
    pub lines: Vec<ReservationLine>,
}

/// A SKU and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationLine {
    /// The SKU.
    pub sku: Sku,
    /// How many, 1 or more.
    pub quantity: u32,
}

/// Answer of every reservation call: its state now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    /// The order it is for.
    pub order_id: OrderId,
    /// Its state.
    pub state: ReservationState,
    /// When a hold ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Where a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationState {
    /// Units are set aside until `expires_at`.
    Held,
    /// Units are sold.
    Confirmed,
    /// Units went back; also what a tombstone answers.
    Released,
    /// The hold ended by itself.
    Expired,
    /// Sold units came back after a refund.
    Restocked,
}

/// A hold ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationExpired {
    /// The order it was for.
    pub order_id: OrderId,
    /// When it expired, by inventory's database.
    pub expired_at: DateTime<Utc>,
}

impl EventData for ReservationExpired {
    const TYPE: &'static str = "reservation.expired.v1";
    const EXCHANGE: &'static str = EXCHANGE;

    fn subject(&self) -> String {
        self.order_id.to_string()
    }
}
