//! The parts of a report.

use async_graphql::{Enum, ID, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::{CategoryId, Currency, Money, order as wire};
use graphql_kit::MoneyObject;

use super::entity::Product;
use crate::domain::{self, Figures};

/// What a report is cut into.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Interval", tag = "internal")]
pub(crate) enum SalesInterval {
    /// Hours; a report is over at most 31 days.
    Hour,
    /// Days of UTC; a report is over at most 400 days.
    Day,
}

/// Why an order was cancelled.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "wire::CancelReason")]
pub(crate) enum CancelReason {
    /// Not enough stock.
    OutOfStock,
    /// The payment was declined.
    PaymentDeclined,
    /// No payment in time.
    PaymentTimeout,
    /// The buyer asked.
    Customer,
    /// An operator asked.
    Operator,
}

/// A node of the category tree.
#[derive(SimpleObject, Clone)]
#[graphql(unresolvable)]
pub(crate) struct Category {
    /// Its id.
    id: ID,
}

impl Category {
    pub(super) fn new(category: CategoryId) -> Self {
        Self {
            id: ID(category.to_string()),
        }
    }
}

/// A count as the graph has them; no shop gets near the end of it.
pub(super) fn count(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What happened in a time, in one currency. Each order counts when it happened: placed, paid and given up may be three
/// different hours.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SalesFigures {
    /// Orders placed.
    orders: i32,
    /// Orders paid.
    paid: i32,
    /// Orders given up.
    cancelled: i32,
    /// What the paid orders cost, after discounts.
    revenue: MoneyObject,
    /// What went back, for orders of any time; late payments of orders that were given up too.
    refunded: MoneyObject,
    /// What coupons took off the paid orders.
    discounts: MoneyObject,
}

impl SalesFigures {
    pub(super) fn new(figures: Figures, currency: Currency) -> Self {
        let money = |minor| Money::new(minor, currency).into();
        Self {
            orders: count(figures.orders),
            paid: count(figures.paid),
            cancelled: count(figures.cancelled),
            revenue: money(figures.revenue_minor),
            refunded: money(figures.refunded_minor),
            discounts: money(figures.discounts_minor),
        }
    }
}

/// The figures of one interval.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SalesPoint {
    /// When it begins.
    pub(super) at: DateTime<Utc>,
    /// What happened in it.
    pub(super) figures: SalesFigures,
}

/// What was sold of a product in paid orders.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct ProductSales {
    /// The product; null if the shop does not show it.
    pub(super) product: Option<Product>,
    /// How many.
    pub(super) units: i32,
    /// What they cost, before discounts.
    pub(super) sales: MoneyObject,
}

/// What was sold of a category in paid orders.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct CategorySales {
    /// The category that the products were in when they were bought, without those below it; null
    /// if it is gone.
    pub(super) category: Option<Category>,
    /// How many.
    pub(super) units: i32,
    /// What they cost, before discounts.
    pub(super) sales: MoneyObject,
}

/// How many orders were given up for a reason.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct RefusalCount {
    /// The reason.
    pub(super) reason: CancelReason,
    /// How many.
    pub(super) orders: i32,
}

/// How long orders took from being placed until they were paid or given up, to 2.5 %.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SagaLatency {
    /// Orders that ended in this time.
    pub(super) orders: i32,
    /// What half of them did not exceed; null without any.
    pub(super) p50_seconds: Option<f64>,
    /// What nine of ten did not exceed.
    pub(super) p90_seconds: Option<f64>,
    /// What 99 of a hundred did not exceed.
    pub(super) p99_seconds: Option<f64>,
}

/// How far shoppers came, in all currencies.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SalesFunnel {
    /// Carts that got a first line; up to a minute late.
    pub(super) carts: i32,
    /// Orders placed.
    pub(super) orders: i32,
    /// Orders paid.
    pub(super) paid: i32,
}

/// Customers who paid an order, each once a day, in all currencies.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct CustomerCount {
    /// On the first day they paid one.
    pub(super) new: i32,
    /// On a later day.
    pub(super) returning: i32,
}

/// A product that is bought with another.
#[derive(SimpleObject)]
pub(crate) struct BoughtWith {
    /// The product; null if the shop does not show it.
    pub(super) product: Option<Product>,
    /// Paid orders with both.
    pub(super) together: i32,
    /// How many times as often both are in an order as they would be by chance.
    pub(super) lift: f64,
}
