//! What cart adds to auth's users, and its reference to product's variants.

use async_graphql::{Context, ID, Object, SimpleObject};
use contracts::UserId;
use graphql_kit::{ApiError, Batcher, Result, require_user};

use super::fault;
use super::loader::CartLoader;
use super::types::CartObject;

/// A registered user; visible to themselves and to staff.
pub(crate) struct User {
    pub(crate) id: ID,
    pub(crate) user_id: UserId,
}

/// A registered user; visible to themselves and to staff.
#[Object]
impl User {
    /// The user's id.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The cart they shop with at present; for themselves and for staff.
    async fn active_cart(&self, ctx: &Context<'_>) -> Result<Option<CartObject>> {
        let viewer = require_user(ctx)?;
        if viewer.id != self.user_id && !viewer.is_staff() {
            return Err(ApiError::forbidden());
        }
        let loader = ctx.data_unchecked::<Batcher<CartLoader>>();
        let cart = loader
            .load_one(self.user_id)
            .await
            .map_err(|error| fault(&error))?;
        Ok(cart
            .filter(|cart| cart.owner == Some(self.user_id))
            .map(CartObject::unpriced))
    }
}

/// What is bought: one size, colour or pack of a product.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub(crate) struct ProductVariant {
    /// The variant's id.
    pub(crate) id: ID,
}
