//! Find products, variants and categories by their keys: the cache first, then one statement for the rest.

use std::collections::HashMap;
use std::hash::Hash;

use contracts::{CategoryId, ProductId, Sku, VariantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::domain::{Category, Product, Variant};
use crate::store::cache::Kind;
use crate::store::{StoreError, categories, products, variants};

/// Copies where there are any, `load` for the rest, whose copies are kept.
async fn read_through<K, V, F>(
    app: &App,
    kind: Kind,
    keys: &[K],
    load: impl FnOnce(Vec<K>) -> F,
) -> Result<HashMap<K, V>, StoreError>
where
    K: Clone + Eq + Hash + ToString,
    V: Serialize + DeserializeOwned,
    F: Future<Output = Result<HashMap<K, V>, StoreError>>,
{
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let copies = app.cache.get_many::<V>(kind, &names).await;
    let mut found = HashMap::with_capacity(keys.len());
    let mut missing = Vec::new();
    for (key, copy) in keys.iter().zip(copies) {
        match copy {
            Some(value) => {
                found.insert(key.clone(), value);
            }
            None => missing.push(key.clone()),
        }
    }
    if !missing.is_empty() {
        let loaded = load(missing).await?;
        let fresh: Vec<(String, &V)> = loaded
            .iter()
            .map(|(key, value)| (key.to_string(), value))
            .collect();
        app.cache.put_many(kind, &fresh).await;
        found.extend(loaded);
    }
    Ok(found)
}

/// Products by id; unknown ones are left out.
pub async fn products(app: &App, ids: &[ProductId]) -> Result<HashMap<ProductId, Product>, StoreError> {
    let load = |missing: Vec<ProductId>| async move { products::by_ids(&app.pool, &missing).await };
    read_through(app, Kind::Product, ids, load).await
}

/// Products as the database has them now, past the cache: what a write answers with.
pub async fn stored_products(
    app: &App,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Product>, StoreError> {
    products::by_ids(&app.pool, ids).await
}

/// The product of a slug.
pub async fn product_by_slug(app: &App, slug: &str) -> Result<Option<Product>, StoreError> {
    if slug.contains('\0') {
        return Ok(None);
    }
    let load = |missing: Vec<String>| async move {
        let mut found = HashMap::new();
        for slug in missing {
            if let Some(product) = products::by_slug(&app.pool, &slug).await? {
                found.insert(slug, product);
            }
        }
        Ok(found)
    };
    let mut found = read_through(app, Kind::ProductBySlug, &[slug.to_owned()], load).await?;
    Ok(found.remove(slug))
}

/// Variants by id; unknown ones are left out.
pub async fn variants(app: &App, ids: &[VariantId]) -> Result<HashMap<VariantId, Variant>, StoreError> {
    let load = |missing: Vec<VariantId>| async move {
        let found = variants::by_ids(&app.pool, &missing).await?;
        Ok(found.into_iter().map(|variant| (variant.id, variant)).collect())
    };
    read_through(app, Kind::Variant, ids, load).await
}

/// Variants by SKU; unknown ones are left out.
pub async fn variants_by_sku(app: &App, skus: &[Sku]) -> Result<HashMap<Sku, Variant>, StoreError> {
    let storable: Vec<Sku> = skus.iter().filter(|sku| !sku.contains('\0')).cloned().collect();
    let load = |missing: Vec<Sku>| async move {
        let found = variants::by_skus(&app.pool, &missing).await?;
        Ok(found
            .into_iter()
            .map(|variant| (variant.sku.clone(), variant))
            .collect())
    };
    read_through(app, Kind::VariantBySku, &storable, load).await
}

/// The variants of products, in their order.
pub async fn variants_of(
    app: &App,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Vec<Variant>>, StoreError> {
    let load = |missing: Vec<ProductId>| async move { variants::of_products(&app.pool, &missing).await };
    read_through(app, Kind::VariantsOf, ids, load).await
}

/// Categories by id; unknown ones are left out.
pub async fn categories(app: &App, ids: &[CategoryId]) -> Result<HashMap<CategoryId, Category>, StoreError> {
    let load = |missing: Vec<CategoryId>| async move { categories::by_ids(&app.pool, &missing).await };
    read_through(app, Kind::Category, ids, load).await
}

/// All categories, parents before their children.
pub async fn all_categories(app: &App) -> Result<Vec<Category>, StoreError> {
    categories::all(&app.pool).await
}

/// The children of categories.
pub async fn children(
    app: &App,
    ids: &[CategoryId],
) -> Result<HashMap<CategoryId, Vec<Category>>, StoreError> {
    categories::children(&app.pool, ids).await
}
