//! The graph: who may see and do what, pages, batches.

use axum::Router;
use contracts::{OrderId, UserId};
use graphql_kit::{GatewayKeys, HttpConfig};
use order::domain::State;
use serde_json::{Value, json};
use service_auth::Role;
use test_kit::GATEWAY_KEY;

use crate::stage::Stage;
use test_kit::Statements;

pub(crate) struct Graph {
    router: Router,
    pub(crate) own: String,
    pub(crate) stranger: String,
    pub(crate) staff: String,
    pub(crate) admin: String,
}

impl Graph {
    pub(crate) fn new(stage: &Stage) -> Self {
        let config = HttpConfig::new(
            GATEWAY_KEY.parse::<GatewayKeys>().unwrap(),
            stage.identity.verifier(),
            true,
        );
        let token = |user, role| stage.identity.user_token(user, &[role]);
        Self {
            router: graphql_kit::router(order::graphql::schema(stage.app.clone()), config),
            own: token(stage.user, Role::Customer),
            stranger: token(UserId::generate(), Role::Customer),
            staff: token(UserId::generate(), Role::Support),
            admin: token(UserId::generate(), Role::Admin),
        }
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.router, Some(token), query, variables).await
    }
}

const ORDER: &str =
    "query($id: ID!) { order(id: $id) { id number status version isFinal placedAt customer { id }
    lines { id title sku quantity unitPrice { amount currencyCode } lineTotal { amount } variant { id } }
    total { amount currencyCode } cancelReason timeline { sequence step status message at } } }";
const CREATE: &str = "mutation($input: CreateOrderInput!) { createOrder(input: $input) {
    order { id status version } userErrors { code message field } } }";
const CANCEL: &str = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) {
    order { id status } userErrors { code field } } }";

pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn an_order_is_seen_by_its_buyer_and_by_staff() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = stage.at(State::Paid).await;
    let variables = json!({ "id": order.to_string() });
    let own = graph.ask(&graph.own, ORDER, variables.clone()).await;
    let shown = &own["data"]["order"];
    assert_eq!(
        (&shown["status"], &shown["version"], &shown["isFinal"]),
        (&json!("PAID"), &json!(8), &json!(true))
    );
    assert_eq!(shown["total"], json!({ "amount": "5.00", "currencyCode": "USD" }));
    assert_eq!(shown["lines"][0]["lineTotal"]["amount"], "5.00");
    assert_eq!(shown["timeline"].as_array().unwrap().len(), 8);
    assert_eq!(graph.ask(&graph.staff, ORDER, variables.clone()).await, own);
    let none = json!({ "data": { "order": null } });
    assert_eq!(graph.ask(&graph.stranger, ORDER, variables.clone()).await, none);
    let unknown = json!({ "id": OrderId::generate().to_string() });
    assert_eq!(graph.ask(&graph.own, ORDER, unknown).await, none);
    assert_eq!(
        code(&test_kit::graphql(&graph.router, None, ORDER, variables.clone()).await),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        code(&graph.ask(&graph.own, ORDER, json!({ "id": "1 OR 1=1" })).await),
        "BAD_USER_INPUT"
    );
    let saga = "query($id: ID!) { order(id: $id) { saga { step needsAttention steps { name kind state attempts } } } }";
    assert_eq!(
        code(&graph.ask(&graph.own, saga, variables.clone()).await),
        "FORBIDDEN"
    );
    let saga = graph.ask(&graph.staff, saga, variables).await;
    let saga = &saga["data"]["order"]["saga"];
    assert_eq!(
        (&saga["step"], &saga["steps"].as_array().unwrap().len()),
        (&json!("PAID"), &3)
    );
    assert_eq!(
        saga["steps"][0],
        json!({ "name": "reserve", "kind": "FORWARD", "state": "DONE", "attempts": 1 })
    );
}

#[tokio::test]
async fn placing_and_cancelling_through_the_graph() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let cart = stage.mugs(5, 1);
    let input = json!({ "cartId": cart.to_string(), "cartVersion": 3, "expectedTotal": "5.00",
        "paymentMethod": "pm_card_visa", "idempotencyKey": "graph-create-1" });
    let variables = json!({ "input": input });
    assert_eq!(
        code(&test_kit::graphql(&graph.router, None, CREATE, variables.clone()).await),
        "UNAUTHENTICATED"
    );
    let placed = graph.ask(&graph.own, CREATE, variables.clone()).await;
    let placed = &placed["data"]["createOrder"];
    assert_eq!(placed["userErrors"], json!([]));
    assert_eq!(
        (&placed["order"]["status"], &placed["order"]["version"]),
        (&json!("PENDING"), &json!(2))
    );
    let again = graph.ask(&graph.own, CREATE, variables.clone()).await;
    assert_eq!(again["data"]["createOrder"]["order"]["id"], placed["order"]["id"]);
    let stranger = graph.ask(&graph.stranger, CREATE, variables).await;
    let stranger = &stranger["data"]["createOrder"]["userErrors"][0];
    assert_eq!(
        (&stranger["code"], &stranger["field"]),
        (&json!("CART_NOT_FOUND"), &json!(["input", "cartId"]))
    );
    let cancel = json!({ "input": { "orderId": placed["order"]["id"], "idempotencyKey": "graph-cancel-1" } });
    let refused = graph.ask(&graph.stranger, CANCEL, cancel.clone()).await;
    assert_eq!(
        refused["data"]["cancelOrder"]["userErrors"][0]["code"],
        "NOT_FOUND"
    );
    assert_eq!(refused["data"]["cancelOrder"]["order"], Value::Null);
    let cancelled = graph.ask(&graph.own, CANCEL, cancel).await;
    assert_eq!(cancelled["data"]["cancelOrder"]["userErrors"], json!([]));
    assert_eq!(cancelled["data"]["cancelOrder"]["order"]["status"], "CANCELLED");
    let paid = stage.at(State::Paid).await;
    let late = json!({ "input": { "orderId": paid.to_string(), "idempotencyKey": "graph-cancel-2" } });
    let late = graph.ask(&graph.own, CANCEL, late).await;
    assert_eq!(
        late["data"]["cancelOrder"]["userErrors"][0]["code"],
        "NOT_CANCELLABLE"
    );
}

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let cart = stage.mugs(5, 1);
    let good = json!({ "cartId": cart.to_string(), "paymentMethod": "pm_card_visa", "idempotencyKey": "bad-input-1" });
    for (field, value) in [
        ("cartId", json!("cart_nonsense")),
        ("paymentMethod", json!("4242 4242 4242 4242")),
        ("paymentMethod", json!("")),
        ("idempotencyKey", json!("short")),
        ("idempotencyKey", json!("k".repeat(201))),
        ("expectedTotal", json!("1e400")),
    ] {
        let mut input = good.clone();
        input[field] = value.clone();
        let answer = graph.ask(&graph.own, CREATE, json!({ "input": input })).await;
        assert!(
            answer["errors"][0]["message"].is_string(),
            "{field} {value}: {answer}"
        );
    }
    let placed: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(placed, 0);
}

