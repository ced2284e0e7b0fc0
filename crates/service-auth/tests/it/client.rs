//! How a call between services can end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::{Problem, ProblemCode};
use serde_json::{Value, json};
use service_auth::{CallError, ClientLimits, ServiceClient, ServiceKey, ServiceVerifier, keys, only};
use service_kit::{Clock, correlation};
use tokio::net::TcpListener;

fn limits() -> ClientLimits {
    ClientLimits {
        timeout: Duration::from_millis(300),
        max_in_flight: 2,
        failures_to_open: 3,
        cool_down: Duration::from_mins(1),
    }
}

async fn serve(router: Router) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(socket, router).await });
    addr
}

fn client(addr: SocketAddr, limits: ClientLimits) -> ServiceClient {
    let key = ServiceKey::from_pem("order", &keys::generate().unwrap().private_pem).unwrap();
    ServiceClient::new(
        "inventory",
        format!("http://{addr}").parse().unwrap(),
        Arc::new(key),
        limits,
    )
}

async fn status(Path(status): Path<u16>) -> Response {
    let code = match status {
        401 => ProblemCode::Unauthenticated,
        403 => ProblemCode::Forbidden,
        _ => ProblemCode::OutOfStock,
    };
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        Json(Problem {
            skus: vec!["A".to_owned()],
            ..Problem::new(code, "no")
        }),
    )
        .into_response()
}

fn routes() -> Router {
    Router::new()
        .route("/status/{status}", get(status))
        .route(
            "/plain/{status}",
            get(|Path(status): Path<u16>| async move { StatusCode::from_u16(status).unwrap() }),
        )
        .route("/empty", post(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(Duration::from_secs(5)).await }),
        )
        .route(
            "/echo",
            post(|headers: HeaderMap, Json(body): Json<Value>| async move {
                let id = headers[correlation::HEADER].to_str().unwrap().to_owned();
                Json(json!({ "body": body, "correlation": id }))
            }),
        )
}

#[tokio::test]
async fn answers_and_refusals_are_told_apart_from_the_unknown() {
    let client = client(serve(routes()).await, limits());
    let echoed = correlation::scope("c-1".to_owned(), client.post::<_, Value>("/echo", &json!([1])))
        .await
        .unwrap();
    assert_eq!(echoed, json!({ "body": [1], "correlation": "c-1" }));
    client.post::<_, ()>("/empty", &()).await.unwrap();

    let refused = client.get::<Value>("/status/409").await.unwrap_err();
    assert_eq!(refused.refusal().unwrap().skus, ["A"]);
    for path in ["/status/500", "/status/401", "/plain/409"] {
        let error = client.get::<Value>(path).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown { .. }), "{path}: {error}");
        // A refusal in between: failures in a row are counted, and an answer is none.
        client.get::<Value>("/status/409").await.unwrap_err();
    }
    let error = client.get::<Value>("/slow").await.unwrap_err();
    assert!(
        matches!(&error, CallError::Unknown { reason } if reason.contains("timed out")),
        "{error}"
    );
}

#[tokio::test]
async fn the_breaker_opens_and_nothing_more_is_sent() {
    let client = client(serve(routes()).await, limits());
    for _ in 0..3 {
        client.get::<Value>("/plain/503").await.unwrap_err();
    }
    let error = client.post::<_, Value>("/echo", &1).await.unwrap_err();
    assert!(
        matches!(error, CallError::Unavailable { retry_after } if retry_after > Duration::from_secs(50)),
        "{error}"
    );
}

#[tokio::test]
async fn a_half_open_breaker_closes_after_one_good_answer() {
    let client = client(
        serve(routes()).await,
        ClientLimits {
            cool_down: Duration::ZERO,
            ..limits()
        },
    );
    for _ in 0..3 {
        client.get::<Value>("/plain/503").await.unwrap_err();
    }
    client.post::<_, Value>("/echo", &1).await.unwrap();
    client.post::<_, Value>("/echo", &1).await.unwrap();
}

#[tokio::test]
async fn nobody_listening_means_nothing_was_sent() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    drop(socket);
    let error = client(addr, limits()).get::<Value>("/").await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn too_many_calls_at_once_are_refused_at_once() {
    let client = client(serve(routes()).await, limits());
    let slow = [client.clone(), client.clone()]
        .map(|client| tokio::spawn(async move { client.get::<Value>("/slow").await }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = client.post::<_, Value>("/echo", &1).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    for call in slow {
        call.await.unwrap().unwrap_err();
    }
    client.post::<_, Value>("/echo", &1).await.unwrap();
}

#[tokio::test]
async fn the_token_it_sends_opens_the_callee_s_guard() {
    let pair = keys::generate().unwrap();
    let verifier =
        ServiceVerifier::from_pems("inventory", [("order", pair.public_pem)], Clock::system()).unwrap();
    let route = get(|headers: HeaderMap| async move { Json(headers.contains_key(header::AUTHORIZATION)) });
    let addr = serve(Router::new().route("/", route.layer(only(&verifier, &["order"])))).await;
    let key = Arc::new(ServiceKey::from_pem("order", &pair.private_pem).unwrap());
    let client = ServiceClient::new(
        "inventory",
        format!("http://{addr}/").parse().unwrap(),
        key,
        limits(),
    );
    assert!(client.get::<bool>("/").await.unwrap());
}
