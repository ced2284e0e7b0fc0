//! The business words of analytics: what is heard of an order, what it adds to which sum, and what is read from the
//! sums. Pure; must not know any store, transport or clock.

pub mod buyer;
pub mod fact;
pub mod latency;
pub mod order;
pub mod pairs;
pub mod range;
pub mod reason;
pub mod rebuild;
pub mod sums;

pub use fact::{Fact, What};
pub use order::{Line, Order, Placed, Refund};
pub use range::{Interval, Range};
pub use sums::{Figures, Sold, Sums};
