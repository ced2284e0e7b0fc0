//! What an operator sees and does, against real stores; the graph is played by the tests.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod case;
mod events;
mod remedy;
mod sales;
mod world;
