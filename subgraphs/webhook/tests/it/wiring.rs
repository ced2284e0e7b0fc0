//! What must be equal in two places, and what a start without its variables says.

use service_kit::Env;

#[test]
fn the_schema_is_the_committed_one() {
    let committed = include_str!("../../schema.graphql");
    assert_eq!(webhook::sdl(), committed, "run `cargo xtask sdl`");
}

#[test]
fn migrations_hold_the_shared_tables_verbatim() {
    assert_eq!(
        include_str!("../../migrations/0001_inbox.sql"),
        event_bus::INBOX_SQL
    );
    assert_eq!(
        include_str!("../../migrations/0002_idempotency.sql"),
        include_str!("../../../../crates/pg-kit/sql/idempotency.sql")
    );
}

fn faults(pairs: &[(&str, &str)]) -> String {
    let mut env = Env::from_pairs(pairs.to_vec());
    webhook::Config::from_env(&mut env).unwrap_err().faults.join("\n")
}

#[test]
fn a_start_names_all_that_is_missing() {
    let faults = faults(&[("WEBHOOK_ALLOW_PRIVATE", "perhaps")]);
    for name in [
        "GRAPHQL_ADDR",
        "INTERNAL_ADDR",
        "GATEWAY_KEY",
        "JWKS_URL",
        "SERVICE_KEY_FILE",
        "SERVICE_KEYS_DIR",
        "DATABASE_URL",
        "AMQP_URL",
        "REDIS_URL",
        "WEBHOOK_KEY",
        "WEBHOOK_ALLOW_PRIVATE",
    ] {
        assert!(faults.contains(name), "{name} in {faults}");
    }
}

#[test]
fn a_bad_key_is_named_and_not_shown() {
    let faults = faults(&[("WEBHOOK_KEY", "00ff00ff")]);
    assert!(faults.contains("WEBHOOK_KEY is one key or more"), "{faults}");
    assert!(!faults.contains("00ff00ff"), "{faults}");
}

#[test]
fn production_never_reaches_inside() {
    let key = "a-gateway-key-that-is-long-enough-for-anybody";
    let production = [("WEBHOOK_ALLOW_PRIVATE", "true"), ("GATEWAY_KEY", key)];
    assert!(faults(&production).contains("WEBHOOK_ALLOW_PRIVATE is for MERCATO_ENV=development"));
    let development = [production[0], production[1], ("MERCATO_ENV", "development")];
    assert!(!faults(&development).contains("WEBHOOK_ALLOW_PRIVATE"));
}
