//! The sums: changes are added to what stands, one statement for each table, rows in the order of their keys.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use contracts::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::buyer::{Customers, Days};
use crate::domain::{Sold, Sums};

/// Adds changes to all sums but those of buyers and customers.
pub(crate) async fn add(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    add_hours(tx, sums).await?;
    add_products(tx, sums).await?;
    add_categories(tx, sums).await?;
    add_refusals(tx, sums).await?;
    add_latencies(tx, sums).await?;
    add_pairs(tx, sums).await?;
    add_baskets(tx, sums).await
}

async fn add_hours(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.hours.is_empty() {
        return Ok(());
    }
    let currencies: Vec<String> = sums.hours.keys().map(|key| key.0.to_string()).collect();
    let hours: Vec<DateTime<Utc>> = sums.hours.keys().map(|key| key.1).collect();
    let figures: Vec<_> = sums.hours.values().collect();
    let orders: Vec<i64> = figures.iter().map(|figures| figures.orders).collect();
    let paid: Vec<i64> = figures.iter().map(|figures| figures.paid).collect();
    let cancelled: Vec<i64> = figures.iter().map(|figures| figures.cancelled).collect();
    let revenue: Vec<i64> = figures.iter().map(|figures| figures.revenue_minor).collect();
    let refunded: Vec<i64> = figures.iter().map(|figures| figures.refunded_minor).collect();
    let discounts: Vec<i64> = figures.iter().map(|figures| figures.discounts_minor).collect();
    sqlx::query!(
        "INSERT INTO sales_hour AS known (currency, hour, orders, paid, cancelled, revenue_minor, refunded_minor,
             discounts_minor)
         SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::bigint[])
         ON CONFLICT (currency, hour) DO UPDATE SET orders = known.orders + excluded.orders,
             paid = known.paid + excluded.paid, cancelled = known.cancelled + excluded.cancelled,
             revenue_minor = known.revenue_minor + excluded.revenue_minor,
             refunded_minor = known.refunded_minor + excluded.refunded_minor,
             discounts_minor = known.discounts_minor + excluded.discounts_minor",
        &currencies,
        &hours,
        &orders,
        &paid,
        &cancelled,
        &revenue,
        &refunded,
        &discounts
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What was sold, as columns.
struct SoldColumns {
    currencies: Vec<String>,
    days: Vec<NaiveDate>,
    ids: Vec<Uuid>,
    units: Vec<i64>,
    sales: Vec<i64>,
}

impl SoldColumns {
    fn of<K: Copy>(
        sold: &BTreeMap<(contracts::Currency, NaiveDate, K), Sold>,
        id: impl Fn(K) -> Uuid,
    ) -> Self {
        Self {
            currencies: sold.keys().map(|key| key.0.to_string()).collect(),
            days: sold.keys().map(|key| key.1).collect(),
            ids: sold.keys().map(|key| id(key.2)).collect(),
            units: sold.values().map(|sold| sold.units).collect(),
            sales: sold.values().map(|sold| sold.sales_minor).collect(),
        }
    }
}

