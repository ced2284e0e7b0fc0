//! Business reasons why a cart is not changed.

use async_graphql::Enum;

use crate::domain::{Reason, Refusal};

/// Why a cart was not changed.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "Reason")]
pub(crate) enum CartErrorCode {
    /// There is no such cart, or it is somebody else's.
    CartNotFound,
    /// The cart has no such line.
    LineNotFound,
    /// The variant can't be bought.
    VariantUnavailable,
    /// A quantity is 1 to 999 per variant.
    QuantityInvalid,
    /// A cart has at most 200 lines.
    TooManyLines,
    /// The variant or cart has another currency.
    CurrencyMismatch,
    /// A coupon's code has 3 to 32 letters, digits and dashes.
    CouponInvalid,
    /// The cart was changed since; read it again.
    VersionConflict,
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused,
}

graphql_kit::user_error! {
    /// A business reason why a cart was not changed.
    pub(crate) struct CartUserError(CartErrorCode);
}

impl From<Refusal> for CartUserError {
    fn from(refusal: Refusal) -> Self {
        let message = match refusal.reason {
            Reason::CartNotFound => "There is no such cart",
            Reason::LineNotFound => "The cart has no such line",
            Reason::VariantUnavailable => "This can't be bought at present",
            Reason::QuantityInvalid => "A quantity is 1 to 999 per variant",
            Reason::TooManyLines => "A cart has at most 200 lines",
            Reason::CurrencyMismatch => "A cart holds one currency",
            Reason::CouponInvalid => "A coupon's code has 3 to 32 letters, digits and dashes",
            Reason::VersionConflict => "The cart was changed since, read it again",
            Reason::IdempotencyKeyReused => "The idempotency key belongs to another request",
        };
        let path: Vec<String> = std::iter::once("input".to_owned()).chain(refusal.field).collect();
        Self::new(refusal.reason.into(), message).at(&path)
    }
}
