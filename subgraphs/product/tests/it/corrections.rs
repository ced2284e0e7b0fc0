//! Searches with slips of the finger.

use std::collections::HashSet;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use test_kit::Statements;

use crate::shop::{Shop, code, data, item, texts};

const SEARCH: &str = "query($text: String!, $brand: String, $sort: ProductSort! = RELEVANCE, $first: Int! = 20, $after: String) {
    products(first: $first, after: $after, filter: {text: $text, brand: $brand}, sort: $sort) {
        correctedText totalCount nodes { slug } pageInfo { hasNextPage endCursor }
        facets { name values { value count } } } }";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    let mut beans = item("beans", "Espresso Coffee Beans", "12");
    beans["description"] = json!("Roasted berries, 500 g.");
    let mut mug = item("mug", "Stoneware Mug", "14");
    mug["brand"] = json!("Harbour");
    let mut headphones = item("headphones", "Wireless Headphones HX300", "99");
    headphones["brand"] = json!("Kolibri");
    let mut oven = item("oven", "Crème Brûlée Oven", "70");
    oven["brand"] = json!("Ember");
    shop.stock_up(vec![beans, mug, headphones, oven, item("tea", "Tea 22 LB", "3")])
        .await;
    shop
}

async fn search(shop: &Shop, text: &str) -> (Value, Vec<String>) {
    let mut answer = shop.ask(SEARCH, json!({"text": text})).await;
    let found = texts(&answer["products"]["nodes"], "/slug");
    assert_eq!(answer["products"]["totalCount"], found.len(), "{text}");
    (answer["products"]["correctedText"].take(), found)
}

