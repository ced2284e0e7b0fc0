//! Writes of single products and prices, each inside the caller's transaction.
//!
//! Lock order: the catalogue lock (where SKUs or categories come into being, or the words of
//! products change), then products, then variants.

use chrono::{DateTime, Utc};
use contracts::{Money, ProductId, Sku, VariantId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::products::ProductRow;
use super::{During, StoreError};
use crate::domain::Product;

/// Key of the advisory lock under which slugs, SKUs and categories come into being and words change: "prod" in ASCII.
const CATALOGUE_LOCK: i64 = 0x7072_6f64;

/// Waits until no other transaction creates products, variants or categories, or changes their words.
pub async fn lock_in_tx(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", CATALOGUE_LOCK)
        .execute(tx)
        .await
        .during("lock the catalogue")?;
    Ok(())
}

/// A product held against other writers until the transaction ends.
pub async fn hold_in_tx(tx: &mut PgConnection, id: ProductId) -> Result<Option<Product>, StoreError> {
    let row = sqlx::query_as!(
        ProductRow,
        "SELECT id, slug, title, description, brand, image_url, category_id, status, version, created_at
         FROM product WHERE id = $1 FOR UPDATE",
        id.uuid()
    )
    .fetch_optional(tx)
    .await
    .during("hold a product")?;
    row.map(Product::try_from).transpose().during("read a product")
}

/// Stores the changeable facts of a product, and its next version. The caller holds it.
pub async fn update_in_tx(
    tx: &mut PgConnection,
    product: &Product,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE product SET title = $2, description = $3, status = $4, version = $5, updated_at = $6
         WHERE id = $1 AND version = $5 - 1",
        product.id.uuid(),
        product.title,
        product.description,
        product.status.as_str(),
        product.version,
        at
    )
    .execute(tx)
    .await
    .during("update a product")?;
    one(done.rows_affected()).during("update a product")
}

/// A variant as far as a price change needs it.
#[derive(Debug, Clone)]
pub struct Priced {
    /// Its product.
    pub product_id: ProductId,
    /// Slug of its product.
    pub slug: String,
    /// Its currency.
    pub currency: String,
    /// Its version.
    pub version: i32,
}

/// Holds a variant's product, then reads the variant: whoever changes prices of one product takes turns.
pub async fn hold_priced_in_tx(tx: &mut PgConnection, id: VariantId) -> Result<Option<Priced>, StoreError> {
    let held: Option<Uuid> = sqlx::query_scalar!(
        "SELECT p.id FROM product p
         WHERE p.id = (SELECT product_id FROM variant WHERE id = $1) FOR UPDATE",
        id.uuid()
    )
    .fetch_optional(&mut *tx)
    .await
    .during("hold a variant's product")?;
    if held.is_none() {
        return Ok(None);
    }
    // A statement of its own: its snapshot is taken after the wait for the lock.
    let row = sqlx::query!(
        "SELECT v.product_id, p.slug, v.currency, v.version
         FROM variant v JOIN product p ON p.id = v.product_id WHERE v.id = $1",
        id.uuid()
    )
    .fetch_optional(tx)
    .await
    .during("read a variant")?;
    Ok(row.map(|row| Priced {
        product_id: ProductId::from_uuid(row.product_id),
        slug: row.slug,
        currency: row.currency,
        version: row.version,
    }))
}

/// Stores a variant's price. A compare-at price that is no longer higher goes.
pub async fn set_price_in_tx(
    tx: &mut PgConnection,
    id: VariantId,
    price: Money,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE variant
         SET price_minor = $2, version = version + 1, updated_at = $3,
             compare_at_minor = CASE WHEN compare_at_minor > $2 THEN compare_at_minor END
         WHERE id = $1",
        id.uuid(),
        price.amount_minor,
        at
    )
    .execute(tx)
    .await
    .during("set a price")?;
    one(done.rows_affected()).during("set a price")
}

/// Brings the lowest price of products up to date with their variants. The caller holds the products.
pub async fn refresh_price_from_in_tx(
    tx: &mut PgConnection,
    products: &[ProductId],
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = products.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "UPDATE product p SET price_from = cheapest.price
         FROM (SELECT product_id, min(price_in_thousandths(price_minor, currency)) AS price
               FROM variant WHERE product_id = ANY($1) GROUP BY product_id) AS cheapest
         WHERE p.id = cheapest.product_id AND p.price_from <> cheapest.price",
        &ids
    )
    .execute(tx)
    .await
    .during("refresh the lowest prices")?;
    Ok(())
}

/// Which of `slugs` and `skus` are taken, and by which product.
pub async fn taken_in_tx(tx: &mut PgConnection, slugs: &[String], skus: &[Sku]) -> Result<Taken, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT slug AS "slug?", NULL AS "sku?: String", id AS "id!" FROM product WHERE slug = ANY($1)
           UNION ALL
           SELECT NULL, sku, product_id FROM variant WHERE sku = ANY($2)"#,
        slugs,
        skus
    )
    .fetch_all(tx)
    .await
    .during("find taken slugs and SKUs")?;
    let mut taken = Taken::default();
    for row in rows {
        let id = ProductId::from_uuid(row.id);
        if let Some(slug) = row.slug {
            taken.slugs.insert(slug, id);
        }
        if let Some(sku) = row.sku {
            taken.skus.insert(sku, id);
        }
    }
    Ok(taken)
}

/// Slugs and SKUs in use, with the product that has them.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// By slug.
    pub slugs: std::collections::HashMap<String, ProductId>,
    /// By SKU.
    pub skus: std::collections::HashMap<Sku, ProductId>,
}

fn one(affected: u64) -> Result<(), sqlx::Error> {
    if affected == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}
