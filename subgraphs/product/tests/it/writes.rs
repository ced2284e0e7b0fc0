//! Creating, changing and pricing products.

use serde_json::{Value, json};

use crate::shop::{Shop, code, data, item, usd};

const CREATE: &str = "mutation($input: CreateProductInput!) { createProduct(input: $input) {
    product { id slug version status variants { id sku version price { amount currencyCode } compareAtPrice { amount } } }
    userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) {
    product { title description status version } userErrors { code field } } }";
const PRICE: &str = "mutation($input: SetVariantPriceInput!) { setVariantPrice(input: $input) {
    product { version variants { version price { amount } compareAtPrice { amount } } } userErrors { code field } } }";

async fn category(shop: &Shop) -> Value {
    shop.stock_up(vec![item("first", "First", "1")]).await;
    shop.ask("{ categories { id } }", json!({})).await["categories"][0]["id"].clone()
}

fn new(category: &Value, slug: &str, key: &str) -> Value {
    json!({
        "slug": slug, "title": "Pot", "description": "", "categoryId": category, "idempotencyKey": key,
        "variants": [{"sku": format!("{slug}-1"), "title": "One", "price": usd("2.50"), "compareAtPrice": usd("3")}],
    })
}

async fn admin(shop: &Shop, query: &str, input: Value) -> Value {
    let mut answer = data(
        shop.ask_as(Some(&shop.admin), query, json!({"input": input}))
            .await,
    );
    let payload = answer.as_object_mut().unwrap().values_mut().next().unwrap();
    payload.take()
}

fn errors(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap();
    let path = |error: &Value| -> Vec<String> {
        error["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap().to_owned())
            .collect()
    };
    errors
        .iter()
        .map(|e| (e["code"].as_str().unwrap().to_owned(), path(e).join(".")))
        .collect()
}

fn error(code: &str, field: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), field.to_owned())]
}

#[tokio::test]
async fn only_administrators_write() {
    let shop = Shop::open().await;
    let category = category(&shop).await;
    for (token, expected) in [
        (None, "UNAUTHENTICATED"),
        (Some(shop.support.as_str()), "FORBIDDEN"),
    ] {
        let answer = shop
            .ask_as(token, CREATE, json!({"input": new(&category, "pot", "k")}))
            .await;
        assert_eq!(code(&answer), expected);
        let answer = shop
            .ask_as(token, crate::shop::IMPORT, json!({"input": {"products": []}}))
            .await;
        assert_eq!(code(&answer), expected);
    }
    assert_eq!(
        shop.ask("{ product(slug: \"pot\") { id } }", json!({})).await["product"],
        Value::Null
    );
}

