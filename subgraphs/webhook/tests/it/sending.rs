//! Sending: once if all goes well, again if it must, given up at the end, and always under the same webhook-id.

use std::time::Duration;

use contracts::EventId;
use serde_json::json;
use webhook::domain::address::Reach;
use webhook::domain::attempt::SCHEDULE;

use crate::receiver::Manner;
use crate::stage::{Stage, moved, placed, refunded};

#[tokio::test]
async fn only_who_asks_is_told_and_a_repeat_tells_nobody_again() {
    let stage = Stage::new().await;
    stage.endpoint_for("orders", &["ORDER_CREATED"]).await;
    stage
        .endpoint_for("both", &["ORDER_CREATED", "REFUND_COMPLETED"])
        .await;
    let (id, order) = (EventId::generate(), placed());
    for _ in 0..3 {
        stage.hear_as(id, order.clone()).await;
    }
    stage.hear(refunded()).await;
    stage.hear(moved()).await;
    while stage.send().await > 0 {}
    let at = |path: &str| stage.receiver.at(path);
    assert_eq!((at("orders").len(), at("both").len()), (1, 2));
    assert_ne!(
        at("orders")[0].id(),
        at("both")[0].id(),
        "an id for each endpoint"
    );
    assert_eq!(
        stage.count("SELECT count(*) FROM payload").await,
        2,
        "what nobody wants is not kept"
    );
    stage.hear_as(id, order).await;
    assert_eq!(stage.send().await, 0);
}

#[tokio::test]
async fn what_fails_is_tried_again_under_the_same_id_with_the_same_body() {
    let stage = Stage::new().await;
    let (_, secret) = stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set(
        "hook",
        Manner {
            status: Some(500),
            says: "no\r\nway".to_owned(),
            ..Manner::default()
        },
    );
    assert_eq!(stage.send().await, 1);
    let (state, attempts, status, reason) = stage.delivery().await;
    assert_eq!((state.as_str(), attempts, status), ("PENDING", 1, Some(500)));
    assert_eq!(reason.as_deref(), Some("answered 500: no  way"));
    let wait = stage.wait_s().await;
    assert!((3.0..=6.1).contains(&wait), "{wait}");
    assert_eq!(stage.send().await, 0, "not before its time");
    stage.later().await;
    stage.receiver.set("hook", Manner::status(202));
    assert_eq!(stage.send().await, 1);
    assert_eq!(
        stage.delivery().await,
        ("DELIVERED".to_owned(), 2, Some(202), None)
    );
    let received = stage.receiver.at("hook");
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].id(), received[1].id());
    assert_eq!(received[0].body, received[1].body);
    assert!(received.iter().all(|each| each.verified_by(&secret)));
    assert!(!received[0].verified_by("whsec_AAAA"));
}

#[tokio::test]
async fn every_delivery_has_an_end_and_a_person_may_begin_it_again() {
    const REDELIVER: &str = "mutation($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
        delivery { id state attempts nextTryAt endedAt } userErrors { code field } } }";
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set("hook", Manner::status(503));
    for tries in 1..=SCHEDULE.len() + 1 {
        assert_eq!(stage.send().await, 1, "try {tries}");
        stage.later().await;
    }
    let (state, attempts, _, reason) = stage.delivery().await;
    assert_eq!((state.as_str(), attempts, stage.send().await), ("DEAD", 10, 0));
    assert_eq!(reason.unwrap(), "given up after 10 tries: answered 503");
    assert_eq!(
        stage.standing().await,
        (true, None),
        "one bad hour is not five days"
    );

    let id = stage.receiver.received()[0].id().to_owned();
    stage.receiver.set("hook", Manner::default());
    for again in 0..2 {
        let answer = stage.admin(REDELIVER, json!({ "deliveryId": id })).await;
        let payload = &answer["data"]["redeliverWebhook"];
        assert_eq!(
            (&payload["delivery"]["state"], &payload["delivery"]["attempts"]),
            (&json!("PENDING"), &json!(0)),
            "{answer}"
        );
        let waits = stage.admin(REDELIVER, json!({ "deliveryId": id })).await;
        assert_eq!(
            waits["data"]["redeliverWebhook"]["userErrors"],
            json!([{ "code": "INVALID_STATE", "field": ["input", "deliveryId"] }])
        );
        assert_eq!(stage.send().await, 1);
        assert_eq!(
            stage.delivery().await.0,
            "DELIVERED",
            "a dead one, then a delivered one: {again}"
        );
    }
    let received = stage.receiver.received();
    assert_eq!(received.len(), 12);
    assert!(received.iter().all(|each| each.id() == id));
}

