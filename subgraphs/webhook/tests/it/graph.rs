//! The graph: administrators alone, pages, batches, secrets that are shown once.

use serde_json::{Value, json};
use test_kit::Statements;
use webhook::domain::address::Reach;

use crate::receiver::Manner;
use crate::stage::{CREATE, Stage, code, moved, placed};

const ROTATE: &str = "mutation($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) {
    endpoint { id } secret userErrors { code field } } }";
const TEST: &str = "mutation($input: SendTestWebhookInput!) { sendTestWebhook(input: $input) {
    delivery { id eventId eventType order { id } state } userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) {
    endpoint { url description eventTypes enabled } userErrors { code field } } }";
const DELETE: &str = "mutation($input: DeleteWebhookEndpointInput!) { deleteWebhookEndpoint(input: $input) {
    deletedId userErrors { code field } } }";
const REDELIVER: &str = "mutation($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
    delivery { id } userErrors { code } } }";

#[tokio::test]
async fn administrators_alone_see_and_change_anything() {
    let stage = Stage::new().await;
    let (id, secret) = stage.endpoint("hook").await;
    stage.hear(placed()).await;
    stage.send().await;
    let delivery = stage.receiver.received()[0].id().to_owned();
    let key = "a-key-of-mine";
    let questions = [
        ("{ webhookEndpoints { nodes { id url } } }", json!({})),
        (
            "query($id: ID!) { webhookEndpoint(id: $id) { url } }",
            json!({ "id": id }),
        ),
        (
            CREATE,
            json!({ "input": { "idempotencyKey": key, "url": "https://e.com", "eventTypes": ["ORDER_CREATED"] } }),
        ),
        (UPDATE, json!({ "input": { "id": id, "enabled": false } })),
        (ROTATE, json!({ "input": { "id": id, "idempotencyKey": key } })),
        (TEST, json!({ "input": { "id": id, "idempotencyKey": key } })),
        (REDELIVER, json!({ "input": { "deliveryId": delivery } })),
        (DELETE, json!({ "input": { "id": id } })),
    ];
    for (question, variables) in questions {
        for (token, refusal) in [
            (None, "UNAUTHENTICATED"),
            (Some(stage.own.as_str()), "FORBIDDEN"),
            (Some(stage.support.as_str()), "FORBIDDEN"),
        ] {
            let answer = stage.ask(token, question, variables.clone()).await;
            assert_eq!(code(&answer), refusal, "{question}");
            let said = answer.to_string();
            assert!(!said.contains("127.0.0.1") && !said.contains("whsec_"), "{said}");
        }
    }
    assert_eq!(stage.standing().await, (true, None));
    assert_eq!(stage.count("SELECT count(*) FROM secret").await, 1);
    assert_eq!(stage.count("SELECT count(*) FROM delivery").await, 1);
    assert_eq!(stage.delivery().await.0, "DELIVERED");
    // The database holds no secret that can be read.
    let kept: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM secret")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(secret.trim_start_matches("whsec_")));
}

