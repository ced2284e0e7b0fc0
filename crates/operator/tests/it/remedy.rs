//! `saga retry` and `saga cancel`: what is asked of the graph, and what becomes of its answer.

use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use operator::remedy;
use serde_json::{Value, json};
use shopper::target::Target;
use test_kit::TestServer;

use crate::world::id;

type Heard = Arc<Mutex<Vec<(Option<String>, Value)>>>;

/// A graph that signs the administrator in and answers everything else with `payload`.
async fn graph(payload: Value) -> (TestServer, Heard, Target) {
    let heard: Heard = Arc::default();
    let hearing = Arc::clone(&heard);
    let answer = move |headers: axum::http::HeaderMap, Json(body): Json<Value>| {
        let bearer = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        let name = body["operationName"].as_str().unwrap().to_owned();
        let data = match name.as_str() {
            "Login" => json!({"login": {"session": {"accessToken": "admin-token", "refreshToken": "r",
                "expiresAt": "2999-01-01T00:00:00Z", "user": {"id": "usr_1"}}, "userErrors": []}}),
            "RetryOrder" => json!({"retryOrder": payload}),
            _ => json!({"cancelOrder": payload}),
        };
        hearing.lock().unwrap().push((bearer, body));
        async move { Json(json!({"data": data})) }
    };
    let server = TestServer::serve(Router::new().route("/graphql", post(answer))).await;
    let target = Target {
        // Nobody listens there: an operator needs the staff's graph alone.
        graphql: "http://127.0.0.1:1/".parse().unwrap(),
        staff: server.url("graphql"),
        ws: "ws://127.0.0.1:1/".parse().unwrap(),
        notices: None,
        mail: None,
        admin_email: Some("admin@example.com".to_owned()),
        admin_password: Some("correct horse battery".to_owned()),
    };
    (server, heard, target)
}

fn order() -> Value {
    json!({"order": {"id": id().to_string(), "number": "M-100012", "status": "PENDING", "cancelReason": null,
        "saga": {"step": "reserve", "attempt": 1, "needsAttention": false, "lastError": null}}, "userErrors": []})
}

#[tokio::test]
async fn a_retry_is_asked_for_as_the_administrator() {
    let (_server, heard, target) = graph(order()).await;
    let answer = remedy::retry(&target, id()).await.unwrap();
    assert_eq!(answer.to_string(), "M-100012 is PENDING, at reserve, attempt 1");
    let heard = heard.lock().unwrap();
    let (bearer, body) = heard.last().unwrap();
    assert_eq!(bearer.as_deref(), Some("Bearer admin-token"));
    assert_eq!(body["variables"]["input"], json!({"orderId": id().to_string()}));
    assert!(
        body["query"]
            .as_str()
            .unwrap()
            .contains("retryOrder(input: $input)")
    );
}

#[tokio::test]
async fn asking_twice_to_cancel_is_asking_once() {
    let (_server, heard, target) = graph(order()).await;
    remedy::cancel(&target, id()).await.unwrap();
    remedy::cancel(&target, id()).await.unwrap();
    let heard = heard.lock().unwrap();
    let keys: Vec<&Value> = heard
        .iter()
        .filter(|(_, body)| body["operationName"] == "CancelOrder")
        .map(|(_, body)| &body["variables"]["input"]["idempotencyKey"])
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_refusal_is_told() {
    let refused = json!({"order": null, "userErrors": [{"code": "NOT_CANCELLABLE", "message": "the money is captured", "field": null}]});
    let (_server, _heard, target) = graph(refused).await;
    let error = remedy::cancel(&target, id()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused: NOT_CANCELLABLE the money is captured"
    );
}
