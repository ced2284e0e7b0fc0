//! The business words of webhook: endpoints, what they ask for, what is sent and how a try ends. Pure; must not know
//! any store, transport or clock.

pub mod address;
pub mod attempt;
pub mod delivery;
pub mod endpoint;
pub mod signature;
pub mod telling;

pub use attempt::{Tried, Verdict};
pub use delivery::{Delivery, DeliveryState};
pub use endpoint::{Endpoint, EventType};
