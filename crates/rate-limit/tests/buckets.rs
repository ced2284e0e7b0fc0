//! Buckets in a real Redis.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use rate_limit::{Class, RateLimits, Rates, Subject, TooMany};
use service_kit::{Clock, Secret};
use test_kit::TestRedis;

const ADA: Subject<&str> = Subject::User("usr_ada");
const BOB: Subject<&str> = Subject::User("usr_bob");

fn limits(redis: &TestRedis, rates: &str, clock: &Clock) -> RateLimits {
    let url = Secret::new(redis.url.clone());
    RateLimits::try_new(
        &url,
        &redis.prefix,
        rates.parse::<Rates>().unwrap(),
        clock.clone(),
    )
    .unwrap()
}

/// How many of `count` requests at once are let through.
async fn burst(limits: &RateLimits, subject: Subject<&str>, class: Class, count: usize) -> usize {
    let all = (0..count).map(|_| limits.admit(subject, class, 1));
    let answers = futures::future::join_all(all).await;
    answers.into_iter().flatten().count()
}

#[tokio::test]
async fn a_burst_then_the_rate() {
    let redis = test_kit::redis().await;
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let limits = limits(&redis, "query=60/5", &clock);
    assert_eq!(burst(&limits, ADA, Class::Query, 40).await, 5, "40 at once");
    assert_eq!(
        limits.admit(ADA, Class::Query, 1).await,
        Err(TooMany { retry_after_s: 1 })
    );
    clock.advance(Duration::from_secs(3));
    assert_eq!(burst(&limits, ADA, Class::Query, 40).await, 3, "one a second");
    clock.advance(Duration::from_hours(1));
    assert_eq!(
        burst(&limits, ADA, Class::Query, 40).await,
        5,
        "never more than the burst"
    );
}

#[tokio::test]
async fn waiting_as_long_as_told_is_enough() {
    let redis = test_kit::redis().await;
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let limits = limits(&redis, "mutation=7/3", &clock);
    for _ in 0..20 {
        if let Err(TooMany { retry_after_s }) = limits.admit(ADA, Class::Mutation, 2).await {
            assert!((1..=18).contains(&retry_after_s), "{retry_after_s}");
            clock.advance(Duration::from_secs(retry_after_s));
            assert_eq!(limits.admit(ADA, Class::Mutation, 2).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn buckets_are_apart() {
    let redis = test_kit::redis().await;
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let limits = limits(&redis, "query=60/2,mutation=60/1", &clock);
    let office = Subject::Address("192.0.2.7".parse().unwrap());
    assert_eq!(burst(&limits, ADA, Class::Query, 9).await, 2);
    assert_eq!(burst(&limits, BOB, Class::Query, 9).await, 2, "another user");
    assert_eq!(burst(&limits, ADA, Class::Mutation, 9).await, 1, "another class");
    assert_eq!(
        burst(&limits, office, Class::Query, 90).await,
        8,
        "an address is shared by four"
    );
    assert_eq!(
        burst(&limits, ADA, Class::Subscription, 9).await,
        9,
        "no limit set"
    );
}

#[tokio::test]
async fn what_costs_more_than_a_full_bucket_empties_it() {
    let redis = test_kit::redis().await;
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let limits = limits(&redis, "mutation=60/5", &clock);
    assert_eq!(limits.admit(ADA, Class::Mutation, 10).await, Ok(()));
    assert!(limits.admit(ADA, Class::Mutation, 1).await.is_err());
}

#[tokio::test]
async fn replicas_count_together_and_buckets_are_forgotten() {
    let redis = test_kit::redis().await;
    let clock = Clock::system();
    let (one, other) = (
        limits(&redis, "query=600/5", &clock),
        limits(&redis, "query=600/5", &clock),
    );
    let (a, b) = tokio::join!(
        burst(&one, ADA, Class::Query, 5),
        burst(&other, ADA, Class::Query, 5)
    );
    assert!((5..=6).contains(&(a + b)), "{a} and {b}");
    let mut connection = redis.connection().await;
    let key = format!("{}bucket:query:user:usr_ada", redis.prefix);
    let left: i64 = redis::cmd("PTTL")
        .arg(&key)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!((1..=700).contains(&left), "{left} ms");
}

#[tokio::test]
async fn a_clock_that_is_behind_costs_no_place() {
    let redis = test_kit::redis().await;
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let (ahead, behind) = (Clock::manual(start), Clock::manual(start));
    // Read before another's and brought to Redis after it, or of another machine.
    ahead.advance(Duration::from_millis(300));
    let one = limits(&redis, "query=60/5", &ahead);
    let other = limits(&redis, "query=60/5", &behind);
    assert_eq!(one.admit(ADA, Class::Query, 1).await, Ok(()));
    assert_eq!(
        burst(&other, ADA, Class::Query, 9).await,
        4,
        "the rest of the burst"
    );
    assert!(
        one.admit(ADA, Class::Query, 1).await.is_err(),
        "and no more than that"
    );
    ahead.advance(Duration::from_secs(1));
    assert_eq!(burst(&one, ADA, Class::Query, 9).await, 1);
}

#[tokio::test]
async fn without_redis_everybody_is_let_through_and_soon_without_waiting() {
    let url = Secret::new("redis://127.0.0.1:1");
    let rates = "query=60/1".parse().unwrap();
    let limits = RateLimits::try_new(&url, "", rates, Clock::system()).unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..200 {
        assert_eq!(limits.admit(ADA, Class::Query, 1).await, Ok(()));
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let unchecked = service_kit::metrics::counter("rate_limit_decisions_total", "", &["class", "outcome"])
        .with_label_values(&["query", "unchecked"])
        .get();
    assert!(unchecked >= 200, "{unchecked}");
}

#[test]
fn a_wrong_address_is_told_at_once_and_not_shown() {
    let error = RateLimits::try_new(&Secret::new("canary"), "", Rates::OFF, Clock::system())
        .err()
        .unwrap();
    assert!(!error.to_string().contains("canary"));
}
