//! Sends an endpoint a test, signed and tried like any event, once per idempotency key.

use contracts::{EventId, WebhookDeliveryId, WebhookEndpointId};
use service_kit::{correlation, trace};

use super::once::{Begun, Keyed};
use super::{App, AppError, Once, Request};
use crate::domain::Delivery;
use crate::domain::telling::Telling;
use crate::store;
use crate::store::deliveries::Cause;

impl App {
    /// Writes a test that is due at once; `None` if there is no such endpoint. One that is switched off gets it when it
    /// is switched on.
    pub(crate) async fn send_test(
        &self,
        request: Request,
        id: WebhookEndpointId,
    ) -> Result<Once<Option<Delivery>>, AppError> {
        let keyed = Keyed::new(request, "sendTestWebhook", &id);
        let (app, correlation_id) = (self.clone(), correlation::current());
        let traceparent = trace::current_traceparent();
        let written = self
            .finish(async move {
                let mut tx = match keyed.begin::<WebhookDeliveryId>(&app.requests).await? {
                    Begun::Fresh(tx) => tx,
                    Begun::Settled(once) => return Ok(once.map(Some)),
                };
                if !store::endpoints::lock(&mut tx, id).await? {
                    tx.rollback().await?;
                    return Ok(Once::Done(None));
                }
                let at = app.now();
                let cause = Cause {
                    event: EventId::generate(),
                    correlation_id: correlation_id.as_deref(),
                    traceparent: traceparent.as_deref(),
                };
                store::payloads::insert(&mut tx, cause.event, &Telling::test(id, at)?).await?;
                let delivery = WebhookDeliveryId::generate();
                store::deliveries::insert(&mut tx, cause, &[(delivery, id)], at).await?;
                Ok(keyed.finish(tx, delivery).await?.map(Some))
            })
            .await?;
        self.wake();
        Ok(match written {
            Once::Done(Some(id)) => Once::Done(store::deliveries::find(&self.requests, id).await?),
            Once::Done(None) => Once::Done(None),
            Once::KeyReused => Once::KeyReused,
            Once::InProgress => Once::InProgress,
        })
    }
}
