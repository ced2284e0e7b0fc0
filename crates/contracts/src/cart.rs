//! What cart tells order.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CartId, CouponCode, Currency, OrderId, UserId, VariantId};

/// Answer of `GET /carts/{cart_id}`: what order needs to check out. Prices are asked of product, not of the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartFact {
    /// The cart.
    pub cart_id: CartId,
    /// Its owner; none for a guest's cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Rises with every change.
    pub version: i32,
    /// The currency of every line.
    pub currency: Currency,
    /// What is in it.
    pub lines: Vec<CartLineFact>,
    /// The coupon the shopper wants to use; whether it is good for anything is order's to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponCode>,
}

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLineFact {
    /// The variant.
    pub variant_id: VariantId,
    /// How many, 1 or more.
    pub quantity: u32,
    /// The price the shopper saw last, in minor units.
    pub seen_price_minor: i64,
}

/// Body of `POST /carts/{cart_id}/checked-out`: empties the cart if it still has this version. Repeats are harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartCheckedOut {
    /// The order that holds the lines now.
    pub order_id: OrderId,
    /// The version that was ordered; a cart changed since is left alone.
    pub version: i32,
}

/// Answer of `GET /carts/started?from=TIME&hours=COUNT`: each of these hours, in order, those without a cart too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartsStarted {
    /// One entry per hour.
    pub hours: Vec<CartsStartedHour>,
}

/// How many carts were begun in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartsStartedHour {
    /// When the hour began.
    pub hour: DateTime<Utc>,
    /// Carts that got a first line in it. A cart that was ordered and is filled again counts again.
    pub carts: u64,
}
