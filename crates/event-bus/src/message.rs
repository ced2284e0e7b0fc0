//! An event as a consumer sees it: the envelope read, the data not yet.

use chrono::{DateTime, Utc};
use contracts::event::EventContext;
use contracts::{Event, EventData, EventId};
use lapin::message::Delivery;
use lapin::types::AMQPValue;
use serde::Deserialize;
use service_kit::{Clock, trace};

use crate::HandleError;

/// What an envelope needs beyond its data: the clock's time, and the trace and correlation id of the request or
/// event that is being handled.
pub fn context(service: &'static str, clock: &Clock) -> EventContext {
    EventContext {
        service,
        time: clock.now(),
        traceparent: service_kit::trace::current_traceparent(),
        correlation_id: service_kit::correlation::current(),
    }
}

/// Why a delivery is not an event; it goes to the parking queue with this text.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON, or lacks a part of the envelope.
    #[error("not a CloudEvent: {0}")]
    Envelope(#[from] serde_json::Error),
    /// The envelope is of a version this code doesn't know.
    #[error("specversion {0} is not 1.0")]
    SpecVersion(String),
    /// PostgreSQL can't store the character NUL.
    #[error("contains a NUL character")]
    Nul,
}

/// One event, received.
#[derive(Debug, Clone)]
pub struct Message {
    /// The event's id, the same in outbox, broker and inbox.
    pub id: EventId,
    /// Type with version, such as `payment.succeeded.v1`.
    pub kind: String,
    /// Id of the aggregate.
    pub subject: String,
    /// Version of the aggregate after this event.
    pub aggregate_version: i64,
    /// When it happened, by the publisher's clock.
    pub time: DateTime<Utc>,
    /// The whole envelope.
    pub body: serde_json::Value,
    /// The request that caused it.
    pub correlation_id: Option<String>,
    /// W3C trace context of the cause.
    pub traceparent: Option<String>,
    /// How often handling it was tried before.
    pub attempts: u32,
}

/// The envelope's attributes, without the data.
#[derive(Deserialize)]
struct Attributes {
    specversion: String,
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: DateTime<Utc>,
    #[serde(default)]
    traceparent: Option<String>,
    #[serde(default)]
    correlationid: Option<String>,
    aggregateversion: i64,
    // Present, whatever it is.
    #[serde(rename = "data")]
    _data: serde::de::IgnoredAny,
}

