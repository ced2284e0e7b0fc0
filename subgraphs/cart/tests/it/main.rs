//! Cart against a real Redis and a product that answers, or does not.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod changes;
mod golden;
mod merging;
mod outages;
mod ownership;
mod races;
mod rest;
mod stage;
mod wiring;
