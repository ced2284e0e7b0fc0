//! What the other listeners answer.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use service_auth::{UserVerifier, UserVerifierConfig};
use test_kit::{AUDIENCE, ISSUER, Identity, TestServer};
use tower::ServiceExt;

use crate::entrance::Auth;

async fn get(router: Router, path: &str) -> (StatusCode, String, Value) {
    let response = router
        .oneshot(Request::get(path).body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (status, kind) = (
        response.status(),
        response.headers()["content-type"].to_str().unwrap().to_owned(),
    );
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, kind, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn the_key_set_verifies_what_auth_signs_and_holds_nothing_private() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let (status, _, keys) = get(auth.app.public(), "/.well-known/jwks.json").await;
    assert_eq!(status, StatusCode::OK);
    let key = &keys["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["alg"].as_str(), key.get("d")),
        (Some("OKP"), Some("EdDSA"), None)
    );

    let server = TestServer::serve(auth.app.public()).await;
    let config = UserVerifierConfig {
        jwks_url: server.url("/.well-known/jwks.json"),
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
    };
    let elsewhere = UserVerifier::new(config, auth.clock.clone());
    assert_eq!(
        elsewhere.verify(&ada.access).await.unwrap().id.to_string(),
        ada.user
    );
    auth.later(15 * 60 + 11);
    assert!(elsewhere.verify(&ada.access).await.is_err(), "ended");
}

#[tokio::test]
async fn anything_else_is_a_problem() {
    let auth = Auth::open().await;
    for router in [
        auth.app.rest(&Identity::new().service_verifier("auth")),
        auth.app.public(),
    ] {
        let (status, kind, problem) = get(router, "/users").await;
        assert_eq!(
            (status, kind.as_str()),
            (StatusCode::NOT_FOUND, "application/problem+json")
        );
        assert_eq!(problem["code"], "NOT_FOUND");
    }
}

#[test]
fn the_committed_schema_is_the_one_served() {
    assert_eq!(auth::sdl(), include_str!("../../schema.graphql"));
}
