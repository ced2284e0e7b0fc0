//! Business reasons why staff's changes of stock are refused.

use async_graphql::Enum;

/// Why stock was not changed.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(tag = "internal")]
pub(crate) enum InventoryErrorCode {
    /// Fewer units are available than would be taken away.
    InsufficientStock,
    /// No unit of this SKU was ever received.
    UnknownSku,
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused,
}

graphql_kit::user_error! {
    /// A business reason why stock was not changed.
    #[graphql(tag = "internal")]
    pub(crate) struct InventoryUserError(InventoryErrorCode);
}

impl InventoryUserError {
    /// The key was used for another request.
    pub(crate) fn key_reused() -> Self {
        Self::new(
            InventoryErrorCode::IdempotencyKeyReused,
            "The idempotency key belongs to another request",
        )
        .at(&["input", "idempotencyKey"])
    }
}
