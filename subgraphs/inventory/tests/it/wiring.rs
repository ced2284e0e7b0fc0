//! What is copied, exported or configured is what it should be.

use inventory::{Config, MIGRATOR};
use service_kit::Env;

#[test]
fn the_committed_schema_is_the_served_one() {
    let committed = include_str!("../../schema.graphql");
    assert_eq!(inventory::sdl(), committed, "run `cargo xtask sdl`");
}

#[test]
fn the_shared_tables_are_copied_verbatim() {
    assert_eq!(
        include_str!("../../migrations/0002_outbox.sql"),
        event_bus::OUTBOX_SQL
    );
    let shared = include_str!("../../../../crates/pg-kit/sql/idempotency.sql");
    assert_eq!(include_str!("../../migrations/0003_idempotency_key.sql"), shared);
}

#[test]
fn a_bare_environment_is_refused_with_every_name() {
    let faults = Config::from_env(&mut Env::from_pairs(Vec::<(String, String)>::new()))
        .unwrap_err()
        .faults
        .join("\n");
    for name in [
        "GRAPHQL_ADDR",
        "INTERNAL_ADDR",
        "DATABASE_URL",
        "AMQP_URL",
        "REDIS_URL",
        "GATEWAY_KEY",
        "JWKS_URL",
        "SERVICE_KEY_FILE",
        "SERVICE_KEYS_DIR",
    ] {
        assert!(faults.contains(name), "{name} is missing in: {faults}");
    }
}

#[tokio::test]
async fn replicas_may_migrate_together() {
    let db = test_kit::empty_postgres().await;
    let (one, two) = tokio::join!(
        pg_kit::migrate(&db.pool, &MIGRATOR),
        pg_kit::migrate(&db.pool, &MIGRATOR)
    );
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
}

#[tokio::test]
async fn the_ledger_only_grows() {
    let stage = crate::stage::Stage::new().await;
    stage.receive("A", 1).await;
    for sql in [
        "UPDATE stock_ledger SET quantity = 2",
        "DELETE FROM stock_ledger",
        "TRUNCATE stock_ledger",
    ] {
        let refused = sqlx::query(sql)
            .execute(stage.pool())
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}
