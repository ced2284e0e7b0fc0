//! Definite answers "no". A door turns them into its own language.

use contracts::Sku;

/// Why a request is refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// These SKUs have too few units, or are unknown.
    #[error("out of stock: {}", .0.join(", "))]
    OutOfStock(Vec<Sku>),
    /// The same order asked before for other lines.
    #[error("the same was asked before with other lines")]
    BodyMismatch,
    /// The order's reservation was released, perhaps before it was made.
    #[error("the reservation was released")]
    Released,
    /// Nothing is held any more and it can't be held again.
    #[error("the reservation is gone")]
    Gone,
    /// Sold units are not released but restocked.
    #[error("the reservation is confirmed")]
    AlreadyConfirmed,
    /// Only sold units can be restocked.
    #[error("only a confirmed reservation can be restocked")]
    NotSold,
    /// More units of these SKUs would come back than are sold.
    #[error("more than is sold: {}", .0.join(", "))]
    TooMany(Vec<Sku>),
    /// No such reservation.
    #[error("the order has no reservation")]
    Unknown,
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
}
