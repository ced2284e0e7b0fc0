//! The order database: the only place with SQL. Rows become domain types here; nothing else leaves.
//!
//! Instants of leases, timers and retries are the database's, so that the clocks of replicas don't matter.

pub(crate) mod carts;
pub(crate) mod checkout;
pub(crate) mod coupons;
pub(crate) mod figures;
pub(crate) mod orders;
pub(crate) mod returns;
pub(crate) mod saga;
pub(crate) mod steps;
pub(crate) mod text;
pub(crate) mod timers;

use std::error::Error;

/// A row that this version of the program can't read.
pub(crate) fn unreadable(error: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
