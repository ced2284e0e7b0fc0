//! The envelope of every event: CloudEvents 1.0, JSON structured mode (<https://cloudevents.io>).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::EventId;

/// Media type of a message body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// What an event's data type says about itself: where it goes and what it is called.
pub trait EventData: Serialize + for<'de> Deserialize<'de> {
    /// The type with its version; also the routing key, such as `payment.succeeded.v1`.
    const TYPE: &'static str;
    /// The owner's exchange, such as `payment.events`.
    const EXCHANGE: &'static str;
    /// Whether some service must have a queue for it: then it counts as published only when it reached one. False
    /// for announcements that may have no listener.
    const MANDATORY: bool = true;

    /// The aggregate this is about, such as the order's id; becomes `subject`.
    fn subject(&self) -> String;
}

/// An event as it travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event<T> {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique per event; a repeat with the same id is the same event.
    pub id: EventId,
    /// Type with version, equal to the routing key.
    #[serde(rename = "type")]
    pub kind: String,
    /// The publishing service, such as `/mercato/payment`.
    pub source: String,
    /// Id of the aggregate the event is about.
    pub subject: String,
    /// When it happened, by the publisher's clock.
    pub time: DateTime<Utc>,
    /// Media type of `data`.
    pub datacontenttype: String,
    /// W3C trace context of the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The request that caused it, from the browser on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// Version of the aggregate after this event; consumers don't rely on order of arrival.
    pub aggregateversion: i64,
    /// The fact itself.
    pub data: T,
}

/// Who publishes, when and on whose behalf: what an envelope needs beyond its data.
#[derive(Debug, Clone)]
pub struct EventContext {
    /// Name of the publishing service.
    pub service: &'static str,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// W3C trace context of the cause.
    pub traceparent: Option<String>,
    /// Correlation id of the cause.
    pub correlation_id: Option<String>,
}

impl<T: EventData> Event<T> {
    /// Wraps a fact about version `aggregate_version` of its aggregate.
    pub fn new(id: EventId, context: &EventContext, aggregate_version: i64, data: T) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            kind: T::TYPE.to_owned(),
            source: format!("/mercato/{}", context.service),
            subject: data.subject(),
            time: context.time,
            datacontenttype: "application/json".to_owned(),
            traceparent: context.traceparent.clone(),
            correlationid: context.correlation_id.clone(),
            aggregateversion: aggregate_version,
            data,
        }
    }
}
