//! Text, filters, orders, count and facets.

use serde_json::{Value, json};

use crate::shop::{Shop, code, item, texts};

const LIST: &str = "query($filter: ProductFilter, $sort: ProductSort! = TITLE) {
    products(filter: $filter, sort: $sort) { totalCount nodes { slug category { slug } }
    facets { name values { value label count } } } }";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    let mut shoes = item("trail-shoes", "Running Shoes", "80");
    shoes["categoryPath"] = json!(["Outdoor", "Footwear"]);
    shoes["description"] = json!("Light shoes for long runs.");
    let mut stove = item("gas-stove", "Crème Brûlée Torch", "30.5");
    stove["categoryPath"] = json!(["Outdoor"]);
    stove["brand"] = json!("Ember");
    let mut ice = item("bag-of-ice", "Ice - crushed/cubed 22 LB", "3.49");
    ice["categoryPath"] = json!(["GROCERY", "FRZN ICE"]);
    ice["brand"] = json!("National");
    let mut poster = item("poster", "Poster of a runner", "12");
    poster["description"] = json!("A picture, not shoes.");
    shop.stock_up(vec![shoes, stove, ice, poster]).await;
    shop
}

async fn slugs(shop: &Shop, filter: Value, sort: &str) -> Vec<String> {
    let answer = shop.ask(LIST, json!({"filter": filter, "sort": sort})).await;
    let slugs = texts(&answer["products"]["nodes"], "/slug");
    assert_eq!(answer["products"]["totalCount"], slugs.len(), "{filter}");
    slugs
}

#[tokio::test]
async fn text_finds_beginnings_stems_and_accents() {
    let shop = shop().await;
    let cases: [(&str, &[&str]); 13] = [
        ("shoes", &["trail-shoes", "poster"]),
        ("shoe", &["trail-shoes", "poster"]),
        ("runni", &["trail-shoes"]),
        ("running", &["trail-shoes", "poster"]),
        ("runni shoes", &["trail-shoes"]),
        ("creme brulee", &["gas-stove"]),
        ("CRÈME", &["gas-stove"]),
        ("ice cubed", &["bag-of-ice"]),
        ("22 lb", &["bag-of-ice"]),
        ("ember", &["gas-stove"]),
        ("shoes of nowhere", &[]),
        ("!!!", &[]),
        ("the", &[]),
    ];
    for (text, expected) in cases {
        let found = slugs(&shop, json!({"text": text}), "RELEVANCE").await;
        if text == "running" {
            assert!(found.contains(&"trail-shoes".to_owned()), "{text}: {found:?}");
        } else {
            assert_eq!(found, expected, "{text}");
        }
    }
}

#[tokio::test]
async fn hostile_text_is_only_text() {
    let shop = shop().await;
    for text in [
        "' OR 1=1 --",
        "a:* & | !",
        "\\",
        "(((",
        "\u{0}shoes",
        "a' b:*",
        "&",
        &"x ".repeat(5_000),
        &"x".repeat(5_000),
        &"漢".repeat(5_000),
    ] {
        let answer = shop.ask_as(None, LIST, json!({"filter": {"text": text}})).await;
        assert_eq!(answer["errors"], Value::Null, "{text:?}: {answer}");
    }
}

