//! What clients send, checked before it reaches a use case.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use contracts::order as wire;
use graphql_kit::{ApiError, DecimalScalar, Result, parse_id};
use service_auth::CurrentUser;

use super::types::OrderStatus;
use crate::app::{CreateOrder, Key, RefundOrder, ShipOrder};
use crate::domain::order::{Find, ListFilter};

const MAX_TEXT: usize = 200;

/// Which orders to show; what is absent doesn't matter.
#[derive(InputObject, Default)]
#[graphql(tag = "internal")]
pub(crate) struct OrderFilter {
    /// In one of these statuses.
    status: Option<Vec<OrderStatus>>,
    /// Whether a person should look at it.
    needs_attention: Option<bool>,
    /// Of this buyer.
    user_id: Option<ID>,
    /// What to look for: an order's number or id, a buyer's id, or beginnings of words in the SKU or title of one line.
    text: Option<String>,
    /// Placed at that moment or later.
    placed_from: Option<DateTime<Utc>>,
    /// Placed before that moment.
    placed_before: Option<DateTime<Utc>>,
}

impl OrderFilter {
    pub(super) fn parse(self) -> Result<ListFilter> {
        let statuses =
            |statuses: Vec<OrderStatus>| statuses.into_iter().map(wire::OrderStatus::from).collect();
        Ok(ListFilter {
            statuses: self.status.map(statuses),
            needs_attention: self.needs_attention,
            user: self.user_id.map(|id| parse_id(&id, "userId")).transpose()?,
            find: self.text.map(|typed| find(&typed)).transpose()?,
            placed_from: self.placed_from,
            placed_before: self.placed_before,
        })
    }
}

/// A cart to be ordered.
#[derive(InputObject)]
pub(crate) struct CreateOrderInput {
    /// The cart: yours, or a guest's that you hold.
    cart_id: ID,
    /// The version you saw; refused with CART_CHANGED if it is another now.
    cart_version: Option<i32>,
    /// The total you agreed to; refused with PRICE_CHANGED if it is another now. Without it, the prices the cart showed
    /// last must still hold.
    expected_total: Option<DecimalScalar>,
    /// The provider's payment method, such as pm_card_visa. Never card data.
    payment_method: String,
    /// 8 to 200 characters of your choice: the same again gives the same order.
    idempotency_key: ID,
}

impl CreateOrderInput {
    pub(super) fn parse(self, user: &CurrentUser) -> Result<CreateOrder> {
        let method = self.payment_method;
        let plain = method
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain || !(1..=64).contains(&method.len()) {
            return Err(ApiError::bad_input("not a payment method").at(&["input", "paymentMethod"]));
        }
        Ok(CreateOrder {
            cart_id: self.cart_id.parse().map_err(|_| bad_id("cartId"))?,
            cart_version: self.cart_version,
            expected_total: self.expected_total.map(|total| total.0.normalize()),
            payment_method: method,
            user: user.id,
            key: checked_key(&self.idempotency_key)?,
        })
    }
}

/// An order to be given up.
#[derive(InputObject)]
pub(crate) struct CancelOrderInput {
    /// The order.
    order_id: ID,
    /// 8 to 200 characters of your choice: the same again gives the same answer.
    idempotency_key: ID,
}

impl CancelOrderInput {
    pub(super) fn parse(self, user: &CurrentUser) -> Result<(contracts::OrderId, Key)> {
        Ok((order_id(&self.order_id)?, key(user, &self.idempotency_key)?))
    }
}

/// An order whose money is to go back.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RefundOrderInput {
    /// The order.
    order_id: ID,
    /// Why, for the record.
    reason: String,
    /// Whether the units go back on the shelf.
    #[graphql(default = true)]
    restock: bool,
    /// 8 to 200 characters of your choice: the same again gives the same answer.
    idempotency_key: ID,
}

impl RefundOrderInput {
    pub(super) fn parse(self, user: &CurrentUser) -> Result<(RefundOrder, Key)> {
        let request = RefundOrder {
            order: order_id(&self.order_id)?,
            note: text(self.reason, "reason")?,
            restock: self.restock,
        };
        Ok((request, key(user, &self.idempotency_key)?))
    }
}

/// An order handed to a carrier.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct ShipOrderInput {
    /// The order.
    order_id: ID,
    /// Such as DHL.
    carrier: Option<String>,
    /// As the carrier names it.
    tracking_number: Option<String>,
}

impl ShipOrderInput {
    pub(super) fn parse(self) -> Result<ShipOrder> {
        Ok(ShipOrder {
            order: order_id(&self.order_id)?,
            carrier: self.carrier.map(|carrier| text(carrier, "carrier")).transpose()?,
            tracking_number: self
                .tracking_number
                .map(|number| text(number, "trackingNumber"))
                .transpose()?,
        })
    }
}

/// An order that has arrived.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct DeliverOrderInput {
    /// The order.
    pub(super) order_id: ID,
}

/// An order whose awaited call is to be made now.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RetryOrderInput {
    /// The order.
    pub(super) order_id: ID,
}

fn find(typed: &str) -> Result<Find> {
    let refused = |why| ApiError::bad_input(why).at(&["filter", "text"]);
    if typed.chars().count() > MAX_TEXT || typed.contains('\0') {
        return Err(refused("at most 200 characters"));
    }
    Find::read(typed).ok_or_else(|| refused("there is nothing to look for"))
}

pub(super) fn order_id(id: &ID) -> Result<contracts::OrderId> {
    id.parse().map_err(|_| bad_id("orderId"))
}

fn bad_id(field: &str) -> ApiError {
    ApiError::bad_input("not a valid id").at(&["input", field])
}

pub(super) fn key(user: &CurrentUser, key: &ID) -> Result<Key> {
    Ok(Key {
        principal: user.id.to_string(),
        key: checked_key(key)?,
    })
}

fn checked_key(key: &ID) -> Result<String> {
    let length = key.chars().count();
    if !(8..=200).contains(&length) || key.contains('\0') {
        return Err(ApiError::bad_input("an idempotency key has 8 to 200 characters")
            .at(&["input", "idempotencyKey"]));
    }
    Ok(key.to_string())
}

pub(super) fn text(text: String, field: &str) -> Result<String> {
    let length = text.chars().count();
    if length == 0 || length > MAX_TEXT || text.contains('\0') {
        return Err(ApiError::bad_input("1 to 200 characters").at(&["input", field]));
    }
    Ok(text)
}
