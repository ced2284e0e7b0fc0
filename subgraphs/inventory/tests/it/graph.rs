//! The graph: availability for everybody, levels and changes for staff.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::UserId;
use serde_json::{Value, json};
use service_auth::Role;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::stage::Stage;

const ENTITIES: &str = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant {
    id availability { status maxOrderQuantity asOf } shippingEstimate(countryCode: \"US\") { amount currencyCode } } } }";
const ADJUST: &str = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) {
    level { received available reserved sold } userErrors { code message field } } }";
const IMPORT: &str = "mutation($input: ImportStockInput!) { importStock(input: $input) {
    raised unchanged userErrors { code field } } }";

fn variant(sku: Option<&str>, grams: Option<i32>) -> Value {
    json!({"__typename": "ProductVariant", "id": format!("var_{}", sku.unwrap_or_default()), "sku": sku, "weightGrams": grams})
}

#[tokio::test]
async fn availability_is_for_everybody() {
    let stage = Stage::new().await;
    stage.receive("MANY", 500).await;
    stage.receive("FEW", 3).await;
    let representations = json!([
        variant(Some("MANY"), Some(1500)),
        variant(Some("FEW"), None),
        variant(Some("NONE"), Some(1))
    ]);
    let answer = test_kit::graphql(&stage.graphql, None, ENTITIES, json!({"r": representations})).await;
    let entities = &answer["data"]["_entities"];
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    for (n, status, most) in [(0, "IN_STOCK", 99), (1, "LOW_STOCK", 3), (2, "OUT_OF_STOCK", 0)] {
        assert_eq!(entities[n]["availability"]["status"], status);
        assert_eq!(entities[n]["availability"]["maxOrderQuantity"], most);
    }
    assert_eq!(
        entities[0]["shippingEstimate"],
        json!({"amount": "7.99", "currencyCode": "USD"})
    );
    assert_eq!(entities[1]["shippingEstimate"], Value::Null);
}

/// A pool that counts how often a connection is taken: `levels` takes one for its one statement.
async fn counting_pool(url: &str) -> (PgPool, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let options = PgPoolOptions::new()
        .max_connections(1)
        .before_acquire(move |_, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(true) })
        });
    (options.connect(url).await.unwrap(), taken)
}

#[tokio::test]
async fn a_hundred_variants_are_one_statement() {
    let stage = Stage::new().await;
    let (pool, taken) = counting_pool(&stage.db.url).await;
    let graphql = stage.graphql_over(&pool);
    let representations: Vec<_> = (0..100)
        .map(|n| variant(Some(&format!("SKU-{n}")), None))
        .collect();
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { availability { status } } } }";
    let before = taken.load(Ordering::SeqCst);
    let answer = test_kit::graphql(&graphql, None, query, json!({"r": representations})).await;
    assert_eq!(
        answer["data"]["_entities"].as_array().unwrap().len(),
        100,
        "{answer}"
    );
    assert_eq!(taken.load(Ordering::SeqCst) - before, 1);
}

#[tokio::test]
async fn one_bad_representation_spoils_only_itself() {
    let stage = Stage::new().await;
    stage.receive("MANY", 500).await;
    let representations = json!([
        variant(None, None),
        variant(Some("MANY"), None),
        variant(Some("\u{0}"), None)
    ]);
    let answer = test_kit::graphql(&stage.graphql, None, ENTITIES, json!({"r": representations})).await;
    let entities = &answer["data"]["_entities"];
    assert_eq!(entities[0]["availability"], Value::Null);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(entities[1]["availability"]["status"], "IN_STOCK");
    assert_eq!(entities[2]["availability"]["status"], "OUT_OF_STOCK");
}

#[tokio::test]
async fn levels_and_movements_are_for_staff() {
    let stage = Stage::new().await;
    stage.receive("A", 7).await;
    let level = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { stockLevel { received available reserved sold } } } }";
    let moves = "{ stockMovements(sku: \"A\") { nodes { kind quantity reason orderId } } }";
    let representations = json!({"r": [variant(Some("A"), None)]});
    let token = |roles: &[Role]| stage.identity.user_token(UserId::generate(), roles);
    for (roles, code) in [
        (None, "UNAUTHENTICATED"),
        (Some(token(&[Role::Customer])), "FORBIDDEN"),
    ] {
        for (query, variables) in [(level, representations.clone()), (moves, json!({}))] {
            let answer = test_kit::graphql(&stage.graphql, roles.as_deref(), query, variables).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        }
    }
    let support = token(&[Role::Support]);
    let answer = test_kit::graphql(&stage.graphql, Some(&support), level, representations).await;
    assert_eq!(
        answer["data"]["_entities"][0]["stockLevel"],
        json!({"received": 7, "available": 7, "reserved": 0, "sold": 0})
    );
    let answer = test_kit::graphql(&stage.graphql, Some(&support), moves, json!({})).await;
    assert_eq!(
        answer["data"]["stockMovements"]["nodes"],
        json!([{"kind": "RECEIVE", "quantity": 7, "reason": "delivery", "orderId": null}])
    );
    let input = json!({"input": {"sku": "A", "delta": 1, "reason": "x", "idempotencyKey": "k"}});
    let answer = test_kit::graphql(&stage.graphql, Some(&support), ADJUST, input).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(stage.level("A").await, (7, 7, 0, 0));
}

