//! The read cache: forgets what was written, and may be gone.

use contracts::{ProductId, VariantId};
use product::app::find;
use product::domain::Product;
use product::store::cache::{Cache, Kind};
use serde_json::{Value, json};

use crate::shop::{PATIENCE, Shop, data, item, usd};
use test_kit::Statements;

const UPDATE: &str = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) {
    product { title } userErrors { code } } }";
const PRICE: &str = "mutation($input: SetVariantPriceInput!) { setVariantPrice(input: $input) {
    product { id } userErrors { code } } }";

fn read(payload: &Value) -> (String, Value) {
    let product = &payload["products"][0];
    let of = json!([
        {"__typename": "Product", "id": product["id"]},
        {"__typename": "ProductVariant", "id": product["variants"][0]["id"]},
        {"__typename": "ProductVariant", "sku": product["variants"][0]["sku"]},
    ]);
    let query = "query($id: ID!, $of: [_Any!]!) { byId: product(id: $id) { title variants { price { amount } } }
        bySlug: product(slug: \"pot\") { title }
        _entities(representations: $of) { ... on Product { title } ... on ProductVariant { price { amount } } } }";
    (query.to_owned(), json!({"id": product["id"], "of": of}))
}

#[tokio::test]
async fn every_copy_is_forgotten_after_a_write() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("pot", "Old", "1")]).await;
    let (query, variables) = read(&payload);
    let admin = Some(shop.admin.as_str());
    let before = shop.ask(&query, variables.clone()).await;
    assert_eq!(before["bySlug"]["title"], "Old");

    let input = json!({"productId": payload["products"][0]["id"], "title": "New", "expectedVersion": 1});
    data(shop.ask_as(admin, UPDATE, json!({"input": input})).await);
    let variant = &payload["products"][0]["variants"][0];
    let input = json!({"variantId": variant["id"], "price": usd("2"), "expectedVersion": 1});
    data(shop.ask_as(admin, PRICE, json!({"input": input})).await);

    let after = shop.ask(&query, variables.clone()).await;
    assert_eq!(
        after,
        json!({
            "byId": {"title": "New", "variants": [{"price": {"amount": "2.00"}}]},
            "bySlug": {"title": "New"},
            "_entities": [{"title": "New"}, {"price": {"amount": "2.00"}}, {"price": {"amount": "2.00"}}],
        })
    );

    let mut again = item("pot", "Imported", "3");
    again["status"] = json!("ARCHIVED");
    shop.stock_up(vec![again]).await;
    let last = shop.ask(&query, variables).await;
    assert_eq!(
        (&last["byId"], &last["bySlug"]),
        (&Value::Null, &Value::Null),
        "archived"
    );
    assert_eq!(last["_entities"][0]["title"], "Imported");
    assert_eq!(last["_entities"][2]["price"]["amount"], "3.00");
}

#[tokio::test]
async fn counts_are_counted_again_after_every_write() {
    let shop = Shop::open().await;
    let payload = shop
        .stock_up(vec![item("pot", "Pot", "1"), item("pan", "Pan", "5")])
        .await;
    let query = "{ products(filter: {maxPrice: \"2\"}) { totalCount facets { values { value count } } } }";
    let count = async || shop.ask(query, json!({})).await["products"]["totalCount"].take();
    let statements = Statements::counted();
    assert_eq!(count().await, 1);
    assert_eq!(statements.taken(), 3);
    assert_eq!(count().await, 1);
    assert_eq!(statements.taken(), 1, "from the copies");

    let admin = Some(shop.admin.as_str());
    let variant = &payload["products"][1]["variants"][0];
    let input = json!({"variantId": variant["id"], "price": usd("2"), "expectedVersion": 1});
    data(shop.ask_as(admin, PRICE, json!({"input": input})).await);
    assert_eq!(count().await, 2, "a price");

    let input =
        json!({"productId": payload["products"][0]["id"], "status": "ARCHIVED", "expectedVersion": 1});
    data(shop.ask_as(admin, UPDATE, json!({"input": input})).await);
    assert_eq!(count().await, 1, "an update");

    shop.stock_up(vec![item("lid", "Lid", "1")]).await;
    assert_eq!(count().await, 2, "an import");

    let category = shop.ask("{ categories { id } }", json!({})).await["categories"][0]["id"].take();
    let input = json!({
        "slug": "cup", "title": "Cup", "description": "", "categoryId": category, "idempotencyKey": "k",
        "variants": [{"sku": "CUP", "title": "One", "price": usd("1")}],
    });
    let create =
        "mutation($input: CreateProductInput!) { createProduct(input: $input) { userErrors { code } } }";
    let done = data(shop.ask_as(admin, create, json!({"input": input})).await);
    assert_eq!(done["createProduct"]["userErrors"], json!([]));
    assert_eq!(count().await, 3, "a new product");
    // Staff see more, and have counts of their own.
    let all = data(shop.ask_as(admin, query, json!({})).await);
    assert_eq!(all["products"]["totalCount"], 4);
}

