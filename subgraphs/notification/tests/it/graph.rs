//! The graph: who may see and do what, pages, batches.

use axum::Router;
use contracts::order::OrderStep;
use contracts::{NotificationId, UserId};
use graphql_kit::{GatewayKeys, HttpConfig};
use serde_json::{Value, json};
use service_auth::Role;
use test_kit::{GATEWAY_KEY, Statements};

use crate::stage::{Stage, refunded};

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
            router: graphql_kit::router(notification::schema(stage.app.clone()), config),
            own: token(stage.user, Role::Customer),
            stranger: token(UserId::generate(), Role::Customer),
            staff: token(UserId::generate(), Role::Support),
            admin: token(UserId::generate(), Role::Admin),
        }
    }

    pub(crate) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        test_kit::graphql(&self.router, Some(token), query, variables).await
    }

    async fn of(&self, token: &str, users: &[UserId], fields: &str) -> Value {
        let query = format!(
            "query($users: [_Any!]!) {{ _entities(representations: $users) {{ ... on User {{ id {fields} }} }} }}"
        );
        let users: Vec<_> = users
            .iter()
            .map(|user| json!({ "__typename": "User", "id": user.to_string() }))
            .collect();
        self.ask(token, &query, json!({ "users": users })).await
    }
}

pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

const MARK: &str = "mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) {
    markedCount user { id unreadNotificationCount } userErrors { code message field } } }";
const ALL: &str =
    "notifications { nodes { id kind title body amount { amount currencyCode } order { id } readAt } }
    unreadNotificationCount notificationPreferences { enabled }";

#[tokio::test]
async fn what_was_told_is_seen_by_the_user_and_by_staff() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = stage.paid().await;
    stage.hear(refunded(order)).await;
    let own = graph.of(&graph.own, &[stage.user], ALL).await;
    let user = &own["data"]["_entities"][0];
    assert_eq!(user["unreadNotificationCount"], 2, "{own}");
    let nodes = user["notifications"]["nodes"].as_array().unwrap();
    assert_eq!(
        (&nodes[0]["kind"], &nodes[1]["kind"]),
        (&json!("REFUND_COMPLETED"), &json!("ORDER_PAID"))
    );
    assert_eq!(
        nodes[0]["amount"],
        json!({ "amount": "19.99", "currencyCode": "EUR" })
    );
    assert!(nodes[0]["body"].as_str().unwrap().contains("19.99 EUR"));
    assert_eq!(
        (&nodes[1]["order"]["id"], &nodes[1]["title"]),
        (&json!(order.to_string()), &json!("Your order is paid"))
    );
    for token in [&graph.staff, &graph.admin] {
        assert_eq!(graph.of(token, &[stage.user], ALL).await, own);
    }
}

