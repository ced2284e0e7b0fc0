//! The analytics database: the only place with SQL. Rows become domain types here; nothing else leaves.

pub(crate) mod carts;
pub(crate) mod facts;
pub(crate) mod locks;
pub(crate) mod orders;
pub(crate) mod pairs;
pub(crate) mod rebuilds;
pub(crate) mod report;
pub(crate) mod sums;

use std::error::Error;

/// A row that this version of the program can't read.
pub(crate) fn unreadable(error: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
