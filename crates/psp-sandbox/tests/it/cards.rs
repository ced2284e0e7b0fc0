//! Payment methods, refunds, keys and refusals.

use serde_json::json;

use crate::world::World;

const PAYMENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_good_card_pays() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (status, intent) = world.pay("pm_card_visa").await;
    assert_eq!((status, intent["status"].as_str()), (200, Some("succeeded")));
    assert_eq!(intent["amount_received"], 1999);
    assert_eq!(intent["metadata"], json!({"order_id": "ord_1"}));
    let (_, shown) = world
        .get(&format!("{PAYMENTS}/{}", intent["id"].as_str().unwrap()))
        .await;
    assert_eq!(shown, intent);
    let (_, found) = world
        .get("/v1/payment_intents/search?query=metadata['order_id']:'ord_1'")
        .await;
    assert_eq!(found["data"][0], intent);
    let (_, none) = world
        .get("/v1/payment_intents/search?query=metadata['order_id']:'ord_2'")
        .await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn bad_cards_are_declined_with_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for (method, code) in [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_insufficientFunds", "insufficient_funds"),
    ] {
        let (status, body) = world.pay(method).await;
        assert_eq!(
            (status, body["error"]["decline_code"].as_str()),
            (402, Some(code))
        );
        assert_eq!(body["error"]["type"], "card_error");
        assert_eq!(
            body["error"]["payment_intent"]["status"],
            "requires_payment_method"
        );
    }
    let (_, totals) = world.get("/_sandbox/totals").await;
    assert_eq!(totals["captured_minor"], json!({"usd": 0}));
}

#[tokio::test]
async fn two_steps_work_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, _, intent) = world
        .post(PAYMENTS, None, &[("amount", "5"), ("currency", "EUR")])
        .await;
    assert_eq!(intent["status"], "requires_payment_method");
    let confirm = format!("{PAYMENTS}/{}/confirm", intent["id"].as_str().unwrap());
    let (status, _, _) = world.post(&confirm, None, &[]).await;
    assert_eq!(status, 400);
    let (_, _, intent) = world
        .post(&confirm, None, &[("payment_method", "pm_card_visa")])
        .await;
    assert_eq!(intent["status"], "succeeded");
    let (status, _, body) = world
        .post(&confirm, None, &[("payment_method", "pm_card_visa")])
        .await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (400, Some("payment_intent_unexpected_state"))
    );
}

#[tokio::test]
async fn slow_succeeds_later_and_never_waits_for_a_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, slow) = world.pay("pm_mercato_slow").await;
    let (_, never) = world.pay("pm_mercato_never").await;
    assert_eq!(
        (&slow["status"], &never["status"]),
        (&json!("processing"), &json!("processing"))
    );
    world.merchant.wait_for(3).await;
    let (_, shown) = world
        .get(&format!("{PAYMENTS}/{}", slow["id"].as_str().unwrap()))
        .await;
    assert_eq!(shown["status"], "succeeded");
    let cancel = format!("{PAYMENTS}/{}/cancel", never["id"].as_str().unwrap());
    let (_, _, cancelled) = world
        .post(&cancel, None, &[("cancellation_reason", "abandoned")])
        .await;
    assert_eq!(cancelled["status"], "canceled");
    let cancel = format!("{PAYMENTS}/{}/cancel", slow["id"].as_str().unwrap());
    let (status, _, refused) = world.post(&cancel, None, &[]).await;
    assert_eq!(
        (status, &refused["error"]["payment_intent"]["status"]),
        (400, &json!("succeeded"))
    );
}

#[tokio::test]
async fn late_success_takes_the_money_after_the_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, intent) = world.pay("pm_mercato_lateSuccess").await;
    let path = format!("{PAYMENTS}/{}", intent["id"].as_str().unwrap());
    let (_, _, cancelled) = world.post(&format!("{path}/cancel"), None, &[]).await;
    assert_eq!(cancelled["status"], "canceled");
    world.merchant.wait_for(3).await;
    let kinds = [
        "payment_intent.processing",
        "payment_intent.canceled",
        "payment_intent.succeeded",
    ];
    assert_eq!(world.merchant.kinds(), kinds);
    assert_eq!(world.get(&path).await.1["status"], "succeeded");
}

#[tokio::test]
async fn money_still_to_come_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    world.settings(json!({"late_ms": 60_000})).await;
    let (_, intent) = world.pay("pm_mercato_lateSuccess").await;
    assert_eq!(world.get("/_sandbox/totals").await.1["intents_due"], 0);
    let cancel = format!("{PAYMENTS}/{}/cancel", intent["id"].as_str().unwrap());
    world.post(&cancel, None, &[]).await;
    assert_eq!(world.get("/_sandbox/totals").await.1["intents_due"], 1);
}

