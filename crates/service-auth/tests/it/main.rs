//! Tokens as an attacker, a caller and an operator would send them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod client;
mod forge;
mod jwks;
mod service_tokens;
mod signer;
mod user_tokens;
