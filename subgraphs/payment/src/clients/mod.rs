//! The provider.

pub mod stripe;