#[tokio::test]
async fn what_staff_do_is_for_staff() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = stage.at(State::Paid).await.to_string();
    let mutation = |name: &str, fields: &str| {
        format!(
            "mutation {{ {name}(input: {{ orderId: \"{order}\" {fields} }}) {{ order {{ status }} userErrors {{ code }} }} }}"
        )
    };
    let all = [
        ("shipOrder", "carrier: \"DHL\"", "SHIPPED"),
        ("deliverOrder", "", "DELIVERED"),
        (
            "refundOrder",
            "reason: \"broken\" idempotencyKey: \"refund-graph-1\"",
            "PAID",
        ),
    ];
    for (name, fields, status) in all {
        let query = mutation(name, fields);
        assert_eq!(
            code(&graph.ask(&graph.own, &query, json!({})).await),
            "FORBIDDEN",
            "{name}"
        );
        let done = graph.ask(&graph.staff, &query, json!({})).await;
        assert_eq!(
            done["data"][name],
            json!({ "order": { "status": status }, "userErrors": [] }),
            "{done}"
        );
    }
    let again = graph
        .ask(&graph.staff, &mutation("shipOrder", ""), json!({}))
        .await;
    assert_eq!(
        again["data"]["shipOrder"]["userErrors"][0]["code"],
        "INVALID_STATE"
    );
    assert_eq!(
        code(
            &graph
                .ask(&graph.own, "{ orders { nodes { id } } }", json!({}))
                .await
        ),
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn lists_page_through_every_order_once() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, stage.place("pm_card_visa").await.to_string());
    }
    let me = json!([{ "__typename": "User", "id": stage.user.to_string() }]);
    let query = "query($me: [_Any!]!, $after: String) { _entities(representations: $me) { ... on User {
        orders(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } edges { cursor } } } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = graph
            .ask(&graph.own, query, json!({ "me": me, "after": after }))
            .await;
        let page = answer["data"]["_entities"][0]["orders"].clone();
        let ids = page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        seen.extend(ids.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, placed);
    let answer = graph
        .ask(&graph.stranger, query, json!({ "me": me, "after": null }))
        .await;
    assert_eq!(code(&answer), "FORBIDDEN");
    let bad = graph
        .ask(&graph.own, query, json!({ "me": me, "after": "AAAA" }))
        .await;
    assert_eq!(code(&bad), "BAD_USER_INPUT");
    let staff = "query($filter: OrderFilter) { orders(first: 3, filter: $filter) { nodes { id } } }";
    for (filter, count) in [
        (json!(null), 3),
        (json!({ "status": ["PENDING"] }), 3),
        (json!({ "status": ["PAID", "CANCELLED"] }), 0),
        (json!({ "needsAttention": true }), 0),
        (
            json!({ "needsAttention": false, "userId": stage.user.to_string() }),
            3,
        ),
        (json!({ "userId": UserId::generate().to_string() }), 0),
    ] {
        let answer = graph.ask(&graph.staff, staff, json!({ "filter": filter })).await;
        assert_eq!(
            answer["data"]["orders"]["nodes"].as_array().unwrap().len(),
            count,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn entities_are_guarded_one_by_one_and_loaded_together() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = stage.place("pm_card_visa").await;
    let mut representations = vec![
        json!({ "__typename": "Order", "id": order.to_string() }),
        json!({ "__typename": "Order", "id": "nonsense" }),
    ];
    for _ in 0..98 {
        representations.push(json!({ "__typename": "Order", "id": OrderId::generate().to_string() }));
    }
    let query =
        "query($of: [_Any!]!) { _entities(representations: $of) { ... on Order { id total { amount } } } }";
    let counted = Statements::counted();
    let answer = graph
        .ask(&graph.own, query, json!({ "of": representations }))
        .await;
    assert_eq!(counted.taken(), 1);
    let found = answer["data"]["_entities"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(found[0]["total"]["amount"], "5.00");
    assert!(found[1..].iter().all(Value::is_null));
    let stranger = graph
        .ask(&graph.stranger, query, json!({ "of": representations }))
        .await;
    assert!(
        stranger["data"]["_entities"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_null)
    );
}
