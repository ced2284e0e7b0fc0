//! What is exported or configured is what it should be.

use cart::Config;
use service_kit::Env;

#[test]
fn the_committed_schema_is_the_served_one() {
    assert_eq!(
        cart::sdl(),
        include_str!("../../schema.graphql"),
        "run `cargo xtask sdl`"
    );
}

#[test]
fn a_bare_environment_is_refused_with_every_name() {
    let none = Vec::<(String, String)>::new();
    let faults = Config::from_env(&mut Env::from_pairs(none))
        .unwrap_err()
        .faults
        .join("\n");
    for name in [
        "GRAPHQL_ADDR",
        "INTERNAL_ADDR",
        "REDIS_URL",
        "PRODUCT_URL",
        "GATEWAY_KEY",
        "JWKS_URL",
        "SERVICE_KEY_FILE",
        "SERVICE_KEYS_DIR",
    ] {
        assert!(faults.contains(name), "{name} is missing in: {faults}");
    }
}
