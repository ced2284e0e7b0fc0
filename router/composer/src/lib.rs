//! The supergraph: composed from the subgraphs' SDLs with the composition that the router's own release carries, cut
//! to its public contract, and checked before it is served.
//!
//! Owns everything that can be said of the graph without running it. Must not know how a subgraph works: it reads
//! files. Run by `cargo xtask compose` and `cargo xtask schema-check`.

mod accepted;
pub mod check;
mod config;
mod contract;
mod diff;
pub mod graph;
mod licence;
mod lint;
mod manifest;
mod operations;
mod plans;
mod report;
mod tree;
mod usage;

pub use report::{Report, State, Step};
pub use tree::Tree;
