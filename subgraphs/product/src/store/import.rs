//! Upserts of many products at once: one statement per table.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::{CategoryId, ProductId, Sku, VariantId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{During, StoreError};
use crate::domain::{ProductDraft, price_from};

/// A product to write: new under `id`, or a changed one that has this id already.
#[derive(Debug, Clone)]
pub struct Upsert<'a> {
    /// Its id.
    pub id: ProductId,
    /// Its category.
    pub category_id: CategoryId,
    /// Everything else.
    pub draft: &'a ProductDraft,
}

/// Writes products by slug. Whatever is equal already keeps its version. Returns those written.
pub async fn products_in_tx(
    tx: &mut PgConnection,
    products: &[Upsert<'_>],
    at: DateTime<Utc>,
) -> Result<Vec<ProductId>, StoreError> {
    let texts = |of: fn(&ProductDraft) -> &str| -> Vec<String> {
        products.iter().map(|new| of(new.draft).to_owned()).collect()
    };
    let ids: Vec<Uuid> = products.iter().map(|new| new.id.uuid()).collect();
    let categories: Vec<Uuid> = products.iter().map(|new| new.category_id.uuid()).collect();
    let brands: Vec<Option<String>> = products.iter().map(|new| new.draft.brand.clone()).collect();
    let images: Vec<Option<String>> = products.iter().map(|new| new.draft.image_url.clone()).collect();
    let prices: Vec<i64> = products.iter().map(|new| lowest(new.draft)).collect();
    let rows = sqlx::query_scalar!(
        "INSERT INTO product AS p (id, slug, title, description, brand, image_url, category_id, status, price_from,
                                   created_at, updated_at)
         SELECT *, $10::timestamptz, $10
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[],
                     $9::bigint[])
         ON CONFLICT (slug) DO UPDATE
         SET title = excluded.title, description = excluded.description, brand = excluded.brand,
             image_url = excluded.image_url, category_id = excluded.category_id, status = excluded.status,
             version = p.version + 1, updated_at = excluded.updated_at
         WHERE (p.title, p.description, p.brand, p.image_url, p.category_id, p.status) IS DISTINCT FROM
               (excluded.title, excluded.description, excluded.brand, excluded.image_url, excluded.category_id,
                excluded.status)
         RETURNING id",
        &ids,
        &texts(|draft| &draft.slug),
        &texts(|draft| &draft.title),
        &texts(|draft| &draft.description),
        &brands as _,
        &images as _,
        &categories,
        &texts(|draft| draft.status.as_str()),
        &prices,
        at
    )
    .fetch_all(tx)
    .await
    .during("write products")?;
    Ok(rows.into_iter().map(ProductId::from_uuid).collect())
}

fn lowest(draft: &ProductDraft) -> i64 {
    let prices = draft.variants.iter().map(|variant| price_from(variant.price));
    prices.min().unwrap_or_default()
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    products: Vec<Uuid>,
    skus: Vec<Sku>,
    titles: Vec<String>,
    prices: Vec<i64>,
    currencies: Vec<String>,
    compare_at: Vec<Option<i64>>,
    weights: Vec<Option<i32>>,
    positions: Vec<i32>,
}

impl Columns {
    fn of(products: &[Upsert<'_>]) -> Self {
        let mut columns = Self::default();
        for product in products {
            for (position, variant) in (0..).zip(&product.draft.variants) {
                columns.ids.push(VariantId::generate().uuid());
                columns.products.push(product.id.uuid());
                columns.skus.push(variant.sku.clone());
                columns.titles.push(variant.title.clone());
                columns.prices.push(variant.price.amount_minor);
                columns.currencies.push(variant.price.currency.to_string());
                columns
                    .compare_at
                    .push(variant.compare_at.map(|former| former.amount_minor));
                columns.weights.push(variant.weight_grams);
                columns.positions.push(position);
            }
        }
        columns
    }
}

/// Writes the variants of products by SKU. Whatever is equal already keeps its version; variants not named stay as
/// they are. The caller made sure that no SKU belongs to another product. Returns those written, with their SKU.
pub async fn variants_in_tx(
    tx: &mut PgConnection,
    products: &[Upsert<'_>],
    at: DateTime<Utc>,
) -> Result<HashMap<VariantId, Sku>, StoreError> {
    let new = Columns::of(products);
    let rows = sqlx::query!(
        "INSERT INTO variant AS v (id, product_id, sku, title, price_minor, currency, compare_at_minor, weight_grams,
                                   position, created_at, updated_at)
         SELECT *, $10::timestamptz, $10
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],
                     $8::integer[], $9::integer[])
         ON CONFLICT (sku) DO UPDATE
         SET title = excluded.title, price_minor = excluded.price_minor, currency = excluded.currency,
             compare_at_minor = excluded.compare_at_minor, weight_grams = excluded.weight_grams,
             position = excluded.position, version = v.version + 1, updated_at = excluded.updated_at
         WHERE (v.title, v.price_minor, v.currency, v.compare_at_minor, v.weight_grams, v.position) IS DISTINCT FROM
               (excluded.title, excluded.price_minor, excluded.currency, excluded.compare_at_minor,
                excluded.weight_grams, excluded.position)
         RETURNING id, sku",
        &new.ids,
        &new.products,
        &new.skus,
        &new.titles,
        &new.prices,
        &new.currencies,
        &new.compare_at as _,
        &new.weights as _,
        &new.positions,
        at
    )
    .fetch_all(tx)
    .await
    .during("write variants")?;
    Ok(rows
        .into_iter()
        .map(|row| (VariantId::from_uuid(row.id), row.sku))
        .collect())
}
