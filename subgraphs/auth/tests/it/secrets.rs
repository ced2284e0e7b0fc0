//! What must not stand anywhere.

use crate::entrance::{Auth, code, session};

const CANARY: &str = "canary-password-7731";

#[tokio::test]
async fn stores_hold_neither_passwords_nor_tokens_nor_addresses_they_need_not() {
    let auth = Auth::open().await;
    let ada = session(&auth.try_register("canary-mail@example.com", CANARY, "Ada").await);
    let next = session(&auth.refresh(&ada.refresh).await);
    let failed = auth
        .login_from("192.0.2.77", "canary-mail@example.com", "canary-wrong-1")
        .await;
    assert_eq!(code(&failed), "INVALID_CREDENTIALS");
    assert!(!failed.to_string().contains("canary"), "{failed}");

    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT to_jsonb(app_user)::text FROM app_user
         UNION ALL SELECT to_jsonb(session)::text FROM session
         UNION ALL SELECT to_jsonb(refresh_token)::text FROM refresh_token",
    )
    .fetch_all(&auth.db.pool)
    .await
    .unwrap();
    let rows = rows.join("\n");
    for secret in [CANARY, "canary-wrong-1", &ada.refresh, &next.refresh, &ada.access] {
        assert!(!rows.contains(secret));
    }
    let mut redis = auth.redis.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{}*", auth.redis.prefix))
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(!keys.is_empty());
    assert!(
        keys.iter()
            .all(|key| !key.contains("canary") && !key.contains("192.0.2")),
        "{keys:?}"
    );
}
