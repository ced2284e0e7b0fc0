//! References from other subgraphs. One that is unknown, damaged, or a draft to somebody who is not staff answers
//! null for itself alone.

use async_graphql::{Context, ID, Object};
use contracts::{CategoryId, ProductId, VariantId};
use graphql_kit::{Result, viewer};
use service_auth::CurrentUser;

use super::category::CategoryObject;
use super::loader::{BySku, loader};
use super::product::{ProductObject, VariantObject};
use crate::domain::ProductStatus;

/// Resolves references.
#[derive(Default)]
pub(super) struct EntityQuery;

pub(super) fn sees(ctx: &Context<'_>, status: ProductStatus) -> bool {
    status.is_public_by_reference() || viewer(ctx).is_some_and(CurrentUser::is_staff)
}

/// References from other subgraphs.
#[Object]
impl EntityQuery {
    #[graphql(entity)]
    async fn find_category_by_id(&self, ctx: &Context<'_>, id: ID) -> Result<Option<CategoryObject>> {
        let Ok(id) = id.parse::<CategoryId>() else {
            return Ok(None);
        };
        Ok(loader(ctx)?.load_one(id).await?.map(CategoryObject))
    }

    #[graphql(entity)]
    async fn find_product_by_id(&self, ctx: &Context<'_>, id: ID) -> Result<Option<ProductObject>> {
        let Ok(id) = id.parse::<ProductId>() else {
            return Ok(None);
        };
        let product = loader(ctx)?.load_one(id).await?;
        Ok(product
            .filter(|product| sees(ctx, product.status))
            .map(ProductObject))
    }

    #[graphql(entity)]
    async fn find_variant_by_id(&self, ctx: &Context<'_>, id: ID) -> Result<Option<VariantObject>> {
        let Ok(id) = id.parse::<VariantId>() else {
            return Ok(None);
        };
        let variant = loader(ctx)?.load_one(id).await?;
        Ok(variant
            .filter(|variant| sees(ctx, variant.product_status))
            .map(VariantObject))
    }

    #[graphql(entity)]
    async fn find_variant_by_sku(&self, ctx: &Context<'_>, sku: String) -> Result<Option<VariantObject>> {
        let variant = loader(ctx)?.load_one(BySku(sku)).await?;
        Ok(variant
            .filter(|variant| sees(ctx, variant.product_status))
            .map(VariantObject))
    }
}
