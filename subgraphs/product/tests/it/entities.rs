//! References from other subgraphs, and how many statements they cost.

use serde_json::{Value, json};

use crate::shop::{Shop, data, item, texts};
use test_kit::Statements;

const ENTITIES: &str = "query($of: [_Any!]!) { _entities(representations: $of) {
    ... on Product { id title } ... on ProductVariant { id sku price { amount } } ... on Category { id slug } } }";

fn of(kind: &str, key: &str, values: &[String]) -> Value {
    json!(
        values
            .iter()
            .map(|value| json!({"__typename": kind, key: value}))
            .collect::<Vec<_>>()
    )
}

#[tokio::test]
async fn a_batch_is_one_statement() {
    let shop = Shop::open().await;
    let payload = shop
        .stock_up((0..100).map(|n| item(&format!("p-{n}"), "T", "1")).collect())
        .await;
    let products = texts(&payload["products"], "/id");
    let variants = texts(&payload["products"], "/variants/0/id");
    let skus = texts(&payload["products"], "/variants/0/sku");
    let statements = Statements::counted();
    for (kind, key, values) in [
        ("Product", "id", &products),
        ("ProductVariant", "id", &variants),
        ("ProductVariant", "sku", &skus),
    ] {
        let answer = shop.ask(ENTITIES, json!({"of": of(kind, key, values)})).await;
        assert_eq!(
            texts(&answer["_entities"], &format!("/{key}")),
            *values,
            "in the order asked"
        );
        assert_eq!(statements.taken(), 1, "{kind} by {key}");
        shop.ask(ENTITIES, json!({"of": of(kind, key, values)})).await;
        assert_eq!(statements.taken(), 0, "{kind} by {key}, from the cache");
    }
}

#[tokio::test]
async fn a_page_of_fifty_costs_three_statements() {
    let mut shop = Shop::open().await;
    shop.stock_up((0..60).map(|n| item(&format!("p-{n}"), "T", "1")).collect())
        .await;
    let statements = Statements::counted();
    let page = "{ products(first: 50) { pageInfo { endCursor hasNextPage }
        nodes { id title category { name parent { name } } variants { id sku title price { amount } } } } }";
    let answer = shop.ask(page, json!({})).await;
    assert_eq!(answer["products"]["nodes"].as_array().unwrap().len(), 50);
    assert_eq!(
        statements.taken(),
        2,
        "the page and its category: the import answered with the variants and so left copies of them"
    );
    shop.forget_all_copies();
    let again = shop.ask(page, json!({})).await;
    assert_eq!(again, answer);
    assert_eq!(
        statements.taken(),
        3,
        "cold: the page, its variants, its category"
    );
    shop.ask(page, json!({})).await;
    assert_eq!(
        statements.taken(),
        1,
        "warm: variants and categories come from the cache"
    );
    let counted = "{ products { totalCount facets { name } } }";
    shop.ask("{ products { totalCount } }", json!({})).await;
    assert_eq!(statements.taken(), 2);
    shop.ask(counted, json!({})).await;
    assert_eq!(statements.taken(), 2, "the count is known, the facets are not");
    shop.ask(counted, json!({})).await;
    assert_eq!(statements.taken(), 1);
}

#[tokio::test]
async fn a_bad_reference_is_null_alone() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("good", "Good", "1")]).await;
    let good = &payload["products"][0]["id"];
    let unknown = contracts::ProductId::generate().to_string();
    let of = json!([
        {"__typename": "Product", "id": "nonsense"},
        {"__typename": "Product", "id": unknown},
        {"__typename": "Product", "id": good},
        {"__typename": "ProductVariant", "sku": "a\u{0}"},
        {"__typename": "ProductVariant", "sku": "GOOD"},
        {"__typename": "Category", "id": good},
    ]);
    let answer = shop.ask(ENTITIES, json!({"of": of})).await;
    let found: Vec<bool> = answer["_entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| !e.is_null())
        .collect();
    assert_eq!(found, [false, false, true, false, true, false]);
}

#[tokio::test]
async fn drafts_are_for_staff_and_the_archive_is_for_references() {
    let shop = Shop::open().await;
    let mut products = Vec::new();
    for status in ["DRAFT", "ACTIVE", "ARCHIVED"] {
        let mut product = item(&status.to_lowercase(), status, "1");
        product["status"] = json!(status);
        products.push(product);
    }
    let payload = shop.stock_up(products).await;
    let ids = texts(&payload["products"], "/id");
    let variants = texts(&payload["products"], "/variants/0/id");
    let skus = texts(&payload["products"], "/variants/0/sku");
    let list = "query($skus: [String!]!) { products(sort: TITLE) { totalCount nodes { title } }
        variants(skus: $skus) { sku } a: product(slug: \"draft\") { id } b: product(slug: \"archived\") { id } }";
    let staff = Some(shop.support.as_str());
    for (token, listed, by_reference) in [
        (None, vec!["ACTIVE"], [false, true, true]),
        (staff, vec!["ACTIVE", "ARCHIVED", "DRAFT"], [true; 3]),
    ] {
        let answer = data(shop.ask_as(token, list, json!({"skus": skus})).await);
        assert_eq!(texts(&answer["products"]["nodes"], "/title"), listed);
        assert_eq!(answer["products"]["totalCount"], listed.len());
        assert_eq!(answer["a"].is_null() && answer["b"].is_null(), token.is_none());
        let bought = answer["variants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| !v.is_null())
            .count();
        assert_eq!(bought, listed.len());
        for of in [of("Product", "id", &ids), of("ProductVariant", "id", &variants)] {
            let answer = data(shop.ask_as(token, ENTITIES, json!({"of": of})).await);
            let seen: Vec<bool> = answer["_entities"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| !e.is_null())
                .collect();
            assert_eq!(seen, by_reference);
        }
    }
    let drafts = "{ products(filter: {status: DRAFT}) { nodes { title } } }";
    assert_eq!(
        texts(
            &data(shop.ask_as(staff, drafts, json!({})).await)["products"]["nodes"],
            "/title"
        ),
        ["DRAFT"]
    );
    assert_eq!(
        texts(&shop.ask(drafts, json!({})).await["products"]["nodes"], "/title"),
        ["ACTIVE"]
    );
}
