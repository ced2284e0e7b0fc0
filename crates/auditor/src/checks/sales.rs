//! Sales: what analytics counts is what order and payment have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::SNAPSHOT;
use crate::books::shown;
use crate::{Books, Expectations, Finding};

const ID: &str = "I19";
const TITLE: &str = "what analytics counts as sold and sent back is what order and payment have";
/// At rest the last events may still be on their way into the sums.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(500);

/// An amount by currency and order.
type Amounts = BTreeMap<(Uuid, String), i64>;

/// What analytics holds, read in one moment.
struct Sums {
    /// When the first thing it heard happened; it can't know of orders before.
    since: Option<DateTime<Utc>>,
    /// When the last thing it heard happened; beside traffic it is not blamed for what came after.
    until: Option<DateTime<Utc>>,
    paid: Amounts,
    refunded: Amounts,
    /// By currency: what its hours say and what its orders say, of orders, revenue and refunds.
    totals: Vec<(String, [i64; 3], [i64; 3])>,
}

/// An amount, and whether it is so new that analytics may not know yet.
type Sources = BTreeMap<(Uuid, String), (i64, bool)>;

/// I19.
pub(super) async fn are_counted(books: &Books, expected: &Expectations) -> Result<Finding> {
    let Some(url) = &expected.analytics else {
        let why = "give the database of analytics: --analytics-db";
        return Ok(Finding::unchecked(ID, TITLE, why));
    };
    let mut looks = 0;
    loop {
        let finding = look(books, url, expected.grace_s).await?;
        looks += 1;
        if finding.holds != Some(false) || expected.grace_s > 0.0 || looks == LOOKS {
            return Ok(finding);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(books: &Books, url: &str, grace_s: f64) -> Result<Finding> {
    let Some(sums) = sums(url).await.context("the database of analytics")? else {
        return Ok(Finding::unchecked(ID, TITLE, "analytics has no tables yet"));
    };
    let mut finding = Finding::new(ID, TITLE);
    let Some(since) = sums.since else {
        finding.count("orders", 0);
        return Ok(finding);
    };
    // Sources are read after the sums: what is in the sums is in them too.
    let judged = Judged {
        grace_s,
        until: sums.until.filter(|_| grace_s > 0.0),
    };
    let refunded = refunded(books, &judged).await.context("refunds")?;
    let (paid, known) = paid(books, since, &judged).await.context("paid orders")?;
    compare(&mut finding, "paid", &paid, &sums.paid, |order| {
        known.contains(&order)
    });
    compare(&mut finding, "sent back", &refunded, &sums.refunded, |order| {
        known.contains(&order)
    });
    for (currency, hours, orders) in sums.totals {
        finding.figure(format!("paid {currency}"), hours[1]);
        finding.figure(format!("sent back {currency}"), hours[2]);
        if hours != orders {
            finding.violated(format!(
                "{currency}: the hours say {hours:?} of orders, revenue and refunds, the orders {orders:?}"
            ));
        }
    }
    Ok(finding)
}

/// Each amount must stand on both sides, but for new ones that analytics may not have heard of, and for orders from
/// before it was there.
fn compare(
    finding: &mut Finding,
    what: &str,
    sources: &Sources,
    sums: &Amounts,
    known: impl Fn(Uuid) -> bool,
) {
    for (key, (amount, fresh)) in sources {
        let counted = sums.get(key);
        if known(key.0) && counted != Some(amount) && !fresh {
            let (order, currency) = (shown(key.0), &key.1);
            finding.violated(format!(
                "order {order}: {amount} {currency} {what}, counted {counted:?}"
            ));
        }
    }
    for (key, counted) in sums {
        if known(key.0) && !sources.contains_key(key) {
            let (order, currency) = (shown(key.0), &key.1);
            finding.violated(format!(
                "order {order}: nothing {what}, counted {counted} {currency}"
            ));
        }
    }
}

/// `None`: analytics was never started.
async fn sums(url: &str) -> Result<Option<Sums>> {
    let mut connection = PgConnection::connect(url).await?;
    let is_new: bool = sqlx::query_scalar("SELECT to_regclass('fact') IS NULL")
        .fetch_one(&mut connection)
        .await?;
    if is_new {
        return Ok(None);
    }
    let mut tx = connection.begin_with(SNAPSHOT).await?;
    let (since, until) = sqlx::query_as("SELECT min(at), max(at) FROM fact")
        .fetch_one(&mut *tx)
        .await?;
    let paid = amounts(
        &mut tx,
        "SELECT order_id, currency, total_minor FROM order_fact WHERE placed_at IS NOT NULL AND paid_at IS NOT NULL",
    )
    .await?;
    let refunded = amounts(
        &mut tx,
        "SELECT order_id, refund.value ->> 'currency', sum((refund.value ->> 'minor')::bigint)::bigint
         FROM order_fact CROSS JOIN jsonb_each(refunds) AS refund GROUP BY 1, 2",
    )
    .await?;
    let rows = sqlx::query(
        "SELECT currency, sum(paid)::bigint, sum(revenue_minor)::bigint, sum(refunded_minor)::bigint
         FROM sales_hour GROUP BY currency ORDER BY currency",
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.rollback().await?;
    let mut totals = Vec::new();
    for row in rows {
        let currency: String = row.try_get(0)?;
        let of = |amounts: &Amounts| -> (i64, i64) {
            let mine = amounts.iter().filter(|((_, other), _)| *other == currency);
            mine.fold((0, 0), |(count, sum), (_, amount)| (count + 1, sum + amount))
        };
        let (orders, revenue) = of(&paid);
        let hours = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
        let of_orders = [orders, revenue, of(&refunded).1];
        totals.push((currency, hours, of_orders));
    }
    Ok(Some(Sums {
        since,
        until,
        paid,
        refunded,
        totals,
    }))
}

async fn amounts(connection: &mut PgConnection, sql: &'static str) -> Result<Amounts, sqlx::Error> {
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let amount = |row: &sqlx::postgres::PgRow| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?));
    rows.iter().map(amount).collect()
}

/// What is old enough to be judged.
struct Judged {
    grace_s: f64,
    /// Where analytics has come to, if it may be behind: it may be away, or read what piled up meanwhile.
    until: Option<DateTime<Utc>>,
}

/// Orders that were ever paid, and all orders that analytics can know.
async fn paid(
    books: &Books,
    since: DateTime<Utc>,
    judged: &Judged,
) -> Result<(Sources, BTreeSet<Uuid>), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, currency, total_minor, (SELECT min(at) FROM order_history WHERE order_id = id AND to_status = 'PAID')
                    > least(clock_timestamp(), $3) - make_interval(secs => $2) AS fresh,
                EXISTS (SELECT FROM order_history WHERE order_id = id AND to_status = 'PAID')
         FROM orders WHERE created_at >= $1",
    )
    .bind(since)
    .bind(judged.grace_s)
    .bind(judged.until)
    .fetch_all(&books.order)
    .await?;
    let (mut paid, mut known) = (Sources::new(), BTreeSet::new());
    for row in rows {
        let id: Uuid = row.try_get(0)?;
        known.insert(id);
        if row.try_get(4)? {
            let fresh: Option<bool> = row.try_get(3)?;
            paid.insert((id, row.try_get(1)?), (row.try_get(2)?, fresh == Some(true)));
        }
    }
    Ok((paid, known))
}

/// What went back, by order.
async fn refunded(books: &Books, judged: &Judged) -> Result<Sources, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, refund.currency, sum(refund.amount_minor)::bigint,
                max(refund.ended_at) > least(clock_timestamp(), $2) - make_interval(secs => $1)
         FROM refund JOIN payment ON payment.id = payment_id
         WHERE refund.status = 'SUCCEEDED' GROUP BY order_id, refund.currency",
    )
    .bind(judged.grace_s)
    .bind(judged.until)
    .fetch_all(&books.payment)
    .await?;
    let row = |row: &sqlx::postgres::PgRow| {
        let fresh: Option<bool> = row.try_get(3)?;
        Ok((
            (row.try_get(0)?, row.try_get(1)?),
            (row.try_get(2)?, fresh == Some(true)),
        ))
    };
    rows.iter().map(row).collect()
}