#[tokio::test]
async fn filters_narrow_and_combine() {
    let shop = shop().await;
    let categories = shop
        .ask(
            "{ categories { id slug parent { slug } children { slug } } }",
            json!({}),
        )
        .await;
    let categories = categories["categories"].as_array().unwrap();
    let id = |slug: &str| categories.iter().find(|c| c["slug"] == slug).unwrap()["id"].clone();
    assert_eq!(
        texts(&json!(categories), "/slug"),
        [
            "grocery",
            "grocery--frzn-ice",
            "outdoor",
            "outdoor--footwear",
            "things"
        ]
    );
    let cases: [(Value, &[&str]); 11] = [
        (Value::Null, &["gas-stove", "bag-of-ice", "poster", "trail-shoes"]),
        (
            json!({"categoryId": id("outdoor")}),
            &["gas-stove", "trail-shoes"],
        ),
        (json!({"categoryId": id("outdoor--footwear")}), &["trail-shoes"]),
        (json!({"brand": "Acme"}), &["poster", "trail-shoes"]),
        (json!({"brand": "acme"}), &[]),
        (json!({"minPrice": "12"}), &["gas-stove", "poster", "trail-shoes"]),
        (json!({"minPrice": "12.01", "maxPrice": "79.99"}), &["gas-stove"]),
        (json!({"maxPrice": "3.4899999"}), &[]),
        (json!({"maxPrice": "3.49"}), &["bag-of-ice"]),
        (
            json!({"categoryId": id("outdoor"), "brand": "Acme", "text": "run", "minPrice": "1"}),
            &["trail-shoes"],
        ),
        (json!({"brand": "\u{0}"}), &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(slugs(&shop, filter.clone(), "TITLE").await, expected, "{filter}");
    }
}

#[tokio::test]
async fn orders_are_as_named() {
    let shop = shop().await;
    let cases = [
        ("PRICE_ASC", ["bag-of-ice", "poster", "gas-stove", "trail-shoes"]),
        ("PRICE_DESC", ["trail-shoes", "gas-stove", "poster", "bag-of-ice"]),
        ("TITLE", ["gas-stove", "bag-of-ice", "poster", "trail-shoes"]),
        ("NEWEST", ["poster", "bag-of-ice", "gas-stove", "trail-shoes"]),
        ("RELEVANCE", ["poster", "bag-of-ice", "gas-stove", "trail-shoes"]),
    ];
    for (sort, expected) in cases {
        assert_eq!(slugs(&shop, Value::Null, sort).await, expected, "{sort}");
    }
}

#[tokio::test]
async fn a_facet_leaves_its_own_filter_out() {
    let shop = shop().await;
    let answer = shop
        .ask(LIST, json!({"filter": {"brand": "Acme", "maxPrice": "50"}}))
        .await;
    let facets = &answer["products"]["facets"];
    let counts = |facet: usize| -> Vec<(String, i64)> {
        let values = facets[facet]["values"].as_array().unwrap();
        values
            .iter()
            .map(|v| {
                (
                    v["label"].as_str().unwrap().to_owned(),
                    v["count"].as_i64().unwrap(),
                )
            })
            .collect()
    };
    assert_eq!(facets[0]["name"], "brand");
    assert_eq!(
        counts(0),
        [
            ("Acme".to_owned(), 1),
            ("Ember".to_owned(), 1),
            ("National".to_owned(), 1)
        ]
    );
    assert_eq!(facets[1]["name"], "category");
    assert_eq!(counts(1), [("Things".to_owned(), 1)]);
}

#[tokio::test]
async fn bad_arguments_are_named() {
    let shop = Shop::open().await;
    for query in [
        "{ products(first: 0) { nodes { id } } }",
        "{ products(first: 101) { nodes { id } } }",
        "{ products(first: -1) { nodes { id } } }",
        "{ products(filter: {categoryId: \"prod_x\"}) { nodes { id } } }",
        "{ products(filter: {minPrice: \"9999999999999999999999\"}) { nodes { id } } }",
        "{ product { id } }",
        "{ product(id: \"prod_01h455vb4pex5vsknk084sn02q\", slug: \"a\") { id } }",
        "{ product(id: \"nonsense\") { id } }",
    ] {
        let answer = shop.ask_as(None, query, json!({})).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{query}");
    }
    for query in [
        "{ product(slug: \"no\") { id } }",
        "{ product(slug: \"a\\u0000\") { id } }",
    ] {
        assert_eq!(shop.ask(query, json!({})).await["product"], Value::Null);
    }
}
