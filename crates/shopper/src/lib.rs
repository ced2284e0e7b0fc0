//! A client of the public graph: the demo, the catalogue import and the replay of real baskets.
//!
//! Owns what a customer's or an administrator's program would own: it signs in, sends operations to the router and
//! follows orders over the WebSocket. Must not know any service, store or broker behind the graph.

pub mod console;
pub mod demo;
pub mod graph;
pub mod import;
pub mod ndjson;
pub mod notices;
pub mod operations;
pub mod progress;
pub mod purchase;
pub mod replay;
pub mod session;
pub mod target;
