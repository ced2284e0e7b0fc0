//! The Product and ProductVariant types.

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use graphql_kit::{ApiError, MoneyObject, Result};

use super::category::CategoryObject;
use super::loader::{VariantsOf, loader};
use crate::domain::{self, Product, Variant};

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ProductStatus")]
pub(super) enum ProductStatus {
    /// Being prepared; only staff see it.
    Draft,
    /// For sale.
    Active,
    /// No longer for sale; earlier orders still show it.
    Archived,
}

/// A product as the graph shows it.
#[derive(Debug, Clone)]
pub(super) struct ProductObject(pub(super) Product);

/// What the shop shows as one page; its variants are what is bought.
#[Object(name = "Product")]
impl ProductObject {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Its unique name in addresses; never changes.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its description, plain text; may be empty.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Its brand, if it has one.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// Address of its picture, absolute or relative to the shop.
    async fn image_url(&self) -> Option<&str> {
        self.0.image_url.as_deref()
    }

    /// Its category.
    async fn category(&self, ctx: &Context<'_>) -> Result<CategoryObject> {
        let category = loader(ctx)?.load_one(self.0.category_id).await?;
        category
            .map(CategoryObject)
            .ok_or_else(|| ApiError::internal("a product without its category"))
    }

    /// Where it is in its life.
    async fn status(&self) -> ProductStatus {
        self.0.status.into()
    }

    /// Its variants, in the merchant's order.
    async fn variants(&self, ctx: &Context<'_>) -> Result<Vec<VariantObject>> {
        let variants = loader(ctx)?.load_one(VariantsOf(self.0.id)).await?;
        Ok(variants
            .unwrap_or_default()
            .into_iter()
            .map(VariantObject)
            .collect())
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Grows by one with each change of the product's own facts: pass it as expectedVersion.
    #[graphql(tag = "internal")]
    async fn version(&self) -> i32 {
        self.0.version
    }
}

/// A variant as the graph shows it.
#[derive(Debug, Clone)]
pub(super) struct VariantObject(pub(super) Variant);

/// What is bought: one size, colour or pack of a product.
#[Object(name = "ProductVariant")]
impl VariantObject {
    /// The variant's id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Its stock keeping unit; never changes.
    #[graphql(shareable)]
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What tells it from its siblings, such as "Large".
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The price of one.
    async fn price(&self) -> MoneyObject {
        self.0.price.into()
    }

    /// The former, higher price, to be shown struck out.
    async fn compare_at_price(&self) -> Option<MoneyObject> {
        self.0.compare_at.map(MoneyObject::from)
    }

    /// The weight of one in grams.
    async fn weight_grams(&self) -> Option<i32> {
        self.0.weight_grams
    }

    /// Its product.
    async fn product(&self, ctx: &Context<'_>) -> Result<ProductObject> {
        let product = loader(ctx)?.load_one(self.0.product_id).await?;
        product
            .map(ProductObject)
            .ok_or_else(|| ApiError::internal("a variant without its product"))
    }

    /// Grows by one with each change of the variant: pass it as expectedVersion.
    #[graphql(tag = "internal")]
    async fn version(&self) -> i32 {
        self.0.version
    }
}
