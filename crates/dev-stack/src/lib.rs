//! Private servers and the services as child processes, for `cargo xtask up` and for tests.
//!
//! Owns: finding and installing PostgreSQL, Redis, RabbitMQ and the router, starting them in a private folder
//! on free ports, and stopping each by its process id. Must not know: what the services do, SQL, AMQP.

mod broker;
mod find;
pub mod hive;
pub mod http;
pub mod install;
mod keys;
mod ports;
mod process;
pub mod router;
pub mod secrets;
pub mod servers;
pub mod stack;
mod sys;

pub use broker::topology;
pub use keys::{add_user_key, retire_user_keys};
pub use ports::{free_port, free_port_from};
pub use process::{Lifetime, Process, ProcessId};
pub use stack::{Progress, Settings, Stack};
pub use sys::{Signal, StopRequests};
