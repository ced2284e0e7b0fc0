//! Levels of many SKUs in one statement.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use contracts::Sku;

use crate::App;
use crate::app::{Error, read_stock};
use crate::domain::stock::Level;

/// Loads levels by SKU; lives as long as one request.
pub(crate) struct LevelLoader {
    app: App,
}

impl LevelLoader {
    pub(crate) fn new(app: App) -> Self {
        Self { app }
    }
}

impl Loader<Sku> for LevelLoader {
    type Value = Level;
    type Error = Arc<Error>;

    async fn load(&self, skus: &[Sku]) -> Result<HashMap<Sku, Level>, Arc<Error>> {
        read_stock::levels(&self.app.pool, skus).await.map_err(Arc::new)
    }
}
