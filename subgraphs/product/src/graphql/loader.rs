//! Batches what one operation asks about many things into one question per kind. Fresh for each operation.

use std::collections::HashMap;

use async_graphql::Context;
use async_graphql::dataloader::Loader;
use contracts::{CategoryId, ProductId, Sku, VariantId};
use graphql_kit::{ApiError, Batcher, PerRequest};

use crate::App;
use crate::app::find;
use crate::domain::{Category, Product, Variant};
use crate::store::StoreError;

/// Asks the use cases in batches.
pub(super) struct Batch(App);

/// The variants of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VariantsOf(pub(super) ProductId);

/// A variant by its SKU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BySku(pub(super) Sku);

/// The children of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ChildrenOf(pub(super) CategoryId);

/// A store's failure as clients see it: try again, or a fault of ours.
pub(super) fn api_error(error: StoreError) -> ApiError {
    if error.is_transient() {
        tracing::warn!(%error, source = %error.source, "the catalogue's store does not answer");
        ApiError::unavailable("The catalogue")
    } else {
        ApiError::internal(error)
    }
}

/// Gives each operation its loader.
pub(super) fn per_request(app: &App) -> PerRequest {
    let app = app.clone();
    PerRequest::new(move |request| request.data(Batcher::new(Batch(app.clone()))))
}

/// The operation's loader.
pub(super) fn loader<'a>(ctx: &Context<'a>) -> Result<&'a Batcher<Batch>, ApiError> {
    ctx.data_opt::<Batcher<Batch>>()
        .ok_or_else(|| ApiError::internal("an operation without its loader"))
}

impl Loader<ProductId> for Batch {
    type Value = Product;
    type Error = ApiError;

    async fn load(&self, keys: &[ProductId]) -> Result<HashMap<ProductId, Product>, ApiError> {
        find::products(&self.0, keys).await.map_err(api_error)
    }
}

impl Loader<VariantId> for Batch {
    type Value = Variant;
    type Error = ApiError;

    async fn load(&self, keys: &[VariantId]) -> Result<HashMap<VariantId, Variant>, ApiError> {
        find::variants(&self.0, keys).await.map_err(api_error)
    }
}

impl Loader<BySku> for Batch {
    type Value = Variant;
    type Error = ApiError;

    async fn load(&self, keys: &[BySku]) -> Result<HashMap<BySku, Variant>, ApiError> {
        let skus: Vec<Sku> = keys.iter().map(|key| key.0.clone()).collect();
        let found = find::variants_by_sku(&self.0, &skus).await.map_err(api_error)?;
        Ok(found
            .into_iter()
            .map(|(sku, variant)| (BySku(sku), variant))
            .collect())
    }
}

impl Loader<VariantsOf> for Batch {
    type Value = Vec<Variant>;
    type Error = ApiError;

    async fn load(&self, keys: &[VariantsOf]) -> Result<HashMap<VariantsOf, Vec<Variant>>, ApiError> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let found = find::variants_of(&self.0, &ids).await.map_err(api_error)?;
        Ok(found
            .into_iter()
            .map(|(id, variants)| (VariantsOf(id), variants))
            .collect())
    }
}

impl Loader<CategoryId> for Batch {
    type Value = Category;
    type Error = ApiError;

    async fn load(&self, keys: &[CategoryId]) -> Result<HashMap<CategoryId, Category>, ApiError> {
        find::categories(&self.0, keys).await.map_err(api_error)
    }
}

impl Loader<ChildrenOf> for Batch {
    type Value = Vec<Category>;
    type Error = ApiError;

    async fn load(&self, keys: &[ChildrenOf]) -> Result<HashMap<ChildrenOf, Vec<Category>>, ApiError> {
        let ids: Vec<CategoryId> = keys.iter().map(|key| key.0).collect();
        let found = find::children(&self.0, &ids).await.map_err(api_error)?;
        Ok(found
            .into_iter()
            .map(|(id, children)| (ChildrenOf(id), children))
            .collect())
    }
}
