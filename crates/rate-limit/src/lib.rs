//! How often a user or a network address may ask: token buckets in Redis, shared by all replicas of a service.
//!
//! Owns the counting and the shape of its settings. Must not know GraphQL, tokens, or what is asked for.
//!
//! A limit protects the shop from one client; it is no lock on a door. So without Redis everybody is let through, a
//! metric counts them (`rate_limit_decisions_total` with `outcome="unchecked"`) and the log says so once. Limits of
//! logins are another matter: they are auth's own, and refuse.

mod limits;
mod rates;
mod subject;

pub use limits::{LimitsError, RateLimits, TooMany};
pub use rates::{Class, Rate, Rates, RatesError};
pub use subject::Subject;
