//! What inventory adds to product's variants.
//!
//! `sku` and `weightGrams` come from the caller's representation. They only choose whose availability is shown, which
//! anybody may see; nothing is bought or priced by them.

use async_graphql::{Context, ID, Object};
use graphql_kit::{ApiError, Batcher, MoneyObject, Result, require_staff};

use super::loader::LevelLoader;
use super::types::{Availability, StockLevel};
use crate::App;
use crate::domain::shipping;
use crate::domain::stock::{Level, availability};

/// What is bought: one size, colour or pack of a product.
pub(crate) struct ProductVariant {
    pub(crate) id: ID,
    pub(crate) sku: Option<String>,
    pub(crate) weight_grams: Option<i32>,
}

/// What is bought: one size, colour or pack of a product.
#[Object]
impl ProductVariant {
    /// The variant's id.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The variant's SKU.
    #[graphql(external)]
    async fn sku(&self) -> Result<&str> {
        self.sku.as_deref().ok_or_else(missing_sku)
    }

    /// What one piece weighs.
    #[graphql(external)]
    async fn weight_grams(&self) -> Option<i32> {
        self.weight_grams
    }

    /// Whether it can be bought now. A SKU never received is out of stock.
    #[graphql(requires = "sku")]
    async fn availability(&self, ctx: &Context<'_>) -> Result<Option<Availability>> {
        let app = ctx.data_unchecked::<App>();
        let level = self.level(ctx).await?.unwrap_or_default();
        let (status, max_order_quantity) = availability(level.available, app.low_stock);
        let as_of = app.clock.now();
        Ok(Some(Availability {
            status: status.into(),
            max_order_quantity,
            as_of,
        }))
    }

    /// What sending it would cost; none when its weight is not known.
    #[graphql(requires = "weightGrams")]
    async fn shipping_estimate(
        &self,
        #[graphql(desc = "ISO 3166-1 alpha-2 code, such as US.")] country_code: String,
        #[graphql(desc = "How many pieces, 1 to 999.", default = 1)] quantity: i32,
    ) -> Result<Option<MoneyObject>> {
        let Some(grams) = self.weight_grams else {
            return Ok(None);
        };
        let cost = shipping::estimate(&country_code, grams, quantity);
        cost.map(|money| Some(money.into()))
            .map_err(|why| ApiError::bad_input(why.to_string()))
    }

    /// Where its units are; none when none was ever received.
    #[graphql(requires = "sku", tag = "internal")]
    async fn stock_level(&self, ctx: &Context<'_>) -> Result<Option<StockLevel>> {
        require_staff(ctx)?;
        Ok(self.level(ctx).await?.map(Into::into))
    }
}

impl ProductVariant {
    async fn level(&self, ctx: &Context<'_>) -> Result<Option<Level>> {
        let sku = self.sku.clone().ok_or_else(missing_sku)?;
        let loader = ctx.data_unchecked::<Batcher<LevelLoader>>();
        loader.load_one(sku).await.map_err(ApiError::internal)
    }
}

fn missing_sku() -> ApiError {
    ApiError::bad_input("the representation has no sku")
}
