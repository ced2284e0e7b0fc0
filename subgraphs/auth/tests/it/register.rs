//! Making an account.

use serde_json::json;

use crate::entrance::{Auth, PASSWORD, code, session};

#[tokio::test]
async fn a_newcomer_is_a_customer_and_signed_in() {
    let auth = Auth::open().await;
    let answer = auth.try_register(" Ada@Example.com ", PASSWORD, " Ada ").await;
    let ada = session(&answer);
    let user = &answer["session"]["user"];
    assert_eq!(user["email"], "Ada@Example.com");
    assert_eq!(user["displayName"], "Ada");
    assert_eq!(user["roles"], json!(["CUSTOMER"]));
    assert_eq!(auth.me(&ada.access).await, json!(ada.user));
    let seen = auth.app.verifier().verify(&ada.access).await.unwrap();
    assert_eq!(seen.id.to_string(), ada.user);
    assert_eq!(seen.expires_at.timestamp(), auth.clock.now().timestamp() + 900);
}

#[tokio::test]
async fn an_address_is_taken_once_whatever_its_case() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    let answer = auth.try_register("ADA@EXAMPLE.COM", PASSWORD, "Eve").await;
    assert_eq!(code(&answer), "EMAIL_TAKEN");
    assert_eq!(answer["userErrors"][0]["field"], json!(["input", "email"]));
}

#[tokio::test]
async fn of_two_at_once_one_gets_the_address() {
    let auth = Auth::open().await;
    let (a, b) = tokio::join!(
        auth.try_register("ada@example.com", PASSWORD, "A"),
        auth.try_register("ada@example.com", PASSWORD, "B")
    );
    let won = [&a, &b]
        .iter()
        .filter(|answer| answer["session"].is_object())
        .count();
    assert_eq!(won, 1, "{a} {b}");
}

#[tokio::test]
async fn bad_input_is_named_by_its_field() {
    let auth = Auth::open().await;
    for (email, password, name, expected, field) in [
        ("ada", PASSWORD, "Ada", "EMAIL_INVALID", "email"),
        ("ada@example.com", "short", "Ada", "PASSWORD_TOO_WEAK", "password"),
        (
            "ada@example.com",
            "password123",
            "Ada",
            "PASSWORD_TOO_WEAK",
            "password",
        ),
        (
            "ada@example.com",
            PASSWORD,
            " ",
            "DISPLAY_NAME_INVALID",
            "displayName",
        ),
        (
            "ada@example.com",
            PASSWORD,
            "A\u{0}",
            "DISPLAY_NAME_INVALID",
            "displayName",
        ),
    ] {
        let answer = auth.try_register(email, password, name).await;
        assert_eq!(code(&answer), expected);
        assert_eq!(answer["userErrors"][0]["field"], json!(["input", field]));
    }
    assert_eq!(
        code(&auth.login("ada@example.com", PASSWORD).await),
        "INVALID_CREDENTIALS",
        "nobody was made"
    );
}
