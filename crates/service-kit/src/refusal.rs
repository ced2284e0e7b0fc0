//! Refusals: each leaves one line in the log that says who was not let in where, and why.

use std::fmt::Display;

use crate::metrics;

/// What of the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The gateway key of the GraphQL listener.
    Gateway,
    /// A user's token.
    UserToken,
    /// A service's token on an internal route.
    ServiceToken,
    /// What a role or a session allows.
    Role,
    /// Something that is somebody else's, and is answered as if there were none.
    Ownership,
    /// How often one may ask.
    Limit,
    /// What a document or a body may be.
    Document,
    /// The WebSocket.
    Socket,
    /// A webhook's signature.
    Webhook,
    /// Sign-in and sessions.
    Login,
}

impl Door {
    /// Its name in the log and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway key",
            Self::UserToken => "user token",
            Self::ServiceToken => "service token",
            Self::Role => "role",
            Self::Ownership => "ownership",
            Self::Limit => "limit",
            Self::Document => "document",
            Self::Socket => "websocket",
            Self::Webhook => "webhook",
            Self::Login => "login",
        }
    }
}

/// Notes a refusal: `who` was refused `what` with the stable `code` of `docs/errors.md`, and why. None of it may be or
/// hold a secret, so never anything that the caller sent and that was not read into a type first.
pub fn refused(door: Door, who: impl Display, what: impl Display, code: &str, why: impl Display) {
    let door = door.as_str();
    metrics::counter(
        "refusals_total",
        "What was refused, by door and code.",
        &["door", "code"],
    )
    .with_label_values(&[door, code])
    .inc();
    tracing::warn!(target: "refusal", door, %who, %what, code, %why, "refused");
}
