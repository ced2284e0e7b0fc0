//! Measures a running system: pages near and far, and typical operations through the router and past it.
//!
//! Asks as a client does and reads the services' own counters. Figures of two machines don't compare; those of one run
//! do, so what is told is a ratio wherever it can be. Must not know any store.

pub mod counters;
pub mod door;
pub mod operations;
pub mod pages;
pub mod sample;
pub mod table;
pub mod typical;