#[tokio::test]
async fn an_endpoint_is_made_once_for_each_key() {
    let stage = Stage::new().await;
    let input = |key: &str, description: &str| {
        json!({
            "idempotencyKey": key, "url": stage.receiver.url("hook"), "description": description,
            "eventTypes": ["REFUND_COMPLETED", "ORDER_CREATED", "ORDER_CREATED"],
        })
    };
    let first = stage.admin(CREATE, input("first-key", "shop")).await;
    let made = &first["data"]["createWebhookEndpoint"];
    assert_eq!(
        made["endpoint"]["eventTypes"],
        json!(["ORDER_CREATED", "REFUND_COMPLETED"]),
        "{first}"
    );
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(stage.admin(CREATE, input("first-key", "shop")).await, first);
    let reused = stage.admin(CREATE, input("first-key", "other")).await;
    assert_eq!(
        reused["data"]["createWebhookEndpoint"]["userErrors"][0]["code"],
        "IDEMPOTENCY_KEY_REUSED"
    );
    let outcome: String = sqlx::query_scalar("SELECT response::text FROM idempotency_key")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert!(!outcome.contains("whsec_"), "{outcome}");
    // The key of somebody else is another key.
    let token = stage.other_admin();
    let other = stage
        .ask(
            Some(&token),
            CREATE,
            json!({ "input": input("first-key", "shop") }),
        )
        .await;
    assert_ne!(
        other["data"]["createWebhookEndpoint"]["endpoint"]["id"],
        made["endpoint"]["id"]
    );
    assert_eq!(stage.count("SELECT count(*) FROM endpoint").await, 2);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let stage = Stage::reaching(Reach::Public).await;
    for (url, refused) in [
        ("http://example.com/", true),
        ("https://10.0.0.7/", true),
        ("https://169.254.169.254/latest", true),
        ("https://u:p@example.com/", true),
        ("https://rabbitmq:15671/", true),
        ("nonsense", true),
        ("https://example.com/hook", false),
    ] {
        let input =
            json!({ "idempotencyKey": format!("key {url}"), "url": url, "eventTypes": ["ORDER_CREATED"] });
        let answer = stage.admin(CREATE, input).await;
        let errors = &answer["data"]["createWebhookEndpoint"]["userErrors"];
        if refused {
            assert_eq!(
                (&errors[0]["code"], &errors[0]["field"]),
                (&json!("URL_REFUSED"), &json!(["input", "url"])),
                "{url}: {answer}"
            );
        } else {
            assert_eq!(errors, &json!([]), "{url}");
        }
    }
    assert_eq!(stage.count("SELECT count(*) FROM endpoint").await, 1);
    let good = json!({ "idempotencyKey": "a good key", "url": "https://example.com", "eventTypes": ["ORDER_CREATED"] });
    for (field, value) in [
        ("idempotencyKey", json!("short")),
        ("idempotencyKey", json!("k".repeat(201))),
        ("eventTypes", json!([])),
        ("eventTypes", json!(["ORDER_LOST"])),
        ("description", json!("x".repeat(501))),
        ("description", json!("two\nlines")),
        ("description", json!("nul \u{0}")),
    ] {
        let mut input = good.clone();
        input[field] = value;
        assert_eq!(
            code(&stage.admin(CREATE, input).await),
            "BAD_USER_INPUT",
            "{field}"
        );
    }
    let unknown = contracts::WebhookEndpointId::generate().to_string();
    let key = "some-key-or-other";
    for (query, name, input) in [
        (
            UPDATE,
            "updateWebhookEndpoint",
            json!({ "id": unknown, "enabled": true }),
        ),
        (
            ROTATE,
            "rotateWebhookSecret",
            json!({ "id": unknown, "idempotencyKey": key }),
        ),
        (
            TEST,
            "sendTestWebhook",
            json!({ "id": unknown, "idempotencyKey": key }),
        ),
        (DELETE, "deleteWebhookEndpoint", json!({ "id": unknown })),
    ] {
        let answer = stage.admin(query, input).await;
        assert_eq!(
            answer["data"][name]["userErrors"],
            json!([{ "code": "NOT_FOUND", "field": ["input", "id"] }]),
            "{answer}"
        );
    }
    let unknown = contracts::WebhookDeliveryId::generate().to_string();
    let answer = stage.admin(REDELIVER, json!({ "deliveryId": unknown })).await;
    assert_eq!(
        answer["data"]["redeliverWebhook"]["userErrors"],
        json!([{ "code": "NOT_FOUND" }])
    );
    assert_eq!(
        code(&stage.admin(DELETE, json!({ "id": "ord_x" })).await),
        "BAD_USER_INPUT"
    );
}