#[tokio::test]
async fn whoever_answers_410_wants_nothing_any_more() {
    let stage = Stage::new().await;
    let (id, _) = stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set("hook", Manner::status(410));
    assert_eq!(stage.send().await, 1);
    let (state, _, status, _) = stage.delivery().await;
    assert_eq!((state.as_str(), status), ("DEAD", Some(410)));
    let (enabled, reason) = stage.standing().await;
    assert!(!enabled && reason.unwrap().contains("410"));
    stage.hear(placed()).await;
    assert_eq!(
        stage.count("SELECT count(*) FROM delivery").await,
        1,
        "nothing more"
    );
    let on = "mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) {
        endpoint { enabled disabledReason } } }";
    let answer = stage.admin(on, json!({ "id": id, "enabled": true })).await;
    assert_eq!(
        answer["data"]["updateWebhookEndpoint"]["endpoint"],
        json!({ "enabled": true, "disabledReason": null })
    );
    stage.hear(placed()).await;
    assert_eq!(stage.count("SELECT count(*) FROM delivery").await, 2);
}

#[tokio::test]
async fn whoever_fails_for_days_is_switched_off() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.receiver.set("hook", Manner::status(500));
    stage.hear(placed()).await;
    stage.send().await;
    stage
        .run("UPDATE endpoint SET failing_since = now() - interval '5 days 1 minute'")
        .await;
    stage.run("UPDATE delivery SET attempts = 9").await;
    stage.later().await;
    // One that works in between clears the record.
    stage.receiver.set("hook", Manner::default());
    stage.hear(placed()).await;
    stage
        .run("UPDATE delivery SET next_try_at = now() + interval '1 hour' WHERE attempts = 9")
        .await;
    stage.send().await;
    assert_eq!(
        stage
            .count("SELECT count(*) FROM endpoint WHERE failing_since IS NULL")
            .await,
        1
    );
    stage.receiver.set("hook", Manner::status(500));
    stage.later().await;
    stage.send().await;
    assert_eq!(stage.standing().await, (true, None));
    stage.hear(placed()).await;
    stage
        .run("UPDATE endpoint SET failing_since = now() - interval '5 days 1 minute'")
        .await;
    stage
        .run("UPDATE delivery SET attempts = 9 WHERE state = 'PENDING'")
        .await;
    stage.later().await;
    stage.send().await;
    let (enabled, reason) = stage.standing().await;
    assert!(!enabled && reason.unwrap().contains("days"));
}

#[tokio::test]
async fn an_endpoint_may_ask_for_more_time() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    for (asked, least, most) in [("900", 895.0, 901.0), ("9999999", 86_000.0, 104_000.0)] {
        stage.receiver.set(
            "hook",
            Manner {
                status: Some(429),
                retry_after: Some(asked),
                ..Manner::default()
            },
        );
        stage.run("UPDATE delivery SET attempts = 0").await;
        stage.later().await;
        assert_eq!(stage.send().await, 1);
        let wait = stage.wait_s().await;
        assert!((least..=most).contains(&wait), "{asked}: {wait}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_long_answer_is_cut() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set(
        "hook",
        Manner {
            status: Some(307),
            location: Some(stage.receiver.url("elsewhere")),
            says: "x".repeat(100_000),
            ..Manner::default()
        },
    );
    assert_eq!(stage.send().await, 1);
    assert_eq!(stage.receiver.at("elsewhere").len(), 0);
    let (state, _, status, reason) = stage.delivery().await;
    assert_eq!((state.as_str(), status), ("PENDING", Some(307)));
    assert!(reason.unwrap().len() < 1_100);
}

#[tokio::test]
async fn whoever_is_away_or_slow_is_tried_again() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set(
        "hook",
        Manner {
            takes: Duration::from_secs(5),
            ..Manner::default()
        },
    );
    assert_eq!(stage.send().await, 1);
    let (state, _, status, reason) = stage.delivery().await;
    assert_eq!(
        (state.as_str(), status, reason.as_deref()),
        ("PENDING", None, Some("took too long"))
    );
    // Port 1 answers nobody.
    stage
        .run("UPDATE endpoint SET url = 'http://127.0.0.1:1/secret-path'")
        .await;
    stage.later().await;
    assert_eq!(stage.send().await, 1);
    let (state, _, _, reason) = stage.delivery().await;
    let reason = reason.unwrap();
    assert_eq!(state, "PENDING");
    assert!(
        reason.starts_with("could not be reached") && !reason.contains("secret-path"),
        "{reason}"
    );
}

/// What HTTP can't promise: the endpoint has the event, and we don't know. It knows the second by its id.
#[tokio::test]
async fn a_crash_before_the_outcome_sends_twice_under_one_id() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.send().await;
    // We die after the endpoint's word and before our commit: the claim stands, the outcome does not.
    stage
        .run("UPDATE delivery SET state = 'PENDING', ended_at = NULL, lease_until = now() + interval '1 minute'")
        .await;
    let other = stage.replica();
    assert_eq!(other.send_due().await.unwrap(), 0, "the lease holds");
    stage.later().await;
    assert_eq!(other.send_due().await.unwrap(), 1);
    let received = stage.receiver.at("hook");
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].id(), received[1].id());
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(stage.delivery().await.0, "DELIVERED");
}

