//! The inbox worker: once, later, or never, and nobody waits for another.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use event_bus::{HandleError, InboxWorker, Limits, Retention, list_dead, make_due, prune, replay_dead};
use service_kit::Clock;

use crate::scene::{QUEUE, Recorder, count, database, event, receive};

fn later(seconds: i64) -> DateTime<Utc> {
    Clock::system().now() + TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn a_batch_is_applied_once() {
    let db = database().await;
    for _ in 0..40 {
        receive(&db.pool, &event()).await;
    }
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, Recorder::new());
    assert_eq!(worker.step().await, 32);
    assert_eq!(worker.step().await, 8);
    assert_eq!(worker.step().await, 0);
    assert_eq!(
        count(&db.pool, "SELECT count(DISTINCT event) FROM effect").await,
        40
    );
    assert_eq!(count(&db.pool, "SELECT count(*) FROM effect").await, 40);
    assert_eq!(
        count(
            &db.pool,
            "SELECT count(*) FROM inbox WHERE status = 'DONE' AND attempts = 1"
        )
        .await,
        40
    );
}

#[tokio::test]
async fn a_failing_event_is_undone_and_tried_later_and_holds_up_nobody() {
    let db = database().await;
    let (bad, good) = (event(), event());
    receive(&db.pool, &bad).await;
    receive(&db.pool, &good).await;
    let handler = Recorder::new();
    handler.fail(bad.id, HandleError::Retry("not today".to_owned()));
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, handler.clone());
    assert_eq!(worker.step().await, 2);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM effect").await,
        1,
        "only the good one had an effect"
    );
    let (attempts, error, waits): (i32, String, bool) = sqlx::query_as(
        "SELECT attempts, last_error, next_try_at >= received_at FROM inbox WHERE status = 'PENDING'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!((attempts, error.as_str(), waits), (1, "not today", true));
    handler.heal();
    assert_eq!(
        worker.step_at(later(31)).await,
        1,
        "due after the longest backoff"
    );
    assert_eq!(count(&db.pool, "SELECT count(*) FROM effect").await, 2);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM inbox WHERE status = 'DONE'").await,
        2
    );
}

#[tokio::test]
async fn an_event_is_dead_after_its_tries_and_can_be_replayed() {
    let db = database().await;
    let event = event();
    receive(&db.pool, &event).await;
    let handler = Recorder::new();
    handler.fail(event.id, HandleError::Retry("broken".to_owned()));
    let limits = Limits {
        attempts: 3,
        ..Limits::default()
    };
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, handler.clone()).with_limits(limits);
    for tries in 1..=3 {
        assert_eq!(worker.step_at(later(tries * 31)).await, 1);
    }
    assert_eq!(worker.step_at(later(86_400)).await, 0, "dead");
    let dead = list_dead(&db.pool, None, 10).await.unwrap();
    assert_eq!((dead[0].id, dead[0].attempts), (event.id, 3));
    assert_eq!(dead[0].last_error.as_deref(), Some("broken"));
    handler.heal();
    assert_eq!(replay_dead(&db.pool, QUEUE, Some(&[event.id])).await.unwrap(), 1);
    assert_eq!(worker.step().await, 1);
    assert_eq!(count(&db.pool, "SELECT count(*) FROM effect").await, 1);
    assert!(list_dead(&db.pool, Some(QUEUE), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_parked_event_waits_a_day_and_then_is_dead() {
    let db = database().await;
    let event = event();
    receive(&db.pool, &event).await;
    let handler = Recorder::new();
    handler.fail(event.id, HandleError::Park("unknown order".to_owned()));
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, handler);
    for hour in 0..24 {
        assert_eq!(worker.step_at(later(hour * 3600)).await, 1, "hour {hour}");
    }
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM inbox WHERE status = 'PENDING'").await,
        1
    );
    assert_eq!(worker.step_at(later(24 * 3600 + 5)).await, 1);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM inbox WHERE status = 'DEAD'").await,
        1
    );
}

