//! The business words of order: where an order is, what was bought, why it was refused. Pure; must not know
//! any store, transport or clock.

pub mod coupon;
pub mod order;
pub mod purchase;
pub mod returns;
pub mod shares;
pub mod state;

pub use coupon::{Coupon, Discount};
pub use order::{Line, Order, OrderNumber};
pub use purchase::{Purchase, Refusal};
pub use state::State;
