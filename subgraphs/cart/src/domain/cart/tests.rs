use contracts::product::VariantFact;
use contracts::{Money, ProductId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn variant(n: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(n))
}

fn priced(n: u128, cents: i64) -> VariantFact {
    VariantFact {
        variant_id: variant(n),
        sku: format!("SKU-{n}"),
        product_id: ProductId::from_uuid(Uuid::from_u128(n)),
        title: "A thing".to_owned(),
        price: Money::new(cents, Currency::USD),
        category_id: None,
        for_sale: true,
    }
}

fn prices(count: u128) -> Prices {
    (0..count).map(|n| priced(n, 100)).collect()
}

fn empty() -> Cart {
    let id = CartId::from_uuid(Uuid::from_u128(1));
    Cart::empty(id, None, Currency::USD, DateTime::UNIX_EPOCH)
}

fn want(n: u128, quantity: i32) -> Wanted {
    Wanted {
        variant_id: variant(n),
        quantity,
    }
}

fn ids() -> impl FnMut() -> CartLineId {
    let mut next = 0;
    move || {
        next += 1;
        CartLineId::from_uuid(Uuid::from_u128(next))
    }
}

fn add(cart: Cart, wanted: &[Wanted]) -> Result<Cart, Vec<Refusal>> {
    cart.add(wanted, &prices(300), ids())
}

#[test]
fn pieces_of_one_variant_share_a_line() {
    let cart = add(empty(), &[want(1, 2), want(2, 1), want(1, 3)]).unwrap();
    assert_eq!(
        cart.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(),
        [5, 1]
    );
    assert_eq!((cart.version, cart.total_quantity()), (1, 6));
}

#[test]
fn every_wrong_line_is_named_and_nothing_is_added() {
    use Reason::{CurrencyMismatch, QuantityInvalid, VariantUnavailable};
    let euro = VariantFact {
        price: Money::new(1, Currency::EUR),
        ..priced(2, 1)
    };
    let ended = VariantFact {
        for_sale: false,
        ..priced(3, 1)
    };
    let prices: Prices = [priced(1, 100), euro, ended].into_iter().collect();
    let wanted = [
        want(1, 0),
        want(1, -1),
        want(1, 1000),
        want(2, 1),
        want(3, 1),
        want(4, 1),
        want(1, i32::MAX),
    ];
    let refused = empty().add(&wanted, &prices, ids()).unwrap_err();
    let reasons: Vec<_> = refused
        .iter()
        .map(|refusal| (refusal.reason, refusal.field.join(".")))
        .collect();
    assert_eq!(
        reasons,
        [
            (QuantityInvalid, "lines.0.quantity".to_owned()),
            (QuantityInvalid, "lines.1.quantity".to_owned()),
            (QuantityInvalid, "lines.2.quantity".to_owned()),
            (CurrencyMismatch, "lines.3.variantId".to_owned()),
            (VariantUnavailable, "lines.4.variantId".to_owned()),
            (VariantUnavailable, "lines.5.variantId".to_owned()),
            (QuantityInvalid, "lines.6.quantity".to_owned()),
        ]
    );
}

#[test]
fn a_line_and_a_cart_have_an_end() {
    let full = add(empty(), &[want(1, 999)]).unwrap();
    assert_eq!(
        add(full, &[want(1, 1)]).unwrap_err()[0].reason,
        Reason::QuantityInvalid
    );
    let many: Vec<_> = (0..201).map(|n| want(n, 1)).collect();
    assert_eq!(add(empty(), &many).unwrap_err()[0].reason, Reason::TooManyLines);
    assert_eq!(add(empty(), &many[..200]).unwrap().lines.len(), 200);
}

