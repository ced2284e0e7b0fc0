//! Levels of many SKUs in one statement.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use contracts::Sku;
use sqlx::PgPool;

use crate::app::{Error, read_stock};
use crate::domain::stock::Level;

/// Loads levels by SKU; lives as long as one request.
pub(crate) struct LevelLoader {
    pool: PgPool,
}

impl LevelLoader {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

impl Loader<Sku> for LevelLoader {
    type Value = Level;
    type Error = Arc<Error>;

    async fn load(&self, skus: &[Sku]) -> Result<HashMap<Sku, Level>, Arc<Error>> {
        read_stock::levels(&self.pool, skus).await.map_err(Arc::new)
    }
}
