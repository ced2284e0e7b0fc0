//! What analytics adds to product's products.

use async_graphql::{Context, ID, Object};
use contracts::ProductId;
use graphql_kit::Result;

use super::loader::{With, load};
use super::query::at_most;
use super::types::{BoughtWith, count};

/// Most products bought with one.
const MAX_WITH: i32 = 12;

/// What the shop shows as one page; its variants are what is bought.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(crate) product: ProductId,
}

/// What the shop shows as one page; its variants are what is bought.
#[Object]
impl Product {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        ID(self.product.to_string())
    }

    /// What is bought with it much more often than by chance, the strongest first; in three paid orders at least. Some
    /// of it may not be for sale any more.
    async fn bought_with(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 12.", default = 4)] first: i32,
    ) -> Result<Option<Vec<BoughtWith>>> {
        let first = at_most(first, MAX_WITH)?;
        let key = With {
            product: self.product,
            first,
        };
        let found = load(ctx, key).await?.unwrap_or_default();
        let shown = found.into_iter().map(|with| BoughtWith {
            product: Some(Self {
                product: with.product,
            }),
            together: count(with.together),
            lift: with.lift,
        });
        Ok(Some(shown.collect()))
    }
}