impl Message {
    /// Reads a body off the broker.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        Self::from_value(serde_json::from_slice(body)?, 0)
    }

    /// Reads a delivery. The trace context of its header, which names the span that published it, takes the place of
    /// the envelope's.
    pub(crate) fn delivered(delivery: &Delivery) -> Result<Self, DecodeError> {
        let mut message = Self::decode(&delivery.data)?;
        let headers = delivery.properties.headers().as_ref();
        let published = headers.and_then(|headers| headers.inner().get(trace::HEADER));
        if let Some(AMQPValue::LongString(text)) = published
            && let Ok(text) = std::str::from_utf8(text.as_bytes())
        {
            message.traceparent = Some(text.to_owned());
        }
        Ok(message)
    }

    /// A span of the broker's side of this event, which becomes its cause: whoever applies it goes on from there.
    pub(crate) fn received(&mut self, queue: &str) -> tracing::Span {
        let span = tracing::info_span!(
            "receive",
            otel.kind = "consumer",
            otel.name = format!("receive {}", self.kind),
            messaging.system = "rabbitmq",
            messaging.destination.name = queue,
            messaging.message.id = %self.id,
            subject = self.subject,
        );
        trace::with_parent(&span, self.traceparent.as_deref());
        if let Some(here) = trace::traceparent_of(&span) {
            self.body[trace::HEADER] = here.clone().into();
            self.traceparent = Some(here);
        }
        span
    }

    pub(crate) fn from_value(body: serde_json::Value, attempts: u32) -> Result<Self, DecodeError> {
        let attributes = Attributes::deserialize(&body)?;
        if attributes.specversion != "1.0" {
            return Err(DecodeError::SpecVersion(attributes.specversion));
        }
        if attributes.kind.contains('\0') || attributes.subject.contains('\0') {
            return Err(DecodeError::Nul);
        }
        Ok(Self {
            id: attributes.id,
            kind: attributes.kind,
            subject: attributes.subject,
            aggregate_version: attributes.aggregateversion,
            time: attributes.time,
            body,
            correlation_id: attributes.correlationid,
            traceparent: attributes.traceparent,
            attempts,
        })
    }

    /// The event with its data. Data of another shape than `T` will not become right by waiting, so it is
    /// [`HandleError::Dead`]: an operator replays it after a release that understands it.
    pub fn event<T: EventData>(&self) -> Result<Event<T>, HandleError> {
        if self.kind != T::TYPE {
            return Err(HandleError::Dead(format!("{} is not {}", self.kind, T::TYPE)));
        }
        Event::deserialize(&self.body)
            .map_err(|error| HandleError::Dead(format!("{} has data of another shape: {error}", self.kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::inventory::ReservationExpired;
    use serde_json::json;

    fn envelope() -> serde_json::Value {
        json!({
            "specversion": "1.0",
            "id": EventId::generate().to_string(),
            "type": "reservation.expired.v1",
            "source": "/mercato/inventory",
            "subject": "ord_00000000000000000000000001",
            "time": "2026-01-02T03:04:05Z",
            "datacontenttype": "application/json",
            "aggregateversion": 3,
            "data": { "order_id": "ord_00000000000000000000000001", "expired_at": "2026-01-02T03:04:05Z" }
        })
    }

    #[test]
    fn reads_the_envelope_then_the_data() {
        let message = Message::decode(envelope().to_string().as_bytes()).unwrap();
        assert_eq!(
            (message.kind.as_str(), message.aggregate_version),
            ("reservation.expired.v1", 3)
        );
        let event = message.event::<ReservationExpired>().unwrap();
        assert_eq!(event.data.order_id.to_string(), message.subject);
    }

    #[test]
    fn refuses_what_is_not_an_event() {
        for (field, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("42")),
            ("subject", json!("a\u{0}b")),
            ("type", json!(null)),
            ("aggregateversion", json!("three")),
        ] {
            let mut body = envelope();
            body[field] = value;
            assert!(Message::decode(body.to_string().as_bytes()).is_err(), "{field}");
        }
        assert!(Message::decode(b"{").is_err());
    }

    #[test]
    fn data_of_another_type_or_shape_is_dead() {
        let mut body = envelope();
        body["data"] = json!({});
        let message = Message::from_value(body, 0).unwrap();
        assert!(matches!(
            message.event::<ReservationExpired>(),
            Err(HandleError::Dead(_))
        ));
        let mut body = envelope();
        body["type"] = json!("reservation.expired.v2");
        let message = Message::from_value(body, 0).unwrap();
        assert!(matches!(
            message.event::<ReservationExpired>(),
            Err(HandleError::Dead(_))
        ));
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Message::decode(&body);
        }

        #[test]
        fn any_envelope_is_decoded_or_refused(
            changes in prop::collection::vec((
                prop::sample::select(vec!["specversion", "id", "type", "source", "subject", "time", "aggregateversion", "data", "traceparent", "correlationid"]),
                prop_oneof![
                    Just(serde_json::Value::Null),
                    any::<i64>().prop_map(serde_json::Value::from),
                    any::<f64>().prop_map(serde_json::Value::from),
                    "\\PC{0,40}".prop_map(serde_json::Value::from),
                    prop::collection::vec(any::<u8>(), 0..4).prop_map(serde_json::Value::from),
                ],
            ), 0..6),
        ) {
            let mut body = envelope();
            for (field, value) in changes {
                body[field] = value;
            }
            if let Ok(message) = Message::decode(body.to_string().as_bytes()) {
                prop_assert!(!message.kind.contains('\0') && !message.subject.contains('\0'));
                let _ = message.event::<ReservationExpired>();
                let _ = message.event::<contracts::payment::PaymentSucceeded>();
                let _ = message.event::<contracts::order::OrderCreated>();
            }
        }
    }
}
