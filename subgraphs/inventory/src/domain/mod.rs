//! The business of stock: what a reservation may become, what a SKU is, what shipping costs. Pure: no clock, no I/O.

pub(crate) mod allot;
pub(crate) mod queue;
pub(crate) mod refusal;
pub(crate) mod reservation;
pub(crate) mod shipping;
pub(crate) mod stock;

pub(crate) use refusal::Refusal;
