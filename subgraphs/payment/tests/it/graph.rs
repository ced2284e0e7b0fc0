//! The graph: the buyer and staff see a payment, nobody else does; a list of any length takes one statement.

use axum::Router;
use contracts::{OrderId, UserId};
use graphql_kit::{GatewayKeys, HttpSettings};
use serde_json::{Value, json};
use service_auth::Role;
use service_kit::Env;
use test_kit::{GATEWAY_KEY, Statements, graphql};

use crate::world::{World, buyer};

const ORDER: &str = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Order {
    payment { status amount { amount currencyCode } refunded { amount } declineCode refunds { reason status } }
    amountDue { amount currencyCode } } } }";

struct Graph {
    world: World,
    router: Router,
    buyer: String,
    stranger: String,
    support: String,
}

impl Graph {
    async fn start() -> Self {
        let world = World::quiet().await;
        let gateway_key =
            GatewayKeys::from_env(&mut Env::from_pairs([("GATEWAY_KEY", GATEWAY_KEY)])).unwrap();
        let settings = HttpSettings {
            gateway_key,
            production: true,
            rates: graphql_kit::Rates::OFF,
        };
        let schema = payment::graphql::schema(world.app.clone());
        let router = graphql_kit::router(schema, settings.with_users(world.identity.verifier()));
        let token = |user, role| world.identity.user_token(user, &[role]);
        let someone = || UserId::from_uuid(OrderId::generate().uuid());
        Self {
            buyer: token(buyer(), Role::Customer),
            stranger: token(someone(), Role::Customer),
            support: token(someone(), Role::Support),
            router,
            world,
        }
    }

    async fn orders(&self, token: Option<&str>, representations: Vec<Value>) -> Value {
        let mut answer = graphql(&self.router, token, ORDER, json!({"of": representations})).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"]["_entities"].take()
    }

    /// How often the database is asked to resolve these orders, of which ten have a payment.
    async fn statements(&self, representations: Vec<Value>) -> usize {
        let statements = Statements::counted();
        let seen = self.orders(Some(&self.buyer), representations).await;
        assert_eq!(
            seen.as_array()
                .unwrap()
                .iter()
                .filter(|order| order["payment"] != Value::Null)
                .count(),
            10
        );
        statements.taken()
    }

    async fn order(&self, token: Option<&str>, order: OrderId) -> Value {
        self.orders(token, vec![representation(order)]).await[0].take()
    }
}

/// As the router sends it, with a total that nobody vouches for.
fn representation(order: OrderId) -> Value {
    let total = json!({"amount": "0.01", "currencyCode": "EUR"});
    json!({"__typename": "Order", "id": order.to_string(), "total": total})
}

#[tokio::test]
async fn buyer_and_staff_see_the_payment_of_an_order() {
    let graph = Graph::start().await;
    let order = OrderId::generate();
    graph.world.pay(order, "pm_card_visa").await;
    graph.world.refund(order, "return", Some(500)).await;
    for token in [&graph.buyer, &graph.support] {
        let seen = graph.order(Some(token), order).await;
        let expected = json!({
            "payment": {
                "status": "PARTIALLY_REFUNDED",
                "amount": {"amount": "19.99", "currencyCode": "USD"},
                "refunded": {"amount": "5.00"},
                "declineCode": null,
                "refunds": [{"reason": "return", "status": "SUCCEEDED"}],
            },
            "amountDue": {"amount": "0.00", "currencyCode": "USD"},
        });
        assert_eq!(seen, expected);
    }
    for token in [None, Some(graph.stranger.as_str())] {
        assert_eq!(
            graph.order(token, order).await,
            json!({"payment": null, "amountDue": null})
        );
    }
}

#[tokio::test]
async fn a_made_up_total_is_shown_only_where_nothing_is_known() {
    let graph = Graph::start().await;
    let order = OrderId::generate();
    let token = Some(graph.buyer.as_str());
    let due = graph.order(token, order).await["amountDue"].take();
    assert_eq!(due, json!({"amount": "0.01", "currencyCode": "EUR"}));
    graph.world.pay(order, "pm_mercato_never").await;
    let due = graph.order(token, order).await["amountDue"].take();
    assert_eq!(due, json!({"amount": "19.99", "currencyCode": "USD"}));
    graph.world.void(order).await;
    let due = graph.order(token, order).await["amountDue"].take();
    assert_eq!(due, json!({"amount": "0.00", "currencyCode": "USD"}));
}

