//! The messages of `graphql-transport-ws` and the codes of its closes.

use async_graphql::{Response, ServerError, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Longest id of a subscription.
const MAX_ID_LEN: usize = 128;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Json>,
    },
    Subscribe {
        id: String,
        payload: Json,
    },
    Complete {
        id: String,
    },
    Ping {},
    Pong {},
}

impl ClientMessage {
    /// Reads a message; `None` is not of the protocol.
    pub(super) fn read(text: &str) -> Option<Self> {
        let message = serde_json::from_str(text).ok()?;
        match &message {
            Self::Subscribe { id, .. } if id.is_empty() || id.len() > MAX_ID_LEN => None,
            _ => Some(message),
        }
    }
}

/// Reads a message as the fuzzer does: the payload of a `subscribe`, or what else it is; `None` is not of the protocol.
pub(crate) fn read_message(text: &str) -> Option<Result<Json, &'static str>> {
    Some(match ClientMessage::read(text)? {
        ClientMessage::Subscribe { payload, .. } => Ok(payload),
        ClientMessage::ConnectionInit { payload } => match token(payload.as_ref()) {
            Some(_) => Err("a token"),
            None => Err("no token"),
        },
        ClientMessage::Complete { .. } => Err("complete"),
        ClientMessage::Ping {} | ClientMessage::Pong {} => Err("alive"),
    })
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'m> {
    ConnectionAck,
    Pong,
    Next { id: &'m str, payload: Payload<'m> },
    Error { id: &'m str, payload: &'m [ServerError] },
    Complete { id: &'m str },
}

/// A result of a subscription.
#[derive(Debug, Serialize)]
pub(super) struct Payload<'m> {
    data: &'m Value,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'m [ServerError],
}

impl<'m> From<&'m Response> for Payload<'m> {
    fn from(response: &'m Response) -> Self {
        Self {
            data: &response.data,
            errors: &response.errors,
        }
    }
}

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    GoingAway,
    TooLarge,
    TryAgain,
    BadMessage,
    Unauthorized,
    Forbidden,
    TokenExpired,
    NoSubprotocol,
    InitTimeout,
    DuplicateId,
    TooManyInits,
    TooManySockets,
}

impl Close {
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::TooLarge => 1009,
            Self::TryAgain => 1013,
            Self::BadMessage => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden | Self::TokenExpired => 4403,
            Self::NoSubprotocol => 4406,
            Self::InitTimeout => 4408,
            Self::DuplicateId => 4409,
            Self::TooManyInits | Self::TooManySockets => 4429,
        }
    }

    /// Whether the client is at fault: the others end a socket that was welcome.
    pub(super) const fn is_refusal(self) -> bool {
        !matches!(self, Self::GoingAway | Self::TryAgain | Self::TokenExpired)
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "Going away",
            Self::TooLarge => "Message too large",
            Self::TryAgain => "Try again later",
            Self::BadMessage => "Bad message",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::TokenExpired => "Token expired",
            Self::NoSubprotocol => "Subprotocol not acceptable",
            Self::InitTimeout => "Connection initialisation timeout",
            Self::DuplicateId => "Subscriber already exists",
            Self::TooManyInits => "Too many initialisation requests",
            Self::TooManySockets => "Too many connections",
        }
    }
}

/// The token in the payload of `connection_init`, in any of the shapes that clients send.
pub(super) fn token(payload: Option<&Json>) -> Option<&str> {
    let payload = payload?.as_object()?;
    let places = [
        Some(payload),
        object(payload, "headers"),
        object(payload, "connectionParams"),
    ];
    places.into_iter().flatten().find_map(|place| {
        let (_, value) = place
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
        crate::http::bearer_token(value.as_str()?)
    })
}

/// The trace context in the payload of `connection_init`, or in the extensions of a `subscribe`.
pub(super) fn traceparent(from: Option<&Json>) -> Option<String> {
    from?.get(service_kit::trace::HEADER)?.as_str().map(str::to_owned)
}

fn object<'j>(
    from: &'j serde_json::Map<String, Json>,
    name: &str,
) -> Option<&'j serde_json::Map<String, Json>> {
    from.get(name)?.as_object()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_token_is_found_in_each_shape() {
        for payload in [
            json!({"authorization": "Bearer t"}),
            json!({"Authorization": "bearer t"}),
            json!({"headers": {"authorization": "Bearer t"}}),
            json!({"connectionParams": {"Authorization": "Bearer t"}}),
        ] {
            assert_eq!(token(Some(&payload)), Some("t"), "{payload}");
        }
        for payload in [
            json!(null),
            json!({}),
            json!("Bearer t"),
            json!({"authorization": 1}),
            json!({"authorization": "t"}),
        ] {
            assert_eq!(token(Some(&payload)), None, "{payload}");
        }
    }

    #[test]
    fn a_trace_context_is_text_or_ignored() {
        assert_eq!(
            traceparent(Some(&json!({"traceparent": "00-1-2-01"}))).as_deref(),
            Some("00-1-2-01")
        );
        for none in [json!(null), json!([]), json!({"traceparent": 1})] {
            assert_eq!(traceparent(Some(&none)), None, "{none}");
        }
        assert_eq!(traceparent(None), None);
    }

    #[test]
    fn what_is_not_of_the_protocol_is_not_read() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(ClientMessage::read(text).is_none(), "{text}");
        }
        assert!(matches!(
            ClientMessage::read(r#"{"type":"ping","payload":{"a":1}}"#),
            Some(ClientMessage::Ping {})
        ));
    }

    use proptest::prelude::*;

    /// JSON of any shape, with the protocol's own words in it more often than chance would have.
    fn json_value() -> impl Strategy<Value = Json> {
        let word = prop::sample::select(vec![
            "type",
            "id",
            "payload",
            "query",
            "subscribe",
            "connection_init",
            "ping",
            "authorization",
            "Bearer t",
        ]);
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            word.prop_map(Json::from),
            "\\PC{0,20}".prop_map(Json::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            let name = prop::sample::select(vec![
                "type",
                "id",
                "payload",
                "query",
                "variables",
                "operationName",
                "extensions",
                "headers",
                "authorization",
                "x",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Json::from),
                prop::collection::vec((name, inner), 0..8).prop_map(|fields| fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            ClientMessage::read(&text);
        }

        #[test]
        fn any_bytes_that_are_text_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            ClientMessage::read(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_json_is_read_or_refused(value in json_value()) {
            token(Some(&value));
            traceparent(Some(&value));
            match ClientMessage::read(&value.to_string()) {
                Some(ClientMessage::Subscribe { id, payload }) => {
                    prop_assert!(!id.is_empty() && id.len() <= MAX_ID_LEN);
                    if let Ok(mut request) = crate::http::from_json(payload) {
                        // Whatever the document is: it is checked or refused.
                        let _ = crate::document::check(&mut request, false);
                    }
                }
                Some(ClientMessage::ConnectionInit { payload }) => {
                    token(payload.as_ref());
                }
                _ => {}
            }
        }

        #[test]
        fn any_document_is_checked_or_refused(query in "[{}()\\[\\]:!$@.\"a-d0-9_ #\n\\\\]{0,200}") {
            if let Ok(mut request) = crate::http::from_json(serde_json::json!({ "query": query })) {
                let _ = crate::document::check(&mut request, false);
            }
        }
    }
}
