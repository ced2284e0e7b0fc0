//! Reads, in batches.

use std::collections::HashMap;

use contracts::WebhookEndpointId;

use super::{App, AppError};
use crate::domain::{Delivery, Endpoint};
use crate::store;
use crate::store::deliveries::Slice;

impl App {
    /// A page of endpoints, newest first.
    pub(crate) async fn endpoints(
        &self,
        after: Option<WebhookEndpointId>,
        limit: i64,
    ) -> Result<Vec<Endpoint>, AppError> {
        Ok(store::endpoints::page(&self.requests, after, limit).await?)
    }

    /// An endpoint.
    pub(crate) async fn endpoint(&self, id: WebhookEndpointId) -> Result<Option<Endpoint>, AppError> {
        Ok(store::endpoints::find(&self.requests, id).await?)
    }

    /// A page of each endpoint's deliveries, newest first.
    pub(crate) async fn deliveries_of(
        &self,
        endpoints: &[WebhookEndpointId],
        slice: Slice,
    ) -> Result<HashMap<WebhookEndpointId, Vec<Delivery>>, AppError> {
        Ok(store::deliveries::of_endpoints(&self.requests, endpoints, slice).await?)
    }
}
