//! Starting payments: paid, declined, repeated, lost and found.

use contracts::payment::StartPayment;
use contracts::{Currency, Money, OrderId};
use http::StatusCode;
use serde_json::json;

use crate::world::{TOTAL, World, terms};

#[tokio::test]
async fn a_good_card_is_captured_once_with_ledger_and_event() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let (status, view) = world.pay(order, "pm_card_visa").await;
    assert_eq!(
        (status, view["status"].as_str()),
        (StatusCode::OK, Some("CAPTURED"))
    );
    assert_eq!(world.show(order).await, (StatusCode::OK, view.clone()));
    assert_eq!(
        world.pay(order, "pm_card_visa").await,
        (StatusCode::OK, view.clone())
    );
    let events = world.events(order).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "payment.succeeded.v1");
    assert_eq!(events[0].1["payment_id"], view["payment_id"]);
    assert_eq!(events[0].1["amount"], json!(TOTAL));
    assert_eq!(events[0].1["late"], false);
    assert_eq!(world.held_minor().await, 1999);
    assert_eq!(world.charges(order).await.len(), 1);
}

#[tokio::test]
async fn a_bad_card_is_declined_with_its_code_every_time() {
    let world = World::quiet().await;
    for (method, code) in [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_insufficientFunds", "insufficient_funds"),
    ] {
        let order = OrderId::generate();
        for _ in 0..2 {
            let (status, problem) = world.pay(order, method).await;
            assert_eq!(
                (status, problem["code"].as_str()),
                (StatusCode::PAYMENT_REQUIRED, Some("DECLINED"))
            );
            assert_eq!(problem["decline_code"], code);
        }
        let events = world.events(order).await;
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].0.as_str(), &events[0].1["decline_code"]),
            ("payment.failed.v1", &json!(code))
        );
        assert_eq!(world.status(order).await, "FAILED");
    }
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn a_method_the_provider_does_not_know_fails_for_good() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let (status, problem) = world.pay(order, "pm_nonsense").await;
    assert_eq!(
        (status, problem["decline_code"].as_str()),
        (StatusCode::PAYMENT_REQUIRED, Some("resource_missing"))
    );
    assert_eq!(world.event_kinds(order).await, ["payment.failed.v1"]);
}

#[tokio::test]
async fn other_terms_for_the_same_order_are_refused() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.pay(order, "pm_card_visa").await;
    let other = StartPayment {
        amount: Money::new(1, Currency::USD),
        ..terms("pm_card_visa")
    };
    let (status, problem) = world.pay_terms(order, &other).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (422, Some("BODY_MISMATCH"))
    );
    assert_eq!(world.held_minor().await, 1999);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_with_the_same_key() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let (status, view) = world.pay(order, "pm_mercato_timeoutThenOk").await;
    assert_eq!(
        (status, view["status"].as_str()),
        (StatusCode::OK, Some("INITIATED"))
    );
    world.recover().await;
    assert_eq!(world.status(order).await, "CAPTURED");
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
    assert_eq!(world.charges(order).await.len(), 1);
    assert_eq!(world.held_minor().await, 1999);
}

#[tokio::test]
async fn an_outage_of_the_provider_is_sat_out() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.psp(json!({"outage": true})).await;
    assert_eq!(world.pay(order, "pm_card_visa").await.1["status"], "INITIATED");
    world.recover().await;
    assert_eq!(world.status(order).await, "INITIATED");
    world.psp(json!({"outage": false})).await;
    world.recover().await;
    assert_eq!(world.status(order).await, "CAPTURED");
    assert_eq!(world.charges(order).await.len(), 1);
}

#[tokio::test]
async fn a_charge_whose_recording_was_lost_is_recorded_once() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    world.psp(json!({"outage": true})).await;
    world.pay(order, "pm_card_visa").await;
    world.psp(json!({"outage": false})).await;
    // The provider charges, and the process dies before it records that.
    let known = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    world
        .stripe
        .create(&known, known.terms.as_ref().unwrap())
        .await
        .unwrap();
    assert_eq!(world.status(order).await, "INITIATED");
    world.recover().await;
    assert_eq!(world.status(order).await, "CAPTURED");
    assert_eq!(world.charges(order).await.len(), 1);
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
}

#[tokio::test]
async fn many_starts_at_once_charge_once() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    let starts = (0..12).map(|_| world.pay(order, "pm_card_visa"));
    for (status, view) in futures::future::join_all(starts).await {
        assert_eq!(
            (status, view["status"].as_str()),
            (StatusCode::OK, Some("CAPTURED"))
        );
    }
    assert_eq!(world.charges(order).await.len(), 1);
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
    assert_eq!(world.held_minor().await, 1999);
}

#[tokio::test]
async fn a_payment_that_is_processing_is_asked_about() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    assert_eq!(
        world.pay(order, "pm_mercato_never").await.1["status"],
        "INITIATED"
    );
    world.recover().await;
    assert_eq!(world.status(order).await, "INITIATED");
    world.psp_force(order).await;
    world.recover().await;
    assert_eq!(world.status(order).await, "CAPTURED");
}
