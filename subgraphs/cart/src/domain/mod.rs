//! The business of carts: what a line may hold, what adding and merging means. Pure: no clock, no I/O, no ids made.

pub(crate) mod cart;
pub(crate) mod prices;
pub(crate) mod refusal;

pub(crate) use cart::{Cart, Change, Line, Wanted};
pub(crate) use prices::{Prices, Quote};
pub(crate) use refusal::{Reason, Refusal};
