//! Why a mutation of webhooks was refused.

use async_graphql::Enum;

/// Why a request about webhooks was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(tag = "internal")]
pub(crate) enum WebhookErrorCode {
    /// No such endpoint, or no such delivery.
    NotFound,
    /// The URL does not begin with https, holds a user, or leads to no public address.
    UrlRefused,
    /// The delivery has not ended: it waits, or is being sent.
    InvalidState,
    /// The idempotency key was used with another input.
    IdempotencyKeyReused,
    /// The same request is being worked on: ask again.
    InProgress,
}

graphql_kit::user_error! {
    /// A business reason why an endpoint or a delivery was not changed.
    #[graphql(tag = "internal")]
    pub(crate) struct WebhookUserError(WebhookErrorCode);
}

impl WebhookUserError {
    /// There is nothing of this id.
    pub(super) fn unknown(what: &str, field: &str) -> Self {
        Self::new(WebhookErrorCode::NotFound, format!("There is no such {what}")).at(&["input", field])
    }

    pub(super) fn key_reused() -> Self {
        let why = "The idempotency key was used with another input";
        Self::new(WebhookErrorCode::IdempotencyKeyReused, why).at(&["input", "idempotencyKey"])
    }

    pub(super) fn in_progress() -> Self {
        let why = "The same request is being worked on";
        Self::new(WebhookErrorCode::InProgress, why).at(&["input", "idempotencyKey"])
    }
}