#[tokio::test]
async fn the_outcome_is_of_whoever_claimed_last() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.receiver.set(
        "hook",
        Manner {
            takes: Duration::from_millis(300),
            status: Some(500),
            ..Manner::default()
        },
    );
    let slow = stage.app.clone();
    let slow = tokio::spawn(async move { slow.send_due().await.unwrap() });
    while stage.receiver.at("hook").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Its lease ends while it waits for the answer, and another takes over.
    stage.later().await;
    stage.receiver.set("hook", Manner::default());
    assert_eq!(stage.replica().send_due().await.unwrap(), 1);
    assert_eq!(slow.await.unwrap(), 1);
    let (state, attempts, status, reason) = stage.delivery().await;
    assert_eq!(
        (state.as_str(), attempts, status, reason),
        ("DELIVERED", 2, Some(204), None)
    );
}

#[tokio::test]
async fn two_replicas_share_the_work() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    for _ in 0..20 {
        stage.hear(placed()).await;
    }
    let other = stage.replica();
    for _ in 0..40 {
        let (one, two) = tokio::join!(stage.app.send_due(), other.send_due());
        if one.unwrap() + two.unwrap() == 0 {
            break;
        }
    }
    let mut ids: Vec<_> = stage
        .receiver
        .received()
        .iter()
        .map(|each| each.id().to_owned())
        .collect();
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

/// The address is judged when it is called, whatever it was when it was written down.
#[tokio::test]
async fn nothing_inside_is_ever_called() {
    let stage = Stage::reaching(Reach::Public).await;
    stage
        .run(
            "INSERT INTO endpoint (id, url, description, event_types, created_at)
             VALUES (gen_random_uuid(), 'https://example.com', '', ARRAY['order.created.v1'], now())",
        )
        .await;
    stage.hear(placed()).await;
    let port = stage.receiver.url("hook").replace("http://127.0.0.1", "");
    sqlx::query(
        "INSERT INTO secret (id, endpoint_id, sealed, created_at) SELECT $1, id, $2, now() FROM endpoint",
    )
    .bind(uuid::Uuid::from_u128(1))
    .bind(b"unreadable".as_slice())
    .execute(&stage.db.pool)
    .await
    .unwrap();
    // What can't be opened is not sent unsigned either.
    stage.send().await;
    assert!(stage.delivery().await.3.unwrap().contains("WEBHOOK_KEY"));
    stage.run("DELETE FROM secret").await;
    let (id, _): (uuid::Uuid, i64) = sqlx::query_as("SELECT id, 1::bigint FROM endpoint")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    let rotate =
        "mutation($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }";
    let id = contracts::WebhookEndpointId::from_uuid(id).to_string();
    let made = stage
        .admin(rotate, json!({ "id": id, "idempotencyKey": "rotate-now" }))
        .await;
    assert!(
        made["data"]["rotateWebhookSecret"]["secret"].is_string(),
        "{made}"
    );
    for (url, reason) in [
        (format!("https://127.0.0.1{port}"), "public address"),
        (format!("http://127.0.0.1{port}"), "https"),
        (format!("https://[::1]{port}"), "public address"),
        (format!("https://localhost{port}"), "public address"),
        // Names that resolve to the inside: the resolver is asked, and refuses.
        (
            format!("https://localhost.localdomain{port}"),
            "could not be reached",
        ),
    ] {
        sqlx::query("UPDATE endpoint SET url = $1")
            .bind(&url)
            .execute(&stage.db.pool)
            .await
            .unwrap();
        stage.later().await;
        assert_eq!(stage.send().await, 1, "{url}");
        let said = stage.delivery().await.3.unwrap();
        assert!(said.contains(reason), "{url}: {said}");
    }
    assert_eq!(stage.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_is_old_is_forgotten() {
    let stage = Stage::new().await;
    stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.send().await;
    stage.hear(moved()).await;
    assert_eq!(stage.app.prune().await.unwrap(), (0, 0));
    stage
        .run("UPDATE delivery SET created_at = now() - interval '31 days'")
        .await;
    stage
        .run("UPDATE payload SET created_at = now() - interval '31 days'")
        .await;
    assert_eq!(stage.app.prune().await.unwrap(), (1, 1), "what waits stays");
    stage.run("UPDATE endpoint SET enabled = false").await;
    assert_eq!(stage.app.prune().await.unwrap(), (1, 1), "not for ever");
}
