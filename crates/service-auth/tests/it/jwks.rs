//! The cache of user keys: how often it asks, and what it does when nobody answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use service_auth::{AuthError, UserVerifier, UserVerifierConfig};
use service_kit::Clock;

use crate::forge::{Forge, now, user_claims, user_header, with};

/// Auth's key set: counts the fetches; answers 500 while it has no keys.
#[derive(Clone, Default)]
struct Auth {
    fetches: Arc<AtomicUsize>,
    keys: Arc<Mutex<Option<Value>>>,
}

impl Auth {
    fn keys(&self) -> MutexGuard<'_, Option<Value>> {
        self.keys.lock().unwrap()
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys() = Some(json!({ "keys": keys }));
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    async fn serve(&self) -> UserVerifierConfig {
        async fn answer(State(auth): State<Auth>) -> Response {
            auth.fetches.fetch_add(1, Ordering::SeqCst);
            // Long enough that concurrent callers meet in one flight.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let keys = auth.keys().clone();
            keys.map_or(StatusCode::INTERNAL_SERVER_ERROR.into_response(), |keys| {
                Json(keys).into_response()
            })
        }
        let router = Router::new().route("/jwks", get(answer)).with_state(self.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(socket, router).await });
        UserVerifierConfig {
            jwks_url: format!("http://{addr}/jwks").parse().unwrap(),
            issuer: "mercato".to_owned(),
            audience: "mercato".to_owned(),
        }
    }
}

fn signed_by(forge: &Forge, kid: &str) -> String {
    forge.token(&with(user_header(), "kid", json!(kid)), &user_claims())
}

#[tokio::test]
async fn concurrent_requests_share_one_fetch() {
    let (auth, forge) = (Auth::default(), Forge::new());
    auth.publish(&[forge.jwk("k1")]);
    let verifier = UserVerifier::new(auth.serve().await, Clock::manual(now()));
    let token = signed_by(&forge, "k1");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (verifier, token) = (verifier.clone(), token.clone());
        tasks.spawn(async move { verifier.verify(&token).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|ok| ok));
    assert_eq!(auth.fetches(), 1);
}

#[tokio::test]
async fn a_thousand_unknown_key_ids_cost_one_fetch() {
    let (auth, forge, clock) = (Auth::default(), Forge::new(), Clock::manual(now()));
    auth.publish(&[forge.jwk("k1")]);
    let verifier = UserVerifier::new(auth.serve().await, clock.clone());
    verifier.verify(&signed_by(&forge, "k1")).await.unwrap();
    clock.advance(Duration::from_secs(31));
    for n in 0..1000 {
        let refused = verifier.verify(&signed_by(&forge, &format!("x{n}"))).await;
        assert_eq!(refused.unwrap_err(), AuthError::Invalid("unknown key id"));
    }
    assert_eq!(auth.fetches(), 2, "the first load and one more");
}

#[tokio::test]
async fn a_new_key_is_met_without_a_restart_and_a_withdrawn_one_is_refused() {
    let (auth, old, new) = (Auth::default(), Forge::new(), Forge::new());
    let clock = Clock::manual(now());
    auth.publish(&[old.jwk("k1")]);
    let verifier = UserVerifier::new(auth.serve().await, clock.clone());
    verifier.verify(&signed_by(&old, "k1")).await.unwrap();

    auth.publish(&[old.jwk("k1"), new.jwk("k2")]);
    assert!(
        verifier.verify(&signed_by(&new, "k2")).await.is_err(),
        "asked less than 30 s ago"
    );
    clock.advance(Duration::from_secs(30));
    verifier.verify(&signed_by(&new, "k2")).await.unwrap();
    verifier.verify(&signed_by(&old, "k1")).await.unwrap();

    auth.publish(&[new.jwk("k2")]);
    clock.advance(Duration::from_mins(1));
    // The first one after the age starts a refresh in the background; soon the old key is gone.
    let withdrawn = async {
        while verifier.verify(&signed_by(&old, "k1")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), withdrawn)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_last_good_keys_outlive_auth() {
    let (auth, forge, clock) = (Auth::default(), Forge::new(), Clock::manual(now()));
    let verifier = UserVerifier::new(auth.serve().await, clock.clone());
    let token = signed_by(&forge, "k1");
    assert_eq!(verifier.verify(&token).await.unwrap_err(), AuthError::Unavailable);
    auth.publish(&[forge.jwk("k1")]);
    assert_eq!(
        verifier.verify(&token).await.unwrap_err(),
        AuthError::Unavailable,
        "not asked again within 1 s"
    );
    clock.advance(Duration::from_secs(1));
    verifier.verify(&token).await.unwrap();

    for broken in [
        None,
        Some(json!({"keys": []})),
        Some(json!("nonsense")),
        Some(json!({"keys": [{"kty": "RSA"}]})),
    ] {
        *auth.keys() = broken;
        clock.advance(Duration::from_mins(2));
        let before = auth.fetches();
        verifier.verify(&token).await.unwrap();
        while auth.fetches() == before {
            tokio::task::yield_now().await;
        }
        let unknown = verifier.verify(&signed_by(&forge, "k9")).await.unwrap_err();
        assert_eq!(unknown, AuthError::Invalid("unknown key id"));
        verifier.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn short_and_weak_keys_are_not_taken() {
    let forge = Forge::new();
    for x in ["", "AA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let keys = json!({ "keys": [with(forge.jwk("k1"), "x", json!(x))] });
        assert!(
            UserVerifier::try_fixed(&keys, "mercato", "mercato", Clock::system()).is_err(),
            "{x}"
        );
    }
}
