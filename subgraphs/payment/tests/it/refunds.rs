//! Refunds: whole, in parts, repeated, refused and lost.

use contracts::OrderId;
use http::StatusCode;
use serde_json::json;

use crate::world::World;

async fn paid(world: &World, method: &str) -> OrderId {
    let order = OrderId::generate();
    assert_eq!(world.pay(order, method).await.1["status"], "CAPTURED");
    order
}

#[tokio::test]
async fn a_reason_refunds_once() {
    let world = World::quiet().await;
    let order = paid(&world, "pm_card_visa").await;
    let (status, first) = world.refund(order, "stock_gone", None).await;
    assert_eq!(
        (status, first["status"].as_str()),
        (StatusCode::OK, Some("SUCCEEDED"))
    );
    assert_eq!(first["amount"]["amount_minor"], 1999);
    assert_eq!(world.refund(order, "stock_gone", None).await.1, first);
    assert_eq!(world.refund(order, "stock_gone", Some(1999)).await.1, first);
    assert_eq!(world.status(order).await, "REFUNDED");
    let (status, problem) = world.refund(order, "stock_gone", Some(5)).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (422, Some("BODY_MISMATCH"))
    );
    let (status, problem) = world.refund(order, "another", None).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::CONFLICT, Some("INVALID_STATE"))
    );
    assert_eq!(
        world.event_kinds(order).await,
        ["payment.succeeded.v1", "refund.completed.v1"]
    );
    assert_eq!(world.charges(order).await[0]["refunds"], 1);
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn parts_add_up() {
    let world = World::quiet().await;
    let order = paid(&world, "pm_card_visa").await;
    world.refund(order, "part_one", Some(999)).await;
    assert_eq!(world.status(order).await, "PARTIALLY_REFUNDED");
    for minor in [1001, 0, -5] {
        assert_eq!(
            world.refund(order, "too_much", Some(minor)).await.0.as_u16(),
            422,
            "{minor}"
        );
    }
    assert_eq!(
        world.refund(order, "rest", None).await.1["amount"]["amount_minor"],
        1000
    );
    assert_eq!(world.status(order).await, "REFUNDED");
    let events = world.events(order).await;
    let full: Vec<_> = events[1..]
        .iter()
        .map(|(_, data)| data["fully_refunded"].clone())
        .collect();
    assert_eq!(full, [json!(false), json!(true)]);
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn parts_asked_for_at_once_never_exceed_the_whole() {
    let world = World::quiet().await;
    let order = paid(&world, "pm_card_visa").await;
    let reasons: Vec<String> = (0..6).map(|n| format!("part_{n}")).collect();
    let asked = reasons
        .iter()
        .map(|reason| world.refund(order, reason, Some(700)));
    let answers = futures::future::join_all(asked).await;
    assert_eq!(
        answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::OK)
            .count(),
        2
    );
    world.recover().await;
    assert_eq!(world.charges(order).await[0]["refunded_minor"], 1400);
    assert_eq!(world.held_minor().await, 599);
}

#[tokio::test]
async fn what_was_not_captured_is_not_refunded() {
    let world = World::quiet().await;
    let order = OrderId::generate();
    assert_eq!(world.refund(order, "reason", None).await.0, StatusCode::NOT_FOUND);
    world.pay(order, "pm_mercato_never").await;
    assert_eq!(world.refund(order, "reason", None).await.0, StatusCode::CONFLICT);
    world.void(order).await;
    assert_eq!(world.refund(order, "reason", None).await.0, StatusCode::CONFLICT);
    assert_eq!(world.refund(order, "Bad-Reason", None).await.0.as_u16(), 422);
}

#[tokio::test]
async fn a_refund_during_an_outage_is_carried_out_later_once() {
    let world = World::quiet().await;
    let order = paid(&world, "pm_card_visa").await;
    world.psp(json!({"outage": true})).await;
    let (status, view) = world.refund(order, "stock_gone", None).await;
    assert_eq!(
        (status, view["status"].as_str()),
        (StatusCode::OK, Some("PENDING"))
    );
    assert_eq!(world.status(order).await, "REFUND_PENDING");
    world.psp(json!({"outage": false})).await;
    // The provider refunds, and the process dies before it records that.
    let payment = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    let refund = world
        .app
        .refunds_of_payments(&[payment.id])
        .await
        .unwrap()
        .remove(0);
    world
        .stripe
        .refund(&refund, payment.psp_ref.as_ref().unwrap())
        .await
        .unwrap();
    world.recover().await;
    assert_eq!(world.status(order).await, "REFUNDED");
    assert_eq!(world.charges(order).await[0]["refunds"], 1);
    assert_eq!(world.held_minor().await, 0);
}

#[tokio::test]
async fn a_slow_refund_is_completed_by_its_webhook() {
    let world = World::with_webhooks().await;
    let order = paid(&world, "pm_card_pendingRefund").await;
    assert_eq!(
        world.refund(order, "return", Some(500)).await.1["status"],
        "PENDING"
    );
    world.until_status(order, "PARTIALLY_REFUNDED").await;
    assert_eq!(
        world.event_kinds(order).await,
        ["payment.succeeded.v1", "refund.completed.v1"]
    );
    assert_eq!(world.held_minor().await, 1499);
}

#[tokio::test]
async fn a_refund_that_fails_leaves_the_payment_captured() {
    let world = World::with_webhooks().await;
    let order = paid(&world, "pm_card_refundFail").await;
    assert_eq!(world.refund(order, "return", None).await.1["status"], "PENDING");
    world.until_status(order, "CAPTURED").await;
    assert_eq!(world.refund(order, "return", None).await.1["status"], "FAILED");
    assert_eq!(world.event_kinds(order).await, ["payment.succeeded.v1"]);
    assert_eq!(world.held_minor().await, 1999);
}

#[tokio::test]
async fn a_lost_refund_is_found_after_its_key_is_forgotten() {
    let world = World::quiet().await;
    let order = paid(&world, "pm_card_visa").await;
    world.psp(json!({"outage": true})).await;
    world.refund(order, "stock_gone", Some(500)).await;
    world.psp(json!({"outage": false})).await;
    let payment = world.app.payments_of_orders(&[order]).await.unwrap().remove(0);
    let refund = world
        .app
        .refunds_of_payments(&[payment.id])
        .await
        .unwrap()
        .remove(0);
    let psp_ref = payment.psp_ref.unwrap();
    assert_eq!(world.stripe.find_refund(&refund, &psp_ref).await, Ok(None));
    let made = world.stripe.refund(&refund, &psp_ref).await.unwrap();
    assert_eq!(world.stripe.find_refund(&refund, &psp_ref).await, Ok(Some(made)));
}
