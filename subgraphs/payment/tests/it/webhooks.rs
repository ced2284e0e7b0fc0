//! Webhooks: signed, once, in any order, never trusted with another amount.

use contracts::{OrderId, PaymentId};
use http::StatusCode;
use psp_sandbox::webhook::signature;
use serde_json::{Value, json};
use service_kit::Clock;

use crate::world::{WEBHOOK_SECRET, World};

/// A `payment_intent.succeeded` for a payment that is processing.
async fn succeeded(world: &World, order: OrderId) -> Value {
    world.pay(order, "pm_mercato_never").await;
    let payment = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    let object = json!({
        "id": payment.psp_ref, "object": "payment_intent", "status": "succeeded", "amount": 1999,
        "amount_received": 1999, "currency": "usd", "metadata": {"payment_id": payment.id.to_string()},
    });
    json!({"id": format!("evt_{order}"), "object": "event", "type": "payment_intent.succeeded", "data": {"object": object}})
}

#[tokio::test]
async fn a_slow_payment_is_captured_by_its_webhook() {
    let world = World::with_webhooks().await;
    let order = OrderId::generate();
    assert_eq!(world.pay(order, "pm_mercato_slow").await.1["status"], "INITIATED");
    world.until_status(order, "CAPTURED").await;
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
}

#[tokio::test]
async fn duplicates_and_disorder_change_nothing() {
    let world = World::with_webhooks().await;
    world
        .psp(json!({"webhooks": {"duplicate": 1.0, "reorder": 1.0, "reorder_ms": 80}}))
        .await;
    let orders: Vec<_> = (0..6).map(|_| OrderId::generate()).collect();
    for order in &orders {
        world.pay(*order, "pm_mercato_slow").await;
    }
    for order in &orders {
        world.until_status(*order, "CAPTURED").await;
        world.refund(*order, "return", Some(100)).await;
    }
    world.until_delivered().await;
    for order in &orders {
        assert_eq!(world.status(*order).await, "PARTIALLY_REFUNDED");
        assert_eq!(
            world.event_kinds(*order).await,
            ["payment.succeeded.v1", "refund.completed.v1"]
        );
    }
    // Per order: processing, succeeded and the refund, each delivered twice and noted once.
    assert_eq!(world.count("SELECT count(*) FROM psp_event").await, 18);
    assert_eq!(world.held_minor().await, 6 * 1899);
}

#[tokio::test]
async fn one_event_is_applied_once() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let event = succeeded(&world, order).await;
    for _ in 0..3 {
        assert_eq!(world.deliver(&event).await, StatusCode::OK);
    }
    assert_eq!(world.status(order).await, "CAPTURED");
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
    assert_eq!(
        world
            .count("SELECT count(*) FROM psp_event WHERE outcome = 'captured'")
            .await,
        1
    );
}

#[tokio::test]
async fn what_the_provider_did_not_sign_is_refused() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let event = succeeded(&world, order).await.to_string();
    let now = Clock::system().now();
    let good = signature(WEBHOOK_SECRET, now, event.as_bytes());
    let old = signature(
        WEBHOOK_SECRET,
        now - chrono::TimeDelta::minutes(6),
        event.as_bytes(),
    );
    let foreign = signature("whsec_other", now, event.as_bytes());
    let changed = event.replacen("1999", "1998", 1);
    let cases = [
        (event.clone(), None),
        (event.clone(), Some(String::new())),
        (event.clone(), Some("t=0,v1=00".to_owned())),
        (event.clone(), Some(foreign)),
        (event.clone(), Some(old)),
        (event.clone(), Some(good.replace("v1=", "v0="))),
        (changed, Some(good.clone())),
    ];
    for (body, header) in cases {
        let status = world.deliver_signed(body, header.as_deref()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{header:?}");
    }
    assert_eq!(world.status(order).await, "INITIATED");
    assert_eq!(world.count("SELECT count(*) FROM psp_event").await, 0);
    assert_eq!(world.deliver_signed(event, Some(&good)).await, StatusCode::OK);
    assert_eq!(world.status(order).await, "CAPTURED");
}

#[tokio::test]
async fn another_amount_currency_or_payment_never_pays() {
    let changes = [
        ("amount_received", json!(1998)),
        ("amount_received", json!(2000)),
        ("currency", json!("eur")),
        (
            "metadata",
            json!({"payment_id": PaymentId::generate().to_string()}),
        ),
    ];
    let world = World::quiet().await;
    for (field, value) in changes {
        let order = OrderId::generate();
        let mut event = succeeded(&world, order).await;
        event["data"]["object"][field] = value;
        assert_eq!(world.deliver(&event).await, StatusCode::OK);
        assert_eq!(world.status(order).await, "INITIATED", "{field}");
        assert!(world.events(order).await.is_empty());
    }
    assert_eq!(
        world
            .count("SELECT count(*) FROM psp_event WHERE outcome = 'mismatch'")
            .await,
        4
    );
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn a_webhook_that_beats_the_answer_finds_the_payment_by_its_id() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.psp(json!({"outage": true})).await;
    world.pay(order, "pm_card_visa").await;
    let payment = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    let object = json!({
        "id": "pi_early", "object": "payment_intent", "status": "succeeded", "amount": 1999,
        "amount_received": 1999, "currency": "usd", "metadata": {"payment_id": payment.id.to_string()},
    });
    let event = json!({"id": "evt_early", "type": "payment_intent.succeeded", "data": {"object": object}});
    assert_eq!(world.deliver(&event).await, StatusCode::OK);
    let payment = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    assert_eq!(payment.psp_ref.as_deref(), Some("pi_early"));
    assert_eq!(world.status(order).await, "CAPTURED");
}

#[tokio::test]
async fn strangers_and_other_topics_are_noted_and_ignored() {
    let world = World::quiet().await;
    let stranger = json!({
        "id": "pi_stranger", "object": "payment_intent", "status": "succeeded", "amount": 1,
        "amount_received": 1, "currency": "usd",
    });
    let event = |id: &str, object: Value| json!({"id": id, "type": "x", "data": {"object": object}});
    assert_eq!(world.deliver(&event("evt_1", stranger)).await, StatusCode::OK);
    assert_eq!(
        world
            .deliver(&event("evt_2", json!({"object": "customer"})))
            .await,
        StatusCode::OK
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM psp_event WHERE outcome = 'unknown_payment'")
            .await,
        1
    );
    assert_eq!(
        world.deliver(&json!({"id": "evt_3"})).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(world.count("SELECT count(*) FROM psp_event").await, 2);
}

#[tokio::test]
async fn old_events_are_forgotten() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let event = succeeded(&world, order).await;
    world.deliver(&event).await;
    sqlx::raw_sql("UPDATE psp_event SET received_at = received_at - interval '31 days'")
        .execute(&world.db.pool)
        .await
        .unwrap();
    assert_eq!(world.app.prune_webhooks().await.unwrap(), 1);
    // Should it come again all the same, the state machine knows better.
    assert_eq!(world.deliver(&event).await, StatusCode::OK);
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
}
