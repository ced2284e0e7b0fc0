//! The services that order calls, each with its own typed client. A definite answer becomes a value; anything else
//! stays a `CallError` for the caller to judge.

mod cart;
mod inventory;
mod payment;
mod product;

use std::sync::Arc;

use service_auth::{ClientLimits, ServiceClient, ServiceKey};
use url::Url;

pub(crate) use cart::Cart;
pub(crate) use inventory::Inventory;
pub(crate) use payment::Payment;
pub(crate) use product::{MAX_VARIANTS, Product};

/// Where the called services are.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// `CART_URL`.
    pub cart: Url,
    /// `PRODUCT_URL`.
    pub product: Url,
    /// `INVENTORY_URL`.
    pub inventory: Url,
    /// `PAYMENT_URL`.
    pub payment: Url,
}

/// The called services.
#[derive(Clone)]
pub struct Clients {
    pub(crate) cart: Cart,
    pub(crate) product: Product,
    pub(crate) inventory: Inventory,
    pub(crate) payment: Payment,
}

/// Checkouts and sagas of a busy moment; the callees shed what is too much.
const MAX_IN_FLIGHT: usize = 256;

impl Clients {
    /// Clients that sign with `key`.
    pub fn new(at: Addresses, key: &Arc<ServiceKey>) -> Self {
        let limits = ClientLimits {
            max_in_flight: MAX_IN_FLIGHT,
            ..ClientLimits::default()
        };
        let client = |callee, base| ServiceClient::new(callee, base, Arc::clone(key), limits);
        Self {
            cart: Cart(client("cart", at.cart)),
            product: Product(client("product", at.product)),
            inventory: Inventory(client("inventory", at.inventory)),
            payment: Payment(client("payment", at.payment)),
        }
    }
}
