//! The query root and the entities it resolves.

use async_graphql::{Context, ID, Object};
use contracts::CartId;
use graphql_kit::{Batcher, Result, parse_id};

use super::entity::User;
use super::loader::CartLoader;
use super::types::CartObject;
use super::{app, fault, reader};
use crate::app::read_cart::read_cart;

/// Query root.
pub struct Query;

#[Object]
impl Query {
    /// A cart: a guest's by its id, a user's only for themselves and for staff. None when there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart's id.")] id: ID,
    ) -> Result<Option<CartObject>> {
        let id = parse_id(&id, "id")?;
        let cart = read_cart(app(ctx), reader(ctx), id)
            .await
            .map_err(|error| fault(&error))?;
        Ok(cart.map(CartObject::unpriced))
    }

    #[graphql(entity)]
    async fn find_cart(&self, ctx: &Context<'_>, id: ID) -> Result<Option<CartObject>> {
        let Ok(id) = id.parse::<CartId>() else {
            return Ok(None);
        };
        let loader = ctx.data_unchecked::<Batcher<CartLoader>>();
        let cart = loader.load_one(id).await.map_err(|error| fault(&error))?;
        Ok(cart
            .filter(|cart| reader(ctx).may_see(cart))
            .map(CartObject::unpriced))
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        let user_id = id.parse().ok()?;
        Some(User { id, user_id })
    }
}
