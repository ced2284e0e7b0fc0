//! Carts in Redis: one hash per cart, changed only by a compare-and-set script. Knows keys and times to live, no rules.
//!
//! Keys (all under one prefix): `cart:{id}` hash of `version` and `doc`; `active:{user}` the id of a user's cart;
//! `once:{scope}` the outcome of a request with an idempotency key; `started:{hour}` how many carts were begun in an
//! hour. One Redis, not a cluster: the script touches several of them.

mod commit;
mod connection;

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use contracts::cart::CartsStartedHour;
use contracts::{CartId, UserId};
use redis::aio::ConnectionManager;
use service_kit::store;

use crate::domain::Cart;

pub(crate) use commit::{Commit, Committed, Pointer};
pub use connection::Settings;

/// Redis, or what it holds, failed. A write may have happened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Redis did not answer in time, or not at all.
    #[error("redis")]
    Redis(#[from] redis::RedisError),
    /// A stored document can't be read.
    #[error("a stored cart is not a cart")]
    Document(#[from] serde_json::Error),
}

/// The carts.
#[derive(Clone)]
pub struct Store {
    connection: ConnectionManager,
    prefix: String,
    script: redis::Script,
}

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnceKey(pub(crate) String);

/// How long a key's outcome is kept.
pub(crate) const ONCE_TTL: Duration = Duration::from_hours(24);

/// How long it is known how many carts were begun in an hour.
pub(crate) const STARTED_TTL: Duration = Duration::from_hours(90 * 24);

impl Store {
    /// Reads carts, in one round trip; `None` for those that don't exist.
    pub(crate) async fn carts(&self, ids: &[CartId]) -> Result<Vec<Option<Cart>>, Fault> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.hget(self.cart_key(*id), "doc");
        }
        let mut connection = self.connection.clone();
        let asked = pipeline.query_async(&mut connection);
        let documents: Vec<Option<String>> = store::ask("redis", "read_carts", asked).await?;
        documents
            .iter()
            .map(|document| parse(document.as_deref()))
            .collect()
    }

    /// Reads one cart.
    pub(crate) async fn cart(&self, id: CartId) -> Result<Option<Cart>, Fault> {
        Ok(self.carts(&[id]).await?.pop().flatten())
    }

    /// The carts that users shop with at present, in two round trips, in their order.
    pub(crate) async fn active_carts(&self, users: &[UserId]) -> Result<Vec<Option<Cart>>, Fault> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = users.iter().map(|user| self.active_key(*user)).collect();
        let mut command = redis::cmd("MGET");
        let mut connection = self.connection.clone();
        let asked = command.arg(&keys).query_async(&mut connection);
        let pointers: Vec<Option<String>> = store::ask("redis", "find_active_carts", asked).await?;
        let ids: Vec<Option<CartId>> = pointers.iter().map(|id| id.as_deref()?.parse().ok()).collect();
        let found: Vec<CartId> = ids.iter().flatten().copied().collect();
        let mut carts = self.carts(&found).await?.into_iter();
        Ok(ids
            .iter()
            .map(|id| id.and_then(|_| carts.next().flatten()))
            .collect())
    }

    /// The cart a user shops with at present.
    pub(crate) async fn active_cart(&self, user: UserId) -> Result<Option<Cart>, Fault> {
        Ok(self.active_carts(&[user]).await?.pop().flatten())
    }

    /// What a request with this key left behind.
    pub(crate) async fn outcome(&self, key: &OnceKey) -> Result<Option<String>, Fault> {
        let key = self.once_key(key);
        let mut command = redis::cmd("GET");
        let mut connection = self.connection.clone();
        let asked = command.arg(key).query_async(&mut connection);
        Ok(store::ask("redis", "read_outcome", asked).await?)
    }

    /// How many carts were begun in each of `hours` hours, the first being that of `from`; in one round trip.
    pub(crate) async fn started(
        &self,
        from: DateTime<Utc>,
        hours: u16,
    ) -> Result<Vec<CartsStartedHour>, Fault> {
        let hours: Vec<_> = (0..i64::from(hours))
            .map(|n| hour(from) + TimeDelta::hours(n))
            .collect();
        let keys: Vec<String> = hours.iter().map(|at| self.started_key(*at)).collect();
        let mut command = redis::cmd("MGET");
        let mut connection = self.connection.clone();
        let asked = command.arg(&keys).query_async(&mut connection);
        let counts: Vec<Option<u64>> = store::ask("redis", "count_started_carts", asked).await?;
        let counted = hours.into_iter().zip(counts);
        Ok(counted
            .map(|(hour, carts)| CartsStartedHour {
                hour,
                carts: carts.unwrap_or(0),
            })
            .collect())
    }

    fn started_key(&self, at: DateTime<Utc>) -> String {
        format!("{}started:{}", self.prefix, hour(at).timestamp())
    }

    fn cart_key(&self, id: CartId) -> String {
        format!("{}cart:{id}", self.prefix)
    }

    fn active_key(&self, user: UserId) -> String {
        format!("{}active:{user}", self.prefix)
    }

    fn once_key(&self, key: &OnceKey) -> String {
        format!("{}once:{}", self.prefix, key.0)
    }
}

/// When the hour of `at` began.
fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

fn parse(document: Option<&str>) -> Result<Option<Cart>, Fault> {
    Ok(document.map(serde_json::from_str).transpose()?)
}
