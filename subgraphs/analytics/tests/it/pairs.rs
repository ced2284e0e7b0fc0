//! What is bought together, as everybody sees it.

use contracts::{ProductId, UserId};
use serde_json::{Value, json};
use test_kit::Statements;

use crate::life::{Life, at, line};
use crate::stage::{Stage, code};

async fn with(stage: &Stage, products: &[ProductId], arguments: &str) -> Value {
    let query = format!(
        "query($products: [_Any!]!) {{ _entities(representations: $products) {{ ... on Product {{
            id boughtWith{arguments} {{ product {{ id }} together lift }} }} }} }}"
    );
    let products: Vec<_> = products
        .iter()
        .map(|product| json!({ "__typename": "Product", "id": product.to_string() }))
        .collect();
    stage.ask_as(None, &query, json!({ "products": products })).await
}

fn basket(products: &[ProductId]) -> Life {
    let lines = products
        .iter()
        .map(|product| line(*product, None, 100, 1))
        .collect();
    Life::placed(UserId::generate(), at("2026-11-27T05:10:00Z"), lines, 0)
}

/// Of ten paid orders, `a` and `b` are in three, `a` and `c` in four of `c`'s eight, `a` and `d` in two.
async fn shop() -> (Stage, [ProductId; 4]) {
    let stage = Stage::new().await;
    let [a, b, c, d] = [(); 4].map(|()| ProductId::generate());
    let baskets: [&[ProductId]; 10] = [
        &[a, b, c, d],
        &[b, a, c, d],
        &[a, b],
        &[a, c],
        &[c, a],
        &[c],
        &[c],
        &[c],
        &[c],
        &[d],
    ];
    let mut lives: Vec<_> = baskets.iter().map(|products| basket(products).paid(5)).collect();
    // What is not paid says nothing.
    lives.push(basket(&[a, d]));
    lives.push(basket(&[a, d]).cancelled(5, contracts::order::CancelReason::Customer));
    stage.hear_all(&lives).await;
    (stage, [a, b, c, d])
}

#[tokio::test]
async fn what_is_bought_together_stands_by_lift() {
    let (stage, [a, b, c, d]) = shop().await;
    let answer = with(&stage, &[a, b, d], "").await;
    let shown = &answer["data"]["_entities"];
    let entry = |product: ProductId, together: i64, lift: f64| json!({ "product": { "id": product.to_string() }, "together": together, "lift": lift });
    assert_eq!(
        shown[0]["boughtWith"],
        json!([entry(b, 3, 30.0 / 15.0), entry(c, 4, 40.0 / 40.0)]),
        "{answer}"
    );
    assert_eq!(shown[1]["boughtWith"], json!([entry(a, 3, 2.0)]));
    assert_eq!(shown[2]["boughtWith"], json!([]), "two orders say nothing");
    let one = with(&stage, &[a], "(first: 1)").await;
    assert_eq!(
        one["data"]["_entities"][0]["boughtWith"],
        json!([entry(b, 3, 2.0)])
    );
}

#[tokio::test]
async fn a_product_nobody_bought_has_none_and_a_wrong_count_is_refused() {
    let (stage, [a, ..]) = shop().await;
    let answer = with(&stage, &[ProductId::generate()], "").await;
    assert_eq!(answer["data"]["_entities"][0]["boughtWith"], json!([]));
    for first in ["(first: 0)", "(first: 13)"] {
        let answer = with(&stage, &[a], first).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT");
    }
    let query =
        "query($products: [_Any!]!) { _entities(representations: $products) { ... on Product { id } } }";
    let wrong = json!({ "products": [{ "__typename": "Product", "id": "prod_x" },
        { "__typename": "Product", "id": a.to_string() }] });
    let answer = stage.ask_as(None, query, wrong).await;
    assert_eq!(
        answer["data"]["_entities"],
        json!([null, { "id": a.to_string() }]),
        "{answer}"
    );
}

#[tokio::test]
async fn a_hundred_products_are_one_statement() {
    let (stage, [a, b, ..]) = shop().await;
    let mut products = vec![a, b];
    products.resize_with(100, ProductId::generate);
    let statements = Statements::counted();
    let answer = with(&stage, &products, "(first: 12)").await;
    assert_eq!(statements.taken(), 1);
    let shown = answer["data"]["_entities"].as_array().unwrap();
    assert_eq!(shown.len(), 100);
    assert_eq!(shown[0]["boughtWith"].as_array().unwrap().len(), 2);
}