#[test]
fn quantities_are_set_and_zero_removes() {
    let cart = add(empty(), &[want(1, 2), want(2, 1)]).unwrap();
    let (first, gone) = (cart.lines[0].id, CartLineId::from_uuid(Uuid::from_u128(99)));
    let seven = cart.clone().set_quantity(first, 7, &prices(3)).unwrap();
    assert_eq!((seven.lines[0].quantity, seven.version), (7, 2));
    let less = cart.clone().set_quantity(first, 0, &Prices::default()).unwrap();
    assert_eq!(less.lines.len(), 1);
    for (line, quantity, prices, reason) in [
        (gone, 1, prices(3), Reason::LineNotFound),
        (first, -1, prices(3), Reason::QuantityInvalid),
        (first, 1000, prices(3), Reason::QuantityInvalid),
        (first, 1, Prices::default(), Reason::VariantUnavailable),
    ] {
        assert_eq!(
            cart.clone().set_quantity(line, quantity, &prices).unwrap_err()[0].reason,
            reason
        );
    }
}

#[test]
fn a_new_price_is_flagged_until_the_shopper_changes_the_cart() {
    let cart = add(empty(), &[want(1, 1)]).unwrap();
    let dearer: Prices = [priced(1, 150), priced(2, 5)].into_iter().collect();
    let quote = dearer.quote(&cart.lines[0], cart.currency);
    assert_eq!(
        (quote.unit_price.amount_minor, quote.changed, quote.for_sale),
        (150, true, true)
    );
    let seen = cart.clone().add(&[want(2, 1)], &dearer, ids()).unwrap();
    assert!(!dearer.quote(&seen.lines[0], seen.currency).changed);

    let gone = Prices::default().quote(&cart.lines[0], cart.currency);
    assert_eq!(
        (gone.unit_price.amount_minor, gone.changed, gone.for_sale),
        (100, false, false)
    );
    let down = Prices::unknown(&cart.lines[0], cart.currency);
    assert_eq!(
        (down.unit_price.amount_minor, down.changed, down.for_sale),
        (100, false, true)
    );
}

#[test]
fn merging_adds_up() {
    let own = add(empty(), &[want(1, 600), want(2, 1)]).unwrap();
    let guest = add(empty(), &[want(1, 600), want(3, 2)]).unwrap();
    let both = own.clone().take_over(guest.clone(), &prices(9)).unwrap();
    assert_eq!(
        both.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(),
        [999, 1, 2]
    );

    let euro = Cart {
        currency: Currency::EUR,
        ..guest
    };
    assert_eq!(
        own.clone().take_over(euro, &prices(9)).unwrap_err()[0].reason,
        Reason::CurrencyMismatch
    );
    let many: Vec<_> = (100..299).map(|n| want(n, 1)).collect();
    let other = add(empty(), &many).unwrap();
    assert_eq!(
        own.take_over(other, &prices(9)).unwrap_err()[0].reason,
        Reason::TooManyLines
    );
}

#[test]
fn only_its_owner_uses_a_users_cart() {
    let (ann, ben) = (
        UserId::from_uuid(Uuid::from_u128(1)),
        UserId::from_uuid(Uuid::from_u128(2)),
    );
    let anns = Cart {
        owner: Some(ann),
        ..empty()
    };
    assert!(anns.is_open_to(Some(ann)));
    assert!(!anns.is_open_to(Some(ben)));
    assert!(!anns.is_open_to(None));
    assert!(empty().is_open_to(None) && empty().is_open_to(Some(ben)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_done_the_limits_hold(changes in proptest::collection::vec((0u128..250, -5i32..1200), 0..300)) {
        let (mut cart, prices) = (empty(), prices(250));
        for (n, quantity) in changes {
            let before = cart.clone();
            cart = match cart.add(&[want(n, quantity)], &prices, CartLineId::generate) {
                Ok(after) => { prop_assert_eq!(after.version, before.version + 1); after }
                Err(_) => before,
            };
            prop_assert!(cart.lines.len() <= MAX_LINES);
            prop_assert!(cart.lines.iter().all(|line| (1..=999).contains(&line.quantity)));
        }
    }
}
