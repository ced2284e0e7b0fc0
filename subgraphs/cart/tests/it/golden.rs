//! The bodies cart reads and writes are those of the golden files.

use contracts::cart::{CartCheckedOut, CartFact, CartsStarted};
use contracts::product::{VariantFacts, VariantLookup};
use test_kit::golden;

#[test]
fn bodies_keep_their_shape() {
    let cart: CartFact = golden::body("cart_fact");
    assert_eq!(cart.lines[0].seen_price_minor, 1499);
    let guest: CartFact = golden::body("cart_fact_guest");
    assert_eq!(guest.user_id, None);
    golden::body::<CartCheckedOut>("cart_checked_out");
    golden::body::<CartsStarted>("carts_started");
    golden::body::<VariantLookup>("variant_lookup");
    let facts: VariantFacts = golden::body("variant_facts");
    assert!(facts.variants[0].for_sale);
}
