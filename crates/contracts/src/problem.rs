//! Refusals of the internal REST interfaces (RFC 9457 problem details, with a stable code).

use serde::{Deserialize, Serialize};

use crate::Sku;

/// Media type of a refusal.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A definite answer "no". Anything without one (a time-out, a 5xx) is unknown, never a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Problem {
    /// HTTP status, repeated.
    pub status: u16,
    /// Stable code.
    pub code: ProblemCode,
    /// For a person; never shown to shoppers.
    pub detail: String,
    /// The SKUs concerned, such as those out of stock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    /// The provider's decline code, such as `insufficient_funds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

/// Codes of definite refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProblemCode {
    /// 400: the request can't be read.
    BadRequest,
    /// 401: no or bad service token.
    Unauthenticated,
    /// 403: the caller is not on this route's list.
    Forbidden,
    /// 404: no such resource.
    NotFound,
    /// 409: one or more SKUs have too little stock.
    OutOfStock,
    /// 409: the reservation was released before.
    Released,
    /// 409: the reservation is gone and can't be held again.
    Gone,
    /// 409: the reservation is confirmed and can't be released.
    AlreadyConfirmed,
    /// 402: the provider declined the payment.
    Declined,
    /// 409: the payment was voided before.
    Voided,
    /// 409: the payment is not in a state that allows this.
    InvalidState,
    /// 422: the same key came with another body.
    BodyMismatch,
    /// 422: the body is readable but wrong.
    Invalid,
}

impl ProblemCode {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Declined => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::OutOfStock
            | Self::Released
            | Self::Gone
            | Self::AlreadyConfirmed
            | Self::Voided
            | Self::InvalidState => 409,
            Self::BodyMismatch | Self::Invalid => 422,
        }
    }
}

impl Problem {
    /// A refusal with a code and a text for people.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code,
            detail: detail.into(),
            skus: Vec::new(),
            decline_code: None,
        }
    }
}
