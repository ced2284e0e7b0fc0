//! Signing in, and failing to.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::entrance::{Auth, PASSWORD, code, fault, session};

#[tokio::test]
async fn the_right_password_opens_a_session_of_its_own() {
    let auth = Auth::open().await;
    let first = auth.register("ada@example.com").await;
    let second = session(&auth.login("ADA@example.com", PASSWORD).await);
    assert_eq!(first.user, second.user);
    assert_ne!(first.refresh, second.refresh);
    auth.logout(&first.refresh, false).await;
    session(&auth.refresh(&second.refresh).await);
}

#[tokio::test]
async fn wrong_and_unknown_are_one_answer() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    let wrong = auth.login("ada@example.com", "incorrect horse").await;
    let unknown = auth.login("eve@example.com", PASSWORD).await;
    let nonsense = auth.login("no address", PASSWORD).await;
    let long = auth.login("ada@example.com", &"x".repeat(20_000)).await;
    for answer in [&wrong, &unknown, &nonsense, &long] {
        assert_eq!(code(answer), "INVALID_CREDENTIALS");
    }
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn an_account_slows_down_after_five_failures_and_each_one_doubles_the_wait() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    auth.register("bob@example.com").await;
    for _ in 0..5 {
        assert_eq!(
            code(&auth.login("ada@example.com", "wrong wrong").await),
            "INVALID_CREDENTIALS"
        );
    }
    for wait in [2, 4, 8] {
        let answer = auth.login("ada@example.com", PASSWORD).await;
        assert_eq!(code(&answer), "TOO_MANY_ATTEMPTS", "even the right one");
        let message = answer["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("{wait} s")), "{message}");
        auth.later(wait);
        assert_eq!(
            code(&auth.login("Ada@Example.com", "wrong wrong").await),
            "INVALID_CREDENTIALS"
        );
    }
    session(&auth.login("bob@example.com", PASSWORD).await);
    auth.later(16);
    session(&auth.login("ada@example.com", PASSWORD).await);
    assert_eq!(
        code(&auth.login("ada@example.com", "wrong wrong").await),
        "INVALID_CREDENTIALS",
        "forgiven"
    );
    session(&auth.login("ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn attempts_at_once_count_one_by_one() {
    let auth = Arc::new(Auth::open().await);
    auth.register("ada@example.com").await;
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let auth = auth.clone();
        tasks.spawn(
            async move { code(&auth.login("ada@example.com", &format!("guess {n}")).await).to_owned() },
        );
    }
    let codes = tasks.join_all().await;
    assert_eq!(
        codes.iter().filter(|code| *code == "INVALID_CREDENTIALS").count(),
        5,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| *code == "TOO_MANY_ATTEMPTS").count(),
        35
    );
}

#[tokio::test]
async fn aliases_count_one_by_one() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    let guess = "login(input: {email: \"ada@example.com\", password: \"a guess\"}) { userErrors { code } }";
    let aliases = |count| {
        (0..count)
            .map(|n| format!("a{n}: {guess}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let answer = auth
        .ask(None, &format!("mutation {{ {} }}", aliases(10)), json!({}))
        .await
        .to_string();
    assert_eq!(answer.matches("INVALID_CREDENTIALS").count(), 5, "{answer}");
    assert_eq!(answer.matches("TOO_MANY_ATTEMPTS").count(), 5, "{answer}");
    let answer = auth
        .ask(None, &format!("mutation {{ {} }}", aliases(1000)), json!({}))
        .await;
    assert_eq!(fault(&answer), "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_address_slows_down_whatever_account_it_tries() {
    let auth = Auth::open().await;
    auth.register("ada@example.com").await;
    for n in 0..30 {
        let answer = auth
            .login_from("192.0.2.7", &format!("user{n}@example.com"), PASSWORD)
            .await;
        assert_eq!(code(&answer), "INVALID_CREDENTIALS");
    }
    assert_eq!(
        code(&auth.login_from("192.0.2.7", "ada@example.com", PASSWORD).await),
        "TOO_MANY_ATTEMPTS"
    );
    assert_eq!(
        code(
            &auth
                .login_from("10.9.9.9, 192.0.2.7", "ada@example.com", PASSWORD)
                .await
        ),
        "TOO_MANY_ATTEMPTS",
        "what the client claims about itself is not believed"
    );
    session(&auth.login_from("192.0.2.8", "ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn without_redis_nobody_signs_in_and_sessions_go_on() {
    let redis = test_kit::redis().await;
    let auth = Auth::open_with_redis_at(redis, "redis://127.0.0.1:1").await;
    let ada = auth.register("ada@example.com").await;
    let answer = auth.login("ada@example.com", PASSWORD).await;
    assert_eq!(fault(&answer), "UNAVAILABLE");
    assert!(!answer.to_string().contains("127.0.0.1"), "{answer}");
    assert_eq!(
        fault(
            &auth
                .change_password(Some(&ada.access), PASSWORD, "another horse battery")
                .await
        ),
        "UNAVAILABLE"
    );
    session(&auth.refresh(&ada.refresh).await);
    assert_ne!(auth.readiness.report().components["redis"], "up");
}
