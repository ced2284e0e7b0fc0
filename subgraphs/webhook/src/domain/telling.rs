//! What an event tells an endpoint: the body, written once and sent byte for byte.

use chrono::{DateTime, SecondsFormat, Utc};
use contracts::{OrderId, WebhookEndpointId};
use serde::Serialize;

/// The type of what `sendTestWebhook` sends.
pub const TEST: &str = "webhook.test.v1";

/// What is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The type in the body.
    pub kind: &'static str,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// The body.
    pub body: String,
}

#[derive(Serialize)]
struct Body<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a T,
}

#[derive(Serialize)]
struct Test {
    endpoint_id: WebhookEndpointId,
}

impl Telling {
    /// Tells an event's own data, as contracts spell it.
    pub fn new<T: Serialize>(
        kind: &'static str,
        order: OrderId,
        at: DateTime<Utc>,
        data: &T,
    ) -> serde_json::Result<Self> {
        Ok(Self {
            kind,
            order: Some(order),
            body: body(kind, at, data)?,
        })
    }

    /// Tells nothing, to try an endpoint out.
    pub fn test(endpoint: WebhookEndpointId, at: DateTime<Utc>) -> serde_json::Result<Self> {
        let data = Test {
            endpoint_id: endpoint,
        };
        Ok(Self {
            kind: TEST,
            order: None,
            body: body(TEST, at, &data)?,
        })
    }
}

fn body<T: Serialize>(kind: &'static str, at: DateTime<Utc>, data: &T) -> serde_json::Result<String> {
    serde_json::to_string(&Body {
        kind,
        timestamp: at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        data,
    })
}
