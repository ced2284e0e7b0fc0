//! The query root and the entities it resolves.

use async_graphql::{Context, ID, Object};
use graphql_kit::page::{self, Page};
use graphql_kit::{Result, require_staff};

use super::entity::ProductVariant;
use super::fault;
use super::types::StockMovementConnection;
use crate::App;
use crate::app::read_stock;

const MOVEMENTS: &str = "inventory.movements";

/// Query root.
pub struct Query;

#[Object]
impl Query {
    /// The stock ledger of a SKU, newest first.
    #[graphql(tag = "internal")]
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The SKU.")] sku: String,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor to go on from.")] after: Option<String>,
    ) -> Result<StockMovementConnection> {
        require_staff(ctx)?;
        let args = page::parse::<i64>(MOVEMENTS, first, after)?;
        let pool = &ctx.data_unchecked::<App>().pool;
        let rows = read_stock::movements(pool, &sku, args.after, args.first + 1)
            .await
            .map_err(fault)?;
        let page = Page::from_rows(MOVEMENTS, rows, args.first, args.after.is_some(), |row| row.id);
        Ok(StockMovementConnection(page))
    }

    #[graphql(entity)]
    async fn find_product_variant(
        &self,
        #[graphql(key)] id: ID,
        sku: Option<String>,
        weight_grams: Option<i32>,
    ) -> Option<ProductVariant> {
        Some(ProductVariant {
            id,
            sku,
            weight_grams,
        })
    }
}
