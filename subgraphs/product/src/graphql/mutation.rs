//! Writes for administrators: guard, parse, one call, map.

use async_graphql::{Context, Object, SimpleObject};
use contracts::{CategoryId, ProductId, VariantId};
use graphql_kit::{Result, parse_id, require_role};
use service_auth::Role;

use super::input::{
    CreateProductInput, ImportProductsInput, SetVariantPriceInput, UpdateProductInput, money,
};
use super::loader::api_error;
use super::product::ProductObject;
use super::user_error::{ProductUserError, user_errors};
use crate::App;
use crate::app::create_product::create_product;
use crate::app::import_products::{Imported, import_products};
use crate::app::set_variant_price::set_variant_price;
use crate::app::update_product::update_product;
use crate::app::{Outcome, find};
use crate::domain::{Fault, ProductChange};

/// Writes.
pub struct Mutation;

/// What a write of one product came to.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(super) struct ProductPayload {
    /// The product as it is now; null when refused.
    pub(super) product: Option<ProductObject>,
    /// Why it was refused; empty when done.
    pub(super) user_errors: Vec<ProductUserError>,
}

/// What an import came to.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(super) struct ImportProductsPayload {
    /// How many products are new.
    pub(super) created: i32,
    /// How many products existed and changed.
    pub(super) updated: i32,
    /// How many products existed and were equal already.
    pub(super) unchanged: i32,
    /// The products loaded, in the order of the input.
    pub(super) products: Vec<ProductObject>,
    /// Why the others were not; `field` begins with `input`, `products` and the index of the product.
    pub(super) user_errors: Vec<ProductUserError>,
}

/// Writes to the catalogue.
#[Object]
impl Mutation {
    /// Creates a product with its variants. Requires ADMIN.
    #[graphql(tag = "internal")]
    async fn create_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: CreateProductInput,
    ) -> Result<ProductPayload> {
        let admin = require_role(ctx, Role::Admin)?;
        let category = parse_id::<CategoryId>(&input.category_id, "input.categoryId")?;
        let draft = match input.draft() {
            Ok(draft) => draft,
            Err(fault) => return Ok(refused(vec![fault])),
        };
        let app = ctx.data_unchecked::<App>();
        payload(
            app,
            create_product(app, admin.id, &input.idempotency_key, category, &draft).await,
        )
        .await
    }

    /// Changes a product's title, description or status. Requires ADMIN.
    #[graphql(tag = "internal")]
    async fn update_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateProductInput,
    ) -> Result<ProductPayload> {
        require_role(ctx, Role::Admin)?;
        let id = parse_id::<ProductId>(&input.product_id, "input.productId")?;
        let change = ProductChange {
            title: input.title,
            description: input.description,
            status: input.status.map(Into::into),
        };
        let outcome = update_product(ctx.data_unchecked::<App>(), id, input.expected_version, &change).await;
        Ok(match outcome.map_err(api_error)? {
            Ok(product) => done(ProductObject(product)),
            Err(faults) => refused(faults),
        })
    }

    /// Sets what a variant costs. Carts are told at their next look, orders already placed keep their price.
    /// Requires ADMIN.
    #[graphql(tag = "internal")]
    async fn set_variant_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The price.")] input: SetVariantPriceInput,
    ) -> Result<ProductPayload> {
        require_role(ctx, Role::Admin)?;
        let id = parse_id::<VariantId>(&input.variant_id, "input.variantId")?;
        let price = match money(input.price, "price") {
            Ok(price) => price,
            Err(fault) => return Ok(refused(vec![fault])),
        };
        let app = ctx.data_unchecked::<App>();
        payload(
            app,
            set_variant_price(app, id, input.expected_version, price).await,
        )
        .await
    }

    /// Loads up to 200 products. Each is judged for itself: the bad ones are reported, the good ones loaded.
    /// Loading the same again changes nothing. Requires ADMIN.
    #[graphql(tag = "internal")]
    async fn import_products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The products.")] input: ImportProductsInput,
    ) -> Result<ImportProductsPayload> {
        require_role(ctx, Role::Admin)?;
        let (mut items, mut faults) = (Vec::new(), Vec::new());
        for (index, product) in input.products.into_iter().enumerate() {
            match product.item() {
                Ok(item) => items.push((index, item)),
                Err(fault) => faults.push(fault.under(&[&index.to_string()])),
            }
        }
        let app = ctx.data_unchecked::<App>();
        match import_products(app, &items).await.map_err(api_error)? {
            Ok(imported) => loaded(app, imported, faults).await,
            Err(too_many) => loaded(app, Imported::default(), too_many).await,
        }
    }
}

fn done(product: ProductObject) -> ProductPayload {
    ProductPayload {
        product: Some(product),
        user_errors: Vec::new(),
    }
}

fn refused(faults: Vec<Fault>) -> ProductPayload {
    ProductPayload {
        product: None,
        user_errors: user_errors(faults, &["input"]),
    }
}

async fn payload(app: &App, outcome: Outcome<ProductId>) -> Result<ProductPayload> {
    match outcome.map_err(api_error)? {
        Ok(id) => Ok(ProductPayload {
            product: find::stored_products(app, &[id])
                .await
                .map_err(api_error)?
                .remove(&id)
                .map(ProductObject),
            user_errors: Vec::new(),
        }),
        Err(faults) => Ok(refused(faults)),
    }
}

async fn loaded(app: &App, imported: Imported, mut faults: Vec<Fault>) -> Result<ImportProductsPayload> {
    let mut found = find::stored_products(app, &imported.products)
        .await
        .map_err(api_error)?;
    faults.extend(imported.faults);
    faults.sort_by_key(|fault| fault.field.first().and_then(|index| index.parse::<usize>().ok()));
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let unchanged = imported.products.len() - imported.created - imported.updated;
    Ok(ImportProductsPayload {
        created: count(imported.created),
        updated: count(imported.updated),
        unchanged: count(unchanged),
        products: imported
            .products
            .iter()
            .filter_map(|id| found.remove(id))
            .map(ProductObject)
            .collect(),
        user_errors: user_errors(faults, &["input", "products"]),
    })
}
