//! What a service's token must be, and which routes it opens.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::{get, post};
use serde_json::{Value, json};
use service_auth::{ServiceCaller, ServiceKey, ServiceVerifier, only};
use service_kit::Clock;
use std::time::Duration;
use tower::ServiceExt;

use crate::forge::{Forge, NOW, now, service_claims, user_claims, with};

fn inventory(forge: &Forge, clock: &Clock) -> ServiceVerifier {
    let pems = [
        ("order", &forge.pair.public_pem),
        ("cart", &Forge::new().pair.public_pem),
    ]
    .map(|(name, pem)| (name, pem.clone()));
    ServiceVerifier::from_pems("inventory", pems, clock.clone()).unwrap()
}

fn app(verifier: &ServiceVerifier) -> Router {
    Router::new()
        .route(
            "/hold",
            post(|ServiceCaller(name): ServiceCaller| async { name }).layer(only(verifier, &["order"])),
        )
        .route("/look", get(|| async { "look" }).layer(only(verifier, &["cart"])))
        .route("/bare", get(|ServiceCaller(name): ServiceCaller| async { name }))
}

async fn ask(app: &Router, method: &str, path: &str, tokens: &[&str]) -> (StatusCode, String, String) {
    let mut request = Request::builder().method(method).uri(path);
    for token in tokens {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = app
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|kind| kind.to_str().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    (
        status,
        kind.unwrap_or_default(),
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn a_named_caller_passes_and_is_told_to_the_handler() {
    let (forge, clock) = (Forge::new(), Clock::manual(now()));
    let key = ServiceKey::from_pem("order", &forge.pair.private_pem)
        .unwrap()
        .with_clock(clock.clone());
    let app = app(&inventory(&forge, &clock));
    let (status, _, body) = ask(&app, "POST", "/hold", &[&key.mint("inventory")]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "order"));
}

#[tokio::test]
async fn everybody_else_is_refused_with_a_problem() {
    let (forge, clock) = (Forge::new(), Clock::manual(now()));
    let app = app(&inventory(&forge, &clock));
    let good = service_claims("order", "inventory");
    let order = |claims: &Value| forge.service("order", claims);
    let cases = [
        ("wrong audience", order(&service_claims("order", "payment"))),
        (
            "array audience",
            order(&with(good.clone(), "aud", json!(["inventory"]))),
        ),
        ("another issuer", order(&with(good.clone(), "iss", json!("cart")))),
        (
            "expired",
            order(&with(
                with(good.clone(), "iat", json!(NOW - 120)),
                "exp",
                json!(NOW - 60),
            )),
        ),
        (
            "too long a life",
            order(&with(good.clone(), "exp", json!(NOW + 61))),
        ),
        (
            "from the future",
            order(&with(
                with(good.clone(), "iat", json!(NOW + 60)),
                "exp",
                json!(NOW + 100),
            )),
        ),
        ("not yet", order(&with(good.clone(), "nbf", json!(NOW + 60)))),
        ("no jti", order(&with(good.clone(), "jti", Value::Null))),
        (
            "another's name on it",
            forge.service("cart", &service_claims("cart", "inventory")),
        ),
        (
            "an unknown service",
            forge.service("ghost", &service_claims("ghost", "inventory")),
        ),
        ("a user", forge.user(&user_claims())),
        ("nonsense", "x.y.z".to_owned()),
    ];
    for (case, token) in cases {
        let (status, kind, body) = ask(&app, "POST", "/hold", &[&token]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{case}");
        assert_eq!(kind, "application/problem+json", "{case}");
        assert!(body.contains("UNAUTHENTICATED"), "{case}: {body}");
    }
    let token = order(&good);
    for tokens in [vec![], vec![token.as_str(), token.as_str()]] {
        assert_eq!(
            ask(&app, "POST", "/hold", &tokens).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    let (status, _, body) = ask(&app, "GET", "/look", &[&token]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("FORBIDDEN"), "{body}");
    let (status, ..) = ask(&app, "GET", "/bare", &[&token]).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "a route without a guard names nobody"
    );
}

#[tokio::test]
async fn a_token_is_reused_for_half_its_life_and_bound_to_its_callee() {
    let (forge, clock) = (Forge::new(), Clock::manual(now()));
    let key = ServiceKey::from_pem("order", &forge.pair.private_pem)
        .unwrap()
        .with_clock(clock.clone());
    let verifier = inventory(&forge, &clock);
    let first = key.mint("inventory");
    clock.advance(Duration::from_secs(29));
    assert_eq!(key.mint("inventory"), first);
    clock.advance(Duration::from_secs(2));
    assert_ne!(key.mint("inventory"), first);
    assert_eq!(verifier.verify(&first).as_deref(), Ok("order"), "still good");
    clock.advance(Duration::from_secs(40));
    assert!(verifier.verify(&first).is_err());
    assert!(verifier.verify(&key.mint("payment")).is_err());
}

#[test]
fn keys_come_from_files_and_faults_name_them() {
    let dir = tempfile::tempdir().unwrap();
    let verifier = |clock| ServiceVerifier::from_dir("inventory", dir.path(), clock);
    assert!(verifier(Clock::system()).is_err(), "an empty folder");
    let forge = Forge::new();
    std::fs::write(dir.path().join("order.pem"), &forge.pair.public_pem).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "ignored").unwrap();
    let key_file = dir.path().join("private.key");
    std::fs::write(&key_file, &forge.pair.private_pem).unwrap();
    let key = ServiceKey::from_pem_file("order", &key_file).unwrap();
    assert_eq!(
        verifier(Clock::system())
            .unwrap()
            .verify(&key.mint("inventory"))
            .as_deref(),
        Ok("order")
    );

    std::fs::write(dir.path().join("cart.pem"), &forge.pair.private_pem).unwrap();
    let error = verifier(Clock::system()).err().unwrap().to_string();
    assert!(error.contains("cart") && !error.contains("BEGIN"), "{error}");
    assert!(ServiceKey::from_pem_file("order", dir.path().join("none")).is_err());
}
