//! The use cases: one verb a file.

pub(crate) mod change_cart;
pub(crate) mod check_out;
pub(crate) mod count_started;
pub(crate) mod create_cart;
mod error;
pub(crate) mod merge_cart;
mod once;
pub(crate) mod price_cart;
pub(crate) mod read_cart;

pub(crate) use error::{Error, Outcome};
pub(crate) use price_cart::Priced;
