//! An order as it was placed: what was bought, by whom, for how much.

use std::fmt;

use chrono::{DateTime, Utc};
use contracts::order::{CancelReason, OrderStatus};
use contracts::{Money, OrderId, ProductId, Sku, UserId, VariantId};

use super::State;

/// The short number people say on the telephone, such as `M-100001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderNumber(pub i64);

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M-{}", self.0)
    }
}

/// An order without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: OrderNumber,
    /// The buyer.
    pub user_id: UserId,
    /// Where it is.
    pub state: State,
    /// Rises by one with every step; equals the sequence of its last event.
    pub version: i64,
    /// What is paid for it.
    pub total: Money,
    /// Why it was cancelled, once it is.
    pub cancel_reason: Option<CancelReason>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
}

impl Order {
    /// What the public sees of its state.
    pub const fn status(&self) -> OrderStatus {
        self.state.public(self.cancel_reason)
    }
}

/// One line: a snapshot of what was bought at the price of that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the order, from 1.
    pub line_no: i32,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: Sku,
    /// What it was called.
    pub title: String,
    /// The price of one.
    pub unit_price: Money,
    /// How many, 1 or more.
    pub quantity: u32,
}

impl Line {
    /// Price times quantity. It was checked for overflow when the order was placed.
    pub fn total(&self) -> Money {
        self.unit_price
            .times(self.quantity)
            .unwrap_or(Money::new(i64::MAX, self.unit_price.currency))
    }
}
