//! What each call answers and changes, one after the other.

use axum::http::{Method, StatusCode};
use contracts::OrderId;
use serde_json::{Value, json};

use crate::stage::Stage;

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

fn state(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["state"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_reservation_is_held_confirmed_and_restocked() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    stage.receive("B", 5).await;
    let order = OrderId::generate();

    let held = stage.reserve(order, &[("B", 1), ("A", 3)]).await;
    assert_eq!(state(&held), (200, "HELD"));
    assert!(held.1["expires_at"].is_string());
    assert_eq!(stage.level("A").await, (10, 7, 3, 0));
    assert_eq!(
        stage.reserve(order, &[("A", 3), ("B", 1)]).await,
        held,
        "the same again, in another order"
    );

    assert_eq!(state(&stage.confirm(order).await), (200, "CONFIRMED"));
    assert_eq!(state(&stage.confirm(order).await), (200, "CONFIRMED"));
    assert_eq!(stage.level("A").await, (10, 7, 0, 3));
    assert_eq!(
        state(&stage.reserve(order, &[("A", 3), ("B", 1)]).await),
        (200, "CONFIRMED")
    );
    assert_eq!(code(&stage.release(order).await), (409, "ALREADY_CONFIRMED"));

    assert_eq!(state(&stage.restock(order).await), (200, "RESTOCKED"));
    assert_eq!(state(&stage.restock(order).await), (200, "RESTOCKED"));
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
    assert_eq!(stage.level("B").await, (5, 5, 0, 0));
    assert_eq!(code(&stage.confirm(order).await), (409, "GONE"));
    stage.audit().await;
}

#[tokio::test]
async fn too_few_units_are_named_and_nothing_is_held() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    stage.receive("B", 1).await;
    let order = OrderId::generate();
    let refused = stage.reserve(order, &[("A", 1), ("B", 2), ("NOBODY", 1)]).await;
    assert_eq!(code(&refused), (409, "OUT_OF_STOCK"));
    assert_eq!(refused.1["skus"], json!(["B", "NOBODY"]));
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
    assert_eq!(code(&stage.get(order).await), (404, "NOT_FOUND"));
    assert_eq!(
        state(&stage.reserve(order, &[("A", 1)]).await),
        (200, "HELD"),
        "nothing of it remains"
    );
    stage.audit().await;
}

#[tokio::test]
async fn another_body_for_the_same_order_is_refused() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let order = OrderId::generate();
    stage.reserve(order, &[("A", 1)]).await;
    assert_eq!(
        code(&stage.reserve(order, &[("A", 2)]).await),
        (422, "BODY_MISMATCH")
    );
    assert_eq!(stage.level("A").await, (10, 9, 1, 0));
}

#[tokio::test]
async fn a_release_gives_back_and_is_final() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let order = OrderId::generate();
    stage.reserve(order, &[("A", 4)]).await;
    assert_eq!(state(&stage.release(order).await), (200, "RELEASED"));
    assert_eq!(state(&stage.release(order).await), (200, "RELEASED"));
    assert_eq!(code(&stage.reserve(order, &[("A", 4)]).await), (409, "RELEASED"));
    assert_eq!(code(&stage.confirm(order).await), (409, "GONE"));
    assert_eq!(code(&stage.restock(order).await), (409, "INVALID_STATE"));
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
    stage.audit().await;
}

#[tokio::test]
async fn a_release_that_comes_first_leaves_a_tombstone() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let order = OrderId::generate();
    assert_eq!(state(&stage.release(order).await), (200, "RELEASED"));
    assert_eq!(code(&stage.reserve(order, &[("A", 1)]).await), (409, "RELEASED"));
    assert_eq!(state(&stage.get(order).await), (200, "RELEASED"));
    assert_eq!(code(&stage.confirm(order).await), (409, "GONE"));
    assert_eq!(stage.level("A").await, (10, 10, 0, 0));
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    let stage = Stage::new().await;
    let order = OrderId::generate();
    assert_eq!(code(&stage.confirm(order).await), (404, "NOT_FOUND"));
    assert_eq!(code(&stage.restock(order).await), (404, "NOT_FOUND"));
    assert_eq!(code(&stage.get(order).await), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn nonsense_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let path = format!("/reservations/{}", OrderId::generate());
    let line = |sku: &str, quantity: i64| json!({"sku": sku, "quantity": quantity});
    let many: Vec<_> = (0..501).map(|n| line(&n.to_string(), 1)).collect();
    for (body, expected) in [
        (json!({"lines": [], "ttl_s": 60}), (422, "INVALID")),
        (json!({"lines": many, "ttl_s": 60}), (422, "INVALID")),
        (json!({"lines": [line("A", 0)], "ttl_s": 60}), (422, "INVALID")),
        (
            json!({"lines": [line("A", 1), line("A", 1)], "ttl_s": 60}),
            (422, "INVALID"),
        ),
        (json!({"lines": [line("A", 1)], "ttl_s": 0}), (422, "INVALID")),
        (
            json!({"lines": [line("A", 1)], "ttl_s": 86_401}),
            (422, "INVALID"),
        ),
        (
            json!({"lines": [line("A", -1)], "ttl_s": 60}),
            (400, "BAD_REQUEST"),
        ),
        (
            json!({"lines": [line("A", 1 << 32)], "ttl_s": 60}),
            (400, "BAD_REQUEST"),
        ),
        (
            json!({"lines": [line("no\u{0}sku", 1)], "ttl_s": 60}),
            (409, "OUT_OF_STOCK"),
        ),
        (json!("text"), (400, "BAD_REQUEST")),
    ] {
        let answer = stage.call(Method::PUT, &path, Some(body.clone())).await;
        assert_eq!(code(&answer), expected, "{body}");
    }
    let elsewhere = stage
        .call(Method::PUT, "/reservations/usr_1", Some(json!({})))
        .await;
    assert_eq!(code(&elsewhere), (400, "BAD_REQUEST"));
    assert_eq!(stage.count("SELECT count(*) FROM reservation_head").await, 0);
    stage.audit().await;
}

#[tokio::test]
async fn only_order_may_call() {
    let stage = Stage::new().await;
    let order = OrderId::generate();
    let path = format!("/reservations/{order}");
    let user = stage
        .identity
        .user_token(contracts::UserId::generate(), &[service_auth::Role::Admin]);
    for (token, status) in [
        (
            stage.identity.service_token("cart", "inventory"),
            StatusCode::FORBIDDEN,
        ),
        (
            stage.identity.service_token("order", "payment"),
            StatusCode::UNAUTHORIZED,
        ),
        (user, StatusCode::UNAUTHORIZED),
        (String::new(), StatusCode::UNAUTHORIZED),
    ] {
        let answer = test_kit::rest(&stage.rest, &token, Method::DELETE, &path, None).await;
        assert_eq!(answer.0, status, "{}", answer.1);
    }
    assert_eq!(stage.count("SELECT count(*) FROM reservation_head").await, 0);
}