#[tokio::test]
async fn an_old_secret_signs_beside_the_new_one_for_a_day() {
    let stage = Stage::new().await;
    let (id, old) = stage.endpoint("hook").await;
    let input = json!({ "id": id, "idempotencyKey": "rotate-1" });
    let answer = stage.admin(ROTATE, input.clone()).await;
    let new = answer["data"]["rotateWebhookSecret"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(old, new);
    assert_eq!(stage.admin(ROTATE, input).await, answer, "one rotation for a key");
    stage.hear(placed()).await;
    stage.send().await;
    let both = stage.receiver.received().remove(0);
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
    assert!(both.verified_by(&old) && both.verified_by(&new));
    stage
        .run("UPDATE secret SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL")
        .await;
    stage.hear(placed()).await;
    stage.send().await;
    let one = stage.receiver.received().remove(1);
    assert!(!one.verified_by(&old) && one.verified_by(&new));
    stage.app.prune().await.unwrap();
    assert_eq!(stage.count("SELECT count(*) FROM secret").await, 1);
    // Whoever asks again for what has expired is told so by its absence.
    let input = json!({
        "idempotencyKey": "make-endpoint-hook", "url": stage.receiver.url("hook"),
        "eventTypes": ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"],
    });
    let again = stage.admin(CREATE, input).await;
    let again = &again["data"]["createWebhookEndpoint"];
    assert_eq!(
        (&again["endpoint"]["id"], &again["secret"]),
        (&json!(id), &Value::Null)
    );
}

#[tokio::test]
async fn a_test_is_sent_like_any_event() {
    let stage = Stage::new().await;
    let (id, secret) = stage.endpoint("hook").await;
    let input = json!({ "id": id, "idempotencyKey": "test-once" });
    let answer = stage.admin(TEST, input.clone()).await;
    let delivery = &answer["data"]["sendTestWebhook"]["delivery"];
    assert_eq!(
        (&delivery["eventType"], &delivery["order"], &delivery["state"]),
        (&json!("webhook.test.v1"), &Value::Null, &json!("PENDING")),
        "{answer}"
    );
    stage.admin(TEST, input).await;
    assert_eq!(stage.send().await, 1);
    let sent = stage.receiver.received().remove(0);
    assert!(sent.verified_by(&secret));
    assert_eq!(
        (&sent.json()["type"], &sent.json()["data"]),
        (&json!("webhook.test.v1"), &json!({ "endpoint_id": id }))
    );
}

#[tokio::test]
async fn an_endpoint_is_changed_switched_off_and_forgotten() {
    let stage = Stage::new().await;
    let (id, _) = stage.endpoint("old").await;
    stage.hear(placed()).await;
    let input =
        json!({ "id": id, "enabled": false, "url": stage.receiver.url("new"), "description": "moved" });
    let answer = stage.admin(UPDATE, input).await;
    assert_eq!(
        answer["data"]["updateWebhookEndpoint"]["endpoint"],
        json!({
            "url": stage.receiver.url("new"), "description": "moved", "enabled": false,
            "eventTypes": ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"],
        })
    );
    assert_eq!(stage.send().await, 0, "what waits goes on waiting");
    stage.hear(placed()).await;
    let input = json!({ "id": id, "enabled": true, "eventTypes": ["REFUND_COMPLETED"] });
    stage.admin(UPDATE, input).await;
    stage.hear(placed()).await;
    assert_eq!(stage.send().await, 1);
    assert_eq!(
        (stage.receiver.at("old").len(), stage.receiver.at("new").len()),
        (0, 1)
    );
    let answer = stage.admin(DELETE, json!({ "id": id })).await;
    assert_eq!(answer["data"]["deleteWebhookEndpoint"]["deletedId"], json!(id));
    for table in [
        "SELECT count(*) FROM endpoint",
        "SELECT count(*) FROM delivery",
        "SELECT count(*) FROM secret",
    ] {
        assert_eq!(stage.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_in_one_statement() {
    const PAGE: &str = "query($after: String, $state: WebhookDeliveryState) { webhookEndpoints { nodes {
        url deliveries(first: 3, after: $after, state: $state) {
            edges { cursor node { id eventType order { id } state attempts lastStatus lastError endedAt nextTryAt } }
            pageInfo { hasNextPage endCursor } } } } }";
    let stage = Stage::new().await;
    for path in ["one", "two", "three"] {
        stage.endpoint_for(path, &["ORDER_STATUS_CHANGED"]).await;
    }
    for _ in 0..5 {
        stage.hear(moved()).await;
    }
    stage.receiver.set("two", Manner::status(500));
    while stage.send().await > 0 {}
    let statements = Statements::counted();
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        statements.taken();
        let variables = json!({ "after": after, "state": null });
        let answer = stage.ask(Some(&stage.admin), PAGE, variables).await;
        assert_eq!(statements.taken(), 2, "{answer}");
        // The cursor of one list: the other two end up empty or shorter, and none of it fails.
        let list = answer["data"]["webhookEndpoints"]["nodes"][0]["deliveries"].clone();
        let edges = list["edges"].as_array().unwrap();
        seen.extend(
            edges
                .iter()
                .map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()),
        );
        after = list["pageInfo"]["endCursor"].clone();
        if list["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (5, &sorted), "newest first, each once");
    let variables = json!({ "after": null, "state": "PENDING" });
    let answer = stage.ask(Some(&stage.admin), PAGE, variables).await;
    let nodes = &answer["data"]["webhookEndpoints"]["nodes"];
    let sizes: Vec<_> = (0..3)
        .map(|at| nodes[at]["deliveries"]["edges"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [0, 3, 0], "{answer}");
    let node = &nodes[1]["deliveries"]["edges"][0]["node"];
    assert_eq!(
        (&node["lastStatus"], &node["lastError"], &node["endedAt"]),
        (&json!(500), &json!("answered 500"), &Value::Null)
    );
    assert!(node["nextTryAt"].is_string() && node["order"]["id"].is_string());
    let variables = json!({ "after": "nonsense", "state": null });
    assert_eq!(
        code(&stage.ask(Some(&stage.admin), PAGE, variables).await),
        "BAD_USER_INPUT"
    );
}