#[tokio::test]
async fn a_reader_that_was_too_late_puts_nothing_back() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("pot", "Old", "1")]).await;
    let id: ProductId = payload["products"][0]["id"].as_str().unwrap().parse().unwrap();
    let old = find::stored_products(&shop.app, &[id])
        .await
        .unwrap()
        .remove(&id)
        .unwrap();
    let cache = &shop.app.cache;
    cache.forget(&[(Kind::Product, id.to_string())]).await;
    cache.put_many(Kind::Product, &[(id.to_string(), &old)]).await;
    let found: Vec<Option<Product>> = cache.get_many(Kind::Product, &[id.to_string()]).await;
    assert_eq!(found, [None]);
}

#[tokio::test]
async fn copies_end_by_themselves_and_stand_under_their_layout() {
    let mut shop = Shop::open().await;
    shop.app.cache = Cache::try_new(&shop.redis.url, &shop.redis.prefix, PATIENCE).unwrap();
    let payload = shop.stock_up(vec![item("pot", "Pot", "1")]).await;
    let id: VariantId = payload["products"][0]["variants"][0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    find::variants(&shop.app, &[id]).await.unwrap();
    let mut connection = shop.redis.connection().await;
    let key = format!("{}:v1:variant:{id}", shop.redis.prefix);
    let ttl_s: i64 = redis::cmd("TTL")
        .arg(&key)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!((1..=30).contains(&ttl_s), "{ttl_s}");
    // What another version wrote, or anybody spoilt, is read as nothing.
    let _: () = redis::cmd("SET")
        .arg(&key)
        .arg("{\"id\":7}")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(find::variants(&shop.app, &[id]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn hits_and_misses_are_counted() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("pot", "Pot", "1")]).await;
    let id: ProductId = payload["products"][0]["id"].as_str().unwrap().parse().unwrap();
    let lookups = || {
        let counter = service_kit::metrics::counter("product_cache_lookups_total", "", &["kind", "outcome"]);
        counter.with_label_values(&["product", "hit"]).get()
    };
    find::products(&shop.app, &[id]).await.unwrap();
    let before = lookups();
    find::products(&shop.app, &[id]).await.unwrap();
    assert!(lookups() > before);
}

#[tokio::test]
async fn without_redis_everything_is_read_from_the_database() {
    let redis = test_kit::redis().await;
    // Nothing listens there.
    let shop = Shop::open_with_cache_at(redis, "redis://127.0.0.1:1").await;
    let payload = shop.stock_up(vec![item("pot", "Pot", "1")]).await;
    let (query, variables) = read(&payload);
    let statements = Statements::counted();
    for _ in 0..3 {
        assert_eq!(
            shop.ask(&query, variables.clone()).await["bySlug"]["title"],
            "Pot"
        );
        assert!(statements.taken() >= 4);
    }
    let started = std::time::Instant::now();
    let id: ProductId = payload["products"][0]["id"].as_str().unwrap().parse().unwrap();
    let found: Vec<Option<Product>> = shop.app.cache.get_many(Kind::Product, &[id.to_string()]).await;
    assert_eq!(found, [None]);
    assert!(
        started.elapsed().as_millis() < 20,
        "the breaker is open: no time-out is waited for"
    );
    assert!(Cache::try_new("nonsense", "x", PATIENCE).is_err());
}
