//! The sums, and changes of them: both are the same kind of thing, as a change is added to what stands.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use contracts::{CategoryId, Currency, ProductId, UserId};

/// Sums by what they are of. Sorted, so that every writer takes rows in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Figures of an hour.
    pub hours: BTreeMap<(Currency, DateTime<Utc>), Figures>,
    /// What was sold of a product on a day.
    pub products: BTreeMap<(Currency, NaiveDate, ProductId), Sold>,
    /// What was sold of a category on a day.
    pub categories: BTreeMap<(Currency, NaiveDate, CategoryId), Sold>,
    /// Orders given up on a day, by reason.
    pub refusals: BTreeMap<(NaiveDate, &'static str), i64>,
    /// Orders that ended in an hour, by how long they took.
    pub latencies: BTreeMap<(DateTime<Utc>, i16), i64>,
    /// Orders that somebody paid on a day.
    pub buyers: BTreeMap<(UserId, NaiveDate), i64>,
    /// Paid orders with both products, the smaller id first.
    pub pairs: BTreeMap<(ProductId, ProductId), i64>,
    /// Paid orders with a product.
    pub ordered: BTreeMap<ProductId, i64>,
    /// Paid orders that `pairs` and `ordered` count.
    pub baskets: i64,
}

/// Figures of an hour, or of any time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Orders placed.
    pub orders: i64,
    /// Orders paid.
    pub paid: i64,
    /// Orders given up.
    pub cancelled: i64,
    /// What the paid ones cost.
    pub revenue_minor: i64,
    /// What went back.
    pub refunded_minor: i64,
    /// What coupons took off the paid ones.
    pub discounts_minor: i64,
}

/// What was sold, before discounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sold {
    /// How many.
    pub units: i64,
    /// What they cost.
    pub sales_minor: i64,
}

impl Figures {
    /// Adds others to these.
    pub const fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.paid += other.paid;
        self.cancelled += other.cancelled;
        self.revenue_minor += other.revenue_minor;
        self.refunded_minor += other.refunded_minor;
        self.discounts_minor += other.discounts_minor;
    }
}

impl Sold {
    /// Adds what else was sold.
    pub const fn add(&mut self, other: Self) {
        self.units += other.units;
        self.sales_minor += other.sales_minor;
    }
}

/// What can be added up.
trait Summed: Copy + Default + PartialEq {
    fn plus(&mut self, other: Self, times: i64);
}

impl Summed for i64 {
    fn plus(&mut self, other: Self, times: i64) {
        *self += other * times;
    }
}

impl Summed for Sold {
    fn plus(&mut self, other: Self, times: i64) {
        self.add(Self {
            units: other.units * times,
            sales_minor: other.sales_minor * times,
        });
    }
}

impl Summed for Figures {
    fn plus(&mut self, other: Self, times: i64) {
        self.add(Self {
            orders: other.orders * times,
            paid: other.paid * times,
            cancelled: other.cancelled * times,
            revenue_minor: other.revenue_minor * times,
            refunded_minor: other.refunded_minor * times,
            discounts_minor: other.discounts_minor * times,
        });
    }
}

/// Adds sums to sums; what comes to nothing is left out, so that no change is no entry.
fn add<K: Ord + Copy, V: Summed>(into: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>, times: i64) {
    for (key, value) in other {
        let sum = into.entry(*key).or_default();
        sum.plus(*value, times);
        if *sum == V::default() {
            into.remove(key);
        }
    }
}

impl Sums {
    /// Adds others so many times; -1 takes them away.
    pub fn add(&mut self, other: &Self, times: i64) {
        add(&mut self.hours, &other.hours, times);
        add(&mut self.products, &other.products, times);
        add(&mut self.categories, &other.categories, times);
        add(&mut self.refusals, &other.refusals, times);
        add(&mut self.latencies, &other.latencies, times);
        add(&mut self.buyers, &other.buyers, times);
        add(&mut self.pairs, &other.pairs, times);
        add(&mut self.ordered, &other.ordered, times);
        self.baskets += other.baskets * times;
    }

    /// The figures of an hour.
    pub(super) fn hour(&mut self, currency: Currency, hour: DateTime<Utc>) -> &mut Figures {
        self.hours.entry((currency, hour)).or_default()
    }
}
