//! From a cart and the prices of the moment to what would be bought, or why not.

use std::collections::HashMap;

use contracts::cart::CartFact;
use contracts::product::VariantFact;
use contracts::{CategoryId, Money, ProductId, UserId, VariantId};

use super::coupon::CouponProblem;
use super::{Discount, Line};

/// Lines with today's prices and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// What is bought.
    pub lines: Vec<Line>,
    /// What the products count as; order does not keep it, who counts sales does.
    pub categories: HashMap<ProductId, CategoryId>,
    /// The sum of the lines.
    pub subtotal: Money,
    /// What a coupon takes off it.
    pub discount: Option<Discount>,
    /// What is to be paid.
    pub total: Money,
}

/// What the shopper expects to find; all of it optional.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The version of the cart they looked at.
    pub cart_version: Option<i32>,
    /// The total they agreed to, in minor units of the cart's currency.
    pub total_minor: Option<i64>,
}

/// Why a cart can't become an order. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such cart, or it is somebody else's.
    #[error("the cart was not found")]
    CartNotFound,
    /// There is nothing in the cart, or nothing to pay for.
    #[error("there is nothing to buy in the cart")]
    CartEmpty,
    /// The cart is not what the shopper saw, or holds what is no longer for sale.
    #[error("{0}")]
    CartChanged(String),
    /// The cart's coupon takes nothing off.
    #[error("{0}")]
    Coupon(CouponProblem),
    /// Prices are not what the shopper saw.
    #[error("the total is now {now_minor} {currency} in minor units", currency = .currency.as_str())]
    PriceChanged {
        /// Today's total in minor units.
        now_minor: i64,
        /// Its currency.
        currency: contracts::Currency,
    },
}

/// A cart belongs to whoever it names; a guest's cart to whoever holds its unguessable id.
pub fn may_buy(cart: &CartFact, user: UserId) -> bool {
    cart.user_id.is_none_or(|owner| owner == user)
}

impl Purchase {
    /// Prices `cart` with `facts`, less what `discount` gives on their sum; the client's and the cart's own prices only
    /// serve to notice a change.
    pub fn price(
        cart: &CartFact,
        facts: Vec<VariantFact>,
        expected: Expectation,
        discount: impl FnOnce(Money) -> Result<Option<Discount>, CouponProblem>,
    ) -> Result<Self, Refusal> {
        if expected
            .cart_version
            .is_some_and(|version| version != cart.version)
        {
            return Err(Refusal::CartChanged("the cart was changed meanwhile".to_owned()));
        }
        let facts: HashMap<VariantId, VariantFact> =
            facts.into_iter().map(|fact| (fact.variant_id, fact)).collect();
        let lines = merged(cart)
            .into_iter()
            .zip(1..)
            .map(|((variant, quantity), line_no)| line(cart, &facts, variant, quantity, line_no))
            .collect::<Result<Vec<_>, _>>()?;
        let subtotal = sum(cart, &lines)?;
        if subtotal.amount_minor == 0 {
            return Err(Refusal::CartEmpty);
        }
        let discount = discount(subtotal).map_err(Refusal::Coupon)?;
        let off = discount
            .as_ref()
            .map_or(0, |discount| discount.amount.amount_minor);
        let total = Money::new(subtotal.amount_minor - off, subtotal.currency);
        let as_agreed = match expected.total_minor {
            Some(agreed) => agreed == total.amount_minor,
            None => seen_total(cart) == subtotal.amount_minor,
        };
        if !as_agreed {
            return Err(Refusal::PriceChanged {
                now_minor: total.amount_minor,
                currency: total.currency,
            });
        }
        Ok(Self {
            lines,
            categories: facts
                .values()
                .filter_map(|fact| Some((fact.product_id, fact.category_id?)))
                .collect(),
            subtotal,
            discount,
            total,
        })
    }
}

/// Each variant once, in the cart's order, since stock is reserved by SKU.
fn merged(cart: &CartFact) -> Vec<(VariantId, u32)> {
    let mut merged: Vec<(VariantId, u32)> = Vec::with_capacity(cart.lines.len());
    for line in cart.lines.iter().filter(|line| line.quantity > 0) {
        match merged.iter_mut().find(|(variant, _)| *variant == line.variant_id) {
            Some((_, quantity)) => *quantity = quantity.saturating_add(line.quantity),
            None => merged.push((line.variant_id, line.quantity)),
        }
    }
    merged
}

fn line(
    cart: &CartFact,
    facts: &HashMap<VariantId, VariantFact>,
    variant_id: VariantId,
    quantity: u32,
    line_no: i32,
) -> Result<Line, Refusal> {
    let fact = facts
        .get(&variant_id)
        .filter(|fact| fact.for_sale && fact.price.currency == cart.currency && fact.price.amount_minor >= 0)
        .ok_or_else(|| Refusal::CartChanged(format!("{variant_id} is not for sale any more")))?;
    Ok(Line {
        line_no,
        variant_id,
        product_id: fact.product_id,
        sku: fact.sku.clone(),
        title: fact.title.clone(),
        unit_price: fact.price,
        quantity,
        returned: 0,
    })
}

fn sum(cart: &CartFact, lines: &[Line]) -> Result<Money, Refusal> {
    lines
        .iter()
        .try_fold(Money::new(0, cart.currency), |sum, line| {
            sum.plus(line.unit_price.times(line.quantity)?)
        })
        .ok_or_else(|| Refusal::CartChanged("the total is beyond any price".to_owned()))
}

