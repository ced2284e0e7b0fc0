//! Idempotency keys and pools against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod errors;
mod idempotency;
mod pool;
