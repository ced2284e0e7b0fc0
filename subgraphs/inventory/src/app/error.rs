//! Why a use case did not do what it was asked.

use crate::domain::Refusal;

/// Either a definite "no" or a fault that says nothing about the request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing was changed, and asking again changes nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another request with the same key is still at work.
    #[error("the same request is still being worked on")]
    Busy,
    /// The store failed; the outcome may be unknown.
    #[error("inventory's database")]
    Store(#[source] sqlx::Error),
    /// A stored answer can't be read back, or an event can't be written.
    #[error("a stored document")]
    Document(#[from] serde_json::Error),
    /// The task that did the work died.
    #[error("the task died")]
    Task(#[from] tokio::task::JoinError),
    /// The batch in which the work was done died.
    #[error("the batch died")]
    Batch,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(pg_kit::count_error(error))
    }
}