#[tokio::test]
async fn a_dead_verdict_and_a_panic_are_kept_apart() {
    let db = database().await;
    let (dead, panics, good) = (event(), event(), event());
    for event in [&dead, &panics, &good] {
        receive(&db.pool, event).await;
    }
    let handler = Recorder::new();
    handler.fail(dead.id, HandleError::Dead("never".to_owned()));
    handler.fail(panics.id, HandleError::Dead("panic".to_owned()));
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, handler);
    assert_eq!(worker.step().await, 3);
    assert_eq!(count(&db.pool, "SELECT count(*) FROM effect").await, 1);
    let text = "SELECT count(*) FROM inbox WHERE status = 'PENDING' AND last_error = 'the handler panicked'";
    assert_eq!(count(&db.pool, text).await, 1);
    assert_eq!(list_dead(&db.pool, Some(QUEUE), 10).await.unwrap()[0].id, dead.id);
}

#[tokio::test]
async fn two_workers_apply_each_event_once() {
    let db = database().await;
    for _ in 0..100 {
        receive(&db.pool, &event()).await;
    }
    let handler = Recorder::new();
    let one = InboxWorker::new(db.pool.clone(), QUEUE, handler.clone());
    let two = InboxWorker::new(db.pool.clone(), QUEUE, handler);
    let drain = async |worker: &InboxWorker| while worker.step().await > 0 {};
    tokio::join!(drain(&one), drain(&two));
    assert_eq!(count(&db.pool, "SELECT count(*) FROM effect").await, 100);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM inbox WHERE status = 'DONE'").await,
        100
    );
}

#[tokio::test]
async fn the_handler_works_under_its_causes_correlation_id() {
    let db = database().await;
    let event = service_kit::correlation::scope("cause-1".to_owned(), async { event() }).await;
    assert_eq!(event.correlationid.as_deref(), Some("cause-1"));
    receive(&db.pool, &event).await;
    let handler = Recorder::new();
    InboxWorker::new(db.pool.clone(), QUEUE, handler.clone())
        .step()
        .await;
    assert_eq!(
        *handler.seen.lock().unwrap(),
        [(event.id, Some("cause-1".to_owned()))]
    );
}

#[tokio::test]
async fn due_can_be_forced() {
    let db = database().await;
    let event = event();
    receive(&db.pool, &event).await;
    let handler = Recorder::new();
    handler.fail(event.id, HandleError::Park("later".to_owned()));
    let worker = InboxWorker::new(db.pool.clone(), QUEUE, handler.clone());
    worker.step_at(later(3_000)).await;
    assert_eq!(worker.step().await, 0);
    handler.heal();
    assert_eq!(make_due(&db.pool, QUEUE).await.unwrap(), 1);
    assert_eq!(worker.step().await, 1);
}

#[tokio::test]
async fn pruning_takes_only_what_is_finished_and_old() {
    let db = database().await;
    for _ in 0..3 {
        receive(&db.pool, &event()).await;
        crate::scene::enqueue(&db.pool, &event()).await;
    }
    let one = "WHERE ctid = (SELECT min(ctid) FROM ";
    let done = format!("UPDATE inbox SET status = 'DONE', done_at = now() {one} inbox)");
    let published = format!("UPDATE outbox SET published_at = now() {one} outbox)");
    for sql in [done, published] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&db.pool)
            .await
            .unwrap();
    }
    let clock = Clock::manual(Clock::system().now());
    let retention = Retention {
        outbox: Duration::from_mins(1),
        inbox: Duration::from_mins(2),
    };
    clock.advance(Duration::from_secs(59));
    let none = prune(&db.pool, &clock, retention).await.unwrap();
    assert_eq!((none.outbox, none.inbox), (0, 0));
    clock.advance(Duration::from_secs(30));
    let first = prune(&db.pool, &clock, retention).await.unwrap();
    assert_eq!((first.outbox, first.inbox), (1, 0));
    clock.advance(Duration::from_hours(1));
    let second = prune(&db.pool, &clock, retention).await.unwrap();
    assert_eq!((second.outbox, second.inbox), (0, 1));
    assert_eq!(count(&db.pool, "SELECT count(*) FROM inbox").await, 2);
}
