//! Writes down who is to be told of an event: its body once, and a delivery for each endpoint that asks for it, in the
//! transaction of its inbox row. A repeat of the event finds them there.

use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use contracts::{EventData, OrderId, WebhookDeliveryId};
use event_bus::{HandleError, Message};
use service_kit::trace;
use sqlx::PgConnection;

use super::App;
use crate::domain::EventType;
use crate::domain::telling::Telling;
use crate::store;
use crate::store::deliveries::Cause;

impl App {
    /// Writes a delivery for whoever asks for this event; an event that nobody can ask for is none.
    pub(crate) async fn hear(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        let Some(kind) = EventType::of(&message.kind) else {
            return Ok(());
        };
        let telling = match kind {
            EventType::OrderCreated => telling::<OrderCreated>(message, |data| data.order_id)?,
            EventType::OrderStatusChanged => telling::<OrderStatusChanged>(message, |data| data.order_id)?,
            EventType::RefundCompleted => telling::<RefundCompleted>(message, |data| data.order_id)?,
        };
        let wanting = store::endpoints::wanting(tx, kind).await?;
        if wanting.is_empty() {
            return Ok(());
        }
        let traceparent = trace::current_traceparent();
        let cause = Cause {
            event: message.id,
            correlation_id: message.correlation_id.as_deref(),
            traceparent: traceparent.as_deref().or(message.traceparent.as_deref()),
        };
        store::payloads::insert(tx, message.id, &telling).await?;
        let deliveries: Vec<_> = wanting
            .into_iter()
            .map(|endpoint| (WebhookDeliveryId::generate(), endpoint))
            .collect();
        store::deliveries::insert(tx, cause, &deliveries, self.now()).await?;
        Ok(())
    }
}

fn telling<T: EventData>(message: &Message, order: impl Fn(&T) -> OrderId) -> Result<Telling, HandleError> {
    let data = message.event::<T>()?.data;
    Telling::new(T::TYPE, order(&data), message.time, &data)
        .map_err(|error| HandleError::Dead(error.to_string()))
}