fn seen_total(cart: &CartFact) -> i64 {
    cart.lines.iter().fold(0, |sum: i64, line| {
        sum.saturating_add(line.seen_price_minor.saturating_mul(i64::from(line.quantity)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::cart::CartLineFact;
    use contracts::{CartId, Currency, ProductId};

    fn cart(lines: &[(VariantId, u32, i64)]) -> CartFact {
        CartFact {
            cart_id: CartId::generate(),
            user_id: None,
            version: 3,
            currency: Currency::USD,
            lines: lines
                .iter()
                .map(|&(variant_id, quantity, seen_price_minor)| CartLineFact {
                    variant_id,
                    quantity,
                    seen_price_minor,
                })
                .collect(),
            coupon: None,
        }
    }

    fn price(cart: &CartFact, facts: Vec<VariantFact>, expected: Expectation) -> Result<Purchase, Refusal> {
        Purchase::price(cart, facts, expected, |_| Ok(None))
    }

    fn fact(variant_id: VariantId, price_minor: i64) -> VariantFact {
        VariantFact {
            variant_id,
            sku: variant_id.to_string(),
            product_id: ProductId::generate(),
            category_id: None,
            title: "Mug".to_owned(),
            price: Money::new(price_minor, Currency::USD),
            for_sale: true,
        }
    }

    #[test]
    fn prices_come_from_product_and_one_variant_is_one_line() {
        let mug = VariantId::generate();
        let bought = price(
            &cart(&[(mug, 2, 500), (mug, 1, 500)]),
            vec![fact(mug, 500)],
            Expectation::default(),
        )
        .unwrap();
        assert_eq!(bought.lines.len(), 1);
        assert!(bought.categories.is_empty());
        assert_eq!(bought.total, Money::new(1500, Currency::USD));
    }

    #[test]
    fn a_change_since_the_shopper_looked_is_refused() {
        let mug = VariantId::generate();
        let price = |facts, expected| price(&cart(&[(mug, 2, 500)]), facts, expected);
        let changed = price(vec![fact(mug, 600)], Expectation::default());
        assert!(matches!(
            changed,
            Err(Refusal::PriceChanged { now_minor: 1200, .. })
        ));
        let agreed = Expectation {
            total_minor: Some(1200),
            ..Expectation::default()
        };
        assert!(price(vec![fact(mug, 600)], agreed).is_ok());
        let old = Expectation {
            cart_version: Some(2),
            ..Expectation::default()
        };
        assert!(matches!(
            price(vec![fact(mug, 500)], old),
            Err(Refusal::CartChanged(_))
        ));
        assert!(matches!(
            price(vec![], Expectation::default()),
            Err(Refusal::CartChanged(_))
        ));
        let withdrawn = VariantFact {
            for_sale: false,
            ..fact(mug, 500)
        };
        assert!(price(vec![withdrawn], Expectation::default()).is_err());
    }

    #[test]
    fn a_discount_is_taken_off_and_is_part_of_what_was_agreed() {
        let mug = VariantId::generate();
        let off = Discount {
            code: "WELCOME-10".parse().unwrap(),
            amount: Money::new(100, Currency::USD),
        };
        let agreed = |total_minor| Expectation {
            total_minor,
            ..Expectation::default()
        };
        let price = |seen, agreed| {
            Purchase::price(
                &cart(&[(mug, 2, seen)]),
                vec![fact(mug, 500)],
                agreed,
                |subtotal| {
                    assert_eq!(subtotal, Money::new(1000, Currency::USD));
                    Ok(Some(off.clone()))
                },
            )
        };
        let bought = price(500, agreed(Some(900))).unwrap();
        assert_eq!(
            (bought.subtotal.amount_minor, bought.total.amount_minor),
            (1000, 900)
        );
        assert_eq!(bought.discount, Some(off.clone()));
        assert!(price(500, agreed(None)).is_ok());
        assert!(matches!(
            price(400, agreed(None)),
            Err(Refusal::PriceChanged { now_minor: 900, .. })
        ));
        assert!(matches!(
            price(500, agreed(Some(1000))),
            Err(Refusal::PriceChanged { now_minor: 900, .. })
        ));
        let refused = Purchase::price(
            &cart(&[(mug, 2, 500)]),
            vec![fact(mug, 500)],
            agreed(None),
            |_| Err(CouponProblem::UsedUp),
        );
        assert_eq!(refused, Err(Refusal::Coupon(CouponProblem::UsedUp)));
    }

    #[test]
    fn nothing_to_pay_and_sums_beyond_range_are_refused() {
        let mug = VariantId::generate();
        let empty = price(&cart(&[]), vec![], Expectation::default());
        assert_eq!(empty, Err(Refusal::CartEmpty));
        let huge = price(
            &cart(&[(mug, u32::MAX, 1)]),
            vec![fact(mug, i64::MAX)],
            Expectation::default(),
        );
        assert!(matches!(huge, Err(Refusal::CartChanged(_))));
    }

    #[test]
    fn a_cart_is_bought_by_its_owner_or_by_who_holds_a_guests() {
        let mut cart = cart(&[]);
        let (owner, other) = (UserId::generate(), UserId::generate());
        assert!(may_buy(&cart, other));
        cart.user_id = Some(owner);
        assert!(may_buy(&cart, owner));
        assert!(!may_buy(&cart, other));
    }
}
