//! What a shopper does: fills a cart, orders it, gives the order up.

use crate::graph::GraphError;
use crate::operations::{
    CancelOrder, CancelOrderInput, CartLineInput, CartView, CreateCart, CreateCartInput, CreateOrder,
    CreateOrderInput, Input, OrderView, outcome,
};
use crate::session::Session;

/// Makes a cart of `(variant id, quantity)` lines.
pub async fn fill_cart(
    session: &Session,
    key: &str,
    lines: &[(String, u32)],
) -> Result<CartView, GraphError> {
    let lines = lines.iter().map(|(variant_id, quantity)| CartLineInput {
        variant_id: variant_id.clone(),
        quantity: *quantity,
    });
    let input = CreateCartInput {
        currency_code: "USD".to_owned(),
        lines: lines.collect(),
        idempotency_key: key.to_owned(),
    };
    let payload = session.run::<CreateCart>(&Input { input }).await?.create_cart;
    outcome(payload.cart, payload.user_errors)
}

/// Orders a cart as it was seen: at its version and for its subtotal.
pub async fn order(
    session: &Session,
    key: &str,
    cart: &CartView,
    payment_method: &str,
) -> Result<OrderView, GraphError> {
    let input = CreateOrderInput {
        cart_id: cart.id.clone(),
        cart_version: cart.version,
        expected_total: cart.subtotal.amount.clone(),
        payment_method: payment_method.to_owned(),
        idempotency_key: key.to_owned(),
    };
    let payload = session.run::<CreateOrder>(&Input { input }).await?.create_order;
    outcome(payload.order, payload.user_errors)
}

/// Gives an order up.
pub async fn cancel(session: &Session, key: &str, order_id: &str) -> Result<OrderView, GraphError> {
    let input = CancelOrderInput {
        order_id: order_id.to_owned(),
        idempotency_key: key.to_owned(),
    };
    let payload = session.run::<CancelOrder>(&Input { input }).await?.cancel_order;
    outcome(payload.order, payload.user_errors)
}
