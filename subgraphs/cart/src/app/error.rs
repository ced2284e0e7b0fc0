//! Why a use case did not do what it was asked.

use service_auth::CallError;

use crate::domain::Refusal;
use crate::store::Fault;

/// A result, or the business reasons against it.
pub(crate) type Outcome<T> = Result<T, Vec<Refusal>>;

/// A fault that says nothing about the request, or input that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(&'static str),
    /// Redis failed; a write may have happened.
    #[error("the carts' store")]
    Store(#[from] Fault),
    /// Product could not be asked for prices.
    #[error("product's prices")]
    Product(#[from] CallError),
    /// The cart was changed by others again and again.
    #[error("too many changes at once")]
    Busy,
    /// A stored outcome can't be read back.
    #[error("a stored outcome is not what it was")]
    Outcome(#[from] serde_json::Error),
}
