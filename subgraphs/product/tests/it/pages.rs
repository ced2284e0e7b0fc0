//! Keyset pages: every product once, in order, in every order; cursors that were tampered with.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::shop::{Shop, code, item};

const PAGE: &str = "query($first: Int!, $after: String, $sort: ProductSort!, $filter: ProductFilter) {
    products(first: $first, after: $after, sort: $sort, filter: $filter) {
        edges { cursor node { id title createdAt variants { price { amount } } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// A thousand products with many equal prices, titles and instants.
async fn shop_of_a_thousand() -> Shop {
    let shop = Shop::open().await;
    for batch in 0..5 {
        let products = (0..200).map(|i| {
            let n = batch * 200 + i;
            item(
                &format!("p-{n}"),
                &format!("Thing {:02} of iron", (n * 7) % 40),
                &format!("{}.50", (n * 13) % 17),
            )
        });
        shop.stock_up(products.collect()).await;
    }
    shop
}

async fn walk(shop: &Shop, first: i32, sort: &str, filter: Value) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let arguments = json!({"first": first, "after": after, "sort": sort, "filter": filter});
        let page = shop.ask(PAGE, arguments).await["products"].take();
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !all.is_empty());
        assert_eq!(page["pageInfo"]["endCursor"], edges.last().unwrap()["cursor"]);
        all.extend(edges.iter().map(|edge| edge["node"].clone()));
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        assert_eq!(edges.len(), usize::try_from(first).unwrap());
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn cents(node: &Value) -> i64 {
    node["variants"][0]["price"]["amount"]
        .as_str()
        .unwrap()
        .replace('.', "")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn every_order_holds_every_product_once() {
    let shop = shop_of_a_thousand().await;
    let by_text = json!({"text": "thing"});
    for (sort, filter) in [
        ("NEWEST", Value::Null),
        ("PRICE_ASC", Value::Null),
        ("PRICE_DESC", Value::Null),
        ("TITLE", Value::Null),
        ("RELEVANCE", by_text.clone()),
        ("PRICE_DESC", by_text),
    ] {
        let nodes = walk(&shop, 97, sort, filter).await;
        let ids: HashSet<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
        assert_eq!((nodes.len(), ids.len()), (1_000, 1_000), "{sort}");
        let in_order = nodes.windows(2).all(|pair| match sort {
            "NEWEST" => pair[0]["createdAt"].as_str() >= pair[1]["createdAt"].as_str(),
            "PRICE_ASC" => cents(&pair[0]) <= cents(&pair[1]),
            "PRICE_DESC" => cents(&pair[0]) >= cents(&pair[1]),
            "TITLE" => pair[0]["title"].as_str() <= pair[1]["title"].as_str(),
            _ => true,
        });
        assert!(in_order, "{sort}");
    }
}

#[tokio::test]
async fn a_page_boundary_on_the_last_product_ends_the_list() {
    let shop = Shop::open().await;
    shop.stock_up((0..4).map(|n| item(&format!("p-{n}"), "T", "1")).collect())
        .await;
    assert_eq!(walk(&shop, 2, "NEWEST", Value::Null).await.len(), 4);
    assert_eq!(walk(&shop, 4, "TITLE", Value::Null).await.len(), 4);
}

#[tokio::test]
async fn a_product_added_meanwhile_moves_no_other() {
    let shop = Shop::open().await;
    shop.stock_up(
        (0..4)
            .map(|n| item(&format!("p-{n}"), &format!("T {n}"), "5"))
            .collect(),
    )
    .await;
    let arguments = |after: &Value| json!({"first": 2, "after": after, "sort": "TITLE"});
    let first = shop.ask(PAGE, arguments(&Value::Null)).await["products"].take();
    shop.stock_up(vec![item("new", "T 0 before all", "5")]).await;
    let second = shop.ask(PAGE, arguments(&first["pageInfo"]["endCursor"])).await["products"].take();
    assert_eq!(second["edges"][0]["node"]["title"], "T 2");
}

#[tokio::test]
async fn a_tampered_cursor_is_bad_input() {
    let shop = Shop::open().await;
    shop.stock_up((0..3).map(|n| item(&format!("p-{n}"), "T", "1")).collect())
        .await;
    let page = shop.ask(PAGE, json!({"first": 1, "sort": "TITLE"})).await;
    let cursor = page["products"]["pageInfo"]["endCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut flipped = cursor.clone().into_bytes();
    flipped[20] = if flipped[20] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let id = contracts::ProductId::generate();
    let forged = |kind, key: Value| graphql_kit::page::cursor(kind, &json!({"k": key, "i": id}));
    for (after, sort) in [
        (flipped.as_str(), "TITLE"),
        (&cursor[1..], "TITLE"),
        ("", "TITLE"),
        ("%%%", "TITLE"),
        (cursor.as_str(), "NEWEST"),
        (cursor.as_str(), "PRICE_ASC"),
        (&forged("products.title", json!(7)), "TITLE"),
        (&forged("products.title", json!("a\u{0}")), "TITLE"),
        (&forged("products.newest", json!("x")), "NEWEST"),
        (&forged("products.newest", json!(i64::MAX)), "NEWEST"),
        (&forged("products.price_asc", json!(null)), "PRICE_ASC"),
    ] {
        let answer = shop
            .ask_as(None, PAGE, json!({"first": 1, "after": after, "sort": sort}))
            .await;
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{after} {sort}");
    }
}

#[tokio::test]
async fn lists_are_planned_with_their_values() {
    let db = test_kit::postgres(&product::MIGRATOR).await;
    product::store::plan_with_values(&db.pool).await.unwrap();
    let mode: String = sqlx::query_scalar("SHOW plan_cache_mode")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(mode, "force_custom_plan");
}
