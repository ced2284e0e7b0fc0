//! The product service against a real PostgreSQL and a real Redis.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod cache;
mod corrections;
mod entities;
mod import;
mod lookup;
mod pages;
mod search;
mod seed;
mod shop;
mod statements;
mod writes;
