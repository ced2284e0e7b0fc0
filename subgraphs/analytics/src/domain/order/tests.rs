//! Any order of arrival, with any repeats, comes to the same sums.

use contracts::OrderId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const START: i64 = 1_795_000_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + seconds, 0).unwrap()
}

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

fn placed(lines: Vec<(u128, u32, i64)>, discount_minor: i64, buyer: u128) -> Placed {
    let lines: Vec<Line> = lines
        .into_iter()
        .map(|(number, units, price)| Line {
            product: product(number),
            category: (number % 3 > 0).then(|| CategoryId::from_uuid(Uuid::from_u128(number % 3))),
            units: i64::from(units),
            sales_minor: price * i64::from(units),
        })
        .collect();
    let sum: i64 = lines.iter().map(|line| line.sales_minor).sum();
    Placed {
        buyer: UserId::from_uuid(Uuid::from_u128(buyer)),
        total: Money::new(sum - discount_minor, Currency::USD),
        discount_minor,
        lines,
    }
}

fn fact(version: i64, seconds: i64, what: What) -> Fact {
    Fact {
        order: OrderId::from_uuid(Uuid::from_u128(1)),
        version,
        at: at(seconds),
        what,
    }
}

/// The facts of one order, in the order they happened.
fn life() -> impl Strategy<Value = Vec<Fact>> {
    let lines = prop::collection::vec((0_u128..9, 1_u32..5, 1_i64..10_000), 1..6);
    let ending = prop_oneof![
        Just(What::Paid),
        Just(What::Cancelled(Some(CancelReason::OutOfStock))),
        Just(What::Cancelled(None)),
        Just(What::Step),
    ];
    let refunds = prop::collection::vec((1_i64..200_000, 1_i64..5_000), 0..3);
    (lines, 0_i64..300, 0_u128..4, ending, 1_i64..100_000, refunds).prop_map(
        |(lines, discount, buyer, ending, took, refunds)| {
            let mut facts = vec![
                fact(1, 0, What::Placed(placed(lines, discount, buyer))),
                fact(2, 1, What::Step),
                fact(3, took, ending),
            ];
            let refunds = refunds.into_iter().zip(2..);
            facts.extend(refunds.map(|((later, minor), version)| {
                let amount = Money::new(minor, Currency::USD);
                fact(version, took + later, What::Refunded(amount))
            }));
            facts
        },
    )
}

/// Facts as they happened, and as they came: shuffled, some more than once.
fn heard() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    life().prop_flat_map(|life| {
        let repeats = prop::collection::vec(prop::sample::select(life.clone()), 0..5);
        let came = repeats
            .prop_map({
                let life = life.clone();
                move |repeats| [life.clone(), repeats].concat()
            })
            .prop_shuffle();
        (Just(life), came)
    })
}

fn folded(facts: &[Fact]) -> (Order, Sums) {
    let (mut order, mut sums) = (Order::default(), Sums::default());
    // One by one: what each changes comes to the whole.
    for fact in facts {
        sums.add(&order.fold([fact]), 1);
    }
    (order, sums)
}

proptest! {
    #[test]
    fn any_permutation_with_repeats_comes_to_the_same((life, came) in heard()) {
        let (order, sums) = folded(&life);
        prop_assert_eq!(folded(&came), (order.clone(), sums.clone()));
        let mut whole = Sums::default();
        whole.add(&order.sums(), 1);
        prop_assert_eq!(sums, whole, "the changes are what it comes to");
    }

    #[test]
    fn a_known_fact_changes_nothing((life, came) in heard()) {
        let (order, _) = folded(&life);
        let mut again = order.clone();
        prop_assert_eq!(again.fold(&came), Sums::default());
        prop_assert_eq!(again, order);
    }
}

#[test]
fn a_paid_order_is_in_every_sum_it_belongs_to() {
    let bought = placed(vec![(2, 3, 100), (1, 1, 250), (2, 1, 100)], 50, 7);
    let (_, sums) = folded(&[
        fact(1, 0, What::Placed(bought)),
        fact(9, 7_200, What::Paid),
        fact(4, 90_000, What::Refunded(Money::new(120, Currency::USD))),
    ]);
    let hours: Vec<_> = sums.hours.values().copied().collect();
    let none = Figures::default();
    assert_eq!(
        hours,
        [
            Figures { orders: 1, ..none },
            Figures {
                paid: 1,
                revenue_minor: 600,
                discounts_minor: 50,
                ..none
            },
            Figures {
                refunded_minor: 120,
                ..none
            },
        ]
    );
    let sold: Vec<_> = sums
        .products
        .iter()
        .map(|((_, _, product), sold)| (product.uuid().as_u128(), sold.units, sold.sales_minor))
        .collect();
    assert_eq!(sold, [(1, 1, 250), (2, 4, 400)]);
    assert_eq!(sums.categories.len(), 2);
    assert_eq!(sums.pairs.keys().collect::<Vec<_>>(), [&(product(1), product(2))]);
    assert_eq!((sums.baskets, sums.ordered.len(), sums.buyers.len()), (1, 2, 1));
    let latency = sums.latencies.keys().next().unwrap();
    assert_eq!(latency.1, latency::bucket(chrono::TimeDelta::hours(2)));
}

#[test]
fn what_is_not_paid_sells_nothing() {
    let bought = placed(vec![(1, 1, 250)], 0, 7);
    let why = What::Cancelled(Some(CancelReason::Customer));
    let (_, sums) = folded(&[fact(1, 0, What::Placed(bought)), fact(5, 60, why)]);
    assert!(sums.products.is_empty() && sums.pairs.is_empty() && sums.buyers.is_empty());
    assert_eq!(sums.refusals.keys().next().unwrap().1, "CUSTOMER");
    let figures = sums.hours.values().next().unwrap();
    assert_eq!(
        (figures.orders, figures.cancelled, figures.revenue_minor),
        (1, 1, 0)
    );
}

#[test]
fn a_refund_counts_before_anything_else_is_known() {
    let (_, sums) = folded(&[fact(4, 0, What::Refunded(Money::new(9, Currency::EUR)))]);
    let (key, figures) = sums.hours.first_key_value().unwrap();
    assert_eq!((key.0, figures.refunded_minor), (Currency::EUR, 9));
}

#[test]
fn a_very_large_basket_has_no_pairs() {
    for (products, pairs) in [
        (MAX_PAIRED, MAX_PAIRED * (MAX_PAIRED - 1) / 2),
        (MAX_PAIRED + 1, 0),
    ] {
        let lines = (0..products as u128).map(|number| (number, 1, 1)).collect();
        let (_, sums) = folded(&[
            fact(1, 0, What::Placed(placed(lines, 0, 7))),
            fact(9, 5, What::Paid),
        ]);
        assert_eq!(sums.pairs.len(), pairs);
        assert_eq!(sums.baskets, i64::from(pairs > 0));
        assert_eq!(sums.products.len(), products, "it is sold all the same");
    }
}
