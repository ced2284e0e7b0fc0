//! What the shop's own operations cost in statements: cold, and with copies of everything.

use std::fmt::Write as _;

use serde_json::{Value, json};
use test_kit::Statements;

use crate::shop::{Shop, item};

/// The operations as the page sends them.
const MANIFEST: &str = include_str!("../../../../router/persisted/shop.json");
/// What the router asks of us for a page of fifty with availability.
const FIFTY: &str = "{ products(first: 50, sort: NEWEST) { pageInfo { hasNextPage endCursor }
    nodes { id title category { name } variants { __typename id sku title price { amount currencyCode } } } } }";

fn recorded(manifest: &Value, name: &str) -> String {
    let operations = manifest["operations"].as_array().unwrap();
    let found = operations.iter().find(|operation| operation["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))["body"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn the_shops_operations_cost_this_many_statements() {
    let mut shop = Shop::open().await;
    let lamps = (0..60).map(|n| item(&format!("p-{n}"), &format!("Lantern {n}"), "1"));
    shop.stock_up(lamps.collect()).await;
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let search = |text: &str| json!({"first": 24, "sort": "RELEVANCE", "filter": {"text": text}});
    let operations = [
        ("Categories", recorded(&manifest, "Categories"), json!({})),
        (
            "Products",
            recorded(&manifest, "Products"),
            json!({"first": 24, "sort": "NEWEST"}),
        ),
        (
            "Products, searched",
            recorded(&manifest, "Products"),
            search("lantern"),
        ),
        (
            "Products, misspelt",
            recorded(&manifest, "Products"),
            search("lantren"),
        ),
        (
            "Products, nothing found",
            recorded(&manifest, "Products"),
            search("xylophone"),
        ),
        (
            "ProductFacets",
            recorded(&manifest, "ProductFacets"),
            json!({"sort": "RELEVANCE"}),
        ),
        ("Product", recorded(&manifest, "Product"), json!({"slug": "p-1"})),
        ("fifty with availability", FIFTY.to_owned(), json!({})),
    ];
    let statements = Statements::counted();
    let mut costs = String::new();
    for (name, query, variables) in operations {
        shop.forget_all_copies();
        statements.taken();
        shop.ask(&query, variables.clone()).await;
        let cold = statements.taken();
        shop.ask(&query, variables).await;
        writeln!(costs, "{name}: {cold} cold, {} warm", statements.taken()).unwrap();
    }
    insta::assert_snapshot!(costs, @r"
    Categories: 1 cold, 1 warm
    Products: 3 cold, 1 warm
    Products, searched: 3 cold, 1 warm
    Products, misspelt: 5 cold, 3 warm
    Products, nothing found: 2 cold, 2 warm
    ProductFacets: 3 cold, 1 warm
    Product: 3 cold, 0 warm
    fifty with availability: 3 cold, 1 warm
    ");
}
