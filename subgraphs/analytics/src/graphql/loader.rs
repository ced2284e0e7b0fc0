//! Batches: one statement however many products an operation names.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Request};
use contracts::ProductId;
use graphql_kit::{ApiError, Batcher, Result};

use super::SERVICE;
use crate::app::{App, AppError};
use crate::domain::pairs::BoughtWith;

/// Loads for one operation.
pub(super) struct Loads(App);

/// What is bought with a product, at most `first`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct With {
    pub(super) product: ProductId,
    pub(super) first: i64,
}

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request.data(Batcher::new(Loads(app.clone())))
}

/// Loads one value, with all others asked for at about the same time.
pub(super) async fn load(ctx: &Context<'_>, key: With) -> Result<Option<Vec<BoughtWith>>> {
    let batcher = ctx.data_unchecked::<Batcher<Loads>>();
    batcher.load_one(key).await.map_err(|error| match &*error {
        AppError::Store(source) if pg_kit::is_retryable(source) => ApiError::unavailable(SERVICE),
        _ => ApiError::internal(error),
    })
}

impl Loader<With> for Loads {
    type Value = Vec<BoughtWith>;
    type Error = Arc<AppError>;

    /// One statement for each size; an operation has one of them for each time it writes `boughtWith`.
    async fn load(
        &self,
        keys: &[With],
    ) -> std::result::Result<HashMap<With, Vec<BoughtWith>>, Arc<AppError>> {
        let mut products: HashMap<i64, Vec<ProductId>> = HashMap::new();
        for key in keys {
            products.entry(key.first).or_default().push(key.product);
        }
        let mut loaded = HashMap::new();
        for (first, products) in products {
            let found = self.0.bought_with(&products, first).await?;
            loaded.extend(
                found
                    .into_iter()
                    .map(|(product, with)| (With { product, first }, with)),
            );
        }
        Ok(loaded)
    }
}
