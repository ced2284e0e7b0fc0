//! What payment answers and publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{EventData, Money, OrderId, PaymentId, RefundId, UserId};

/// Exchange of payment's events.
pub const EXCHANGE: &str = "payment.events";

/// Reason key of the refund of money that arrived after its order was cancelled. Order and payment both use it,
/// so that both together refund once.
pub const REASON_LATE_PAYMENT: &str = "late_payment";
/// Reason key of the refund of an order whose stock could neither be confirmed nor held again.
pub const REASON_STOCK_GONE: &str = "stock_gone";

/// Body of `PUT /payments/{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartPayment {
    /// The buyer, who alone (beside staff) may see the payment. Data from order, never an authority here.
    pub user_id: UserId,
    /// The order's exact total.
    pub amount: Money,
    /// The provider's payment method, such as `pm_card_visa`. Never card data.
    pub method: String,
}

/// Answer of `PUT` and `GET /payments/{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: PaymentState,
    /// What is to be paid.
    pub amount: Money,
    /// Why the provider declined, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentState {
    /// Recorded; the provider has not decided.
    Initiated,
    /// The money is ours.
    Captured,
    /// The provider declined.
    Failed,
    /// Given up before capture.
    Voided,
    /// A refund was asked for and is not through yet.
    RefundPending,
    /// All of it went back.
    Refunded,
    /// A part of it went back.
    PartiallyRefunded,
}

/// Answer of `POST /payments/{order_id}/void`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidView {
    /// How the race between void and capture ended.
    pub outcome: VoidOutcome,
}

/// How a void ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VoidOutcome {
    /// No money is or will be kept (voided, failed before, or never started).
    Voided,
    /// The money was captured first: refund it.
    AlreadyCaptured,
}

/// Body of `POST /payments/{order_id}/refunds/{reason}`. The reason is the idempotency key: `[a-z0-9_]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRefund {
    /// How much; all that is left if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Answer of `POST /payments/{order_id}/refunds/{reason}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    /// The refund.
    pub refund_id: RefundId,
    /// The refunded order.
    pub order_id: OrderId,
    /// How much goes back.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundState,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundState {
    /// Asked of the provider.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider refused; needs a person.
    Failed,
}

/// The money was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSucceeded {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
    /// What was captured.
    pub amount: Money,
    /// When.
    pub captured_at: DateTime<Utc>,
    /// Whether it came after the payment was voided; it is being refunded as [`REASON_LATE_PAYMENT`].
    #[serde(default)]
    pub late: bool,
}

/// The provider declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
    /// The provider's code, such as `insufficient_funds`.
    pub decline_code: String,
}

/// A refund is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundCompleted {
    /// The refund.
    pub refund_id: RefundId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// The refunded order.
    pub order_id: OrderId,
    /// How much went back.
    pub amount: Money,
    /// The reason key it was asked for with.
    pub reason: String,
    /// Whether nothing captured is left.
    pub fully_refunded: bool,
}

macro_rules! payment_event {
    ($name:ident, $kind:literal) => {
        impl EventData for $name {
            const TYPE: &'static str = $kind;
            const EXCHANGE: &'static str = EXCHANGE;

            fn subject(&self) -> String {
                self.order_id.to_string()
            }
        }
    };
}

payment_event!(PaymentSucceeded, "payment.succeeded.v1");
payment_event!(PaymentFailed, "payment.failed.v1");
payment_event!(RefundCompleted, "refund.completed.v1");
