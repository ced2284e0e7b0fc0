//! Where somebody is written to: for notification alone.

use axum::http::{Method, StatusCode};
use contracts::UserId;
use contracts::auth::{ContactLookup, Contacts};
use serde_json::{Value, json};
use test_kit::Identity;

use crate::entrance::{Auth, user_id};

const PATH: &str = "/contacts/lookup";

async fn ask(auth: &Auth, identity: &Identity, token: &str, body: Value) -> (StatusCode, Value) {
    let router = auth.app.rest(&identity.service_verifier("auth"));
    test_kit::rest(&router, token, Method::POST, PATH, Some(body)).await
}

#[tokio::test]
async fn known_users_are_told_and_unknown_ones_left_out() {
    let (auth, identity) = (Auth::open().await, Identity::new());
    let ada = auth.register("Ada@example.com").await;
    auth.register("bob@example.com").await;
    let token = identity.service_token("notification", "auth");
    let body = json!({ "user_ids": [ada.user, UserId::generate().to_string(), ada.user] });
    let (status, answer) = ask(&auth, &identity, &token, body).await;
    assert_eq!(status, StatusCode::OK);
    let told: Contacts = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(told.contacts.len(), 1, "{answer}");
    assert_eq!(told.contacts[0].user_id, user_id(&ada.user));
    assert_eq!(
        (
            told.contacts[0].email.as_str(),
            told.contacts[0].display_name.as_str()
        ),
        ("Ada@example.com", "Ada")
    );
    assert!(
        !format!("{told:?}").contains("example.com"),
        "logs know no address"
    );
}

#[tokio::test]
async fn nobody_else_is_told_anything() {
    let (auth, identity) = (Auth::open().await, Identity::new());
    let ada = auth.register("ada@example.com").await;
    let body = json!({ "user_ids": [ada.user] });
    for caller in ["order", "payment", "review", "cart", "auth"] {
        let token = identity.service_token(caller, "auth");
        let (status, answer) = ask(&auth, &identity, &token, body.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{caller}");
        assert!(!answer.to_string().contains("example.com"));
    }
    let elsewhere = identity.service_token("notification", "order");
    for token in [elsewhere.as_str(), &ada.access, "nonsense"] {
        let (status, answer) = ask(&auth, &identity, token, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{token}");
        assert!(!answer.to_string().contains("example.com"));
    }
}

#[tokio::test]
async fn what_is_no_question_is_refused() {
    let (auth, identity) = (Auth::open().await, Identity::new());
    let token = identity.service_token("notification", "auth");
    let many = vec![UserId::generate().to_string(); 101];
    for body in [
        json!({}),
        json!({ "user_ids": ["ord_x"] }),
        json!({ "user_ids": many }),
    ] {
        let (status, problem) = ask(&auth, &identity, &token, body).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("BAD_REQUEST")),
            "{problem}"
        );
    }
}

#[test]
fn the_bodies_are_those_of_the_golden_files() {
    test_kit::golden::body::<ContactLookup>("contact_lookup");
    test_kit::golden::body::<Contacts>("contacts");
}
