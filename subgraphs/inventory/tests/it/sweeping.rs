//! Holds that end by themselves.

use axum::http::StatusCode;
use contracts::inventory::ReservationExpired;
use contracts::{Event, OrderId};
use futures::future::join_all;

use crate::stage::Stage;

async fn expired_order(stage: &Stage, units: u32) -> OrderId {
    let order = OrderId::generate();
    let held = stage.reserve(order, &[("A", units)]).await;
    assert_eq!(held.0, StatusCode::OK, "{}", held.1);
    stage.let_time_pass(order).await;
    order
}

#[tokio::test]
async fn an_expired_hold_gives_back_and_tells() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let order = expired_order(&stage, 4).await;
    let lasting = OrderId::generate();
    stage.reserve(lasting, &[("A", 1)]).await;

    assert_eq!(stage.sweeper.step().await.unwrap(), 1);
    assert_eq!(stage.sweeper.step().await.unwrap(), 0);
    assert_eq!(stage.level("A").await, (10, 9, 1, 0));
    assert_eq!(stage.get(order).await.1["state"], "EXPIRED");
    assert_eq!(stage.get(lasting).await.1["state"], "HELD");

    let (routing_key, payload): (String, serde_json::Value) =
        sqlx::query_as("SELECT routing_key, payload FROM outbox")
            .fetch_one(stage.pool())
            .await
            .unwrap();
    assert_eq!(routing_key, "reservation.expired.v1");
    let event: Event<ReservationExpired> = serde_json::from_value(payload).unwrap();
    assert_eq!(
        (event.data.order_id, event.subject, event.aggregateversion),
        (order, order.to_string(), 2)
    );
    stage.audit().await;
}

#[tokio::test]
async fn a_late_confirmation_takes_the_units_again_if_it_can() {
    let stage = Stage::new().await;
    stage.receive("A", 5).await;
    let (early, late) = (expired_order(&stage, 3).await, OrderId::generate());
    stage.sweeper.step().await.unwrap();
    assert_eq!(stage.confirm(early).await.1["state"], "CONFIRMED");
    assert_eq!(stage.confirm(early).await.0, StatusCode::OK);
    assert_eq!(stage.level("A").await, (5, 2, 0, 3));

    let loser = expired_order(&stage, 2).await;
    stage.sweeper.step().await.unwrap();
    stage.reserve(late, &[("A", 1)]).await;
    let gone = stage.confirm(loser).await;
    assert_eq!((gone.0.as_u16(), gone.1["code"].as_str()), (409, Some("GONE")));
    assert_eq!(stage.level("A").await, (5, 1, 1, 3));
    stage.audit().await;
}

#[tokio::test]
async fn an_expired_hold_can_be_made_anew_and_released_for_good() {
    let stage = Stage::new().await;
    stage.receive("A", 5).await;
    let order = expired_order(&stage, 2).await;
    stage.sweeper.step().await.unwrap();
    assert_eq!(stage.reserve(order, &[("A", 2)]).await.1["state"], "HELD");
    stage.let_time_pass(order).await;
    assert_eq!(
        stage.sweeper.step().await.unwrap(),
        1,
        "a second time, with a ledger entry of its own"
    );
    assert_eq!(stage.release(order).await.1["state"], "RELEASED");
    assert_eq!(stage.reserve(order, &[("A", 2)]).await.1["code"], "RELEASED");
    assert_eq!(stage.level("A").await, (5, 5, 0, 0));
    stage.audit().await;
}

#[tokio::test]
async fn a_due_hold_that_is_not_swept_yet_is_confirmed_as_it_is() {
    let stage = Stage::new().await;
    stage.receive("A", 5).await;
    let order = expired_order(&stage, 2).await;
    assert_eq!(stage.confirm(order).await.1["state"], "CONFIRMED");
    assert_eq!(stage.sweeper.step().await.unwrap(), 0);
    assert_eq!(stage.level("A").await, (5, 3, 0, 2));
    stage.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_sweepers_and_buyers_share_the_work() {
    let stage = Stage::new().await;
    stage.receive("A", 500).await;
    stage.receive("B", 500).await;
    let mut orders = Vec::new();
    for _ in 0..120 {
        let order = OrderId::generate();
        assert_eq!(
            stage.reserve(order, &[("B", 1), ("A", 1)]).await.0,
            StatusCode::OK
        );
        stage.let_time_pass(order).await;
        orders.push(order);
    }
    let sweeps = join_all((0..4).map(|_| stage.sweeper.step()));
    let confirms = join_all(orders.iter().take(40).map(|order| stage.confirm(*order)));
    let (swept, confirmed) = tokio::join!(sweeps, confirms);
    assert!(swept.iter().all(Result::is_ok), "{swept:?}");
    assert!(confirmed.iter().all(|(status, _)| *status == StatusCode::OK));
    stage.sweeper.step().await.unwrap();
    assert_eq!(stage.level("A").await, (500, 460, 0, 40));
    let events = stage.count("SELECT count(*) FROM outbox").await;
    let expired = stage
        .count("SELECT count(*) FROM reservation_head WHERE state = 'EXPIRED'")
        .await;
    assert_eq!(expired, 80);
    assert!(events >= 80);
    stage.audit().await;
}
