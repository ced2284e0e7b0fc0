//! Every invariant: a healthy world holds it, and a planted violation is reported.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod announced;
mod parked;
mod provider;
mod returns;
mod sales;
mod violations;
mod watch;
mod world;
