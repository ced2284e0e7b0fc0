//! What must be equal in two places, and what a start without its variables says.

use service_kit::Env;

#[test]
fn the_schema_is_the_committed_one() {
    let committed = include_str!("../../schema.graphql");
    assert_eq!(analytics::sdl(), committed, "run `cargo xtask sdl`");
}

#[test]
fn migrations_hold_the_shared_tables_verbatim() {
    assert_eq!(
        include_str!("../../migrations/0001_inbox.sql"),
        event_bus::INBOX_SQL
    );
}

#[test]
fn a_start_names_all_that_is_missing() {
    let error = analytics::Config::from_env(&mut Env::from_pairs([("CART_URL", "nowhere")])).unwrap_err();
    let faults = error.faults.join("\n");
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
        "CART_URL",
    ] {
        assert!(faults.contains(name), "{name} in {faults}");
    }
}