#[tokio::test]
async fn a_key_gives_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
    ];
    let (_, replayed, first) = world.post(PAYMENTS, Some("k1"), &form).await;
    assert!(!replayed);
    let (_, replayed, second) = world.post(PAYMENTS, Some("k1"), &form).await;
    assert!(replayed);
    assert_eq!(first, second);
    let other = [("amount", "101"), ("currency", "usd")];
    let (status, _, refused) = world.post(PAYMENTS, Some("k1"), &other).await;
    assert_eq!(
        (status, refused["error"]["type"].as_str()),
        (400, Some("idempotency_error"))
    );
    let (_, totals) = world.get("/_sandbox/totals").await;
    assert_eq!(totals["intents"], json!({"succeeded": 1}));
}

#[tokio::test]
async fn a_declined_key_declines_again_and_a_refused_request_frees_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let form = [
        ("amount", "1"),
        ("currency", "usd"),
        ("payment_method", "pm_card_chargeDeclined"),
        ("confirm", "true"),
    ];
    let (first, _, _) = world.post(PAYMENTS, Some("k1"), &form).await;
    let (again, replayed, _) = world.post(PAYMENTS, Some("k1"), &form).await;
    assert_eq!((first, again, replayed), (402, 402, true));
    let (status, _, _) = world
        .post(PAYMENTS, Some("k2"), &[("amount", "0"), ("currency", "usd")])
        .await;
    assert_eq!(status, 400);
    let (status, _, _) = world
        .post(PAYMENTS, Some("k2"), &[("amount", "1"), ("currency", "usd")])
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn refunds_never_exceed_what_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (_, intent) = world.pay("pm_card_visa").await;
    let id = intent["id"].as_str().unwrap();
    let part = [
        ("payment_intent", id),
        ("amount", "999"),
        ("metadata[refund_id]", "rfd_1"),
    ];
    let (_, _, refund) = world.post("/v1/refunds", Some("r1"), &part).await;
    assert_eq!(
        (refund["status"].as_str(), refund["amount"].as_i64()),
        (Some("succeeded"), Some(999))
    );
    let (_, shown) = world
        .get(&format!("/v1/refunds/{}", refund["id"].as_str().unwrap()))
        .await;
    assert_eq!(shown, refund);
    let much = [("payment_intent", id), ("amount", "1001")];
    assert_eq!(world.post("/v1/refunds", None, &much).await.0, 400);
    let (_, _, rest) = world.post("/v1/refunds", None, &[("payment_intent", id)]).await;
    assert_eq!(rest["amount"], 1000);
    let (_, _, none) = world.post("/v1/refunds", None, &[("payment_intent", id)]).await;
    assert_eq!(none["error"]["code"], "charge_already_refunded");
    let (_, charges) = world.get("/_sandbox/charges").await;
    assert_eq!(
        (&charges[0]["refunded_minor"], &charges[0]["refunds"]),
        (&json!(1999), &json!(2))
    );
}

#[tokio::test]
async fn pending_refunds_end_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for (method, end) in [
        ("pm_card_pendingRefund", "succeeded"),
        ("pm_card_refundFail", "failed"),
    ] {
        let before = world.merchant.received().len();
        let (_, intent) = world.pay(method).await;
        let form = [("payment_intent", intent["id"].as_str().unwrap())];
        let (_, _, refund) = world.post("/v1/refunds", None, &form).await;
        assert_eq!(refund["status"], "pending");
        world.merchant.wait_for(before + 3).await;
        let (_, shown) = world
            .get(&format!("/v1/refunds/{}", refund["id"].as_str().unwrap()))
            .await;
        assert_eq!(shown["status"], end);
    }
    let (_, totals) = world.get("/_sandbox/totals").await;
    assert_eq!(totals["refunded_minor"], json!({"usd": 1999}));
}

#[tokio::test]
async fn only_the_key_opens() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    for path in ["/v1/payment_intents", "/_sandbox/totals"] {
        let url = world.base.join(path).unwrap();
        assert_eq!(world.http.get(url.clone()).send().await.unwrap().status(), 401);
        let wrong = world.http.get(url.clone()).bearer_auth("sk_test_other");
        assert_eq!(wrong.send().await.unwrap().status(), 401);
        let basic = world.http.get(url).basic_auth(crate::world::KEY, Some(""));
        assert_eq!(basic.send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("currency", "usd")], "amount"),
        (&[("amount", "1")], "currency"),
        (&[("amount", "1"), ("currency", "dollars")], "currency"),
        (&[("amount", "1.5"), ("currency", "usd")], "amount"),
        (
            &[
                ("amount", "1"),
                ("currency", "usd"),
                ("payment_method", "4242424242424242"),
            ],
            "payment_method",
        ),
    ];
    for (form, param) in cases {
        let (status, _, body) = world.post(PAYMENTS, None, form).await;
        assert_eq!(
            (status, body["error"]["param"].as_str()),
            (400, Some(param)),
            "{form:?}"
        );
    }
    assert_eq!(world.get("/v1/payment_intents/pi_none").await.0, 404);
    assert_eq!(world.get("/v1/nonsense").await.0, 404);
    assert_eq!(world.get("/_sandbox/totals").await.1["intents"], json!({}));
}
