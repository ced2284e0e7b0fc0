//! `analytics rebuild`: what is asked of the graph, and what becomes of its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use operator::sales;
use serde_json::{Value, json};
use shopper::target::Target;
use test_kit::TestServer;

/// A graph in which a rebuild is at work for two questions and then stands as `end` says.
async fn graph(errors: Value, end: Value) -> (TestServer, Target) {
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = move |Json(body): Json<Value>| {
        let running = json!({"id": "r1", "state": "RUNNING", "facts": null, "orders": null, "failure": null});
        let data = match body["operationName"].as_str().unwrap() {
            "Login" => json!({"login": {"session": {"accessToken": "admin-token", "refreshToken": "r",
                "expiresAt": "2999-01-01T00:00:00Z", "user": {"id": "usr_1"}}, "userErrors": []}}),
            "RebuildSales" => json!({"rebuildSales": {"rebuild": running, "userErrors": errors}}),
            _ if asked.fetch_add(1, Ordering::SeqCst) < 2 => json!({"salesRebuild": running}),
            _ => json!({"salesRebuild": end}),
        };
        async move { Json(json!({"data": data})) }
    };
    let server = TestServer::serve(Router::new().route("/graphql", post(answer))).await;
    let target = Target {
        graphql: "http://127.0.0.1:1/".parse().unwrap(),
        staff: server.url("graphql"),
        ws: "ws://127.0.0.1:1/".parse().unwrap(),
        notices: None,
        mail: None,
        admin_email: Some("admin@example.com".to_owned()),
        admin_password: Some("correct horse battery".to_owned()),
    };
    (server, target)
}

#[tokio::test]
async fn a_rebuild_is_begun_and_waited_for() {
    let done = json!({"id": "r1", "state": "DONE", "facts": 12, "orders": 3, "failure": null});
    let (_server, target) = graph(json!([]), done.clone()).await;
    let told = sales::rebuild(&target, "a test", Duration::from_millis(1))
        .await
        .unwrap();
    let told = told.to_string();
    assert!(
        told.starts_with("The sums were made again from 12 events of 3 orders in "),
        "{told}"
    );
    assert!(told.ends_with("(rebuild r1)"), "{told}");
    let running = json!([{"code": "ALREADY_RUNNING", "message": "at work", "field": null}]);
    let (_server, target) = graph(running, done).await;
    let told = sales::rebuild(&target, "a test", Duration::from_millis(1))
        .await
        .unwrap();
    assert!(told.to_string().ends_with("(rebuild r1, under way before)"));
}

#[tokio::test]
async fn a_rebuild_that_failed_is_an_error_with_its_reason() {
    let failed = json!({"id": "r1", "state": "FAILED", "facts": null, "orders": null, "failure": "no room"});
    let (_server, target) = graph(json!([]), failed).await;
    let error = sales::rebuild(&target, "a test", Duration::from_millis(1))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the sums are as they were: no room");
}
