//! Delivery of webhooks: signed, retried, duplicated, reordered and held as asked.

use std::collections::BTreeSet;

use chrono::DateTime;
use psp_sandbox::webhook::signature;
use serde_json::json;

use crate::world::{WEBHOOK_SECRET, World};

#[tokio::test]
async fn a_webhook_bears_a_signature_over_its_very_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, intent) = world.pay("pm_card_visa").await;
    let received = world.merchant.wait_for(1).await.remove(0);
    assert_eq!(received.json()["data"]["object"], intent);
    assert_eq!(received.json()["type"], "payment_intent.succeeded");
    let seconds = received
        .signature
        .strip_prefix("t=")
        .unwrap()
        .split_once(',')
        .unwrap()
        .0;
    let at = DateTime::from_timestamp(seconds.parse().unwrap(), 0).unwrap();
    assert_eq!(
        received.signature,
        signature(WEBHOOK_SECRET, at, received.body.as_bytes())
    );
}

#[tokio::test]
async fn a_refused_webhook_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    world.settings(json!({"webhooks": {"retry_ms": 5}})).await;
    world.merchant.refuse_next(3);
    world.pay("pm_card_visa").await;
    world.merchant.wait_for(1).await;
    assert_eq!(world.merchant.kinds(), ["payment_intent.succeeded"]);
}

#[tokio::test]
async fn duplicates_share_their_id() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    world
        .settings(json!({"webhooks": {"duplicate": 1.0, "reorder": 1.0, "reorder_ms": 50}}))
        .await;
    for _ in 0..5 {
        world.pay("pm_card_visa").await;
    }
    let received = world.merchant.wait_for(10).await;
    let ids: BTreeSet<String> = received.iter().map(|r| r.json()["id"].to_string()).collect();
    assert_eq!((received.len(), ids.len()), (10, 5));
}

#[tokio::test]
async fn held_webhooks_wait_for_their_release() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    world.settings(json!({"webhooks": {"hold": true}})).await;
    world.pay("pm_card_visa").await;
    let (_, pending) = world.get("/_sandbox/webhooks").await;
    assert_eq!(pending[0]["type"], "payment_intent.succeeded");
    assert!(world.merchant.received().is_empty());
    world.settings(json!({"webhooks": {"hold": false}})).await;
    world.merchant.wait_for(1).await;
}

#[tokio::test]
async fn a_payment_can_be_forced_through() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, intent) = world.pay("pm_mercato_never").await;
    let path = format!(
        "/_sandbox/payment_intents/{}/succeed",
        intent["id"].as_str().unwrap()
    );
    let (status, _, forced) = world.post(&path, None, &[]).await;
    assert_eq!((status, forced["status"].as_str()), (200, Some("succeeded")));
    assert_eq!(world.post(&path, None, &[]).await.0, 400);
}

#[tokio::test]
async fn an_outage_does_nothing_and_a_mix_changes_what_a_good_card_does() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    world.settings(json!({"outage": true})).await;
    let request = world
        .request(http::Method::POST, "/v1/payment_intents")
        .form(&[("amount", "1")]);
    assert_eq!(request.send().await.unwrap().status(), 503);
    world
        .settings(json!({"outage": false, "mix": {"decline": 1}}))
        .await;
    assert_eq!(world.pay("pm_card_visa").await.0, 402);
    let bad = world
        .request(http::Method::PATCH, "/_sandbox/settings")
        .json(&json!({"mix": {"declin": 1}}));
    assert_eq!(bad.send().await.unwrap().status(), 400);
}
