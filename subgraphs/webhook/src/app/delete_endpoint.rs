//! Forgets an endpoint with its secrets and deliveries.

use contracts::{UserId, WebhookEndpointId};

use super::{App, AppError};
use crate::store;

impl App {
    /// Forgets it; false if there is no such endpoint. A try that is on its way finds nobody to report to.
    pub(crate) async fn delete_endpoint(&self, id: WebhookEndpointId, by: UserId) -> Result<bool, AppError> {
        let pool = self.requests.clone();
        let deleted = self
            .finish(async move {
                let mut tx = pool.begin().await?;
                let deleted = store::endpoints::delete(&mut tx, id).await?;
                tx.commit().await?;
                Ok(deleted)
            })
            .await?;
        if deleted {
            tracing::info!(endpoint = %id, %by, "deleted an endpoint");
        }
        Ok(deleted)
    }
}