#[tokio::test]
async fn odd_representations_are_null_and_leave_the_others_alone() {
    let graph = Graph::start().await;
    let order = OrderId::generate();
    graph.world.pay(order, "pm_card_chargeDeclined").await;
    let odd = json!({"__typename": "Order", "id": "ord_nonsense"});
    let without_total = json!({"__typename": "Order", "id": OrderId::generate().to_string()});
    let seen = graph
        .orders(
            Some(&graph.buyer),
            vec![odd, representation(order), without_total],
        )
        .await;
    assert_eq!(seen[0], Value::Null);
    assert_eq!(seen[1]["payment"]["declineCode"], "generic_decline");
    assert_eq!(seen[2], json!({"payment": null, "amountDue": null}));
}

#[tokio::test]
async fn a_payment_itself_is_an_entity_with_the_same_guard() {
    let graph = Graph::start().await;
    let order = OrderId::generate();
    let id = graph.world.pay(order, "pm_card_visa").await.1["payment_id"].take();
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Payment { id status } } }";
    let variables =
        json!({"of": [{"__typename": "Payment", "id": id}, {"__typename": "Payment", "id": "pay_x"}]});
    let seen = graphql(&graph.router, Some(&graph.buyer), query, variables.clone()).await;
    assert_eq!(
        seen["data"]["_entities"],
        json!([{"id": id, "status": "CAPTURED"}, null])
    );
    for token in [None, Some(graph.stranger.as_str())] {
        let seen = graphql(&graph.router, token, query, variables.clone()).await;
        assert_eq!(seen["data"]["_entities"], json!([null, null]));
    }
}

#[tokio::test]
async fn staff_page_through_all_payments() {
    let graph = Graph::start().await;
    for method in ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_visa"] {
        graph.world.pay(OrderId::generate(), method).await;
    }
    graph.world.void(OrderId::generate()).await;
    let query = "query($first: Int!, $after: String, $status: PaymentStatus) {
        payments(first: $first, after: $after, status: $status) {
            nodes { status } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let support = Some(graph.support.as_str());
    let first = graphql(&graph.router, support, query, json!({"first": 2})).await["data"]["payments"].take();
    assert_eq!(
        first["nodes"],
        json!([{"status": "CAPTURED"}, {"status": "FAILED"}])
    );
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = &first["pageInfo"]["endCursor"];
    let rest = graphql(&graph.router, support, query, json!({"first": 2, "after": after})).await;
    assert_eq!(rest["data"]["payments"]["nodes"], json!([{"status": "CAPTURED"}]));
    assert_eq!(rest["data"]["payments"]["pageInfo"]["hasNextPage"], false);
    let failed = graphql(
        &graph.router,
        support,
        query,
        json!({"first": 9, "status": "FAILED"}),
    )
    .await;
    assert_eq!(failed["data"]["payments"]["nodes"], json!([{"status": "FAILED"}]));
    for (token, variables, code) in [
        (None, json!({"first": 2}), "UNAUTHENTICATED"),
        (Some(graph.buyer.as_str()), json!({"first": 2}), "FORBIDDEN"),
        (support, json!({"first": 101}), "BAD_USER_INPUT"),
        (support, json!({"first": 2, "after": "x"}), "BAD_USER_INPUT"),
    ] {
        let refused = graphql(&graph.router, token, query, variables).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], code);
    }
}

#[tokio::test]
async fn orders_are_loaded_in_batches() {
    let graph = Graph::start().await;
    let mut orders = Vec::new();
    for _ in 0..10 {
        let order = OrderId::generate();
        graph.world.pay(order, "pm_card_visa").await;
        orders.push(representation(order));
    }
    // One for the payments, one for their refunds.
    assert_eq!(graph.statements(orders.clone()).await, 2);
    orders.extend((0..90).map(|_| representation(OrderId::generate())));
    assert_eq!(graph.statements(orders).await, 2);
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    assert_eq!(payment::graphql::sdl(), include_str!("../../schema.graphql"));
}
