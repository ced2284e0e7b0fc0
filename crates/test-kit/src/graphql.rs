//! Calls into a service's routers, without a socket.

use axum::Router;
use axum::body::Body;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The gateway key of tests: build the service's `GatewayKeys` from it.
pub const GATEWAY_KEY: &str = "test-gateway-key-0123456789abcdef";

/// Posts an operation to `/graphql` as the router would, and answers the whole response.
pub async fn graphql(router: &Router, token: Option<&str>, query: &str, variables: Value) -> Value {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header("x-gateway-key", GATEWAY_KEY);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = json!({ "query": query, "variables": variables }).to_string();
    let (status, body) = call(router, request.body(Body::from(body)).expect("a request")).await;
    assert!(body.is_object(), "{status}: {body}");
    body
}

/// Calls an internal route with a service token; the body is `null` when the answer has none.
pub async fn rest(
    router: &Router,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    call(router, request.body(body).expect("a request")).await
}

async fn call(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (
        status,
        serde_json::from_str(&text).unwrap_or(if text.is_empty() {
            Value::Null
        } else {
            Value::String(text)
        }),
    )
}
