//! Inventory against its real database: every route and field, races included.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod golden;
mod graph;
mod races;
mod reservations;
mod returns;
mod stage;
mod statements;
mod sweeping;
mod together;
mod wiring;