#[tokio::test]
async fn a_stranger_sees_and_changes_nothing() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    stage.paid().await;
    for fields in [
        "notifications { nodes { id } }",
        "unreadNotificationCount",
        "notificationPreferences { kind }",
    ] {
        let answer = graph.of(&graph.stranger, &[stage.user], fields).await;
        assert_eq!(code(&answer), "FORBIDDEN", "{fields}");
        assert!(!answer.to_string().contains("ntf_"), "{answer}");
        let query = "query($users: [_Any!]!) { _entities(representations: $users) {
            ... on User { unreadNotificationCount } } }";
        let users = json!({ "users": [{ "__typename": "User", "id": stage.user.to_string() }] });
        let nobody = test_kit::graphql(&graph.router, None, query, users).await;
        assert_eq!(code(&nobody), "UNAUTHENTICATED");
    }
    let own = graph
        .of(&graph.own, &[stage.user], "notifications { nodes { id } }")
        .await;
    let id = own["data"]["_entities"][0]["notifications"]["nodes"][0]["id"].clone();
    for token in [&graph.stranger, &graph.staff, &graph.admin] {
        let answer = graph
            .ask(token, MARK, json!({ "input": { "notificationIds": [id] } }))
            .await;
        let payload = &answer["data"]["markNotificationsRead"];
        assert_eq!(
            (&payload["userErrors"][0]["code"], &payload["markedCount"]),
            (&json!("NOT_FOUND"), &json!(0)),
            "{answer}"
        );
        let answer = graph.ask(token, MARK, json!({ "input": {} })).await;
        assert_eq!(answer["data"]["markNotificationsRead"]["markedCount"], 0);
    }
    let own = graph
        .of(&graph.own, &[stage.user], "unreadNotificationCount")
        .await;
    assert_eq!(own["data"]["_entities"][0]["unreadNotificationCount"], 1);
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    for _ in 0..7 {
        stage.paid().await;
    }
    let page =
        "query($users: [_Any!]!, $after: String, $unread: Boolean!) { _entities(representations: $users) {
        ... on User { notifications(first: 3, after: $after, unreadOnly: $unread) {
            edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }";
    let users = json!([{ "__typename": "User", "id": stage.user.to_string() }]);
    let (mut after, mut seen, mut sizes) = (Value::Null, Vec::new(), Vec::new());
    loop {
        let variables = json!({ "users": users, "after": after, "unread": false });
        let answer = graph.ask(&graph.own, page, variables).await;
        let list = answer["data"]["_entities"][0]["notifications"].clone();
        let edges = list["edges"].as_array().unwrap();
        sizes.push(edges.len());
        seen.extend(
            edges
                .iter()
                .map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()),
        );
        assert_eq!(list["pageInfo"]["hasPreviousPage"], !after.is_null());
        after = list["pageInfo"]["endCursor"].clone();
        if list["pageInfo"]["hasNextPage"] == false {
            break;
        }
        // What comes meanwhile stands before the page and moves nothing.
        stage.paid().await;
    }
    assert_eq!(sizes, [3, 3, 1]);
    let mut sorted = seen.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    sorted.dedup();
    assert_eq!(seen, sorted, "newest first, each once");

    let read = json!({ "input": { "notificationIds": [seen[0], seen[1], seen[0]] } });
    let answer = graph.ask(&graph.own, MARK, read.clone()).await;
    let payload = &answer["data"]["markNotificationsRead"];
    assert_eq!(
        (
            &payload["markedCount"],
            &payload["user"]["unreadNotificationCount"]
        ),
        (&json!(2), &json!(7)),
        "{answer}"
    );
    let again = graph.ask(&graph.own, MARK, read).await;
    assert_eq!(again["data"]["markNotificationsRead"]["markedCount"], 0);
    let variables = json!({ "users": users, "after": null, "unread": true });
    let unread = graph.ask(&graph.own, page, variables).await;
    assert!(!unread.to_string().contains(&seen[0]), "{unread}");
    let mixed = json!({ "input": { "notificationIds": [seen[2], NotificationId::generate().to_string()] } });
    let mixed = graph.ask(&graph.own, MARK, mixed).await;
    assert_eq!(
        mixed["data"]["markNotificationsRead"]["userErrors"][0]["field"],
        json!(["input", "notificationIds"])
    );
    let all = graph.ask(&graph.own, MARK, json!({ "input": {} })).await;
    let payload = &all["data"]["markNotificationsRead"];
    assert_eq!(
        (
            &payload["markedCount"],
            &payload["user"]["unreadNotificationCount"]
        ),
        (&json!(7), &json!(0)),
        "{all}"
    );
    for variables in [
        json!({ "users": users, "after": "nonsense", "unread": false }),
        json!({ "users": users, "after": graphql_kit::page::cursor("other", &seen[0]), "unread": false }),
    ] {
        assert_eq!(
            code(&graph.ask(&graph.own, page, variables).await),
            "BAD_USER_INPUT"
        );
    }
    for ids in [
        json!(["usr_x"]),
        json!(vec![NotificationId::generate().to_string(); 101]),
    ] {
        let input = json!({ "input": { "notificationIds": ids } });
        assert_eq!(code(&graph.ask(&graph.own, MARK, input).await), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn a_hundred_users_are_one_statement_for_each_field() {
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let mut users = vec![stage.user];
    users.resize_with(100, UserId::generate);
    stage.paid().await;
    for user in &users[1..5] {
        let mut theirs = stage.moved(contracts::OrderId::generate(), OrderStep::Paid);
        theirs.user_id = *user;
        stage.hear(theirs).await;
    }
    for fields in [
        "notifications(first: 2) { nodes { id } }",
        "unreadNotificationCount",
        "notificationPreferences { enabled }",
    ] {
        let statements = Statements::counted();
        let answer = graph.of(&graph.staff, &users, fields).await;
        assert_eq!(statements.taken(), 1, "{fields}");
        assert_eq!(answer["data"]["_entities"].as_array().unwrap().len(), 100);
    }
}
