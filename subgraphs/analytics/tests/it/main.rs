//! Analytics against its real database and broker, with cart played by `stage`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod baskets;
mod carts;
mod golden;
mod hearing;
mod life;
mod pairs;
mod rebuild;
mod report;
mod stage;
mod wiring;
