//! Product or Redis does not answer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stage::{Stage, codes, fault};

#[tokio::test]
async fn without_product_a_cart_shows_what_was_seen_and_takes_nothing_in() {
    let stage = Stage::new().await;
    let mug = stage.catalogue.variant(100);
    let cart = stage.create(None, &[(mug, 2)]).await;
    stage.catalogue.go_down(true);
    assert_eq!(stage.read(None, &cart["id"]).await, cart);
    assert_eq!(
        fault(&stage.add(None, &cart, &[(mug, 1)], "k").await),
        "UNAVAILABLE"
    );
    let line = &cart["lines"][0]["id"];
    let more = json!({"cartId": cart["id"], "lineId": line, "quantity": 3});
    assert_eq!(
        fault(&stage.change(None, "setCartLineQuantity", more).await),
        "UNAVAILABLE"
    );
    assert_eq!(stage.read(None, &cart["id"]).await["version"], 1);
    let none = json!({"cartId": cart["id"], "lineId": line, "quantity": 0});
    assert_eq!(
        codes(&stage.change(None, "setCartLineQuantity", none).await),
        [""; 0],
        "taking out needs no price"
    );
    stage.catalogue.go_down(false);
    assert_eq!(
        codes(&stage.add(None, &cart, &[(mug, 1)], "k").await),
        [""; 0],
        "the key was not used up"
    );
}

#[tokio::test]
async fn without_redis_the_answer_is_quick_and_clear() {
    let redis = test_kit::redis().await;
    // A port that was free a moment ago: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let stage = Stage::over(redis, &format!("redis://127.0.0.1:{port}")).await;
    let (user, token) = stage.shopper();
    let started = Instant::now();
    let input = json!({"currencyCode": "USD", "idempotencyKey": "0123456789abcdef"});
    assert_eq!(
        fault(&stage.change(None, "createCart", input).await),
        "UNAVAILABLE"
    );
    let query = format!("{{ cart(id: \"{}\") {{ id }} }}", contracts::CartId::generate());
    let answer = stage.ask(None, &query, json!({})).await;
    assert_eq!(
        (fault(&answer), &answer["data"]["cart"]),
        ("UNAVAILABLE", &Value::Null)
    );
    let answer = stage.active(Some(&token), user).await;
    assert_eq!(fault(&answer), "UNAVAILABLE");
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
}
