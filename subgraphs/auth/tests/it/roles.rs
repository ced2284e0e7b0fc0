//! Who may give roles, and to whom.

use auth::Admin;
use serde_json::json;
use service_kit::Secret;

use crate::entrance::{Auth, PASSWORD, ROOT, fault};

#[tokio::test]
async fn only_administrators_give_roles() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let support = auth
        .with_roles(&root, "sue@example.com", &["CUSTOMER", "SUPPORT"])
        .await;
    let ada = auth.register("ada@example.com").await;
    assert_eq!(
        fault(&auth.set_roles(None, &ada.user, &["ADMIN"]).await),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        fault(&auth.set_roles(Some(&ada.access), &ada.user, &["ADMIN"]).await),
        "FORBIDDEN"
    );
    assert_eq!(
        fault(&auth.set_roles(Some(&support.access), &ada.user, &["ADMIN"]).await),
        "FORBIDDEN"
    );
    assert_eq!(
        fault(&auth.set_roles(Some(&root.access), &ada.user, &[]).await),
        "BAD_USER_INPUT"
    );
    assert_eq!(
        fault(&auth.set_roles(Some(&root.access), "ord_x", &["ADMIN"]).await),
        "BAD_USER_INPUT"
    );
    let nobody = auth
        .set_roles(Some(&root.access), "usr_01h455vb4pex5vsknk084sn02q", &["ADMIN"])
        .await;
    assert_eq!(nobody["userErrors"][0]["code"], "USER_NOT_FOUND");
    let answer = auth
        .ask(
            Some(&root.access),
            "query($id: ID!) { user(id: $id) { roles } }",
            json!({ "id": ada.user }),
        )
        .await;
    assert_eq!(
        answer["data"]["user"]["roles"],
        json!(["CUSTOMER"]),
        "nothing changed"
    );
}

#[tokio::test]
async fn a_role_that_was_taken_away_gives_nothing_even_while_the_token_lives() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let former = auth
        .with_roles(&root, "bob@example.com", &["CUSTOMER", "ADMIN"])
        .await;
    auth.set_roles(Some(&root.access), &former.user, &["CUSTOMER"])
        .await;
    assert_eq!(
        fault(
            &auth
                .set_roles(Some(&former.access), &former.user, &["ADMIN"])
                .await
        ),
        "FORBIDDEN"
    );
    auth.logout(&root.refresh, false).await;
    let after_logout = auth.set_roles(Some(&root.access), &former.user, &["ADMIN"]).await;
    assert_eq!(fault(&after_logout), "UNAUTHENTICATED");
}

#[tokio::test]
async fn one_administrator_always_remains() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let alone = auth
        .set_roles(Some(&root.access), &root.user, &["CUSTOMER"])
        .await;
    assert_eq!(alone["userErrors"][0]["code"], "LAST_ADMIN");
    let bob = auth
        .with_roles(&root, "bob@example.com", &["CUSTOMER", "ADMIN"])
        .await;
    let (a, b) = tokio::join!(
        auth.set_roles(Some(&root.access), &bob.user, &["CUSTOMER"]),
        auth.set_roles(Some(&bob.access), &root.user, &["CUSTOMER"])
    );
    let won = [&a, &b]
        .iter()
        .filter(|answer| answer["user"].is_object())
        .count();
    assert_eq!(won, 1, "{a} {b}");
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_never_overwritten() {
    let auth = Auth::open().await;
    let admin = |password: &str| Admin {
        email: ROOT.to_owned(),
        password: Secret::new(password),
    };
    assert!(
        auth.app.bootstrap(&admin("password")).await.is_err(),
        "too weak even for a start"
    );
    let (first, strong) = (admin(PASSWORD), admin("some other password"));
    let (a, b) = tokio::join!(auth.app.bootstrap(&first), auth.app.bootstrap(&first));
    assert_ne!(a.unwrap(), b.unwrap(), "two processes that start together");
    assert!(!auth.app.bootstrap(&strong).await.unwrap());
    let answer = auth.login(ROOT, PASSWORD).await;
    assert_eq!(answer["session"]["user"]["roles"], json!(["CUSTOMER", "ADMIN"]));
}
