//! The internal door: only order, only readable requests.

use contracts::OrderId;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{World, terms};

#[tokio::test]
async fn only_order_may_call() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let user = world.identity.user_token(crate::world::buyer(), &[]);
    let elsewhere = world.identity.service_token("order", "inventory");
    let cart = world.identity.service_token("cart", "payment");
    let cases = [
        (String::new(), StatusCode::UNAUTHORIZED),
        (user, StatusCode::UNAUTHORIZED),
        (elsewhere, StatusCode::UNAUTHORIZED),
        (cart, StatusCode::FORBIDDEN),
    ];
    for (token, expected) in cases {
        for (method, path) in [
            (Method::PUT, format!("/payments/{order}")),
            (Method::GET, format!("/payments/{order}")),
            (Method::POST, format!("/payments/{order}/void")),
            (Method::POST, format!("/payments/{order}/refunds/x")),
        ] {
            let body = Some(json!(terms("pm_card_visa")));
            let (status, _) = test_kit::rest(&world.internal, &token, method, &path, body).await;
            assert_eq!(status, expected, "{path}");
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM payment").await, 0);
}

#[tokio::test]
async fn unreadable_requests_change_nothing() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let good = json!(terms("pm_card_visa"));
    let put = |body: Value| world.call(Method::PUT, "/payments/ord_nonsense", Some(body));
    let (status, problem) = put(good.clone()).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (400, Some("BAD_REQUEST"))
    );
    let mut cases = vec![(json!({}), 400), (json!([]), 400), (json!("x"), 400)];
    for (pointer, value, status) in [
        ("/amount/amount_minor", json!(0), 422),
        ("/amount/amount_minor", json!(-1999), 422),
        ("/amount/amount_minor", json!(19.99), 400),
        ("/amount/currency", json!("usd"), 400),
        ("/user_id", json!("usr_1"), 400),
        ("/method", json!("4242 4242 4242 4242"), 422),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        cases.push((body, status));
    }
    for (body, expected) in cases {
        let (status, _) = world
            .call(Method::PUT, &format!("/payments/{order}"), Some(body.clone()))
            .await;
        assert_eq!(status.as_u16(), expected, "{body}");
    }
    assert_eq!(world.show(order).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_no_open_transaction() {
    let world = World::quiet().await;
    for _ in 0..20 {
        let order = OrderId::generate();
        let abandoned = world.pay(order, "pm_card_visa");
        drop(tokio::time::timeout(std::time::Duration::from_micros(300), abandoned).await);
    }
    world.host.tasks.close();
    world.host.tasks.wait().await;
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_eq!(world.count(open).await, 0);
    assert_eq!(
        world
            .count("SELECT count(*) FROM payment WHERE status = 'INITIATED'")
            .await,
        0
    );
}
