//! The edge as its clients meet it: a toy subgraph over real HTTP and real WebSockets.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod http;
mod sdl;
mod toy;
mod turned_away;
mod ws;
