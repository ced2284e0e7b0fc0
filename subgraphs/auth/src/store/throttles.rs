//! Counters of failed logins in Redis.
//!
//! An attempt is counted before the password is looked at, in one script, so that a thousand at once count as a
//! thousand. Without Redis nobody gets in: a limiter that opens when it fails invites its failure.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::ConnectionManager;
use redis::{RedisError, Script};
use redis_kit::Patience;
use service_kit::{Component, Readiness, store};
use sha2::{Digest, Sha256};

use crate::domain::Throttle;

const TIMEOUT: Duration = Duration::from_millis(500);
/// A day without a failure forgets the earlier ones.
const FORGET: Duration = Duration::from_hours(24);

/// Answers the wait in ms, or 0 and counts the attempt.
static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local now, free = tonumber(ARGV[1]), tonumber(ARGV[2])
        local base, cap = tonumber(ARGV[3]), tonumber(ARGV[4])
        local due = tonumber(redis.call('HGET', KEYS[1], 'due') or '0')
        if now < due then return due - now end
        local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
        local wait = 0
        if n >= free then wait = math.min(cap, base * 2 ^ math.min(n - free, 30)) end
        redis.call('HSET', KEYS[1], 'due', string.format('%.0f', now + wait))
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
        return 0
        ",
    )
});

/// Takes back one attempt that turned out well.
static FORGIVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local n = tonumber(redis.call('HGET', KEYS[1], 'n') or '0')
        if n <= 1 then return redis.call('DEL', KEYS[1]) end
        return redis.call('HSET', KEYS[1], 'n', n - 1, 'due', 0)
        ",
    )
});

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// Logins to one account, by its address as compared.
    Account(&'a str),
    /// Logins and registrations from one network address.
    Address(&'a str),
}

/// The counters; clones share the connection.
#[derive(Clone)]
pub(crate) struct Throttles {
    connection: ConnectionManager,
    prefix: String,
    component: Component,
}

impl Throttles {
    /// Connects when first needed. `prefix` stands before every key.
    pub(crate) fn new(url: &str, prefix: &str, readiness: &Readiness) -> Result<Self, RedisError> {
        let patience = Patience {
            answer: TIMEOUT,
            connect: TIMEOUT,
            retries: 1,
        };
        Ok(Self {
            connection: redis_kit::connect(url, patience)?,
            prefix: prefix.to_owned(),
            component: readiness.observed("redis"),
        })
    }

    /// Counts an attempt; `Some` is how long it must wait instead.
    pub(crate) async fn admit(
        &self,
        subject: Subject<'_>,
        throttle: Throttle,
        now: DateTime<Utc>,
    ) -> Result<Option<Duration>, RedisError> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut connection = self.connection.clone();
        let mut call = ADMIT.prepare_invoke();
        call.key(self.key(subject))
            .arg(now.timestamp_millis())
            .arg(throttle.free)
            .arg(millis(throttle.base))
            .arg(millis(throttle.cap))
            .arg(millis(FORGET));
        let asked = call.invoke_async(&mut connection);
        let answer: Result<u64, RedisError> = store::ask("redis", "admit", asked).await;
        self.observe(&answer);
        answer.map(|wait| (wait > 0).then(|| Duration::from_millis(wait)))
    }

    /// A good login clears the account's failures, and takes its own attempt off the address's.
    pub(crate) async fn forgive(&self, subject: Subject<'_>) -> Result<(), RedisError> {
        let mut connection = self.connection.clone();
        let key = self.key(subject);
        let forgiven = async {
            match subject {
                Subject::Account(_) => redis::cmd("DEL").arg(key).query_async(&mut connection).await,
                Subject::Address(_) => FORGIVE.key(key).invoke_async::<()>(&mut connection).await,
            }
        };
        store::ask("redis", "forgive", forgiven).await
    }

    /// Asks once, so that readiness tells the truth before the first login.
    pub(crate) async fn probe(&self) {
        let answer: Result<String, RedisError> =
            redis::cmd("PING").query_async(&mut self.connection.clone()).await;
        self.observe(&answer);
    }

    fn observe<T>(&self, answer: &Result<T, RedisError>) {
        match answer {
            Ok(_) => self.component.up(),
            Err(error) => self.component.down(error.category()),
        }
    }

    /// Neither e-mail nor network addresses stand readably in Redis.
    fn key(&self, subject: Subject<'_>) -> String {
        let (kind, text) = match subject {
            Subject::Account(text) => ("account", text),
            Subject::Address(text) => ("address", text),
        };
        format!(
            "{}auth:login:{kind}:{}",
            self.prefix,
            hex::encode(Sha256::digest(text.as_bytes()))
        )
    }
}
