//! What order asks and tells.

use axum::http::{Method, StatusCode};
use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use contracts::cart::{CartFact, CartsStarted};
use contracts::{CartId, OrderId};
use serde_json::{Value, json};

use crate::stage::Stage;

async fn call(stage: &Stage, method: Method, path: String, body: Option<Value>) -> (StatusCode, Value) {
    let token = stage.identity.service_token("order", "cart");
    test_kit::rest(&stage.rest, &token, method, &path, body).await
}

async fn checked_out(stage: &Stage, id: &str, version: i32) -> (StatusCode, Value) {
    let body = json!({"order_id": OrderId::generate(), "version": version});
    call(
        stage,
        Method::POST,
        format!("/carts/{id}/checked-out"),
        Some(body),
    )
    .await
}

#[tokio::test]
async fn order_reads_a_cart_and_empties_it_once() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let (user, token) = stage.shopper();
    let cart = stage.create(Some(&token), &[(mug, 2)]).await;
    let id = cart["id"].as_str().unwrap();
    let apply = json!({"cartId": id, "code": "SPRING"});
    stage.change(Some(&token), "applyCoupon", apply).await;
    let (status, body) = call(&stage, Method::GET, format!("/carts/{id}"), None).await;
    let fact: CartFact = serde_json::from_value(body).unwrap();
    assert_eq!(
        (status, fact.user_id, fact.version),
        (StatusCode::OK, Some(user), 2)
    );
    assert_eq!(fact.coupon.unwrap().as_str(), "SPRING");
    assert_eq!(
        (
            fact.lines[0].variant_id,
            fact.lines[0].quantity,
            fact.lines[0].seen_price_minor
        ),
        (mug, 2, 100)
    );

    let (status, body) = checked_out(&stage, id, 2).await;
    assert_eq!(
        (status, &body["lines"], &body["version"]),
        (StatusCode::OK, &json!([]), &json!(3))
    );
    assert_eq!(body["coupon"], Value::Null, "it is spent");
    stage.add(Some(&token), &cart, &[(mug, 1)], "next").await;
    let (status, body) = checked_out(&stage, id, 2).await;
    assert_eq!(
        (status, &body["version"]),
        (StatusCode::OK, &json!(4)),
        "a repeat leaves what came later"
    );
    assert_eq!(stage.read(Some(&token), &cart["id"]).await["totalQuantity"], 1);
}

/// What analytics is told of this hour and the next: the test may run over the turn of one.
async fn begun(stage: &Stage, from: DateTime<Utc>) -> u64 {
    let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
    let token = stage.identity.service_token("analytics", "cart");
    let path = format!("/carts/started?from={from}&hours=2");
    let (status, body) = test_kit::rest(&stage.rest, &token, Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let started: CartsStarted = serde_json::from_value(body).unwrap();
    assert_eq!(started.hours.len(), 2);
    assert_eq!(started.hours[0].hour.minute(), 0);
    started.hours.iter().map(|hour| hour.carts).sum()
}

#[tokio::test]
async fn a_cart_counts_as_begun_with_its_first_line_each_time() {
    let stage = Stage::new().await;
    let (mug, from) = (stage.catalogue.variant(100), stage.clock.now());
    let (_, token) = stage.shopper();
    let cart = stage.create(Some(&token), &[]).await;
    assert_eq!(begun(&stage, from).await, 0, "nothing is in it");
    stage.add(Some(&token), &cart, &[(mug, 1)], "first").await;
    stage.add(Some(&token), &cart, &[(mug, 1)], "first").await;
    stage.add(Some(&token), &cart, &[(mug, 1)], "second").await;
    assert_eq!(begun(&stage, from).await, 1);

    checked_out(&stage, cart["id"].as_str().unwrap(), 3).await;
    stage.add(Some(&token), &cart, &[(mug, 1)], "again").await;
    assert_eq!(begun(&stage, from).await, 2, "it was ordered and begun again");
    stage.create(None, &[(mug, 1)]).await;
    assert_eq!(begun(&stage, from).await, 3, "a guest's too");

    let token = stage.identity.service_token("analytics", "cart");
    for query in [
        "",
        "?from=now&hours=1",
        "?from=2026-11-22T15:00:00Z&hours=0",
        "?from=2026-11-22T15:00:00Z&hours=169",
    ] {
        let path = format!("/carts/started{query}");
        let (status, body) = test_kit::rest(&stage.rest, &token, Method::GET, &path, None).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")),
            "{query}"
        );
    }
    for caller in ["order", "product"] {
        let token = stage.identity.service_token(caller, "cart");
        let path = "/carts/started?from=2026-11-22T15:00:00Z&hours=1";
        let (status, _) = test_kit::rest(&stage.rest, &token, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_cart_changed_since_is_left_alone() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[(mug, 2)]).await;
    stage.add(None, &cart, &[(mug, 1)], "k").await;
    let (status, body) = checked_out(&stage, cart["id"].as_str().unwrap(), 1).await;
    assert_eq!(
        (status, &body["lines"][0]["quantity"]),
        (StatusCode::OK, &json!(3))
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_refused() {
    let stage = Stage::new().await;
    let id = CartId::generate();
    for (method, path, body, status, code) in [
        (Method::GET, format!("/carts/{id}"), None, 404, "NOT_FOUND"),
        (Method::GET, "/carts/ord_1".to_owned(), None, 400, "BAD_REQUEST"),
        (
            Method::POST,
            format!("/carts/{id}/checked-out"),
            Some(json!({})),
            400,
            "BAD_REQUEST",
        ),
    ] {
        let answer = call(&stage, method, path, body).await;
        assert_eq!(
            (answer.0.as_u16(), answer.1["code"].as_str()),
            (status, Some(code))
        );
    }
    assert_eq!(
        checked_out(&stage, &id.to_string(), 1).await.0,
        StatusCode::NOT_FOUND
    );
    let (_, user) = stage.shopper();
    for (token, status) in [
        (stage.identity.service_token("payment", "cart"), 403),
        (user, 401),
    ] {
        let answer = test_kit::rest(&stage.rest, &token, Method::GET, &format!("/carts/{id}"), None).await;
        assert_eq!(answer.0.as_u16(), status);
    }
}
