//! The roots: the report for staff, and the entities that the router asks for.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use contracts::{Currency, ProductId};
use graphql_kit::{ApiError, CurrencyCode, Result, require_staff};

use super::entity::Product;
use super::fault;
use super::rebuild::SalesRebuild;
use super::report::SalesReport;
use super::types::SalesInterval;
use crate::app::App;
use crate::domain::{Range, range::RangeError};

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// What the shop sold in a time, as far as it was heard: usually a second ago. For staff.
    #[graphql(tag = "internal")]
    async fn sales_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it begins; the interval with it in it is part of the report.")]
        from: DateTime<Utc>,
        #[graphql(desc = "Where it ends, after `from`; what begins there is no part of it.")] to: DateTime<
            Utc,
        >,
        #[graphql(desc = "What it is cut into.", default_with = "SalesInterval::Hour")]
        interval: SalesInterval,
        #[graphql(
            desc = "The currency of all money in it.",
            default_with = "CurrencyCode(Currency::USD)"
        )]
        currency: CurrencyCode,
    ) -> Result<SalesReport> {
        require_staff(ctx)?;
        let range = Range::try_new(from, to, interval.into()).map_err(refused)?;
        Ok(SalesReport::new(range, currency.0))
    }

    /// The last time that the sums were made again; null if they never were. For staff.
    #[graphql(tag = "internal")]
    async fn sales_rebuild(&self, ctx: &Context<'_>) -> Result<Option<SalesRebuild>> {
        require_staff(ctx)?;
        let app = ctx.data_unchecked::<App>();
        Ok(app.last_rebuild().await.map_err(fault)?.map(SalesRebuild))
    }

    #[graphql(entity)]
    async fn find_product(&self, id: ID) -> Option<Product> {
        let product: ProductId = id.parse().ok()?;
        Some(Product { product })
    }
}

fn refused(why: RangeError) -> ApiError {
    let field = match why {
        RangeError::TooLong => "interval",
        RangeError::Backwards | RangeError::OutOfTime => "from",
    };
    ApiError::bad_input(why.to_string()).at(&[field])
}

/// `first`, if it is 1 to `max`.
pub(super) fn at_most(first: i32, max: i32) -> Result<i64> {
    if (1..=max).contains(&first) {
        Ok(i64::from(first))
    } else {
        let why = format!("first must be 1 to {max}");
        Err(ApiError::bad_input(why).at(&["first"]))
    }
}
