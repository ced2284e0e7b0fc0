//! Reads. A report asks for each of its parts when it is wanted.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use contracts::order::CancelReason;
use contracts::{CategoryId, Currency, ProductId};

use super::{App, AppError, Funnel};
use crate::domain::buyer::Customers;
use crate::domain::pairs::BoughtWith;
use crate::domain::{Figures, Range, Sold};
use crate::store::{pairs, report};

impl App {
    /// The figures of each interval in which something happened.
    pub(crate) async fn figures(
        &self,
        range: Range,
        currency: Currency,
    ) -> Result<BTreeMap<DateTime<Utc>, Figures>, AppError> {
        Ok(report::figures(&self.requests, range, currency).await?)
    }

    /// The products that brought most.
    pub(crate) async fn top_products(
        &self,
        range: Range,
        currency: Currency,
        first: i64,
    ) -> Result<Vec<(ProductId, Sold)>, AppError> {
        Ok(report::top_products(&self.requests, range, currency, first).await?)
    }

    /// The categories that brought most.
    pub(crate) async fn top_categories(
        &self,
        range: Range,
        currency: Currency,
        first: i64,
    ) -> Result<Vec<(CategoryId, Sold)>, AppError> {
        Ok(report::top_categories(&self.requests, range, currency, first).await?)
    }

    /// Orders given up, by reason.
    pub(crate) async fn refusals(&self, range: Range) -> Result<Vec<(CancelReason, i64)>, AppError> {
        Ok(report::refusals(&self.requests, range).await?)
    }

    /// Orders that ended, by how long they took.
    pub(crate) async fn latencies(&self, range: Range) -> Result<BTreeMap<i16, i64>, AppError> {
        Ok(report::latencies(&self.requests, range).await?)
    }

    /// How many came how far.
    pub(crate) async fn funnel(&self, range: Range) -> Result<Funnel, AppError> {
        Ok(report::funnel(&self.requests, range).await?)
    }

    /// New and returning customers.
    pub(crate) async fn customers(&self, range: Range) -> Result<Customers, AppError> {
        Ok(report::customers(&self.requests, range).await?)
    }

    /// What is bought with each of these products.
    pub(crate) async fn bought_with(
        &self,
        products: &[ProductId],
        first: i64,
    ) -> Result<HashMap<ProductId, Vec<BoughtWith>>, AppError> {
        Ok(pairs::bought_with(&self.requests, products, first).await?)
    }
}
