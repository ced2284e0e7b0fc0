//! Changing a password, and hashing it better.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::entrance::{Auth, PASSWORD, code, fault, session};

const NEW: &str = "another horse battery";

#[tokio::test]
async fn a_change_ends_every_session_and_begins_one() {
    let auth = Auth::open().await;
    let here = auth.register("ada@example.com").await;
    let there = session(&auth.login("ada@example.com", PASSWORD).await);
    let fresh = session(&auth.change_password(Some(&here.access), PASSWORD, NEW).await);
    for token in [&here.refresh, &there.refresh] {
        assert_eq!(code(&auth.refresh(token).await), "TOKEN_EXPIRED");
    }
    session(&auth.refresh(&fresh.refresh).await);
    assert_eq!(
        code(&auth.login("ada@example.com", PASSWORD).await),
        "INVALID_CREDENTIALS"
    );
    session(&auth.login("ada@example.com", NEW).await);
    let refused = auth.change_password(Some(&there.access), NEW, PASSWORD).await;
    assert_eq!(
        fault(&refused),
        "UNAUTHENTICATED",
        "a live token of a session that has ended"
    );
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    assert_eq!(
        fault(&auth.change_password(None, PASSWORD, NEW).await),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        code(&auth.change_password(Some(&ada.access), "wrong wrong", NEW).await),
        "INVALID_CREDENTIALS"
    );
    let weak = auth.change_password(Some(&ada.access), PASSWORD, "short").await;
    assert_eq!(code(&weak), "PASSWORD_TOO_WEAK");
    assert_eq!(
        weak["userErrors"][0]["field"],
        serde_json::json!(["input", "newPassword"])
    );
    session(&auth.refresh(&ada.refresh).await);
    session(&auth.login("ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn guesses_at_the_current_password_count_as_logins() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    for _ in 0..5 {
        assert_eq!(
            code(&auth.change_password(Some(&ada.access), "wrong wrong", NEW).await),
            "INVALID_CREDENTIALS"
        );
    }
    assert_eq!(
        code(&auth.change_password(Some(&ada.access), PASSWORD, NEW).await),
        "TOO_MANY_ATTEMPTS"
    );
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let (a, b) = tokio::join!(
        auth.change_password(Some(&ada.access), PASSWORD, "first horse battery"),
        auth.change_password(Some(&ada.access), PASSWORD, "second horse battery")
    );
    let won = [&a, &b]
        .iter()
        .filter(|answer| answer["session"].is_object())
        .count();
    assert_eq!(won, 1, "{a} {b}");
}

#[tokio::test]
async fn a_weak_hash_is_replaced_at_the_next_login() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    let weak = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(8 * 1024, 1, 1, None).unwrap(),
    );
    let hash: PasswordHash = weak.hash_password(PASSWORD.as_bytes()).unwrap();
    sqlx::query("UPDATE app_user SET password_hash = $1")
        .bind(hash.to_string())
        .execute(&auth.db.pool)
        .await
        .unwrap();
    let stored = || async {
        sqlx::query_scalar::<_, String>("SELECT password_hash FROM app_user")
            .fetch_one(&auth.db.pool)
            .await
            .unwrap()
    };
    assert_eq!(
        code(&auth.login("ada@example.com", "wrong wrong").await),
        "INVALID_CREDENTIALS"
    );
    assert!(stored().await.contains("m=8192"));
    session(&auth.login("ada@example.com", PASSWORD).await);
    assert!(stored().await.contains("m=19456,t=2,p=1"));
    session(&auth.login("ada@example.com", PASSWORD).await);
}
