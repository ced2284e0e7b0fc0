//! Who is calling: user tokens, service tokens, the extractor and layer for both, and the client that calls another
//! service.
//!
//! Owns the token formats and every check on them. Must not know users, roles' meaning to the business, or GraphQL.

pub mod issue;
pub mod keys;

mod breaker;
mod caller;
mod client;
mod jwks;
mod service;
mod token;
mod user;
mod verifier;

pub use caller::{ServiceCaller, only};
pub use client::{CallError, ClientLimits, ServiceClient};
pub use jwks::ENDED_SESSIONS;
pub use keys::KeyError;
pub use service::{ServiceIdentityConfig, ServiceKey, ServiceVerifier};
pub use token::AuthError;
pub use user::{CurrentUser, Role, Roles};
pub use verifier::{UserVerifier, UserVerifierConfig};