async fn add_products(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.products.is_empty() {
        return Ok(());
    }
    let columns = SoldColumns::of(&sums.products, contracts::ProductId::uuid);
    sqlx::query!(
        "INSERT INTO product_day AS known (currency, day, product_id, units, sales_minor)
         SELECT * FROM unnest($1::text[], $2::date[], $3::uuid[], $4::bigint[], $5::bigint[])
         ON CONFLICT (currency, day, product_id) DO UPDATE SET units = known.units + excluded.units,
             sales_minor = known.sales_minor + excluded.sales_minor",
        &columns.currencies,
        &columns.days,
        &columns.ids,
        &columns.units,
        &columns.sales
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_categories(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.categories.is_empty() {
        return Ok(());
    }
    let columns = SoldColumns::of(&sums.categories, contracts::CategoryId::uuid);
    sqlx::query!(
        "INSERT INTO category_day AS known (currency, day, category_id, units, sales_minor)
         SELECT * FROM unnest($1::text[], $2::date[], $3::uuid[], $4::bigint[], $5::bigint[])
         ON CONFLICT (currency, day, category_id) DO UPDATE SET units = known.units + excluded.units,
             sales_minor = known.sales_minor + excluded.sales_minor",
        &columns.currencies,
        &columns.days,
        &columns.ids,
        &columns.units,
        &columns.sales
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_refusals(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.refusals.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = sums.refusals.keys().map(|key| key.0).collect();
    let reasons: Vec<String> = sums.refusals.keys().map(|key| key.1.to_owned()).collect();
    let orders: Vec<i64> = sums.refusals.values().copied().collect();
    sqlx::query!(
        "INSERT INTO refusal_day AS known (day, reason, orders)
         SELECT * FROM unnest($1::date[], $2::text[], $3::bigint[])
         ON CONFLICT (day, reason) DO UPDATE SET orders = known.orders + excluded.orders",
        &days,
        &reasons,
        &orders
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_latencies(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.latencies.is_empty() {
        return Ok(());
    }
    let hours: Vec<DateTime<Utc>> = sums.latencies.keys().map(|key| key.0).collect();
    let buckets: Vec<i16> = sums.latencies.keys().map(|key| key.1).collect();
    let orders: Vec<i64> = sums.latencies.values().copied().collect();
    sqlx::query!(
        "INSERT INTO latency_hour AS known (hour, bucket, orders)
         SELECT * FROM unnest($1::timestamptz[], $2::smallint[], $3::bigint[])
         ON CONFLICT (hour, bucket) DO UPDATE SET orders = known.orders + excluded.orders",
        &hours,
        &buckets,
        &orders
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_pairs(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.pairs.is_empty() {
        return Ok(());
    }
    let ones: Vec<Uuid> = sums.pairs.keys().map(|key| key.0.uuid()).collect();
    let others: Vec<Uuid> = sums.pairs.keys().map(|key| key.1.uuid()).collect();
    let orders: Vec<i64> = sums.pairs.values().copied().collect();
    sqlx::query!(
        "INSERT INTO pair AS known (product_a, product_b, orders)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
         ON CONFLICT (product_a, product_b) DO UPDATE SET orders = known.orders + excluded.orders",
        &ones,
        &others,
        &orders
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Paid orders with each product, and all of them.
async fn add_baskets(tx: &mut PgConnection, sums: &Sums) -> Result<(), sqlx::Error> {
    if sums.ordered.is_empty() && sums.baskets == 0 {
        return Ok(());
    }
    let products: Vec<Uuid> = sums.ordered.keys().map(|product| product.uuid()).collect();
    let orders: Vec<i64> = sums.ordered.values().copied().collect();
    sqlx::query!(
        "WITH total AS (
             INSERT INTO basket_total AS known (orders) VALUES ($3)
             ON CONFLICT (the_one) DO UPDATE SET orders = known.orders + excluded.orders
         )
         INSERT INTO product_orders AS known (product_id, orders)
         SELECT * FROM unnest($1::uuid[], $2::bigint[])
         ON CONFLICT (product_id) DO UPDATE SET orders = known.orders + excluded.orders",
        &products,
        &orders,
        sums.baskets
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The days on which these people paid orders.
pub(crate) async fn days_of(
    tx: &mut PgConnection,
    users: &[UserId],
) -> Result<BTreeMap<UserId, Days>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT user_id, day, orders FROM buyer_day WHERE user_id = ANY($1)",
        &ids
    )
    .fetch_all(tx)
    .await?;
    let mut days: BTreeMap<UserId, Days> = BTreeMap::new();
    for row in rows {
        let user = UserId::from_uuid(row.user_id);
        days.entry(user).or_default().insert(row.day, row.orders);
    }
    Ok(days)
}

/// Adds to the days of buyers.
pub(crate) async fn add_days(
    tx: &mut PgConnection,
    changes: &BTreeMap<(UserId, NaiveDate), i64>,
) -> Result<(), sqlx::Error> {
    let users: Vec<Uuid> = changes.keys().map(|key| key.0.uuid()).collect();
    let days: Vec<NaiveDate> = changes.keys().map(|key| key.1).collect();
    let orders: Vec<i64> = changes.values().copied().collect();
    sqlx::query!(
        "INSERT INTO buyer_day AS known (user_id, day, orders)
         SELECT * FROM unnest($1::uuid[], $2::date[], $3::bigint[])
         ON CONFLICT (user_id, day) DO UPDATE SET orders = known.orders + excluded.orders",
        &users,
        &days,
        &orders
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds to the customers of days.
pub(crate) async fn add_customers(
    tx: &mut PgConnection,
    changes: &BTreeMap<NaiveDate, Customers>,
) -> Result<(), sqlx::Error> {
    let days: Vec<NaiveDate> = changes.keys().copied().collect();
    let new: Vec<i64> = changes.values().map(|customers| customers.new).collect();
    let returning: Vec<i64> = changes.values().map(|customers| customers.returning).collect();
    sqlx::query!(
        "INSERT INTO customer_day AS known (day, first_time, again)
         SELECT * FROM unnest($1::date[], $2::bigint[], $3::bigint[])
         ON CONFLICT (day) DO UPDATE SET first_time = known.first_time + excluded.first_time,
             again = known.again + excluded.again",
        &days,
        &new,
        &returning
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes away all that is made from the facts. Who reads meanwhile sees what was there before, which `TRUNCATE` would
/// not let them.
pub(crate) async fn clear(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH orders AS (DELETE FROM order_fact), buyers AS (DELETE FROM buyer_day),
              hours AS (DELETE FROM sales_hour), products AS (DELETE FROM product_day),
              categories AS (DELETE FROM category_day), refusals AS (DELETE FROM refusal_day),
              latencies AS (DELETE FROM latency_hour), customers AS (DELETE FROM customer_day),
              pairs AS (DELETE FROM pair), ordered AS (DELETE FROM product_orders)
         DELETE FROM basket_total"
    )
    .execute(tx)
    .await?;
    Ok(())
}
