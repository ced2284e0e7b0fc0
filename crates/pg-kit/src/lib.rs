//! PostgreSQL as every service uses it: pool, migrations, what may be retried, idempotency keys.
//!
//! Owns the connection settings and the `idempotency_key` table. Must not know any business table.

pub mod idempotency;

mod batches;
mod errors;
mod fault;
mod pool;

pub use batches::in_batches;
pub use errors::count_error;
pub use fault::{constraint, is_retryable};
pub use pool::{Purpose, connect, migrate};
