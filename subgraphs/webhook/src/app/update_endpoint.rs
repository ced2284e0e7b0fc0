//! Changes an endpoint, or switches it off or on.

use contracts::{UserId, WebhookEndpointId};

use super::{App, AppError};
use crate::domain::{Endpoint, EventType};
use crate::store;

/// What is to be changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) event_types: Option<Vec<EventType>>,
    pub(crate) enabled: Option<bool>,
}

impl App {
    /// Changes it; `None` if there is no such endpoint. What waits for it goes to where it is then.
    pub(crate) async fn update_endpoint(
        &self,
        id: WebhookEndpointId,
        change: Change,
        by: UserId,
    ) -> Result<Option<Endpoint>, AppError> {
        let updated = store::endpoints::update(&self.requests, id, &change).await?;
        if let Some(endpoint) = &updated {
            tracing::info!(endpoint = %id, %by, enabled = endpoint.enabled, "changed an endpoint");
            self.wake();
        }
        Ok(updated)
    }
}
