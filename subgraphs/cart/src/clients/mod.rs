//! Other services, as the use cases see them.

pub(crate) mod product;
