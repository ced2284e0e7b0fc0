//! Batches: one statement however many endpoints an operation shows.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Request};
use contracts::WebhookEndpointId;
use graphql_kit::{ApiError, Batcher, Result};

use super::SERVICE;
use crate::app::{App, AppError, Slice};
use crate::domain::Delivery;

/// Loads for one operation. Doesn't ask who may see what.
pub(super) struct Loads(App);

/// A page of an endpoint's deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PageOf {
    pub(super) endpoint: WebhookEndpointId,
    pub(super) slice: Slice,
}

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request.data(Batcher::new(Loads(app.clone())))
}

/// Loads one page, with all others asked for at about the same time.
pub(super) async fn load(ctx: &Context<'_>, key: PageOf) -> Result<Vec<Delivery>> {
    let batcher = ctx.data_unchecked::<Batcher<Loads>>();
    let loaded: std::result::Result<_, Arc<AppError>> = batcher.load_one(key).await;
    let page = loaded.map_err(|error| match &*error {
        AppError::Store(source) if pg_kit::is_retryable(source) => ApiError::unavailable(SERVICE),
        _ => ApiError::internal(error),
    })?;
    Ok(page.unwrap_or_default())
}

impl Loader<PageOf> for Loads {
    type Value = Vec<Delivery>;
    type Error = Arc<AppError>;

    /// One statement for each cursor, state and size; an operation has one for each time it writes `deliveries`.
    async fn load(
        &self,
        keys: &[PageOf],
    ) -> std::result::Result<HashMap<PageOf, Vec<Delivery>>, Arc<AppError>> {
        let mut asked: HashMap<_, Vec<_>> = HashMap::new();
        for key in keys {
            asked.entry(key.slice).or_default().push(key.endpoint);
        }
        let mut pages = HashMap::new();
        for (slice, endpoints) in asked {
            let found = self.0.deliveries_of(&endpoints, slice).await?;
            let found = found.into_iter();
            pages.extend(found.map(|(endpoint, page)| (PageOf { endpoint, slice }, page)));
        }
        Ok(pages)
    }
}
