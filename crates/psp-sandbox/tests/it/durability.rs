//! What was answered survives a crash.

use std::io::Write;
use std::time::Duration;

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_lost_answer_is_repeated_to_the_same_key_even_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("payment_method", "pm_mercato_timeoutThenOk"),
        ("confirm", "true"),
    ];
    {
        let world = World::start(folder.path()).await;
        let request = world
            .request(http::Method::POST, "/v1/payment_intents")
            .form(&form);
        let request = request
            .header("idempotency-key", "k1")
            .timeout(Duration::from_millis(200));
        assert!(request.send().await.unwrap_err().is_timeout());
        world.merchant.wait_for(1).await;
    }
    let world = World::start(folder.path()).await;
    let (status, replayed, intent) = world.post("/v1/payment_intents", Some("k1"), &form).await;
    assert_eq!(
        (status, replayed, intent["status"].as_str()),
        (200, true, Some("succeeded"))
    );
    let (_, totals) = world.get("/_sandbox/totals").await;
    assert_eq!(totals["captured_minor"], json!({"usd": 100}));
}

#[tokio::test]
async fn a_torn_last_line_is_dropped_and_the_rest_kept() {
    let folder = tempfile::tempdir().unwrap();
    let paid = World::start(folder.path()).await.pay("pm_card_visa").await.1;
    let journal = folder.path().join("journal.ndjson");
    let mut file = std::fs::OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(br#"[{"intent":{"id":"pi_torn""#).unwrap();
    drop(file);
    for _ in 0..2 {
        let world = World::start(folder.path()).await;
        let (_, list) = world.get("/v1/payment_intents").await;
        assert_eq!(list["data"], json!([paid]));
    }
}

#[tokio::test]
async fn what_was_due_while_it_was_down_happens_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    {
        let world = World::start(folder.path()).await;
        world
            .settings(json!({"webhooks": {"hold": true}, "slow_ms": 1}))
            .await;
        assert_eq!(world.pay("pm_mercato_slow").await.1["status"], "processing");
    }
    let world = World::start(folder.path()).await;
    world.settings(json!({"webhooks": {"hold": false}})).await;
    world.merchant.wait_for(2).await;
    assert_eq!(
        world.get("/_sandbox/totals").await.1["intents"],
        json!({"succeeded": 1})
    );
    assert_eq!(world.get("/_sandbox/settings").await.1["slow_ms"], 1);
}
