//! What carts and orders ask over REST.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::shop::{Shop, item};
use test_kit::Statements;

async fn lookup(shop: &Shop, caller: &'static str, body: Value) -> (StatusCode, Value) {
    let token = shop.identity.service_token(caller, "product");
    test_kit::rest(
        &shop.internal,
        &token,
        Method::POST,
        "/variants/lookup",
        Some(body),
    )
    .await
}

#[tokio::test]
async fn prices_are_always_those_of_the_database() {
    let shop = Shop::open().await;
    let mut gone = item("gone", "Gone", "3");
    gone["status"] = json!("ARCHIVED");
    let payload = shop.stock_up(vec![item("pot", "Pot", "1.50"), gone]).await;
    let ids: Vec<&Value> = (0..2)
        .map(|n| &payload["products"][n]["variants"][0]["id"])
        .collect();
    let category = shop
        .ask("{ products { nodes { category { id } } } }", json!({}))
        .await;
    let category = &category["products"]["nodes"][0]["category"]["id"];
    let unknown = contracts::VariantId::generate();
    let body = json!({"variant_ids": [ids[0], unknown, ids[1]]});
    let statements = Statements::counted();
    for _ in 0..2 {
        let (status, mut facts) = lookup(&shop, "order", body.clone()).await;
        assert_eq!((status, statements.taken()), (StatusCode::OK, 1));
        let facts = facts["variants"].as_array_mut().unwrap();
        facts.sort_by_key(|fact| fact["sku"].to_string());
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[0]["for_sale"], false);
        assert_eq!(
            facts[1],
            json!({
                "variant_id": ids[0], "product_id": payload["products"][0]["id"], "sku": "POT", "for_sale": true,
                "category_id": category, "title": "Pot, One",
                "price": {"amount_minor": 150, "currency": "USD"},
            })
        );
    }
}

#[tokio::test]
async fn only_cart_and_order_may_ask() {
    let shop = Shop::open().await;
    let nothing = json!({"variant_ids": []});
    for (caller, expected) in [
        ("cart", 200),
        ("order", 200),
        ("inventory", 403),
        ("payment", 403),
    ] {
        assert_eq!(
            lookup(&shop, caller, nothing.clone()).await.0,
            expected,
            "{caller}"
        );
    }
    let wrong_audience = shop.identity.service_token("cart", "inventory");
    let (status, _) = test_kit::rest(
        &shop.internal,
        &wrong_audience,
        Method::POST,
        "/variants/lookup",
        Some(nothing),
    )
    .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn a_bad_question_is_refused() {
    let shop = Shop::open().await;
    let many: Vec<String> = (0..501)
        .map(|_| contracts::VariantId::generate().to_string())
        .collect();
    let (status, problem) = lookup(&shop, "cart", json!({"variant_ids": many})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("INVALID")));
    let (status, problem) = lookup(&shop, "cart", json!({"variant_ids": ["nonsense"]})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("BAD_REQUEST")));
}
