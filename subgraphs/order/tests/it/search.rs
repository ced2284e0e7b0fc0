//! The operators' search: by number, id, buyer and the words of what was bought, in pages.

use contracts::{OrderId, UserId};
use order::CreateOrder;
use serde_json::{Value, json};

use crate::graph::{Graph, code};
use crate::stage::Stage;

const FIND: &str = "query($first: Int, $after: String, $filter: OrderFilter) {
    orders(first: $first, after: $after, filter: $filter) { nodes { id number } pageInfo { hasNextPage endCursor } } }";

/// An order of one thing called so, by a user of its own.
async fn order_of(stage: &Stage, title: &str) -> (OrderId, UserId) {
    let variant = stage.world.variant(5);
    title.clone_into(&mut stage.world.books().variants.get_mut(&variant).unwrap().title);
    let user = UserId::generate();
    let cart = stage.world.cart(Some(user), &[(variant, 1)]);
    let request = CreateOrder {
        user,
        ..stage.request(cart, "pm_card_visa", &format!("search-{variant}"))
    };
    match stage.app.create_order(request).await.unwrap() {
        order::Created::Order(order) => (order, user),
        other => panic!("{other:?}"),
    }
}

async fn found(graph: &Graph, filter: Value) -> Vec<String> {
    let page = json!({ "first": 20, "filter": filter });
    let answer = graph.ask(&graph.staff, FIND, page).await;
    let nodes = answer["data"]["orders"]["nodes"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn orders_are_found_by_what_operators_have() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let (mug, buyer) = order_of(&stage, "Mug, \"Käse\" blue").await;
    let (tea, _) = order_of(&stage, "Tea Assam 250").await;
    let number = stage.order(mug).await.number.to_string();
    let sku = stage.app.lines(&[tea]).await.unwrap().remove(&tea).unwrap()[0]
        .sku
        .clone();
    for (text, expected) in [
        (mug.to_string(), vec![mug]),
        (OrderId::generate().to_string(), vec![]),
        (buyer.to_string(), vec![mug]),
        (number.clone(), vec![mug]),
        (number.trim_start_matches("M-").to_owned(), vec![mug]),
        ("M-1".to_owned(), vec![]),
        (sku, vec![tea]),
        ("MUG".to_owned(), vec![mug]),
        ("blue mu".to_owned(), vec![mug]),
        ("assam".to_owned(), vec![tea]),
        ("kä".to_owned(), vec![mug]),
        ("250".to_owned(), vec![tea]),
        ("sku".to_owned(), vec![tea, mug]),
        ("mug tea".to_owned(), vec![]),
        ("it's':* | !mug".to_owned(), vec![]),
        ("somebody@example.com".to_owned(), vec![]),
    ] {
        let expected: Vec<_> = expected.iter().map(OrderId::to_string).collect();
        assert_eq!(found(&graph, json!({ "text": text })).await, expected, "{text}");
    }
    let both = json!({ "text": buyer.to_string(), "userId": UserId::generate().to_string() });
    assert_eq!(found(&graph, both).await, Vec::<String>::new());
    let cancelled = json!({ "text": "mug", "status": ["CANCELLED"] });
    assert_eq!(found(&graph, cancelled).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_span_of_time_and_pages() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(order_of(&stage, "Mug").await.0);
    }
    placed.reverse();
    let at = stage.order(placed[2]).await.placed_at.to_rfc3339();
    let ids = |orders: &[OrderId]| orders.iter().map(OrderId::to_string).collect::<Vec<_>>();
    assert_eq!(
        found(&graph, json!({ "placedFrom": at })).await,
        ids(&placed[..3])
    );
    assert_eq!(
        found(&graph, json!({ "placedBefore": at })).await,
        ids(&placed[3..])
    );
    assert_eq!(
        found(&graph, json!({ "placedFrom": at, "placedBefore": at })).await,
        Vec::<String>::new()
    );
    let ages = json!({ "placedFrom": "0000-01-01T00:00:00Z", "placedBefore": "9999-12-31T23:59:59Z" });
    assert_eq!(found(&graph, ages).await, ids(&placed));

    let (mut after, mut seen) = (Value::Null, Vec::new());
    for _ in 0..3 {
        let page = json!({ "first": 2, "after": after, "filter": { "text": "mug" } });
        let answer = graph.ask(&graph.staff, FIND, page).await;
        let orders = &answer["data"]["orders"];
        let nodes = orders["nodes"].as_array().unwrap();
        seen.extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        after = orders["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ids(&placed));
}

#[tokio::test]
async fn it_is_for_staff_and_for_lists() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let filter = json!({ "first": 20, "filter": { "text": "mug" } });
    assert_eq!(code(&graph.ask(&graph.own, FIND, filter).await), "FORBIDDEN");
    for text in ["", " - ", "x\u{0}y", &"x".repeat(201)] {
        let refused = graph
            .ask(
                &graph.staff,
                FIND,
                json!({ "first": 20, "filter": { "text": text } }),
            )
            .await;
        assert_eq!(code(&refused), "BAD_USER_INPUT", "{text:?}");
    }
}

/// Each search finds its way by an index, so that it does not read all orders.
#[tokio::test]
async fn searches_use_their_indexes() {
    let stage = Stage::new().await;
    let mut conn = stage.db.pool.acquire().await.unwrap();
    sqlx::query("SET enable_seqscan = off")
        .execute(&mut *conn)
        .await
        .unwrap();
    for (sql, index) in [
        (
            "EXPLAIN SELECT id FROM orders WHERE number = 7",
            "orders_by_number",
        ),
        (
            "EXPLAIN SELECT order_id FROM order_line WHERE order_words(sku, name) @@ to_tsquery('simple', '''mu'':*')",
            "order_line_words",
        ),
    ] {
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *conn).await.unwrap();
        assert!(plan.join("\n").contains(index), "{plan:?}");
    }
}
