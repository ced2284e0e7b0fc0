//! The catalogue's questions.

use async_graphql::{Context, ID, Object};
use contracts::{ProductId, Sku};
use graphql_kit::page::{self, Page};
use graphql_kit::{ApiError, Result, parse_id, viewer};
use service_auth::CurrentUser;

use super::category::CategoryObject;
use super::connection::ProductConnection;
use super::input::{ProductFilter, ProductSort};
use super::loader::{BySku, api_error, loader};
use super::product::{ProductObject, VariantObject};
use crate::App;
use crate::app::{find, list_products};
use crate::domain::{Listing, Product, ProductStatus};
use crate::store::listing::PageError;

const MAX_SKUS: usize = 100;

/// Questions.
#[derive(Default)]
pub(super) struct CatalogueQuery;

fn is_staff(ctx: &Context<'_>) -> bool {
    viewer(ctx).is_some_and(CurrentUser::is_staff)
}

/// Only staff see what is not for sale.
fn sees(ctx: &Context<'_>, status: ProductStatus) -> bool {
    status == ProductStatus::Active || is_staff(ctx)
}

/// The catalogue.
#[Object]
impl CatalogueQuery {
    /// One product, by its id or by its slug; null when there is none for the caller to see.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its unique name in addresses.")] slug: Option<String>,
    ) -> Result<Option<ProductObject>> {
        let product = match (id, slug) {
            (Some(id), None) => loader(ctx)?.load_one(parse_id::<ProductId>(&id, "id")?).await?,
            (None, Some(slug)) => by_slug(ctx, &slug).await?,
            _ => return Err(ApiError::bad_input("Give either id or slug")),
        };
        Ok(product
            .filter(|product| sees(ctx, product.status))
            .map(ProductObject))
    }

    /// Products by filter, in an order, page by page.
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Products on the page, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Which products; all when absent.")] filter: Option<ProductFilter>,
        #[graphql(desc = "In which order.", default_with = "ProductSort::Relevance")] sort: ProductSort,
    ) -> Result<ProductConnection> {
        let filter = filter.unwrap_or_default().into_filter()?;
        let listing = Listing::new(list_products::as_seen_by(filter, is_staff(ctx)), sort.into());
        list(ctx, listing, first, after).await
    }

    /// Variants by SKU, in the order asked; null where there is none for sale.
    async fn variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 SKUs.")] skus: Vec<String>,
    ) -> Result<Vec<Option<VariantObject>>> {
        if skus.len() > MAX_SKUS {
            return Err(ApiError::bad_input("At most 100 SKUs at once").at(&["skus"]));
        }
        let found = loader(ctx)?.load_many(skus.iter().cloned().map(BySku)).await?;
        let visible = |sku: Sku| {
            found
                .get(&BySku(sku))
                .filter(|variant| sees(ctx, variant.product_status))
        };
        Ok(skus
            .into_iter()
            .map(|sku| visible(sku).cloned().map(VariantObject))
            .collect())
    }

    /// All categories, parents before their children.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<CategoryObject>> {
        let all = find::all_categories(ctx.data_unchecked::<App>())
            .await
            .map_err(api_error)?;
        Ok(all.into_iter().map(CategoryObject).collect())
    }
}

async fn by_slug(ctx: &Context<'_>, slug: &str) -> Result<Option<Product>> {
    find::product_by_slug(ctx.data_unchecked::<App>(), slug)
        .await
        .map_err(api_error)
}

async fn list(
    ctx: &Context<'_>,
    listing: Listing,
    first: i32,
    after: Option<String>,
) -> Result<ProductConnection> {
    let kind = listing.cursor_kind();
    let args = page::parse(kind, first, after)?;
    let app = ctx.data_unchecked::<App>();
    let found = list_products::page(app, listing, args.after.as_ref(), args.limit())
        .await
        .map_err(|error| match error {
            PageError::Position => ApiError::bad_input("after is not a cursor of this list").at(&["after"]),
            PageError::Store(error) => api_error(error),
        })?;
    let page = Page::from_rows(kind, found.rows, args.first, args.after.is_some(), |row| {
        row.position.clone()
    });
    Ok(ProductConnection {
        page: page.map(|row| row.product),
        filter: found.filter,
        corrected: found.corrected,
    })
}
