//! A report: each part is one statement, made when it is asked for.

use std::collections::BTreeMap;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use contracts::{Currency, Money};
use graphql_kit::{CurrencyCode, Result};
use tokio::sync::OnceCell;

use super::entity::Product;
use super::fault;
use super::query::at_most;
use super::types::{
    Category, CategorySales, CustomerCount, ProductSales, RefusalCount, SagaLatency, SalesFigures,
    SalesFunnel, SalesInterval, SalesPoint, count,
};
use crate::app::App;
use crate::domain::{Figures, Range, latency};

/// Most entries of a list of the best.
const MAX_TOP: i32 = 100;

/// What the shop sold in a time.
pub(crate) struct SalesReport {
    range: Range,
    currency: Currency,
    figures: OnceCell<BTreeMap<DateTime<Utc>, Figures>>,
}

impl SalesReport {
    pub(super) fn new(range: Range, currency: Currency) -> Self {
        Self {
            range,
            currency,
            figures: OnceCell::new(),
        }
    }

    /// Read once, for the totals and the series.
    async fn figures(&self, ctx: &Context<'_>) -> Result<&BTreeMap<DateTime<Utc>, Figures>> {
        let read = || app(ctx).figures(self.range, self.currency);
        self.figures.get_or_try_init(read).await.map_err(fault)
    }
}

fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked::<App>()
}

/// What the shop sold in a time. Hours and days are UTC's; a list by day holds every day that has a part in the report.
#[Object(tag = "internal")]
impl SalesReport {
    /// Where it begins: the beginning of the interval that was asked for.
    async fn from(&self) -> DateTime<Utc> {
        self.range.from
    }

    /// Where it ends: the end of the last interval.
    async fn to(&self) -> DateTime<Utc> {
        self.range.to
    }

    /// What it is cut into.
    async fn interval(&self) -> SalesInterval {
        self.range.interval.into()
    }

    /// The currency of all money in it. Orders in other currencies are in other reports.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.currency)
    }

    /// The figures of the whole time.
    async fn totals(&self, ctx: &Context<'_>) -> Result<SalesFigures> {
        let mut totals = Figures::default();
        for figures in self.figures(ctx).await?.values() {
            totals.add(*figures);
        }
        Ok(SalesFigures::new(totals, self.currency))
    }

    /// The figures of each interval, in order, those in which nothing happened too.
    async fn series(&self, ctx: &Context<'_>) -> Result<Vec<SalesPoint>> {
        let known = self.figures(ctx).await?;
        let point = |at: DateTime<Utc>| SalesPoint {
            at,
            figures: SalesFigures::new(known.get(&at).copied().unwrap_or_default(), self.currency),
        };
        Ok(self.range.points().map(point).collect())
    }

    /// The products that brought most, by day.
    async fn top_products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 10)] first: i32,
    ) -> Result<Vec<ProductSales>> {
        let first = at_most(first, MAX_TOP)?;
        let best = app(ctx).top_products(self.range, self.currency, first).await;
        let shown = best
            .map_err(fault)?
            .into_iter()
            .map(|(product, sold)| ProductSales {
                product: Some(Product { product }),
                units: count(sold.units),
                sales: Money::new(sold.sales_minor, self.currency).into(),
            });
        Ok(shown.collect())
    }

    /// The categories that brought most, by day. A line whose order did not tell its category is in none.
    async fn top_categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 10)] first: i32,
    ) -> Result<Vec<CategorySales>> {
        let first = at_most(first, MAX_TOP)?;
        let best = app(ctx).top_categories(self.range, self.currency, first).await;
        let shown = best.map_err(fault)?.into_iter().map(|(id, sold)| CategorySales {
            category: Some(Category::new(id)),
            units: count(sold.units),
            sales: Money::new(sold.sales_minor, self.currency).into(),
        });
        Ok(shown.collect())
    }

    /// Why orders were given up, the commonest reason first, by day and in all currencies.
    async fn refusals(&self, ctx: &Context<'_>) -> Result<Vec<RefusalCount>> {
        let counts = app(ctx).refusals(self.range).await.map_err(fault)?;
        let shown = counts.into_iter().map(|(reason, orders)| RefusalCount {
            reason: reason.into(),
            orders: count(orders),
        });
        Ok(shown.collect())
    }

    /// How long orders took that ended in this time, in all currencies.
    async fn latency(&self, ctx: &Context<'_>) -> Result<SagaLatency> {
        let counts = app(ctx).latencies(self.range).await.map_err(fault)?;
        Ok(SagaLatency {
            orders: count(counts.values().sum()),
            p50_seconds: latency::quantile(&counts, 0.5),
            p90_seconds: latency::quantile(&counts, 0.9),
            p99_seconds: latency::quantile(&counts, 0.99),
        })
    }

    /// How far shoppers came.
    async fn funnel(&self, ctx: &Context<'_>) -> Result<SalesFunnel> {
        let funnel = app(ctx).funnel(self.range).await.map_err(fault)?;
        Ok(SalesFunnel {
            carts: count(funnel.carts),
            orders: count(funnel.orders),
            paid: count(funnel.paid),
        })
    }

    /// Who bought, by day.
    async fn customers(&self, ctx: &Context<'_>) -> Result<CustomerCount> {
        let customers = app(ctx).customers(self.range).await.map_err(fault)?;
        Ok(CustomerCount {
            new: count(customers.new),
            returning: count(customers.returning),
        })
    }
}
