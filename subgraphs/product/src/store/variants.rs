//! Reads of variants.

use std::collections::HashMap;

use contracts::product::VariantFact;
use contracts::{CategoryId, Money, ProductId, Sku, VariantId};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{During, StoreError, products, stored};
use crate::domain::{ProductStatus, Variant};

struct VariantRow {
    id: Uuid,
    product_id: Uuid,
    product_status: String,
    sku: String,
    title: String,
    price_minor: i64,
    currency: String,
    compare_at_minor: Option<i64>,
    weight_grams: Option<i32>,
    version: i32,
}

impl TryFrom<VariantRow> for Variant {
    type Error = sqlx::Error;

    fn try_from(row: VariantRow) -> Result<Self, sqlx::Error> {
        let currency = stored(&row.currency)?;
        Ok(Self {
            id: VariantId::from_uuid(row.id),
            product_id: ProductId::from_uuid(row.product_id),
            product_status: products::status(&row.product_status)?,
            sku: row.sku,
            title: row.title,
            price: Money::new(row.price_minor, currency),
            compare_at: row.compare_at_minor.map(|minor| Money::new(minor, currency)),
            weight_grams: row.weight_grams,
            version: row.version,
        })
    }
}

fn read(rows: Vec<VariantRow>) -> Result<Vec<Variant>, StoreError> {
    rows.into_iter()
        .map(Variant::try_from)
        .collect::<Result<_, _>>()
        .during("read variants")
}

/// The variants that exist among `ids`, in one statement.
pub async fn by_ids(pool: &PgPool, ids: &[VariantId]) -> Result<Vec<Variant>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        VariantRow,
        "SELECT v.id, v.product_id, p.status AS product_status, v.sku, v.title, v.price_minor, v.currency,
                v.compare_at_minor, v.weight_grams, v.version
         FROM variant v JOIN product p ON p.id = v.product_id
         WHERE v.id = ANY($1)",
        &ids
    )
    .fetch_all(pool)
    .await
    .during("find variants")?;
    read(rows)
}

/// The variants that exist among `skus`, in one statement.
pub async fn by_skus(pool: &PgPool, skus: &[Sku]) -> Result<Vec<Variant>, StoreError> {
    let rows = sqlx::query_as!(
        VariantRow,
        "SELECT v.id, v.product_id, p.status AS product_status, v.sku, v.title, v.price_minor, v.currency,
                v.compare_at_minor, v.weight_grams, v.version
         FROM variant v JOIN product p ON p.id = v.product_id
         WHERE v.sku = ANY($1)",
        skus
    )
    .fetch_all(pool)
    .await
    .during("find variants by SKU")?;
    read(rows)
}

/// The variants of each of `products`, in their order, in one statement. Each product asked about has an entry.
pub async fn of_products(
    executor: impl PgExecutor<'_>,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<Variant>>, StoreError> {
    let ids: Vec<Uuid> = products.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        VariantRow,
        "SELECT v.id, v.product_id, p.status AS product_status, v.sku, v.title, v.price_minor, v.currency,
                v.compare_at_minor, v.weight_grams, v.version
         FROM variant v JOIN product p ON p.id = v.product_id
         WHERE v.product_id = ANY($1)
         ORDER BY v.product_id, v.position, v.id",
        &ids
    )
    .fetch_all(executor)
    .await
    .during("find the variants of products")?;
    let mut variants: HashMap<ProductId, Vec<Variant>> =
        products.iter().map(|id| (*id, Vec::new())).collect();
    for variant in read(rows)? {
        variants.entry(variant.product_id).or_default().push(variant);
    }
    Ok(variants)
}

/// What carts and orders need to know, in one statement and never from the cache: these prices are charged.
pub async fn facts(pool: &PgPool, ids: &[VariantId]) -> Result<Vec<VariantFact>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT v.id, v.product_id, v.sku, v.title, v.price_minor, v.currency,
                p.title AS product_title, p.status AS product_status, p.category_id
         FROM variant v JOIN product p ON p.id = v.product_id
         WHERE v.id = ANY($1)",
        &ids
    )
    .fetch_all(pool)
    .await
    .during("look variants up")?;
    rows.into_iter()
        .map(|row| {
            Ok(VariantFact {
                variant_id: VariantId::from_uuid(row.id),
                product_id: ProductId::from_uuid(row.product_id),
                category_id: Some(CategoryId::from_uuid(row.category_id)),
                title: crate::domain::line_title(&row.product_title, &row.title),
                sku: row.sku,
                price: Money::new(row.price_minor, stored(&row.currency)?),
                for_sale: products::status(&row.product_status)? == ProductStatus::Active,
            })
        })
        .collect::<Result<_, _>>()
        .during("read variant facts")
}
