//! Payment against a real PostgreSQL, a real RabbitMQ and a psp-sandbox in this process.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod events;
mod golden;
mod graph;
mod ledger;
mod process;
mod refunds;
mod rest;
mod start;
mod void;
mod webhooks;
mod world;
