//! What order publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CategoryId, CouponCode, EventData, Money, OrderId, ProductId, Sku, UserId, VariantId};

/// Exchange of order's events.
pub const EXCHANGE: &str = "order.events";

/// An order was accepted and is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCreated {
    /// The order.
    pub order_id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// What is to be paid.
    pub total: Money,
    /// What was bought, at the prices of that moment.
    pub lines: Vec<OrderLineFact>,
    /// What a coupon takes off the sum of the lines; `total` is what remains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<DiscountFact>,
}

/// What a coupon takes off an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscountFact {
    /// The coupon's code.
    pub code: CouponCode,
    /// How much, in the order's currency.
    pub amount: Money,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLineFact {
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// What the product counted as at that moment; a product may move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<CategoryId>,
    /// Its SKU.
    pub sku: Sku,
    /// What it was called.
    pub title: String,
    /// The price of one.
    pub unit_price: Money,
    /// How many.
    pub quantity: u32,
}

/// An order moved one step. `aggregateversion` of the envelope equals `sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStatusChanged {
    /// The order.
    pub order_id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// The order's version after the step; rises by one each time.
    pub sequence: i64,
    /// What happened.
    pub step: OrderStep,
    /// The public status after it.
    pub status: OrderStatus,
    /// Why the order was cancelled, once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// When, by order's database.
    pub at: DateTime<Utc>,
}

/// The public status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Accepted; stock and payment are being arranged.
    Pending,
    /// Waiting for the payment to be decided.
    AwaitingPayment,
    /// Paid, and the stock is the buyer's.
    Paid,
    /// On its way.
    Shipped,
    /// With the buyer.
    Delivered,
    /// Given up; no money is kept.
    Cancelled,
    /// The money went back.
    Refunded,
}

/// What happened to an order, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStep {
    /// Accepted and durable.
    Created,
    /// Stock is being set aside.
    ReservingStock,
    /// Stock is set aside.
    StockReserved,
    /// There is not enough stock.
    StockRefused,
    /// The payment is being started.
    StartingPayment,
    /// The provider has the payment.
    PaymentStarted,
    /// The money was captured.
    PaymentCaptured,
    /// The provider declined.
    PaymentFailed,
    /// The units are sold.
    StockConfirmed,
    /// Done: paid, units sold.
    Paid,
    /// Being given up.
    Cancelling,
    /// The payment is void.
    PaymentVoided,
    /// The stock went back.
    StockReleased,
    /// Given up.
    Cancelled,
    /// The money is going back.
    Refunding,
    /// The money went back.
    Refunded,
    /// On its way.
    Shipped,
    /// With the buyer.
    Delivered,
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReason {
    /// Not enough stock.
    OutOfStock,
    /// The provider declined.
    PaymentDeclined,
    /// No payment before the deadline.
    PaymentTimeout,
    /// The buyer asked.
    Customer,
    /// An operator asked.
    Operator,
}

impl EventData for OrderCreated {
    const TYPE: &'static str = "order.created.v1";
    const EXCHANGE: &'static str = EXCHANGE;
    const MANDATORY: bool = false;

    fn subject(&self) -> String {
        self.order_id.to_string()
    }
}

impl EventData for OrderStatusChanged {
    const TYPE: &'static str = "order.status_changed.v1";
    const EXCHANGE: &'static str = EXCHANGE;
    const MANDATORY: bool = false;

    fn subject(&self) -> String {
        self.order_id.to_string()
    }
}
