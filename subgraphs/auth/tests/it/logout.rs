//! Ending sessions.

use crate::entrance::{Auth, PASSWORD, code, session};

#[tokio::test]
async fn a_logout_ends_one_session() {
    let auth = Auth::open().await;
    let here = auth.register("ada@example.com").await;
    let there = session(&auth.login("ada@example.com", PASSWORD).await);
    auth.logout(&here.refresh, false).await;
    auth.logout(&here.refresh, false).await;
    assert_eq!(code(&auth.refresh(&here.refresh).await), "TOKEN_EXPIRED");
    session(&auth.refresh(&there.refresh).await);
}

#[tokio::test]
async fn everywhere_ends_all_of_the_user_s_and_nobody_else_s() {
    let auth = Auth::open().await;
    let here = auth.register("ada@example.com").await;
    let there = session(&auth.login("ada@example.com", PASSWORD).await);
    let bob = auth.register("bob@example.com").await;
    auth.logout(&here.refresh, true).await;
    for token in [&here.refresh, &there.refresh] {
        assert_eq!(code(&auth.refresh(token).await), "TOKEN_EXPIRED");
    }
    session(&auth.refresh(&bob.refresh).await);
}

#[tokio::test]
async fn an_old_token_can_end_its_own_family_only() {
    let auth = Auth::open().await;
    let old = auth.register("ada@example.com").await;
    let there = session(&auth.login("ada@example.com", PASSWORD).await);
    let present = session(&auth.refresh(&old.refresh).await);
    auth.logout(&old.refresh, true).await;
    assert_eq!(code(&auth.refresh(&present.refresh).await), "TOKEN_REUSED");
    session(&auth.refresh(&there.refresh).await);
}

#[tokio::test]
async fn nonsense_changes_nothing() {
    let auth = Auth::open().await;
    let ada = auth.register("ada@example.com").await;
    for token in ["", "x", &"A".repeat(43)] {
        auth.logout(token, true).await;
    }
    session(&auth.refresh(&ada.refresh).await);
}
