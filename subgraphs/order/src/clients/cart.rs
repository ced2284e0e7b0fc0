//! Cart: what is to be bought.

use contracts::cart::{CartCheckedOut, CartFact};
use contracts::{CartId, ProblemCode};
use service_auth::{CallError, ServiceClient};

/// The cart service.
#[derive(Clone)]
pub(crate) struct Cart(pub(super) ServiceClient);

impl Cart {
    /// A cart, if there is one.
    pub(crate) async fn read(&self, cart: CartId) -> Result<Option<CartFact>, CallError> {
        match self.0.get(&format!("/carts/{cart}")).await {
            Ok(fact) => Ok(Some(fact)),
            Err(CallError::Refused(problem)) if problem.code == ProblemCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells that a version of a cart was ordered.
    pub(crate) async fn checked_out(&self, cart: CartId, body: &CartCheckedOut) -> Result<(), CallError> {
        let path = format!("/carts/{cart}/checked-out");
        self.0.post::<_, serde_json::Value>(&path, body).await.map(drop)
    }
}
