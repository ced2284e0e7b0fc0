//! Why a write was refused, in words for the person who asked and a code for their program.

use serde::{Deserialize, Serialize};

/// A refusal that is the caller's to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable code.
    pub code: FaultCode,
    /// For a person.
    pub message: String,
    /// Path into the input, such as `["input", "variants", "0", "sku"]`.
    pub field: Vec<String>,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultCode {
    /// Another product has the slug.
    SlugTaken,
    /// Another variant has the SKU.
    SkuTaken,
    /// It changed since the caller read it.
    VersionConflict,
    /// There is no such thing.
    NotFound,
    /// A value breaks a rule.
    Invalid,
    /// The idempotency key came before with another input.
    IdempotencyKeyReused,
    /// The same request is being worked on at this moment.
    InProgress,
}

impl Fault {
    /// A refusal of one input field.
    pub fn new(code: FaultCode, message: impl Into<String>, field: &[&str]) -> Self {
        Self {
            code,
            message: message.into(),
            field: field.iter().map(ToString::to_string).collect(),
        }
    }

    /// A value that breaks a rule.
    pub fn invalid(message: impl Into<String>, field: &[&str]) -> Self {
        Self::new(FaultCode::Invalid, message, field)
    }

    /// It changed since the caller read it.
    pub fn version_conflict() -> Self {
        let message = "It was changed meanwhile: read it again.";
        Self::new(FaultCode::VersionConflict, message, &["expectedVersion"])
    }

    /// The same fault with `prefix` before its path.
    #[must_use]
    pub fn under(mut self, prefix: &[&str]) -> Self {
        self.field.splice(0..0, prefix.iter().map(ToString::to_string));
        self
    }
}
