//! The use cases: one verb a file. Only this folder opens transactions.

pub(crate) mod adjust_stock;
pub(crate) mod confirm;
mod error;
pub(crate) mod expire;
pub(crate) mod import_stock;
mod once;
pub(crate) mod read_stock;
pub(crate) mod release;
pub(crate) mod reserve;
pub(crate) mod restock;
pub(crate) mod return_lines;
pub(crate) mod together;
mod transaction;

pub(crate) use error::Error;
pub(crate) use once::Once;
pub(crate) use transaction::in_task;
