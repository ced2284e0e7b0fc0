//! The webhook database: the only place with SQL. Rows become domain types here; nothing else leaves.
//!
//! Instants of leases, retries and ends are the database's, so that the clocks of replicas don't matter.

pub(crate) mod deliveries;
pub(crate) mod endpoints;
pub(crate) mod payloads;
pub(crate) mod secrets;
mod text;

use std::error::Error;

/// A row that this version of the program can't read.
fn unreadable(error: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
