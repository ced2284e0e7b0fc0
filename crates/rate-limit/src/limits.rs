//! The buckets.

use std::fmt::Display;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use prometheus::IntCounterVec;
use redis::aio::ConnectionManager;
use redis::{RedisError, Script};
use redis_kit::Patience;
use service_kit::breaker::Breaker;
use service_kit::{Clock, Secret, metrics, store};

use crate::{Class, Rate, Rates, Subject};

/// A request waits no longer than this to be counted.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(100);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
const MINUTE_MS: f64 = 60_000.0;

/// A bucket is kept as the instant at which it is full again: what is taken moves that instant on, and it may never be
/// further away than an empty bucket takes to fill. Answers the wait in ms, or 0 and takes. One script, so that a
/// thousand at once are counted as a thousand.
///
/// Beside it stands the time of who took last. Whoever read a clock before them and comes after, or has a clock that is
/// behind, is judged by that time: else the last place of a burst would be refused for those few milliseconds.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local now, each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local before, last = string.match(redis.call('GET', KEYS[1]) or '0 0', '^(%S+) (%S+)$')
        now = math.max(now, tonumber(last))
        local full = math.max(tonumber(before), now) + each * cost
        local wait = full - now - each * burst
        if wait > 0 then return math.ceil(wait) end
        redis.call('SET', KEYS[1], string.format('%.3f %.0f', full, now), 'PX', math.ceil(full - now) + 1)
        return 0
        ",
    )
});

/// The settings name no usable Redis.
#[derive(Debug, thiserror::Error)]
#[error("the address of the limits' Redis is not usable")]
pub struct LimitsError(#[source] RedisError);

/// The subject asked too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests, retry in {retry_after_s} s")]
pub struct TooMany {
    /// When there is room again, in whole seconds, never zero.
    pub retry_after_s: u64,
}

/// The limits of one service; clones share the connection.
#[derive(Clone)]
pub struct RateLimits(Arc<Inner>);

struct Inner {
    connection: ConnectionManager,
    prefix: String,
    rates: Rates,
    clock: Clock,
    breaker: Breaker,
    decisions: IntCounterVec,
}

impl RateLimits {
    /// Connects when first needed. All keys begin with `prefix`.
    pub fn try_new(url: &Secret, prefix: &str, rates: Rates, clock: Clock) -> Result<Self, LimitsError> {
        let patience = Patience {
            answer: RESPONSE_TIMEOUT,
            connect: CONNECT_TIMEOUT,
            retries: 0,
        };
        let connection = redis_kit::connect(url.expose(), patience).map_err(LimitsError)?;
        Ok(Self(Arc::new(Inner {
            connection,
            prefix: prefix.to_owned(),
            rates,
            clock,
            breaker: Breaker::default(),
            decisions: metrics::counter(
                "rate_limit_decisions_total",
                "Requests counted against the API limits, by class and outcome (admitted, limited, unchecked).",
                &["class", "outcome"],
            ),
        })))
    }

    /// Takes `cost` out of the subject's bucket, or says how long to wait.
    pub async fn admit<U: Display>(
        &self,
        subject: Subject<U>,
        class: Class,
        cost: usize,
    ) -> Result<(), TooMany> {
        let Some(rate) = self.0.rates.of(class) else {
            return Ok(());
        };
        let wait = self.ask(&subject, class, rate, cost).await;
        let outcome = match wait {
            None => "unchecked",
            Some(0) => "admitted",
            Some(_) => "limited",
        };
        self.0
            .decisions
            .with_label_values(&[class.as_str(), outcome])
            .inc();
        match wait {
            Some(wait) if wait > 0 => Err(TooMany {
                retry_after_s: wait.div_ceil(1000),
            }),
            _ => Ok(()),
        }
    }

    /// The wait in milliseconds; nothing while Redis does not answer.
    async fn ask<U: Display>(
        &self,
        subject: &Subject<U>,
        class: Class,
        rate: Rate,
        cost: usize,
    ) -> Option<u64> {
        let inner = &*self.0;
        if !inner.breaker.may_ask(Instant::now()) {
            return None;
        }
        let burst = rate.burst.saturating_mul(subject.share());
        let each = MINUTE_MS / f64::from(rate.per_minute) / f64::from(subject.share());
        // What is dearer than a full bucket would wait for ever.
        let cost = u32::try_from(cost).unwrap_or(u32::MAX).clamp(1, burst);
        let mut connection = inner.connection.clone();
        let mut call = TAKE.key(format!(
            "{}bucket:{}:{}",
            inner.prefix,
            class.as_str(),
            subject.key()
        ));
        call.arg(inner.clock.now().timestamp_millis())
            .arg(each)
            .arg(burst)
            .arg(cost);
        let in_time = async {
            let limit = RESPONSE_TIMEOUT + CONNECT_TIMEOUT;
            match tokio::time::timeout(limit, call.invoke_async(&mut connection)).await {
                Ok(answer) => answer.map_err(|error| error.category().to_owned()),
                Err(_) => Err("no answer in time".to_owned()),
            }
        };
        match store::ask("redis", "count", in_time).await {
            Ok(wait) => {
                if inner.breaker.succeeded() {
                    tracing::info!("API limits count again");
                }
                Some(wait)
            }
            Err(error) => {
                if inner.breaker.failed(Instant::now()) {
                    tracing::warn!(error, "API limits can't be counted: everybody is let through");
                }
                None
            }
        }
    }
}
