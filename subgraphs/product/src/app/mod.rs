//! The use cases: what the doors call. Only here are transactions opened.

pub mod create_product;
pub mod find;
pub mod forget_keys;
pub mod import_products;
pub mod list_products;
pub mod lookup_variants;
pub mod set_variant_price;
pub mod update_product;

use contracts::ProductId;

use crate::App;
use crate::domain::Fault;
use crate::store::cache::Kind;
use crate::store::{StoreError, variants};

/// What a write came to: done, or refused with reasons; or the store failed.
pub type Outcome<T> = Result<Result<T, Vec<Fault>>, StoreError>;

/// Forgets every copy of products and their variants after a commit that changed them.
async fn forget_products(app: &App, changed: &[(ProductId, String)]) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<ProductId> = changed.iter().map(|(id, _)| *id).collect();
    let mut keys = Vec::new();
    for (id, slug) in changed {
        keys.push((Kind::Product, id.to_string()));
        keys.push((Kind::VariantsOf, id.to_string()));
        keys.push((Kind::ProductBySlug, slug.clone()));
    }
    for variant in variants::of_products(&app.pool, &ids)
        .await?
        .into_values()
        .flatten()
    {
        keys.push((Kind::Variant, variant.id.to_string()));
        keys.push((Kind::VariantBySku, variant.sku));
    }
    app.cache.forget(&keys).await;
    app.cache.begin_generation().await;
    Ok(())
}
