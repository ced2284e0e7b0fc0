//! Host wiring of a service: telemetry, environment, health, metrics, serve and drain, clock.
//!
//! Owns what every process does the same way around its business. Must not know any business, store, broker or
//! query language; of statements to a database it hears from sqlx, and makes figures of them.

pub mod breaker;
pub mod clock;
pub mod correlation;
pub mod env;
pub mod fault;
pub mod http;
pub mod metrics;
pub mod readiness;
pub mod refusal;
pub mod statements;
pub mod store;
pub mod trace;

mod admission;
mod backoff;
mod exemplars;
mod host;
mod open_metrics;
mod ops;
mod run;
mod serve;
mod telemetry;

pub use admission::{Admission, Inside};
pub use backoff::Backoff;
pub use clock::Clock;
pub use env::{ConfigError, Env, Secret};
pub use host::{Host, Listener, Listeners};
pub use readiness::{Component, Readiness};
pub use run::run;
