//! Why a mutation of notifications was refused.

use async_graphql::Enum;

/// Why a request about notifications was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotificationErrorCode {
    /// No such notification, or not yours; no such mail.
    NotFound,
    /// The mail is not given up: it waits, or is sent.
    #[graphql(tag = "internal")]
    InvalidState,
}

graphql_kit::user_error! {
    /// A business reason why a notification, a preference or a mail was not changed.
    pub(crate) struct NotificationUserError(NotificationErrorCode);
}
