//! What must be equal in two places, and what a start without its variables says.

use service_kit::Env;

#[test]
fn the_schema_is_the_committed_one() {
    let committed = include_str!("../../schema.graphql");
    assert_eq!(
        order::graphql::sdl(),
        committed,
        "run `cargo run -p order --bin sdl > subgraphs/order/schema.graphql`"
    );
}

#[test]
fn migrations_hold_the_shared_tables_verbatim() {
    assert_eq!(
        include_str!("../../migrations/0001_outbox.sql"),
        event_bus::OUTBOX_SQL
    );
    assert_eq!(
        include_str!("../../migrations/0002_inbox.sql"),
        event_bus::INBOX_SQL
    );
    assert_eq!(
        include_str!("../../migrations/0003_idempotency_key.sql"),
        include_str!("../../../../crates/pg-kit/sql/idempotency.sql")
    );
}

#[test]
fn a_start_names_all_that_is_missing() {
    let error = order::Config::from_env(&mut Env::from_pairs([("A", "b")])).unwrap_err();
    let faults = error.faults.join("\n");
    for name in [
        "GRAPHQL_ADDR",
        "INTERNAL_ADDR",
        "PUBLIC_ADDR",
        "GATEWAY_KEY",
        "JWKS_URL",
        "SERVICE_KEY_FILE",
        "SERVICE_KEYS_DIR",
        "DATABASE_URL",
        "AMQP_URL",
        "REDIS_URL",
        "CART_URL",
        "PRODUCT_URL",
        "INVENTORY_URL",
        "PAYMENT_URL",
    ] {
        assert!(faults.contains(name), "{name} in {faults}");
    }
}
