//! The sandbox over HTTP: one binary, one module per topic.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::expect_used, reason = "tests fail by panicking")]

mod cards;
mod durability;
mod process;
mod stripe_node;
mod webhooks;
mod world;
