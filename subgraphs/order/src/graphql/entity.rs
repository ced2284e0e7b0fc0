//! What order adds to auth's users, and its reference to product's variants.

use async_graphql::{Context, ID, Object, SimpleObject};
use contracts::{OrderId, UserId, VariantId};
use graphql_kit::page::{self, Page};
use graphql_kit::{ApiError, Result, require_user};

use super::connection::OrderConnection;
use super::loader::{PageOf, load};
use super::types::OrderObject;

/// Kind of the cursors of a user's orders.
const LIST: &str = "user.orders";

/// A registered user; visible to themselves and to staff.
pub(crate) struct User {
    pub(crate) user: UserId,
}

/// A registered user; visible to themselves and to staff.
#[Object]
impl User {
    /// The user's id.
    pub(crate) async fn id(&self) -> ID {
        ID(self.user.to_string())
    }

    /// Their orders, newest first; for themselves and for staff.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<Option<OrderConnection>> {
        let viewer = require_user(ctx)?;
        if viewer.id != self.user && !viewer.is_staff() {
            return Err(ApiError::forbidden());
        }
        let args = page::parse::<OrderId>(LIST, first, after)?;
        let key = PageOf {
            user: self.user,
            after: args.after,
            limit: args.limit(),
        };
        let rows = load(ctx, key).await?.unwrap_or_default();
        let page = Page::from_rows(LIST, rows, args.first, args.after.is_some(), |order| order.id);
        Ok(Some(OrderConnection(page.map(OrderObject))))
    }
}

/// What is bought: one size, colour or pack of a product.
#[derive(SimpleObject, Clone)]
#[graphql(unresolvable)]
pub(crate) struct ProductVariant {
    /// The variant's id.
    id: ID,
    /// Its SKU, as it was bought.
    #[graphql(external)]
    sku: String,
}

impl ProductVariant {
    pub(super) fn new(variant: VariantId, sku: &str) -> Self {
        Self {
            id: ID(variant.to_string()),
            sku: sku.to_owned(),
        }
    }
}
