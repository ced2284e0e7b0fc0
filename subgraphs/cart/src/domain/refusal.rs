//! Business reasons why a cart is not changed.

use serde::{Deserialize, Serialize};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Reason {
    CartNotFound,
    LineNotFound,
    VariantUnavailable,
    QuantityInvalid,
    TooManyLines,
    CurrencyMismatch,
    CouponInvalid,
    VersionConflict,
    IdempotencyKeyReused,
}

/// What is wrong and with which part of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// The path below `input`.
    pub(crate) field: Vec<String>,
}

impl Refusal {
    /// A refusal about a part of the input.
    pub(crate) fn at<S: ToString>(reason: Reason, field: &[S]) -> Self {
        Self {
            reason,
            field: field.iter().map(ToString::to_string).collect(),
        }
    }

    /// A refusal about one member of the n-th line asked for.
    pub(crate) fn at_line(reason: Reason, line: usize, member: &str) -> Self {
        Self {
            reason,
            field: vec!["lines".to_owned(), line.to_string(), member.to_owned()],
        }
    }
}
