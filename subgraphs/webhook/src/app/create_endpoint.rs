//! Makes an endpoint with its first secret, once per idempotency key.

use contracts::WebhookEndpointId;

use super::once::{Begun, Keyed};
use super::rotate_secret::{Made, Told};
use super::{App, AppError, Once, Request};
use crate::domain::{Endpoint, EventType};
use crate::store;

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewEndpoint {
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) event_types: Vec<EventType>,
}

impl App {
    /// Makes it. The outcome that is kept under the key names the secret and does not hold it.
    pub(crate) async fn create_endpoint(
        &self,
        request: Request,
        new: NewEndpoint,
    ) -> Result<Once<Option<Told>>, AppError> {
        let by = request.by;
        let kinds: Vec<_> = new.event_types.iter().map(|kind| kind.kind()).collect();
        let keyed = Keyed::new(
            request,
            "createWebhookEndpoint",
            &(&new.url, &new.description, kinds),
        );
        let app = self.clone();
        let made = self
            .finish(async move {
                let mut tx = match keyed.begin::<Made>(&app.requests).await? {
                    Begun::Fresh(tx) => tx,
                    Begun::Settled(once) => return Ok(once),
                };
                let endpoint = Endpoint {
                    id: WebhookEndpointId::generate(),
                    url: new.url,
                    description: new.description,
                    event_types: new.event_types,
                    enabled: true,
                    disabled_reason: None,
                    created_at: app.now(),
                };
                store::endpoints::insert(&mut tx, &endpoint).await?;
                let secret = app.write_secret(&mut tx, endpoint.id).await?;
                tracing::info!(endpoint = %endpoint.id, %by, "made an endpoint");
                let made = Made {
                    endpoint: endpoint.id,
                    secret,
                };
                keyed.finish(tx, made).await
            })
            .await?;
        self.told(made).await
    }
}
