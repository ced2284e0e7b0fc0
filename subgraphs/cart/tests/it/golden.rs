//! The bodies cart reads and writes are those of the golden files.

use contracts::cart::{CartCheckedOut, CartFact, CartsStarted};
use contracts::product::{VariantFacts, VariantLookup};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn round_trips<T: Serialize + DeserializeOwned>(golden: &str) -> T {
    let parsed: T = serde_json::from_str(golden).unwrap();
    let written = serde_json::to_value(&parsed).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap());
    parsed
}

#[test]
fn bodies_keep_their_shape() {
    let cart: CartFact = round_trips(include_str!("../../../../crates/contracts/golden/cart_fact.json"));
    assert_eq!(cart.lines[0].seen_price_minor, 1499);
    let guest: CartFact = round_trips(include_str!(
        "../../../../crates/contracts/golden/cart_fact_guest.json"
    ));
    assert_eq!(guest.user_id, None);
    round_trips::<CartCheckedOut>(include_str!(
        "../../../../crates/contracts/golden/cart_checked_out.json"
    ));
    round_trips::<CartsStarted>(include_str!(
        "../../../../crates/contracts/golden/carts_started.json"
    ));
    round_trips::<VariantLookup>(include_str!(
        "../../../../crates/contracts/golden/variant_lookup.json"
    ));
    let facts: VariantFacts = round_trips(include_str!(
        "../../../../crates/contracts/golden/variant_facts.json"
    ));
    assert!(facts.variants[0].for_sale);
}
