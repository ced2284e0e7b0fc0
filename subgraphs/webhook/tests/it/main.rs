//! Webhook against its real database and broker, with endpoints played by `receiver`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod golden;
mod graph;
mod live;
mod official;
mod receiver;
mod sending;
mod stage;
mod wiring;
