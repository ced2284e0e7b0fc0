//! Reads of products.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::{CategoryId, ProductId};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{During, StoreError};
use crate::domain::{Product, ProductStatus};

pub(super) struct ProductRow {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) brand: Option<String>,
    pub(super) image_url: Option<String>,
    pub(super) category_id: Uuid,
    pub(super) status: String,
    pub(super) version: i32,
    pub(super) created_at: DateTime<Utc>,
}

impl TryFrom<ProductRow> for Product {
    type Error = sqlx::Error;

    fn try_from(row: ProductRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: ProductId::from_uuid(row.id),
            slug: row.slug,
            title: row.title,
            description: row.description,
            brand: row.brand,
            image_url: row.image_url,
            category_id: CategoryId::from_uuid(row.category_id),
            status: status(&row.status)?,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

pub(super) fn status(text: &str) -> Result<ProductStatus, sqlx::Error> {
    ProductStatus::from_stored(text)
        .ok_or_else(|| sqlx::Error::Decode(format!("unknown product status {text:?}").into()))
}

/// The products that exist among `ids`, in one statement.
pub async fn by_ids(
    executor: impl PgExecutor<'_>,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Product>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        ProductRow,
        "SELECT id, slug, title, description, brand, image_url, category_id, status, version, created_at
         FROM product WHERE id = ANY($1)",
        &ids
    )
    .fetch_all(executor)
    .await
    .during("find products")?;
    rows.into_iter()
        .map(|row| Product::try_from(row).map(|product| (product.id, product)))
        .collect::<Result<_, _>>()
        .during("read products")
}

/// The product of a slug.
pub async fn by_slug(pool: &PgPool, slug: &str) -> Result<Option<Product>, StoreError> {
    let row = sqlx::query_as!(
        ProductRow,
        "SELECT id, slug, title, description, brand, image_url, category_id, status, version, created_at
         FROM product WHERE slug = $1",
        slug
    )
    .fetch_optional(pool)
    .await
    .during("find a product by slug")?;
    row.map(Product::try_from).transpose().during("read a product")
}
