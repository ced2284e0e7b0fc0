//! Rotation of refresh tokens.

use tokio::task::JoinSet;

use crate::entrance::{Auth, code, session};

#[tokio::test]
async fn each_token_is_good_once_and_gives_the_next() {
    let auth = Auth::open().await;
    let mut held = auth.register("ada@example.com").await;
    for _ in 0..5 {
        auth.later(20);
        let next = session(&auth.refresh(&held.refresh).await);
        assert_ne!(next.refresh, held.refresh);
        assert_ne!(next.access, held.access);
        assert_eq!(auth.me(&next.access).await, serde_json::json!(held.user));
        held = next;
    }
}

#[tokio::test]
async fn a_lost_reply_is_repeated_for_ten_seconds() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let first = session(&auth.refresh(&ada.refresh).await);
    auth.later(9);
    let again = session(&auth.refresh(&ada.refresh).await);
    assert_eq!(first.refresh, again.refresh);
    session(&auth.refresh(&again.refresh).await);
}

#[tokio::test]
async fn twenty_at_once_get_one_successor() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let auth = std::sync::Arc::new(auth);
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (auth, token) = (auth.clone(), ada.refresh.clone());
        tasks.spawn(async move { session(&auth.refresh(&token).await).refresh });
    }
    let mut successors = tasks.join_all().await;
    successors.dedup();
    assert_eq!(successors.len(), 1, "{successors:?}");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM refresh_token")
        .fetch_one(&auth.db.pool)
        .await
        .unwrap();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_token_that_comes_back_ends_its_family_and_no_other() {
    let auth = Auth::open().await;
    let stolen = auth.register("ada@example.com").await;
    let other = session(&auth.login("ada@example.com", crate::entrance::PASSWORD).await);
    let present = session(&auth.refresh(&stolen.refresh).await);
    auth.later(10);
    assert_eq!(code(&auth.refresh(&stolen.refresh).await), "TOKEN_REUSED");
    assert_eq!(
        code(&auth.refresh(&present.refresh).await),
        "TOKEN_REUSED",
        "whoever held it: the family is over"
    );
    assert_eq!(code(&auth.refresh(&stolen.refresh).await), "TOKEN_REUSED");
    session(&auth.refresh(&other.refresh).await);
}

#[tokio::test]
async fn the_grace_ends_when_the_successor_is_used() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let next = session(&auth.refresh(&ada.refresh).await);
    let third = session(&auth.refresh(&next.refresh).await);
    assert_eq!(code(&auth.refresh(&ada.refresh).await), "TOKEN_REUSED");
    assert_eq!(code(&auth.refresh(&third.refresh).await), "TOKEN_REUSED");
}

#[tokio::test]
async fn a_session_ends_after_its_days_however_often_it_was_refreshed() {
    let auth = Auth::open().await;
    let mut held = auth.register("ada@example.com").await;
    for _ in 0..29 {
        auth.later(86_400);
        held = session(&auth.refresh(&held.refresh).await);
    }
    auth.later(86_400);
    assert_eq!(code(&auth.refresh(&held.refresh).await), "TOKEN_EXPIRED");
    assert_eq!(auth.app.purge_sessions().await.unwrap(), 0, "kept for a while");
    auth.later(31 * 86_400);
    assert_eq!(auth.app.purge_sessions().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_no_token_is_expired() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    let unknown = "A".repeat(43);
    for bad in [
        "",
        "x",
        "' OR 1=1",
        &unknown,
        &ada.access,
        &format!("{}=", ada.refresh),
    ] {
        assert_eq!(code(&auth.refresh(bad).await), "TOKEN_EXPIRED", "{bad}");
    }
    session(&auth.refresh(&ada.refresh).await);
}

#[tokio::test]
async fn a_refresh_carries_the_roles_of_now() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let ada = auth.register("ada@example.com").await;
    auth.set_roles(Some(&root.access), &ada.user, &["CUSTOMER", "SUPPORT"])
        .await;
    let next = session(&auth.refresh(&ada.refresh).await);
    assert!(auth.app.verifier().verify(&next.access).await.unwrap().is_staff());
    assert!(!auth.app.verifier().verify(&ada.access).await.unwrap().is_staff());
}
