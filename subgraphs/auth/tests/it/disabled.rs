//! Users who are shut out, and sessions that their user ends.

use serde_json::{Value, json};

use crate::entrance::{Auth, PASSWORD, Session, code, fault, session};

async fn set_disabled(auth: &Auth, by: &Session, user: &str, disabled: bool) -> Value {
    let query = "mutation($input: SetUserDisabledInput!) { setUserDisabled(input: $input) { user { isDisabled } userErrors { code } } }";
    let input = json!({ "input": { "userId": user, "disabled": disabled } });
    auth.ask(Some(&by.access), query, input).await
}

async fn sessions(auth: &Auth, of: &Session) -> Value {
    auth.ask(Some(&of.access), "{ sessions { id isCurrent } }", json!({}))
        .await
}

async fn end(auth: &Auth, by: &Session, id: &Value) -> Value {
    let query = "mutation($input: EndSessionInput!) { endSession(input: $input) { userErrors { code } } }";
    auth.ask(Some(&by.access), query, json!({ "input": { "sessionId": id } }))
        .await
}

#[tokio::test]
async fn a_disabled_user_is_out_until_enabled_again() {
    let auth = Auth::open().await;
    let (root, ada) = (auth.root().await, auth.register("ada@example.com").await);
    assert_eq!(
        fault(&set_disabled(&auth, &ada, &root.user, true).await),
        "FORBIDDEN"
    );
    let answer = set_disabled(&auth, &root, &ada.user, true).await;
    assert_eq!(answer["data"]["setUserDisabled"]["user"]["isDisabled"], true);
    assert_eq!(code(&auth.refresh(&ada.refresh).await), "TOKEN_EXPIRED");
    assert_eq!(
        code(&auth.login("ada@example.com", PASSWORD).await),
        "ACCOUNT_DISABLED"
    );
    assert_eq!(
        code(&auth.login("ada@example.com", "wrong horse battery").await),
        "INVALID_CREDENTIALS"
    );
    assert_eq!(fault(&sessions(&auth, &ada).await), "UNAUTHENTICATED");
    // Every verifier hears of it with the keys.
    assert!(auth.app.verifier().verify(&ada.access).await.is_ok());
    auth.app.refresh_key_set().await.unwrap();
    assert!(auth.app.verifier().verify(&ada.access).await.is_err());
    assert!(auth.app.verifier().verify(&root.access).await.is_ok());

    set_disabled(&auth, &root, &ada.user, false).await;
    assert_eq!(code(&auth.refresh(&ada.refresh).await), "TOKEN_EXPIRED");
    session(&auth.login("ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn the_last_administrator_who_can_sign_in_stays() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let alone = set_disabled(&auth, &root, &root.user, true).await;
    assert_eq!(
        alone["data"]["setUserDisabled"]["userErrors"][0]["code"],
        "LAST_ADMIN"
    );
    let bob = auth
        .with_roles(&root, "bob@example.com", &["CUSTOMER", "ADMIN"])
        .await;
    set_disabled(&auth, &root, &bob.user, true).await;
    let roles = auth
        .set_roles(Some(&root.access), &root.user, &["CUSTOMER"])
        .await;
    assert_eq!(
        roles["userErrors"][0]["code"], "LAST_ADMIN",
        "a disabled one does not count"
    );
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_only() {
    let auth = Auth::open().await;
    let phone = auth.register("ada@example.com").await;
    auth.later(1);
    let laptop = session(&auth.login("ada@example.com", PASSWORD).await);
    let bob = auth.register("bob@example.com").await;
    let all = sessions(&auth, &laptop).await["data"]["sessions"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(
        all[0]["isCurrent"], true,
        "the newest first, which is this one: {all}"
    );
    let theirs = end(&auth, &bob, &all[1]["id"]).await;
    assert_eq!(
        theirs["data"]["endSession"]["userErrors"][0]["code"],
        "SESSION_NOT_FOUND"
    );
    let own = end(&auth, &laptop, &all[1]["id"]).await;
    assert_eq!(own["data"]["endSession"]["userErrors"], json!([]));
    assert_eq!(code(&auth.refresh(&phone.refresh).await), "TOKEN_EXPIRED");
    session(&auth.refresh(&laptop.refresh).await);
}
