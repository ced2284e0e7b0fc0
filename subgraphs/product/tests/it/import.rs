//! Loading many products: the good ones go in, the bad ones are named, and again changes nothing.

use serde_json::{Value, json};

use crate::shop::{Shop, item, texts, usd};
use test_kit::Statements;

#[tokio::test]
async fn bad_items_are_named_and_the_good_ones_loaded() {
    let shop = Shop::open().await;
    shop.stock_up(vec![item("there", "There", "1")]).await;
    let mut foreign_sku = item("foreign", "Foreign", "1");
    foreign_sku["variants"][0]["sku"] = json!("THERE");
    let mut twice = item("other-slug", "Twice", "1");
    twice["variants"][0]["sku"] = json!("GOOD");
    let mut no_category = item("no-category", "No category", "1");
    no_category["categoryPath"] = json!([]);
    let payload = shop
        .import(vec![
            item("good", "Good", "1"),
            item("bad--slug", "Bad", "1"),
            foreign_sku,
            twice,
            item("good", "Good again", "1"),
            item("fine-price", "Too fine", "1.005"),
            no_category,
            item("also-good", "Also good", "2"),
        ])
        .await;
    assert_eq!((&payload["created"], &payload["updated"]), (&json!(2), &json!(0)));
    assert_eq!(texts(&payload["products"], "/slug"), ["good", "also-good"]);
    let errors: Vec<(String, String)> = payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            let field: Vec<&str> = error["field"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f.as_str().unwrap())
                .collect();
            (error["code"].as_str().unwrap().to_owned(), field.join("."))
        })
        .collect();
    let expected = [
        ("INVALID", "input.products.1.slug"),
        ("SKU_TAKEN", "input.products.2.variants.0.sku"),
        ("SKU_TAKEN", "input.products.3.variants.0.sku"),
        ("SLUG_TAKEN", "input.products.4.slug"),
        ("SKU_TAKEN", "input.products.4.variants.0.sku"),
        ("INVALID", "input.products.5.variants.0.price.amount"),
        ("INVALID", "input.products.6.categoryPath"),
    ];
    assert_eq!(
        errors,
        expected.map(|(code, field)| (code.to_owned(), field.to_owned()))
    );
}

#[tokio::test]
async fn again_changes_nothing_and_a_change_changes_one() {
    let shop = Shop::open().await;
    let mut items: Vec<Value> = (0..3).map(|n| item(&format!("p-{n}"), "T", "1")).collect();
    let first = shop.stock_up(items.clone()).await;
    assert_eq!(first["created"], 3);
    let again = shop.stock_up(items.clone()).await;
    assert_eq!(
        (&again["created"], &again["updated"], &again["unchanged"]),
        (&json!(0), &json!(0), &json!(3))
    );
    assert_eq!(again["products"], first["products"], "the same ids and versions");
    items[1]["variants"][0]["price"] = usd("2");
    items[2]["title"] = json!("New");
    items[2]["variants"]
        .as_array_mut()
        .unwrap()
        .push(json!({"sku": "P-2-L", "title": "Large", "price": usd("0.5")}));
    let changed = shop.stock_up(items).await;
    assert_eq!(
        (&changed["updated"], &changed["unchanged"]),
        (&json!(2), &json!(1))
    );
    let versions: Vec<&Value> = (0..3).map(|n| &changed["products"][n]["version"]).collect();
    assert_eq!(versions, [1, 1, 2]);
    assert_eq!(changed["products"][1]["variants"][0]["version"], 2);
    let list = shop
        .ask("{ products(sort: PRICE_ASC) { nodes { slug } } }", json!({}))
        .await;
    assert_eq!(
        texts(&list["products"]["nodes"], "/slug"),
        ["p-2", "p-0", "p-1"],
        "sorted by the cheapest variant"
    );
}

#[tokio::test]
async fn imports_at_once_take_turns() {
    let shop = Shop::open().await;
    let batch = |from: i32| {
        (from..from + 20)
            .map(|n| item(&format!("p-{n}"), "T", "1"))
            .collect::<Vec<_>>()
    };
    let (a, b, c) = tokio::join!(
        shop.import(batch(0)),
        shop.import(batch(10)),
        shop.import(batch(5))
    );
    let created: i64 = [&a, &b, &c]
        .iter()
        .map(|payload| payload["created"].as_i64().unwrap())
        .sum();
    assert_eq!(created, 30);
    let categories = shop.ask("{ categories { slug } }", json!({})).await;
    assert_eq!(categories["categories"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_costs_the_same_few_statements() {
    let shop = Shop::open().await;
    let statements = Statements::counted();
    let mut counts = Vec::new();
    for (from, to) in [(0, 2), (1_000, 1_200)] {
        shop.stock_up((from..to).map(|n| item(&format!("p-{n}"), "T", "1")).collect())
            .await;
        counts.push(statements.taken());
    }
    // A hundred times the products; a slow machine may split what the answer loads into two or three batches.
    assert!(counts[1] <= counts[0] + 2, "{counts:?}");
    let too_many = shop
        .import((0..201).map(|n| item(&format!("q-{n}"), "T", "1")).collect())
        .await;
    assert_eq!(too_many["userErrors"][0]["field"], json!(["input", "products"]));
}
