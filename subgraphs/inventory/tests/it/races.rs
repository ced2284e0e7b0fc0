//! Many callers at once: nothing oversold, nothing undersold, nobody deadlocked.

use std::sync::Arc;

use axum::http::StatusCode;
use contracts::OrderId;
use futures::future::join_all;

use crate::stage::{Dice, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_buyers_of_one_hundred_units() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("HOT", 100).await;
    let buyers = (0..200).map(|_| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.reserve(OrderId::generate(), &[("HOT", 1)]).await })
    });
    let answers: Vec<_> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
    let held = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .count();
    let refused = answers
        .iter()
        .filter(|(_, body)| body["code"] == "OUT_OF_STOCK")
        .count();
    assert_eq!((held, refused), (100, 100), "no fault among the answers");
    assert_eq!(stage.level("HOT").await, (100, 0, 100, 0));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_of_many_lines_in_any_order_never_deadlock() {
    const SKUS: [&str; 12] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"];
    let stage = Arc::new(Stage::new().await);
    for sku in SKUS {
        stage.receive(sku, 60).await;
    }
    let buyers = (0..100_u64).map(|buyer| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            let mut dice = Dice(buyer + 1);
            let mut skus = SKUS;
            for n in (1..skus.len()).rev() {
                skus.swap(n, dice.below(n + 1));
            }
            let lines: Vec<(&str, u32)> = skus[..6].iter().map(|sku| (*sku, 1)).collect();
            let order = OrderId::generate();
            let held = stage.reserve(order, &lines).await.0;
            let then = match dice.below(3) {
                0 => stage.release(order).await.0,
                1 if held == StatusCode::OK => stage.confirm(order).await.0,
                _ => StatusCode::OK,
            };
            (held, then)
        })
    });
    for answer in join_all(buyers).await {
        let (held, then) = answer.unwrap();
        assert!(held == StatusCode::OK || held == StatusCode::CONFLICT, "{held}");
        assert_eq!(then, StatusCode::OK);
    }
    let deadlocks = stage
        .count("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        .await;
    assert_eq!(deadlocks, 0);
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_of_one_reservation_hold_once() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("A", 100).await;
    let order = OrderId::generate();
    let twins = (0..20).map(|_| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.reserve(order, &[("A", 3)]).await })
    });
    let answers: Vec<_> = join_all(twins).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!(stage.level("A").await, (100, 97, 3, 0));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whichever_of_reserve_and_release_wins_nothing_leaks() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("A", 1000).await;
    let races = (0..60).map(|_| {
        let (one, two) = (Arc::clone(&stage), Arc::clone(&stage));
        tokio::spawn(async move {
            let order = OrderId::generate();
            let lines = [("A", 2)];
            tokio::join!(one.reserve(order, &lines), two.release(order))
        })
    });
    for race in join_all(races).await {
        let (reserved, released) = race.unwrap();
        assert_eq!(released.0, StatusCode::OK);
        assert!(
            reserved.0 == StatusCode::OK || reserved.1["code"] == "RELEASED",
            "{reserved:?}"
        );
    }
    assert_eq!(stage.level("A").await, (1000, 1000, 0, 0));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn confirm_and_release_have_one_winner() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("A", 1000).await;
    let mut confirmed = 0;
    for _ in 0..30 {
        let order = OrderId::generate();
        stage.reserve(order, &[("A", 1)]).await;
        let (sold, released) = tokio::join!(stage.confirm(order), stage.release(order));
        assert_ne!(sold.0, released.0, "{sold:?} {released:?}");
        confirmed += i32::from(sold.0 == StatusCode::OK);
    }
    assert_eq!(stage.level("A").await, (1000, 1000 - confirmed, 0, confirmed));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_goes_away_does_not_undo_its_reservation() {
    let stage = Arc::new(Stage::new().await);
    stage.receive("A", 100).await;
    for n in 0..30_u64 {
        let order = OrderId::generate();
        let impatient = tokio::time::timeout(
            std::time::Duration::from_micros(n * 150),
            stage.reserve(order, &[("A", 1)]),
        );
        drop(impatient.await);
        // A repeat waits for whatever is still at work, and ends with one hold.
        assert_eq!(stage.reserve(order, &[("A", 1)]).await.0, StatusCode::OK);
    }
    assert_eq!(stage.level("A").await, (100, 70, 30, 0));
    stage.audit().await;
}
