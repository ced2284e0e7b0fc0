//! A short-lived copy of catalogue reads in Redis.
//!
//! Nothing depends on it: a Redis that is slow, down or gone costs a few time-outs, then a breaker skips it. Writes
//! replace the keys they touch by a tombstone, and copies are written only where no key stands, so a reader that
//! fetched before a write can't put the old state back after it.

use std::time::{Duration, Instant};

use prometheus::IntCounterVec;
use redis::aio::ConnectionManager;
use redis_kit::Patience;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::breaker::Breaker;

/// How long a copy lives. It bounds how stale a page can be when an invalidation didn't reach Redis.
const LIFE: Duration = Duration::from_secs(30);
/// How long a tombstone keeps readers from writing back what they fetched before the change; longer than a
/// statement may run.
const TOMBSTONE_TTL_S: u64 = 12;
const TOMBSTONE: &[u8] = b"-";
/// PostgreSQL answers these reads in a millisecond or two: waiting longer for a copy defeats it.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_millis(50);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
/// Changes with the stored shapes: services of two versions never read each other's copies.
const LAYOUT: &str = "v1";

/// What is copied, each under its own part of the key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A product by its id.
    Product,
    /// A product by its slug.
    ProductBySlug,
    /// A variant by its id.
    Variant,
    /// A variant by its SKU.
    VariantBySku,
    /// The variants of a product, by the product's id.
    VariantsOf,
    /// A category by its id.
    Category,
    /// How many products a filter finds, by the catalogue's generation and the filter.
    Count,
    /// How they spread, by the same.
    Facets,
}

impl Kind {
    const fn tag(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::ProductBySlug => "slug",
            Self::Variant => "variant",
            Self::VariantBySku => "sku",
            Self::VariantsOf => "variants",
            Self::Category => "category",
            Self::Count => "count",
            Self::Facets => "facets",
        }
    }
}

/// The cache; cheap to clone.
#[derive(Clone)]
pub struct Cache {
    redis: ConnectionManager,
    prefix: String,
    limit: Duration,
    life: Duration,
    breaker: std::sync::Arc<Breaker>,
    lookups: IntCounterVec,
}

impl Cache {
    /// A cache that connects when it is first used. `prefix` separates key spaces in one Redis. An answer that takes
    /// longer than `response_timeout`, usually [`RESPONSE_TIMEOUT`], is not waited for.
    pub fn try_new(url: &str, prefix: &str, response_timeout: Duration) -> Result<Self, redis::RedisError> {
        let connect_timeout = CONNECT_TIMEOUT.max(response_timeout);
        let patience = Patience {
            answer: response_timeout,
            connect: connect_timeout,
            retries: 0,
        };
        Ok(Self {
            redis: redis_kit::connect(url, patience)?,
            prefix: format!("{prefix}:{LAYOUT}"),
            limit: response_timeout + connect_timeout,
            life: LIFE,
            breaker: std::sync::Arc::default(),
            lookups: service_kit::metrics::counter(
                "product_cache_lookups_total",
                "Keys looked up in the read cache, by what and outcome (hit, miss, skipped).",
                &["kind", "outcome"],
            ),
        })
    }

    /// The same cache, whose copies live so long.
    #[must_use]
    pub fn keeping_for(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    fn key(&self, kind: Kind, key: &str) -> String {
        format!("{}:{}:{key}", self.prefix, kind.tag())
    }

    /// The copies of `keys`, in their order; `None` where there is none.
    pub async fn get_many<V: DeserializeOwned>(&self, kind: Kind, keys: &[String]) -> Vec<Option<V>> {
        let mut command = redis::cmd("MGET");
        for key in keys {
            command.arg(self.key(kind, key));
        }
        let found: Option<Vec<Option<Vec<u8>>>> = if keys.is_empty() {
            None
        } else {
            self.ask("get_many", command.query_async(&mut self.redis.clone()))
                .await
        };
        let Some(found) = found else {
            self.count(kind, "skipped", keys.len());
            return keys.iter().map(|_| None).collect();
        };
        let values: Vec<Option<V>> = found
            .into_iter()
            .map(|bytes| bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
            .collect();
        let hits = values.iter().flatten().count();
        self.count(kind, "hit", hits);
        self.count(kind, "miss", keys.len().saturating_sub(hits));
        values
    }

    /// Keeps copies for a while, except where a tombstone or another copy stands.
    pub async fn put_many<V: Serialize>(&self, kind: Kind, copies: &[(String, &V)]) {
        let mut pipe = redis::pipe();
        for (key, value) in copies {
            let Ok(bytes) = serde_json::to_vec(value) else {
                continue;
            };
            pipe.cmd("SET")
                .arg(self.key(kind, key))
                .arg(bytes)
                .arg("EX")
                .arg(self.life.as_secs())
                .arg("NX")
                .ignore();
        }
        if !copies.is_empty() {
            let _: Option<()> = self
                .ask("put_many", pipe.query_async(&mut self.redis.clone()))
                .await;
        }
    }

    /// Forgets the copies of what a committed write changed.
    pub async fn forget(&self, keys: &[(Kind, String)]) {
        let mut pipe = redis::pipe();
        for (kind, key) in keys {
            pipe.cmd("SET")
                .arg(self.key(*kind, key))
                .arg(TOMBSTONE)
                .arg("EX")
                .arg(TOMBSTONE_TTL_S)
                .ignore();
        }
        if !keys.is_empty() {
            let _: Option<()> = self
                .ask("forget", pipe.query_async(&mut self.redis.clone()))
                .await;
        }
    }

    /// Which generation of the catalogue the copies of counts are of; `None` when Redis doesn't say.
    pub async fn generation(&self) -> Option<u64> {
        let mut command = redis::cmd("GET");
        command.arg(self.generation_key());
        let found: Option<u64> = self
            .ask("generation", command.query_async(&mut self.redis.clone()))
            .await?;
        Some(found.unwrap_or_default())
    }

    /// Begins the next generation after a committed write: any product may be in any count, so all are forgotten.
    pub async fn begin_generation(&self) {
        let mut command = redis::cmd("INCR");
        command.arg(self.generation_key());
        let _: Option<u64> = self
            .ask("begin_generation", command.query_async(&mut self.redis.clone()))
            .await;
    }

    fn generation_key(&self) -> String {
        format!("{}:generation", self.prefix)
    }

    /// The answer, unless the breaker is open or Redis fails.
    async fn ask<T>(
        &self,
        operation: &'static str,
        command: impl Future<Output = redis::RedisResult<T>>,
    ) -> Option<T> {
        if !self.breaker.may_ask(Instant::now()) {
            return None;
        }
        let in_time = async {
            match tokio::time::timeout(self.limit, command).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err("no answer in time".to_owned()),
            }
        };
        match service_kit::store::ask("redis", operation, in_time).await {
            Ok(answer) => {
                self.breaker.succeeded();
                Some(answer)
            }
            Err(error) => {
                if self.breaker.failed(Instant::now()) {
                    tracing::warn!(error, "the read cache does not answer: reading from the database");
                }
                None
            }
        }
    }

    fn count(&self, kind: Kind, outcome: &str, keys: usize) {
        self.lookups
            .with_label_values(&[kind.tag(), outcome])
            .inc_by(keys as u64);
    }
}
