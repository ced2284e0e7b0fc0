//! Voiding: before, after and during the capture, and money that comes all the same.

use contracts::OrderId;
use http::StatusCode;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_payment_that_is_processing_is_voided() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_mercato_never").await;
    for _ in 0..2 {
        assert_eq!(
            world.void(order).await,
            (StatusCode::OK, json!({"outcome": "VOIDED"}))
        );
    }
    assert_eq!(world.status(order).await, "VOIDED");
    assert_eq!(world.charges(order).await[0]["status"], "canceled");
    assert!(world.events(order).await.is_empty());
    let (status, problem) = world.pay(order, "pm_mercato_never").await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::CONFLICT, Some("VOIDED"))
    );
}

#[tokio::test]
async fn a_captured_payment_is_not_voided() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_card_visa").await;
    assert_eq!(
        world.void(order).await,
        (StatusCode::OK, json!({"outcome": "ALREADY_CAPTURED"}))
    );
    assert_eq!(world.status(order).await, "CAPTURED");
}

#[tokio::test]
async fn a_capture_we_had_not_heard_of_is_recorded_by_the_void() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_mercato_never").await;
    world.psp_force(order).await;
    assert_eq!(world.void(order).await.1, json!({"outcome": "ALREADY_CAPTURED"}));
    let events = world.events(order).await;
    assert_eq!(
        (events[0].0.as_str(), &events[0].1["late"]),
        ("payment.succeeded.v1", &json!(false))
    );
}

#[tokio::test]
async fn a_failed_payment_counts_as_void() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_card_chargeDeclined").await;
    assert_eq!(world.void(order).await.1, json!({"outcome": "VOIDED"}));
    assert_eq!(world.status(order).await, "FAILED");
}

#[tokio::test]
async fn a_void_before_the_start_keeps_the_start_out() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    for _ in 0..2 {
        assert_eq!(
            world.void(order).await,
            (StatusCode::OK, json!({"outcome": "VOIDED"}))
        );
    }
    let (status, problem) = world.pay(order, "pm_card_visa").await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::CONFLICT, Some("VOIDED"))
    );
    assert_eq!(world.show(order).await.0, StatusCode::NOT_FOUND);
    assert!(world.charges(order).await.is_empty());
}

#[tokio::test]
async fn a_start_the_provider_never_heard_of_is_fenced_off() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.psp(json!({"outage": true})).await;
    world.pay(order, "pm_card_visa").await;
    world.psp(json!({"outage": false})).await;
    let started = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    assert_eq!(world.void(order).await.1, json!({"outcome": "VOIDED"}));
    // The worker that was to start it wakes up too late: its key is taken, and no money moves.
    assert!(
        world
            .stripe
            .create(&started, started.terms.as_ref().unwrap())
            .await
            .is_err()
    );
    let charges = world.charges(order).await;
    assert_eq!((charges.len(), &charges[0]["status"]), (1, &json!("canceled")));
    assert_eq!(
        world.psp_get("_sandbox/totals").await["captured_minor"],
        json!({"usd": 0})
    );
}

#[tokio::test]
async fn a_lost_charge_is_found_by_the_void() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    assert_eq!(
        world.pay(order, "pm_mercato_timeoutThenOk").await.1["status"],
        "INITIATED"
    );
    assert_eq!(world.void(order).await.1, json!({"outcome": "ALREADY_CAPTURED"}));
    assert_eq!(world.charges(order).await.len(), 1);
    assert_eq!(world.held_minor().await, 1999);
}

#[tokio::test]
async fn a_void_during_an_outage_is_unknown_and_carried_out_later() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_mercato_never").await;
    world.psp(json!({"outage": true})).await;
    assert_eq!(world.void(order).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.status(order).await, "INITIATED");
    world.psp(json!({"outage": false})).await;
    world.recover().await;
    assert_eq!(world.status(order).await, "VOIDED");
    assert_eq!(world.void(order).await.1, json!({"outcome": "VOIDED"}));
}

#[tokio::test]
async fn void_and_start_at_once_agree_with_the_provider() {
    let world = World::quiet().await;
    for _ in 0..10 {
        let order = OrderId::generate();
        let (_, (_, void)) = tokio::join!(world.pay(order, "pm_card_visa"), world.void(order));
        world.recover().await;
        let captured = world
            .charges(order)
            .await
            .first()
            .is_some_and(|charge| charge["captured_minor"] != 0);
        let expected = if captured { "ALREADY_CAPTURED" } else { "VOIDED" };
        assert_eq!(void, json!({"outcome": expected}));
        let status = world.status(order).await;
        assert_eq!(status == "CAPTURED", captured, "{status}");
    }
}

#[tokio::test]
async fn money_that_comes_after_the_void_goes_back_once() {
    let world = World::with_webhooks().await;
    world
        .psp(json!({"webhooks": {"duplicate": 1.0, "reorder": 0.5, "reorder_ms": 30}}))
        .await;
    let order = OrderId::generate();
    world.pay(order, "pm_mercato_lateSuccess").await;
    assert_eq!(world.void(order).await.1, json!({"outcome": "VOIDED"}));
    world.until_status(order, "REFUND_PENDING").await;
    // Order hears of it too and asks for the same refund, at the same time as our own worker.
    let asked = (0..4).map(|_| world.refund(order, "late_payment", None));
    let (replies, ()) = tokio::join!(futures::future::join_all(asked), world.recover());
    let ids: std::collections::BTreeSet<_> = replies
        .iter()
        .map(|(_, view)| view["refund_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    world.recover().await;
    world.until_delivered().await;
    assert_eq!(world.status(order).await, "REFUNDED");
    let events = world.events(order).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["payment.succeeded.v1", "refund.completed.v1"]);
    assert_eq!(
        (&events[0].1["late"], &events[1].1["fully_refunded"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(events[1].1["reason"], "late_payment");
    let charge = &world.charges(order).await[0];
    assert_eq!(
        (&charge["refunds"], &charge["refunded_minor"]),
        (&json!(1), &json!(1999))
    );
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn late_money_is_found_even_if_its_webhook_is_lost() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_mercato_never").await;
    world.void(order).await;
    world.psp_force(order).await;
    world.recover().await;
    world.recover().await;
    assert_eq!(world.status(order).await, "REFUNDED");
    assert_eq!(world.held_minor().await, 0);
}
