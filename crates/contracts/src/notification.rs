//! What notification publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::order::CancelReason;
use crate::{EventData, Money, NotificationId, OrderId, UserId};

/// Exchange of notification's events.
pub const EXCHANGE: &str = "notification.events";

/// Somebody was told something in the shop. Carries no address; `aggregateversion` rises within a user's
/// notifications, with gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationCreated {
    /// The notification.
    pub notification_id: NotificationId,
    /// Who is told.
    pub user_id: UserId,
    /// The order it is about.
    pub order_id: OrderId,
    /// What is told.
    pub kind: NotificationKind,
    /// Why the order was cancelled, if that is what is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// How much is to be paid or went back, if that is what is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// What people are told about their orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationKind {
    /// The order is durable.
    OrderReceived,
    /// It is paid, and its units are the buyer's.
    OrderPaid,
    /// It was given up.
    OrderCancelled,
    /// It is on its way.
    OrderShipped,
    /// It is with the buyer.
    OrderDelivered,
    /// Money went back.
    RefundCompleted,
}

impl EventData for NotificationCreated {
    const TYPE: &'static str = "notification.created.v1";
    const EXCHANGE: &'static str = EXCHANGE;
    const MANDATORY: bool = false;

    /// The user: whoever shows notifications listens for one person's.
    fn subject(&self) -> String {
        self.user_id.to_string()
    }
}
