//! Real stores on free ports for the tests of a service, and tokens to call it with.
//!
//! A dev-dependency only. Stores come from `MERCATO_TEST_POSTGRES`, `MERCATO_TEST_REDIS` and `MERCATO_TEST_AMQP`
//! when set (addresses of servers the tests may fill), and otherwise from private servers that this process starts
//! once and that end with it. Every test has its own database, key prefix and broker prefix, so tests run side by
//! side. Must not know any service.
//!
//! Everything here panics when it can't do its work: a test without its store is a failed test.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

mod amqp;
pub mod golden;
mod graphql;
mod identity;
mod postgres;
mod redis;
mod server;
mod servers;
mod socket;
mod statements;

pub use amqp::{TestAmqp, amqp};
pub use graphql::{GATEWAY_KEY, graphql, rest};
pub use identity::{AUDIENCE, ISSUER, Identity};
pub use postgres::{TestDb, empty_postgres, postgres};
pub use redis::{TestRedis, redis};
pub use server::TestServer;
pub use socket::TestSocket;
pub use statements::{Statements, watch_statements};