async fn adjust(stage: &Stage, sku: &str, delta: i32, key: &str) -> Value {
    let input = json!({"sku": sku, "delta": delta, "reason": "count", "idempotencyKey": key});
    stage.as_admin(ADJUST, json!({"input": input})).await
}

#[tokio::test]
async fn stock_is_adjusted_once_per_key() {
    let stage = Stage::new().await;
    let first = adjust(&stage, "A", 10, "k1").await;
    assert_eq!(first["data"]["adjustStock"]["level"]["available"], 10);
    assert_eq!(adjust(&stage, "A", 10, "k1").await, first);
    assert_eq!(
        adjust(&stage, "A", -4, "k2").await["data"]["adjustStock"]["level"]["received"],
        6
    );
    let refused = |answer: Value| answer["data"]["adjustStock"]["userErrors"][0]["code"].clone();
    assert_eq!(
        refused(adjust(&stage, "A", 11, "k1").await),
        "IDEMPOTENCY_KEY_REUSED"
    );
    assert_eq!(refused(adjust(&stage, "A", -7, "k3").await), "INSUFFICIENT_STOCK");
    assert_eq!(refused(adjust(&stage, "B", -1, "k4").await), "UNKNOWN_SKU");
    adjust(&stage, "A", 100, "k5").await;
    assert_eq!(
        refused(adjust(&stage, "A", -7, "k3").await),
        "INSUFFICIENT_STOCK",
        "the outcome of the first time"
    );
    assert_eq!(stage.level("A").await, (106, 106, 0, 0));
    for (sku, delta, key) in [
        ("A", 0, "k6"),
        ("A", 1_000_001, "k6"),
        ("a b", 1, "k6"),
        ("A", i32::MIN, "k6"),
        ("A", 1, ""),
    ] {
        let answer = adjust(&stage, sku, delta, key).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{sku} {delta} {answer}"
        );
    }
    stage.audit().await;
}

#[tokio::test]
async fn an_import_can_be_run_again() {
    let stage = Stage::new().await;
    stage.receive("A", 10).await;
    let lines = json!([{"sku": "B", "quantity": 4}, {"sku": "A", "quantity": 15}, {"sku": "C", "quantity": 0}, {"sku": "B", "quantity": 3}]);
    let run = async |key: &str| {
        stage
            .as_admin(IMPORT, json!({"input": {"lines": lines, "idempotencyKey": key}}))
            .await
    };
    let first = run("one").await;
    assert_eq!(
        first["data"]["importStock"],
        json!({"raised": 2, "unchanged": 1, "userErrors": []}),
        "{first}"
    );
    assert_eq!(run("one").await, first);
    assert_eq!(run("two").await["data"]["importStock"]["raised"], 0);
    assert_eq!(stage.level("A").await, (15, 15, 0, 0));
    assert_eq!(stage.level("B").await, (4, 4, 0, 0));
    assert_eq!(stage.level("C").await, (0, 0, 0, 0));
    let many: Vec<_> = (0..201)
        .map(|n| json!({"sku": n.to_string(), "quantity": 1}))
        .collect();
    let answer = stage
        .as_admin(
            IMPORT,
            json!({"input": {"lines": many, "idempotencyKey": "three"}}),
        )
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    stage.audit().await;
}

#[tokio::test]
async fn movements_come_in_pages() {
    let stage = Stage::new().await;
    for n in 1..=5 {
        adjust(&stage, "A", n, &format!("key-{n}")).await;
    }
    let query = "query($after: String) { stockMovements(sku: \"A\", first: 2, after: $after) {
        nodes { quantity } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let answer = stage.as_admin(query, json!({"after": after})).await;
        let page = &answer["data"]["stockMovements"];
        seen.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["quantity"].as_i64().unwrap()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let bad = stage.as_admin(query, json!({"after": "nonsense"})).await;
    assert_eq!(bad["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
