//! Order against its real database and broker, with the called services played by `world`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod checkout;
mod coupons;
mod faults;
mod golden;
mod graph;
mod live;
mod paths;
mod returns;
mod search;
mod stage;
mod wiring;
mod world;