#[tokio::test]
async fn unknown_words_are_corrected_and_the_others_stand() {
    let shop = shop().await;
    let cases: [(&str, Option<&str>, &[&str]); 21] = [
        ("cofee", Some("coffee"), &["beans"]),
        ("Cofee  BEENS!", Some("coffee beans"), &["beans"]),
        ("stonewear mug", Some("stoneware mug"), &["mug"]),
        ("stonwar", Some("stoneware"), &["mug"]),
        ("headfones", Some("headphones"), &["headphones"]),
        ("kolibrri", Some("kolibri"), &["headphones"]),
        ("crème brulle", Some("creme brulee"), &["oven"]),
        ("esperssos", Some("espresso"), &["beans"]),
        // What is known stands, unfinished or by its stem.
        ("coff", None, &["beans"]),
        ("berry", None, &["beans"]),
        ("kolibry", None, &["headphones"]),
        ("coffee oven", None, &[]),
        // Short words, numbers and codes are what they are.
        ("tae", None, &[]),
        ("MUG-SNAD-300", None, &[]),
        ("HX301", None, &[]),
        ("99", None, &[]),
        ("teaa 22", Some("tea 22"), &["tea"]),
        // Nothing is like it.
        ("xylophone", None, &[]),
        ("cofee xylophone", None, &[]),
        // Each word alone is known or corrected, and nothing has both.
        ("cofee oven", None, &[]),
        ("!!!", None, &[]),
    ];
    for (text, corrected, slugs) in cases {
        let expected = (json!(corrected), slugs.iter().map(ToString::to_string).collect());
        assert_eq!(search(&shop, text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn hostile_text_is_only_text_when_corrected_too() {
    let shop = shop().await;
    for text in [
        "cofee' OR 1=1; DROP TABLE search_word; --",
        "cofee:* & | !",
        "cofee\\",
        "cofee\u{0}",
        "%cofee_",
        "cofee \u{10ffff}",
        &"cofee ".repeat(2_000),
        &"q".repeat(5_000),
    ] {
        let answer = shop.ask_as(None, SEARCH, json!({"text": text})).await;
        assert_eq!(answer["errors"], Value::Null, "{text:?}: {answer}");
    }
    assert_eq!(search(&shop, "cofee").await.0, "coffee");
    // Of many words the first eight count, as in any search.
    let (corrected, found) = search(&shop, "cofee cofee cofee cofee cofee cofee cofee cofee xylophone").await;
    assert_eq!(found, ["beans"]);
    assert_eq!(corrected, ["coffee"; 8].join(" "));
}

#[tokio::test]
async fn count_and_facets_are_those_of_the_correction() {
    let shop = shop().await;
    let right = shop.ask(SEARCH, json!({"text": "headphones"})).await;
    let wrong = shop.ask(SEARCH, json!({"text": "haedphones"})).await;
    assert_eq!(wrong["products"]["facets"], right["products"]["facets"]);
    assert_eq!(wrong["products"]["facets"][0]["values"][0]["value"], "Kolibri");
    let elsewhere = shop
        .ask(SEARCH, json!({"text": "haedphones", "brand": "Ember"}))
        .await;
    assert_eq!(elsewhere["products"]["correctedText"], Value::Null);
    assert_eq!(elsewhere["products"]["totalCount"], 0);
}

#[tokio::test]
async fn pages_go_on_with_what_the_first_was_about() {
    let shop = Shop::open().await;
    let lamps = (0..25).map(|n| item(&format!("lamp-{n}"), &format!("Lantern {n}"), "5"));
    shop.stock_up(lamps.collect()).await;
    for sort in ["RELEVANCE", "NEWEST", "PRICE_ASC", "PRICE_DESC", "TITLE"] {
        let (mut seen, mut after) = (HashSet::new(), Value::Null);
        for page in 0..3 {
            let asked = json!({"text": "lantren", "sort": sort, "first": 10, "after": after});
            let found = shop.ask(SEARCH, asked).await["products"].take();
            assert_eq!(found["correctedText"], "lantern", "{sort} {page}");
            assert_eq!(found["totalCount"], 25, "{sort} {page}");
            seen.extend(texts(&found["nodes"], "/slug"));
            after = found["pageInfo"]["endCursor"].clone();
            if page == 0 {
                // From now on the text finds something itself; who has begun to read goes on.
                shop.stock_up(vec![item("lantren", "Lantren", "5")]).await;
            }
            assert_eq!(found["pageInfo"]["hasNextPage"], page < 2, "{sort} {page}");
        }
        assert_eq!(seen.len(), 25, "{sort}");
        rename(&shop, "lantren", "Something else").await;
    }
}

/// Changes a product's title through the graph.
async fn rename(shop: &Shop, slug: &str, title: &str) {
    change(shop, slug, json!({"title": title})).await;
}

async fn change(shop: &Shop, slug: &str, change: Value) {
    let admin = Some(shop.admin.as_str());
    let asked = "query($slug: String!) { product(slug: $slug) { id version } }";
    let product = data(shop.ask_as(admin, asked, json!({"slug": slug})).await)["product"].take();
    let mut input = change;
    input["productId"] = product["id"].clone();
    input["expectedVersion"] = product["version"].clone();
    let update =
        "mutation($input: UpdateProductInput!) { updateProduct(input: $input) { userErrors { code } } }";
    let answer = data(shop.ask_as(admin, update, json!({"input": input})).await);
    assert_eq!(answer["updateProduct"]["userErrors"], json!([]));
}

#[tokio::test]
async fn cursors_of_corrections_are_checked() {
    let shop = shop().await;
    let id = contracts::ProductId::generate();
    let forged = |text: &str| {
        let key = json!({"k": 7, "i": id, "t": text});
        graphql_kit::page::cursor("products.relevance", &key)
    };
    for text in ["", " ", "\u{0}", &"x".repeat(201)] {
        let asked = json!({"text": "cofee", "after": forged(text)});
        assert_eq!(
            code(&shop.ask_as(None, SEARCH, asked).await),
            "BAD_USER_INPUT",
            "{text:?}"
        );
    }
    let without_text = "query($after: String) { products(sort: NEWEST, after: $after) { nodes { id } } }";
    let after = graphql_kit::page::cursor("products.newest", &json!({"k": 7, "i": id, "t": "coffee"}));
    let answer = shop.ask_as(None, without_text, json!({"after": after})).await;
    assert_eq!(code(&answer), "BAD_USER_INPUT");
}

#[tokio::test]
async fn words_come_and_go_with_the_products_for_sale() {
    let shop = Shop::open().await;
    let mut draft = item("draft", "Zephyrphone", "1");
    draft["status"] = json!("DRAFT");
    shop.stock_up(vec![draft, item("plain", "Marzipan", "1")]).await;
    let nothing = (Value::Null, vec![]);
    assert_eq!(
        search(&shop, "zephyrphon e").await,
        nothing,
        "a draft's name is nobody's business"
    );
    assert_eq!(search(&shop, "zepyrphone").await, nothing);
    assert_eq!(search(&shop, "marzipna").await.0, "marzipan");

    change(&shop, "draft", json!({"status": "ACTIVE"})).await;
    assert_eq!(search(&shop, "zepyrphone").await.0, "zephyrphone");
    rename(&shop, "plain", "Nougat").await;
    assert_eq!(search(&shop, "marzipna").await, nothing);
    assert_eq!(search(&shop, "nuogat").await.0, "nougat");
    change(&shop, "draft", json!({"status": "ARCHIVED"})).await;
    assert_eq!(search(&shop, "zepyrphone").await, nothing);

    // The books agree with a count from scratch, whatever came in which order.
    let mut again = item("plain", "Nougat from Acme", "2");
    again["description"] = json!("Nougat and more nougat.");
    shop.stock_up(vec![again, item("third", "More nougat", "1")])
        .await;
    sqlx::query("DELETE FROM variant WHERE product_id IN (SELECT id FROM product WHERE slug = 'third')")
        .execute(&shop.app.pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM product WHERE slug = 'third'")
        .execute(&shop.app.pool)
        .await
        .unwrap();
    let kept = "SELECT word, products::bigint FROM search_word WHERE products <> 0 ORDER BY word";
    let counted =
        "SELECT word, count(*) FROM product p, search_words(p.title, p.brand, p.description) AS word
                   WHERE p.status = 'ACTIVE' GROUP BY word ORDER BY word COLLATE \"C\"";
    let read = |sql: &'static str| sqlx::query_as::<_, (String, i64)>(sql).fetch_all(&shop.app.pool);
    let (kept, counted) = (read(kept).await.unwrap(), read(counted).await.unwrap());
    assert!(kept.contains(&("nougat".to_owned(), 1)), "{kept:?}");
    assert_eq!(kept, counted);
}

#[tokio::test]
async fn writers_at_once_count_every_word() {
    let shop = Shop::open().await;
    shop.stock_up(vec![item("a", "Alpha beta", "1"), item("b", "Beta alpha", "1")])
        .await;
    for round in 0..5 {
        let imported = (0..20).map(|n| item(&format!("p-{n}"), &format!("Beta gamma alpha {round}"), "1"));
        let title = format!("Gamma {round} alpha beta");
        tokio::join!(
            shop.stock_up(imported.collect()),
            rename(&shop, "a", &title),
            rename(&shop, "b", &title)
        );
    }
    let count: i32 = sqlx::query_scalar("SELECT products FROM search_word WHERE word = 'gamma'")
        .fetch_one(&shop.app.pool)
        .await
        .unwrap();
    assert_eq!(count, 22);
}

#[tokio::test]
async fn a_correction_costs_two_statements_and_only_when_nothing_is_found() {
    let shop = shop().await;
    let statements = Statements::counted();
    let query = "query($text: String!) { products(filter: {text: $text}) { correctedText nodes { id } } }";
    for (text, count) in [("coffee", 1), ("cofee", 3), ("xylophone", 2)] {
        shop.ask(query, json!({"text": text})).await;
        assert_eq!(statements.taken(), count, "{text}");
    }
}

/// As a deployment does it: the service's account owns its database and nothing else.
#[tokio::test]
async fn the_migrations_need_no_superuser() {
    let db = test_kit::empty_postgres().await;
    let mut owner = sqlx::PgConnection::connect(&db.url).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    for sql in [
        format!("CREATE ROLE {name} NOSUPERUSER"),
        format!("ALTER DATABASE {name} OWNER TO {name}"),
        format!("SET ROLE {name}"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    }
    product::MIGRATOR.run(&mut owner).await.unwrap();
    for sql in [
        "RESET ROLE".to_owned(),
        format!("REASSIGN OWNED BY {name} TO CURRENT_USER"),
        format!("DROP ROLE {name}"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    }
}
