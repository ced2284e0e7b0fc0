//! Business reasons why a catalogue write was refused.

use async_graphql::Enum;

use crate::domain::{Fault, FaultCode};

/// Why a catalogue write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "FaultCode", tag = "internal")]
pub(super) enum ProductErrorCode {
    /// Another product has the slug.
    SlugTaken,
    /// Another variant has the SKU.
    SkuTaken,
    /// It changed since it was read: read it again.
    VersionConflict,
    /// There is no such thing.
    NotFound,
    /// A value breaks a rule.
    Invalid,
    /// The idempotency key came before with another input.
    IdempotencyKeyReused,
    /// The same request is being worked on at this moment: try again.
    InProgress,
}

graphql_kit::user_error! {
    /// A business reason why a catalogue write was refused.
    #[graphql(tag = "internal")]
    pub(super) struct ProductUserError(ProductErrorCode);
}

/// The faults as clients see them, with paths from the argument `input` down, below `prefix`.
pub(super) fn user_errors(faults: Vec<Fault>, prefix: &[&str]) -> Vec<ProductUserError> {
    let shown = |fault: Fault| {
        let path = fault.field.clone();
        let field: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(path.iter().map(String::as_str))
            .collect();
        ProductUserError::new(fault.code.into(), fault.message).at(&field)
    };
    faults.into_iter().map(shown).collect()
}
