//! One order as far as it is known, and what it adds to the sums.
//!
//! Events come in any order and more than once. So an order is a set of what is known of it, to which each fact adds
//! its part, and [`Order::sums`] says what that comes to. What a fact changes is the difference of the two, and all
//! differences of an order together are what it comes to in the end, whichever way it got there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use contracts::order::CancelReason;
use contracts::{CategoryId, Currency, Money, ProductId, UserId};
use serde::{Deserialize, Serialize};

use super::range::{day, hour};
use super::sums::{Figures, Sold, Sums};
use super::{Fact, What, latency, reason};

/// Baskets of more products than this say little about which of them go together, and have very many pairs: they are
/// left out of all that is counted about pairs.
pub const MAX_PAIRED: usize = 50;

/// What is known of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// What was bought, and when.
    pub placed: Option<(DateTime<Utc>, Placed)>,
    /// When it was paid.
    pub paid: Option<DateTime<Utc>>,
    /// When and why it was given up.
    pub cancelled: Option<(DateTime<Utc>, Option<CancelReason>)>,
    /// What went back, by the version of the payment.
    pub refunds: BTreeMap<i64, Refund>,
}

/// What was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Who buys.
    pub buyer: UserId,
    /// What is to be paid.
    pub total: Money,
    /// What a coupon took off the lines.
    pub discount_minor: i64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product.
    pub product: ProductId,
    /// Its category, if the order told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    /// How many.
    pub units: i64,
    /// What they cost together, before any discount.
    pub sales_minor: i64,
}

/// Money that went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// When.
    pub at: DateTime<Utc>,
    /// How much.
    pub minor: i64,
    /// In which currency.
    pub currency: Currency,
}

impl Order {
    /// Learns facts, and tells what they change in the sums.
    pub fn fold<'f>(&mut self, facts: impl IntoIterator<Item = &'f Fact>) -> Sums {
        let mut change = Sums::default();
        change.add(&self.sums(), -1);
        for fact in facts {
            self.learn(fact);
        }
        change.add(&self.sums(), 1);
        change
    }

    /// Adds what a fact says. What is known already is not changed by a repeat.
    fn learn(&mut self, fact: &Fact) {
        match &fact.what {
            What::Placed(placed) => first(&mut self.placed, (fact.at, placed.clone()), |(at, _)| *at),
            What::Paid => first(&mut self.paid, fact.at, |at| *at),
            What::Cancelled(why) => first(&mut self.cancelled, (fact.at, *why), |(at, _)| *at),
            What::Refunded(amount) => {
                let refund = Refund {
                    at: fact.at,
                    minor: amount.amount_minor,
                    currency: amount.currency,
                };
                self.refunds.entry(fact.version).or_insert(refund);
            }
            What::Step => {}
        }
    }

    /// What the order adds to the sums, as far as it is known.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for refund in self.refunds.values() {
            sums.hour(refund.currency, hour(refund.at)).refunded_minor += refund.minor;
        }
        if let Some((at, Some(why))) = self.cancelled {
            sums.refusals.insert((day(at), reason::text(why)), 1);
        }
        // Nothing else can be said of an order before its currency is known.
        if let Some((at, placed)) = &self.placed {
            let currency = placed.total.currency;
            sums.hour(currency, hour(*at)).orders += 1;
            if let Some((given_up, _)) = self.cancelled {
                sums.hour(currency, hour(given_up)).cancelled += 1;
            }
            if let Some(paid) = self.paid {
                add_sale(&mut sums, placed, paid);
            }
            if let Some(ended) = self.ended() {
                let took = ended.signed_duration_since(*at);
                sums.latencies.insert((hour(ended), latency::bucket(took)), 1);
            }
        }
        sums
    }

    /// When it was paid or given up.
    fn ended(&self) -> Option<DateTime<Utc>> {
        let given_up = self.cancelled.map(|(at, _)| at);
        self.paid.into_iter().chain(given_up).min()
    }
}

/// Keeps the earlier of two, so that it does not matter which was heard first.
fn first<T>(known: &mut Option<T>, heard: T, at: impl Fn(&T) -> DateTime<Utc>) {
    if known.as_ref().is_none_or(|known| at(&heard) < at(known)) {
        *known = Some(heard);
    }
}

fn add_sale(sums: &mut Sums, placed: &Placed, paid: DateTime<Utc>) {
    let (currency, day) = (placed.total.currency, day(paid));
    let figures: &mut Figures = sums.hour(currency, hour(paid));
    figures.paid += 1;
    figures.revenue_minor += placed.total.amount_minor;
    figures.discounts_minor += placed.discount_minor;
    sums.buyers.insert((placed.buyer, day), 1);
    for line in &placed.lines {
        let sold = Sold {
            units: line.units,
            sales_minor: line.sales_minor,
        };
        sums.products
            .entry((currency, day, line.product))
            .or_default()
            .add(sold);
        if let Some(category) = line.category {
            sums.categories
                .entry((currency, day, category))
                .or_default()
                .add(sold);
        }
    }
    add_pairs(sums, placed);
}

fn add_pairs(sums: &mut Sums, placed: &Placed) {
    let products: BTreeSet<ProductId> = placed.lines.iter().map(|line| line.product).collect();
    if products.len() > MAX_PAIRED {
        return;
    }
    sums.baskets += 1;
    for (place, one) in products.iter().enumerate() {
        sums.ordered.insert(*one, 1);
        for other in products.iter().skip(place + 1) {
            sums.pairs.insert((*one, *other), 1);
        }
    }
}

#[cfg(test)]
mod tests;