#[tokio::test]
async fn a_key_creates_once() {
    let shop = Shop::open().await;
    let category = category(&shop).await;
    let (one, two) = tokio::join!(
        admin(&shop, CREATE, new(&category, "pot", "k1")),
        admin(&shop, CREATE, new(&category, "pot", "k1"))
    );
    assert_eq!(one, two);
    assert_eq!(one["product"]["variants"][0]["compareAtPrice"]["amount"], "3.00");
    assert_eq!(one["userErrors"], json!([]));
    let other = admin(&shop, CREATE, new(&category, "other-pot", "k1")).await;
    assert_eq!(
        errors(&other),
        error("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    let taken = admin(&shop, CREATE, new(&category, "pot", "k2")).await;
    let expected = [
        error("SLUG_TAKEN", "input.slug"),
        error("SKU_TAKEN", "input.variants.0.sku"),
    ]
    .concat();
    assert_eq!(errors(&taken), expected);
    let again = admin(&shop, CREATE, new(&category, "pot", "k2")).await;
    assert_eq!(again, taken, "a refusal is an outcome too");
    let count = shop.ask("{ products { totalCount } }", json!({})).await;
    assert_eq!(count["products"]["totalCount"], 2);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_month() {
    let shop = Shop::open().await;
    let category = category(&shop).await;
    let first = admin(&shop, CREATE, new(&category, "pot", "k")).await;
    assert_eq!(first["userErrors"], json!([]));
    assert_eq!(
        product::app::forget_keys::forget_keys(&shop.app).await.unwrap(),
        0
    );
    sqlx::query("UPDATE idempotency_key SET created_at = now() - interval '31 days'")
        .execute(&shop.app.pool)
        .await
        .unwrap();
    assert_eq!(
        product::app::forget_keys::forget_keys(&shop.app).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_field() {
    let shop = Shop::open().await;
    let category = category(&shop).await;
    let spoil: [(&str, Value, &str, &str); 6] = [
        ("/slug", json!("Bad Slug"), "INVALID", "input.slug"),
        ("/title", json!(""), "INVALID", "input.title"),
        (
            "/variants/0/price/amount",
            json!("1.234"),
            "INVALID",
            "input.variants.0.price.amount",
        ),
        (
            "/variants/0/compareAtPrice/amount",
            json!("1"),
            "INVALID",
            "input.variants.0.compareAtPrice",
        ),
        (
            "/categoryId",
            json!(contracts::CategoryId::generate()),
            "NOT_FOUND",
            "input.categoryId",
        ),
        ("/idempotencyKey", json!(""), "INVALID", "input.idempotencyKey"),
    ];
    for (pointer, value, code, field) in spoil {
        let mut input = new(&category, "pot", "k");
        *input.pointer_mut(pointer).unwrap() = value;
        input["idempotencyKey"] = if field.ends_with("Key") {
            json!("")
        } else {
            json!(field)
        };
        assert_eq!(
            errors(&admin(&shop, CREATE, input).await),
            error(code, field),
            "{pointer}"
        );
    }
}

#[tokio::test]
async fn an_update_needs_the_current_version() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("pot", "Pot", "1")]).await;
    let id = &payload["products"][0]["id"];
    let change =
        |version: i32, status: &str| json!({"productId": id, "status": status, "expectedVersion": version});
    let archived = admin(&shop, UPDATE, change(1, "ARCHIVED")).await;
    assert_eq!(archived["product"]["status"], "ARCHIVED");
    assert_eq!(archived["product"]["version"], 2);
    let stale = admin(&shop, UPDATE, change(1, "ACTIVE")).await;
    assert_eq!(errors(&stale), error("VERSION_CONFLICT", "input.expectedVersion"));
    let draft = admin(&shop, UPDATE, change(2, "DRAFT")).await;
    assert_eq!(errors(&draft), error("INVALID", "input.status"));
    let same = admin(&shop, UPDATE, change(2, "ARCHIVED")).await;
    assert_eq!(same["product"]["version"], 2, "nothing changed");
    let unknown = json!({"productId": contracts::ProductId::generate(), "expectedVersion": 1});
    assert_eq!(
        errors(&admin(&shop, UPDATE, unknown).await),
        error("NOT_FOUND", "input.productId")
    );
}

#[tokio::test]
async fn of_two_updates_at_once_one_wins() {
    let shop = Shop::open().await;
    let payload = shop.stock_up(vec![item("pot", "Pot", "1")]).await;
    let id = &payload["products"][0]["id"];
    let change = |title: &str| json!({"productId": id, "title": title, "expectedVersion": 1});
    let (one, two) = tokio::join!(
        admin(&shop, UPDATE, change("A")),
        admin(&shop, UPDATE, change("B"))
    );
    let mut refused = [errors(&one), errors(&two)];
    refused.sort();
    assert_eq!(
        refused,
        [vec![], error("VERSION_CONFLICT", "input.expectedVersion")]
    );
}

#[tokio::test]
async fn a_price_moves_the_product_in_its_order() {
    let shop = Shop::open().await;
    let mut pot = item("pot", "Pot", "5");
    pot["variants"][0]["compareAtPrice"] = usd("6");
    let payload = shop.stock_up(vec![pot, item("pan", "Pan", "7")]).await;
    let variant = &payload["products"][0]["variants"][0]["id"];
    let set = |price: Value, version: i32| json!({"variantId": variant, "price": price, "expectedVersion": version});
    let done = admin(&shop, PRICE, set(usd("9.00"), 1)).await;
    assert_eq!(
        done["product"]["variants"][0],
        json!({"version": 2, "price": {"amount": "9.00"}, "compareAtPrice": null})
    );
    let list = shop
        .ask(
            "{ products(sort: PRICE_ASC, filter: {minPrice: \"6\"}) { nodes { slug } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        crate::shop::texts(&list["products"]["nodes"], "/slug"),
        ["pan", "pot"]
    );
    let cases = [
        (set(usd("1"), 1), "VERSION_CONFLICT", "input.expectedVersion"),
        (set(usd("0.001"), 2), "INVALID", "input.price.amount"),
        (set(usd("99999999999999"), 2), "INVALID", "input.price.amount"),
        (
            set(json!({"amount": "1", "currencyCode": "EUR"}), 2),
            "INVALID",
            "input.price.currencyCode",
        ),
    ];
    for (input, code, field) in cases {
        assert_eq!(errors(&admin(&shop, PRICE, input).await), error(code, field));
    }
}
