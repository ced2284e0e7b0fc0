//! Reservations that share a transaction: exact, each with its own answer, and nobody pays for another.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use contracts::OrderId;
use futures::future::join_all;
use futures::{StreamExt, stream};
use inventory::App;
use serde_json::{Value, json};
use service_kit::Clock;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Postgres, Transaction};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::stage::{Dice, Stage};

type Answers = Vec<(StatusCode, Value)>;

fn count(answers: &Answers, code: &str) -> usize {
    answers.iter().filter(|(_, body)| body["code"] == code).count()
}

fn held(answers: &Answers) -> usize {
    answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .count()
}

/// Keeps a SKU's row, so that reservations of it pile up behind the first.
async fn keep<'a>(stage: &'a Stage, sku: &str) -> Transaction<'a, Postgres> {
    let mut tx = stage.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM stock WHERE sku = $1 FOR UPDATE")
        .bind(sku)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

/// Waits until so many statements of this database wait for a lock.
async fn until_waiting(stage: &Stage, wanted: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..500 {
        if stage.count(sql).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never were {wanted} statements waiting");
}

type Wanted = Vec<(OrderId, Vec<(&'static str, u32)>)>;

/// One reservation of the kept SKU that waits for its row, and `behind` it, in that order, others that wait for it.
async fn pile_up(stage: &Arc<Stage>, behind: Wanted) -> JoinHandle<Answers> {
    let lead = {
        let stage = Arc::clone(stage);
        tokio::spawn(async move { stage.reserve(OrderId::generate(), &[("HOT", 1)]).await })
    };
    until_waiting(stage, 1).await;
    let (stage, queued) = (Arc::clone(stage), Arc::new(Notify::new()));
    let told = Arc::clone(&queued);
    let others = tokio::spawn(async move {
        let mut all = Box::pin(join_all(
            behind.iter().map(|(order, lines)| stage.reserve(*order, lines)),
        ));
        // Polled once, in order, each is in the queue: nothing before it waits.
        assert!(futures::poll!(&mut all).is_pending());
        told.notify_one();
        let answers = all.await;
        assert_eq!(lead.await.unwrap().0, StatusCode::OK);
        answers
    });
    queued.notified().await;
    others
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_buyers_of_a_hundred_units() {
    let stage = Stage::new().await;
    stage.receive("HOT", 100).await;
    let answers: Answers = stream::iter(0..1000)
        .map(|_| stage.reserve(OrderId::generate(), &[("HOT", 1)]))
        .buffer_unordered(64)
        .collect()
        .await;
    assert_eq!((held(&answers), count(&answers, "OUT_OF_STOCK")), (100, 900));
    assert_eq!(stage.level("HOT").await, (100, 0, 100, 0));
    assert_eq!(stage.count("SELECT count(*) FROM reservation_head").await, 100);
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn baskets_of_many_lines_are_held_whole_or_not_at_all() {
    const SKUS: [&str; 6] = ["A", "B", "C", "D", "E", "HOT"];
    let stage = Stage::new().await;
    for sku in SKUS {
        stage.receive(sku, 150).await;
    }
    let mut dice = Dice(7);
    let baskets: Vec<(OrderId, Vec<(&str, u32)>)> = (0..400)
        .map(|_| {
            let mut lines = vec![("HOT", 1)];
            for sku in &SKUS[..5] {
                if dice.below(3) == 0 {
                    lines.push((*sku, u32::try_from(1 + dice.below(3)).unwrap()));
                }
            }
            (OrderId::generate(), lines)
        })
        .collect();
    let buying = &stage;
    let answers: Vec<_> = stream::iter(&baskets)
        .map(|(order, lines)| async move { (lines, buying.reserve(*order, lines).await) })
        .buffer_unordered(64)
        .collect()
        .await;
    let mut wanted = std::collections::HashMap::new();
    for (lines, (status, body)) in &answers {
        if *status == StatusCode::OK {
            for (sku, units) in *lines {
                *wanted.entry(*sku).or_insert(0) += i32::try_from(*units).unwrap();
            }
        } else {
            assert_eq!(body["code"], "OUT_OF_STOCK", "{body}");
            assert!(!body["skus"].as_array().unwrap().is_empty());
        }
    }
    for sku in SKUS {
        let units = wanted.get(sku).copied().unwrap_or(0);
        assert_eq!(stage.level(sku).await, (150, 150 - units, units, 0), "{sku}");
    }
    // Every basket holds the hot one, and there were more baskets than units: nobody was refused what was there.
    let sold_out = stage
        .count("SELECT count(*) FROM stock WHERE available = 0")
        .await;
    assert!(sold_out > 0);
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_wait_share_a_transaction_and_are_served_in_their_order() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("HOT", 6).await;
    stage.receive("B", 1).await;
    let kept = keep(&stage, "HOT").await;
    let orders: Vec<OrderId> = (0..6).map(|_| OrderId::generate()).collect();
    let lines = [
        vec![("HOT", 2)],
        vec![("HOT", 4)],
        vec![("B", 1), ("HOT", 1)],
        vec![("B", 1), ("HOT", 1)],
        vec![("HOT", 1), ("NOBODY", 1)],
        vec![("HOT", 2)],
    ];
    let answers = pile_up(&stage, orders.iter().copied().zip(lines).collect()).await;
    kept.commit().await.unwrap();
    let answers = answers.await.unwrap();
    let codes: Vec<_> = answers
        .iter()
        .map(|(status, body)| (status.as_u16(), body["skus"].clone()))
        .collect();
    assert_eq!(
        codes,
        [
            (200, Value::Null),
            (409, json!(["HOT"])),
            (200, Value::Null),
            (409, json!(["B"])),
            (409, json!(["NOBODY"])),
            (200, Value::Null),
        ],
        "2 of 5, not 4 of 3, 1 of 3, not B again, not what nobody has, the last 2"
    );
    assert_eq!(stage.level("HOT").await, (6, 0, 6, 0));
    let transactions = stage
        .count("SELECT count(DISTINCT xmin::text) FROM reservation_head WHERE state = 'HELD'")
        .await;
    assert_eq!(transactions, 2, "the first alone, the others together");
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeats_in_a_batch_answer_as_before() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("HOT", 10).await;
    let (known, other, gone) = (OrderId::generate(), OrderId::generate(), OrderId::generate());
    let before = stage.reserve(known, &[("HOT", 2)]).await;
    stage.reserve(other, &[("HOT", 1)]).await;
    stage.release(gone).await;
    let kept = keep(&stage, "HOT").await;
    let fresh = OrderId::generate();
    let behind = vec![
        (known, vec![("HOT", 2)]),
        (other, vec![("HOT", 5)]),
        (gone, vec![("HOT", 1)]),
        (fresh, vec![("HOT", 1)]),
        (fresh, vec![("HOT", 1)]),
    ];
    let answers = pile_up(&stage, behind).await;
    kept.commit().await.unwrap();
    let answers = answers.await.unwrap();
    assert_eq!(answers[0], before);
    assert_eq!(answers[1].1["code"], "BODY_MISMATCH");
    assert_eq!(answers[2].1["code"], "RELEASED");
    assert_eq!(answers[3].0, StatusCode::OK);
    assert_eq!(answers[3], answers[4], "twins hold once");
    assert_eq!(stage.level("HOT").await, (10, 5, 5, 0));
    stage.audit().await;
}

/// Reservations of the order with this id fail in the database, whatever else is in the transaction.
async fn curse(stage: &Stage, order: OrderId) {
    let sql = format!(
        "CREATE FUNCTION curse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.order_id = '{}' THEN RAISE EXCEPTION 'cursed'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER curse BEFORE INSERT ON reservation FOR EACH ROW EXECUTE FUNCTION curse();",
        order.uuid()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(stage.pool())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_fails_does_not_fail_the_others() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("HOT", 100).await;
    let cursed = OrderId::generate();
    curse(&stage, cursed).await;
    let kept = keep(&stage, "HOT").await;
    let mut behind: Vec<_> = (0..10).map(|_| (OrderId::generate(), vec![("HOT", 1)])).collect();
    behind.insert(5, (cursed, vec![("HOT", 1)]));
    let answers = pile_up(&stage, behind).await;
    kept.commit().await.unwrap();
    let answers = answers.await.unwrap();
    assert_eq!(held(&answers), 10);
    assert_eq!(
        answers[5].0,
        StatusCode::SERVICE_UNAVAILABLE,
        "no answer is better than a wrong one"
    );
    assert_eq!(stage.level("HOT").await, (100, 89, 11, 0));
    assert_eq!(stage.get(cursed).await.0, StatusCode::NOT_FOUND);
    stage.audit().await;
}

/// The same inventory with little patience for locks.
async fn impatient(stage: &Stage) -> Router {
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .after_connect(|conn, _| {
            Box::pin(async move {
                sqlx::query("SET lock_timeout = '100ms'").execute(conn).await?;
                Ok(())
            })
        })
        .connect(&stage.db.url)
        .await
        .unwrap();
    App::new(pool.clone(), pool, Clock::system(), 5).rest(&stage.identity.service_verifier("inventory"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_whose_order_is_locked_does_not_hold_up_the_others_for_ever() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("HOT", 100).await;
    let router = impatient(&stage).await;
    let locked = OrderId::generate();
    let mut elsewhere = stage.pool().begin().await.unwrap();
    sqlx::query("INSERT INTO reservation_head (order_id, state) VALUES ($1, 'TOMBSTONE')")
        .bind(locked.uuid())
        .execute(&mut *elsewhere)
        .await
        .unwrap();
    let token = stage.identity.service_token("order", "inventory");
    let mut orders: Vec<OrderId> = (0..20).map(|_| OrderId::generate()).collect();
    orders.insert(10, locked);
    let answers: Answers = join_all(orders.iter().map(|order| {
        let body = json!({"lines": [{"sku": "HOT", "quantity": 1}], "ttl_s": 600});
        let (router, token) = (&router, &token);
        async move {
            let path = format!("/reservations/{order}");
            test_kit::rest(router, token, Method::PUT, &path, Some(body)).await
        }
    }))
    .await;
    assert_eq!(held(&answers), 20);
    assert_eq!(answers[10].0, StatusCode::SERVICE_UNAVAILABLE);
    elsewhere.commit().await.unwrap();
    assert_eq!(stage.reserve(locked, &[("HOT", 1)]).await.1["code"], "RELEASED");
    assert_eq!(stage.level("HOT").await, (100, 80, 20, 0));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_go_away_lose_and_double_nothing() {
    let stage = Stage::new().await;
    stage.receive("HOT", 1000).await;
    let orders: Vec<OrderId> = (0..300).map(|_| OrderId::generate()).collect();
    let told: Vec<bool> = stream::iter(orders.iter().enumerate())
        .map(|(place, order)| {
            let patience = Duration::from_micros(u64::try_from(place * 37 % 4000).unwrap());
            let reserved = tokio::time::timeout(patience, stage.reserve(*order, &[("HOT", 1)]));
            async { reserved.await.is_ok_and(|(status, _)| status == StatusCode::OK) }
        })
        .buffer_unordered(64)
        .collect()
        .await;
    assert!(told.contains(&false), "some went away");
    let again: Answers = stream::iter(&orders)
        .map(|order| stage.reserve(*order, &[("HOT", 1)]))
        .buffer_unordered(64)
        .collect()
        .await;
    assert_eq!(held(&again), 300);
    assert_eq!(stage.level("HOT").await, (1000, 700, 300, 0));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_a_hot_sku() {
    let stage = Stage::new().await;
    stage.receive("HOT", 100).await;
    stage.receive("B", 1000).await;
    let token = stage.identity.service_token("order", "inventory");
    let routers = [stage.rest.clone(), replica(&stage)];
    let answers: Answers = stream::iter(0..400_usize)
        .map(|number| {
            let body =
                json!({"lines": [{"sku": "HOT", "quantity": 1}, {"sku": "B", "quantity": 1}], "ttl_s": 600});
            let path = format!("/reservations/{}", OrderId::generate());
            let (router, token) = (routers[number % 2].clone(), token.clone());
            async move { test_kit::rest(&router, &token, Method::PUT, &path, Some(body)).await }
        })
        .buffer_unordered(64)
        .collect()
        .await;
    assert_eq!((held(&answers), count(&answers, "OUT_OF_STOCK")), (100, 300));
    assert_eq!(stage.level("B").await, (1000, 900, 100, 0));
    let deadlocks = stage
        .count("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        .await;
    assert_eq!(deadlocks, 0);
    stage.audit().await;
}

/// Another process over the same database.
fn replica(stage: &Stage) -> Router {
    let pool = stage.pool().clone();
    App::new(pool.clone(), pool, Clock::system(), 5).rest(&stage.identity.service_verifier("inventory"))
}
