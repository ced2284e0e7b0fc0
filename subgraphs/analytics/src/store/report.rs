//! What a report reads from the sums.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::order::CancelReason;
use contracts::{CategoryId, Currency, ProductId};
use sqlx::PgExecutor;

use super::unreadable;
use crate::domain::buyer::Customers;
use crate::domain::{Figures, Range, Sold, reason};

/// Carts, orders and paid orders of a time, in all currencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Funnel {
    /// Carts begun.
    pub(crate) carts: i64,
    /// Orders placed.
    pub(crate) orders: i64,
    /// Orders paid.
    pub(crate) paid: i64,
}

/// The figures of each interval in which something happened.
pub(crate) async fn figures(
    db: impl PgExecutor<'_>,
    range: Range,
    currency: Currency,
) -> Result<BTreeMap<DateTime<Utc>, Figures>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT hour, orders, paid, cancelled, revenue_minor, refunded_minor, discounts_minor FROM sales_hour
         WHERE currency = $1 AND hour >= $2 AND hour < $3",
        currency.as_str(),
        range.from,
        range.to
    )
    .fetch_all(db)
    .await?;
    let mut figures: BTreeMap<_, Figures> = BTreeMap::new();
    for row in rows {
        let sums = figures.entry(range.interval.begin(row.hour)).or_default();
        sums.add(Figures {
            orders: row.orders,
            paid: row.paid,
            cancelled: row.cancelled,
            revenue_minor: row.revenue_minor,
            refunded_minor: row.refunded_minor,
            discounts_minor: row.discounts_minor,
        });
    }
    Ok(figures)
}

/// The products that brought most.
pub(crate) async fn top_products(
    db: impl PgExecutor<'_>,
    range: Range,
    currency: Currency,
    first: i64,
) -> Result<Vec<(ProductId, Sold)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT product_id, sum(units)::bigint AS "units!", sum(sales_minor)::bigint AS "sales_minor!"
           FROM product_day WHERE currency = $1 AND day BETWEEN $2 AND $3
           GROUP BY product_id ORDER BY 3 DESC, 2 DESC, 1 LIMIT $4"#,
        currency.as_str(),
        range.first_day(),
        range.last_day(),
        first
    )
    .fetch_all(db)
    .await?;
    let sold = rows.into_iter().map(|row| {
        let sold = Sold {
            units: row.units,
            sales_minor: row.sales_minor,
        };
        (ProductId::from_uuid(row.product_id), sold)
    });
    Ok(sold.collect())
}

/// The categories that brought most.
pub(crate) async fn top_categories(
    db: impl PgExecutor<'_>,
    range: Range,
    currency: Currency,
    first: i64,
) -> Result<Vec<(CategoryId, Sold)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT category_id, sum(units)::bigint AS "units!", sum(sales_minor)::bigint AS "sales_minor!"
           FROM category_day WHERE currency = $1 AND day BETWEEN $2 AND $3
           GROUP BY category_id ORDER BY 3 DESC, 2 DESC, 1 LIMIT $4"#,
        currency.as_str(),
        range.first_day(),
        range.last_day(),
        first
    )
    .fetch_all(db)
    .await?;
    let sold = rows.into_iter().map(|row| {
        let sold = Sold {
            units: row.units,
            sales_minor: row.sales_minor,
        };
        (CategoryId::from_uuid(row.category_id), sold)
    });
    Ok(sold.collect())
}

/// Orders given up, by reason, the commonest first.
pub(crate) async fn refusals(
    db: impl PgExecutor<'_>,
    range: Range,
) -> Result<Vec<(CancelReason, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT reason, sum(orders)::bigint AS "orders!" FROM refusal_day WHERE day BETWEEN $1 AND $2
           GROUP BY reason ORDER BY 2 DESC, 1"#,
        range.first_day(),
        range.last_day()
    )
    .fetch_all(db)
    .await?;
    let counts = rows.into_iter().map(|row| {
        let why = reason::read(&row.reason);
        let why = why.ok_or_else(|| unreadable(format!("{} is not known here", row.reason)))?;
        Ok((why, row.orders))
    });
    counts.collect()
}

/// Orders that ended, by how long they took.
pub(crate) async fn latencies(
    db: impl PgExecutor<'_>,
    range: Range,
) -> Result<BTreeMap<i16, i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT bucket, sum(orders)::bigint AS "orders!" FROM latency_hour WHERE hour >= $1 AND hour < $2
           GROUP BY bucket"#,
        range.from,
        range.to
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.bucket, row.orders)).collect())
}

/// How many came how far.
pub(crate) async fn funnel(db: impl PgExecutor<'_>, range: Range) -> Result<Funnel, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce((SELECT sum(carts) FROM carts_hour WHERE hour >= $1 AND hour < $2), 0)::bigint AS "carts!",
                  coalesce(sum(orders), 0)::bigint AS "orders!", coalesce(sum(paid), 0)::bigint AS "paid!"
           FROM sales_hour WHERE hour >= $1 AND hour < $2"#,
        range.from,
        range.to
    )
    .fetch_one(db)
    .await?;
    Ok(Funnel {
        carts: row.carts,
        orders: row.orders,
        paid: row.paid,
    })
}

/// Customers of all days together.
pub(crate) async fn customers(db: impl PgExecutor<'_>, range: Range) -> Result<Customers, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(first_time), 0)::bigint AS "new!", coalesce(sum(again), 0)::bigint AS "returning!"
           FROM customer_day WHERE day BETWEEN $1 AND $2"#,
        range.first_day(),
        range.last_day()
    )
    .fetch_one(db)
    .await?;
    Ok(Customers {
        new: row.new,
        returning: row.returning,
    })
}
